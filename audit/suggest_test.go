package audit

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSuggestions(t *testing.T) {
	okta := func(id, login, first, last string) OktaUser {
		return OktaUser{ID: id, Status: "ACTIVE", Login: login, Email: login, FirstName: first, LastName: last}
	}
	for _, tt := range []struct {
		userName, given, family string
		want                    string
	}{
		{"ana.reed+dbx@example.com", "", "", "00u1 0.9 the same address but for a plus-tag"},
		{"anareed@example.com", "", "", "00u1 0.8 the same address but for dots"},
		{"ana.reed@example.org", "", "", "00u1 0.7 the same name in another domain: example.com"},
		{"ana.r\u0435ed@example.com", "", "", "00u1 0.7 the letters look the same"},
		{"ana.reid@example.com", "", "", "00u1 0.6 one letter apart"},
		{"an.reed@example.com", "", "", "00u1 0.6 one letter apart"},
		{"reed7@example.org", "Ana", "REED", "00u1 0.5 the same first and last name"},
		{"somebody.else@example.com", "Zoe", "Reed", ""},
		{"gone@example.org", "", "", ""}, // only somebody who has left
		{"no-address", "", "", ""},
	} {
		left := okta("00u2", "gone@example.com", "Gus", "Reed")
		left.Status = StatusDeprovisioned
		ix := NewIndex(snapshotOf(t, okta("00u1", "ana.reed@example.com", "Ana", "Reed"), left, okta("00u3", "bo@example.com", "Bo", "Cole"),
			DatabricksUser{ID: "1", UserName: tt.userName, GivenName: tt.given, FamilyName: tt.family}), Settings{})
		d := Ref{DatabricksUserKind, 0}
		got := ""
		for _, s := range ix.Suggestions(d) {
			got += fmt.Sprintf("%s %.1f %s", ix.Subject(s.Okta).ID, s.Score, s.Why)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.userName, got, tt.want)
		}
	}
}

// A value that a crowd shares suggests five of them, one that more share nobody.
func TestSuggestionsLeaveCrowdsOut(t *testing.T) {
	for sharing, want := range map[int]int{4: 4, crowd: 5, crowd + 1: 0, 3 * crowd: 0} {
		records := []any{DatabricksUser{ID: "1", UserName: "x@example.org", GivenName: "Ana", FamilyName: "Reed"},
			DatabricksUser{ID: "2", UserName: "y@example.org", GivenName: "Bo", FamilyName: "Cole"}}
		for i := range sharing {
			id := fmt.Sprintf("00u%02d", i)
			records = append(records, OktaUser{ID: id, Login: id + "@example.com", FirstName: "Ana", LastName: "Reed"}, // and as many others between them
				OktaUser{ID: id + "b", Login: id + "b@example.com", FirstName: "Bo", LastName: "Cole"})
		}
		ix := NewIndex(snapshotOf(t, records...), Settings{})
		for d := range ix.All(DatabricksUserKind) {
			if got := ix.Suggestions(d); len(got) != want {
				t.Errorf("%d who share a name: %d are suggested, want %d", sharing, len(got), want)
			}
		}
	}
}

// Two names one edit apart always share a blocking key, if those of one are for
// the lengths near by too.
func TestBlockingKeysMissNoEdit(t *testing.T) {
	letters, seed := rapid.SampledFrom([]rune("abcé.")), maphash.MakeSeed()
	rapid.Check(t, func(t *rapid.T) {
		a := []rune(rapid.StringOfN(letters, 4, 12, -1).Draw(t, "a"))
		i := rapid.IntRange(0, len(a)-1).Draw(t, "place")
		r := letters.Draw(t, "letter")
		var b []rune
		switch rapid.IntRange(0, 2).Draw(t, "edit") {
		case 0:
			b = append(append(append(b, a[:i]...), r), a[i:]...)
		case 1:
			b = append(append(b, a[:i]...), a[i+1:]...)
		default:
			b = append(append(append(b, a[:i]...), r), a[i+1:]...)
		}
		if string(a) != string(b) && !oneEdit(a, b) {
			t.Fatalf("%q and %q are one edit apart", string(a), string(b))
		}
		of, others := blocking{seed: seed, near: 1}, blocking{seed: seed}
		of.address(string(a) + "@x")
		others.address(string(b) + "@x")
		if slices.ContainsFunc(of.keys, func(key uint64) bool { return slices.Contains(others.keys, key) }) {
			return
		}
		t.Fatalf("%q and %q share no key", string(a), string(b))
	})
}

// Of a few users those are suggested who are like one when all are compared with all.
func TestSuggestionsAreOfAllWithAll(t *testing.T) {
	locals := rapid.OneOf(rapid.StringOfN(rapid.SampledFrom([]rune("ab\u0430A.+é")), 4, 6, -1), // few of which are alike, and those that are
		rapid.SampledFrom([]string{"abab", "aba.b", "ab.ab", "abab+x", "ababa", "\u0430bab", "abbb", "anna", "an.na", "anna+x", "anne", "ANNA.B", "AbaB"}))
	domains, names := rapid.SampledFrom([]string{"@x.org", "@y.org"}), rapid.SampledFrom([]string{"", " ", "Ana", "ANA", "Reed"})
	ids, statuses := rapid.SampledFrom([]string{"", "", "gone", "00u0", "00u1"}), rapid.SampledFrom([]string{"ACTIVE", "ACTIVE", StatusDeprovisioned})
	rapid.Check(t, func(t *rapid.T) {
		address := func(name string) string {
			return locals.Draw(t, name) + domains.Draw(t, "domain")
		}
		var records []any
		for i := range rapid.IntRange(0, crowd).Draw(t, "okta users") {
			u := OktaUser{ID: fmt.Sprintf("00u%x", i), Status: statuses.Draw(t, "status"), Login: address("login"), FirstName: names.Draw(t, "first"), LastName: names.Draw(t, "last")}
			if u.Email = u.Login; rapid.Bool().Draw(t, "another email") {
				u.Email = address("email")
			}
			records = append(records, u)
		}
		for i := range rapid.IntRange(0, crowd).Draw(t, "users") {
			records = append(records, DatabricksUser{ID: fmt.Sprintf("%x", i), UserName: address("userName"), ExternalID: ids.Draw(t, "externalId"),
				GivenName: names.Draw(t, "given"), FamilyName: names.Draw(t, "family")})
		}
		ix := NewIndex(snapshotOf(t, records...), Settings{})
		for d := range ix.All(DatabricksUserKind) {
			var want []Suggestion
			state := ix.LinkState(d)
			for o := range ix.All(OktaUserKind) {
				if s, alike := ix.likeness(d, o); alike && ix.Live(o) && ix.Candidates(d).Len() == 0 && (state == Unlinked || state == Stale) {
					want = append(want, s)
				}
			}
			slices.SortStableFunc(want, func(a, b Suggestion) int { return cmp.Compare(b.Score, a.Score) })
			want = want[:min(len(want), 5)]
			if got := ix.Suggestions(d); !slices.Equal(got, want) {
				t.Fatalf("%q is like %v, want %v", ix.DatabricksUser(d).UserName, got, want)
			}
		}
	})
}
