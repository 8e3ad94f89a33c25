package aim

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// A tenant is both directories as the audit reads them, and the known SSO claim.
type tenant struct {
	oktaUsers  []audit.OktaUser
	oktaGroups []audit.OktaGroup
	appUsers   []audit.OktaAppUser // of the SSO app; everybody has one under a custom claim

	users      []audit.DatabricksUser
	groups     []audit.DatabricksGroup
	principals []audit.DatabricksServicePrincipal

	settings audit.Settings
}

const ssoApp = "0oasso"

// The pools are small, so that identities collide in every way there is. Names of a
// row are one name, or look like one.
var (
	names = [][]string{
		{"ana@example.com"}, {"bo@example.com"},
		{"kim@example.com", "KIM@example.com", "\u212aim@example.com", " kim@example.com", "k\u0131m@example.com"},
		{"groß@example.com", "groẞ@example.com", "gross@example.com", "GROSS@example.com"},
		{"zoé@example.com", "zoe\u0301@example.com", "ZOÉ@EXAMPLE.COM", "zoe@example.com"},
		{"νίκος@example.com", "ΝΊΚΟΣ@example.com", "νι\u0301κοσ@example.com"},
		{"\xffkim@example.com", "\xffKIM@example.com"},
		{"omar@example.com", "om\u200bar@example.com"},
	}
	groupNames   = []string{"Team", "TEAM ", "team", "Straße", "STRASSE", "Ops", "ops", "keys", "\u212aeys", "admins", "Users", "", " "}
	statuses     = []string{"ACTIVE", "ACTIVE", "STAGED", "SUSPENDED", "DEPROVISIONED", "SOMETHING_NEW"}
	oktaUserIDs  = []string{"00u1", "00u2", "00u3", "00u4", "00u5"}
	oktaGroupIDs = []string{"00g1", "00g2", "00g3", "00g4"}
	otherIDs     = []string{"gone1", "gone2", "00U1"}
)

// one in n is true.
func one(t *rapid.T, n int, label string) bool { return rapid.IntRange(0, n-1).Draw(t, label) == n-1 }

// few takes some of the pool, of which all draws are made, so that they meet.
func few(t *rapid.T, pool []string, label string) *rapid.Generator[string] {
	return rapid.SampledFrom(rapid.SliceOfN(rapid.SampledFrom(pool), 1, 6).Draw(t, label))
}

// drawTenant draws a tenant in which everybody can sign in: who is not
// deprovisioned has a name under the claim.
func drawTenant(t *rapid.T) tenant {
	w := tenant{settings: audit.Settings{
		SSOClaim: rapid.SampledFrom([]audit.Claim{audit.ClaimLogin, audit.ClaimEmail, audit.ClaimOther}).Draw(t, "claim"),
		Include:  rapid.SliceOfDistinct(rapid.SampledFrom([]string{"overwrite", "names", "deactivate", "clear"}), rapid.ID[string]).Draw(t, "include"),
	}}
	name := few(t, slices.Concat(rapid.SliceOfN(rapid.SampledFrom(names), 1, 4).Draw(t, "families")...), "names")
	groupName := few(t, groupNames, "groupNames")
	external := func(kind []string) *rapid.Generator[string] {
		return rapid.SampledFrom(slices.Concat([]string{"", "", "", ""}, otherIDs, kind, kind, oktaUserIDs[:1], oktaGroupIDs[:1]))
	}

	for _, id := range oktaUserIDs[:rapid.IntRange(0, len(oktaUserIDs)).Draw(t, "oktaUsers")] {
		o := audit.OktaUser{ID: id, Status: rapid.SampledFrom(statuses).Draw(t, "status"), Login: name.Draw(t, "login")}
		o.Email = o.Login
		if one(t, 2, "otherEmail") {
			o.Email = name.Draw(t, "email")
		}
		if one(t, 8, "oneName") && w.settings.SSOClaim != audit.ClaimEmail {
			o.Email = ""
		}
		w.oktaUsers = append(w.oktaUsers, o)
		if w.settings.SSOClaim == audit.ClaimOther {
			claimed := rapid.SampledFrom([]string{o.Login, o.Login, name.Draw(t, "appUserName")}).Draw(t, "claimed")
			w.appUsers = append(w.appUsers, audit.OktaAppUser{App: ssoApp, User: id, Status: "ACTIVE", UserName: claimed})
		}
	}
	for _, id := range oktaGroupIDs[:rapid.IntRange(0, len(oktaGroupIDs)).Draw(t, "oktaGroups")] {
		w.oktaGroups = append(w.oktaGroups, audit.OktaGroup{ID: id, Type: "OKTA_GROUP", Name: groupName.Draw(t, "name")})
	}
	for _, id := range []string{"11", "12", "13", "14", "15"}[:rapid.IntRange(0, 5).Draw(t, "users")] {
		w.users = append(w.users, audit.DatabricksUser{ID: id, UserName: rapid.OneOf(name, name, name, rapid.SampledFrom([]string{"", "eva@example.com"})).Draw(t, "userName"),
			ExternalID: external(oktaUserIDs).Draw(t, "externalID"), Active: !one(t, 4, "inactive")})
	}
	for _, id := range []string{"21", "22", "23", "24"}[:rapid.IntRange(0, 4).Draw(t, "groups")] {
		w.groups = append(w.groups, audit.DatabricksGroup{ID: id, DisplayName: groupName.Draw(t, "displayName"),
			ExternalID:   external(oktaGroupIDs).Draw(t, "externalID"),
			ResourceType: rapid.SampledFrom([]string{"Group", "Group", "Group", "WorkspaceGroup"}).Draw(t, "resourceType")})
	}
	if one(t, 4, "principal") {
		w.principals = []audit.DatabricksServicePrincipal{{ID: "31", Active: true, ExternalID: external(oktaGroupIDs).Draw(t, "externalID")}}
	}
	return w
}

// A fataler is a test, of rapid's too.
type fataler interface{ Fatal(args ...any) }

// run is the audit's report on the tenant.
func (w tenant) run(t fataler) *audit.Report {
	var b audit.Builder
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: in.Required() || in == audit.OktaAppUsers})
	}
	for _, records := range [][]any{
		anys(w.oktaUsers), anys(w.oktaGroups), anys(w.appUsers), anys(w.users), anys(w.groups), anys(w.principals),
	} {
		for _, r := range records {
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Run(s, rules.All(), audit.Options{
		Settings: w.settings, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Expires: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func anys[T any](records []T) []any {
	all := make([]any, len(records))
	for i, r := range records {
		all[i] = r
	}
	return all
}

// state is the tenant as the imitation knows it.
func (w tenant) state() State {
	var s State
	for _, o := range w.oktaUsers {
		s.OktaUsers = append(s.OktaUsers, OktaUser{o.ID, o.Login, o.Email, o.Status == audit.StatusDeprovisioned})
	}
	for _, g := range w.oktaGroups {
		s.OktaGroups = append(s.OktaGroups, OktaGroup{g.ID, g.Name})
	}
	for _, d := range w.users {
		s.Users = append(s.Users, User{d.ID, d.UserName, d.ExternalID, !d.Active})
	}
	for _, g := range w.groups {
		if g.ResourceType != "WorkspaceGroup" {
			system := slices.ContainsFunc([]string{"admins", "users", "account users"}, func(name string) bool { return same(name, g.DisplayName) })
			s.Groups = append(s.Groups, Group{ID: g.ID, Name: g.DisplayName, ExternalID: g.ExternalID, System: system})
		}
	}
	return s
}

// claim is the tenant's SSO claim.
func (w tenant) claim() Claim {
	return func(o OktaUser) string {
		switch w.settings.SSOClaim {
		case audit.ClaimLogin:
			return o.Login
		case audit.ClaimEmail:
			return o.Email
		}
		i := slices.IndexFunc(w.appUsers, func(u audit.OktaAppUser) bool { return u.User == o.ID })
		return w.appUsers[i].UserName
	}
}

// apply returns the tenant after the approved operations.
func (w tenant) apply(ops []audit.Operation) tenant {
	w.users, w.groups, w.principals = slices.Clone(w.users), slices.Clone(w.groups), slices.Clone(w.principals)
	for _, op := range ops {
		if op.Decision != audit.Approve {
			continue
		}
		for i := range w.users {
			switch target := (audit.Subject{Kind: audit.DatabricksUserKind, ID: w.users[i].ID}); {
			case op.Target != target:
			case op.Field == "externalId":
				w.users[i].ExternalID = op.To
			case op.Field == "active":
				w.users[i].Active = false
			}
		}
		for i := range w.groups {
			if op.Target == (audit.Subject{Kind: audit.DatabricksGroupKind, ID: w.groups[i].ID}) {
				w.groups[i].ExternalID = op.To
			}
		}
		for i := range w.principals {
			if op.Target == (audit.Subject{Kind: audit.DatabricksServicePrincipalKind, ID: w.principals[i].ID}) {
				w.principals[i].ExternalID = op.To
			}
		}
	}
	return w
}
