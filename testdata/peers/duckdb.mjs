// The six core rules in DuckDB, over the users of both directories as NDJSON:
//
//     node duckdb.mjs OKTA_USERS.ndjson DATABRICKS_USERS.ndjson
//
// It prints the findings of each rule, how many suggestions of each score there are for
// users without an externalId, and the seconds from the first byte read to the last
// finding, and to the last suggestion; starting Node and loading the library don't
// count. Names are folded as well as DuckDB can: trim, lower, NFC; what looks alike is
// told by a few letters. The result of each rule is a table of severity, key and subject.
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
const seconds = () => (performance.now() - started) / 1000;
const untilFindings = seconds();

// Suggestions, as aimcheck makes them: a user that nothing ties to an Okta user is
// compared with the live ones that share a blocking key with it. A crowd's key is none.
const crowd = 12;
await db.run(`
  CREATE MACRO bare(local) AS CASE WHEN starts_with(local, '+') THEN local ELSE split_part(local, '+', 1) END;
  CREATE MACRO dotless(local) AS replace(bare(local), '.', '');
  CREATE MACRO looks(t) AS replace(translate(t, '01|аеорсухіјѕ', 'ollaeopcyxijs'), 'm', 'rn');
  CREATE MACRO head(length) AS greatest(length // 2, 2);
  CREATE MACRO near_keys(local) AS flatten(list_transform(
    list_filter([length(local) - 1, length(local), length(local) + 1], lambda n: n >= 3 AND head(n) <= length(local)),
    lambda n: ['h' || left(local, head(n)), 't' || right(local, n - head(n))])) || ['l' || looks(dotless(local))];
  CREATE MACRO full_name(given, family) AS CASE WHEN trim(given) <> '' AND trim(family) <> '' THEN 'n' || fold(given) || ' ' || fold(family) END;
  CREATE MACRO local_part(name) AS CASE WHEN contains(name, '@') THEN split_part(name, '@', 1) END;
  CREATE MACRO domain(name) AS substr(name, strpos(name, '@') + 1);
  CREATE TABLE nobody AS
    SELECT id, external_id = '' AS unlinked, name_key, local_part(name_key) AS local, full_name(given_name, family_name) AS full_name
    FROM users u
    WHERE (external_id = '' OR NOT EXISTS (FROM okta o WHERE o.id = u.external_id)) AND NOT EXISTS (FROM candidate c WHERE c.u = u.id);
  CREATE TABLE asked AS
    SELECT key, id AS u FROM (
      SELECT DISTINCT unnest(near_keys(local)) AS key, id FROM nobody WHERE local IS NOT NULL
      UNION ALL SELECT full_name, id FROM nobody WHERE full_name IS NOT NULL)
    QUALIFY count(*) OVER (PARTITION BY key) <= ${crowd};
  CREATE TABLE address AS
    SELECT id, local_part(login_key) AS local FROM okta WHERE live AND contains(login_key, '@')
    UNION ALL SELECT id, local_part(email_key) FROM okta WHERE live AND email_key <> login_key AND contains(email_key, '@');
  CREATE TABLE held AS
    SELECT key, id AS o FROM (
      SELECT DISTINCT key, id FROM (
        SELECT 'l' || looks(dotless(local)) AS key, id FROM address
        UNION ALL SELECT 'h' || left(local, head(length(local))), id FROM address WHERE length(local) >= 3
        UNION ALL SELECT 't' || right(local, length(local) - head(length(local))), id FROM address WHERE length(local) >= 3
        UNION ALL SELECT full_name(first_name, last_name), id FROM okta WHERE live)
      WHERE key IN (SELECT key FROM asked))
    QUALIFY count(*) OVER (PARTITION BY key) <= ${crowd};
  CREATE TABLE pair AS SELECT DISTINCT u, o FROM asked JOIN held USING (key);
  CREATE MACRO score(a, a_domain, b, b_domain) AS CASE
    WHEN a IS NULL OR a = '' OR b IS NULL THEN 0 WHEN a = b THEN 0.7 WHEN a_domain <> b_domain THEN 0
    WHEN bare(a) = bare(b) THEN 0.9 WHEN dotless(a) = dotless(b) THEN 0.8 WHEN looks(a) = looks(b) THEN 0.7
    WHEN abs(length(a) - length(b)) <= 1 AND levenshtein(a, b) = 1 THEN 0.6 ELSE 0 END;
  CREATE TABLE suggestion AS
    SELECT u, o, score FROM (
      SELECT d.id AS u, o.id AS o, greatest(
        score(d.local, domain(d.name_key), local_part(o.login_key), domain(o.login_key)), score(d.local, domain(d.name_key), local_part(o.email_key), domain(o.email_key)),
        CASE WHEN d.full_name = full_name(o.first_name, o.last_name) THEN 0.5 ELSE 0 END) AS score
      FROM pair p JOIN nobody d ON d.id = p.u JOIN okta o ON o.id = p.o WHERE d.unlinked)
    WHERE score > 0
    QUALIFY row_number() OVER (PARTITION BY u ORDER BY score DESC, o) <= 5;
`);
const suggestions = Object.fromEntries((await db.runAndReadAll('SELECT score::DECIMAL(2, 1)::VARCHAR, count(*)::INT FROM suggestion GROUP BY 1 ORDER BY 1')).getRows());
console.log(JSON.stringify({ seconds: untilFindings, secondsWithSuggestions: seconds(), findings, suggestions }));
