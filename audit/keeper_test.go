package audit

import "testing"

func TestKeeper(t *testing.T) {
	user := func(id, userName, externalID string) DatabricksUser {
		return DatabricksUser{ID: id, UserName: userName, ExternalID: externalID, Active: true}
	}
	inGroups := user("20", "Ana@example.com", "")
	inGroups.Groups = NewValues(Value{Value: "7"})
	inactive := user("5", "Ana@example.com", "")
	inactive.Active = false
	old := user("30", "Ana@example.com", "")
	old.Created = "2020-01-01T00:00:00Z"
	inMore, younger := user("22", "Ana@example.com", ""), user("31", "Ana@example.com", "")
	inMore.Groups = NewValues(Value{Value: "7"}, Value{Value: "8"})
	younger.Created = "2021-01-01T00:00:00Z"
	role, entitlement := user("40", "Ana@example.com", ""), user("41", "Ana@example.com", "")
	role.Roles = valuesOf("billing_admin")
	entitlement.Roles, entitlement.Entitlements = valuesOf("billing_admin"), valuesOf("workspace-access")
	group := func(id, created, externalID string, roles ...string) DatabricksGroup {
		return DatabricksGroup{ID: id, DisplayName: "One", Created: created, ExternalID: externalID, Entitlements: valuesOf(roles...)}
	}
	principal := func(id, created string, active bool, roles ...string) DatabricksServicePrincipal {
		return DatabricksServicePrincipal{ID: id, Created: created, Active: active, Roles: valuesOf(roles...)}
	}
	for _, tt := range []struct {
		name    string
		records []any
		want    string
		why     string
	}{
		{"linked before exact", []any{user("1", "ana@example.com", ""), user("2", "Ana@example.com", "00u1")}, "2", "it is linked to a live Okta object, it is active"},
		{"exact before groups", []any{inGroups, user("21", "ana@example.com", "")}, "21", "its name is exactly Okta's, it is active"},
		{"exactly the email", []any{inGroups, user("21", "a.reed@example.com", "")}, "21", "its name is exactly Okta's, it is active"},
		{"active before older", []any{inactive, user("6", "Ana@example.com", "")}, "6", "it is active"},
		{"groups before age", []any{old, inGroups}, "20", "it is active, it is in groups"},
		{"more groups", []any{inGroups, inMore}, "22", "it is active, it is in groups"},
		{"groups before roles", []any{entitlement, inGroups}, "20", "it is active, it is in groups"},
		{"roles before age", []any{old, role}, "40", "it is active, it has roles or entitlements"},
		{"more rights", []any{role, entitlement}, "41", "it is active, it has roles or entitlements"},
		{"the oldest", []any{user("4", "Ana@example.com", ""), younger, old}, "30", "it is active"},
		{"known age before unknown", []any{user("4", "Ana@example.com", ""), old}, "30", "it is active"},
		{"the lower number", []any{user("100", "ANA@example.com", ""), user("99", "Ana@example.com", "")}, "99", "it is active"},
		{"the lower id", []any{user("98", "ANA@example.com", ""), user("97", "Ana@example.com", "")}, "97", "it is active"},
		{"of inactive ones", []any{inactive}, "5", "nothing speaks for another one"},
		{"the linked group", []any{group("1", "2020", ""), group("2", "2021", "00g1")}, "2", "it is linked to a live Okta object, its name is exactly Okta's, it is active"},
		{"the group with rights", []any{group("1", "2020", ""), group("2", "2021", "", "workspace-access")}, "2", "its name is exactly Okta's, it is active, it has roles or entitlements"},
		{"the oldest group", []any{group("1", "2021", ""), group("2", "2020", "")}, "2", "its name is exactly Okta's, it is active"},
		{"the active service principal", []any{principal("1", "2020", false, "account_admin"), principal("2", "2021", true)}, "2", "it is active"},
		{"the service principal with roles", []any{principal("1", "2020", true), principal("2", "2021", true, "account_admin")}, "2", "it is active, it has roles or entitlements"},
		{"the oldest service principal", []any{principal("1", "2021", true), principal("2", "2020", true)}, "2", "it is active"},
	} {
		ix := NewIndex(snapshotOf(t, append(tt.records, OktaGroup{ID: "00g1", Name: "One"},
			OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com", Email: "a.reed@example.com"})...), Settings{})
		var refs []Ref
		for _, k := range []Kind{DatabricksUserKind, DatabricksGroupKind, DatabricksServicePrincipalKind} {
			for d := range ix.All(k) {
				refs = append(refs, d)
			}
		}
		if d, why := ix.Keeper(refs); ix.Subject(d).ID != tt.want || why != tt.why {
			t.Errorf("%s: keeps %s because %q, want %s because %q", tt.name, ix.Subject(d).ID, why, tt.want, tt.why)
		}
	}
}
