-- The email of one Okta user is the login of another. All holders are subjects.
WITH collision AS (
  SELECT DISTINCT a.login_key AS name
  FROM okta_user a JOIN okta_user b ON b.email_key = a.login_key AND b.id <> a.id
  WHERE a.login_key <> ''
), holders AS (
  SELECT c.name, o.id, o.live FROM collision c JOIN okta_name n ON n.name = c.name JOIN okta_user o ON o.id = n.okta
), gravity AS (
  SELECT name, CASE WHEN sum(live) < 2 THEN 'warning'
                    WHEN name IN (SELECT user_name_key FROM databricks_user) THEN 'blocker'
                    ELSE 'error' END AS severity
  FROM holders GROUP BY name
)
SELECT severity, name AS key, 'okta:user:' || id AS subject FROM holders JOIN gravity USING (name)
