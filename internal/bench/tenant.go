package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// tenant invents a company of n Okta users and as many Databricks users, the same
// at every run. About one person in a hundred has each defect of [defects], in
// one of its forms.
func tenant(n int) (*audit.Snapshot, error) {
	g := &generator{rand: rand.New(rand.NewPCG(uint64(n), 1)), n: n}
	for _, in := range audit.Inputs() {
		g.build.Read(audit.Reading{Input: in, Asked: in.Required(), Complete: in.Required(), Expected: -1})
	}
	g.build.Okta.Tenant, g.build.Databricks.Tenant = "https://bench.okta.com", "00000000-0000-4000-8000-000000000000"
	for g.okta < n {
		g.person()
	}
	for g.databricks < n { // as many on each side
		p := g.invent()
		g.addDatabricks(p.atDatabricks("00u" + g.base62(17)))
	}
	if g.err != nil {
		return nil, g.err
	}
	return g.build.Snapshot()
}

type generator struct {
	rand             *rand.Rand
	build            audit.Builder
	n                int
	people           int // invented so far
	okta, databricks int // users added
	last             person
	err              error
}

// A person is somebody in both directories.
type person struct {
	id            string // Okta's
	given, family string
	login         string
}

func (g *generator) person() {
	p := g.invent()
	o, d := p.atOkta(), p.atDatabricks(p.id)
	if kind := g.rand.IntN(100); kind < len(defects) {
		forms := defects[kind]
		forms[g.rand.IntN(len(forms))](g, p, &o, &d)
	}
	g.last = p
	g.addOkta(o)
	if d.ID = "?"; d.UserName != "" {
		g.addDatabricks(d)
	}
}

func (g *generator) addOkta(o audit.OktaUser) {
	if g.okta < g.n {
		g.okta++
		g.add(o)
	}
}

func (g *generator) addDatabricks(d audit.DatabricksUser) {
	if g.databricks < g.n {
		d.ID = strconv.Itoa(1_000_000_000_000_000 + g.databricks*7919)
		g.databricks++
		g.add(d)
	}
}

func (g *generator) add(record any) {
	if err := g.build.Add(record); err != nil {
		g.err = err
	}
}

func (p person) atOkta() audit.OktaUser {
	return audit.OktaUser{ID: p.id, Status: "ACTIVE", Login: p.login, Email: p.login, FirstName: p.given, LastName: p.family}
}

func (p person) atDatabricks(id string) audit.DatabricksUser {
	return audit.DatabricksUser{UserName: p.login, ExternalID: id, DisplayName: p.given + " " + p.family,
		GivenName: p.given, FamilyName: p.family, Active: true}
}

// invent makes somebody whose login nobody else has. One name in seven of
// another script than Latin stands in addresses as it is written.
func (g *generator) invent() person {
	from := stock[0]
	if g.rand.IntN(100) >= 70 {
		from = stock[1+g.rand.IntN(len(stock)-1)]
	}
	given, family := from.given[g.rand.IntN(len(from.given))], from.family[g.rand.IntN(len(from.family))]
	p := person{id: "00u" + g.base62(14) + "5d7", given: given.native, family: family.native}
	local := given.latin + "." + family.latin
	if g.rand.IntN(7) == 0 {
		local = strings.ToLower(given.native + "." + family.native)
	}
	g.people++
	p.login = local + strconv.Itoa(g.people) + "@example.com"
	return p
}

func (g *generator) base62(n int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[g.rand.IntN(len(digits))]
	}
	return string(b)
}

// defects are what makes an audit speak of somebody, each in its forms. None is
// part of another, but that a shared name is ambiguous where a user has it.
var defects = [...][]form{
	{ // no externalId
		func(_ *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) { d.ExternalID = "" },
		func(_ *generator, p person, _ *audit.OktaUser, d *audit.DatabricksUser) { // a contractor
			d.UserName, d.ExternalID = strings.Replace(p.login, "@example.com", "@partner.example.org", 1), ""
		},
	},
	{ // an email that two have
		func(g *generator, p person, o *audit.OktaUser, _ *audit.DatabricksUser) {
			o.Email = "team." + p.login
			other := g.invent().atOkta()
			other.Email = o.Email
			g.addOkta(other)
		},
		func(g *generator, p person, o *audit.OktaUser, d *audit.DatabricksUser) { // and a Databricks user too
			o.Email, d.UserName = "desk."+p.login, "desk."+p.login
			other := g.invent().atOkta()
			other.Email = o.Email
			g.addOkta(other)
		},
	},
	{ // another's login for an email
		func(g *generator, _ person, o *audit.OktaUser, _ *audit.DatabricksUser) {
			if g.last.login != "" {
				o.Email = g.last.login
			}
		},
	},
	{ // no name
		func(_ *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) { d.GivenName = "" },
		func(_ *generator, _ person, o *audit.OktaUser, d *audit.DatabricksUser) {
			o.LastName, d.FamilyName = "", " "
		},
	},
	{ // another userName
		func(_ *generator, p person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			d.UserName = inCapitals(p.login)
		},
		func(_ *generator, p person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			d.UserName = "old." + p.login
		},
	},
	{ // not at work
		func(_ *generator, _ person, o *audit.OktaUser, _ *audit.DatabricksUser) {
			o.Status = audit.StatusDeprovisioned
		},
		func(_ *generator, _ person, o *audit.OktaUser, _ *audit.DatabricksUser) {
			o.Status = audit.StatusSuspended
		},
	},
	{ // an id that nobody has
		func(g *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			d.ExternalID = "00u" + g.base62(17)
		},
	},
	{ // somebody else's id
		func(g *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			if g.last.id != "" {
				d.ExternalID = g.last.id
			}
		},
	},
	{ // one id on two users
		func(g *generator, p person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			second := *d
			second.UserName = "second." + p.login
			g.addDatabricks(second)
		},
	},
	{ // one name on two users
		func(g *generator, p person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			second := *d
			second.UserName, second.ExternalID = inCapitals(p.login), "00u"+g.base62(17)
			g.addDatabricks(second)
		},
	},
	{ // somebody who looks alike
		func(g *generator, p person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			alike := g.invent().atDatabricks("00u" + g.base62(17))
			alike.UserName = strings.Replace(p.login, "example", "еxample", 1) // a Cyrillic е
			g.addDatabricks(alike)
		},
	},
	{ // a character that nobody sees
		func(_ *generator, p person, o *audit.OktaUser, _ *audit.DatabricksUser) {
			o.Email = strings.Replace(p.login, "@", "\u200b@", 1)
		},
	},
	{ // a name that was changed
		func(_ *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) { d.GivenName = "Bobby" },
	},
	{ // switched off, with rights
		func(_ *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			d.Active, d.Entitlements = false, audit.NewValues(audit.Value{Value: "workspace-access"})
		},
	},
	{ // two names
		func(_ *generator, p person, o *audit.OktaUser, _ *audit.DatabricksUser) {
			o.Email = strings.Replace(p.login, "@example.com", "@mail.example.com", 1)
		},
	},
	{ // an account admin
		func(_ *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) {
			d.Roles = audit.NewValues(audit.Value{Value: "account_admin", Type: "direct"})
		},
	},
	{ // in Okta alone
		func(_ *generator, _ person, _ *audit.OktaUser, d *audit.DatabricksUser) { d.UserName = "" },
	},
}

// A form of a defect changes a person's records before they are added.
type form = func(g *generator, p person, o *audit.OktaUser, d *audit.DatabricksUser)

// inCapitals is the login with its domain in capitals.
func inCapitals(login string) string {
	at := len(login) - len("@example.com")
	return login[:at] + strings.ToUpper(login[at:])
}

// A spelling is a name, and how it stands in addresses.
type spelling struct{ native, latin string }

type script struct{ given, family []spelling }

func spelled(words string) []spelling {
	var list []spelling
	for w := range strings.FieldsSeq(words) {
		native, latin, other := strings.Cut(w, "=")
		if !other {
			latin = strings.ToLower(w)
		}
		list = append(list, spelling{native, latin})
	}
	return list
}

// stock are invented names, those in Latin letters first.
var stock = []script{
	{spelled("Ana Bo Cy Dee Eva Fay Gus Hal Ida Jo Kit Lee Mae Ned Ola Pat Ray Sam Tess Uma Val Wes Yan Zed Amara Bruno Clara Dario Elena Felix Greta Hugo"),
		spelled("Reed Stone Marsh Hill Brook Field Wood Lake Frost Vale Cole Dale Finch Grove Heath Lane Moor North Pike Ross Shaw Thorn Ward York Becker Costa")},
	{spelled("Zoë=zoe Renée=renee Łukasz=lukasz Søren=soren Çağla=cagla Jürgen=juergen Šárka=sarka Małgorzata=malgorzata Björn=bjorn"),
		spelled("Müller=mueller García=garcia Škoda=skoda Åberg=aberg Öztürk=ozturk Núñez=nunez Dvořák=dvorak Groß=gross Trần=tran")},
	{spelled("Ελένη=eleni Άννα=anna Σοφία=sofia Μαρία=maria"), spelled("Πέτρα=petra Λίμνη=limni Κάμπου=kampou")},
	{spelled("Анна=anna Иван=ivan Ольга=olga Дмитрий=dmitri Пётр=petr"), spelled("Лесной=lesnoy Речной=rechnoy Полев=polev Озеров=ozerov")},
	{spelled("ليلى=layla عمر=omar سلمى=salma نور=nour"), spelled("الجبل=aljabal النهر=alnahr البحر=albahr")},
	{spelled("小明=xiaoming 丽=li 伟=wei 健太=kenta 花子=hanako"), spelled("山=shan 林=lin 田中=tanaka 森=mori")},
	{spelled("민준=minjun 서연=seoyeon 지호=jiho"), spelled("김=kim 이=lee 박=park 최=choi")},
}

// The files of a tenant in a folder.
const (
	snapshotFile   = "tenant.snapshot"
	oktaFile       = "okta.ndjson" // the same users, for peers that read NDJSON
	databricksFile = "databricks.ndjson"
)

// writeTenant writes the tenant of n users into the folder.
func writeTenant(dir string, n int, ndjson bool) error {
	s, err := tenant(n)
	if err != nil {
		return err
	}
	if err := writeFile(dir, snapshotFile, func(w io.Writer) error { _, err := snapfile.Write(w, s, "bench"); return err }); err != nil {
		return err
	}
	if !ndjson {
		return nil
	}
	err = writeFile(dir, oktaFile, func(w io.Writer) error {
		var l line
		for _, o := range s.OktaUsers.All() {
			l.start().text("id", o.ID).text("status", o.Status).text("login", o.Login).text("email", o.Email).
				text("first_name", o.FirstName).text("last_name", o.LastName)
			if err := l.end(w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeFile(dir, databricksFile, func(w io.Writer) error {
		var l line
		for _, d := range s.DatabricksUsers.All() {
			l.start().text("id", d.ID).text("user_name", d.UserName).text("external_id", d.ExternalID).text("display_name", d.DisplayName).
				text("given_name", d.GivenName).text("family_name", d.FamilyName).raw("active", strconv.FormatBool(d.Active))
			if err := l.end(w); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeFile(dir, name string, write func(io.Writer) error) error {
	f, err := os.Create(dir + "/" + name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return nil
}

// A line is an object, written member by member.
type line struct{ b []byte }

func (l *line) start() *line {
	l.b = append(l.b[:0], '{')
	return l
}

func (l *line) text(name, value string) *line {
	quoted, err := jsontext.AppendQuote(nil, value)
	if err != nil {
		panic(err) // the generator's names are valid UTF-8
	}
	return l.raw(name, string(quoted))
}

func (l *line) raw(name, value string) *line {
	if len(l.b) > 1 {
		l.b = append(l.b, ',')
	}
	l.b = append(l.b, '"')
	l.b = append(l.b, name...)
	l.b = append(l.b, '"', ':')
	l.b = append(l.b, value...)
	return l
}

func (l *line) end(w io.Writer) error {
	l.b = append(l.b, "}\n"...)
	_, err := w.Write(l.b)
	return err
}
