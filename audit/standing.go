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
	unnamed            // its first or last name is blank
	sameNamed          // it is linked, and first and last name are byte for byte its Okta user's
	ownName            // it is linked, and its Okta user alone has its userName
	settled            // it is linked to a live Okta user, and its userName is known to be what reaches Databricks
	sharing            // another object has its externalId
)

func newStandings(ix *Index) []standing {
	users := make([]standing, ix.DatabricksUsers.Len())
	first, last := maphash.MakeSeed(), maphash.MakeSeed()
	fullName := func(firstName, lastName string) uint64 {
		return maphash.String(first, firstName) ^ maphash.String(last, lastName)
	}
	names := make([]uint64, ix.OktaUsers.Len())
	inParts(len(names), fewObjects, func(from, to int) {
		for i := from; i < to; i++ {
			u := ix.OktaUser(Ref{OktaUserKind, int32(i)})
			names[i] = fullName(u.FirstName, u.LastName)
		}
	})
	inParts(len(users), fewObjects, func(from, to int) {
		for i := from; i < to; i++ {
			d := Ref{DatabricksUserKind, int32(i)}
			u := ix.DatabricksUser(d)
			var s standing
			if !u.Active {
				s |= inactive
			}
			if u.Roles != "" || u.Entitlements != "" {
				s |= granted
			}
			if blankName(u.GivenName) || blankName(u.FamilyName) {
				s |= unnamed
			}
			if o, ok := ix.LinkedTo(d); ok && names[o.n] == fullName(u.GivenName, u.FamilyName) {
				s |= sameNamed
			}
			users[i] = ix.linkedStanding(d, s)
		}
	})
	return users
}

// linkedStanding adds to s what d's externalId makes of it.
func (ix *Index) linkedStanding(d Ref, s standing) standing {
	s &^= ownName | settled | sharing
	if len(ix.links.heldBy(ix.links.held[d.Kind][d.n])) > 1 {
		s |= sharing
	}
	o, ok := ix.LinkedTo(d)
	if !ok {
		return s
	}
	names := ix.names.okta[o.n]
	if names.state&onlyHolder != 0 && names.has(ix.names.userName[d.n]) {
		s |= ownName
	}
	if names.state&isLive != 0 && ix.names.plain[d.n] && ix.exactly(ix.names.userName[d.n], names) {
		s |= settled
	}
	return s
}

// exactly reports whether a userName that is its own folded form is, byte for
// byte, what the Okta user signs in with, or all that it is called while that is
// unknown.
func (ix *Index) exactly(userName int32, o oktaNames) bool {
	isLogin := o.state&plainLogin != 0 && userName == o.login && userName != none
	isEmail := o.state&plainEmail != 0 && userName == o.email && userName != none
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
		return ix.names.okta[r.n].state&noFullName != 0
	}
	return ix.is(r, unnamed)
}

// SameNamed reports whether a Databricks user has, byte for byte, the first and
// last name of the Okta user that it is linked to.
func (ix *Index) SameNamed(d Ref) bool { return ix.is(d, sameNamed) }
