-- Two or more Databricks users have the same userName.
SELECT 'error' AS severity, user_name_key AS key, 'databricks:user:' || id AS subject FROM databricks_user
WHERE user_name_key IN (
  SELECT user_name_key FROM databricks_user WHERE user_name_key <> '' GROUP BY user_name_key HAVING count(*) >= 2)
