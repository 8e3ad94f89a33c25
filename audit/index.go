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

// none is the key of a blank text: it is equal to nothing.
const none int32 = -1

// keys numbers distinct texts, so that the rest of the index compares numbers.
type keys map[string]int32

func (k keys) number(text string) int32 {
	if text == "" {
		return none
	}
	n, ok := k[text]
	if !ok {
		n = int32(len(k))
		k[text] = n
	}
	return n
}

func (k keys) find(text string) int32 {
	if n, ok := k[text]; ok {
		return n
	}
	return none
}

// postings lists, for each key, the objects that have it.
type postings struct {
	start []int32
	items []int32
}

// newPostings lists n objects under the keys that each yields, in object order.
// An object that yields a key twice is listed once.
func newPostings(nkeys, n int, of func(i int) (a, b int32)) postings {
	p := postings{start: make([]int32, nkeys+1)}
	each := func(visit func(key int32, i int)) {
		for i := range n {
			a, b := of(i)
			if a != none {
				visit(a, i)
			}
			if b != none && b != a {
				visit(b, i)
			}
		}
	}
	each(func(key int32, _ int) { p.start[key+1]++ })
	for k := range nkeys {
		p.start[k+1] += p.start[k]
	}
	p.items = make([]int32, p.start[nkeys])
	next := append([]int32(nil), p.start[:nkeys]...)
	each(func(key int32, i int) {
		p.items[next[key]] = int32(i)
		next[key]++
	})
	return p
}

func (p postings) of(key int32) []int32 {
	if key == none || int(key)+1 >= len(p.start) {
		return nil
	}
	return p.items[p.start[key]:p.start[key+1]]
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
	within func() map[Ref][]Ref // the Databricks groups that each member is in directly, made when first asked for

	collided map[Ref]bool // subjects of collision rules, once those have run
}

// NewIndex builds the index of s.
func NewIndex(s *Snapshot, set Settings) *Index {
	ix := &Index{Snapshot: s, Settings: set.normal(), collided: map[Ref]bool{}}
	ix.names = newNameIndex(s)
	ix.groups = newGroupIndex(s)
	ix.apps = newAppIndex(s)
	ix.links = newLinkIndex(s)
	ix.claim = newClaimIndex(s, ix.Settings)
	ix.within = sync.OnceValue(ix.memberships)
	return ix
}

// A nameIndex knows logins, emails and userNames under [Fold].
type nameIndex struct {
	keys     keys
	login    []int32 // of each Okta user
	email    []int32
	userName []int32  // of each Databricks user
	okta     postings // Okta users by login and email
	live     postings // those of them that are live
	users    postings // Databricks users by userName
}

func newNameIndex(s *Snapshot) nameIndex {
	x := nameIndex{
		keys:     keys{},
		login:    make([]int32, s.OktaUsers.Len()),
		email:    make([]int32, s.OktaUsers.Len()),
		userName: make([]int32, s.DatabricksUsers.Len()),
	}
	live := make([]bool, s.OktaUsers.Len())
	for i, o := range s.OktaUsers.All() {
		x.login[i] = x.keys.number(Fold(o.Login))
		x.email[i] = x.keys.number(Fold(o.Email))
		live[i] = o.Live()
	}
	for i, d := range s.DatabricksUsers.All() {
		x.userName[i] = x.keys.number(Fold(d.UserName))
	}
	x.okta = newPostings(len(x.keys), len(x.login), func(i int) (int32, int32) { return x.login[i], x.email[i] })
	x.live = newPostings(len(x.keys), len(x.login), func(i int) (int32, int32) {
		if !live[i] {
			return none, none
		}
		return x.login[i], x.email[i]
	})
	x.users = newPostings(len(x.keys), len(x.userName), func(i int) (int32, int32) { return x.userName[i], none })
	return x
}

// A groupIndex knows the names of groups under [Fold].
type groupIndex struct {
	keys     keys
	name     []int32  // of each Databricks group
	oktaName []int32  // of each Okta group
	okta     postings // Okta groups by name
	local    postings // Databricks groups by name
}

func newGroupIndex(s *Snapshot) groupIndex {
	x := groupIndex{
		keys:     keys{},
		name:     make([]int32, s.DatabricksGroups.Len()),
		oktaName: make([]int32, s.OktaGroups.Len()),
	}
	for i, g := range s.OktaGroups.All() {
		x.oktaName[i] = x.keys.number(Fold(g.Name))
	}
	for i, g := range s.DatabricksGroups.All() {
		x.name[i] = x.keys.number(Fold(g.DisplayName))
	}
	x.okta = newPostings(len(x.keys), len(x.oktaName), func(i int) (int32, int32) { return x.oktaName[i], none })
	x.local = newPostings(len(x.keys), len(x.name), func(i int) (int32, int32) { return x.name[i], none })
	return x
}

// An appIndex knows which Okta apps each service principal may be.
type appIndex struct {
	of      [][]int32 // by service principal
	claimed []int32   // by app: how many service principals may be it
}

func newAppIndex(s *Snapshot) appIndex {
	clientIDs, labels := keys{}, keys{}
	byClientID, byLabel := make([]int32, s.OktaApps.Len()), make([]int32, s.OktaApps.Len())
	for i, a := range s.OktaApps.All() {
		byClientID[i], byLabel[i] = none, none
		if a.Active() {
			byClientID[i], byLabel[i] = clientIDs.number(a.ClientID), labels.number(Fold(a.Label))
		}
	}
	clients := newPostings(len(clientIDs), len(byClientID), func(i int) (int32, int32) { return byClientID[i], none })
	labelled := newPostings(len(labels), len(byLabel), func(i int) (int32, int32) { return byLabel[i], none })
	x := appIndex{
		of:      make([][]int32, s.DatabricksServicePrincipals.Len()),
		claimed: make([]int32, s.OktaApps.Len()),
	}
	for i, p := range s.DatabricksServicePrincipals.All() {
		x.of[i] = clients.of(clientIDs.find(p.ApplicationID))
		if x.of[i] == nil {
			x.of[i] = labelled.of(labels.find(Fold(p.DisplayName)))
		}
		for _, a := range x.of[i] {
			x.claimed[a]++
		}
	}
	return x
}

// All yields the objects of a kind.
func (ix *Index) All(k Kind) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for n := range int32(ix.Len(k)) {
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
		n, ok = ix.OktaUsers.Find(s.ID)
	case OktaGroupKind:
		n, ok = ix.OktaGroups.Find(s.ID)
	case OktaAppKind:
		n, ok = ix.OktaApps.Find(s.ID)
	case DatabricksUserKind:
		n, ok = ix.DatabricksUsers.Find(s.ID)
	case DatabricksGroupKind:
		n, ok = ix.DatabricksGroups.Find(s.ID)
	case DatabricksServicePrincipalKind:
		n, ok = ix.DatabricksServicePrincipals.Find(s.ID)
	case DatabricksWorkspaceKind:
		n, ok = ix.DatabricksWorkspaces.Find(s.ID)
	}
	return Ref{s.Kind, int32(n)}, ok
}

// OktaUser returns the record of o.
func (ix *Index) OktaUser(o Ref) OktaUser { return ix.OktaUsers.At(int(o.n)) }

// OktaGroup returns the record of o.
func (ix *Index) OktaGroup(o Ref) OktaGroup { return ix.OktaGroups.At(int(o.n)) }

// OktaApp returns the record of o.
func (ix *Index) OktaApp(o Ref) OktaApp { return ix.OktaApps.At(int(o.n)) }

// DatabricksUser returns the record of d.
func (ix *Index) DatabricksUser(d Ref) DatabricksUser { return ix.DatabricksUsers.At(int(d.n)) }

// DatabricksGroup returns the record of d.
func (ix *Index) DatabricksGroup(d Ref) DatabricksGroup { return ix.DatabricksGroups.At(int(d.n)) }

// DatabricksWorkspace returns the record of w.
func (ix *Index) DatabricksWorkspace(w Ref) DatabricksWorkspace {
	return ix.DatabricksWorkspaces.At(int(w.n))
}

// DatabricksServicePrincipal returns the record of d.
func (ix *Index) DatabricksServicePrincipal(d Ref) DatabricksServicePrincipal {
	return ix.DatabricksServicePrincipals.At(int(d.n))
}

// Name returns what people call r: a userName, login, displayName, name or label.
func (ix *Index) Name(r Ref) string {
	switch r.Kind {
	case OktaUserKind:
		return ix.OktaUser(r).Login
	case OktaGroupKind:
		return ix.OktaGroup(r).Name
	case OktaAppKind:
		return ix.OktaApp(r).Label
	case DatabricksUserKind:
		return ix.DatabricksUser(r).UserName
	case DatabricksGroupKind:
		return ix.DatabricksGroup(r).DisplayName
	case DatabricksServicePrincipalKind:
		return ix.DatabricksServicePrincipal(r).DisplayName
	case DatabricksWorkspaceKind:
		return ix.DatabricksWorkspace(r).Name
	}
	return ""
}

// Live reports whether an Okta object is there for AIM: any user but a
// DEPROVISIONED one, any group, any app.
func (ix *Index) Live(o Ref) bool { return o.Kind != OktaUserKind || ix.OktaUser(o).Live() }

// Compare orders refs as their subjects are ordered.
func (r Ref) Compare(s Ref) int { return cmp.Or(cmp.Compare(r.Kind, s.Kind), cmp.Compare(r.n, s.n)) }
