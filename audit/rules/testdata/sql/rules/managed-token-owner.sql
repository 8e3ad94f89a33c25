-- Whose token runs provisioning, the caller's if nobody was named, is provisioned too.
WITH owner AS (
  SELECT CASE token_owner_key WHEN '' THEN caller_key ELSE token_owner_key END AS name FROM setting
), managed AS (
  SELECT c.user, c.okta FROM owner JOIN databricks_user d ON d.user_name_key = owner.name JOIN counterpart c ON c.user = d.id
  WHERE owner.name <> ''
)
SELECT 'error' AS severity, 'databricks:user:' || user AS key, 'databricks:user:' || user AS subject FROM managed
UNION ALL
SELECT 'error', 'databricks:user:' || user, 'okta:user:' || okta FROM managed
