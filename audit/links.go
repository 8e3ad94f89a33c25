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

// A linkIndex knows who holds which externalId. Ids are compared byte for byte.
type linkIndex struct {
	keys    keys              // externalIds, and the ids of Okta objects
	object  [kindEnd][]int32  // by Okta kind and key: the object whose id it is, or none
	id      [kindEnd][]int32  // by Okta kind and object: its key
	held    [kindEnd][]int32  // by Databricks kind and object: the key of its externalId, or none
	holders [kindEnd]postings // by Databricks kind and key
}

func newLinkIndex(s *Snapshot) linkIndex {
	x := linkIndex{keys: keys{}}
	number := func(k Kind, n int, id func(i int) string) []int32 {
		of := make([]int32, n)
		for i := range n {
			of[i] = x.keys.number(id(i))
		}
		return of
	}
	x.id[OktaUserKind] = number(OktaUserKind, s.OktaUsers.Len(), s.OktaUsers.Key)
	x.id[OktaGroupKind] = number(OktaGroupKind, s.OktaGroups.Len(), s.OktaGroups.Key)
	x.id[OktaAppKind] = number(OktaAppKind, s.OktaApps.Len(), s.OktaApps.Key)
	x.held[DatabricksUserKind] = number(DatabricksUserKind, s.DatabricksUsers.Len(),
		func(i int) string { return s.DatabricksUsers.At(i).ExternalID })
	x.held[DatabricksGroupKind] = number(DatabricksGroupKind, s.DatabricksGroups.Len(),
		func(i int) string { return s.DatabricksGroups.At(i).ExternalID })
	x.held[DatabricksServicePrincipalKind] = number(DatabricksServicePrincipalKind, s.DatabricksServicePrincipals.Len(),
		func(i int) string { return s.DatabricksServicePrincipals.At(i).ExternalID })
	for _, l := range linkedKinds {
		x.object[l.okta] = make([]int32, len(x.keys))
		for i := range x.object[l.okta] {
			x.object[l.okta][i] = none
		}
		for i, key := range x.id[l.okta] {
			x.object[l.okta][key] = int32(i)
		}
	}
	return x.post()
}

// post lists the holders of each externalId.
func (x linkIndex) post() linkIndex {
	for _, l := range linkedKinds {
		held := x.held[l.databricks]
		x.holders[l.databricks] = newPostings(len(x.keys), len(held), func(i int) (int32, int32) { return held[i], none })
	}
	return x
}

// ExternalID returns the externalId of a Databricks object as the snapshot has it.
func (ix *Index) ExternalID(d Ref) string {
	switch d.Kind {
	case DatabricksUserKind:
		return ix.DatabricksUser(d).ExternalID
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
	okta := counterpart(d.Kind)
	if key := ix.links.held[d.Kind][d.n]; key != none {
		if n := ix.links.object[okta][key]; n != none {
			return Ref{okta, n}, true
		}
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
	case ix.Live(o):
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
		for key := range int32(len(ix.links.keys)) {
			if refs := ix.holdersOf(key); several(refs) && !yield(slices.Collect(refs)) {
				return
			}
		}
	}
}

func (ix *Index) holdersOf(key int32) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, l := range linkedKinds {
			for _, n := range ix.links.holders[l.databricks].of(key) {
				if !yield(Ref{l.databricks, n}) {
					return
				}
			}
		}
	}
}

// several reports whether a sequence has at least two elements.
func several(refs iter.Seq[Ref]) bool {
	n := 0
	for range refs {
		if n++; n == 2 {
			return true
		}
	}
	return false
}

// afterwards returns the index as if the approved operations had been applied.
func (ix *Index) afterwards(ops []Operation) *Index {
	after := *ix
	after.links.held = [kindEnd][]int32{}
	for _, l := range linkedKinds {
		after.links.held[l.databricks] = append([]int32(nil), ix.links.held[l.databricks]...)
	}
	for _, op := range ops {
		if op.Decision != Approve || op.Field != "externalId" {
			continue
		}
		if d, ok := ix.find(op.Target); ok {
			after.links.held[d.Kind][d.n] = ix.links.keys.number(op.To)
		}
	}
	after.links = after.links.post()
	return &after
}
