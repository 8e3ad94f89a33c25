-- A live Okta user is reached by two or more Databricks users, by id or by name,
-- who do not all hold one and the same id.
WITH reached AS (
  SELECT okta, user FROM candidate WHERE live
  UNION
  SELECT okta, user FROM link WHERE state = 'linked'
), split AS (
  SELECT okta FROM reached JOIN databricks_user d ON d.id = user
  GROUP BY okta HAVING count(*) >= 2 AND (count(DISTINCT external_id) >= 2 OR min(external_id) = '')
)
SELECT 'blocker' AS severity, 'okta:user:' || okta AS key, 'okta:user:' || okta AS subject FROM split
UNION ALL
SELECT 'blocker', 'okta:user:' || okta, 'databricks:user:' || user FROM split JOIN reached USING (okta)
