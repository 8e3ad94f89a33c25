-- A first or last name that both sides of a link have differs.
WITH mismatch AS (
  SELECT d.id AS user, o.id AS okta
  FROM databricks_user d JOIN link l ON l.user = d.id JOIN okta_user o ON o.id = l.okta
  WHERE l.state = 'linked'
    AND (given_name_key <> '' AND first_name_key <> '' AND given_name_key <> first_name_key
      OR family_name_key <> '' AND last_name_key <> '' AND family_name_key <> last_name_key)
)
SELECT 'info' AS severity, 'databricks:user:' || user AS key, 'databricks:user:' || user AS subject FROM mismatch
UNION ALL
SELECT 'info', 'databricks:user:' || user, 'okta:user:' || okta FROM mismatch
