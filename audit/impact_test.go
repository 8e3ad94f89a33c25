package audit

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What becomes of everybody once externalIds have changed is what would become of
// them if the directory had been read with those externalIds.
func TestAfterwardsIsAnAuditOfTheChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SampledFrom([]string{"", "00u1", "00u2", "00u3", "00g1", "00g2", "gone"})
		names := rapid.SampledFrom([]string{"a@x.org", "b@x.org", "c@x.org", "d@x.org"})
		var okta []any
		for i := range 3 {
			status := rapid.SampledFrom([]string{"ACTIVE", "ACTIVE", StatusDeprovisioned}).Draw(t, "status")
			okta = append(okta, OktaUser{ID: fmt.Sprint("00u", i+1), Status: status, Login: fmt.Sprint(i, "@x.org"), Email: names.Draw(t, "email")})
		}
		okta = append(okta, OktaGroup{ID: "00g1", Name: names.Draw(t, "group")}, OktaGroup{ID: "00g2", Name: names.Draw(t, "group")})
		var before, after []any
		var ops []Operation
		for i := range 6 {
			id, was, becomes := fmt.Sprint(i), ids.Draw(t, "was"), ids.Draw(t, "becomes")
			kind, name := DatabricksUserKind, names.Draw(t, "name")
			record := func(externalID string) any {
				return DatabricksUser{ID: id, UserName: name, ExternalID: externalID, Active: true}
			}
			if i%2 > 0 {
				kind = DatabricksGroupKind
				record = func(externalID string) any { return DatabricksGroup{ID: id, DisplayName: name, ExternalID: externalID} }
			}
			decision := rapid.SampledFrom([]Decision{Approve, Undecided}).Draw(t, "decision")
			ops = append(ops, Operation{Target: Subject{kind, id}, Field: "externalId", From: was, To: becomes, Decision: decision})
			before = append(before, record(was))
			if decision == Approve {
				was = becomes
			}
			after = append(after, record(was))
		}
		index := func(records []any) *Index {
			var b Builder
			for _, r := range append(records, okta...) {
				if err := b.Add(r); err != nil {
					t.Fatal(err)
				}
			}
			for _, in := range Inputs() {
				b.Read(Reading{Input: in, Asked: in.Required(), Complete: in.Required()})
			}
			s, err := b.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			ix := NewIndex(s, Settings{})
			ix.foresee()
			return ix
		}
		got, want := index(before).afterwards(ops), index(after)
		for _, k := range foreseen {
			for r := range want.All(k) {
				if g, w := got.Outcome(r), want.Outcome(r); g != w {
					t.Fatalf("%s: %q, and read with the changes %q", want.Subject(r), g, w)
				}
			}
		}
		if g, w := got.impact(), want.impact(); !maps.Equal(g.Users, w.Users) || !maps.Equal(g.Groups, w.Groups) {
			t.Fatalf("impact: %v, and read with the changes %v", g, w)
		}
	})
}

// A row has what both records say, and the groups by whichever knows of more.
func TestCrosswalkRow(t *testing.T) {
	s := snapshotOf(t, OktaUser{ID: "00u1", Status: "SUSPENDED", Login: "ana@example.com", Email: "a@example.com", FirstName: "Ana", LastName: "Reed"},
		DatabricksUser{ID: "1", UserName: "A@example.com", ExternalID: "00u1", GivenName: "An", FamilyName: "Read", Active: true,
			Roles: valuesOf("account_admin"), Groups: valuesOf("g", "h")},
		DatabricksUser{ID: "2", UserName: "bo@example.com"},
		DatabricksGroup{ID: "3", Roles: valuesOf("account_admin")}, DatabricksGroupMembers{Group: "3", Members: valuesOf("1", "2")})
	ix := NewIndex(s, Settings{})
	want := []CrosswalkRow{{Subject: Subject{DatabricksGroupKind, "3"}, LinkState: Unlinked, Active: true, Admin: true}, {
		Subject: Subject{DatabricksUserKind, "1"}, Name: "A@example.com", ExternalID: "00u1", LinkState: LinkedLive,
		GivenName: "An", FamilyName: "Read", Active: true, Admin: true, Groups: 2,
		Okta: Subject{OktaUserKind, "00u1"}, OktaLogin: "ana@example.com", OktaEmail: "a@example.com", OktaStatus: "SUSPENDED",
		OktaFirst: "Ana", OktaLast: "Reed", MatchedBy: "id",
	}, {Subject: Subject{DatabricksUserKind, "2"}, Name: "bo@example.com", LinkState: Unlinked, Groups: 1}}
	if diff := cmp.Diff(want, rowsOf(crosswalk(ix, ix, true).All())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	ana := &want[1]
	ana.GivenName, ana.FamilyName, ana.Active, ana.Admin, ana.Groups, ana.OktaFirst, ana.OktaLast = "", "", false, false, 0, "", ""
	want[2].Groups = 0
	if diff := cmp.Diff(want, rowsOf(crosswalk(ix, ix, false).All())); diff != "" {
		t.Errorf("in brief (-want +got)\n%s", diff)
	}
}

// rowsOf are copies of what is yielded.
func rowsOf(yielded iter.Seq[*CrosswalkRow]) (all []CrosswalkRow) {
	for row := range yielded {
		all = append(all, *row)
	}
	return all
}

// The rows are the same ones however the list is parted.
func TestCrosswalkInParts(t *testing.T) {
	records := []any{
		OktaUser{ID: "00u1", Login: "ana"}, OktaUser{ID: "00u2", Login: "bo"}, OktaUser{ID: "00u3", Login: "cy"}, OktaGroup{ID: "00g1", Name: "One"},
		DatabricksUser{ID: "1", UserName: "ana"}, DatabricksUser{ID: "2", UserName: "dee"}, DatabricksGroup{ID: "3", DisplayName: "Two"},
		DatabricksGroup{ID: "4", DisplayName: "Three"}, DatabricksServicePrincipal{ID: "5"},
	}
	for _, in := range Inputs() {
		records = append(records, Reading{Input: in, Asked: true, Complete: true})
	}
	ix := NewIndex(snapshotOf(t, records...), Settings{})
	list := crosswalk(ix, ix, true)
	whole := rowsOf(list.All())
	if len(whole) != 8 {
		t.Fatalf("%d rows", len(whole))
	}
	for at := range list.places + 1 {
		if got := slices.Concat(rowsOf(list.within(0, at)), rowsOf(list.within(at, list.places))); !slices.Equal(got, whole) {
			t.Errorf("in two parts, at %d: %v, want %v", at, got, whole)
		}
	}
}
