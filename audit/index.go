package audit

import (
	"cmp"
	"iter"
	"sync"
)

// A Ref is the place of an object in the snapshot. Refs mean nothing outside the
// index that gave them; a [Subject] does.
type Ref struct {
	Kind Kind
	n    int32
}

// Refs is a list of objects of one kind that shares the index's memory.
type Refs struct {
	kind Kind
	ns   []int32
}

// Len returns the number of objects.
func (r Refs) Len() int { return len(r.ns) }

// At returns object i.
func (r Refs) At(i int) Ref { return Ref{r.kind, r.ns[i]} }

// All yields the objects.
func (r Refs) All() iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, n := range r.ns {
			if !yield(Ref{r.kind, n}) {
				return
			}
		}
	}
}

// An Index answers what rules ask of a snapshot: who has which name, who holds
// which id, what each Databricks identity is linked to. It is built once and
// read-only afterwards. Everything it yields is in order of ids.
type Index struct {
	*Snapshot
	Settings Settings

	names  nameIndex
	groups groupIndex
	apps   appIndex
	links  linkIndex
	claim  claimIndex
	users  []standing // by Databricks user

	// Made when first asked for:
	oktaUsers, databricksUsers func() *finder
	members                    func() *memberIndex           // who is in which Databricks group
	like                       func() map[int32][]Suggestion // whom each Databricks user may be

	outcomes [kindEnd][]uint8 // by kind and object: numbers in outcomeOf, once they have been worked out
	collided [kindEnd][]bool  // subjects of collision rules, by kind and object, once those have run
}

// NewIndex builds the index of s.
func NewIndex(s *Snapshot, set Settings) *Index {
	ix := &Index{Snapshot: s, Settings: set.normal()}
	var names sync.WaitGroup
	names.Go(func() { ix.names = newNameIndex(s) })
	ix.links = newLinkIndex(s)
	ix.groups = newGroupIndex(s)
	ix.apps = newAppIndex(s)
	fullNames := newFullNames(s) // numbering names leaves a core idle
	names.Wait()
	ix.claim = newClaimIndex(s, ix.Settings)
	ix.users = newStandings(ix, fullNames)
	ix.oktaUsers = sync.OnceValue(func() *finder { return newFinder(s.OktaUsers.Len(), s.OktaUsers.Key) })
	ix.databricksUsers = sync.OnceValue(func() *finder { return newFinder(s.DatabricksUsers.Len(), s.DatabricksUsers.Key) })
	ix.members = sync.OnceValue(func() *memberIndex { return newMemberIndex(ix) })
	ix.like = sync.OnceValue(ix.likes)
	return ix
}

// A groupIndex knows the names of groups under [Fold].
type groupIndex struct {
	n        int      // distinct names
	name     []int32  // of each Databricks group
	oktaName []int32  // of each Okta group
	okta     postings // Okta groups by name
	local    postings // Databricks groups by name
}

func newGroupIndex(s *Snapshot) groupIndex {
	okta, local := s.OktaGroups.Len(), s.DatabricksGroups.Len()
	names, hash := make([]sum, 0, okta+local), newSummer()
	for _, g := range s.OktaGroups.All() {
		names = append(names, hash.of(Fold(g.Name)))
	}
	for _, g := range s.DatabricksGroups.All() {
		names = append(names, hash.of(Fold(g.DisplayName)))
	}
	of, n := number(names)
	x := groupIndex{n: n, oktaName: of[:okta], name: of[okta:]}
	x.okta = newPostings(n, okta, func(i int) (int32, int32) { return x.oktaName[i], none })
	x.local = newPostings(n, local, func(i int) (int32, int32) { return x.name[i], none })
	return x
}

// An appIndex knows which Okta apps each service principal may be.
type appIndex struct {
	of      [][]int32 // by service principal
	claimed []int32   // by app: how many service principals may be it
}

func newAppIndex(s *Snapshot) appIndex {
	clients, labelled := map[string][]int32{}, map[string][]int32{}
	for i, a := range s.OktaApps.All() {
		if a.Active() {
			label := Fold(a.Label)
			clients[a.ClientID] = append(clients[a.ClientID], int32(i))
			labelled[label] = append(labelled[label], int32(i))
		}
	}
	delete(clients, "")
	delete(labelled, "")
	x := appIndex{
		of:      make([][]int32, s.DatabricksServicePrincipals.Len()),
		claimed: make([]int32, s.OktaApps.Len()),
	}
	for i, p := range s.DatabricksServicePrincipals.All() {
		x.of[i] = clients[p.ApplicationID]
		if x.of[i] == nil {
			x.of[i] = labelled[Fold(p.DisplayName)]
		}
		for _, a := range x.of[i] {
			x.claimed[a]++
		}
	}
	return x
}

// All yields the objects of a kind.
func (ix *Index) All(k Kind) iter.Seq[Ref] { return ix.between(k, 0, ix.Len(k)) }

// between yields the objects of a kind from one place on, up to another.
func (ix *Index) between(k Kind, from, to int) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for n := int32(from); n < int32(to); n++ {
			if !yield(Ref{k, n}) {
				return
			}
		}
	}
}

// Len returns the number of objects of a kind.
func (ix *Index) Len(k Kind) int {
	switch k {
	case OktaUserKind:
		return ix.OktaUsers.Len()
	case OktaGroupKind:
		return ix.OktaGroups.Len()
	case OktaAppKind:
		return ix.OktaApps.Len()
	case DatabricksUserKind:
		return ix.DatabricksUsers.Len()
	case DatabricksGroupKind:
		return ix.DatabricksGroups.Len()
	case DatabricksServicePrincipalKind:
		return ix.DatabricksServicePrincipals.Len()
	case DatabricksWorkspaceKind:
		return ix.DatabricksWorkspaces.Len()
	}
	return 0
}

// Subject returns the name of r that outlives the index.
func (ix *Index) Subject(r Ref) Subject {
	var id string
	switch r.Kind {
	case OktaUserKind:
		id = ix.OktaUsers.Key(int(r.n))
	case OktaGroupKind:
		id = ix.OktaGroups.Key(int(r.n))
	case OktaAppKind:
		id = ix.OktaApps.Key(int(r.n))
	case DatabricksUserKind:
		id = ix.DatabricksUsers.Key(int(r.n))
	case DatabricksGroupKind:
		id = ix.DatabricksGroups.Key(int(r.n))
	case DatabricksServicePrincipalKind:
		id = ix.DatabricksServicePrincipals.Key(int(r.n))
	case DatabricksWorkspaceKind:
		id = ix.DatabricksWorkspaces.Key(int(r.n))
	}
	return Subject{r.Kind, id}
}

// Subjects returns the names of all objects of the sequences.
func (ix *Index) Subjects(seqs ...iter.Seq[Ref]) []Subject {
	var ss []Subject
	for _, seq := range seqs {
		for r := range seq {
			ss = append(ss, ix.Subject(r))
		}
	}
	return ss
}

// find returns the place of the object that s names, if the snapshot has it.
func (ix *Index) find(s Subject) (Ref, bool) {
	var n int
	var ok bool
	switch s.Kind {
	case OktaUserKind:
		n, ok = ix.oktaUsers().find(s.ID)
	case OktaGroupKind:
		n, ok = ix.OktaGroups.Find(s.ID)
	case OktaAppKind:
		n, ok = ix.OktaApps.Find(s.ID)
	case DatabricksUserKind:
		n, ok = ix.databricksUsers().find(s.ID)
	case DatabricksGroupKind:
		n, ok = ix.DatabricksGroups.Find(s.ID)
	case DatabricksServicePrincipalKind:
		n, ok = ix.DatabricksServicePrincipals.Find(s.ID)
	case DatabricksWorkspaceKind:
		n, ok = ix.DatabricksWorkspaces.Find(s.ID)
	}
	return Ref{s.Kind, int32(n)}, ok
}

// at is [Index.find] for an object of which the place may be known.
func (ix *Index) at(s Subject, place int32) (Ref, bool) {
	if place == none {
		return ix.find(s)
	}
	return Ref{s.Kind, place}, true
}

// Records are unpacked here, not by [Table.At]: through a type parameter each
// would be put on the heap.

// OktaUser returns the record of o.
func (ix *Index) OktaUser(o Ref) (u OktaUser) {
	u.unpack(ix.OktaUsers.packedAt(int(o.n)))
	return u
}

// OktaGroup returns the record of o.
func (ix *Index) OktaGroup(o Ref) (g OktaGroup) {
	g.unpack(ix.OktaGroups.packedAt(int(o.n)))
	return g
}

// OktaApp returns the record of o.
func (ix *Index) OktaApp(o Ref) (a OktaApp) {
	a.unpack(ix.OktaApps.packedAt(int(o.n)))
	return a
}

// DatabricksUser returns the record of d.
func (ix *Index) DatabricksUser(d Ref) (u DatabricksUser) {
	u.unpack(ix.DatabricksUsers.packedAt(int(d.n)))
	return u
}

// DatabricksGroup returns the record of d.
func (ix *Index) DatabricksGroup(d Ref) (g DatabricksGroup) {
	g.unpack(ix.DatabricksGroups.packedAt(int(d.n)))
	return g
}

// DatabricksServicePrincipal returns the record of d.
func (ix *Index) DatabricksServicePrincipal(d Ref) (p DatabricksServicePrincipal) {
	p.unpack(ix.DatabricksServicePrincipals.packedAt(int(d.n)))
	return p
}

// DatabricksWorkspace returns the record of w.
func (ix *Index) DatabricksWorkspace(w Ref) (v DatabricksWorkspace) {
	v.unpack(ix.DatabricksWorkspaces.packedAt(int(w.n)))
	return v
}

// Name returns what people call r: a userName, login, displayName, name or label.
func (ix *Index) Name(r Ref) string {
	switch r.Kind {
	case OktaUserKind:
		var id, status, login string
		ix.OktaUsers.begin(int(r.n), &id, &status, &login)
		return login
	case OktaGroupKind:
		return ix.OktaGroup(r).Name
	case OktaAppKind:
		return ix.OktaApp(r).Label
	case DatabricksUserKind:
		var id, userName string
		ix.DatabricksUsers.begin(int(r.n), &id, &userName)
		return userName
	case DatabricksGroupKind:
		return ix.DatabricksGroup(r).DisplayName
	case DatabricksServicePrincipalKind:
		return ix.DatabricksServicePrincipal(r).DisplayName
	case DatabricksWorkspaceKind:
		return ix.DatabricksWorkspace(r).Name
	}
	return ""
}

// Status returns the status of an Okta user.
func (ix *Index) Status(o Ref) (status string) {
	var id string
	ix.OktaUsers.begin(int(o.n), &id, &status)
	return status
}

// Live reports whether an Okta object is there for AIM: any user but a
// DEPROVISIONED one, any group, any app.
func (ix *Index) Live(o Ref) bool {
	return o.Kind != OktaUserKind || ix.names.state[o.n]&isLive != 0
}

// Suspended reports whether an Okta user is SUSPENDED.
func (ix *Index) Suspended(o Ref) bool {
	return o.Kind == OktaUserKind && ix.names.state[o.n]&isSuspended != 0
}

// Compare orders refs as their subjects are ordered.
func (r Ref) Compare(s Ref) int { return cmp.Or(cmp.Compare(r.Kind, s.Kind), cmp.Compare(r.n, s.n)) }
