-- Two or more live Okta users have the name of a Databricks user: an error if it
-- is linked to one of them. Those who have left are subjects too.
WITH ambiguous AS (
  SELECT user, CASE WHEN EXISTS (SELECT 1 FROM link l JOIN candidate o ON o.okta = l.okta AND o.user = l.user AND o.live
                                 WHERE l.user = c.user) THEN 'error' ELSE 'blocker' END AS severity
  FROM candidate c WHERE live
  GROUP BY user HAVING count(*) >= 2
)
SELECT severity, 'databricks:user:' || user AS key, 'databricks:user:' || user AS subject FROM ambiguous
UNION ALL
SELECT severity, 'databricks:user:' || user, 'okta:user:' || okta FROM ambiguous JOIN candidate USING (user)
