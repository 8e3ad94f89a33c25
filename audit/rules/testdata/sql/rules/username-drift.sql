-- A linked user's name is none of its Okta user's and nobody's (renamed), is the
-- one that SSO doesn't send (claim), or is written otherwise (case).
WITH linked AS (
  SELECT d.id AS user, d.user_name, d.user_name_key, o.id AS okta, o.login, o.login_key, o.email, o.email_key,
         d.user_name_key <> '' AND d.user_name_key IN (o.login_key, o.email_key) AS own,
         claimed.okta IS NOT NULL AS known, claimed.name AS claim, claimed.name_key AS claim_key
  FROM databricks_user d JOIN link l ON l.user = d.id JOIN okta_user o ON o.id = l.okta
       LEFT JOIN claimed ON claimed.okta = o.id
  WHERE l.state = 'linked'
), drift AS (
  SELECT user, okta, CASE
    WHEN NOT own AND NOT EXISTS (SELECT 1 FROM candidate c WHERE c.user = linked.user AND c.live) THEN 'renamed'
    WHEN known AND own AND user_name_key <> claim_key THEN 'claim'
    WHEN known AND user_name_key <> '' AND user_name_key = claim_key AND user_name <> claim THEN 'case'
    WHEN NOT known AND own AND user_name NOT IN (login, email) THEN 'case'
    END AS reason
  FROM linked
)
SELECT CASE reason WHEN 'case' THEN 'warning' ELSE 'blocker' END AS severity,
       'databricks:user:' || user AS key, 'databricks:user:' || user AS subject
FROM drift WHERE reason IS NOT NULL
UNION ALL
SELECT CASE reason WHEN 'case' THEN 'warning' ELSE 'blocker' END,
       'databricks:user:' || user, 'okta:user:' || okta
FROM drift WHERE reason IS NOT NULL
