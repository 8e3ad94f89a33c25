-- Two or more Okta users have the same email.
WITH shared AS (
  SELECT email_key AS email, sum(live) AS live,
         email_key IN (SELECT user_name_key FROM databricks_user) AS taken
  FROM okta_user
  WHERE email_key <> ''
  GROUP BY email_key HAVING count(*) >= 2
)
SELECT CASE WHEN s.live >= 2 AND taken THEN 'blocker' WHEN s.live >= 2 THEN 'error' ELSE 'warning' END AS severity,
       s.email AS key, 'okta:user:' || o.id AS subject
FROM shared s JOIN okta_user o ON o.email_key = s.email
