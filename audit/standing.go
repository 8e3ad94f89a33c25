package audit

import "hash/maphash"

// A standing is what rules ask again and again of a Databricks user, worked out
// once. Most users are linked to one live person whose name is theirs: of them
// nothing else need be fetched, and what they are linked to lies at a random
// place in memory.
type standing uint8

const (
	inactive  standing = 1 << iota
	granted            // it has roles or entitlements
	grouped            // its record lists groups
	unnamed            // its first or last name is blank
	sameNamed          // it is linked, and first and last name are byte for byte its Okta user's
	ownName            // it is linked, and its Okta user alone has its userName
	settled            // it is linked to a live Okta user, and its userName fits it to the byte: see [Index.exactly]
	sharing            // another object has its externalId
)

// An owner is what standings need of an Okta user, in one place.
type owner struct {
	names    oktaNames
	state    oktaState
	shared   bool // two or more objects hold its id
	fullName uint64
}

// fullNames are sums of the first and last name of each Okta user.
type fullNames struct {
	okta        []uint64
	first, last maphash.Seed
}

func newFullNames(s *Snapshot) fullNames {
	f := fullNames{make([]uint64, s.OktaUsers.Len()), maphash.MakeSeed(), maphash.MakeSeed()}
	inParts(len(f.okta), fewObjects, func(from, to int) {
		var id, status, login, email, first, last string
		for i := from; i < to; i++ {
			s.OktaUsers.begin(i, &id, &status, &login, &email, &first, &last)
			f.okta[i] = f.sum(first, last)
		}
	})
	return f
}

func (f fullNames) sum(first, last string) uint64 {
	return maphash.String(f.first, first) ^ maphash.String(f.last, last)
}

func newStandings(ix *Index, names fullNames) []standing {
	owners := make([]owner, ix.OktaUsers.Len())
	inParts(len(owners), fewObjects, func(from, to int) {
		for i := from; i < to; i++ {
			shared := len(ix.links.heldBy(ix.links.id[OktaUserKind][i])) > 1
			owners[i] = owner{ix.names.okta[i], ix.names.state[i], shared, names.okta[i]}
		}
	})
	users := make([]standing, ix.DatabricksUsers.Len())
	inParts(len(users), fewObjects, func(from, to int) {
		var some [64]owner // fetched at one go: memory is slow to answer, but answers many questions at once
		for ; from < to; from += len(some) {
			linked := ix.links.linked[DatabricksUserKind][from:min(from+len(some), to)]
			for i, o := range linked {
				if o != none {
					some[i] = owners[o]
				}
			}
			for i, o := range linked {
				d := Ref{DatabricksUserKind, int32(from + i)}
				u := ix.DatabricksUser(d)
				s := recordStanding(&u)
				if o == none {
					users[from+i] = ix.linkedStanding(d, s)
					continue
				}
				s |= ix.ownedBy(d, some[i].names, some[i].state)
				if some[i].shared {
					s |= sharing
				}
				if some[i].fullName == names.sum(u.GivenName, u.FamilyName) {
					s |= sameNamed
				}
				users[from+i] = s
			}
		}
	})
	return users
}

// recordStanding is what the user's own record makes of its standing.
func recordStanding(u *DatabricksUser) (s standing) {
	if !u.Active {
		s |= inactive
	}
	if u.Roles != "" || u.Entitlements != "" {
		s |= granted
	}
	if u.Groups != "" {
		s |= grouped
	}
	if blankName(u.GivenName) || blankName(u.FamilyName) {
		s |= unnamed
	}
	return s
}

// linkedStanding sets in s what d's externalId makes of it, but for sameNamed,
// which it takes away: unset, that says nothing.
func (ix *Index) linkedStanding(d Ref, s standing) standing {
	s &^= sameNamed | ownName | settled | sharing
	if len(ix.links.heldBy(ix.links.held[d.Kind][d.n])) > 1 {
		s |= sharing
	}
	if o, ok := ix.LinkedTo(d); ok {
		s |= ix.ownedBy(d, ix.names.okta[o.n], ix.names.state[o.n])
	}
	return s
}

// ownedBy is what its Okta user makes of a linked user's standing.
func (ix *Index) ownedBy(d Ref, names oktaNames, state oktaState) (s standing) {
	if state&onlyHolder != 0 && names.has(ix.names.userName[d.n]) {
		s |= ownName
	}
	if state&isLive != 0 && ix.names.plain[d.n] && ix.exactly(ix.names.userName[d.n], names, state) {
		s |= settled
	}
	return s
}

// exactly reports whether a userName that is its own folded form is, byte for
// byte, what the Okta user signs in with, or all that it is called while that is
// unknown.
func (ix *Index) exactly(userName int32, o oktaNames, state oktaState) bool {
	isLogin := state&plainLogin != 0 && userName == o.login && userName != none
	isEmail := state&plainEmail != 0 && userName == o.email && userName != none
	switch ix.Settings.SSOClaim {
	case ClaimUnknown:
		return isLogin || isEmail
	case ClaimLogin:
		return isLogin
	case ClaimEmail:
		return isEmail
	}
	return false
}

// is reports whether all of that holds of the Databricks user d.
func (ix *Index) is(d Ref, all standing) bool {
	return d.Kind == DatabricksUserKind && ix.users[d.n]&all == all
}

// Active reports whether a Databricks identity is; groups always are.
func (ix *Index) Active(d Ref) bool {
	switch d.Kind {
	case DatabricksUserKind:
		return !ix.is(d, inactive)
	case DatabricksServicePrincipalKind:
		return ix.DatabricksServicePrincipal(d).Active
	}
	return true
}

// Granted reports whether a Databricks user has roles or entitlements of its own record.
func (ix *Index) Granted(d Ref) bool { return ix.is(d, granted) }

// Unnamed reports whether a user of either directory has a blank first or last name.
func (ix *Index) Unnamed(r Ref) bool {
	if r.Kind == OktaUserKind {
		return ix.names.state[r.n]&noFullName != 0
	}
	return ix.is(r, unnamed)
}

// SameNamed reports whether a Databricks user has, byte for byte, the first and
// last name of the Okta user that it is linked to.
func (ix *Index) SameNamed(d Ref) bool { return ix.is(d, sameNamed) }
