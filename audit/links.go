package audit

import (
	"iter"
	"slices"
)

// linkedKinds pairs each Databricks kind that has an externalId with the Okta
// kind whose ids link it.
var linkedKinds = [...]struct{ databricks, okta Kind }{
	{DatabricksGroupKind, OktaGroupKind},
	{DatabricksServicePrincipalKind, OktaAppKind},
	{DatabricksUserKind, OktaUserKind},
}

// counterpart returns the Okta kind whose ids link the Databricks kind.
func counterpart(k Kind) Kind {
	for _, l := range linkedKinds {
		if l.databricks == k {
			return l.okta
		}
	}
	return 0
}

// A linkIndex knows who holds which externalId. Ids are compared byte for byte;
// the same id has the same number everywhere in it.
type linkIndex struct {
	n       int              // distinct ids
	id      [kindEnd][]int32 // by Okta kind and object: its id
	held    [kindEnd][]int32 // by Databricks kind and object: its externalId, or none
	linked  [kindEnd][]int32 // by Databricks kind and object: the Okta object of the counterpart kind whose id it holds, or none
	holders postings         // by id: the objects that hold it, each counted through the Databricks kinds
	before  [kindEnd]int32   // by Databricks kind: the objects of the kinds before it

	moved map[int32][]int32 // in place of holders, of the ids that change hands: see [Index.afterwards]
}

func newLinkIndex(s *Snapshot) linkIndex {
	var x linkIndex
	var ids []sum
	hash := newSummer()
	from := [kindEnd]int{}
	take := func(k Kind, n int, id func(i int) string) {
		from[k] = len(ids)
		ids = slices.Grow(ids, n)[:len(ids)+n]
		inParts(n, fewObjects, func(first, end int) {
			for i := first; i < end; i++ {
				ids[from[k]+i] = hash.of(id(i))
			}
		})
	}
	externalID := func(i int) (externalID string) {
		var id, userName string
		s.DatabricksUsers.begin(i, &id, &userName, &externalID)
		return externalID
	}
	ids = make([]sum, 0, s.OktaUsers.Len()+s.DatabricksUsers.Len())
	take(OktaUserKind, s.OktaUsers.Len(), s.OktaUsers.Key)
	take(OktaGroupKind, s.OktaGroups.Len(), s.OktaGroups.Key)
	take(OktaAppKind, s.OktaApps.Len(), s.OktaApps.Key)
	take(DatabricksUserKind, s.DatabricksUsers.Len(), externalID)
	take(DatabricksGroupKind, s.DatabricksGroups.Len(), func(i int) string { return s.DatabricksGroups.At(i).ExternalID })
	take(DatabricksServicePrincipalKind, s.DatabricksServicePrincipals.Len(),
		func(i int) string { return s.DatabricksServicePrincipals.At(i).ExternalID })
	var of []int32
	of, x.n = number(ids)
	part := func(k Kind, n int) []int32 { return of[from[k] : from[k]+n : from[k]+n] }
	x.id[OktaUserKind] = part(OktaUserKind, s.OktaUsers.Len())
	x.id[OktaGroupKind] = part(OktaGroupKind, s.OktaGroups.Len())
	x.id[OktaAppKind] = part(OktaAppKind, s.OktaApps.Len())
	x.held[DatabricksUserKind] = part(DatabricksUserKind, s.DatabricksUsers.Len())
	x.held[DatabricksGroupKind] = part(DatabricksGroupKind, s.DatabricksGroups.Len())
	x.held[DatabricksServicePrincipalKind] = part(DatabricksServicePrincipalKind, s.DatabricksServicePrincipals.Len())
	for _, l := range linkedKinds {
		object := make([]int32, x.n) // by id
		for i := range object {
			object[i] = none
		}
		for i, id := range x.id[l.okta] {
			object[id] = int32(i)
		}
		x.linked[l.databricks] = make([]int32, len(x.held[l.databricks]))
		for i, id := range x.held[l.databricks] {
			x.linked[l.databricks][i] = none
			if id != none {
				x.linked[l.databricks][i] = object[id]
			}
		}
	}
	x.post()
	return x
}

// post lists the holders of each externalId.
func (x *linkIndex) post() {
	var all int32
	for _, l := range linkedKinds {
		x.before[l.databricks] = all
		all += int32(len(x.held[l.databricks]))
	}
	groups, principals := x.held[DatabricksGroupKind], x.held[DatabricksServicePrincipalKind]
	users := x.held[DatabricksUserKind]
	x.holders = newPostings(x.n, int(all), func(i int) (int32, int32) {
		switch {
		case i < len(groups):
			return groups[i], none
		case i < len(groups)+len(principals):
			return principals[i-len(groups)], none
		}
		return users[i-len(groups)-len(principals)], none
	})
}

// heldBy lists the objects that hold the id, as [linkIndex.holder] counts them.
func (x *linkIndex) heldBy(id int32) []int32 {
	if list, ok := x.moved[id]; ok {
		return list
	}
	return x.holders.of(id)
}

// holder returns the object that the list of holders counts as n.
func (x *linkIndex) holder(n int32) Ref {
	for i := len(linkedKinds) - 1; i > 0; i-- {
		if k := linkedKinds[i].databricks; n >= x.before[k] {
			return Ref{k, n - x.before[k]}
		}
	}
	return Ref{linkedKinds[0].databricks, n}
}

// ExternalID returns the externalId of a Databricks object as the snapshot has it.
func (ix *Index) ExternalID(d Ref) string {
	switch d.Kind {
	case DatabricksUserKind:
		var id, userName, externalID string
		ix.DatabricksUsers.begin(int(d.n), &id, &userName, &externalID)
		return externalID
	case DatabricksGroupKind:
		return ix.DatabricksGroup(d).ExternalID
	case DatabricksServicePrincipalKind:
		return ix.DatabricksServicePrincipal(d).ExternalID
	}
	return ""
}

// LinkedTo returns the Okta object of the counterpart kind, live or not, whose
// id is d's externalId.
func (ix *Index) LinkedTo(d Ref) (Ref, bool) {
	if n := ix.links.linked[d.Kind][d.n]; n != none {
		return Ref{counterpart(d.Kind), n}, true
	}
	return Ref{}, false
}

// LinkState returns what d's externalId is. It is blank for a service principal
// while Okta's apps are not known.
func (ix *Index) LinkState(d Ref) LinkState {
	if d.Kind == DatabricksServicePrincipalKind && !ix.Complete(OktaApps) {
		return NoLinkState
	}
	if ix.links.held[d.Kind][d.n] == none {
		return Unlinked
	}
	o, ok := ix.LinkedTo(d)
	switch {
	case !ok:
		return Stale
	case ix.is(d, settled), ix.Live(o):
		return LinkedLive
	}
	return LinkedInactive
}

// Holders yields the Databricks objects of any kind whose externalId is the id
// of the Okta object o.
func (ix *Index) Holders(o Ref) iter.Seq[Ref] { return ix.holdersOf(ix.links.id[o.Kind][o.n]) }

// SameExternalID yields the Databricks objects of any kind that have d's
// externalId, d among them; none where it is blank.
func (ix *Index) SameExternalID(d Ref) iter.Seq[Ref] { return ix.holdersOf(ix.links.held[d.Kind][d.n]) }

// SharedExternalIDs yields the objects that hold each externalId that two or more
// of them hold, in no order.
func (ix *Index) SharedExternalIDs() iter.Seq[[]Ref] {
	return func(yield func([]Ref) bool) {
		for id := range int32(ix.links.n) {
			if len(ix.links.heldBy(id)) > 1 && !yield(slices.Collect(ix.holdersOf(id))) {
				return
			}
		}
	}
}

func (ix *Index) holdersOf(id int32) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, n := range ix.links.heldBy(id) {
			if !yield(ix.links.holder(n)) {
				return
			}
		}
	}
}

// shared reports whether another object has d's externalId.
func (ix *Index) shared(d Ref) bool {
	if d.Kind == DatabricksUserKind {
		return ix.is(d, sharing)
	}
	return len(ix.links.heldBy(ix.links.held[d.Kind][d.n])) > 1
}

// knownID returns the number of an id of an Okta object, or held as externalId;
// none where nobody has it.
func (ix *Index) knownID(id string) int32 {
	for _, l := range linkedKinds {
		if o, ok := ix.find(Subject{l.okta, id}); ok {
			return ix.links.id[l.okta][o.n]
		}
	}
	for _, l := range linkedKinds {
		for d := range ix.All(l.databricks) {
			if id != "" && ix.ExternalID(d) == id {
				return ix.links.held[d.Kind][d.n]
			}
		}
	}
	return none
}

// afterwards returns the index as if the approved operations had been applied,
// outcomes included, which [Index.foresee] must have worked out for ix.
func (ix *Index) afterwards(ops []Operation) *Index {
	after := *ix
	for _, l := range linkedKinds {
		after.links.held[l.databricks] = slices.Clone(ix.links.held[l.databricks])
		after.links.linked[l.databricks] = slices.Clone(ix.links.linked[l.databricks])
	}
	unknown := map[string]int32{} // ids that nobody has so far
	changed := map[Ref]bool{}
	for _, op := range ops {
		if op.Decision != Approve || op.Field != "externalId" {
			continue
		}
		d, ok := ix.find(op.Target)
		if !ok {
			continue
		}
		changed[d] = true
		after.links.linked[d.Kind][d.n] = none
		if o, ok := ix.find(Subject{counterpart(d.Kind), op.To}); ok {
			after.links.held[d.Kind][d.n] = ix.links.id[o.Kind][o.n]
			after.links.linked[d.Kind][d.n] = o.n
			continue
		}
		id, seen := unknown[op.To]
		if !seen {
			id = ix.knownID(op.To)
		}
		if id == none && op.To != "" {
			id = int32(after.links.n)
			after.links.n++
			unknown[op.To] = id
		}
		after.links.held[d.Kind][d.n] = id
	}
	after.links.move(&ix.links, changed)
	for id := range after.links.moved { // what becomes of an identity depends on no other that has not its id
		for d := range after.holdersOf(id) {
			changed[d] = true
		}
	}
	after.users = slices.Clone(ix.users)
	for d := range changed {
		if d.Kind == DatabricksUserKind {
			after.users[d.n] = after.linkedStanding(d, after.users[d.n])
		}
	}
	for _, k := range foreseen {
		after.outcomes[k] = slices.Clone(ix.outcomes[k])
	}
	for d := range changed {
		after.foreseeOne(d)
		for _, links := range []*linkIndex{&ix.links, &after.links} { // and to whom it was and is linked
			if o := links.linked[d.Kind][d.n]; o != none {
				after.foreseeOne(Ref{counterpart(d.Kind), o})
			}
		}
	}
	return &after
}

// move lists the holders of the ids that the changed objects held before, or hold now.
func (x *linkIndex) move(before *linkIndex, changed map[Ref]bool) {
	x.moved = map[int32][]int32{}
	for d := range changed {
		was, id := before.held[d.Kind][d.n], x.held[d.Kind][d.n]
		for _, id := range []int32{was, id} {
			if _, done := x.moved[id]; !done && id != none {
				x.moved[id] = slices.DeleteFunc(slices.Clone(before.holders.of(id)), func(n int32) bool {
					h := x.holder(n)
					return x.held[h.Kind][h.n] != id
				})
			}
		}
	}
	for d := range changed {
		if id := x.held[d.Kind][d.n]; id != none && id != before.held[d.Kind][d.n] {
			x.moved[id] = append(x.moved[id], x.before[d.Kind]+d.n)
		}
	}
	for _, list := range x.moved {
		slices.Sort(list)
	}
}

// fetchOwners touches the records of the Okta users that so many Databricks objects
// are linked to, from one on: memory is slow to answer, but answers many questions
// at once. What it returns means nothing: a compiler that looked inside would see
// that, and leave the touching out.
//
//go:noinline
func (ix *Index) fetchOwners(k Kind, from, n int32) (touched byte) {
	if k != DatabricksUserKind {
		return 0
	}
	linked := ix.links.linked[k]
	for _, o := range linked[from:min(from+n, int32(len(linked)))] {
		if o != none {
			record := ix.OktaUsers.packedAt(int(o))
			touched += record[0] + record[min(64, len(record)-1)]
		}
	}
	return touched
}

// fetchUsers touches the records of Databricks users.
//
//go:noinline
func (ix *Index) fetchUsers(places []int32) (touched byte) {
	for _, d := range places {
		record := ix.DatabricksUsers.packedAt(int(d))
		touched += record[0] + record[min(64, len(record)-1)]
	}
	return touched
}
