-- Something is held directly, and given by a group that the user is in, directly or not.
WITH twice AS (
  SELECT d.id AS user, w.grp
  FROM databricks_user d
       JOIN databricks_grant own ON own.holder = 'databricks:user:' || d.id AND own.direct
       JOIN within w ON w.member = d.id
       JOIN databricks_grant given ON given.holder = 'databricks:group:' || w.grp
                                  AND given.field = own.field AND given.value = own.value
)
SELECT 'info' AS severity, 'databricks:user:' || user AS key, 'databricks:user:' || user AS subject FROM twice
UNION
SELECT 'info', 'databricks:user:' || user, 'databricks:group:' || grp FROM twice
