package audit

import "iter"

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
