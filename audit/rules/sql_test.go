package rules_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	_ "modernc.org/sqlite"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// The catalogue a third time: rules that speak of sets are a query each in
// testdata/sql/rules, over the tables of schema.sql and the words of words.sql.

// A catalogue is those files, ready in a database of its own. To prepare them
// costs more than to run them.
type catalogue struct {
	db    *sql.DB
	empty []*sql.Stmt          // one for each table
	words []*sql.Stmt          // in the order of the file
	rules map[string]*sql.Stmt // each a query for severity, key and subject
}

func readCatalogue(t *testing.T) catalogue {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	read := func(path ...string) string {
		text, err := os.ReadFile(filepath.Join(append([]string{"testdata", "sql"}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	prepare := func(query string) *sql.Stmt {
		stmt, err := db.Prepare(strings.TrimSpace(query))
		if err != nil {
			t.Fatalf("%v in %s", err, query)
		}
		return stmt
	}

	if _, err := db.Exec(read("schema.sql")); err != nil {
		t.Fatal(err)
	}
	c := catalogue{db: db, rules: map[string]*sql.Stmt{}}
	for _, create := range strings.Split(read("schema.sql"), "CREATE TABLE ")[1:] {
		c.empty = append(c.empty, prepare("DELETE FROM "+strings.Fields(create)[0]))
	}
	for insert := range strings.SplitSeq(strings.TrimSpace(read("words.sql")), ";\n") {
		c.words = append(c.words, prepare(insert))
	}
	queries, err := os.ReadDir(filepath.Join("testdata", "sql", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		c.rules[strings.TrimSuffix(q.Name(), ".sql")] = prepare(read("rules", q.Name()))
	}
	return c
}

// findings is what the queries find in the world, as far as they say it.
func (c catalogue) findings(t testing.TB, w world, s audit.Settings) []oracleFinding {
	t.Helper()
	if err := c.load(w, s); err != nil {
		t.Fatal(err)
	}
	var all []oracleFinding
	for rule, query := range c.rules {
		found, err := cluster(rule, query)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, compareOracleFindings)
	return all
}

// load fills the tables with the world alone.
func (c catalogue) load(w world, s audit.Settings) error {
	for _, empty := range c.empty {
		if _, err := empty.Exec(); err != nil {
			return err
		}
	}
	for table, rows := range w.tables(s) {
		insert, err := c.db.Prepare("INSERT INTO " + table + " VALUES (?" + strings.Repeat(", ?", len(rows[0])-1) + ")")
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, row := range rows {
			if _, err := insert.Exec(row...); err != nil {
				return err
			}
		}
	}
	for _, word := range c.words {
		if _, err := word.Exec(); err != nil {
			return err
		}
	}
	return nil
}

// cluster runs a rule's query and makes a finding of the rows of each key.
func cluster(rule string, query *sql.Stmt) ([]oracleFinding, error) {
	rows, err := query.Query()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	byKey := map[string]oracleFinding{}
	for rows.Next() {
		var severity, key, subject string
		if err := rows.Scan(&severity, &key, &subject); err != nil {
			return nil, err
		}
		f, known := byKey[key]
		if known && f.severity != severity {
			return nil, fmt.Errorf("%s is %s and %s", key, f.severity, severity)
		}
		byKey[key] = oracleFinding{rule: rule, severity: severity, key: key, subjects: append(f.subjects, subject)}
	}
	var found []oracleFinding
	for _, f := range byKey {
		slices.Sort(f.subjects)
		found = append(found, f)
	}
	return found, rows.Err()
}

// tables is the world as rows of the tables of schema.sql.
func (w world) tables(s audit.Settings) map[string][][]any {
	tables := map[string][][]any{}
	add := func(table string, row ...any) { tables[table] = append(tables[table], row) }
	for _, o := range w.oktaUsers {
		add("okta_user", o.ID, o.Status, o.Login, oracleFold(o.Login), o.Email, oracleFold(o.Email),
			o.FirstName, oracleFold(o.FirstName), o.LastName, oracleFold(o.LastName))
	}
	for _, g := range w.oktaGroups {
		add("okta_group", g.ID, g.Name, oracleFold(g.Name))
	}
	for group, users := range w.oktaMembers {
		for _, user := range users {
			add("okta_member", group, user)
		}
	}
	for _, a := range w.apps {
		add("okta_app", a.ID, a.Label, oracleFold(a.Label), a.Status, a.ClientID)
	}
	for _, u := range w.appUsers {
		add("okta_app_user", u.App, u.User, u.UserName, oracleFold(u.UserName))
	}
	grants := func(holder, field string, held audit.Values) {
		for v := range held.All() {
			add("databricks_grant", holder, field, v.Value, isDirect(v))
		}
	}
	for _, d := range w.users {
		add("databricks_user", d.ID, d.UserName, oracleFold(d.UserName), d.ExternalID,
			d.GivenName, oracleFold(d.GivenName), d.FamilyName, oracleFold(d.FamilyName), d.Active)
		grants(dbUser(d), "roles", d.Roles)
		grants(dbUser(d), "entitlements", d.Entitlements)
	}
	for _, g := range w.groups {
		add("databricks_group", g.ID, g.DisplayName, oracleFold(g.DisplayName), g.ExternalID, isLocal(g))
		grants(dbGroup(g), "roles", g.Roles)
		grants(dbGroup(g), "entitlements", g.Entitlements)
	}
	for _, p := range w.principals {
		add("databricks_principal", p.ID, p.ApplicationID, oracleFold(p.ApplicationID), p.DisplayName, oracleFold(p.DisplayName), p.ExternalID)
		grants(dbSP(p), "roles", p.Roles)
		grants(dbSP(p), "entitlements", p.Entitlements)
	}
	for group, members := range w.members {
		for _, member := range members {
			add("databricks_member", group, member)
		}
	}
	for _, ws := range w.workspaces {
		add("databricks_workspace", ws.ID, ws.Federation)
	}
	add("setting", string(s.SSOClaim), string(s.WorkspaceSSOClaim), string(s.UnifiedLogin), s.OktaApp,
		oracleFold(s.SCIMTokenOwner), oracleFold(w.caller), w.appsRead, w.detailsRead)
	return tables
}

// said is what the engine says of the rules that have a query, as far as the queries say it.
func (c catalogue) said(t testing.TB, w world, s audit.Settings) []oracleFinding {
	said := those(engine(t, w, s).findings, func(f oracleFinding) bool { return c.rules[f.rule] != nil })
	return collect(said, func(f oracleFinding) oracleFinding { f.remedy = ""; return f })
}

func diffFindings(want, got []oracleFinding) string {
	return gocmp.Diff(want, got, gocmp.AllowUnexported(oracleFinding{}), cmpopts.EquateEmpty())
}

// TestEngineAgainstSQL holds the engine to the queries on random tenants.
func TestEngineAgainstSQL(t *testing.T) {
	c := readCatalogue(t)
	rapid.Check(t, func(rt *rapid.T) {
		w, s := drawWorld(rt)
		if diff := diffFindings(c.findings(t, w, s), c.said(t, w, s)); diff != "" {
			rt.Fatalf("%s\n(-SQL +engine)\n%s", w.describe(s), diff)
		}
	})
}

// A company has whole departments and names of many scripts. In the soak it is
// one for which the oracle would be too slow.
func TestEngineAgainstSQLOnACompany(t *testing.T) {
	people := 300
	if os.Getenv("AIMCHECK_SOAK") != "" {
		people = 5000
	}
	c, w := readCatalogue(t), companyWorld(t, people)
	w.caller = sandbox.TokenOwner
	for _, s := range []audit.Settings{
		{SSOClaim: "unknown", WorkspaceSSOClaim: "unknown", UnifiedLogin: "unknown"},
		{SSOClaim: "login", WorkspaceSSOClaim: "email", UnifiedLogin: "false"},
	} {
		found := c.findings(t, w, s)
		if diff := diffFindings(found, c.said(t, w, s)); diff != "" {
			t.Errorf("SSO claim %s: (-SQL +engine)\n%s", s.SSOClaim, diff)
		}
		for rule := range c.rules {
			if !slices.ContainsFunc(found, func(f oracleFinding) bool { return f.rule == rule }) {
				t.Errorf("SSO claim %s: the company has nothing for %s", s.SSOClaim, rule)
			}
		}
	}
}

// companyWorld is the sandbox's invented company of so many people, with everything read.
func companyWorld(t *testing.T, people int) world {
	t.Helper()
	tenant := sandbox.Generate(3, people)
	raw, err := json.Marshal(tenant)
	if err != nil {
		t.Fatal(err)
	}
	var e oracleExample // a worked tenant is written as the sandbox's are
	if err := json.Unmarshal(raw, &e.Tenant); err != nil {
		t.Fatal(err)
	}
	e.Settings.Members, e.Settings.Apps, e.Settings.WorkspaceDetails = true, true, true
	w, _ := e.world()
	for workspace, groups := range tenant.Databricks.WorkspaceGroups {
		for _, group := range groups {
			var g struct{ ID, DisplayName string }
			if err := json.Unmarshal(group, &g); err != nil {
				t.Fatal(err)
			}
			w.groups = append(w.groups, audit.DatabricksGroup{ID: g.ID, DisplayName: g.DisplayName, Workspace: workspace})
		}
	}
	return w
}
