package report

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// Who is in one directory's group alone stands there one by one, ready to send.
func TestGroupMembers(t *testing.T) {
	r := sample(t)
	group, okta := audit.Subject{Kind: audit.DatabricksGroupKind, ID: "5"}, audit.Subject{Kind: audit.OktaGroupKind, ID: "00g1"}
	drift := audit.Finding{ID: "group-member-drift-0123456789ab", Rule: "group-member-drift", Subjects: []audit.Subject{group, okta},
		Evidence: []audit.Evidence{
			{Subject: group, Role: "name of", Field: "displayName", Value: "Engineering"},
			{Subject: databricksUser("7"), Role: "loses access", Field: "members", Value: "=pat@example.com"},
			{Subject: oktaUser("00u9"), Role: "gains access", Field: "members", Value: "lee@example.com"},
			{Subject: group, Role: "has an unknown member", Field: "members", Value: "99"},
		}}
	waived := drift
	waived.Waived = true
	r.Findings = audit.NewFindings(drift, waived)
	var b bytes.Buffer
	if err := csvOf(groupMembers)(&b, r); err != nil {
		t.Fatal(err)
	}
	const head = "group-member-drift-0123456789ab,databricks:group:5,okta:group:00g1,Engineering,"
	want := "finding,databricks_group,okta_group,name,member,member_name,change\n" +
		head + "databricks:user:7,'=pat@example.com,loses access\n" +
		head + "okta:user:00u9,lee@example.com,gains access\n" +
		head + "99,,is not known\n"
	if diff := cmp.Diff(want, string(bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n")))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
