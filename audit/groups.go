package audit

import (
	"iter"
	"slices"
)

// SharedGroupNames yields the managed Databricks groups of every folded name that
// two or more of them have, in no order.
func (ix *Index) SharedGroupNames() iter.Seq[[]Ref] {
	return func(yield func([]Ref) bool) {
		for key := range int32(ix.groups.n) {
			groups := ix.filterGroups(key, ix.Managed)
			if len(groups) > 1 && !yield(groups) {
				return
			}
		}
	}
}

// AccountGroupsNamedLike returns the groups of the account, the system's among
// them, that have the folded name of a workspace's group.
func (ix *Index) AccountGroupsNamedLike(g Ref) []Ref {
	return ix.filterGroups(ix.groups.name[g.n], func(r Ref) bool { return !ix.DatabricksGroup(r).WorkspaceLocal() })
}

func (ix *Index) filterGroups(name int32, keep func(Ref) bool) []Ref {
	var groups []Ref
	for g := range (Refs{DatabricksGroupKind, ix.groups.local.of(name)}).All() {
		if keep(g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// A MemberDrift is how AIM would change the members of a Databricks group.
type MemberDrift struct {
	Gain    []Ref // live Okta users in the Okta group alone
	Lose    []Ref // Databricks users whose Okta user is not in the Okta group
	Unknown []Ref // Databricks members that Okta doesn't know

	Strangers []string // ids of Databricks members that are in no listing
}

// MemberDrift compares the members of a Databricks group with those of the Okta
// group. Both must have been read.
func (ix *Index) MemberDrift(g, o Ref) MemberDrift {
	inOkta := map[Ref]bool{}
	for id := range ix.oktaMembers(o) {
		if u, ok := ix.find(Subject{OktaUserKind, id}); ok {
			inOkta[u] = true
		}
	}
	var drift MemberDrift
	here := map[Ref]bool{}
	for id, d := range ix.members(g) {
		if d == (Ref{}) {
			drift.Strangers = append(drift.Strangers, id)
			continue
		}
		u, known := Ref{}, false
		if d.Kind == DatabricksUserKind {
			u, known = ix.OktaOf(d)
		}
		switch {
		case !known:
			drift.Unknown = append(drift.Unknown, d)
		case !inOkta[u]:
			drift.Lose = append(drift.Lose, d)
		}
		here[u] = known
	}
	for u := range inOkta {
		if ix.Live(u) && !here[u] {
			drift.Gain = append(drift.Gain, u)
		}
	}
	slices.SortFunc(drift.Gain, Ref.Compare)
	return drift
}

// oktaMembers yields the ids of an Okta group's members.
func (ix *Index) oktaMembers(o Ref) iter.Seq[string] {
	return func(yield func(string) bool) {
		i, ok := ix.OktaMembers.Find(ix.Subject(o).ID)
		if !ok {
			return
		}
		for m := range ix.OktaMembers.At(i).Members.All() {
			if !yield(m.Value) {
				return
			}
		}
	}
}

// members yields the ids of the direct members of a Databricks group, and their
// places; the zero Ref for what is in no listing.
func (ix *Index) members(g Ref) iter.Seq2[string, Ref] {
	return func(yield func(string, Ref) bool) {
		i, ok := ix.DatabricksMembers.Find(ix.Subject(g).ID)
		if !ok {
			return
		}
		for m := range ix.DatabricksMembers.At(i).Members.All() {
			if !yield(m.Value, ix.principal(m.Value)) {
				return
			}
		}
	}
}

// principal returns the Databricks user, group or service principal of an id.
func (ix *Index) principal(id string) Ref {
	for _, k := range []Kind{DatabricksUserKind, DatabricksGroupKind, DatabricksServicePrincipalKind} {
		if r, ok := ix.find(Subject{k, id}); ok {
			return r
		}
	}
	return Ref{}
}

// GroupsAbove yields the Databricks groups that d is in, directly or through
// groups within groups, in order.
func (ix *Index) GroupsAbove(d Ref) iter.Seq[Ref] {
	above := map[Ref]bool{}
	for next := []Ref{d}; len(next) > 0; next = next[1:] {
		for _, g := range ix.within()[next[0]] {
			if !above[g] {
				above[g] = true
				next = append(next, g)
			}
		}
	}
	groups := make([]Ref, 0, len(above))
	for g := range above {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, Ref.Compare)
	return slices.Values(groups)
}

// memberships turns the groups' members round.
func (ix *Index) memberships() map[Ref][]Ref {
	within := map[Ref][]Ref{}
	for g := range ix.All(DatabricksGroupKind) {
		for _, m := range ix.members(g) {
			within[m] = append(within[m], g)
		}
	}
	return within
}
