-- Two or more groups of the account have the same name.
SELECT 'error' AS severity, display_name_key AS key, 'databricks:group:' || id AS subject FROM account_group
WHERE display_name_key IN (
  SELECT display_name_key FROM account_group WHERE display_name_key <> '' GROUP BY display_name_key HAVING count(*) >= 2)
