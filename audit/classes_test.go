package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// What a plan does of each class, as it is included or excluded, and what waits for inclusion.
func TestPlanOfEveryClass(t *testing.T) {
	left := okta("00u4", "dee@example.com", "dee@example.com")
	left.Status = audit.StatusDeprovisioned
	tenant := []any{
		okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", ""),
		okta("00u2", "bo@example.com", "bo@example.com"), user("2", "bo@example.com", "00x"),
		okta("00u3", "cy@example.com", "cy@example.com"),
		audit.DatabricksUser{ID: "3", UserName: "cy@example.com", ExternalID: "00u3", GivenName: "Other", FamilyName: "Reed", Active: true},
		left, user("4", "dee@example.com", "00u4"),
		audit.OktaGroup{ID: "00g1", Name: "One"}, audit.DatabricksGroup{ID: "5", DisplayName: "One"},
		audit.DatabricksGroup{ID: "6", DisplayName: "Two", ExternalID: "00gx"},
		audit.OktaApp{ID: "0oa1", Label: "Jobs", Status: "ACTIVE", ClientID: "c1"},
		audit.DatabricksServicePrincipal{ID: "7", DisplayName: "jobs", ApplicationID: "c1", Active: true},
	}
	all := []string{"overwrite", "names", "deactivate", "clear"}
	for _, c := range []struct {
		include, exclude []string
		want             []string
	}{
		{nil, nil, []string{
			`op-0001 groups externalId of databricks:group:5: "" → "00g1", risk low, reversible true approve`,
			`op-0002 clear externalId of databricks:group:6: "00gx" → "", risk medium, reversible true`,
			`op-0003 service-principals externalId of databricks:service_principal:7: "" → "0oa1", risk low, reversible false approve`,
			`op-0004 users externalId of databricks:user:1: "" → "00u1", risk low, reversible false approve`,
			`op-0005 overwrite externalId of databricks:user:2: "00x" → "00u2", risk medium, reversible true`,
			`op-0006 names name.givenName of databricks:user:3: "Other" → "F00u3", risk low, reversible true`,
			`1 of overwrite wait`,
			`1 of names wait`,
			`1 of clear wait`,
			`3 cautions for 3, included []`,
		}},
		{all, nil, []string{
			`op-0001 groups externalId of databricks:group:5: "" → "00g1", risk low, reversible true approve`,
			`op-0002 clear externalId of databricks:group:6: "00gx" → "", risk medium, reversible true approve`,
			`op-0003 service-principals externalId of databricks:service_principal:7: "" → "0oa1", risk low, reversible false approve`,
			`op-0004 users externalId of databricks:user:1: "" → "00u1", risk low, reversible false approve`,
			`op-0005 overwrite externalId of databricks:user:2: "00x" → "00u2", risk medium, reversible true approve`,
			`op-0006 names name.givenName of databricks:user:3: "Other" → "F00u3", risk low, reversible true approve`,
			`op-0007 deactivate active of databricks:user:4: "true" → "false", risk high, reversible true approve`,
			`3 cautions for 7, included [overwrite names deactivate clear]`,
		}},
		{[]string{"deactivate"}, []string{"users", "groups"}, []string{
			`op-0001 clear externalId of databricks:group:6: "00gx" → "", risk medium, reversible true`,
			`op-0002 service-principals externalId of databricks:service_principal:7: "" → "0oa1", risk low, reversible false approve`,
			`op-0003 overwrite externalId of databricks:user:2: "00x" → "00u2", risk medium, reversible true`,
			`op-0004 names name.givenName of databricks:user:3: "Other" → "F00u3", risk low, reversible true`,
			`op-0005 deactivate active of databricks:user:4: "true" → "false", risk high, reversible true approve`,
			`1 of overwrite wait`,
			`1 of names wait`,
			`1 of clear wait`,
			`2 cautions for 2, included [deactivate]`,
		}},
		{nil, []string{"missing-external-id", audit.FindingID("unknown-external-id", "databricks:user:2")}, []string{
			`op-0001 clear externalId of databricks:group:6: "00gx" → "", risk medium, reversible true`,
			`op-0002 names name.givenName of databricks:user:3: "Other" → "F00u3", risk low, reversible true`,
			`1 of names wait`,
			`1 of clear wait`,
			`0 cautions for 0, included []`,
		}},
		{all, all, []string{
			`op-0001 groups externalId of databricks:group:5: "" → "00g1", risk low, reversible true approve`,
			`op-0002 service-principals externalId of databricks:service_principal:7: "" → "0oa1", risk low, reversible false approve`,
			`op-0003 users externalId of databricks:user:1: "" → "00u1", risk low, reversible false approve`,
			`3 cautions for 3, included [overwrite names deactivate clear]`,
		}},
	} {
		r := audited(t, tenant, audit.Settings{Include: c.include, Exclude: c.exclude})
		var got []string
		for _, op := range r.Plan.Operations {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s of %s: %q → %q, risk %s, reversible %v %s", op.ID, op.Class(), op.Field, op.Target, op.From, op.To, op.Risk, op.Reversible, op.Decision)))
		}
		for _, w := range r.Plan.NotIncluded() {
			got = append(got, fmt.Sprintf("%d of %s wait", w.Operations, w.Class))
		}
		approved := slices.Collect(r.Plan.Approved())
		got = append(got, fmt.Sprintf("%d cautions for %d, included %v", len(audit.Cautions(r.Plan.Approved())), len(approved), r.Plan.Include))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("include %v, exclude %v (-want +got)\n%s", c.include, c.exclude, diff)
		}
	}
}

// Findings that ask for one write are one operation; where they disagree, people decide.
func TestFindingsAskForOneWrite(t *testing.T) {
	asking := func(name, to string) *audit.Rule {
		r := unlinked()
		r.Name, r.Checks = name, []audit.Check{{Needs: []audit.Input{audit.DatabricksUsers}, Run: func(p *audit.Pass) {
			s := audit.Subject{Kind: audit.DatabricksUserKind, ID: "3"}
			p.Report(audit.Finding{Key: "k", Subjects: []audit.Subject{s}, Message: "x", Remedy: audit.RemedyAutomatic},
				audit.Change{Action: audit.SetExternalID, Class: audit.ClassUsers, Target: s, Field: "externalId", To: to, Why: "so it is"})
		}}}
		return r
	}
	for to, want := range map[string]audit.Operation{
		"00u1": {Decision: audit.Approve, Evidence: "so it is"},
		"00u2": {Decision: audit.Undecided, Evidence: "so it is; another finding asks for a different value"},
	} {
		r, err := audit.Run(waivable(t), []*audit.Rule{asking("one", "00u1"), asking("another", to)}, audit.Options{Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		because := []string{audit.FindingID("another", "k"), audit.FindingID("one", "k")}
		if len(r.Plan.Operations) != 1 {
			t.Fatalf("%+v", r.Plan.Operations)
		}
		op := r.Plan.Operations[0]
		if op.Name != "bo@example.com" || op.Decision != want.Decision || op.Evidence != want.Evidence || !slices.Equal(op.Because, because) {
			t.Errorf("%+v", op)
		}
	}
}

// Okta promises no ids of their own to users, groups and apps: where one id would
// be given to several objects, people decide who gets it.
func TestNoIDIsGivenTwice(t *testing.T) {
	for _, c := range []struct {
		name   string
		tenant []any
		want   []string
	}{
		{"a user and a group", []any{
			okta("00x", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", ""),
			okta("00y", "bo@example.com", "bo@example.com"), user("2", "bo@example.com", ""),
			audit.OktaGroup{ID: "00x", Name: "One"}, audit.DatabricksGroup{ID: "3", DisplayName: "One"},
			audit.OktaGroup{ID: "00y", Name: "Two"},
		}, []string{"databricks:group:3 ", "databricks:user:1 ", "databricks:user:2 approve"}},
		{"all three kinds", []any{
			okta("00x", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", ""),
			audit.OktaGroup{ID: "00x", Name: "One"}, audit.DatabricksGroup{ID: "3", DisplayName: "One"},
			audit.OktaApp{ID: "00x", Label: "Jobs", Status: "ACTIVE"}, audit.DatabricksServicePrincipal{ID: "4", DisplayName: "Jobs", ApplicationID: "c1"},
		}, []string{"databricks:group:3 ", "databricks:service_principal:4 ", "databricks:user:1 "}},
	} {
		r := audited(t, c.tenant, audit.Settings{})
		var got []string
		for _, op := range r.Plan.Operations {
			got = append(got, fmt.Sprintf("%s %s", op.Target, op.Decision))
			if said := strings.Contains(op.Evidence, "; another operation gives the same id"); said != (op.Decision == audit.Undecided) {
				t.Errorf("%s: %s", c.name, op.Evidence)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}
