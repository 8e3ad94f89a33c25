package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// crowd is a tenant with a row of every kind in its crosswalk.
func crowd() []any {
	person := func(id, login, email string) audit.OktaUser {
		return audit.OktaUser{ID: id, Status: "ACTIVE", Login: login, Email: email, FirstName: "Sam", LastName: "Reed"}
	}
	user := func(id, userName, externalID string) audit.DatabricksUser {
		return audit.DatabricksUser{ID: id, UserName: userName, ExternalID: externalID, GivenName: "Sam", FamilyName: "Reed", Active: true}
	}
	return []any{
		person("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1"),
		person("00u2", "bo@example.com", "b@example.com"), user("2", "bo@example.com", ""),
		person("00u3", "c.reed@example.com", "cy@example.com"), user("3", "cy@example.com", ""),
		person("00u4", "dee.cole@example.com", "dee.cole@example.com"), user("4", "dee.kole@example.com", ""),
		audit.OktaGroup{ID: "00g1", Type: "OKTA_GROUP", Name: "One"}, audit.DatabricksGroup{ID: "5", DisplayName: "one", ResourceType: "Group"},
		audit.OktaGroup{ID: "00g2", Type: "OKTA_GROUP", Name: "Two"},
		audit.OktaApp{ID: "0oa1", Label: "Jobs", Status: "ACTIVE", ClientID: "c1"}, audit.DatabricksServicePrincipal{ID: "6", DisplayName: "x", ApplicationID: "c1"},
		audit.OktaApp{ID: "0oa2", Label: "Loader", Status: "ACTIVE", ClientID: "c2"}, audit.DatabricksServicePrincipal{ID: "7", DisplayName: "loader", ApplicationID: "y"},
		audit.OktaGroupMembers{Group: "00g1", Members: audit.NewValues(audit.Value{Value: "00u1"})},
		audit.DatabricksGroupMembers{Group: "5", Members: audit.NewValues(audit.Value{Value: "1"}, audit.Value{Value: "99"})},
	}
}

func report(t *testing.T, s *audit.Snapshot) *audit.Report {
	t.Helper()
	r, err := audit.Run(s, rules.All(), audit.Options{Now: time.Unix(0, 0), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unpacked returns the report's findings.
func unpacked(r *audit.Report) []audit.Finding {
	var list []audit.Finding
	for i := range r.Findings.Len() {
		list = append(list, r.Findings.At(i))
	}
	return list
}

func TestCrosswalk(t *testing.T) {
	var got []string
	r := report(t, complete(t, crowd()))
	for row := range r.Crosswalk() {
		got = append(got, strings.Join([]string{row.Subject.String(), row.Name, row.ExternalID, string(row.LinkState), row.Okta.String(),
			row.OktaLogin, row.OktaEmail, row.OktaStatus, row.MatchedBy, string(row.Now), string(row.AfterPlan)}, ","))
	}
	want := []string{
		"databricks:group:5,one,,unlinked,okta:group:00g1,One,,,name,blocked,linked",
		"databricks:service_principal:6,x,,unlinked,okta:app:0oa1,Jobs,,ACTIVE,client_id,,",
		"databricks:service_principal:7,loader,,unlinked,okta:app:0oa2,Loader,,ACTIVE,name,,",
		"databricks:user:1,ana@example.com,00u1,linked,okta:user:00u1,ana@example.com,ana@example.com,ACTIVE,id,linked,linked",
		"databricks:user:2,bo@example.com,,unlinked,okta:user:00u2,bo@example.com,b@example.com,ACTIVE,login,duplicate,linked",
		"databricks:user:3,cy@example.com,,unlinked,okta:user:00u3,c.reed@example.com,cy@example.com,ACTIVE,email,duplicate,linked",
		"databricks:user:4,dee.kole@example.com,,unlinked,,,,,,unmanaged,unmanaged",
		"okta:group:00g2,Two,,,okta:group:00g2,Two,,,,provision,provision",
		"okta:user:00u4,dee.cole@example.com,,,okta:user:00u4,dee.cole@example.com,dee.cole@example.com,ACTIVE,,provision,provision",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	impact := audit.Impact{
		Users:  map[audit.Outcome]int{audit.Linked: 1, audit.Duplicate: 2, audit.Unmanaged: 1, audit.Provision: 1},
		Groups: map[audit.Outcome]int{audit.Blocked: 1, audit.Provision: 1},
	}
	if diff := gocmp.Diff(impact, r.Now); diff != "" {
		t.Errorf("impact (-want +got)\n%s", diff)
	}
	if r.After.Users[audit.Linked] != 3 || r.After.Groups[audit.Linked] != 1 || r.After.Groups[audit.Blocked] != 0 {
		t.Errorf("after the plan %+v", r.After)
	}
}

// Where a side was not read whole, nothing is said of what would happen.
func TestNoOutcomeOfWhatWasNotRead(t *testing.T) {
	for _, tt := range []struct {
		missing       audit.Input
		users, groups bool
	}{
		{audit.OktaUsers, false, true}, {audit.DatabricksUsers, false, true},
		{audit.OktaGroups, true, false}, {audit.DatabricksGroups, true, false},
	} {
		r := report(t, without(t, tt.missing, crowd()))
		if users, groups := len(r.Now.Users) > 0, len(r.Now.Groups) > 0; users != tt.users || groups != tt.groups {
			t.Errorf("without %s: impact %+v", tt.missing, r.Now)
		}
		for row := range r.Crosswalk() {
			user := row.Subject.Kind == audit.DatabricksUserKind || row.Subject.Kind == audit.OktaUserKind
			if row.Now != "" && (user && !tt.users || !user && !tt.groups) {
				t.Errorf("without %s: %s is said to be %s", tt.missing, row.Subject, row.Now)
			}
		}
		if r.Verdict != audit.Incomplete {
			t.Errorf("without %s the verdict is %s", tt.missing, r.Verdict)
		}
		if tt.missing == audit.DatabricksGroups && slices.ContainsFunc(r.Plan.Operations, func(op audit.Operation) bool { return op.Decision == audit.Approve }) {
			t.Error("an operation is approved though it is not known who holds which id")
		}
	}
}

// Evidence tells of an object of each kind what it is called, and where that stands.
func TestNamesInEvidence(t *testing.T) {
	told := map[string]string{}
	for _, f := range unpacked(report(t, complete(t, crowd()))) {
		for _, e := range f.Evidence {
			if f.Rule == "missing-external-id" && !slices.Contains([]string{"externalId of", "suggestion", "reach of"}, e.Role) {
				told[e.Subject.String()] += e.Role + " " + e.Field + " " + e.Value + "; "
			}
		}
	}
	for subject, want := range map[string]string{
		"okta:user:00u2":                 "login of profile.login bo@example.com; email of profile.email b@example.com; status of status ACTIVE; ",
		"okta:group:00g1":                "name of profile.name One; type of type OKTA_GROUP; ",
		"okta:app:0oa1":                  "name of label Jobs; client id of credentials.oauthClient.client_id c1; ",
		"databricks:user:2":              "userName of userName bo@example.com; ",
		"databricks:group:5":             "name of displayName one; ",
		"databricks:service_principal:6": "name of displayName x; ",
	} {
		if told[subject] != want {
			t.Errorf("of %s it is told %q, want %q", subject, told[subject], want)
		}
	}
}

// An externalId that Okta doesn't know is told apart from others by what it looks like.
func TestExternalIDLooksLike(t *testing.T) {
	want := map[string]string{
		"00UsaM":                               "the id of Okta user 00uSam in other letter case",
		"00gOps":                               "the id of an Okta group",
		"00gops":                               "the id of Okta group 00gOps in other letter case",
		"0oaJobs":                              "the id of an Okta app",
		"00uGone":                              "the id of an Okta user that is not there",
		"00gGone":                              "the id of an Okta group that is not there",
		"0aB1c2d3-0000-1111-2222-333344445555": "an Entra id",
		"0a1b2c3d000011112222333344445555":     "something else",
		"x00u":                                 "something else",
	}
	tenant := []any{audit.OktaUser{ID: "00uSam", Login: "sam@example.com"}, audit.OktaGroup{ID: "00gOps", Name: "Ops"}, audit.OktaApp{ID: "0oaJobs", Label: "Jobs"}}
	ids := slices.Sorted(maps.Keys(want))
	for i, id := range ids {
		tenant = append(tenant, audit.DatabricksUser{ID: strconv.Itoa(i), UserName: fmt.Sprintf("nobody%d@example.com", i), ExternalID: id})
	}
	told := map[string]string{}
	for _, f := range unpacked(report(t, complete(t, tenant))) {
		for _, e := range f.Evidence {
			if f.Rule != "unknown-external-id" || e.Role != "externalId looks like" {
				continue
			}
			n, err := strconv.Atoi(e.Subject.ID)
			if err != nil {
				t.Fatal(err)
			}
			told[ids[n]] = e.Value
			if !strings.HasSuffix(f.Message, "it looks like "+e.Value) {
				t.Errorf("the message about %s does not say %q: %s", ids[n], e.Value, f.Message)
			}
		}
	}
	if diff := gocmp.Diff(want, told); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Evidence tells whom a stray user could be, and members that nobody knows.
func TestEvidence(t *testing.T) {
	r := report(t, complete(t, crowd()))
	has := func(rule, subject, role, value string) {
		t.Helper()
		for _, f := range unpacked(r) {
			for _, e := range f.Evidence {
				if f.Rule == rule && e.Subject.String() == subject && e.Role == role && e.Value == value {
					return
				}
			}
		}
		t.Errorf("no finding of %s has %s %s %q", rule, role, subject, value)
	}
	has("missing-external-id", "okta:user:00u4", "suggestion", "dee.cole@example.com (score 0.6: one letter apart)")
	has("group-member-drift", "databricks:group:5", "has an unknown member", "99")
	for _, f := range unpacked(r) {
		for _, e := range f.Evidence {
			if e.Role == "suggestion" && f.Key != "databricks:user:4" {
				t.Errorf("%s has a candidate and is given a suggestion", f.Key)
			}
		}
	}
	// Somebody who has left is a candidate too.
	left := audit.OktaUser{ID: "00u8", Status: audit.StatusDeprovisioned, Login: "faye.cole@example.com", Email: "faye.cole@example.com"}
	near := audit.OktaUser{ID: "00u9", Status: "ACTIVE", Login: "faye.kole@example.com", Email: "faye.kole@example.com"}
	stray := audit.DatabricksUser{ID: "8", UserName: "faye.cole@example.com", Active: true}
	for _, f := range unpacked(report(t, complete(t, []any{left, near, stray}))) {
		if slices.ContainsFunc(f.Evidence, func(e audit.Evidence) bool { return e.Role == "suggestion" }) {
			t.Errorf("%s suggests somebody", f.ID)
		}
	}
	i := slices.IndexFunc(r.Plan.Operations, func(op audit.Operation) bool { return op.Target.ID == "2" })
	if want := "userName is the login of exactly one live Okta user, and no object holds its id"; i < 0 || r.Plan.Operations[i].Evidence != want {
		t.Errorf("operations %+v", r.Plan.Operations)
	}
}
