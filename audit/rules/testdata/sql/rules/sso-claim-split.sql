-- Somebody has two names, and which of them arrives isn't settled.
WITH open AS (
  SELECT CASE
    WHEN unified_login = 'false' AND sso_claim <> 'unknown' AND workspace_sso_claim <> 'unknown'
         AND sso_claim <> workspace_sso_claim THEN 'blocker'
    WHEN sso_claim = 'unknown' OR unified_login = 'false' AND workspace_sso_claim = 'unknown' THEN 'warning'
    END AS severity
  FROM setting
), split AS (
  SELECT c.user, c.okta FROM counterpart c JOIN okta_name n ON n.okta = c.okta
  GROUP BY c.user, c.okta HAVING count(*) = 2
)
SELECT severity, 'databricks:user:' || user AS key, 'databricks:user:' || user AS subject
FROM split, open WHERE severity IS NOT NULL
UNION ALL
SELECT severity, 'databricks:user:' || user, 'okta:user:' || okta
FROM split, open WHERE severity IS NOT NULL
