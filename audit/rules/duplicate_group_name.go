package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// DuplicateGroupName finds Databricks groups of one name.
var DuplicateGroupName = &audit.Rule{
	Name:     "duplicate-group-name",
	Family:   audit.GroupsFamily,
	Severity: audit.Error,
	Checks:   []audit.Check{{Needs: []audit.Input{audit.DatabricksGroups}, Run: duplicateGroupName}},
	Quiet:    quietDuplicateGroupName,
	Doc: `Several Databricks groups have the same name

## What
Two or more groups of the account have the same name once letter case, white space
and Unicode forms are set aside. Groups of the system and of one workspace are left
out.

## Why
An Okta group of that name can be linked to one of them at most, and who grants
something to the name can't know which one it reaches.

## How to fix
Decide which group to keep (decision keep:), move members and grants to it, and
rename or remove the others.
`,
	Examples: []audit.Example{{
		Name:   "different names",
		Tenant: []any{group("1", "One", ""), group("2", "Two", ""), group("3", "admins", ""), group("4", "Admins", "")},
	}, {
		Name:   "the same in other letters",
		Tenant: []any{group("1", "Twin", ""), group("2", " TWIN", "")},
		Want:   []string{"error choose twin: databricks:group:1 databricks:group:2"},
	}},
}

func duplicateGroupName(p *audit.Pass) {
	for groups := range p.SharedGroupNames() {
		name := audit.Fold(p.Name(groups[0]))
		p.Report(audit.Finding{
			Key: name, Remedy: audit.RemedyChoose,
			Subjects: p.Subjects(slices.Values(groups)),
			Evidence: append(describe(p, slices.Values(groups)), keep(p, groups)),
			Message:  fmt.Sprintf("%d Databricks groups have the name %s", len(groups), name),
		})
	}
}

// quietDuplicateGroupName says why the rule is silent about r.
func quietDuplicateGroupName(ix *audit.Index, r audit.Ref) string {
	switch {
	case r.Kind != audit.DatabricksGroupKind:
		return ""
	case leftOut(ix, r):
		return leftOutWhy
	}
	return "no other Databricks group has its name"
}
