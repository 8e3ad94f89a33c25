package sandbox

import "strings"

// A personCase is one kind of person, sound or with a defect.
type personCase struct {
	okta int // how many Okta users it takes
	make func(*generator)
}

// people adds that many Okta users, and the Databricks users that go with them.
func (g *generator) people(users int) {
	owner := person{"Provisioning", "Account", "provisioning"}
	if users > 0 {
		g.linked(owner, databricksUser{})
	}
	cases := defects()
	if users >= 100 {
		for _, c := range cases {
			c.make(g)
		}
	}
	for len(g.t.Okta.Users) < users {
		n := g.rand.IntN(100)
		if n < len(cases) && len(g.t.Okta.Users)+cases[n].okta <= users {
			cases[n].make(g)
		} else {
			g.sound()
		}
	}
}

// sound adds somebody with nothing to find: linked, or in Okta alone.
func (g *generator) sound() {
	p := g.person()
	if g.oneIn(5) {
		statuses := []string{"ACTIVE", "ACTIVE", "STAGED", "PROVISIONED", "LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY", "DEPROVISIONED"}
		id := g.okta(oktaUser{p.login(), p.login(), p.given, p.family, pick(g, statuses)})
		g.join(id, "")
		return
	}
	if g.unlinked > 0 && g.oneIn(g.unlinked) {
		id := g.okta(p.user(""))
		g.join(id, g.beside(p, ""))
		g.knows(id, p.login())
		return
	}
	u := databricksUser{}
	if g.oneIn(150) {
		u.roles = []string{"account_admin"}
	}
	g.linked(p, u)
}

// linked adds p to both directories, linked, and to groups. What u says
// replaces what would be said of p.
func (g *generator) linked(p person, u databricksUser) (okta, databricks string) {
	okta = g.okta(oktaUser{p.login(), p.login(), p.given, p.family, ""})
	u = u.or(p)
	if u.externalID == "" {
		u.externalID = okta
	}
	databricks = g.databricks(u)
	g.join(okta, databricks)
	g.knows(okta, p.login())
	return okta, databricks
}

// or returns u with its blanks filled from p.
func (u databricksUser) or(p person) databricksUser {
	if u.name == "" {
		u.name = p.login()
	}
	if u.given == "" {
		u.given = p.given
	}
	if u.family == "" {
		u.family = p.family
	}
	return u
}

// knows lets the SSO app know a user.
func (g *generator) knows(id, name string) {
	if len(g.sso) < 20_000 {
		g.sso = append(g.sso, ssoUser{id, name})
	}
}

// user returns p as Okta has it, with another email unless that is blank.
func (p person) user(email string) oktaUser {
	if email == "" {
		email = p.login()
	}
	return oktaUser{p.login(), email, p.given, p.family, ""}
}

// beside adds a Databricks user for p with the external id given, or none.
func (g *generator) beside(p person, externalID string) string {
	return g.databricks(databricksUser{externalID: externalID}.or(p))
}

// defects returns every kind of person in whom an audit finds something.
func defects() []personCase {
	return []personCase{
		// Without a link, or with a dead one.
		{1, func(g *generator) { p := g.person(); g.okta(p.user("")); g.beside(p, "") }},
		{1, func(g *generator) { // known by the email alone
			p := g.person()
			g.okta(p.user(p.local + "@mail.example.com"))
			g.databricks(databricksUser{name: p.local + "@mail.example.com"}.or(p))
		}},
		{1, func(g *generator) { p := g.person(); g.okta(p.user("")); g.beside(p, g.oktaID("00u")) }},
		{1, func(g *generator) { p := g.person(); g.beside(p, strings.ToUpper(g.okta(p.user("")))) }},
		{1, func(g *generator) { p := g.person(); g.okta(p.user("")); g.beside(p, g.uuid()) }},
		{1, func(g *generator) { p := g.person(); g.okta(p.user("")); g.beside(p, g.oktaGroup().okta) }},
		{0, func(g *generator) { g.beside(g.person(), g.oktaID("00u")) }}, // long gone from Okta
		{0, func(g *generator) { // a contractor whom Okta never knew
			p := g.person()
			g.databricks(databricksUser{name: p.local + "@partner.example.org"}.or(p))
		}},
		{0, func(g *generator) { // an admin with a dead link
			g.databricks(databricksUser{externalID: g.oktaID("00u"), roles: []string{"account_admin"}}.or(g.person()))
		}},

		// One address, several people.
		{2, func(g *generator) {
			p, q := g.person(), g.person()
			shared := "team-" + p.local + "@example.com"
			g.okta(p.user(shared))
			g.okta(q.user(strings.ToUpper(shared[:1]) + shared[1:]))
			g.databricks(databricksUser{name: shared}.or(p))
		}},
		{2, func(g *generator) { // and nobody in Databricks
			p, q := g.person(), g.person()
			g.okta(p.user("desk-" + p.local + "@example.com"))
			g.okta(q.user("desk-" + p.local + "@example.com"))
		}},
		{2, func(g *generator) { // a login that is another's email
			p, q := g.person(), g.person()
			g.linked(p, databricksUser{})
			g.okta(q.user(p.login()))
		}},
		{2, func(g *generator) { // a former colleague who still has it
			p, q := g.person(), g.person()
			u := q.user(p.login())
			u.status = "DEPROVISIONED"
			g.okta(u)
			g.linked(p, databricksUser{})
		}},

		// The wrong person.
		{2, func(g *generator) {
			p, q := g.person(), g.person()
			a, b := g.okta(p.user("")), g.okta(q.user(""))
			g.beside(p, b)
			g.beside(q, a)
		}},
		{2, func(g *generator) { // re-hired under a new record
			p := g.person()
			old := p.user("")
			old.login, old.status = p.local+".1@example.com", "DEPROVISIONED"
			g.beside(p, g.okta(old))
			g.okta(p.user(""))
		}},
		{1, func(g *generator) { // married
			p, q := g.person(), g.person()
			g.databricks(databricksUser{externalID: g.okta(q.user(""))}.or(p))
		}},

		// One person, several users.
		{1, func(g *generator) {
			p := g.plain()
			g.linked(p, databricksUser{})
			g.databricks(databricksUser{name: strings.ToUpper(p.local) + "@example.com"}.or(p))
		}},
		{1, func(g *generator) { // login and email
			p := g.person()
			id := g.okta(p.user(p.local + "@mail.example.com"))
			g.beside(p, "")
			g.databricks(databricksUser{name: p.local + "@mail.example.com", externalID: id}.or(p))
		}},
		{1, func(g *generator) { // one id on two users
			p := g.person()
			id, _ := g.linked(p, databricksUser{})
			g.databricks(databricksUser{name: p.local + ".second@example.com", externalID: id}.or(p))
		}},
		{1, func(g *generator) { // an id that a group has too
			id, _ := g.linked(g.person(), databricksUser{})
			g.odd(id)
		}},

		// Names.
		{1, func(g *generator) {
			p := g.plain()
			g.linked(p, databricksUser{name: strings.ToUpper(p.local[:1]) + p.local[1:] + "@example.com"})
		}},
		{1, func(g *generator) { p := g.person(); g.linked(p, databricksUser{family: " "}) }},
		{1, func(g *generator) { // nor does Okta know the last name
			p := g.person()
			p.family = ""
			g.linked(p, databricksUser{})
		}},
		{1, func(g *generator) { g.linked(g.person(), databricksUser{given: "Bobby"}) }},
		{1, func(g *generator) { // a zero-width space in the email
			p := g.person()
			id := g.okta(p.user(p.local + "\u200b@example.com"))
			g.beside(p, id)
		}},
		{0, func(g *generator) { p := g.person(); g.databricks(databricksUser{name: p.local}.or(p)) }}, // no address
		{1, func(g *generator) { // somebody else who looks alike
			p := g.plain()
			for !strings.ContainsAny(p.local, "aeo") {
				p = g.plain()
			}
			g.linked(p, databricksUser{})
			i := strings.IndexAny(p.local, "aeo")
			alike := strings.NewReplacer("a", "а", "e", "е", "o", "о").Replace(p.local[i : i+1])
			g.databricks(databricksUser{name: p.local[:i] + alike + p.local[i+1:] + "@example.com"}.or(g.person()))
		}},
		{1, func(g *generator) { // two names, one of which signs in
			p := g.person()
			email := p.local + "@mail.example.com"
			id := g.okta(p.user(email))
			g.beside(p, id)
			g.knows(id, email)
		}},

		// Those who left, and what is left to them.
		{1, func(g *generator) {
			p := g.person()
			u := p.user("")
			u.status = "DEPROVISIONED"
			g.beside(p, g.okta(u))
		}},
		{1, func(g *generator) {
			p := g.person()
			u := p.user("")
			u.status = "SUSPENDED"
			g.beside(p, g.okta(u))
		}},
		{1, func(g *generator) {
			p := g.person()
			u := p.user("")
			u.status = "DEPROVISIONED"
			g.databricks(databricksUser{
				externalID: g.okta(u), inactive: true,
				roles: []string{"account_admin"}, entitlements: []string{"workspace-access"},
			}.or(p))
		}},
		{1, func(g *generator) { // an admin twice over
			_, id := g.linked(g.person(), databricksUser{roles: []string{"account_admin"}})
			g.admins().members = append(g.admins().members, id)
		}},
	}
}
