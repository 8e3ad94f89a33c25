package audit

import (
	"iter"
	"slices"
)

// A memberIndex knows who the direct members of Databricks groups are, and the
// groups that each principal is in. Companies have millions of memberships: four
// bytes are kept for each, both ways.
type memberIndex struct {
	listed  []int32 // by record of members, and one more: where its members begin in members
	members []int32 // numbers of principals, as the records list them; none for what is in no listing
	grouped []int32 // by principal, and one more: where its groups begin in groups
	groups  []int32 // places of groups, in order
}

// principalKinds are the kinds of what can be a member, in the order in which an
// id is looked for, and in which principals are numbered.
var principalKinds = [...]Kind{DatabricksUserKind, DatabricksGroupKind, DatabricksServicePrincipalKind}

func newMemberIndex(ix *Index) *memberIndex {
	x := &memberIndex{}
	records := ix.DatabricksMembers.Len()
	if records == 0 {
		return x
	}
	x.listed = make([]int32, records+1)
	inParts(records, 1, func(from, to int) {
		for i := from; i < to; i++ {
			x.listed[i+1] = int32(ix.DatabricksMembers.At(i).Members.Len())
		}
	})
	addUp(x.listed)
	x.members = make([]int32, x.listed[records])
	inParts(records, 1, func(from, to int) {
		for i := from; i < to; i++ {
			at := x.listed[i]
			for m := range ix.DatabricksMembers.At(i).Members.All() {
				x.members[at] = ix.principal(m.Value)
				at++
			}
		}
	})
	x.turnRound(ix)
	return x
}

// turnRound lists the groups of each principal.
func (x *memberIndex) turnRound(ix *Index) {
	principals := 0
	for _, k := range principalKinds {
		principals += ix.Len(k)
	}
	x.grouped = make([]int32, principals+1)
	for g := range ix.All(DatabricksGroupKind) {
		for _, m := range x.of(ix, g) {
			if m != none {
				x.grouped[m+1]++
			}
		}
	}
	addUp(x.grouped)
	x.groups = make([]int32, x.grouped[principals])
	next := slices.Clone(x.grouped)
	for g := range ix.All(DatabricksGroupKind) {
		for _, m := range x.of(ix, g) {
			if m != none {
				x.groups[next[m]] = g.n
				next[m]++
			}
		}
	}
}

// addUp makes of numbers, each behind the place it belongs to, where each begins.
func addUp(numbers []int32) {
	for i := 1; i < len(numbers); i++ {
		numbers[i] += numbers[i-1]
	}
}

// of returns the members of a Databricks group.
func (x *memberIndex) of(ix *Index, g Ref) []int32 {
	i, ok := ix.DatabricksMembers.Find(ix.Subject(g).ID)
	if !ok {
		return nil
	}
	return x.members[x.listed[i]:x.listed[i+1]]
}

// principal returns the number of the Databricks user, group or service principal
// of an id; none where no listing has it.
func (ix *Index) principal(id string) int32 {
	for _, k := range principalKinds {
		if r, ok := ix.find(Subject{k, id}); ok {
			return ix.firstPrincipal(k) + r.n
		}
	}
	return none
}

// principalOf returns the principal of a number.
func (ix *Index) principalOf(number int32) (r Ref) {
	for _, k := range principalKinds {
		if first := ix.firstPrincipal(k); number >= first {
			r = Ref{k, number - first}
		}
	}
	return r
}

// firstPrincipal is the number of the first principal of a kind.
func (ix *Index) firstPrincipal(kind Kind) (first int32) {
	for _, k := range principalKinds {
		if k == kind {
			break
		}
		first += int32(ix.Len(k))
	}
	return first
}

// directGroups returns the Databricks groups whose members list the principal d.
func (ix *Index) directGroups(d Ref) Refs {
	x := ix.members()
	if x.grouped == nil {
		return Refs{DatabricksGroupKind, nil}
	}
	n := ix.firstPrincipal(d.Kind) + d.n
	return Refs{DatabricksGroupKind, x.groups[x.grouped[n]:x.grouped[n+1]]}
}

// GroupsAbove yields the Databricks groups that d is in, directly or through
// groups within groups, in order.
func (ix *Index) GroupsAbove(d Ref) iter.Seq[Ref] {
	above := map[Ref]bool{}
	for next := []Ref{d}; len(next) > 0; next = next[1:] {
		for g := range ix.directGroups(next[0]).All() {
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
	inOkta, here := ix.oktaMembers(o), []int32{} // Okta users, in order
	var drift MemberDrift
	for id, d := range ix.membersOf(g) {
		if d == (Ref{}) {
			drift.Strangers = append(drift.Strangers, id)
			continue
		}
		u, known := Ref{}, false
		if d.Kind == DatabricksUserKind {
			u, known = ix.OktaOf(d)
		}
		if !known {
			drift.Unknown = append(drift.Unknown, d)
			continue
		}
		if _, ok := slices.BinarySearch(inOkta, u.n); !ok {
			drift.Lose = append(drift.Lose, d)
		}
		here = append(here, u.n)
	}
	slices.Sort(here)
	for _, n := range inOkta {
		u := Ref{OktaUserKind, n}
		if _, ok := slices.BinarySearch(here, n); !ok && ix.Live(u) {
			drift.Gain = append(drift.Gain, u)
		}
	}
	return drift
}

// oktaMembers returns the places of an Okta group's members, in order, each once.
func (ix *Index) oktaMembers(o Ref) []int32 {
	i, ok := ix.OktaMembers.Find(ix.Subject(o).ID)
	if !ok {
		return nil
	}
	var users []int32
	for m := range ix.OktaMembers.At(i).Members.All() {
		if u, ok := ix.find(Subject{OktaUserKind, m.Value}); ok {
			users = append(users, u.n)
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// membersOf yields the ids of the direct members of a Databricks group, and who
// they are; the zero Ref for what is in no listing.
func (ix *Index) membersOf(g Ref) iter.Seq2[string, Ref] {
	return func(yield func(string, Ref) bool) {
		i, ok := ix.DatabricksMembers.Find(ix.Subject(g).ID)
		if !ok {
			return
		}
		x := ix.members()
		at := x.listed[i]
		for m := range ix.DatabricksMembers.At(i).Members.All() {
			var who Ref
			if n := x.members[at]; n != none {
				who = ix.principalOf(n)
			}
			if !yield(m.Value, who) {
				return
			}
			at++
		}
	}
}
