package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"
)

// principals adds so many service principals and the Okta apps that go with
// them, the SSO app with its users, and the service principal that audits.
func (g *generator) principals(n int) {
	sso := g.app("Databricks SSO", "ACTIVE")
	users := make([]json.RawMessage, len(g.sso))
	for i, u := range g.sso {
		w := jsonWriter{}
		users[i] = w.open("id", u.id).text("status", "ACTIVE").object("credentials").open("userName", u.name).close().close().b
	}
	g.t.Okta.AppUsers[sso] = users
	g.principal("aimcheck", DatabricksClientID, "", "account_admin")

	cases := g.principalCases()
	for i := range n {
		name := "job-" + strconv.Itoa(i)
		if i < len(cases) {
			cases[i](name)
			continue
		}
		if k := g.rand.IntN(100); k < len(cases) {
			cases[k](name)
			continue
		}
		g.principal(name, g.uuid(), g.app(name, "ACTIVE"))
	}
}

// principalCases returns what makes each kind of service principal in which an
// audit finds something, and a local one.
func (g *generator) principalCases() []func(name string) {
	return []func(name string){
		func(name string) { g.principal("other "+name, g.app(name, "ACTIVE"), "") }, // known by the client id
		func(name string) { g.app(name, "ACTIVE"); g.principal(strings.ToUpper(name), g.uuid(), "") },
		func(name string) { // two apps of one label
			g.app(name, "ACTIVE")
			g.app(strings.ToUpper(name), "ACTIVE")
			g.principal(name, g.uuid(), "")
		},
		func(name string) { g.app(name, "ACTIVE"); g.principal(name, g.uuid(), g.oktaID("0oa")) },
		func(name string) { g.principal(name, g.uuid(), g.oktaID("0oa")) },
		func(name string) { g.app(name, "INACTIVE"); g.principal(name, g.uuid(), "") },
		func(name string) { // an id that two have
			id := g.app(name, "ACTIVE")
			g.principal(name, g.uuid(), id)
			g.principal(name+" copy", g.uuid(), id)
		},
		func(name string) { g.principal(name, g.uuid(), "") },
	}
}

// app adds an OAuth app and returns its id, which is its client id too.
func (g *generator) app(label, status string) string {
	id := g.oktaID("0oa")
	w := jsonWriter{}
	w.open("id", id).text("label", label).text("status", status)
	w.object("credentials").raw(`{"oauthClient":`).open("client_id", id).close().close().close()
	g.t.Okta.Apps = append(g.t.Okta.Apps, w.b)
	return id
}

// principal adds a service principal.
func (g *generator) principal(name, applicationID, externalID string, roles ...string) {
	w := jsonWriter{}
	w.open("id", g.databricksID()).text("displayName", name).text("applicationId", applicationID)
	w.key("active").raw("true")
	if externalID != "" {
		w.text("externalId", externalID)
	}
	w.values("roles", roles, "direct")
	g.t.Databricks.ServicePrincipals = append(g.t.Databricks.ServicePrincipals, w.close().b)
}
