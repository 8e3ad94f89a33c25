-- The id is one person's and the name another's, who is live. Conflicts that
-- share an Okta user are one.
WITH RECURSIVE conflict AS (
  SELECT l.user, l.okta AS owner, c.okta AS other
  FROM link l JOIN candidate c ON c.user = l.user AND c.live AND c.okta <> l.okta
  WHERE l.state = 'linked-inactive'
     OR l.state = 'linked' AND NOT EXISTS (SELECT 1 FROM candidate own WHERE own.user = l.user AND own.okta = l.okta)
), party (user, okta) AS (
  SELECT user, owner FROM conflict UNION SELECT user, other FROM conflict
), entangled (user, with_user) AS (
  SELECT user, user FROM conflict
  UNION
  SELECT e.user, b.user FROM entangled e JOIN party a ON a.user = e.with_user JOIN party b ON b.okta = a.okta
), cluster AS (
  SELECT user, min('databricks:user:' || with_user) AS key FROM entangled GROUP BY user
)
SELECT 'blocker' AS severity, key, 'databricks:user:' || user AS subject FROM cluster
UNION
SELECT 'blocker', key, 'okta:user:' || okta FROM cluster JOIN party USING (user)
