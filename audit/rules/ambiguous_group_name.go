package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// bothGroups is what rules about groups need.
var bothGroups = []audit.Input{audit.OktaGroups, audit.DatabricksGroups}

// AmbiguousGroupName finds Databricks groups whose name several Okta groups have.
var AmbiguousGroupName = &audit.Rule{
	Name:     "ambiguous-group-name",
	Family:   audit.GroupsFamily,
	Severity: audit.Blocker,
	Checks:   []audit.Check{{Needs: bothGroups, Run: ambiguousGroupName}},
	Quiet:    quietAmbiguousGroupName,
	Doc: `A Databricks group's name fits several Okta groups

## What
A Databricks group that is not linked has the name of two or more Okta groups, of
different types for example. Okta keeps names unique only among its own groups, not
among those that come from apps.

## Why
AIM can link one of them at most; the others can't be provisioned while the name is
taken, and people get the members of the wrong one.

## How to fix
Say which group is meant (decision link:), and rename the others in Okta or at
their source.
`,
	Examples: []audit.Example{{
		Name:   "linked to one of the namesakes",
		Tenant: []any{oktaGroup("00g1", "Three"), oktaGroup("00g2", "three"), group("1", "Three", "00g1")},
	}, {
		Name:   "two groups of that name",
		Tenant: []any{oktaGroup("00g1", "Three"), audit.OktaGroup{ID: "00g2", Type: "APP_GROUP", Name: "three"}, group("1", "Three", "")},
		Want:   []string{"blocker choose databricks:group:1: databricks:group:1 okta:group:00g1 okta:group:00g2"},
	}},
}

func ambiguousGroupName(p *audit.Pass) {
	for g := range p.All(audit.DatabricksGroupKind) {
		candidates := p.Candidates(g)
		if candidates.Len() < 2 || !p.Managed(g) || p.LinkState(g) == audit.LinkedLive {
			continue
		}
		p.Report(audit.Finding{
			Key: p.Subject(g).String(), Remedy: audit.RemedyChoose,
			Subjects: p.Subjects(one(g), candidates.All()),
			Evidence: describe(p, one(g), candidates.All()),
			Message:  fmt.Sprintf("Databricks group %s could be any of %s", p.Name(g), plural(candidates.Len(), "Okta group")),
		})
	}
}

// quietAmbiguousGroupName says why the rule is silent about r.
func quietAmbiguousGroupName(ix *audit.Index, r audit.Ref) string {
	switch {
	case r.Kind == audit.OktaGroupKind:
		return "no Databricks group that isn't linked has a name that it shares with another Okta group"
	case r.Kind != audit.DatabricksGroupKind:
		return ""
	case leftOut(ix, r):
		return leftOutWhy
	case ix.LinkState(r) == audit.LinkedLive:
		return "it is linked"
	}
	return "fewer than two Okta groups have its name"
}
