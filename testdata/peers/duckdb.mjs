// The six core rules in DuckDB, over the users of both directories as NDJSON:
//
//     node duckdb.mjs OKTA_USERS.ndjson DATABRICKS_USERS.ndjson
//
// It prints the findings of each rule, and the seconds from the first byte read
// to the last finding; starting Node and loading the library don't count. Names
// are folded as well as DuckDB can: trim, lower, NFC. The result of each rule is
// a table of severity, key and subject.
import { DuckDBInstance } from '@duckdb/node-api';

const [okta, databricks] = process.argv.slice(2).map((f) => f.replaceAll("'", "''"));
const instance = await DuckDBInstance.create(':memory:'); // as many threads as there are cores, DuckDB's default
const db = await instance.connect();
const started = performance.now();

const text = (...names) => names.map((n) => `${n}: 'VARCHAR'`).join(', ');
await db.run(`
  CREATE MACRO fold(t) AS nfc_normalize(lower(trim(t)));
  CREATE TABLE okta AS
    SELECT id, login, email, first_name, last_name, status <> 'DEPROVISIONED' AS live, fold(login) AS login_key, fold(email) AS email_key
    FROM read_json('${okta}', format = 'newline_delimited', columns = {${text('id', 'status', 'login', 'email', 'first_name', 'last_name')}});
  CREATE TABLE users AS
    SELECT id, user_name, external_id, given_name, family_name, fold(user_name) AS name_key
    FROM read_json('${databricks}', format = 'newline_delimited', columns = {${text('id', 'user_name', 'external_id', 'given_name', 'family_name')}});
  CREATE TABLE names AS
    SELECT id, live, login_key AS name FROM okta WHERE login_key <> ''
    UNION ALL SELECT id, live, email_key FROM okta WHERE email_key <> '' AND email_key <> login_key;
  CREATE TABLE candidate AS
    SELECT u.id AS u, n.id AS o, n.live FROM users u JOIN names n ON n.name = u.name_key;
  CREATE TABLE link AS
    SELECT u.id AS u, u.user_name, u.name_key, o.id AS o, o.login, o.email, o.login_key, o.email_key
    FROM users u JOIN okta o ON o.id = u.external_id WHERE o.live;
`);

const rules = {
  'shared-email': `
    WITH shared AS (SELECT email_key, sum(live::INT) AS live FROM okta WHERE email_key <> '' GROUP BY email_key HAVING count(*) >= 2)
    SELECT CASE WHEN s.live < 2 THEN 'warning' WHEN s.email_key IN (SELECT name_key FROM users) THEN 'blocker' ELSE 'error' END AS severity,
           s.email_key AS key, o.id AS subject
    FROM shared s JOIN okta o USING (email_key)`,
  'login-email-collision': `
    WITH collision AS (SELECT DISTINCT a.login_key AS name FROM okta a JOIN okta b ON b.email_key = a.login_key AND b.id <> a.id WHERE a.login_key <> ''),
         holders AS (SELECT name, n.id, n.live FROM collision JOIN names n USING (name)),
         gravity AS (SELECT name, sum(live::INT) AS live FROM holders GROUP BY name)
    SELECT CASE WHEN g.live < 2 THEN 'warning' WHEN name IN (SELECT name_key FROM users) THEN 'blocker' ELSE 'error' END AS severity,
           name AS key, id AS subject
    FROM holders JOIN gravity g USING (name)`,
  'missing-external-id': `
    SELECT CASE WHEN c.o IS NULL THEN 'warning' ELSE 'blocker' END AS severity, u.id AS key, c.o AS subject
    FROM users u LEFT JOIN candidate c ON c.u = u.id AND c.live WHERE u.external_id = ''`,
  'missing-name': `
    SELECT 'warning' AS severity, 'd' || id AS key, id AS subject FROM users WHERE trim(given_name) = '' OR trim(family_name) = ''
    UNION ALL SELECT 'warning', 'o' || id, id FROM okta WHERE live AND (trim(first_name) = '' OR trim(last_name) = '')`,
  'username-drift': `
    SELECT CASE WHEN l.name_key IN (l.login_key, l.email_key) THEN 'warning' ELSE 'blocker' END AS severity, l.u AS key, l.o AS subject
    FROM link l
    WHERE l.name_key NOT IN (l.login_key, l.email_key) AND l.u NOT IN (SELECT u FROM candidate WHERE live)
       OR l.name_key IN (l.login_key, l.email_key) AND l.user_name NOT IN (l.login, l.email)`,
  'ambiguous-username': `
    WITH ambiguous AS (SELECT u, count(*) FROM candidate WHERE live GROUP BY u HAVING count(*) >= 2)
    SELECT CASE WHEN u IN (SELECT l.u FROM link l JOIN candidate c ON c.u = l.u AND c.o = l.o) THEN 'error' ELSE 'blocker' END AS severity,
           u AS key, c.o AS subject
    FROM ambiguous JOIN candidate c USING (u)`,
};
const findings = {};
for (const [rule, query] of Object.entries(rules)) {
  await db.run(`CREATE TABLE found AS ${query}`);
  findings[rule] = Number((await db.runAndReadAll('SELECT count(DISTINCT key) FROM found')).getRows()[0][0]);
  await db.run('DROP TABLE found');
}
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, findings }));
