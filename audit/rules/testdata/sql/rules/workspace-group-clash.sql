-- A workspace's own group has the name of a group of the account, or of Okta.
WITH clash AS (
  SELECT g.id AS grp, 'databricks:group:' || other.id AS other
  FROM databricks_group g JOIN databricks_group other ON other.display_name_key = g.display_name_key
  WHERE g.workspace_local AND NOT other.workspace_local AND g.display_name_key <> ''
  UNION ALL
  SELECT g.id, 'okta:group:' || c.okta
  FROM databricks_group g JOIN group_candidate c ON c.grp = g.id
  WHERE g.workspace_local
)
SELECT 'warning' AS severity, 'databricks:group:' || grp AS key, 'databricks:group:' || grp AS subject
FROM clash, setting WHERE details_read
UNION
SELECT 'warning', 'databricks:group:' || grp, other FROM clash, setting WHERE details_read
