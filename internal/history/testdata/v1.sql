-- A history as version 1 of the schema kept it. It is never made again.
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
INSERT INTO aimcheck_runs VALUES(1,'a50b8b7e1cc80846','https://o.example.com','a','{"sso_claim":"","workspace_sso_claim":"","unified_login":""}','2026-11-01T02:00:00.000000Z','2026-11-01T02:00:00.000000Z','1','','not-ready',1,0,0,1,1,3,0,0,'null','done');
INSERT INTO aimcheck_runs VALUES(2,'a50b8b7e1cc80846','https://o.example.com','a','{"sso_claim":"","workspace_sso_claim":"","unified_login":""}','2026-11-02T02:00:00.000000Z','2026-11-02T02:00:00.000000Z','1','','ready',0,1,1,0,0,0,0,1,'null','none');
INSERT INTO aimcheck_runs VALUES(3,'e0eb920a34afca86','https://o.example.com','a','{"sso_claim":"login","workspace_sso_claim":"","unified_login":""}','2026-11-03T02:00:00.000000Z','2026-11-03T02:00:00.000000Z','1','','ready',0,1,0,1,0,1,0,0,'null','none');
CREATE TABLE aimcheck_events (
  run     BIGINT NOT NULL REFERENCES aimcheck_runs (id) ON DELETE CASCADE,
  finding TEXT   NOT NULL,
  what    TEXT   NOT NULL, -- new, reopened, resolved, worse, better, waived or unwaived
  note    TEXT   NOT NULL, -- such as the severities, or the waiver
  PRIMARY KEY (run, finding, what)
);
INSERT INTO aimcheck_events VALUES(1,'a-8b86bced1029','new','blocker');
INSERT INTO aimcheck_events VALUES(1,'b-54fae302d832','new','warning');
INSERT INTO aimcheck_events VALUES(1,'b-54fae302d832','waived','{"owner":"me","reason":"so","expires":"2026-12-31"}');
INSERT INTO aimcheck_events VALUES(1,'missing-external-id-ace9c15028fe','new','info');
INSERT INTO aimcheck_events VALUES(2,'a-8b86bced1029','better','blocker to error');
INSERT INTO aimcheck_events VALUES(2,'b-54fae302d832','unwaived','{"owner":"me","reason":"so","expires":"2026-12-31"}');
INSERT INTO aimcheck_events VALUES(2,'missing-external-id-ace9c15028fe','resolved','info');
INSERT INTO aimcheck_events VALUES(3,'b-88c857ea9ef5','new','info');
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
INSERT INTO aimcheck_findings VALUES('a50b8b7e1cc80846','a-8b86bced1029','a','error','x','x is wrong','okta:user:00u1','review','','open','2026-11-01T02:00:00.000000Z','2026-11-02T02:00:00.000000Z',2,1);
INSERT INTO aimcheck_findings VALUES('a50b8b7e1cc80846','b-54fae302d832','b','warning','y','y is wrong','okta:user:00u1','review','','open','2026-11-01T02:00:00.000000Z','2026-11-02T02:00:00.000000Z',2,1);
INSERT INTO aimcheck_findings VALUES('a50b8b7e1cc80846','missing-external-id-ace9c15028fe','missing-external-id','info','databricks:user:1','databricks:user:1 is wrong','okta:user:00u1','review','','resolved','2026-11-01T02:00:00.000000Z','2026-11-01T02:00:00.000000Z',1,2);
INSERT INTO aimcheck_findings VALUES('e0eb920a34afca86','a-8b86bced1029','a','error','x','x is wrong','okta:user:00u1','review','','open','2026-11-01T02:00:00.000000Z','2026-11-03T02:00:00.000000Z',3,3);
INSERT INTO aimcheck_findings VALUES('e0eb920a34afca86','b-88c857ea9ef5','b','info','z','z is wrong','okta:user:00u1','review','','open','2026-11-03T02:00:00.000000Z','2026-11-03T02:00:00.000000Z',3,3);
CREATE TABLE aimcheck_schema (version BIGINT NOT NULL);
INSERT INTO aimcheck_schema VALUES(1);
CREATE INDEX aimcheck_runs_stream ON aimcheck_runs (stream, id);
CREATE INDEX aimcheck_findings_id ON aimcheck_findings (id);
CREATE INDEX aimcheck_events_finding ON aimcheck_events (finding, run);
