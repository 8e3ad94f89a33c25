package audit

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// snapshotOf is a snapshot of the records; a [Reading] among them is noted as one.
func snapshotOf(t interface{ Fatal(...any) }, records ...any) *Snapshot {
	var b Builder
	for _, r := range records {
		if reading, ok := r.(Reading); ok {
			b.Read(reading)
		} else if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valuesOf are values without a type.
func valuesOf(texts ...string) Values {
	var list []Value
	for _, text := range texts {
		list = append(list, Value{Value: text})
	}
	return NewValues(list...)
}

func TestOktaObjectsOf(t *testing.T) {
	ix := NewIndex(snapshotOf(t, OktaUser{ID: "00uAZ"}, OktaUser{ID: "00uaz"}, OktaUser{ID: "00uOther"}, OktaUser{ID: "00uÉ"},
		OktaGroup{ID: "00gAZ"}, OktaApp{ID: "0oa1"}), Settings{})
	asked := map[string]bool{"00uaz": true, "00uÉ": true, "00ué": true, "00gaz": true, "0oa1": true, "00uOther": true, "nobody": true}
	objects := func(most int) (got []string) {
		for o := range ix.OktaObjectsOf(maps.Keys(asked)) {
			if got = append(got, ix.Subject(o).String()); len(got) == most {
				break
			}
		}
		return got
	}
	want := []string{"okta:user:00uAZ", "okta:user:00uaz", "okta:user:00uÉ", "okta:group:00gAZ", "okta:app:0oa1"}
	if got := objects(-1); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: those whose id is one of them in lower case", got, want)
	}
	for most := 1; most < len(want); most++ {
		if got := objects(most); !slices.Equal(got, want[:most]) {
			t.Errorf("the first %d are %v, want %v", most, got, want[:most])
		}
	}
}

func TestAppendLower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("AZ@[az`{09İÉß\uFFFD")), rapid.Rune())).Draw(t, "s")
		if got := string(appendLower([]byte("x"), s)); got != "x"+strings.ToLower(s) {
			t.Fatalf("%q for %q", got, s)
		}
	})
}

// Names that several have are the same ones however they are shared out, and each is told.
func TestSharedNames(t *testing.T) {
	user := func(id, login, email string) OktaUser { return OktaUser{ID: id, Login: login, Email: email} }
	ix := NewIndex(snapshotOf(t,
		user("1", "Ana@example.com", "a@example.com"), user("2", "ana@example.com", "b@example.com"), // the logins alone
		user("3", "bo@example.com", "Team@example.com"), user("4", "cy@example.com", "team@example.com"), // the emails alone
		user("5", "di@example.com", "bo@example.com"), user("6", "ed@example.com", "ed@example.com")), Settings{})
	for parts := range int32(ix.names.n) + 2 {
		var got []string
		for part := range parts {
			for s := range ix.sharedNames(part, parts) {
				got = append(got, s.Name)
			}
		}
		slices.Sort(got)
		if want := []string{"ana@example.com", "bo@example.com", "team@example.com"}; parts > 0 && !slices.Equal(got, want) {
			t.Errorf("in %d parts: got %q, want %q", parts, got, want)
		}
	}
}

// With a template of its own, what reaches Databricks is what the SSO app has for the user alone.
func TestClaimed(t *testing.T) {
	s := snapshotOf(t, Reading{Input: OktaAppUsers, Asked: true, Complete: true},
		OktaUser{ID: "00u1"}, OktaUser{ID: "00u2"}, OktaUser{ID: "00u3"}, OktaUser{ID: "00u4"},
		OktaAppUser{User: "00u1", App: "0oaOther", UserName: "one"},
		OktaAppUser{User: "00u2", App: "0oaOther", UserName: "other"}, OktaAppUser{User: "00u2", App: "0oaSSO", UserName: "two"},
		OktaAppUser{User: "00u4", App: "0oaSSO"}, OktaAppUser{User: "00u5", App: "0oaSSO", UserName: "five"})
	claims := func(app string) (all []string) {
		ix := NewIndex(s, Settings{SSOClaim: ClaimOther, OktaApp: app})
		for o := range ix.All(OktaUserKind) {
			name, ok := ix.Claimed(o)
			if !ok {
				name = "?"
			}
			all = append(all, name)
		}
		return all
	}
	for app, want := range map[string][]string{"0oaSSO": {"?", "two", "?", "?"}, "": {"?", "?", "?", "?"}} {
		if got := claims(app); !slices.Equal(got, want) {
			t.Errorf("with the app %q named, they are %q, want %q", app, got, want)
		}
	}
}

// Whoever reaches an Okta user is each listed once, in order, by whichever way.
func TestReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names, ids := rapid.SampledFrom([]string{"", "a", "A", "b", "c"}), rapid.SampledFrom([]string{"", "1", "2", "3"})
		records := []any{DatabricksGroup{ID: "9", ExternalID: ids.Draw(t, "externalId of a group")}}
		for i := range rapid.IntRange(0, 3).Draw(t, "okta users") {
			records = append(records, OktaUser{ID: string(rune('1' + i)), Login: names.Draw(t, "login"), Email: names.Draw(t, "email")})
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "users") {
			records = append(records, DatabricksUser{ID: string(rune('1' + i)), UserName: names.Draw(t, "userName"), ExternalID: ids.Draw(t, "externalId")})
		}
		ix := NewIndex(snapshotOf(t, records...), Settings{})
		for o := range ix.All(OktaUserKind) {
			var want []Ref
			for d := range ix.All(DatabricksUserKind) {
				u, owner := ix.DatabricksUser(d), ix.OktaUser(o)
				if name := Fold(u.UserName); u.ExternalID == owner.ID || name != "" && (name == Fold(owner.Login) || name == Fold(owner.Email)) {
					want = append(want, d)
				}
			}
			if got := slices.Collect(ix.Reached(o).All()); !slices.Equal(got, want) {
				t.Fatalf("%v is reached by %v, want %v", ix.OktaUser(o), got, want)
			}
		}
	})
}
