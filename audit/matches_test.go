package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
)

// Of those who are only like an identity, five are told, those who are most like it.
func TestExplainTellsFewAlike(t *testing.T) {
	tenant := []any{user("1", "ana+dev@example.com", "")}
	for i := range 9 {
		tenant = append(tenant, okta(fmt.Sprintf("00u%d", i), fmt.Sprintf("ana+dev@%d.example.com", i), ""))
	}
	tenant = append(tenant, okta("00ux", "ana@example.com", ""))
	story := explained(t, audited(t, tenant, audit.Settings{}), "databricks:user:1")
	if len(story.Matches) != 5 || story.Matches[0].Subject.ID != "00ux" {
		t.Errorf("%d matches, the first is %v", len(story.Matches), story.Matches[0])
	}
}

// Of those who are tied to an identity each is told.
func TestExplainTellsAllTied(t *testing.T) {
	tenant := []any{user("1", "ana@example.com", ""), user("2", "strasse@example.com", "")}
	for i := range 9 {
		tenant = append(tenant, okta(fmt.Sprintf("00u%d", i), fmt.Sprintf("%d@example.org", i), "ana@example.com"))
	}
	tenant = append(tenant, okta("00ux", "stra\u00dfe@example.com", ""))
	r := audited(t, tenant, audit.Settings{})
	if story := explained(t, r, "databricks:user:1"); len(story.Matches) != 9 {
		t.Errorf("%d matches", len(story.Matches))
	}
	if m := explained(t, r, "databricks:user:2").Matches; len(m) != 1 || m[0].Tied() || !strings.HasSuffix(m[0].But, ": the letters look the same") {
		t.Errorf("another spelling: %+v", m)
	}
}

// The one who is meant is told where somebody who has left had the name too, and
// what becomes of each Databricks object that is tied to an Okta object.
func TestExplainWhoIsMeant(t *testing.T) {
	left := okta("00u2", "gus@example.com", "ana@example.com")
	left.Status = audit.StatusDeprovisioned
	r := audited(t, []any{okta("00u1", "ana@example.com", ""), left, user("1", "ana@example.com", "")}, audit.Settings{})
	if a := explained(t, r, "databricks:user:1").Automatic; a.Okta.ID != "00u1" || len(a.Doubts) != 1 {
		t.Errorf("%+v", a)
	}
	for _, m := range explained(t, r, "okta:user:00u1").Matches {
		if m.Now == nil || m.Now.Outcome != audit.Duplicate || m.AfterPlan == nil || m.AfterPlan.Outcome != audit.Duplicate {
			t.Errorf("%s: now %v, after the plan %v", m.Subject, m.Now, m.AfterPlan)
		}
	}
}

// The linked one comes first, then candidates, the live ones before those who have
// left, then who is only like it; who has no name is like nobody.
func TestExplainMatchesInOrder(t *testing.T) {
	left := okta("00u2", "gus@example.com", "ana@example.com")
	left.Status = audit.StatusDeprovisioned
	r := audited(t, []any{okta("00u0", "", ""), okta("00u1", "anna@example.com", ""), left, okta("00u3", "ana@example.com", ""), okta("00u4", "bo@example.com", ""),
		user("1", "ana@example.com", "00u4"), user("2", "", "")}, audit.Settings{})
	var got []string
	for _, m := range explained(t, r, "databricks:user:1").Matches {
		got = append(got, m.Subject.ID)
	}
	if want := []string{"00u4", "00u3", "00u2", "00u1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if matches := explained(t, r, "databricks:user:2").Matches; len(matches) > 0 {
		t.Errorf("who has no name is like %+v", matches)
	}
}
