package audit

import (
	"cmp"
	"slices"
)

// A Lookalike is a cluster of user names of different people that look alike or
// are the same under full case folding, though not under [Fold].
type Lookalike struct {
	Skeleton string // the smallest, where names of several skeletons meet
	Holders  []Ref  // Okta and Databricks users who have one of the names
}

// Lookalikes returns the clusters, ordered by skeleton. Names belong to one
// person when users of any status tie them, by id or by name.
func (ix *Index) Lookalikes() []Lookalike {
	person := ix.people()
	skeleton := make([]string, len(ix.names.keys))
	looks, folds := map[string][]int32{}, map[string][]int32{}
	for name, key := range ix.names.keys {
		skeleton[key] = Skeleton(name)
		looks[skeleton[key]] = append(looks[skeleton[key]], key)
		if full := FullFold(name); full != name {
			folds[full] = append(folds[full], key)
		}
	}
	for full, keys := range folds { // a name that folds to itself may be the other one
		if key := ix.names.keys.find(full); key != none {
			folds[full] = append(keys, key)
		}
	}
	cluster := newSets(len(skeleton))
	clustered := map[int32]bool{}
	for _, groups := range []map[string][]int32{looks, folds} {
		for _, keys := range groups {
			if len(keys) < 2 || !slices.ContainsFunc(keys, func(k int32) bool { return person.of(k) != person.of(keys[0]) }) {
				continue
			}
			for _, k := range keys {
				cluster.join(keys[0], k)
				clustered[k] = true
			}
		}
	}
	byRoot := map[int32]*Lookalike{}
	for k := range clustered {
		l := byRoot[cluster.of(k)]
		if l == nil {
			l = &Lookalike{Skeleton: skeleton[k]}
			byRoot[cluster.of(k)] = l
		}
		l.Skeleton = min(l.Skeleton, skeleton[k])
		l.Holders = slices.AppendSeq(l.Holders, Refs{OktaUserKind, ix.names.okta.of(k)}.All())
		l.Holders = slices.AppendSeq(l.Holders, Refs{DatabricksUserKind, ix.names.users.of(k)}.All())
	}
	var all []Lookalike
	for _, l := range byRoot {
		slices.SortFunc(l.Holders, Ref.Compare)
		l.Holders = slices.Compact(l.Holders)
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Lookalike) int { return cmp.Compare(a.Skeleton, b.Skeleton) })
	return all
}

// people ties the names that belong to one person.
func (ix *Index) people() sets {
	people := newSets(len(ix.names.keys))
	for o := range ix.All(OktaUserKind) {
		people.join(ix.names.login[o.n], ix.names.email[o.n])
	}
	byID := map[int32]int32{} // the first name tied to each externalId
	for d := range ix.All(DatabricksUserKind) {
		name, id := ix.names.userName[d.n], ix.links.held[d.Kind][d.n]
		if o, ok := ix.LinkedTo(d); ok {
			people.join(name, ix.names.login[o.n])
			people.join(name, ix.names.email[o.n])
		}
		if name == none || id == none {
			continue
		}
		if first, ok := byID[id]; ok {
			people.join(first, name)
		} else {
			byID[id] = name
		}
	}
	return people
}

// sets are disjoint sets of small numbers.
type sets []int32

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}

// of returns the number that stands for i's set.
func (s sets) of(i int32) int32 {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

// join makes one set of i's and j's; none is in no set.
func (s sets) join(i, j int32) {
	if i == none || j == none {
		return
	}
	i, j = s.of(i), s.of(j)
	s[max(i, j)] = min(i, j)
}
