-- The externalId is neither blank nor the id of an Okta object of its kind.
WITH stale AS (
  SELECT 'databricks:user:' || l.user AS d, 'okta:user:' || c.okta AS candidate
  FROM link l LEFT JOIN candidate c ON c.user = l.user AND c.live
  WHERE l.state = 'stale'
  UNION ALL
  SELECT 'databricks:group:' || g.id, 'okta:group:' || c.okta
  FROM account_group g JOIN group_link l ON l.grp = g.id LEFT JOIN group_candidate c ON c.grp = g.id
  WHERE l.state = 'stale'
  UNION ALL
  SELECT 'databricks:service_principal:' || l.principal, 'okta:app:' || c.okta
  FROM principal_link l LEFT JOIN principal_candidate c ON c.principal = l.principal
  WHERE l.state = 'stale'
), gravity AS (
  SELECT d, CASE WHEN count(candidate) > 0 THEN 'blocker'
                 WHEN d IN (SELECT subject FROM precious) THEN 'error'
                 ELSE 'warning' END AS severity
  FROM stale GROUP BY d
)
SELECT severity, d AS key, d AS subject FROM gravity
UNION ALL
SELECT severity, d, candidate FROM gravity JOIN stale USING (d) WHERE candidate IS NOT NULL
