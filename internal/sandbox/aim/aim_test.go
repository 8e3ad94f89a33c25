package aim

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func byLogin(o OktaUser) string { return o.Login }
func byEmail(o OktaUser) string { return o.Email }

// What the page says, a case each.
func TestEnable(t *testing.T) {
	ana := OktaUser{ID: "00uana", Login: "a.reed@example.com", Email: "ana@example.com"}
	bo := OktaUser{ID: "00ubo", Login: "bo@example.com", Email: "bo@example.com"}
	pat := OktaUser{ID: "00upat", Login: "pat@example.com", Email: "ana@example.com"} // shares ana's email
	gone := OktaUser{ID: "00ugone", Login: "gone@example.com", Email: "ana@example.com", Deprovisioned: true}
	team, team2 := OktaGroup{ID: "00gteam", Name: "Team"}, OktaGroup{ID: "00gteam2", Name: "team"}

	newAna := User{ID: "new-00uana", UserName: "ana@example.com", ExternalID: "00uana"}
	newBo := User{ID: "new-00ubo", UserName: "bo@example.com", ExternalID: "00ubo"}
	for name, test := range map[string]struct {
		before   State
		claim    Claim // byEmail if nil
		users    []User
		groups   []Group
		outcomes map[string]Outcome
	}{
		"an identity with the Okta id is matched": {
			before:   State{OktaUsers: []OktaUser{ana}, Users: []User{{"1", "ANA@example.com", "00uana", false}}},
			users:    []User{{"1", "ANA@example.com", "00uana", false}},
			outcomes: map[string]Outcome{"databricks:user:1": Linked},
		},
		"an identity without gets a second entry beside it": {
			before:   State{OktaUsers: []OktaUser{ana}, Users: []User{{"1", "ana@example.com", "", false}}},
			users:    []User{{"1", "ana@example.com", "", false}, newAna},
			outcomes: map[string]Outcome{"databricks:user:1": Duplicate},
		},
		"the login is compared too": {
			before:   State{OktaUsers: []OktaUser{ana}, Users: []User{{"1", "a.reed@example.com", "", false}}},
			users:    []User{{"1", "a.reed@example.com", "", false}, newAna},
			outcomes: map[string]Outcome{"databricks:user:1": Duplicate},
		},
		"so is a custom name that is claimed": {
			before: State{OktaUsers: []OktaUser{ana}, Users: []User{{"1", "ar@example.com", "", false}}},
			claim:  func(OktaUser) string { return "ar@example.com" },
			users: []User{{"1", "ar@example.com", "", false},
				{ID: "new-00uana", UserName: "ar@example.com", ExternalID: "00uana"}},
			outcomes: map[string]Outcome{"databricks:user:1": Duplicate},
		},
		"a claim that is not the record's name makes a second entry": {
			before:   State{OktaUsers: []OktaUser{ana}, Users: []User{{"1", "a.reed@example.com", "00uana", false}}},
			users:    []User{{"1", "a.reed@example.com", "00uana", false}, newAna},
			outcomes: map[string]Outcome{"databricks:user:1": Duplicate},
		},
		"and none if it is": {
			before:   State{OktaUsers: []OktaUser{ana}, Users: []User{{"1", "a.reed@example.com", "00uana", false}}},
			claim:    byLogin,
			users:    []User{{"1", "a.reed@example.com", "00uana", false}},
			outcomes: map[string]Outcome{"databricks:user:1": Linked},
		},
		"of two records with the id, one takes the sign-in": {
			before: State{OktaUsers: []OktaUser{ana}, Users: []User{
				{"1", "ana@example.com", "00uana", false}, {"2", "other@example.com", "00uana", false}}},
			users: []User{
				{"1", "ana@example.com", "00uana", false}, {"2", "other@example.com", "00uana", false}},
			outcomes: map[string]Outcome{"databricks:user:1": Duplicate, "databricks:user:2": Duplicate},
		},
		"swapped ids": {
			before: State{OktaUsers: []OktaUser{ana, bo}, Users: []User{
				{"1", "bo@example.com", "00uana", false}, {"2", "ana@example.com", "00ubo", false}}},
			users: []User{
				{"1", "bo@example.com", "00uana", false}, {"2", "ana@example.com", "00ubo", false}, newAna, newBo},
			outcomes: map[string]Outcome{"databricks:user:1": WrongPerson, "databricks:user:2": WrongPerson},
		},
		"two people share an email": {
			before: State{OktaUsers: []OktaUser{ana, pat}, Users: []User{{"1", "ana@example.com", "", false}}},
			users: []User{{"1", "ana@example.com", "", false}, newAna,
				{ID: "new-00upat", UserName: "ana@example.com", ExternalID: "00upat"}},
			outcomes: map[string]Outcome{"databricks:user:1": Ambiguous},
		},
		"the address of somebody who left": {
			before:   State{OktaUsers: []OktaUser{ana, gone}, Users: []User{{"1", "ana@example.com", "00ugone", false}}},
			users:    []User{{"1", "ana@example.com", "00ugone", true}, newAna},
			outcomes: map[string]Outcome{"databricks:user:1": WrongPerson},
		},
		"who left is deactivated, and an id that Okta doesn't know": {
			before: State{OktaUsers: []OktaUser{gone}, Users: []User{
				{"1", "gone@example.com", "00ugone", false}, {"2", "x@example.com", "dead", false}, {"3", "y@example.com", "", false}}},
			users: []User{
				{"1", "gone@example.com", "00ugone", true}, {"2", "x@example.com", "dead", true}, {"3", "y@example.com", "", false}},
			outcomes: map[string]Outcome{
				"databricks:user:1": Deactivate, "databricks:user:2": Deactivate, "databricks:user:3": Unmanaged},
		},
		"a new person": {
			before:   State{OktaUsers: []OktaUser{bo}},
			users:    []User{newBo},
			outcomes: map[string]Outcome{"okta:user:00ubo": Provision},
		},
		"a group is linked by its id, whatever its name": {
			before:   State{OktaGroups: []OktaGroup{team}, Groups: []Group{{ID: "7", Name: "Old", ExternalID: "00gteam"}}},
			groups:   []Group{{ID: "7", Name: "Old", ExternalID: "00gteam"}},
			outcomes: map[string]Outcome{"databricks:group:7": Linked},
		},
		"an id that two groups hold": {
			before: State{OktaGroups: []OktaGroup{team}, Groups: []Group{
				{ID: "7", Name: "Team", ExternalID: "00gteam"}, {ID: "8", Name: "Old", ExternalID: "00gteam"}}},
			groups:   []Group{{ID: "7", Name: "Team", ExternalID: "00gteam"}, {ID: "8", Name: "Old", ExternalID: "00gteam"}},
			outcomes: map[string]Outcome{"databricks:group:7": Duplicate, "databricks:group:8": Duplicate},
		},
		"else refused if its name is taken": {
			before:   State{OktaGroups: []OktaGroup{team}, Groups: []Group{{ID: "7", Name: "TEAM"}, {ID: "8", Name: "Local"}}},
			groups:   []Group{{ID: "7", Name: "TEAM"}, {ID: "8", Name: "Local"}},
			outcomes: map[string]Outcome{"databricks:group:7": Blocked, "databricks:group:8": Unmanaged},
		},
		"else created, and the next of that name refused": {
			before:   State{OktaGroups: []OktaGroup{team, team2}},
			groups:   []Group{{ID: "new-00gteam", Name: "Team", ExternalID: "00gteam"}},
			outcomes: map[string]Outcome{"okta:group:00gteam": Provision},
		},
		"a group with a dead id": {
			before:   State{Groups: []Group{{ID: "7", Name: "Old", ExternalID: "dead"}}},
			groups:   []Group{{ID: "7", Name: "Old", ExternalID: "dead", Deactivated: true}},
			outcomes: map[string]Outcome{"databricks:group:7": Deactivate},
		},
		"a group of the system is left alone": {
			before: State{OktaGroups: []OktaGroup{{ID: "00gadm", Name: "Admins"}},
				Groups: []Group{{ID: "7", Name: "admins", ExternalID: "dead", System: true}}},
			groups:   []Group{{ID: "7", Name: "admins", ExternalID: "dead", System: true}},
			outcomes: map[string]Outcome{"databricks:group:7": Unmanaged},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.claim == nil {
				test.claim = byEmail
			}
			after, events := Enable(test.before, test.claim)
			if diff := cmp.Diff(test.users, after.Users, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("users (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.groups, after.Groups, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("groups (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.outcomes, Outcomes(test.before, events)); diff != "" {
				t.Errorf("outcomes (-want +got)\n%s", diff)
			}
		})
	}
}

// Who has signed in once finds the same account the second time, and nobody lost
// what was there before.
func TestEnableSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTenant(t)
		before := w.state()
		once, _ := Enable(before, w.claim())
		twice, _ := Enable(once, w.claim())
		if diff := cmp.Diff(once, twice, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-once +twice)\n%s", diff)
		}
		if diff := cmp.Diff(w.state(), before, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the state before was changed:\n%s", diff)
		}
		for _, d := range before.Users {
			if !slices.ContainsFunc(once.Users, func(u User) bool {
				return u.ID == d.ID && u.UserName == d.UserName && u.ExternalID == d.ExternalID
			}) {
				t.Fatalf("%+v is gone or changed", d)
			}
		}
	})
}
