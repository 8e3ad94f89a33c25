package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// GroupNameDrift finds linked groups whose Okta group has another name.
var GroupNameDrift = &audit.Rule{
	Name:     "group-name-drift",
	Family:   audit.GroupsFamily,
	Severity: audit.Warning,
	Checks:   []audit.Check{{Needs: bothGroups, Run: groupNameDrift}},
	Quiet:    quietGroupNameDrift,
	Doc: `A linked Databricks group has another name than its Okta group

## What
A Databricks group is linked to an Okta group of another name. An error when other
Okta groups have the name of the Databricks group now, else a warning.

## Why
Groups can't be renamed from Okta in Databricks. People grant by name; when another
Okta group has taken the name, the grants reach the members of the old one.

## How to fix
Find out which Okta group is meant. Rename the Okta group back, or replace the link
by hand once its members have been compared.
`,
	Examples: []audit.Example{{
		Name:   "the same name in other letters",
		Tenant: []any{oktaGroup("00g1", "People"), group("1", "PEOPLE ", "00g1")},
	}, {
		Name:   "renamed in Okta",
		Tenant: []any{oktaGroup("00g1", "People"), group("1", "HR", "00g1")},
		Want:   []string{"warning review databricks:group:1: databricks:group:1 okta:group:00g1"},
	}, {
		Name:   "renamed, and another group has the old name",
		Tenant: []any{oktaGroup("00g1", "Finance 2023"), oktaGroup("00g2", "finance"), group("1", "Finance", "00g1")},
		Want:   []string{"error review databricks:group:1: databricks:group:1 okta:group:00g1 okta:group:00g2"},
	}},
}

func groupNameDrift(p *audit.Pass) {
	for g := range p.All(audit.DatabricksGroupKind) {
		o, linked := p.LinkedTo(g)
		if !linked || !p.Managed(g) || audit.Fold(p.Name(g)) == audit.Fold(p.Name(o)) {
			continue
		}
		others := slices.Collect(p.Candidates(g).All())
		f := audit.Finding{
			Key: p.Subject(g).String(), Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(g), one(o), slices.Values(others)),
			Evidence: describe(p, one(g), one(o), slices.Values(others)),
			Message:  fmt.Sprintf("Databricks group %s is linked to Okta group %s", p.Name(g), p.Name(o)),
		}
		if len(others) > 0 {
			f.Severity = audit.Error
			f.Message += fmt.Sprintf(", while %s its name", plural(len(others), "other Okta group")+has(len(others)))
		}
		p.Report(f)
	}
}

func has(n int) string {
	if n == 1 {
		return " has"
	}
	return " have"
}

// quietGroupNameDrift says why the rule is silent about r.
func quietGroupNameDrift(ix *audit.Index, r audit.Ref) string {
	switch {
	case r.Kind == audit.OktaGroupKind:
		return "no Databricks group is linked to it under another name, or linked elsewhere under its name"
	case r.Kind != audit.DatabricksGroupKind:
		return ""
	case leftOut(ix, r):
		return leftOutWhy
	case ix.LinkState(r) != audit.LinkedLive:
		return "it is not linked"
	}
	return "its name is its Okta group's"
}
