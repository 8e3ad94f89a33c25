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
	for _, tt := range []struct {
		name    string
		records []DatabricksUser
		want    string
	}{
		{"linked before exact", []DatabricksUser{user("1", "ana@example.com", ""), user("2", "Ana@example.com", "00u1")}, "2"},
		{"exact before groups", []DatabricksUser{inGroups, user("21", "ana@example.com", "")}, "21"},
		{"active before older", []DatabricksUser{inactive, user("6", "Ana@example.com", "")}, "6"},
		{"groups before age", []DatabricksUser{old, inGroups}, "20"},
		{"known age before unknown", []DatabricksUser{user("4", "Ana@example.com", ""), old}, "30"},
		{"the lower number", []DatabricksUser{user("100", "ANA@example.com", ""), user("99", "Ana@example.com", "")}, "99"},
	} {
		records := []any{OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com", Email: "ana@example.com"}}
		for _, u := range tt.records {
			records = append(records, u)
		}
		ix := NewIndex(snapshotOf(t, records...), Settings{})
		var refs []Ref
		for d := range ix.All(DatabricksUserKind) {
			refs = append(refs, d)
		}
		if d, why := ix.Keeper(refs); ix.Subject(d).ID != tt.want || why == "" {
			t.Errorf("%s: keeps %s because %q, want %s", tt.name, ix.Subject(d).ID, why, tt.want)
		}
	}
}
