package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// audited runs the catalogue over a tenant of which everything was read but the
// inputs that are named.
func audited(t *testing.T, tenant []any, set audit.Settings, unread ...audit.Input) *audit.Report {
	t.Helper()
	b := build(t, tenant...)
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: !slices.Contains(unread, in), Reason: "the listing was cut"})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Run(s, rules.All(), audit.Options{Settings: set, Now: time.Unix(0, 0), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func explained(t *testing.T, r *audit.Report, subject string) *audit.Story {
	t.Helper()
	s, err := audit.ParseSubject(subject)
	if err != nil {
		t.Fatal(err)
	}
	story, err := r.Explain(s)
	if err != nil {
		t.Fatal(err)
	}
	return story
}

func okta(id, login, email string) audit.OktaUser {
	return audit.OktaUser{ID: id, Status: "ACTIVE", Login: login, Email: email, FirstName: "F" + id, LastName: "Reed"}
}

func user(id, userName, externalID string) audit.DatabricksUser {
	return audit.DatabricksUser{ID: id, UserName: userName, ExternalID: externalID, GivenName: "G" + id, FamilyName: "Reed", Active: true}
}

// plot is a story without records and rules: a line for each thing it says.
func plot(s *audit.Story) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if s.Link != nil {
		say("%s: %s", s.Link.State, s.Link.Why)
		for _, h := range s.Link.AlsoHeldBy {
			say("held by %s", h)
		}
	}
	for _, m := range s.Matches {
		tie := map[bool]string{true: "linked "}[m.Linked] + map[bool]string{true: "candidate "}[m.Candidate]
		say("%s%s: %s", tie, m.Subject, strings.Join(m.Because, "; "))
		if m.But != "" {
			say("but %s", m.But)
		}
	}
	if a := s.Automatic; a != nil {
		if len(a.Doubts) == 0 {
			say("automatic: %s", a.Okta)
		}
		for _, d := range a.Doubts {
			say("doubt: %s", d)
		}
		for _, c := range a.Collisions {
			say("collision: %s of %s", c.Finding[:len(c.Finding)-13], c.About)
		}
	}
	say("now %s, after %s", s.Now.Outcome, s.AfterPlan.Outcome)
	for _, op := range s.Operations {
		say("%s %s→%s %q", op.Field, op.From, op.To, op.Decision)
	}
	return lines
}

func TestExplain(t *testing.T) {
	left := okta("00u9", "gus@example.com", "gus@example.com")
	left.Status = audit.StatusDeprovisioned
	namesake := okta("00u8", "x.reed@example.org", "")
	namesake.FirstName = "G1"
	asleep := audit.OktaApp{ID: "0oa2", Label: "Jobs", Status: "INACTIVE", ClientID: "c1"}
	tests := []struct {
		name   string
		set    audit.Settings
		unread []audit.Input
		tenant []any
		about  string
		want   []string
	}{{
		name:   "linked",
		tenant: []any{okta("00u1", "ana@example.com", "a.reed@example.com"), user("1", "ana@example.com", "00u1")},
		about:  "databricks:user:1",
		want: []string{
			"linked: its externalId is, byte for byte, the id of an Okta user that is there",
			"linked candidate okta:user:00u1: id = externalId, byte for byte; login = userName, byte for byte",
			"now linked, after linked", `name.givenName G1→F00u1 ""`,
		},
	}, {
		name:   "one candidate, after folding",
		tenant: []any{okta("00u1", "ana@example.com", "Ana@example.com\u00a0"), user("1", "Ana@example.com", "")},
		about:  "databricks:user:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:user:00u1: login = userName, only after folding: letter case; email = userName, only after folding: white space",
			"automatic: okta:user:00u1",
			"now duplicate, after linked",
			`externalId →00u1 "approve"`,
		},
	}, {
		name: "two candidates, and one who has left",
		tenant: []any{okta("00u1", "a@example.com", "ana@example.com"), okta("00u2", "ana@example.com", "b@example.com"),
			func() audit.OktaUser { u := left; u.Email = "ana@example.com"; return u }(), user("1", "ana@example.com", "")},
		about: "databricks:user:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:user:00u1: email = userName, byte for byte",
			"candidate okta:user:00u2: login = userName, byte for byte",
			"candidate okta:user:00u9: email = userName, byte for byte",
			"but DEPROVISIONED: only live Okta users count as candidates",
			"doubt: two or more live Okta objects are candidates",
			"collision: ambiguous-username of databricks:user:1",
			"collision: login-email-collision of okta:user:00u1",
			"collision: shared-email of okta:user:00u1",
			"now ambiguous, after ambiguous",
		},
	}, {
		name:   "nobody, but some who are like it",
		tenant: []any{left, okta("00u2", "ana@example.org", "ana@example.org"), okta("00u3", "\u0430na@example.com", ""), namesake, user("1", "ana@example.com", "")},
		about:  "databricks:user:1",
		want: []string{
			"unlinked: its externalId is blank",
			"okta:user:00u2: ", "but the names differ, though they are alike: the same name in another domain: example.org",
			"okta:user:00u3: ", "but the names differ, though they are alike: the letters look the same",
			"okta:user:00u8: ", "but the names differ, though they are alike: the same first and last name",
			"doubt: no live Okta object is a candidate",
			"now unmanaged, after unmanaged",
		},
	}, {
		name:   "an id in other letters, opt-in",
		tenant: []any{okta("00ub", "bo@example.com", "bo@example.com"), user("1", "bo@example.com", "00UB")},
		about:  "databricks:user:1",
		want: []string{
			"stale: its externalId is the id of no Okta user, but that of okta:user:00ub in other letter case, and ids are compared byte for byte",
			"candidate okta:user:00ub: login = userName, byte for byte; email = userName, byte for byte",
			"automatic: okta:user:00ub",
			"now duplicate, after duplicate",
			`externalId 00UB→00ub ""`,
		},
	}, {
		name:   "a group's id on a user",
		tenant: []any{audit.OktaGroup{ID: "00g1", Name: "Data"}, user("1", "bo@example.com", "00g1"), audit.DatabricksGroup{ID: "2", DisplayName: "Data", ExternalID: "00g1"}},
		about:  "databricks:user:1",
		want: []string{
			"stale: its externalId is the id of no Okta user, but of okta:group:00g1, another kind of object",
			"held by databricks:group:2",
			"doubt: no live Okta object is a candidate",
			"collision: duplicate-external-id of databricks:user:1",
			"now deactivate, after deactivate",
		},
	}, {
		name:   "the id of one, the name of another",
		tenant: []any{okta("00u1", "ana@example.com", ""), okta("00u2", "bo@example.com", ""), user("1", "bo@example.com", "00u1")},
		about:  "databricks:user:1",
		want: []string{
			"linked: its externalId is, byte for byte, the id of an Okta user that is there",
			"linked okta:user:00u1: id = externalId, byte for byte",
			"but the names differ",
			"candidate okta:user:00u2: login = userName, byte for byte",
			"now wrong-person, after wrong-person",
		},
	}, {
		name:   "linked to who has left",
		tenant: []any{left, user("1", "gus@example.com", "00u9")},
		about:  "databricks:user:1",
		want: []string{
			"linked-inactive: its externalId is, byte for byte, the id of an Okta user who is DEPROVISIONED",
			"linked candidate okta:user:00u9: id = externalId, byte for byte; login = userName, byte for byte; email = userName, byte for byte",
			"but DEPROVISIONED: only live Okta users count as candidates",
			"doubt: no live Okta object is a candidate",
			"now deactivate, after deactivate",
		},
	}, {
		name: "the candidate's id is held, and another name is sent",
		set:  audit.Settings{SSOClaim: audit.ClaimEmail},
		tenant: []any{okta("00u1", "ana@example.com", "a.reed@example.com"), user("1", "ana@example.com", ""),
			audit.DatabricksGroup{ID: "2", DisplayName: "Odd", ExternalID: "00u1"}},
		about: "databricks:user:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:user:00u1: login = userName, byte for byte",
			"doubt: the candidate's id is held already by databricks:group:2",
			"doubt: another name of the candidate is sent at sign-in: a.reed@example.com",
			"now duplicate, after duplicate",
		},
	}, {
		name:   "Databricks is not known whole",
		unread: []audit.Input{audit.DatabricksGroups},
		tenant: []any{okta("00u1", "ana@example.com", ""), user("1", "ana@example.com", "")},
		about:  "databricks:user:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:user:00u1: login = userName, byte for byte",
			"doubt: Databricks was not read completely, so that it is not known which ids are held: databricks_groups are incomplete: the listing was cut",
			"now duplicate, after duplicate",
		},
	}, {
		name: "a group with a namesake",
		tenant: []any{audit.OktaGroup{ID: "00g1", Name: "Café"}, audit.OktaGroup{ID: "00g2", Name: "Саfé"},
			audit.DatabricksGroup{ID: "1", DisplayName: "cafe\u0301"}, audit.DatabricksGroup{ID: "2", DisplayName: "CAFÉ"}},
		about: "databricks:group:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:group:00g1: name = displayName, only after folding: normal form, letter case",
			"okta:group:00g2: ", "but the names differ, though they are alike: the letters look the same",
			"doubt: another Databricks group has its name",
			"now blocked, after blocked",
		},
	}, {
		name:   "a group of the system",
		tenant: []any{audit.OktaGroup{ID: "00g1", Name: "Admins"}, audit.DatabricksGroup{ID: "1", DisplayName: "admins"}},
		about:  "databricks:group:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:group:00g1: name = displayName, only after folding: letter case",
			"but groups of the system and of workspaces are never linked",
			"doubt: groups of the system and of workspaces are never linked",
			"now unmanaged, after unmanaged",
		},
	}, {
		name: "a service principal: client id before label, and an app that is off",
		tenant: []any{audit.OktaApp{ID: "0oa1", Label: "Other", Status: "ACTIVE", ClientID: "c1"}, asleep,
			audit.OktaApp{ID: "0oa3", Label: "jobs", Status: "ACTIVE", ClientID: "c3"},
			audit.DatabricksServicePrincipal{ID: "1", DisplayName: "Jobs", ApplicationID: "c1", Active: true}},
		about: "databricks:service_principal:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:app:0oa1: client id = applicationId, byte for byte",
			"okta:app:0oa2: client id = applicationId, byte for byte; label = displayName, byte for byte",
			"but it is INACTIVE: only ACTIVE apps are candidates",
			"okta:app:0oa3: label = displayName, only after folding: letter case",
			"but an app whose client id is the applicationId goes before labels",
			"automatic: okta:app:0oa1",
			"now , after ",
			`externalId →0oa1 "approve"`,
		},
	}, {
		name: "two service principals and one app",
		tenant: []any{audit.OktaApp{ID: "0oa1", Label: "Jobs", Status: "ACTIVE"},
			audit.DatabricksServicePrincipal{ID: "1", DisplayName: "Jobs"}, audit.DatabricksServicePrincipal{ID: "2", DisplayName: "jobs"}},
		about: "databricks:service_principal:1",
		want: []string{
			"unlinked: its externalId is blank",
			"candidate okta:app:0oa1: label = displayName, byte for byte",
			"doubt: another service principal could be the same app",
			"now , after ",
		},
	}, {
		name:   "a service principal without apps",
		unread: []audit.Input{audit.OktaApps},
		tenant: []any{audit.DatabricksServicePrincipal{ID: "1", DisplayName: "Jobs"}},
		about:  "databricks:service_principal:1",
		want:   []string{": not known: okta_apps are incomplete: the listing was cut", "now , after "},
	}, {
		name:   "an Okta user with a record of its own",
		tenant: []any{okta("00u1", "ana@example.com", ""), user("1", "ANA@example.com", "")},
		about:  "okta:user:00u1",
		want: []string{
			"candidate databricks:user:1: login = userName, only after folding: letter case",
			"now duplicate, after linked",
		},
	}, {
		name:   "an Okta user whom nobody knows",
		tenant: []any{okta("00u1", "ana@example.com", "")},
		about:  "okta:user:00u1",
		want:   []string{"now provision, after provision"},
	}, {
		name:   "an Okta user who has left unseen",
		tenant: []any{left},
		about:  "okta:user:00u9",
		want:   []string{"now , after "},
	}, {
		name:   "an Okta group with two records",
		tenant: []any{audit.OktaGroup{ID: "00g1", Name: "Data"}, audit.DatabricksGroup{ID: "1", DisplayName: "Old", ExternalID: "00g1"}, audit.DatabricksGroup{ID: "2", DisplayName: "Data"}},
		about:  "okta:group:00g1",
		want: []string{
			"linked databricks:group:1: id = externalId, byte for byte", "but the names differ",
			"candidate databricks:group:2: name = displayName, byte for byte",
			"now , after ",
		},
	}, {
		name:   "a workspace",
		tenant: []any{audit.DatabricksWorkspace{ID: "1", Name: "prod"}},
		about:  "databricks:workspace:1",
		want:   []string{"now , after "},
	}}
	for _, test := range tests {
		t.Run(strings.ReplaceAll(test.name, " ", "-"), func(t *testing.T) {
			story := explained(t, audited(t, test.tenant, test.set, test.unread...), test.about)
			if diff := cmp.Diff(test.want, plot(story)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestExplainRules(t *testing.T) {
	tenant := []any{okta("00u1", "ana@example.com", ""), user("1", "ana@example.com", ""), audit.DatabricksGroup{ID: "2", DisplayName: "admins"}}
	whole := audited(t, tenant, audit.Settings{})
	cut := audited(t, tenant, audit.Settings{}, audit.OktaUsers)
	for _, test := range []struct {
		report        *audit.Report
		subject, rule string
		silence       audit.Silence
		why           string
	}{
		{whole, "databricks:user:1", "missing-external-id", "", ""},
		{whole, "okta:user:00u1", "missing-external-id", "", ""},
		{whole, "databricks:user:1", "unknown-external-id", audit.NotFired, "its externalId is blank"},
		{whole, "databricks:group:2", "missing-external-id", audit.NotFired, "groups of the system and of workspaces are left out"},
		{whole, "databricks:user:1", "shared-email", audit.NotItsOwn, "it speaks of no databricks:user"},
		{cut, "databricks:user:1", "missing-external-id", audit.NotRun, "okta_users are incomplete: the listing was cut"},
		{cut, "databricks:user:1", "malformed-username", audit.NotFired, "its userName is an address without white space or anything invisible"},
		{cut, "databricks:group:2", "unknown-external-id", audit.NotFired, "its externalId is blank"},
		{cut, "okta:user:00u1", "missing-name", audit.NotRun, "okta_users are incomplete: the listing was cut"},
		{cut, "okta:user:00u1", "duplicate-group-name", audit.NotItsOwn, "it speaks of no okta:user"},
	} {
		story := explained(t, test.report, test.subject)
		i := slices.IndexFunc(story.Rules, func(r audit.RuleStory) bool { return r.Rule == test.rule })
		if got := story.Rules[i]; got.Silence != test.silence || got.Why != test.why || (len(got.Findings) == 0) != (test.why != "") {
			t.Errorf("%s, %s: %d findings, %q: %s", test.subject, test.rule, len(got.Findings), got.Silence, got.Why)
		}
	}
	f := explained(t, whole, "databricks:user:1").Rules[5].Findings[0]
	if len(f.Asks) != 1 || f.Asks[0].Target != f.Subjects[0] || f.Asks[0].Decision != audit.Approve {
		t.Errorf("the finding's operations are %+v", f.Asks)
	}
	if unread := explained(t, cut, "databricks:user:1").Unread; !slices.Equal(unread, []string{"okta_users: the listing was cut"}) {
		t.Errorf("unread: %q", unread)
	}
}

// Of every object of every example the story agrees with the rest of the report:
// each rule once, each finding about it and no other, the crosswalk's outcomes,
// and a link without doubt exactly where an operation says so.
func TestExplainAgrees(t *testing.T) {
	for _, rule := range rules.All() {
		for _, e := range rule.Examples {
			r := audited(t, e.Tenant, e.Settings)
			outcomes := map[audit.Subject]audit.CrosswalkRow{}
			for row := range r.Crosswalk() {
				outcomes[row.Subject] = row
			}
			for _, name := range r.Names() {
				subject, err := audit.ParseSubject(name)
				if err != nil {
					continue
				}
				story := explained(t, r, name)
				if len(story.Rules) != len(r.Rules) {
					t.Errorf("%s: %d rules", subject, len(story.Rules))
				}
				var told, want []string
				for _, rule := range story.Rules {
					for _, f := range rule.Findings {
						told = append(told, f.ID)
					}
					if (len(rule.Findings) == 0) != (rule.Why != "" && rule.Silence != "") {
						t.Errorf("%s, %s: %d findings and %s", subject, rule.Rule, len(rule.Findings), rule.Why)
					}
				}
				for _, f := range r.Findings.All() {
					if slices.Contains(f.Subjects, subject) {
						want = append(want, f.ID)
					}
				}
				slices.Sort(told)
				slices.Sort(want)
				if !slices.Equal(told, want) {
					t.Errorf("%s/%s: %s has %q, want %q", rule.Name, e.Name, subject, told, want)
				}
				if row, ok := outcomes[subject]; ok && (row.Now != story.Now.Outcome || row.AfterPlan != story.AfterPlan.Outcome) {
					t.Errorf("%s/%s: %s is %s and %s, want %s and %s", rule.Name, e.Name, subject, story.Now.Outcome, story.AfterPlan.Outcome, row.Now, row.AfterPlan)
				}
				sets := slices.ContainsFunc(story.Operations, func(op audit.Operation) bool { return op.Action == audit.SetExternalID })
				if may := story.Automatic != nil && len(story.Automatic.Doubts) == 0; may != sets {
					t.Errorf("%s/%s: %s may be linked: %v, is linked by the plan: %v", rule.Name, e.Name, subject, may, sets)
				}
			}
		}
	}
}

func TestFind(t *testing.T) {
	display := user("1", "a@example.com", "")
	display.DisplayName = "Ana Reed"
	r := audited(t, []any{okta("00u1", "A@example.com", "mail@example.com"), display, user("2", "", ""),
		audit.OktaGroup{ID: "00g1", Name: "Data"}, audit.DatabricksGroup{ID: "3", DisplayName: "data "},
		audit.OktaApp{ID: "0oa1", Label: "Jobs", ClientID: "c1"}, audit.DatabricksServicePrincipal{ID: "4", DisplayName: "jobs", ApplicationID: "C1"},
		audit.DatabricksWorkspace{ID: "5", Name: "Prod"}}, audit.Settings{})
	for name, want := range map[string]string{
		"a@example.com":    "databricks:user:1 okta:user:00u1",
		"MAIL@example.com": "okta:user:00u1",
		"ana reed":         "databricks:user:1",
		"DATA":             "databricks:group:3 okta:group:00g1",
		"jobs":             "databricks:service_principal:4 okta:app:0oa1",
		"c1":               "databricks:service_principal:4 okta:app:0oa1",
		"prod":             "databricks:workspace:5",
		"00u1":             "okta:user:00u1",
		"00U1":             "",
		"":                 "",
		" ":                "",
		"nobody":           "",
	} {
		var got []string
		for _, s := range r.Find(name) {
			got = append(got, s.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Find(%q) = %q, want %q", name, got, want)
		}
	}
	if names := r.Names(); !slices.IsSorted(names) || !slices.Contains(names, "data ") || !slices.Contains(names, "okta:app:0oa1") || slices.Contains(names, "") {
		t.Errorf("Names() = %q", names)
	}
}

// An Okta user has the fate of its record, and is told by what it is tied to it.
func TestExplainFateOfOkta(t *testing.T) {
	for externalID, want := range map[string]string{
		"":     "as databricks:user:1, which has its name: it is not linked, and one live Okta user has its name: AIM creates a second identity beside it",
		"00u1": "as databricks:user:1, which is linked to it: AIM manages it, as it should",
	} {
		r := audited(t, []any{okta("00u1", "ana@example.com", ""), user("1", "ana@example.com", externalID)}, audit.Settings{})
		if got := explained(t, r, "okta:user:00u1").Now.Why; got != want {
			t.Errorf("externalId %q: %s", externalID, got)
		}
	}
}

// Of what was not read completely nothing is said to be known, and of the rest all is.
func TestExplainUnread(t *testing.T) {
	tenant := []any{okta("00u1", "ana@example.com", ""), audit.OktaGroup{ID: "00g1", Name: "One"},
		user("1", "bo@example.com", "gone"), audit.DatabricksGroup{ID: "2", DisplayName: "Two", ExternalID: "gone"},
		okta("00u3", "cy@example.com", ""), user("3", "cy@example.com", "")}
	const (
		notKnown, created = "not known: a side was not read completely", "no Databricks object is linked to it or could be it: AIM creates it cleanly at first use"
		cut               = "incomplete: the listing was cut"
	)
	for _, test := range []struct {
		unread                    audit.Input
		oktaUser, oktaGroup       string // why each has its fate
		userLink, groupLink, link string // what is said beside what their ids are not, and of who may be linked
	}{
		{audit.OktaUsers, notKnown, created, "; but okta_users are " + cut, "", ""},
		{audit.OktaGroups, created, notKnown, "", "; but okta_groups are " + cut, ""},
		{audit.DatabricksUsers, notKnown, created, "", "", "databricks_users are " + cut},
		{audit.DatabricksGroups, created, notKnown, "", "", "databricks_groups are " + cut},
		{audit.DatabricksServicePrincipals, created, created, "", "", "databricks_service_principals are " + cut},
		{audit.OktaMembers, created, created, "", "", ""},
	} {
		r := audited(t, tenant, audit.Settings{}, test.unread)
		if got := explained(t, r, "okta:user:00u1").Now.Why; got != test.oktaUser {
			t.Errorf("without %s, an Okta user: %s", test.unread, got)
		}
		if got := explained(t, r, "okta:group:00g1").Now.Why; got != test.oktaGroup {
			t.Errorf("without %s, an Okta group: %s", test.unread, got)
		}
		if got := explained(t, r, "databricks:user:1").Link.Why; got != "its externalId is the id of no Okta user"+test.userLink {
			t.Errorf("without %s, a user: %s", test.unread, got)
		}
		if got := explained(t, r, "databricks:group:2").Link.Why; got != "its externalId is the id of no Okta group"+test.groupLink {
			t.Errorf("without %s, a group: %s", test.unread, got)
		}
		var doubts []string
		if test.link != "" {
			doubts = []string{"Databricks was not read completely, so that it is not known which ids are held: " + test.link}
		}
		if got := explained(t, r, "databricks:user:3").Automatic.Doubts; !slices.Equal(got, doubts) {
			t.Errorf("without %s it is doubted: %q, want %q", test.unread, got, doubts)
		}
	}
}

// A record is told in the vendor's words, what is seldom there only where it is.
func TestExplainFields(t *testing.T) {
	full := user("1", "ana@example.com", "x")
	full.Emails = audit.NewValues(audit.Value{Value: "a@example.com", Type: "work"}, audit.Value{Value: "b@example.com"})
	full.Roles, full.Groups, full.Created = audit.NewValues(audit.Value{Value: "account_admin"}), audit.NewValues(audit.Value{Value: "7", Type: "direct"}), "2024"
	r := audited(t, []any{full, user("2", "bo@example.com", ""), audit.OktaGroup{ID: "00g1", Name: "One", Type: "OKTA_GROUP", Updated: "2025"}}, audit.Settings{})
	for subject, want := range map[string][]audit.Field{
		"databricks:user:1": {{Name: "userName", Value: "ana@example.com"}, {Name: "externalId", Value: "x"}, {Name: "displayName"}, {Name: "name.givenName", Value: "G1"},
			{Name: "name.familyName", Value: "Reed"}, {Name: "active", Value: "true"}, {Name: "emails, work", Value: "a@example.com"}, {Name: "emails", Value: "b@example.com"},
			{Name: "roles", Value: "account_admin"}, {Name: "groups, direct", Value: "7"}, {Name: "meta.created", Value: "2024"}},
		"databricks:user:2": {{Name: "userName", Value: "bo@example.com"}, {Name: "externalId"}, {Name: "displayName"}, {Name: "name.givenName", Value: "G2"},
			{Name: "name.familyName", Value: "Reed"}, {Name: "active", Value: "true"}},
		"okta:group:00g1": {{Name: "type", Value: "OKTA_GROUP"}, {Name: "profile.name", Value: "One"}, {Name: "lastUpdated", Value: "2025"}},
	} {
		if diff := cmp.Diff(want, explained(t, r, subject).Fields); diff != "" {
			t.Errorf("%s (-want +got)\n%s", subject, diff)
		}
	}
}

// What AIM leaves alone is not said to be unknown.
func TestExplainFateOfWhatAIMLeavesAlone(t *testing.T) {
	r := audited(t, []any{audit.DatabricksServicePrincipal{ID: "1"}, audit.OktaApp{ID: "0oa1"}, audit.DatabricksWorkspace{ID: "2"}}, audit.Settings{})
	for subject, want := range map[string]string{
		"databricks:service_principal:1": "AIM leaves service principals alone",
		"okta:app:0oa1":                  "AIM leaves apps alone",
		"databricks:workspace:2":         "AIM manages identities, not workspaces",
	} {
		if story := explained(t, r, subject); story.Now != (audit.Fate{Why: want}) || story.AfterPlan != story.Now {
			t.Errorf("%s: %+v, and after the plan %+v, want %q", subject, story.Now, story.AfterPlan, want)
		}
	}
}

func TestExplainUnknown(t *testing.T) {
	r := audited(t, nil, audit.Settings{})
	if _, err := r.Explain(audit.Subject{Kind: audit.OktaUserKind, ID: "00u1"}); err == nil {
		t.Error("an object that isn't there has a story")
	}
	if _, err := new(audit.Report).Explain(audit.Subject{Kind: audit.OktaUserKind, ID: "00u1"}); err == nil {
		t.Error("a report without index tells a story")
	}
}
