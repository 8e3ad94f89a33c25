package audit_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// What is left to people is the same of a plan that was just made as of the one read
// from its file.
func TestManualSurvivesItsFile(t *testing.T) {
	b := build(t,
		okta("00u1", "ana@example.com", "a@example.com"), okta("00u2", "b@example.com", "ana@example.com"), user("1", "ana@example.com", ""), // to choose
		user("2", "nobody@example.com", ""),                                 // to look at
		okta("00u3", "bo@example.com", ""), user("3", "bo@example.com", ""), // automatic
		audit.OktaGroup{ID: "00g1", Name: "Users"}, // Okta's to change
	)
	b.Okta.Tenant, b.Databricks.Tenant = "https://example.okta.com", "acc-1"
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Run(s, rules.All(), audit.Options{Now: time.Unix(1_700_000_000, 0), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r.Plan)
	if err != nil {
		t.Fatal(err)
	}
	read, err := audit.ReadPlan(bytes.NewReader(text), "plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Plan, read, listed); diff != "" {
		t.Errorf("(-made +read)\n%s", diff)
	}
	if text, err := json.Marshal(audit.NewManuals()); err != nil || string(text) != "[]" {
		t.Errorf("nothing left to people is written as %s, %v", text, err)
	}
	for name, p := range map[string]*audit.Plan{"made": r.Plan, "read": read} {
		remedies := map[audit.Remedy]int{}
		for _, m := range manual(p) {
			remedies[m.Remedy]++
		}
		if remedies[audit.RemedyChoose] == 0 || remedies[audit.RemedyReview] == 0 || remedies[audit.RemedyOkta] == 0 || remedies[audit.RemedyAutomatic] > 0 {
			t.Errorf("%s: %v", name, remedies)
		}
		if got := p.Manual.Remedies(); !maps.Equal(got, remedies) || p.Manual.Len() != len(manual(p)) {
			t.Errorf("%s: counted %v, %d in all, and there are %v", name, got, p.Manual.Len(), remedies)
		}
	}
}

// Okta's objects are to choose from, Databricks' are what is decided about, of every kind.
func TestManualToChoose(t *testing.T) {
	r := audited(t, []any{
		audit.OktaApp{ID: "0oa1", Label: "Jobs", Status: "ACTIVE"}, audit.OktaApp{ID: "0oa2", Label: "jobs", Status: "ACTIVE"},
		audit.DatabricksServicePrincipal{ID: "1", DisplayName: "Jobs"}, // not active
		audit.OktaGroup{ID: "00g1", Name: "Data"}, audit.OktaGroup{ID: "00g2", Name: "data"}, audit.DatabricksGroup{ID: "2", DisplayName: "Data", ExternalID: "dead"},
	}, audit.Settings{})
	candidates, records := map[audit.Subject][]audit.Subject{}, map[audit.Subject]audit.Record{}
	for _, m := range manual(r.Plan) {
		if m.Remedy == audit.RemedyChoose {
			if len(m.Records) != 1 {
				t.Fatalf("%+v", m)
			}
			record := m.Records[0]
			candidates[record.Subject], records[record.Subject] = m.Candidates, record
		}
	}
	principal, group := audit.Subject{Kind: audit.DatabricksServicePrincipalKind, ID: "1"}, audit.Subject{Kind: audit.DatabricksGroupKind, ID: "2"}
	subjects := func(k audit.Kind, ids ...string) (list []audit.Subject) {
		for _, id := range ids {
			list = append(list, audit.Subject{Kind: k, ID: id})
		}
		return list
	}
	if diff := cmp.Diff(map[audit.Subject][]audit.Subject{
		principal: subjects(audit.OktaAppKind, "0oa1", "0oa2"), group: subjects(audit.OktaGroupKind, "00g1", "00g2"),
	}, candidates); diff != "" {
		t.Errorf("candidates (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[audit.Subject]audit.Record{
		principal: {Subject: principal, Name: "Jobs"}, group: {Subject: group, Name: "Data", ExternalID: "dead", Active: true},
	}, records); diff != "" {
		t.Errorf("records (-want +got)\n%s", diff)
	}
}
