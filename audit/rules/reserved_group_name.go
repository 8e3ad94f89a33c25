package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// ReservedGroupName finds Okta groups with the name of a group of the system.
var ReservedGroupName = &audit.Rule{
	Name:     "reserved-group-name",
	Family:   audit.GroupsFamily,
	Severity: audit.Warning,
	Checks:   []audit.Check{{Needs: bothGroups, Run: reservedGroupName}},
	Quiet:    quietReservedGroupName,
	Doc: `An Okta group has a name that Databricks reserves

## What
An Okta group is called admins, users or account users.

## Why
Databricks has groups of these names that it makes itself and that can't be removed:
the Okta group can't be provisioned under its name.

## How to fix
Rename the group in Okta, or don't assign it to Databricks.
`,
	Examples: []audit.Example{{
		Name:   "another name",
		Tenant: []any{oktaGroup("00g1", "Admins EMEA"), group("1", "admins", "")},
	}, {
		Name:   "a reserved name",
		Tenant: []any{oktaGroup("00g1", "Account Users")},
		Want:   []string{"warning okta okta:group:00g1: okta:group:00g1"},
	}},
}

func reservedGroupName(p *audit.Pass) {
	for o := range p.All(audit.OktaGroupKind) {
		if name := p.Name(o); audit.ReservedGroup(name) {
			p.Report(audit.Finding{
				Key: p.Subject(o).String(), Remedy: audit.RemedyOkta,
				Subjects: p.Subjects(one(o)), Evidence: describe(p, one(o)),
				Message: fmt.Sprintf("Okta group %s has a name that Databricks reserves", name),
			})
		}
	}
}

// quietReservedGroupName says why the rule is silent about r.
func quietReservedGroupName(_ *audit.Index, r audit.Ref) string {
	if r.Kind == audit.OktaGroupKind {
		return "its name is none of the system's"
	}
	return ""
}
