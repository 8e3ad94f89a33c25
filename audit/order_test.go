package audit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// The gravest finding comes first, of those the one that reaches farthest, then by rule and key.
func TestFindingsInOrder(t *testing.T) {
	in := func(d audit.DatabricksUser, groups ...audit.Value) audit.DatabricksUser {
		d.Groups = audit.NewValues(groups...)
		return d
	}
	admin := user("3", "nobody3@example.com", "")
	admin.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
	g, h := audit.Value{Value: "g"}, audit.Value{Value: "h"}
	r := audited(t, []any{
		user("1", "nobody1@example.com", ""), in(user("2", "nobody2@example.com", ""), g), admin,
		okta("00u1", "ana@example.com", ""), user("4", "ana@example.com", ""),
		user("5", "nobody5@example.com", "gone"), in(user("6", "nobody6@example.com", "lost"), g, h), user("10", "nobody10@example.com", ""),
	}, audit.Settings{})
	var got []string
	for _, f := range r.Findings.All() {
		got = append(got, f.Severity.String()+" "+f.Rule+" "+f.Key)
	}
	want := []string{
		"blocker missing-external-id databricks:user:4",
		"warning missing-external-id databricks:user:3",
		"warning unknown-external-id databricks:user:6",
		"warning missing-external-id databricks:user:2",
		"warning missing-external-id databricks:user:1",
		"warning missing-external-id databricks:user:10",
		"warning unknown-external-id databricks:user:5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
