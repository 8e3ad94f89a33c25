-- An Okta group has the name of a group that Databricks makes itself.
SELECT 'warning' AS severity, 'okta:group:' || id AS key, 'okta:group:' || id AS subject
FROM okta_group WHERE name_key IN ('admins', 'users', 'account users')
