package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// WorkspaceGroupClash finds workspace-local groups whose name is taken elsewhere.
var WorkspaceGroupClash = &audit.Rule{
	Name:     "workspace-group-clash",
	Family:   audit.GroupsFamily,
	Severity: audit.Warning,
	Checks: []audit.Check{{
		Needs: []audit.Input{audit.OktaGroups, audit.DatabricksGroups, audit.DatabricksWorkspaceDetails},
		Run:   workspaceGroupClash,
	}},
	Quiet: quietWorkspaceGroupClash,
	Doc: `A workspace's own group has the name of an account or Okta group

## What
A group that belongs to one workspace has the same name as a group of the account,
or as an Okta group.

## Why
In that workspace the name means the local group. Grants made to the account's
group, or to the one that AIM brings, reach other people than expected.

## How to fix
Move the members of the local group to the account's group, and remove or rename
the local one.
`,
	Examples: []audit.Example{{
		Name:   "a name of its own",
		Tenant: []any{oktaGroup("00g1", "People"), audit.DatabricksGroup{ID: "1", DisplayName: "Local only", ResourceType: "WorkspaceGroup"}},
	}, {
		Name:   "an Okta group's name",
		Tenant: []any{oktaGroup("00g1", "People"), audit.DatabricksGroup{ID: "1", DisplayName: "PEOPLE", Workspace: "9"}},
		Want:   []string{"warning review databricks:group:1: databricks:group:1 okta:group:00g1"},
	}, {
		Name:   "an account group's name",
		Tenant: []any{group("2", "Data", ""), audit.DatabricksGroup{ID: "1", DisplayName: "data", ResourceType: "WorkspaceGroup"}},
		Want:   []string{"warning review databricks:group:1: databricks:group:1 databricks:group:2"},
	}},
}

func workspaceGroupClash(p *audit.Pass) {
	for g := range p.All(audit.DatabricksGroupKind) {
		if !p.DatabricksGroup(g).WorkspaceLocal() {
			continue
		}
		others := slices.Concat(p.AccountGroupsNamedLike(g), slices.Collect(p.Candidates(g).All()))
		if len(others) == 0 {
			continue
		}
		p.Report(audit.Finding{
			Key: p.Subject(g).String(), Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(g), slices.Values(others)),
			Evidence: describe(p, one(g), slices.Values(others)),
			Message:  fmt.Sprintf("workspace group %s has the name of %s", p.Name(g), plural(len(others), "other group")),
		})
	}
}

// quietWorkspaceGroupClash says why the rule is silent about r.
func quietWorkspaceGroupClash(ix *audit.Index, r audit.Ref) string {
	switch {
	case r.Kind == audit.OktaGroupKind, r.Kind == audit.DatabricksGroupKind && !ix.DatabricksGroup(r).WorkspaceLocal():
		return "no workspace's own group has its name"
	case r.Kind == audit.DatabricksGroupKind:
		return "no account or Okta group has its name"
	}
	return ""
}
