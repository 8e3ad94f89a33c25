-- Two or more Okta groups have the name of a group that isn't linked.
WITH ambiguous AS (
  SELECT g.id AS grp FROM account_group g JOIN group_link l ON l.grp = g.id JOIN group_candidate c ON c.grp = g.id
  WHERE l.state <> 'linked'
  GROUP BY g.id HAVING count(*) >= 2
)
SELECT 'blocker' AS severity, 'databricks:group:' || grp AS key, 'databricks:group:' || grp AS subject FROM ambiguous
UNION ALL
SELECT 'blocker', 'databricks:group:' || grp, 'okta:group:' || okta FROM ambiguous JOIN group_candidate USING (grp)
