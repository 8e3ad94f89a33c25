-- The externalId is blank: of any user, and of groups and service principals that Okta could mean.
WITH unlinked AS (
  SELECT 'databricks:user:' || l.user AS d, 'okta:user:' || c.okta AS candidate
  FROM link l LEFT JOIN candidate c ON c.user = l.user AND c.live
  WHERE l.state = 'unlinked'
  UNION ALL
  SELECT 'databricks:group:' || g.id, 'okta:group:' || c.okta
  FROM account_group g JOIN group_link l ON l.grp = g.id JOIN group_candidate c ON c.grp = g.id
  WHERE l.state = 'unlinked'
  UNION ALL
  SELECT 'databricks:service_principal:' || l.principal, 'okta:app:' || c.okta
  FROM principal_link l JOIN principal_candidate c ON c.principal = l.principal
  WHERE l.state = 'unlinked'
)
SELECT CASE WHEN candidate IS NULL THEN 'warning' ELSE 'blocker' END AS severity, d AS key, d AS subject FROM unlinked
UNION
SELECT 'blocker', d, candidate FROM unlinked WHERE candidate IS NOT NULL
