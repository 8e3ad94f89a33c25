-- Somebody is active for whom only those stand who have left, or who is SUSPENDED.
WITH left_by AS (
  SELECT user, okta FROM link WHERE state = 'linked-inactive'
  UNION
  SELECT l.user, c.okta FROM link l JOIN candidate c ON c.user = l.user
  WHERE l.state IN ('unlinked', 'stale')
    AND NOT EXISTS (SELECT 1 FROM candidate alive WHERE alive.user = l.user AND alive.live)
  UNION
  SELECT c.user, c.okta FROM counterpart c JOIN okta_user o ON o.id = c.okta WHERE o.status = 'SUSPENDED'
), active AS (
  SELECT user, okta FROM left_by JOIN databricks_user d ON d.id = user WHERE active
)
SELECT DISTINCT 'error' AS severity, 'databricks:user:' || user AS key, 'databricks:user:' || user AS subject FROM active
UNION ALL
SELECT 'error', 'databricks:user:' || user, 'okta:user:' || okta FROM active
