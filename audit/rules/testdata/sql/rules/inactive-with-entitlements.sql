-- Somebody is inactive, and roles or entitlements are left.
SELECT 'warning' AS severity, 'databricks:user:' || id AS key, 'databricks:user:' || id AS subject
FROM databricks_user WHERE NOT active AND 'databricks:user:' || id IN (SELECT holder FROM databricks_grant)
