-- A first or last name is blank: of Databricks users, and of live Okta users.
SELECT 'warning' AS severity, 'databricks:user:' || id AS key, 'databricks:user:' || id AS subject
FROM databricks_user WHERE given_name_key = '' OR family_name_key = ''
UNION ALL
SELECT 'warning', 'okta:user:' || id, 'okta:user:' || id
FROM okta_user WHERE live AND (first_name_key = '' OR last_name_key = '')
