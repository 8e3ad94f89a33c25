-- The members of a group that is linked, or would be without asking, are not its Okta group's.
WITH only AS ( -- the one candidate of a group whose name no other has
  SELECT g.id AS grp, min(c.okta) AS okta
  FROM account_group g JOIN group_candidate c ON c.grp = g.id
  WHERE NOT EXISTS (SELECT 1 FROM databricks_group other WHERE other.display_name_key = g.display_name_key AND other.id <> g.id)
  GROUP BY g.id HAVING count(*) = 1
), pair AS (
  SELECT g.id AS grp, l.okta FROM account_group g JOIN group_link l ON l.grp = g.id WHERE l.state = 'linked'
  UNION ALL
  SELECT o.grp, o.okta FROM only o JOIN group_link l ON l.grp = o.grp
  WHERE l.state <> 'linked' AND o.okta NOT IN (SELECT external_id FROM holder)
), here AS ( -- the members in Databricks, and who they are in Okta, if anybody
  SELECT p.grp, p.okta AS okta_group, c.okta AS person
  FROM pair p JOIN databricks_member m ON m.grp = p.grp LEFT JOIN counterpart c ON c.user = m.member
), gains AS (
  SELECT p.grp, o.id FROM pair p JOIN okta_member m ON m.grp = p.okta JOIN okta_user o ON o.id = m.user AND o.live
  EXCEPT
  SELECT grp, person FROM here
), loses AS (
  SELECT grp FROM here h
  WHERE person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM okta_member m WHERE m.grp = h.okta_group AND m.user = h.person)
), unknown AS (
  SELECT grp FROM here WHERE person IS NULL
), drift AS (
  SELECT grp, okta, CASE WHEN grp IN (SELECT grp FROM loses) THEN 'error' ELSE 'warning' END AS severity
  FROM pair WHERE grp IN (SELECT grp FROM gains UNION SELECT grp FROM loses UNION SELECT grp FROM unknown)
)
SELECT severity, 'databricks:group:' || grp AS key, 'databricks:group:' || grp AS subject FROM drift
UNION ALL
SELECT severity, 'databricks:group:' || grp, 'okta:group:' || okta FROM drift
