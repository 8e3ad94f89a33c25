package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A groupCase is a group of either directory or both while its members gather.
type groupCase struct {
	okta, oktaName string   // id and name; no id: not in Okta
	databricks     string   // displayName; blank: not in Databricks
	externalID     string   // what the Databricks group says
	kind           string   // of the Okta group
	oktaMembers    []string // ids of Okta users
	members        []string // ids of Databricks users
	roles          []string
	drift          bool // each directory lacks one of the other's members
}

// plan adds a group to come. An Okta id is made where there is a name.
func (g *generator) plan(c groupCase) *groupCase {
	if c.oktaName != "" && c.okta == "" {
		c.okta = g.oktaID("00g")
	}
	if c.kind == "" {
		c.kind = "OKTA_GROUP"
	}
	if c.externalID == "linked" {
		c.externalID = c.okta
	}
	g.groups = append(g.groups, &c)
	return &c
}

// admins is the local group that holds the role account_admin: always the first.
func (g *generator) admins() *groupCase { return g.groups[0] }

// planGroups plans so many groups: every defect once, then one in a hundred.
func (g *generator) planGroups(n int) {
	g.plan(groupCase{databricks: "Account administrators", roles: []string{"account_admin"}})
	g.plan(groupCase{databricks: "account users"})
	g.plan(groupCase{databricks: "admins"})
	g.plan(groupCase{oktaName: "Everyone", kind: "BUILT_IN"})
	g.plan(groupCase{oktaName: "Admins"}) // a reserved name
	cases := g.groupDefects()
	for _, c := range cases {
		c(g.groupName())
	}
	for len(g.groups) < n {
		name := g.groupName()
		if k := g.rand.IntN(100); k < len(cases) {
			cases[k](name)
			continue
		}
		switch g.rand.IntN(5) {
		case 0:
			g.plan(groupCase{oktaName: name})
		case 1:
			g.plan(groupCase{databricks: name})
		default:
			g.plan(groupCase{oktaName: name, databricks: name, externalID: "linked"})
		}
	}
}

// groupName invents a name that no group has yet.
func (g *generator) groupName() string {
	names := strings.Split("Engineering,Data Platform,Finance,Sales,Support,Legal,Research,Marketing,Opérations,Vertrieb Süd,"+
		"Μάρκετινγκ,Отдел продаж,المبيعات,財務部,開発チーム,개발팀,Logística,Zürich Büro,ML 🚀,Security", ",")
	name := pick(g, names)
	g.locals["group "+name]++
	if n := g.locals["group "+name]; n > 1 {
		name += " " + strconv.Itoa(n)
	}
	return name
}

// groupDefects returns what makes each kind of group in which an audit finds
// something.
func (g *generator) groupDefects() []func(name string) {
	return []func(name string){
		func(name string) { g.plan(groupCase{oktaName: name, databricks: strings.ToUpper(name)}) },
		func(name string) { g.plan(groupCase{oktaName: name, databricks: name, externalID: g.oktaID("00g")}) },
		func(name string) { g.plan(groupCase{databricks: name, externalID: g.oktaID("00g")}) },
		func(name string) { // namesakes of different types
			g.plan(groupCase{oktaName: name, databricks: name})
			g.plan(groupCase{oktaName: name, kind: "APP_GROUP"})
		},
		func(name string) { // twins
			g.plan(groupCase{databricks: "Twin of " + name})
			g.plan(groupCase{databricks: "TWIN OF " + name})
		},
		func(name string) { // renamed
			g.plan(groupCase{oktaName: name + " (new)", databricks: name, externalID: "linked"})
		},
		func(name string) { // renamed, and the name given to another
			g.plan(groupCase{oktaName: name + " (2023)", databricks: name, externalID: "linked"})
			g.plan(groupCase{oktaName: name})
		},
		func(name string) {
			g.plan(groupCase{oktaName: name, databricks: name, externalID: "linked", drift: true})
		},
	}
}

// odd adds a group that has an id which is not its own.
func (g *generator) odd(externalID string) {
	g.t.Databricks.Groups = append(g.t.Databricks.Groups, g.databricksGroup(groupCase{databricks: "Odd group " + externalID[3:8], externalID: externalID}))
}

// oktaGroup returns any group that Okta has.
func (g *generator) oktaGroup() *groupCase {
	for {
		if c := pick(g, g.groups); c.okta != "" {
			return c
		}
	}
}

// join adds somebody to one to three groups of both directories.
func (g *generator) join(okta, databricks string) {
	for range 1 + g.rand.IntN(3) {
		c := pick(g, g.groups)
		if c.okta == "" || c.kind == "BUILT_IN" || last(c.oktaMembers) == okta {
			continue
		}
		if databricks == "" && c.databricks != "" { // or every group would drift
			continue
		}
		c.oktaMembers = append(c.oktaMembers, okta)
		if databricks != "" && c.databricks != "" {
			c.members = append(c.members, databricks)
		}
	}
}

func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// finishGroups writes the planned groups.
func (g *generator) finishGroups() {
	everyone := make([]string, len(g.t.Okta.Users))
	for i, raw := range g.t.Okta.Users {
		everyone[i] = string(raw[len(`{"id":"`) : len(`{"id":"`)+20])
	}
	for _, c := range g.groups {
		if c.drift && len(c.members) > 1 {
			c.oktaMembers, c.members = c.oktaMembers[1:], c.members[:len(c.members)-1]
		}
		if c.okta != "" {
			members := c.oktaMembers
			if c.kind == "BUILT_IN" {
				members = everyone
			}
			g.t.Okta.GroupMembers[c.okta] = members
			w := jsonWriter{}
			w.open("id", c.okta).text("type", c.kind).object("profile").open("name", c.oktaName).orNull("description", "").close().close()
			g.t.Okta.Groups = append(g.t.Okta.Groups, w.b)
		}
		if c.databricks != "" {
			g.t.Databricks.Groups = append(g.t.Databricks.Groups, g.databricksGroup(*c))
		}
	}
}

func (g *generator) databricksGroup(c groupCase) json.RawMessage {
	w := jsonWriter{}
	w.open("id", g.databricksID()).text("displayName", c.databricks)
	if c.externalID != "" {
		w.text("externalId", c.externalID)
	}
	w.values("roles", c.roles, "direct").values("members", c.members, "")
	return w.raw(`,"meta":{"resourceType":"Group"}}`).b
}

// workspaces adds so many workspaces, what they say of identity federation, and
// who is in them.
func (g *generator) workspaces(n int) {
	d := &g.t.Databricks
	for i := range n {
		id := strconv.Itoa(7_405_600_000_000_001 + i*977)
		federation := `,"identity_federation_info":{"enable_identity_federation":true}`
		switch i {
		case 1:
			federation = `,"identity_federation_info":{"enable_identity_federation":false}`
		case 2:
			federation = ""
		}
		d.Workspaces = append(d.Workspaces, json.RawMessage(fmt.Sprintf(
			`{"workspace_id":%s,"workspace_name":"workspace-%d","deployment_name":"sandbox-%d","workspace_status":"RUNNING"%s}`, id, i, i, federation)))
		var groups []json.RawMessage
		own := "Local to workspace " + strconv.Itoa(i)
		if i%4 == 0 { // an Okta group's name
			own = g.oktaGroup().oktaName
		}
		for _, name := range []string{"admins", "users", own} {
			w := jsonWriter{}
			w.open("id", g.databricksID()).text("displayName", name)
			groups = append(groups, w.raw(`,"meta":{"resourceType":"WorkspaceGroup"}}`).b)
		}
		d.WorkspaceGroups[id] = groups
		var assigned []json.RawMessage
		for _, raw := range d.Groups[:min(len(d.Groups), 5)] {
			w := jsonWriter{[]byte(`{"principal":`)}
			w.open("group_name", text(memberOf(raw, "displayName"))).key("principal_id").raw(text(memberOf(raw, "id")))
			assigned = append(assigned, w.raw(`},"permissions":["USER"]}`).b)
		}
		for _, raw := range d.Users[:min(len(d.Users), 5)] {
			w := jsonWriter{[]byte(`{"principal":`)}
			w.open("user_name", text(memberOf(raw, "userName"))).key("principal_id").raw(text(memberOf(raw, "id")))
			assigned = append(assigned, w.raw(`},"permissions":["ADMIN"]}`).b)
		}
		d.Assignments[id] = assigned
	}
}
