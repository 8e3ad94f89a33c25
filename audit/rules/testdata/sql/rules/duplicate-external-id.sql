-- Two or more Databricks objects, of any kinds, have the same externalId.
SELECT 'blocker' AS severity, external_id AS key, subject FROM holder
WHERE external_id IN (SELECT external_id FROM holder GROUP BY external_id HAVING count(*) >= 2)
