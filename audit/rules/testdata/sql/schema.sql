-- What both directories said: a table per kind of object, a row per object. A
-- column that ends in _key is the fold of the one before it, by which names are
-- compared; '' is a blank name, which is equal to nothing.

CREATE TABLE okta_user (
  id TEXT PRIMARY KEY, status TEXT,
  login TEXT, login_key TEXT, email TEXT, email_key TEXT,
  first_name TEXT, first_name_key TEXT, last_name TEXT, last_name_key TEXT,
  live AS (status <> 'DEPROVISIONED'));
CREATE INDEX okta_user_login ON okta_user (login_key);
CREATE INDEX okta_user_email ON okta_user (email_key);

CREATE TABLE okta_group (id TEXT PRIMARY KEY, name TEXT, name_key TEXT);
CREATE TABLE okta_member (grp TEXT, user TEXT);
CREATE INDEX okta_member_grp ON okta_member (grp, user);
CREATE TABLE okta_app (id TEXT PRIMARY KEY, label TEXT, label_key TEXT, status TEXT, client_id TEXT);
CREATE TABLE okta_app_user (app TEXT, user TEXT, user_name TEXT, user_name_key TEXT);

CREATE TABLE databricks_user (
  id TEXT PRIMARY KEY, user_name TEXT, user_name_key TEXT, external_id TEXT,
  given_name TEXT, given_name_key TEXT, family_name TEXT, family_name_key TEXT,
  active INTEGER);
CREATE INDEX databricks_user_name ON databricks_user (user_name_key);

CREATE TABLE databricks_group (
  id TEXT PRIMARY KEY, display_name TEXT, display_name_key TEXT, external_id TEXT,
  workspace_local INTEGER,
  system_group AS (display_name_key IN ('admins', 'users', 'account users')));
CREATE INDEX databricks_group_name ON databricks_group (display_name_key);

CREATE TABLE databricks_principal (
  id TEXT PRIMARY KEY, application_id TEXT, application_id_key TEXT,
  display_name TEXT, display_name_key TEXT, external_id TEXT);

CREATE TABLE databricks_member (grp TEXT, member TEXT);
CREATE INDEX databricks_member_member ON databricks_member (member);
CREATE INDEX databricks_member_grp ON databricks_member (grp);
CREATE TABLE databricks_grant (holder TEXT, field TEXT, value TEXT, direct INTEGER);
CREATE INDEX databricks_grant_holder ON databricks_grant (holder);
CREATE TABLE databricks_workspace (id TEXT PRIMARY KEY, federation TEXT);

-- One row: what the person who runs the audit said, and what was read.
CREATE TABLE setting (
  sso_claim TEXT, workspace_sso_claim TEXT, unified_login TEXT, okta_app TEXT,
  token_owner_key TEXT, caller_key TEXT, apps_read INTEGER, details_read INTEGER);

-- The words of the catalogue: words.sql says what is in them.

CREATE TABLE okta_name (okta, name);
CREATE INDEX okta_name_okta ON okta_name (okta);
CREATE TABLE candidate (user, okta, live);
CREATE INDEX candidate_user ON candidate (user, live);
CREATE INDEX candidate_okta ON candidate (okta);
CREATE TABLE link (user, okta, state);
CREATE INDEX link_user ON link (user);
CREATE TABLE counterpart (user, okta);
CREATE INDEX counterpart_user ON counterpart (user);
CREATE TABLE claimed (okta, name, name_key);
CREATE INDEX claimed_okta ON claimed (okta);
CREATE TABLE account_group (id, display_name_key, external_id);
CREATE TABLE group_candidate (grp, okta);
CREATE TABLE group_link (grp, okta, state);
CREATE TABLE principal_candidate (principal, okta);
CREATE TABLE principal_link (principal, state);
CREATE TABLE holder (external_id, subject);
CREATE INDEX holder_external_id ON holder (external_id);
CREATE TABLE precious (subject);
CREATE TABLE within (member, grp);
CREATE INDEX within_member ON within (member);
