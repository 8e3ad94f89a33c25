package audit

import (
	"fmt"
	"maps"
	"testing"

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
