package audit

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
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
	cluster := newSets(ix.names.n)
	clustered := map[int32]bool{}
	for _, names := range ix.likeNames() {
		if !slices.ContainsFunc(names, func(k int32) bool { return person.of(k) != person.of(names[0]) }) {
			continue
		}
		for _, k := range names {
			cluster.join(names[0], k)
			clustered[k] = true
		}
	}
	byRoot := map[int32]*Lookalike{}
	for k := range clustered {
		skeleton := Skeleton(ix.name(k))
		l := byRoot[cluster.of(k)]
		if l == nil {
			l = &Lookalike{Skeleton: skeleton}
			byRoot[cluster.of(k)] = l
		}
		l.Skeleton = min(l.Skeleton, skeleton)
		l.Holders = slices.AppendSeq(l.Holders, Refs{OktaUserKind, ix.names.holders.of(k)}.All())
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

// name returns a name by its number.
func (ix *Index) name(key int32) string {
	if holders := ix.names.holders.of(key); len(holders) > 0 {
		var id, status, login, email string
		ix.OktaUsers.begin(int(holders[0]), &id, &status, &login, &email)
		email = orLike(email, login)
		state := ix.names.state[holders[0]]
		switch isLogin := ix.names.okta[holders[0]].login == key; {
		case isLogin && state&plainLogin != 0:
			return login
		case isLogin:
			return Fold(login)
		case state&plainEmail != 0:
			return email
		}
		return Fold(email)
	}
	return Fold(ix.Name(Ref{DatabricksUserKind, ix.names.users.of(key)[0]}))
}

// likeNames returns the names, two or more, that have one skeleton, and those that
// have one full case folding.
func (ix *Index) likeNames() [][]int32 {
	looks, seed := make([]uint64, ix.names.n), maphash.MakeSeed() // sums of skeletons
	var unlike []int32                                            // names that are not their own full folding,
	var fullLooks []uint64                                        // and the sums of that one's skeletons
	var lock sync.Mutex                                           // of both
	inParts(ix.names.n, fewObjects, func(from, to int) {
		var b []byte
		sum := func(name string) uint64 {
			b = appendSkeleton(b[:0], name)
			return maphash.Bytes(seed, b)
		}
		for k := from; k < to; k++ {
			name := ix.name(int32(k))
			looks[k] = sum(name)
			if full := FullFold(name); full != name {
				lock.Lock()
				unlike, fullLooks = append(unlike, int32(k)), append(fullLooks, sum(full))
				lock.Unlock()
			}
		}
	})
	twice := repeated(looks, fullLooks)
	var some []int32 // those that may be like another, with few others
	for k, sum := range looks {
		if twice.may(sum) {
			some = append(some, int32(k))
		}
	}
	for i, k := range unlike {
		if twice.may(fullLooks[i]) && !twice.may(looks[k]) {
			some = append(some, k)
		}
	}
	bySkeleton, byFolding := map[string][]int32{}, map[string][]int32{}
	for _, k := range some {
		name := ix.name(k)
		skeleton, full := Skeleton(name), FullFold(name)
		bySkeleton[skeleton], byFolding[full] = append(bySkeleton[skeleton], k), append(byFolding[full], k)
	}
	var like [][]int32
	for _, alike := range []map[string][]int32{bySkeleton, byFolding} {
		for _, names := range alike {
			if len(names) > 1 {
				like = append(like, names)
			}
		}
	}
	return like
}

// people ties the names that belong to one person.
func (ix *Index) people() sets {
	people := newSets(ix.names.n)
	for _, o := range ix.names.okta {
		people.join(o.login, o.email)
	}
	byID := slices.Repeat([]int32{none}, ix.links.n) // the first name tied to each externalId
	for d, name := range ix.names.userName {
		if o := ix.links.linked[DatabricksUserKind][d]; o != none {
			people.join(name, ix.names.okta[o].login)
			people.join(name, ix.names.okta[o].email)
		}
		id := ix.links.held[DatabricksUserKind][d]
		if name == none || id == none {
			continue
		}
		if first := byID[id]; first != none {
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
	if i == j {
		return
	}
	i, j = s.of(i), s.of(j)
	s[max(i, j)] = min(i, j)
}
