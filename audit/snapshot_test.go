package audit_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

func TestInputs(t *testing.T) {
	for _, in := range audit.Inputs() {
		text, err := in.MarshalText()
		if err != nil || string(text) != in.String() || in.Okta() != strings.HasPrefix(in.String(), "okta_") {
			t.Errorf("%q, %v, Okta's: %v", text, err, in.Okta())
		}
		var back audit.Input
		if err := back.UnmarshalText(text); err != nil || back != in {
			t.Errorf("%q is read as %s, %v", text, back, err)
		}
	}
	end := audit.Input(len(audit.Inputs()))
	if err := new(audit.Input).UnmarshalText([]byte("okta")); err == nil || end.String() != "Input(11)" {
		t.Errorf("an input that there is not: %v, %s", err, end)
	}
}

// Required inputs and those asked for make the snapshot incomplete, workspaces never.
func TestIncomplete(t *testing.T) {
	incomplete := func(asked bool) (list []string) {
		var b audit.Builder
		for _, in := range audit.Inputs() {
			b.Read(audit.Reading{Input: in, Asked: asked, Complete: in == audit.OktaGroups})
		}
		s, err := b.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Incomplete() {
			list = append(list, r.Input.String())
		}
		return list
	}
	required := []string{"okta_users", "databricks_users", "databricks_groups", "databricks_service_principals"}
	if diff := cmp.Diff(required, incomplete(false)); diff != "" {
		t.Errorf("not asked for (-want +got)\n%s", diff)
	}
	all := append(required, "okta_members", "okta_apps", "okta_app_users", "databricks_members", "databricks_workspace_details")
	if diff := cmp.Diff(all, incomplete(true)); diff != "" {
		t.Errorf("asked for (-want +got)\n%s", diff)
	}
}

// An object that could not be decoded is kept, in an order of its own, and its input is not complete.
func TestUndecoded(t *testing.T) {
	bad := func(in audit.Input, raw, why string) audit.Undecoded {
		return audit.Undecoded{Input: in, Raw: []byte(raw), Error: why}
	}
	want := []audit.Undecoded{bad(audit.OktaUsers, "b", "y"), bad(audit.DatabricksUsers, "a", "x"), bad(audit.DatabricksUsers, "a", "y"), bad(audit.DatabricksUsers, "b", "x")}
	b := build(t, want[3], want[0], want[2], want[1])
	for _, in := range []audit.Input{audit.OktaUsers, audit.OktaGroups} {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	b.Read(audit.Reading{Input: audit.DatabricksUsers, Asked: true, Reason: "the listing was cut"})
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.Undecoded); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r := s.Reading(audit.OktaUsers); r.Complete || r.Reason != "an object could not be decoded: y" {
		t.Errorf("users of Okta: %+v", r)
	}
	if r := s.Reading(audit.DatabricksUsers); r.Complete || r.Reason != "the listing was cut" {
		t.Errorf("users of Databricks: %+v", r)
	}
	if !s.Complete(audit.OktaGroups) {
		t.Error("groups are incomplete because of users")
	}
}

// What has no id is no record, were it the only one, and its input is not complete.
func TestRecordWithoutID(t *testing.T) {
	for _, reason := range []string{"", "the listing was cut"} {
		b := build(t, audit.OktaUser{Login: "ana@example.com"})
		b.Read(audit.Reading{Input: audit.OktaUsers, Asked: true, Complete: reason == "", Reason: reason})
		s, err := b.Snapshot()
		if err == nil {
			t.Fatal("a user without an id is no error")
		}
		want := reason
		if want == "" {
			want = "okta:user: an object has no id"
		}
		if r := s.Reading(audit.OktaUsers); r.Complete || r.Reason != want || s.OktaUsers.Len() != 0 {
			t.Errorf("%d users, %+v, want the reason %q", s.OktaUsers.Len(), r, want)
		}
	}
}

// To forget an input takes its records and what could not be decoded of it, and leaves all else.
func TestForget(t *testing.T) {
	records := []any{
		audit.OktaUser{ID: "1"}, audit.OktaGroup{ID: "1"}, audit.OktaGroupMembers{Group: "1"}, audit.OktaApp{ID: "1"}, audit.OktaAppUser{User: "1"},
		audit.DatabricksUser{ID: "1"}, audit.DatabricksGroup{ID: "1"}, audit.DatabricksGroupMembers{Group: "1"}, audit.DatabricksServicePrincipal{ID: "1"},
		audit.DatabricksWorkspace{ID: "1"}, audit.DatabricksAssignment{Principal: "1"},
	}
	for _, in := range audit.Inputs() {
		records = append(records, audit.Undecoded{Input: in})
	}
	held := func(b *audit.Builder) map[string]int {
		s, err := b.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		n := map[audit.Input]int{
			audit.OktaUsers: s.OktaUsers.Len(), audit.OktaGroups: s.OktaGroups.Len(), audit.OktaMembers: s.OktaMembers.Len(),
			audit.OktaApps: s.OktaApps.Len(), audit.OktaAppUsers: s.OktaAppUsers.Len(), audit.DatabricksUsers: s.DatabricksUsers.Len(),
			audit.DatabricksGroups: s.DatabricksGroups.Len(), audit.DatabricksMembers: s.DatabricksMembers.Len(),
			audit.DatabricksServicePrincipals: s.DatabricksServicePrincipals.Len(), audit.DatabricksWorkspaces: s.DatabricksWorkspaces.Len(),
			audit.DatabricksWorkspaceDetails: s.DatabricksAssignments.Len(),
		}
		for _, u := range s.Undecoded {
			n[u.Input]++
		}
		named := map[string]int{}
		for in, n := range n {
			named[in.String()] = n
		}
		return named
	}
	all := held(build(t, records...))
	if slices.ContainsFunc(slices.Collect(maps.Values(all)), func(n int) bool { return n != 2 }) {
		t.Fatalf("of each input a record and what could not be decoded: %v", all)
	}
	for _, in := range audit.Inputs() {
		b := build(t, records...)
		b.Forget(in)
		want := maps.Clone(all)
		want[in.String()] = 0
		if diff := cmp.Diff(want, held(b)); diff != "" {
			t.Errorf("without %s (-want +got)\n%s", in, diff)
		}
	}
}
