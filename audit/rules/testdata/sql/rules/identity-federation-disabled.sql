-- A workspace has no identity federation; those that say nothing are one finding.
SELECT 'warning' AS severity, 'databricks:workspace:' || id AS key, 'databricks:workspace:' || id AS subject
FROM databricks_workspace WHERE federation = 'false'
UNION ALL
SELECT 'info', (SELECT min('databricks:workspace:' || id) FROM databricks_workspace WHERE federation = ''),
       'databricks:workspace:' || id
FROM databricks_workspace WHERE federation = ''
