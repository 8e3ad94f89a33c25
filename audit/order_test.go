package audit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// The gravest finding comes first, of those the one that reaches farthest, then by
// rule and key; how far it reaches is told.
func TestFindingsInOrder(t *testing.T) {
	in := func(d audit.DatabricksUser, groups ...audit.Value) audit.DatabricksUser {
		d.Groups = audit.NewValues(groups...)
		return d
	}
	admin := user("3", "nobody3@example.com", "")
	admin.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
	g, h := audit.Value{Value: "g"}, audit.Value{Value: "h"}
	b := build(t,
		user("1", "nobody1@example.com", ""), in(user("2", "nobody2@example.com", ""), g), admin,
		okta("00u1", "ana@example.com", ""), user("4", "ana@example.com", ""),
		user("5", "nobody5@example.com", "gone"), in(user("6", "nobody6@example.com", "lost"), g, h), user("7", "caller@example.com", ""),
		user("10", "nobody10@example.com", ""),
		okta("00u8", "8@example.com", "m@example.org"), okta("00u7", "7@example.com", "m@example.org"),
		okta("00u9", "9@example.com", "a@example.org"), okta("00u91", "91@example.com", "a@example.org"),
		audit.OktaGroup{ID: "00g1", Name: "One"}, audit.OktaGroup{ID: "00g2", Name: "One"}, audit.DatabricksGroup{ID: "11", DisplayName: "One"})
	b.Databricks.Caller = "caller@example.com"
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	ix := audit.NewIndex(s, audit.Settings{})
	findings := ix.Apply(rules.All())
	var got []string
	for _, f := range findings.All() {
		got = append(got, f.Severity.String()+" "+f.Rule+" "+f.Key)
		for _, e := range f.Evidence {
			if e.Role == "reach of" {
				got[len(got)-1] += ": " + e.Value
			}
		}
	}
	want := []string{
		"blocker ambiguous-group-name databricks:group:11",
		"blocker missing-external-id databricks:group:11",
		"blocker missing-external-id databricks:user:4",
		"error shared-email a@example.org",
		"error shared-email m@example.org",
		"warning missing-external-id databricks:user:7: runs this tool",
		"warning missing-external-id databricks:user:3: account admin",
		"warning unknown-external-id databricks:user:6: groups: 2",
		"warning missing-external-id databricks:user:2: groups: 1",
		"warning missing-external-id databricks:user:1",
		"warning missing-external-id databricks:user:10",
		"warning unknown-external-id databricks:user:5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
