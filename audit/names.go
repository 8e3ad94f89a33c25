package audit

import (
	"slices"
	"sync"
)

// A nameIndex knows logins, emails and userNames under [Fold]. The same name has
// the same number everywhere in it.
type nameIndex struct {
	n        int         // distinct names
	okta     []oktaNames // of each Okta user
	state    []oktaState // of each Okta user: a byte, so that the processor's cache holds those of many
	userName []int32     // of each Databricks user
	plain    []bool      // of each Databricks user: its userName is its own folded form
	holders  postings    // Okta users by login and email
	users    postings    // Databricks users by userName
}

type oktaNames struct{ login, email int32 }

// An oktaState is what is asked of an Okta user all the time.
type oktaState uint8

const (
	isLive oktaState = 1 << iota
	isSuspended
	plainLogin // the login is its own folded form
	plainEmail
	noFullName // the first or last name is blank
	twoNames   // the login and the email are different names
	onlyHolder // no other Okta user, of any status, has its login or email
)

func newNameIndex(s *Snapshot) nameIndex {
	okta, users := s.OktaUsers.Len(), s.DatabricksUsers.Len()
	x := nameIndex{okta: make([]oktaNames, okta), state: make([]oktaState, okta), plain: make([]bool, users)}
	names, hash := make([]sum, okta+users, okta+users+okta/8), newSummer() // and room for emails
	emails := make([]sum, okta)                                            // of those who have another login: most have one name
	inParts(okta, fewObjects, func(from, to int) {
		var id, status, login, email, first, last string
		for i := from; i < to; i++ {
			s.OktaUsers.begin(i, &id, &status, &login, &email, &first, &last)
			email = orLike(email, login)
			var state oktaState
			if blankName(first) || blankName(last) {
				state |= noFullName
			}
			if status != StatusDeprovisioned {
				state |= isLive
			}
			if status == StatusSuspended {
				state |= isSuspended
			}
			folded := Fold(login)
			if folded == login {
				state |= plainLogin
			}
			names[i] = hash.of(folded)
			if email != login {
				folded = Fold(email)
				emails[i] = hash.of(folded)
			}
			if folded == email {
				state |= plainEmail
			}
			x.state[i], x.okta[i].email = state, none
			if email == login {
				x.okta[i].email = sameAsLogin
			}
		}
	})
	inParts(users, fewObjects, func(from, to int) {
		var id, userName string
		for i := from; i < to; i++ {
			s.DatabricksUsers.begin(i, &id, &userName)
			folded := Fold(userName)
			x.plain[i] = folded == userName
			names[okta+i] = hash.of(folded)
		}
	})
	for _, e := range emails {
		if e != noSum {
			names = append(names, e)
		}
	}
	of, n := number(names)
	x.n, x.userName = n, slices.Clone(of[okta:okta+users])
	email := of[okta+users:]
	for i := range x.okta {
		o := &x.okta[i]
		o.login = of[i]
		switch {
		case o.email == sameAsLogin:
			o.email = o.login
		case emails[i] != noSum:
			o.email, email = email[0], email[1:]
		}
	}
	var posting sync.WaitGroup
	posting.Go(func() { x.users = newPostings(n, users, func(i int) (int32, int32) { return x.userName[i], none }) })
	x.holders = newPostings(n, okta, func(i int) (int32, int32) { return x.okta[i].login, x.okta[i].email })
	posting.Wait()
	alone := func(name int32) bool { return name == none || len(x.holders.of(name)) == 1 }
	inParts(okta, fewObjects, func(from, to int) {
		for i := from; i < to; i++ {
			o := x.okta[i]
			if o.login != none && o.email != none && o.login != o.email {
				x.state[i] |= twoNames
			}
			if alone(o.login) && (o.email == o.login || alone(o.email)) {
				x.state[i] |= onlyHolder
			}
		}
	})
	return x
}

// sameAsLogin stands for an email that is the login, until that has its number.
const sameAsLogin int32 = -2

// has reports whether the name is one of the Okta user's.
func (o oktaNames) has(name int32) bool { return name != none && (name == o.login || name == o.email) }

// live returns those of the Okta users that are live.
func (x *nameIndex) live(users []int32) []int32 {
	gone := func(o int32) bool { return x.state[o]&isLive == 0 }
	if !slices.ContainsFunc(users, gone) {
		return users
	}
	return slices.DeleteFunc(slices.Clone(users), gone)
}
