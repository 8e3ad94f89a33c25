-- The words of the catalogue, from the tables of schema.sql.

-- names(o).
INSERT INTO okta_name (okta, name)
  SELECT id AS okta, login_key AS name FROM okta_user WHERE login_key <> ''
  UNION
  SELECT id, email_key FROM okta_user WHERE email_key <> '';

-- candidates(d) of users.
INSERT INTO candidate (user, okta, live)
  SELECT d.id AS user, o.id AS okta, o.live
  FROM databricks_user d JOIN okta_name n ON n.name = d.user_name_key JOIN okta_user o ON o.id = n.okta;

-- The link state of users, and whom they are linked to.
INSERT INTO link (user, okta, state)
  SELECT d.id AS user, o.id AS okta,
         CASE WHEN d.external_id = '' THEN 'unlinked'
              WHEN o.id IS NULL THEN 'stale'
              WHEN o.live THEN 'linked'
              ELSE 'linked-inactive' END AS state
  FROM databricks_user d LEFT JOIN okta_user o ON o.id = d.external_id;

-- o(d): whom d is linked to, live or not, else its only live candidate.
INSERT INTO counterpart (user, okta)
  SELECT user, okta FROM link WHERE okta IS NOT NULL
  UNION ALL
  SELECT l.user, c.okta
  FROM link l JOIN candidate c ON c.user = l.user AND c.live
  WHERE l.okta IS NULL
  GROUP BY l.user HAVING count(*) = 1;

-- The username that reaches Databricks when somebody signs in, where it is known.
INSERT INTO claimed (okta, name, name_key)
  SELECT id AS okta, login AS name, login_key AS name_key FROM okta_user, setting WHERE sso_claim = 'login'
  UNION ALL
  SELECT id, email, email_key FROM okta_user, setting WHERE sso_claim = 'email'
  UNION ALL
  SELECT user, user_name, user_name_key FROM okta_app_user, setting
  WHERE sso_claim = 'other' AND user_name_key <> ''
    AND (app = okta_app OR okta_app = '' AND (SELECT count(DISTINCT app) FROM okta_app_user) = 1);

-- The groups that rules about groups speak of: not the system's, not a workspace's.
INSERT INTO account_group (id, display_name_key, external_id)
  SELECT id, display_name_key, external_id FROM databricks_group WHERE NOT system_group AND NOT workspace_local;

-- candidates(d) of groups, and their link state.
INSERT INTO group_candidate (grp, okta)
  SELECT g.id AS grp, o.id AS okta
  FROM databricks_group g JOIN okta_group o ON o.name_key = g.display_name_key
  WHERE g.display_name_key <> '';
INSERT INTO group_link (grp, okta, state)
  SELECT g.id AS grp, o.id AS okta,
         CASE WHEN g.external_id = '' THEN 'unlinked' WHEN o.id IS NULL THEN 'stale' ELSE 'linked' END AS state
  FROM databricks_group g LEFT JOIN okta_group o ON o.id = g.external_id;

-- candidates(d) of service principals, and their link state: only when the apps were read.
INSERT INTO principal_candidate (principal, okta)
  SELECT p.id AS principal, a.id AS okta
  FROM databricks_principal p JOIN okta_app a ON a.status = 'ACTIVE' AND a.client_id <> '' AND a.client_id = p.application_id;
INSERT INTO principal_candidate (principal, okta)
  SELECT p.id, a.id
  FROM databricks_principal p JOIN okta_app a ON a.status = 'ACTIVE' AND a.label_key <> '' AND a.label_key = p.display_name_key
  WHERE p.id NOT IN (SELECT principal FROM principal_candidate);
INSERT INTO principal_link (principal, state)
  SELECT p.id AS principal,
         CASE WHEN p.external_id = '' THEN 'unlinked' WHEN a.id IS NULL THEN 'stale' ELSE 'linked' END AS state
  FROM databricks_principal p LEFT JOIN okta_app a ON a.id = p.external_id, setting
  WHERE apps_read;

-- Who holds which externalId.
INSERT INTO holder (external_id, subject)
  SELECT external_id, 'databricks:user:' || id AS subject FROM databricks_user WHERE external_id <> ''
  UNION ALL
  SELECT external_id, 'databricks:group:' || id FROM databricks_group WHERE external_id <> ''
  UNION ALL
  SELECT external_id, 'databricks:service_principal:' || id FROM databricks_principal WHERE external_id <> '';

-- Whom nobody may lose: account admins, and the identity that runs the tool.
INSERT INTO precious (subject)
  SELECT holder AS subject FROM databricks_grant WHERE field = 'roles' AND value = 'account_admin' AND direct
  UNION
  SELECT 'databricks:user:' || id FROM databricks_user, setting WHERE user_name_key = caller_key AND caller_key <> ''
  UNION
  SELECT 'databricks:service_principal:' || id FROM databricks_principal, setting WHERE application_id_key = caller_key AND caller_key <> '';

-- The Databricks groups that an identity is in, directly or through others.
INSERT INTO within (member, grp)
  WITH RECURSIVE up (member, grp) AS (
    SELECT member, grp FROM databricks_member
    UNION
    SELECT up.member, m.grp FROM up JOIN databricks_member m ON m.member = up.grp
  )
  SELECT member, grp FROM up;
