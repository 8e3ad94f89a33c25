package audit

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// Candidates returns the Okta objects that d could be by its name: users with
// its folded userName as login or email, groups with its folded name, ACTIVE
// apps with its applicationId as client id or else with its folded name.
func (ix *Index) Candidates(d Ref) Refs {
	switch d.Kind {
	case DatabricksUserKind:
		if ix.is(d, ownName) {
			return Refs{OktaUserKind, ix.links.linked[d.Kind][d.n : d.n+1 : d.n+1]}
		}
		return Refs{OktaUserKind, ix.names.holders.of(ix.names.userName[d.n])}
	case DatabricksGroupKind:
		return Refs{OktaGroupKind, ix.groups.okta.of(ix.groups.name[d.n])}
	case DatabricksServicePrincipalKind:
		return Refs{OktaAppKind, ix.apps.of[d.n]}
	}
	return Refs{}
}

// LiveCandidates returns the candidates of d that are live.
func (ix *Index) LiveCandidates(d Ref) Refs {
	all := ix.Candidates(d)
	if d.Kind == DatabricksUserKind && !ix.is(d, ownName|settled) {
		all.ns = ix.names.live(all.ns)
	}
	return all
}

// OktaOf returns the Okta object of d: the one it is linked to, live or not;
// else its only live candidate.
func (ix *Index) OktaOf(d Ref) (Ref, bool) {
	if o, ok := ix.LinkedTo(d); ok {
		return o, true
	}
	if live := ix.LiveCandidates(d); live.Len() == 1 {
		return live.At(0), true
	}
	return Ref{}, false
}

// OktaObjectsOf yields the Okta objects whose id, in lower case, is one of those.
func (ix *Index) OktaObjectsOf(lowerIDs iter.Seq[string]) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		asked := map[string]bool{}
		for id := range lowerIDs {
			asked[id] = true
		}
		some, seed := newSieve(len(asked)), maphash.MakeSeed()
		for id := range asked {
			some.add(maphash.String(seed, id))
		}
		var b []byte
		for _, k := range []Kind{OktaUserKind, OktaGroupKind, OktaAppKind} {
			for o := range ix.All(k) {
				id := ix.Subject(o).ID
				b = appendLower(b[:0], id)
				if some.may(maphash.Bytes(seed, b)) && asked[string(b)] && !yield(o) {
					return
				}
			}
		}
	}
}

// appendLower appends s as [strings.ToLower] makes it.
func appendLower(b []byte, s string) []byte {
	if !isASCII(s) {
		return append(b, strings.ToLower(s)...)
	}
	return appendLowerASCII(b, s)
}

func appendLowerASCII(b []byte, s string) []byte {
	start := len(b)
	b = append(b, s...)
	for i, c := range b[start:] {
		b[start+i] = lowerASCII[c] // a branch would be guessed wrong half the time, of ids
	}
	return b
}

// lowerASCII is each ASCII character in lower case.
var lowerASCII = func() (lower [256]byte) {
	for c := range lower {
		lower[c] = byte(c)
		if 'A' <= c && c <= 'Z' {
			lower[c] += 'a' - 'A'
		}
	}
	return lower
}()

// HasName reports whether the Databricks user's userName is the Okta user's
// login or email under [Fold].
func (ix *Index) HasName(d, o Ref) bool {
	return ix.names.okta[o.n].has(ix.names.userName[d.n])
}

// TwoNames reports whether the Okta user's login and email are different names.
func (ix *Index) TwoNames(o Ref) bool {
	return ix.names.state[o.n]&twoNames != 0
}

// A SharedName is a user name, under [Fold], that several Okta users have as
// login or email.
type SharedName struct {
	Name      string
	Logins    []Ref // Okta users of any status whose login it is
	Emails    []Ref // those whose email it is
	UserNames Refs  // Databricks users whose userName it is
}

// sharedNames yields those of the names, every step-th from one number on, that two
// or more Okta users have.
func (ix *Index) sharedNames(from, step int32) iter.Seq[SharedName] {
	return func(yield func(SharedName) bool) {
		for key := from; int(key) < ix.names.n; key += step {
			holders := Refs{OktaUserKind, ix.names.holders.of(key)}
			if holders.Len() < 2 {
				continue
			}
			s := SharedName{UserNames: Refs{DatabricksUserKind, ix.names.users.of(key)}}
			for o := range holders.All() {
				if ix.names.okta[o.n].login == key {
					s.Logins = append(s.Logins, o)
					s.Name = Fold(ix.OktaUser(o).Login)
				}
				if ix.names.okta[o.n].email == key {
					s.Emails = append(s.Emails, o)
					s.Name = Fold(ix.OktaUser(o).Email)
				}
			}
			if !yield(s) {
				return
			}
		}
	}
}

// SharedUserNames yields the Databricks users of every folded userName that two
// or more of them have, in no order.
func (ix *Index) SharedUserNames() iter.Seq[Refs] {
	return func(yield func(Refs) bool) {
		for key := range int32(ix.names.n) {
			if users := (Refs{DatabricksUserKind, ix.names.users.of(key)}); users.Len() > 1 && !yield(users) {
				return
			}
		}
	}
}

// A claimIndex knows the username that the SSO app sends for an Okta user, where
// a custom template makes it.
type claimIndex struct {
	app string // id of the SSO app; blank if it isn't known
}

// newClaimIndex takes the app that was named, else the only one whose users were read.
func newClaimIndex(s *Snapshot, set Settings) claimIndex {
	if set.SSOClaim != ClaimOther || !s.Complete(OktaAppUsers) {
		return claimIndex{}
	}
	app := set.OktaApp
	for _, u := range s.OktaAppUsers.All() {
		if app == "" {
			app = u.App
		}
		if u.App != app && set.OktaApp == "" {
			return claimIndex{}
		}
	}
	return claimIndex{app: app}
}

// Claimed returns the username that reaches Databricks when the Okta user signs
// in, and whether it is known.
func (ix *Index) Claimed(o Ref) (string, bool) {
	switch ix.Settings.SSOClaim {
	case ClaimLogin:
		return ix.OktaUser(o).Login, true
	case ClaimEmail:
		return ix.OktaUser(o).Email, true
	case ClaimOther:
		id := ix.OktaUsers.Key(int(o.n))
		i, _ := ix.OktaAppUsers.Find(id)
		for ; ix.claim.app != "" && i < ix.OktaAppUsers.Len() && ix.OktaAppUsers.Key(i) == id; i++ {
			if u := ix.OktaAppUsers.At(i); u.App == ix.claim.app && u.UserName != "" {
				return u.UserName, true
			}
		}
	}
	return "", false
}

// A Conflict is an identity whose id says one person and whose name another.
type Conflict struct {
	User   Ref
	Owner  Ref   // whose id it has
	Others []Ref // live Okta users who have its name
}

// Conflict returns the conflict of a Databricks user, if there is one: it is
// linked, its userName is not its owner's and is another live user's; or its
// owner is DEPROVISIONED and another live user has its name.
func (ix *Index) Conflict(d Ref) (Conflict, bool) {
	owner, ok := ix.LinkedTo(d)
	if !ok || ix.is(d, settled) || ix.Live(owner) && ix.HasName(d, owner) {
		return Conflict{}, false
	}
	others := slices.Collect(ix.LiveCandidates(d).All()) // the owner is none of them
	return Conflict{d, owner, others}, len(others) > 0
}

// A Drift is how a linked user's userName differs from what it should be.
type Drift string

// The drifts, in the order in which they are asked.
const (
	NoDrift      Drift = ""
	DriftRenamed Drift = "renamed" // it is none of the Okta user's names, and nobody's
	DriftClaim   Drift = "claim"   // it is the name that the SSO app does not send
	DriftCase    Drift = "case"    // it is the claimed name in other letters
)

// Drift returns the first drift that fits a Databricks user.
func (ix *Index) Drift(d Ref) Drift {
	o, ok := ix.LinkedTo(d)
	if !ok || ix.is(d, settled) || !ix.Live(o) {
		return NoDrift
	}
	own := ix.HasName(d, o)
	if !own && ix.LiveCandidates(d).Len() == 0 {
		return DriftRenamed
	}
	userName, user := ix.DatabricksUser(d).UserName, ix.OktaUser(o)
	claimed, known := ix.Claimed(o)
	switch {
	case !known && own && userName != user.Login && userName != user.Email:
		return DriftCase
	case known && SameName(userName, claimed) && userName != claimed:
		return DriftCase
	case known && own && !SameName(userName, claimed):
		return DriftClaim
	}
	return NoDrift
}

// Reached returns the Databricks users that reach an Okta user, by id or by name.
func (ix *Index) Reached(o Ref) Refs {
	login, email := ix.names.okta[o.n].login, ix.names.okta[o.n].email
	byName := ix.names.users.of(login)
	if email != login {
		if more := ix.names.users.of(email); len(byName) == 0 {
			byName = more
		} else if len(more) > 0 {
			byName = slices.Concat(byName, more)
		}
	}
	byID := ix.links.heldBy(ix.links.id[o.Kind][o.n])
	users := ix.links.before[DatabricksUserKind]
	if len(byName) == 1 && len(byID) == 1 && byID[0] == users+byName[0] || len(byID) == 0 && len(byName) < 2 {
		return Refs{DatabricksUserKind, byName}
	}
	all := slices.Clone(byName)
	for _, n := range byID {
		if n >= users {
			all = append(all, n-users)
		}
	}
	slices.Sort(all)
	return Refs{DatabricksUserKind, slices.Compact(all)}
}

// Collided reports whether a collision rule has r as a subject.
func (ix *Index) Collided(r Ref) bool { return ix.collided[r.Kind] != nil && ix.collided[r.Kind][r.n] }

// Automatic returns the Okta object that d may be linked to without asking
// anybody, if there is one: exactly one live candidate, whose id no object
// holds, and nothing that makes either of them doubtful.
func (ix *Index) Automatic(d Ref) (Ref, bool) {
	for range ix.doubts(d) {
		return Ref{}, false
	}
	return ix.LiveCandidates(d).At(0), true
}

// A Doubt is a reason why an identity is not linked without asking anybody.
type Doubt string

// The doubts. Without exactly one live candidate there is nobody to ask the
// others of.
const (
	DoubtNobody    Doubt = "no live Okta object is a candidate"
	DoubtSeveral   Doubt = "two or more live Okta objects are candidates"
	DoubtUnread    Doubt = "Databricks was not read completely, so that it is not known which ids are held"
	DoubtHeld      Doubt = "the candidate's id is held already"
	DoubtCollision Doubt = "a collision rule speaks of it or of the candidate"
	DoubtClaim     Doubt = "another name of the candidate is sent at sign-in"
	DoubtLeftOut   Doubt = "groups of the system and of workspaces are never linked"
	DoubtNamesake  Doubt = "another Databricks group has its name"
	DoubtSameApp   Doubt = "another service principal could be the same app"
)

// doubts yields every reason why d is not linked automatically; none if it is.
func (ix *Index) doubts(d Ref) iter.Seq[Doubt] {
	return func(yield func(Doubt) bool) {
		live := ix.LiveCandidates(d)
		switch n := live.Len(); {
		case n == 0:
			yield(DoubtNobody)
			return
		case n > 1:
			yield(DoubtSeveral)
			return
		}
		o := live.At(0)
		held := false
		for range ix.Holders(o) {
			held = true
			break
		}
		for _, doubt := range []struct {
			Doubt
			holds bool
		}{
			{DoubtUnread, !ix.databricksComplete()},
			{DoubtHeld, held},
			{DoubtCollision, d.Kind == DatabricksUserKind && (ix.Collided(d) || ix.Collided(o))},
			{DoubtClaim, d.Kind == DatabricksUserKind && ix.otherClaim(d, o)},
			{DoubtLeftOut, d.Kind == DatabricksGroupKind && !ix.Managed(d)},
			{DoubtNamesake, d.Kind == DatabricksGroupKind && len(ix.groups.local.of(ix.groups.name[d.n])) > 1},
			{DoubtSameApp, d.Kind == DatabricksServicePrincipalKind && ix.apps.claimed[o.n] > 1},
		} {
			if doubt.holds && !yield(doubt.Doubt) {
				return
			}
		}
	}
}

// otherClaim reports whether o is known to sign in under a name that is not d's.
func (ix *Index) otherClaim(d, o Ref) bool {
	claimed, known := ix.Claimed(o)
	return known && !SameName(claimed, ix.DatabricksUser(d).UserName)
}

// databricksComplete reports whether it is known which ids are held.
func (ix *Index) databricksComplete() bool {
	return ix.Complete(DatabricksUsers) && ix.Complete(DatabricksGroups) && ix.Complete(DatabricksServicePrincipals)
}

// reservedGroups are the names of the groups that Databricks makes itself.
var reservedGroups = []string{"admins", "users", "account users"}

// ReservedGroup reports whether a group name is one of the system's.
func ReservedGroup(name string) bool { return slices.Contains(reservedGroups, Fold(name)) }

// Managed reports whether a Databricks group is one that AIM may manage: neither
// a group of the system nor local to a workspace.
func (ix *Index) Managed(g Ref) bool {
	group := ix.DatabricksGroup(g)
	return !group.WorkspaceLocal() && !ReservedGroup(group.DisplayName)
}

// AccountAdmin reports whether a Databricks identity has the role account_admin directly.
func (ix *Index) AccountAdmin(d Ref) bool {
	var roles Values
	switch d.Kind {
	case DatabricksUserKind:
		if ix.is(d, granted) {
			roles = ix.DatabricksUser(d).Roles
		}
	case DatabricksGroupKind:
		roles = ix.DatabricksGroup(d).Roles
	case DatabricksServicePrincipalKind:
		roles = ix.DatabricksServicePrincipal(d).Roles
	}
	return directAdmin(roles)
}

func directAdmin(roles Values) bool {
	for r := range roles.All() {
		if r.Value == "account_admin" && r.Type != "indirect" {
			return true
		}
	}
	return false
}

// IsCaller reports whether d is the identity that read the account.
func (ix *Index) IsCaller(d Ref) bool { return ix.called(d, ix.Databricks.Caller) }

// called reports whether name is the userName or applicationId of d.
func (ix *Index) called(d Ref, name string) bool {
	switch {
	case name == "":
		return false
	case d.Kind == DatabricksUserKind:
		return SameName(ix.Name(d), name)
	case d.Kind == DatabricksServicePrincipalKind:
		return SameName(ix.DatabricksServicePrincipal(d).ApplicationID, name)
	}
	return false
}

// IsTokenOwner reports whether d's token runs provisioning: the owner that the
// settings name, else the caller.
func (ix *Index) IsTokenOwner(d Ref) bool {
	return ix.called(d, cmp.Or(ix.Settings.SCIMTokenOwner, ix.Databricks.Caller))
}
