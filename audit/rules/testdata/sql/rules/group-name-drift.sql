-- A linked group has another name than its Okta group: an error if other Okta groups have it now.
WITH drift AS (
  SELECT g.id AS grp, o.id AS okta,
         CASE WHEN EXISTS (SELECT 1 FROM group_candidate c WHERE c.grp = g.id) THEN 'error' ELSE 'warning' END AS severity
  FROM account_group g JOIN okta_group o ON o.id = g.external_id
  WHERE o.name_key <> g.display_name_key
)
SELECT severity, 'databricks:group:' || grp AS key, 'databricks:group:' || grp AS subject FROM drift
UNION ALL
SELECT severity, 'databricks:group:' || grp, 'okta:group:' || okta FROM drift
UNION ALL
SELECT severity, 'databricks:group:' || grp, 'okta:group:' || c.okta FROM drift JOIN group_candidate c USING (grp)
