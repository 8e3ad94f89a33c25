package audit

import "testing"

// What hangs on an identity is told by all that the snapshot knows.
func TestReach(t *testing.T) {
	s := snapshotOf(t,
		DatabricksUser{ID: "1", UserName: "caller@example.com", Roles: NewValues(Value{Value: "account_admin"}), Groups: valuesOf("70", "71")},
		DatabricksUser{ID: "2", UserName: "member@example.com"},
		DatabricksUser{ID: "3", UserName: "nobody@example.com"},
		DatabricksServicePrincipal{ID: "50", Groups: valuesOf("70")},
		DatabricksGroup{ID: "70", Groups: valuesOf("71")},
		DatabricksGroup{ID: "71"}, DatabricksGroup{ID: "72", Groups: valuesOf("70", "71")},
		DatabricksGroupMembers{Group: "71", Members: valuesOf("2", "70", "99")},
		DatabricksAssignment{Principal: "2", Workspace: "w1"}, DatabricksAssignment{Principal: "2", Workspace: "w2"},
		DatabricksAssignment{Principal: "71", Workspace: "w1"},
		OktaUser{ID: "00u1"},
	)
	s.Databricks.Caller = "caller@example.com"
	ix := NewIndex(s, Settings{})
	want := map[string]string{
		"databricks:user:1": "runs this tool, account admin, groups: 2", "databricks:user:2": "groups: 1, workspaces: 2",
		"databricks:service_principal:50": "groups: 1", "databricks:group:70": "groups: 1", "databricks:group:71": "members: 3, workspaces: 1",
		"databricks:group:72": "groups: 2",
	}
	for _, k := range []Kind{DatabricksUserKind, DatabricksServicePrincipalKind, DatabricksGroupKind, OktaUserKind} {
		for r := range ix.All(k) {
			if subject, got := ix.Subject(r).String(), ix.Reach(r).String(); got != want[subject] {
				t.Errorf("%s reaches %q, want %q", subject, got, want[subject])
			}
		}
	}
}
