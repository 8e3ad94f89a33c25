package audit

import "testing"

// Who must be named before a plan touches them: by every way that leads to account_admin.
func TestProtected(t *testing.T) {
	admin, inherited := NewValues(Value{Value: "account_admin"}), NewValues(Value{Value: "account_admin", Type: "indirect"})
	s := snapshotOf(t,
		DatabricksUser{ID: "1", UserName: "direct@example.com", Roles: admin},
		DatabricksUser{ID: "2", UserName: "inherited@example.com", Roles: inherited},
		DatabricksUser{ID: "3", UserName: "group@example.com", Groups: valuesOf("71")},
		DatabricksUser{ID: "4", UserName: "nested@example.com", Groups: valuesOf("70", "72")},
		DatabricksUser{ID: "5", UserName: "member@example.com"},
		DatabricksUser{ID: "6", UserName: "nobody@example.com", Roles: valuesOf("other"), Groups: valuesOf("70", "unknown")},
		DatabricksUser{ID: "7", UserName: "Caller@example.com"},
		DatabricksUser{ID: "8", UserName: "owner@example.com"},
		DatabricksUser{ID: "9", UserName: "plain@example.com"},
		DatabricksServicePrincipal{ID: "50", ApplicationID: "app", Groups: valuesOf("72")},
		DatabricksServicePrincipal{ID: "51", ApplicationID: "other"},
		DatabricksGroup{ID: "70", DisplayName: "a circle", Groups: valuesOf("73")},
		DatabricksGroup{ID: "71", DisplayName: "admins of the account", Roles: admin},
		DatabricksGroup{ID: "72", DisplayName: "nested", Groups: valuesOf("71")},
		DatabricksGroup{ID: "73", DisplayName: "a circle too", Groups: valuesOf("70")},
		DatabricksGroup{ID: "74", DisplayName: "nested, by its members alone"},
		DatabricksGroupMembers{Group: "71", Members: valuesOf("74")},
		DatabricksGroupMembers{Group: "74", Members: valuesOf("5")},
	)
	s.Databricks.Caller = "caller@example.com"
	ix := NewIndex(s, Settings{SCIMTokenOwner: "owner@example.com"})
	want := map[string]string{
		"databricks:user:1": "an account admin", "databricks:user:2": "an account admin", "databricks:user:3": "an account admin",
		"databricks:user:4": "an account admin", "databricks:user:5": "an account admin",
		"databricks:user:7": "the identity that runs this tool", "databricks:user:8": "the owner of the SCIM token",
		"databricks:service_principal:50": "an account admin", "databricks:group:71": "a group of account admins",
		"databricks:group:72": "a group of account admins", "databricks:group:74": "a group of account admins",
	}
	for _, k := range []Kind{DatabricksUserKind, DatabricksServicePrincipalKind, DatabricksGroupKind} {
		for d := range ix.All(k) {
			subject := ix.Subject(d).String()
			if got := ix.Protected(d); got != want[subject] {
				t.Errorf("%s is protected as %q, want %q", subject, got, want[subject])
			}
			if may := ix.MayDeactivate(d); k == DatabricksUserKind && may != (want[subject] == "") {
				t.Errorf("%s may be deactivated: %v", subject, may)
			}
		}
	}
}

// Whoever left or is suspended is deactivated, but not while somebody else works under the name.
func TestMayDeactivate(t *testing.T) {
	ix := NewIndex(snapshotOf(t,
		OktaUser{ID: "00u1", Status: StatusDeprovisioned, Login: "ana@example.com"}, OktaUser{ID: "00u2", Status: "ACTIVE", Login: "bo@example.com"},
		OktaUser{ID: "00u3", Status: StatusSuspended, Login: "cy@example.com", Email: "desk@example.com"}, OktaUser{ID: "00u4", Status: "ACTIVE", Login: "desk@example.com"},
		OktaUser{ID: "00u5", Status: StatusDeprovisioned, Login: "dee@example.com", Email: "cy@example.com"},
		DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "00u1"}, DatabricksUser{ID: "2", UserName: "bo@example.com", ExternalID: "00u1"},
		DatabricksUser{ID: "3", UserName: "desk@example.com", ExternalID: "00u3"}, DatabricksUser{ID: "4", UserName: "DESK@example.com"},
		DatabricksUser{ID: "5", UserName: "cy@example.com", ExternalID: "00u3"}, DatabricksUser{ID: "6", UserName: "dee@example.com"},
	), Settings{})
	may := map[string]bool{"1": true, "5": true, "6": true}
	for d := range ix.All(DatabricksUserKind) {
		if got := ix.MayDeactivate(d); got != may[ix.Subject(d).ID] {
			t.Errorf("%s may be deactivated: %v", ix.Name(d), got)
		}
	}
}
