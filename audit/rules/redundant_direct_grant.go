package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// RedundantDirectGrant finds what a user holds directly and through a group.
var RedundantDirectGrant = &audit.Rule{
	Name:     "redundant-direct-grant",
	Family:   audit.AccessFamily,
	Severity: audit.Info,
	Checks: []audit.Check{{
		Needs: []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksMembers},
		Run:   redundantDirectGrant,
	}},
	Quiet: quietRedundantDirectGrant,
	Doc: `A role or entitlement is held directly and through a group

## What
A Databricks user has a role or entitlement directly and has it through a group
too, directly or through groups within groups. One finding per user.

## Why
Permissions given to a person stay when the group is left: whoever changes teams in
Okta keeps them.

## How to fix
Take the direct grant away where the group is meant to give it.
`,
	Examples: []audit.Example{{
		Name: "through the group alone",
		Tenant: []any{
			user("1", "bo@example.com", ""), admins("2"),
			audit.DatabricksGroupMembers{Group: "2", Members: audit.NewValues(audit.Value{Value: "1"})},
		},
	}, {
		Name: "both ways",
		Tenant: []any{
			audit.DatabricksUser{ID: "1", UserName: "bo@example.com", Active: true, Roles: audit.NewValues(audit.Value{Value: "account_admin", Type: "direct"})},
			admins("2"),
			audit.DatabricksGroupMembers{Group: "2", Members: audit.NewValues(audit.Value{Value: "1"})},
		},
		Want: []string{"info review databricks:user:1: databricks:group:2 databricks:user:1"},
	}},
}

// admins is a group that gives its members the role account_admin.
func admins(id string) audit.DatabricksGroup {
	g := group(id, "Local admins", "")
	g.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
	return g
}

func redundantDirectGrant(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		if !p.Granted(d) {
			continue
		}
		user := p.DatabricksUser(d)
		var groups []audit.Ref
		var twice []string
		var evidence []audit.Evidence
		for g := range p.GroupsAbove(d) {
			record := p.DatabricksGroup(g)
			for _, held := range []struct {
				field         string
				direct, group audit.Values
			}{{"roles", user.Roles, record.Roles}, {"entitlements", user.Entitlements, record.Entitlements}} {
				for _, grant := range both(held.direct, held.group) {
					groups, twice = append(groups, g), append(twice, grant)
					evidence = append(evidence, audit.Evidence{Subject: p.Subject(g), Role: "gives as well", Field: held.field, Value: grant})
				}
			}
		}
		if len(groups) == 0 {
			continue
		}
		slices.Sort(twice)
		p.Report(audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(d), slices.Values(groups)),
			Evidence: append([]audit.Evidence{userNameOf(p, d)}, evidence...),
			Message:  fmt.Sprintf("Databricks user %s holds %s directly and through a group", user.UserName, strings.Join(slices.Compact(twice), ", ")),
		})
	}
}

// both returns the grants that are direct ones of the user and the group's too.
func both(direct, group audit.Values) []string {
	var grants []string
	for d := range direct.All() {
		for g := range group.All() {
			if d.Value == g.Value && d.Type != "indirect" && !slices.Contains(grants, d.Value) {
				grants = append(grants, d.Value)
			}
		}
	}
	return grants
}

// quietRedundantDirectGrant says why the rule is silent about r.
func quietRedundantDirectGrant(_ *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.DatabricksUserKind:
		return "no group gives it what it holds directly"
	case audit.DatabricksGroupKind:
		return "no user in it holds directly what it gives"
	}
	return ""
}
