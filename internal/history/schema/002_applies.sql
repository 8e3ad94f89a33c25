-- What was written to Databricks, and what people had decided.

CREATE TABLE aimcheck_applies (
  id      BIGINT PRIMARY KEY,
  org     TEXT   NOT NULL,
  account TEXT   NOT NULL,
  at      TEXT   NOT NULL, -- when it ended
  version TEXT   NOT NULL, -- of the program
  kind    TEXT   NOT NULL, -- apply or rollback
  plan    TEXT   NOT NULL, -- digest
  journal TEXT   NOT NULL, -- the file that has the whole story
  settled BIGINT NOT NULL  -- 1 if everything was carried out
);

CREATE TABLE aimcheck_operations (
  apply   BIGINT NOT NULL REFERENCES aimcheck_applies (id) ON DELETE CASCADE,
  id      TEXT   NOT NULL, -- as the plan has it; behind undo- where it was undone
  action  TEXT   NOT NULL,
  target  TEXT   NOT NULL,
  field   TEXT   NOT NULL,
  phase   TEXT   NOT NULL, -- as the journal has it
  PRIMARY KEY (apply, id)
);

CREATE TABLE aimcheck_because (
  apply     BIGINT NOT NULL REFERENCES aimcheck_applies (id) ON DELETE CASCADE,
  operation TEXT   NOT NULL,
  finding   TEXT   NOT NULL,
  PRIMARY KEY (apply, operation, finding)
);
CREATE INDEX aimcheck_because_finding ON aimcheck_because (finding);

CREATE TABLE aimcheck_decisions (
  apply    BIGINT NOT NULL REFERENCES aimcheck_applies (id) ON DELETE CASCADE,
  n        BIGINT NOT NULL, -- in the order of the file
  item     TEXT   NOT NULL, -- id of an operation or finding
  decision TEXT   NOT NULL,
  place    TEXT   NOT NULL, -- file and row
  unused   TEXT   NOT NULL, -- why it was not used; blank if it was
  PRIMARY KEY (apply, n)
);
CREATE INDEX aimcheck_decisions_item ON aimcheck_decisions (item);
