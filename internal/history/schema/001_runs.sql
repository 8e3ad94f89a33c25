-- Everything is TEXT or BIGINT, and ids are given by the program, so that SQLite
-- and PostgreSQL have one schema. Times are UTC, of one width, and sort as text.

CREATE TABLE aimcheck_runs (
  id       BIGINT PRIMARY KEY,
  stream   TEXT   NOT NULL, -- digest of org, account and settings: runs of one stream can be compared
  org      TEXT   NOT NULL,
  account  TEXT   NOT NULL,
  settings TEXT   NOT NULL, -- JSON
  at       TEXT   NOT NULL,
  read_at  TEXT   NOT NULL, -- when the directories were read
  version  TEXT   NOT NULL, -- of the program
  snapshot TEXT   NOT NULL, -- digest
  verdict  TEXT   NOT NULL,
  blockers BIGINT NOT NULL, -- unwaived findings by severity
  errors   BIGINT NOT NULL,
  warnings BIGINT NOT NULL,
  infos    BIGINT NOT NULL,
  waived   BIGINT NOT NULL,
  news     BIGINT NOT NULL, -- findings that were new
  reopened BIGINT NOT NULL,
  resolved BIGINT NOT NULL,
  skipped  TEXT   NOT NULL, -- JSON: what was not looked for
  alert    TEXT   NOT NULL  -- none, pending or done
);
CREATE INDEX aimcheck_runs_stream ON aimcheck_runs (stream, id);

CREATE TABLE aimcheck_findings (
  stream     TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  rule       TEXT   NOT NULL,
  severity   TEXT   NOT NULL,
  key        TEXT   NOT NULL,
  message    TEXT   NOT NULL,
  subjects   TEXT   NOT NULL, -- separated by spaces
  remedy     TEXT   NOT NULL,
  waived     TEXT   NOT NULL, -- JSON of who, why and until when; blank if it is not
  state      TEXT   NOT NULL, -- open or resolved
  first_seen TEXT   NOT NULL,
  last_seen  TEXT   NOT NULL,
  last_run   BIGINT NOT NULL, -- that saw it
  changed    BIGINT NOT NULL, -- run in which its state changed last
  PRIMARY KEY (stream, id)
);
CREATE INDEX aimcheck_findings_id ON aimcheck_findings (id);

CREATE TABLE aimcheck_events (
  run     BIGINT NOT NULL REFERENCES aimcheck_runs (id) ON DELETE CASCADE,
  finding TEXT   NOT NULL,
  what    TEXT   NOT NULL, -- new, reopened, resolved, worse, better, waived or unwaived
  note    TEXT   NOT NULL, -- such as the severities, or the waiver
  PRIMARY KEY (run, finding, what)
);
CREATE INDEX aimcheck_events_finding ON aimcheck_events (finding, run);
