package rules_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// The pools are small, so that identities collide in every way there is.

// drawNames are names; those of a row are one name, or look like one.
var drawNames = [][]string{
	{"ana@example.com"},
	{"kim@example.com", "KIM@example.com", "\u212aim@example.com", " kim@example.com", "k\u0131m@example.com"},
	{"rosa@example.com", "ro\u017fa@example.com", "r\u043esa@example.com", "rosa@example.org"},
	{"νίκος@example.com", "ΝΊΚΟΣ@example.com", "νι\u0301κοσ@example.com"},
	{"groß@example.com", "groẞ@example.com", "gross@example.com", "GROSS@example.com", "gr\u043e\u03b2@example.com"},
	{"dılan@example.com", "dilan@example.com", "DİLAN@example.com", "DILAN@example.com"},
	{"zoé@example.com", "zoe\u0301@example.com", "ZOÉ@EXAMPLE.COM", "zoe@example.com"},
	{"om\u200bar@example.com", "omar@example.com", "\u202eomar@example.com", "\u043emar@example.com"},
	{"שרה@example.com", "שרה\u200f@example.com"},
	{"a😀@example.com", "a😀\ufe0f@example.com"},
	{"\ufb03x@example.com", "ffix@example.com", "FFIX@example.com"},
	{"ŉa@example.com", "ʼna@example.com", "'na@example.com"},
	{"", " ", "\u200b", "\u200b\u200b"},
	{"no-address", "a@b@example.com", "@example.com", "a b@example.com", "x@nodot"},
	{"\xffkim@example.com", "\xffKIM@example.com", "\xffkim@example.com "},
}

var (
	drawStatuses   = []string{"ACTIVE", "STAGED", "SUSPENDED", "DEPROVISIONED", "DEPROVISIONED", "LOCKED_OUT", "SOMETHING_NEW"}
	drawParts      = []string{"Ana", "ANA", "Anna", "", " ", "Zoé", "Zoe\u0301"}
	drawGroupNames = []string{"Team", "TEAM ", "team", "Straße", "STRASSE", "Ops", "ops", "\u212aeys", "keys", "admins", "Admins", "users", "Account Users", "", " "}
	drawLabels     = []string{"Jobs", "JOBS", "loader", "Loader ", "", "ſtore", "store"}
	drawClientIDs  = []string{"aaaa-1", "aaaa-2", "AAAA-1", "aaaa-3", ""}
	drawRoles      = []audit.Value{{Value: "account_admin"}, {Value: "account_admin", Type: "direct"}, {Value: "account_admin", Type: "indirect"}, {Value: "marketplace_admin"}}
	drawEntitled   = []audit.Value{{Value: "workspace-access"}, {Value: "account_admin"}}
	drawResource   = []string{"Group", "Group", "Group", "Group", "WorkspaceGroup"}
)

// few draws a short list from the pool, of which a few words are taken first,
// so that the records of one world meet.
func few(t *rapid.T, label string, pool []string) *rapid.Generator[string] {
	return rapid.SampledFrom(rapid.SliceOfN(rapid.SampledFrom(pool), 1, 6).Draw(t, label))
}

// some draws a subset of the values, in the pool's order.
func some[T comparable](t *rapid.T, label string, pool []T) []T {
	if len(pool) == 0 {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, min(3, len(pool)), rapid.ID[T]).Draw(t, label)
}

// maybe draws true about once in n.
func maybe(t *rapid.T, label string, n int) bool { return rapid.IntRange(0, n-1).Draw(t, label) == n-1 }

// several draws up to most records.
func several[R any](t *rapid.T, label string, most int, draw func(t *rapid.T) R) []R {
	return rapid.SliceOfN(rapid.Custom(draw), 0, most).Draw(t, label)
}

// The ids that records may have, in the order in which they are given out; they
// don't sort as numbers do. An id that no record has is a dead one.
var (
	drawOktaUserIDs  = []string{"00u8", "00u9", "00u10", "00u11", "00u12"}
	drawOktaGroupIDs = []string{"00g8", "00u9", "00g10", "00g11"} // one is a user's too
	drawAppIDs       = []string{"0oa8", "0oa9", "0oa10", "0oa11"}
	drawUserIDs      = []string{"18", "19", "110", "111", "112"}
	drawGroupIDs     = []string{"28", "29", "210", "211", "212"}
	drawPrincipalIDs = []string{"38", "39", "310"}
	drawWorkspaceIDs = []string{"48", "49", "410", "411"}
)

// drawWorld draws a small tenant, and settings, in which collisions of every kind are frequent.
func drawWorld(t *rapid.T) (world, audit.Settings) {
	w := world{
		oktaMembers: map[string][]string{}, members: map[string][]string{},
		membersRead: maybe(t, "membersRead", 2), appsRead: maybe(t, "appsRead", 2),
		detailsRead: maybe(t, "detailsRead", 2), workspacesRead: !maybe(t, "workspacesUnread", 8),
	}
	name := few(t, "names", slices.Concat(rapid.SliceOfN(rapid.SampledFrom(drawNames), 1, 4).Draw(t, "families")...))
	groupName := few(t, "groupNames", drawGroupNames)
	part := rapid.SampledFrom(drawParts)

	w.oktaUsers = several(t, "oktaUsers", len(drawOktaUserIDs), func(t *rapid.T) audit.OktaUser {
		o := audit.OktaUser{Status: rapid.SampledFrom(drawStatuses).Draw(t, "status"), Login: name.Draw(t, "login"),
			FirstName: part.Draw(t, "firstName"), LastName: part.Draw(t, "lastName")}
		o.Email = o.Login
		if maybe(t, "otherEmail", 2) {
			o.Email = name.Draw(t, "email")
		}
		return o
	})
	w.oktaGroups = several(t, "oktaGroups", len(drawOktaGroupIDs), func(t *rapid.T) audit.OktaGroup {
		return audit.OktaGroup{Type: "OKTA_GROUP", Name: groupName.Draw(t, "name")}
	})
	if w.appsRead {
		w.apps = several(t, "apps", len(drawAppIDs), func(t *rapid.T) audit.OktaApp {
			return audit.OktaApp{Label: rapid.SampledFrom(drawLabels).Draw(t, "label"),
				Status:   rapid.SampledFrom([]string{"ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE"}).Draw(t, "status"),
				ClientID: rapid.SampledFrom(drawClientIDs).Draw(t, "clientID")}
		})
	}

	// What an externalId may be: mostly nothing, or an Okta id of its kind or another.
	external := func(kind []string) *rapid.Generator[string] {
		return rapid.SampledFrom(slices.Concat([]string{"", "", "", "", "", "", "gone1", "gone2", "gone3", "00U8"}, kind, kind, kind, drawOktaUserIDs[:2], drawOktaGroupIDs[:1], drawAppIDs[:1]))
	}
	userExternal, groupExternal, principalExternal := external(drawOktaUserIDs), external(drawOktaGroupIDs), external(drawAppIDs)
	w.users = several(t, "users", len(drawUserIDs), func(t *rapid.T) audit.DatabricksUser {
		return audit.DatabricksUser{UserName: name.Draw(t, "userName"), ExternalID: userExternal.Draw(t, "externalID"),
			GivenName: part.Draw(t, "givenName"), FamilyName: part.Draw(t, "familyName"), Active: !maybe(t, "inactive", 4),
			Roles:        audit.NewValues(some(t, "roles", drawRoles)...),
			Entitlements: audit.NewValues(some(t, "entitlements", drawEntitled)...)}
	})
	w.groups = several(t, "groups", len(drawGroupIDs), func(t *rapid.T) audit.DatabricksGroup {
		g := audit.DatabricksGroup{DisplayName: groupName.Draw(t, "displayName"), ExternalID: groupExternal.Draw(t, "externalID"),
			ResourceType: rapid.SampledFrom(drawResource).Draw(t, "resourceType"),
			Roles:        audit.NewValues(some(t, "roles", drawRoles)...),
			Entitlements: audit.NewValues(some(t, "entitlements", drawEntitled)...)}
		if w.detailsRead && maybe(t, "workspaceOwn", 5) {
			g.Workspace = drawWorkspaceIDs[0]
		}
		return g
	})
	w.principals = several(t, "principals", len(drawPrincipalIDs), func(t *rapid.T) audit.DatabricksServicePrincipal {
		return audit.DatabricksServicePrincipal{DisplayName: rapid.SampledFrom(drawLabels).Draw(t, "displayName"),
			ApplicationID: rapid.SampledFrom(drawClientIDs).Draw(t, "applicationID"), ExternalID: principalExternal.Draw(t, "externalID"),
			Active: true, Roles: audit.NewValues(some(t, "roles", drawRoles)...)}
	})
	if w.workspacesRead {
		w.workspaces = several(t, "workspaces", len(drawWorkspaceIDs), func(t *rapid.T) audit.DatabricksWorkspace {
			return audit.DatabricksWorkspace{Status: "RUNNING", Federation: rapid.SampledFrom([]string{"true", "false", ""}).Draw(t, "federation")}
		})
	}

	for i := range w.oktaUsers {
		w.oktaUsers[i].ID = drawOktaUserIDs[i]
	}
	for i := range w.oktaGroups {
		w.oktaGroups[i].ID = drawOktaGroupIDs[i]
	}
	for i := range w.apps {
		w.apps[i].ID = drawAppIDs[i]
	}
	for i := range w.users {
		w.users[i].ID = drawUserIDs[i]
	}
	for i := range w.groups {
		w.groups[i].ID = drawGroupIDs[i]
	}
	for i := range w.principals {
		w.principals[i].ID = drawPrincipalIDs[i]
	}
	for i := range w.workspaces {
		w.workspaces[i].ID = drawWorkspaceIDs[i]
	}

	if w.membersRead {
		members := slices.Concat(drawUserIDs[:len(w.users)], drawGroupIDs[:len(w.groups)], drawPrincipalIDs[:len(w.principals)])
		for _, g := range w.oktaGroups {
			w.oktaMembers[g.ID] = some(t, "oktaMembers", drawOktaUserIDs[:len(w.oktaUsers)])
		}
		for _, g := range w.groups {
			w.members[g.ID] = some(t, "members", members)
		}
	}
	if len(w.apps) > 0 {
		for _, user := range some(t, "appUsers", drawOktaUserIDs[:len(w.oktaUsers)]) {
			// What a blank one claims, the contract leaves open.
			if userName := name.Draw(t, "appUserName"); !oracleBlank(userName) {
				w.appUsers = append(w.appUsers, audit.OktaAppUser{App: w.apps[0].ID, User: user, Status: "ACTIVE", UserName: userName})
			}
		}
	}
	who := rapid.SampledFrom(slices.Concat([]string{"", "nobody@example.com"}, drawClientIDs,
		those(collect(w.users, func(d audit.DatabricksUser) string { return d.UserName }), func(name string) bool { return !oracleBlank(name) })))
	w.caller = who.Draw(t, "caller")

	claims := []audit.Claim{"unknown", "login", "email", "other"}
	s := audit.Settings{
		SSOClaim:          rapid.SampledFrom(claims).Draw(t, "claim"),
		WorkspaceSSOClaim: rapid.SampledFrom(claims).Draw(t, "workspaceClaim"),
		UnifiedLogin:      rapid.SampledFrom([]audit.Switch{"unknown", "true", "false"}).Draw(t, "unifiedLogin"),
		SCIMTokenOwner:    who.Draw(t, "tokenOwner"),
		Include:           some(t, "include", []string{"overwrite", "names", "deactivate", "clear"}),
	}
	if len(w.apps) > 0 && maybe(t, "appNamed", 2) {
		s.OktaApp = rapid.SampledFrom(w.apps).Draw(t, "oktaApp").ID
	}
	if maybe(t, "excluding", 4) {
		s.Exclude = some(t, "exclude", []string{"users", "groups", "service-principals", "overwrite", "names", "missing-external-id", "missing-name"})
	}
	return w, s
}

// The tenants drawn must reach every rule and outcome, or comparing on them proves little.
func TestDrawnWorldsReachEverything(t *testing.T) {
	type drawn struct {
		world
		settings audit.Settings
	}
	worlds := rapid.Custom(func(t *rapid.T) drawn {
		w, s := drawWorld(t)
		return drawn{w, s}
	})
	reached := map[string]int{}
	for seed := range 1500 {
		d := worlds.Example(seed)
		r := oracle(d.world, d.settings)
		for _, f := range r.findings {
			reached[f.rule+" "+f.severity+" "+f.remedy]++
		}
		for subject, outcome := range r.outcomesNow {
			directory, rest, _ := strings.Cut(subject, ":")
			kind, _, _ := strings.Cut(rest, ":")
			reached[directory+" "+kind+" "+outcome]++
		}
		for _, op := range r.operations {
			reached[op.action+" "+op.decision]++
		}
	}
	for _, want := range []string{
		"shared-email blocker okta", "shared-email error okta", "shared-email warning okta",
		"login-email-collision blocker okta", "login-email-collision error okta", "login-email-collision warning okta",
		"malformed-username warning okta", "malformed-username warning support", "lookalike-username warning review",
		"missing-name warning okta", "missing-name warning automatic", "missing-name warning review",
		"missing-external-id blocker automatic", "missing-external-id blocker choose", "missing-external-id warning review",
		"unknown-external-id blocker automatic", "unknown-external-id blocker choose",
		"unknown-external-id warning review", "unknown-external-id error review",
		"ambiguous-username error choose", "ambiguous-username blocker choose", "conflicting-external-id blocker choose",
		"username-drift blocker support", "username-drift blocker review", "username-drift warning support",
		"duplicate-external-id blocker choose", "split-identity blocker choose", "case-variant-username error choose",
		"sso-claim-split blocker review", "sso-claim-split warning review", "linked-to-deprovisioned error review",
		"name-mismatch info automatic", "name-mismatch info review", "inactive-with-entitlements warning review",
		"managed-token-owner error review", "redundant-direct-grant info review",
		"ambiguous-group-name blocker choose", "duplicate-group-name error choose",
		"group-name-drift error review", "group-name-drift warning review", "reserved-group-name warning okta",
		"group-member-drift error review", "group-member-drift warning review", "workspace-group-clash warning review",
		"identity-federation-disabled warning review", "identity-federation-disabled info review",
		"databricks user wrong-person", "databricks user deactivate", "databricks user duplicate", "databricks user linked",
		"databricks user ambiguous", "databricks user unmanaged", "databricks group unmanaged", "databricks group duplicate",
		"databricks group linked", "databricks group blocked", "databricks group deactivate",
		"okta user provision", "okta group provision",
		"set_external_id approve", "set_external_id ", "set_name approve", "set_name ",
		"clear_external_id approve", "clear_external_id ", "deactivate_user approve",
	} {
		if reached[want] == 0 {
			t.Errorf("no tenant drawn has %q", want)
		}
	}
	t.Log(reached)
}
