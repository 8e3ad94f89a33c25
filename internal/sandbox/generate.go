package sandbox

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
)

// TokenOwner is the userName of the user whose token runs provisioning in a
// generated tenant.
const TokenOwner = "provisioning@example.com"

// Generate returns an invented company with that many Okta users, whatever the
// seed the same at every run. About one case in a hundred has each of the
// defects that an audit looks for; a company of a hundred users or more has each
// at least once. Names are of several scripts, addresses of example.com and
// example.org.
func Generate(seed uint64, users int) *Tenant { return generate(seed, users, 0) }

// Demo returns the tenant of the demonstration: small, with every defect, and
// with many who only lack a link.
func Demo() *Tenant { return generate(7, 240, 5) }

// generate is Generate, but that one in so many sound users lacks its link;
// 0 means none.
func generate(seed uint64, users, unlinked int) *Tenant {
	g := &generator{
		unlinked: unlinked,
		rand:     rand.New(rand.NewPCG(seed, 0)),
		t:        &Tenant{},
		nextID:   1_000_000_000_000_000 + seed%1000*7919,
		locals:   map[string]int{},
		names:    scripts(),
	}
	g.t.Okta.GroupMembers = map[string][]string{}
	g.t.Okta.AppUsers = map[string][]json.RawMessage{}
	g.t.Databricks.WorkspaceGroups = map[string][]json.RawMessage{}
	g.t.Databricks.Assignments = map[string][]json.RawMessage{}
	g.planGroups(min(12+users/15, 3000))
	g.people(users)
	g.finishGroups()
	g.principals(min(10+users/50, 2000))
	g.workspaces(min(3+users/5000, 40))
	shuffle(g.rand, g.t.Okta.Users)
	shuffle(g.rand, g.t.Databricks.Users)
	return g.t
}

func shuffle(r *rand.Rand, list []json.RawMessage) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// A generator makes one tenant.
type generator struct {
	rand   *rand.Rand
	t      *Tenant
	nextID uint64         // the next Databricks id
	locals map[string]int // how many have a name or a local part
	names  []script
	groups []*groupCase
	sso    []ssoUser // whom the SSO app knows

	unlinked int // one in so many sound users lacks its link
}

// A ssoUser is an Okta user with the username the SSO app sends.
type ssoUser struct{ id, name string }

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// oktaID returns a new id: "00u" for users, "00g" for groups, "0oa" for apps.
func (g *generator) oktaID(prefix string) string {
	b := make([]byte, 0, 20)
	b = append(b, prefix...)
	for len(b) < 17 {
		b = append(b, base62[g.rand.IntN(len(base62))])
	}
	return string(append(b, "5d7"...)) // as an org's ids end alike
}

// databricksID returns a new id.
func (g *generator) databricksID() string {
	g.nextID += 7919
	return strconv.FormatUint(g.nextID, 10)
}

// uuid returns a random UUID, as Entra's ids and application ids are.
func (g *generator) uuid() string {
	const digits = "0123456789abcdef"
	b := []byte("00000000-0000-4000-8000-000000000000")
	for i, c := range b {
		if c == '0' {
			b[i] = digits[g.rand.IntN(16)]
		}
	}
	return string(b)
}

// oneIn returns true once in n times.
func (g *generator) oneIn(n int) bool { return g.rand.IntN(n) == 0 }

func pick[V any](g *generator, list []V) V { return list[g.rand.IntN(len(list))] }

// An oktaUser is a user as the generator writes it.
type oktaUser struct{ login, email, given, family, status string }

// okta adds a user and returns its id.
func (g *generator) okta(u oktaUser) string {
	id := g.oktaID("00u")
	if u.status == "" {
		u.status = "ACTIVE"
	}
	w := jsonWriter{make([]byte, 0, 256)}
	w.open("id", id).text("status", u.status).object("profile").
		open("login", u.login).text("email", u.email).orNull("firstName", u.given).orNull("lastName", u.family).
		close().close()
	g.t.Okta.Users = append(g.t.Okta.Users, w.b)
	return id
}

// A databricksUser is a user as the generator writes it.
type databricksUser struct {
	name, given, family, externalID string
	inactive                        bool
	roles, entitlements             []string
}

// databricks adds a user and returns its id.
func (g *generator) databricks(u databricksUser) string {
	id := g.databricksID()
	w := jsonWriter{make([]byte, 0, 320)}
	w.open("id", id).text("userName", u.name).text("displayName", strings.TrimSpace(u.given+" "+u.family))
	w.object("name").open("givenName", u.given).text("familyName", u.family).close()
	w.key("active").raw(strconv.FormatBool(!u.inactive))
	w.key("emails").raw("[").open("value", u.name).text("type", "work").key("primary").raw("true}]")
	if u.externalID != "" {
		w.text("externalId", u.externalID)
	}
	w.values("roles", u.roles, "direct").values("entitlements", u.entitlements, "")
	w.close()
	g.t.Databricks.Users = append(g.t.Databricks.Users, w.b)
	return id
}

// A jsonWriter writes objects member by member.
type jsonWriter struct{ b []byte }

// open begins an object with its first member.
func (w *jsonWriter) open(name, value string) *jsonWriter {
	w.b = append(w.b, '{')
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
	w.b = appendText(w.b, value)
	return w
}

func (w *jsonWriter) key(name string) *jsonWriter {
	w.b = append(append(append(w.b, ',', '"'), name...), '"', ':')
	return w
}

func (w *jsonWriter) object(name string) *jsonWriter { return w.key(name) }

func (w *jsonWriter) text(name, value string) *jsonWriter {
	w.key(name).b = appendText(w.b, value)
	return w
}

// orNull writes a blank text as null.
func (w *jsonWriter) orNull(name, value string) *jsonWriter {
	if value == "" {
		return w.key(name).raw("null")
	}
	return w.text(name, value)
}

// values writes a list of SCIM values, unless it is empty.
func (w *jsonWriter) values(name string, values []string, kind string) *jsonWriter {
	if len(values) == 0 {
		return w
	}
	w.key(name).raw("[")
	for i, v := range values {
		if i > 0 {
			w.raw(",")
		}
		w.open("value", v)
		if kind != "" {
			w.text("type", kind)
		}
		w.close()
	}
	return w.raw("]")
}

func (w *jsonWriter) raw(s string) *jsonWriter {
	w.b = append(w.b, s...)
	return w
}

func (w *jsonWriter) close() *jsonWriter { return w.raw("}") }

// appendText appends s, which has no control characters, as a JSON text.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
