package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// InactiveWithEntitlements finds inactive users who still hold something.
var InactiveWithEntitlements = &audit.Rule{
	Name:     "inactive-with-entitlements",
	Family:   audit.AccessFamily,
	Severity: audit.Warning,
	Checks:   []audit.Check{{Needs: []audit.Input{audit.DatabricksUsers}, Apart: true, Run: inactiveWithEntitlements}},
	Quiet:    quietInactiveWithEntitlements,
	Doc: `An inactive Databricks user still has roles or entitlements

## What
A Databricks user is inactive, and roles or entitlements are left on it.

## Why
If the user is activated again, by AIM or by hand, everything comes back at once,
whoever the person is by then.

## How to fix
Take the roles and entitlements away, and grant them through groups instead.
`,
	Examples: []audit.Example{{
		Name:   "active, or empty-handed",
		Tenant: []any{audit.DatabricksUser{ID: "1", UserName: "jo@example.com"}, user("2", "ana@example.com", "")},
	}, {
		Name: "inactive with an entitlement",
		Tenant: []any{audit.DatabricksUser{ID: "1", UserName: "jo@example.com",
			Entitlements: audit.NewValues(audit.Value{Value: "workspace-access"})}},
		Want: []string{"warning review databricks:user:1: databricks:user:1"},
	}},
}

func inactiveWithEntitlements(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		if p.Active(d) || !p.Granted(d) {
			continue
		}
		user := p.DatabricksUser(d)
		f := audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedyReview, Subjects: p.Subjects(one(d)),
			Evidence: []audit.Evidence{userNameOf(p, d)},
			Message:  fmt.Sprintf("Databricks user %s is inactive and still has roles or entitlements", user.UserName),
		}
		for role := range user.Roles.All() {
			f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(d), Role: "role of", Field: "roles", Value: role.Value})
		}
		for e := range user.Entitlements.All() {
			f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(d), Role: "entitlement of", Field: "entitlements", Value: e.Value})
		}
		p.Report(f)
	}
}

// quietInactiveWithEntitlements says why the rule is silent about r.
func quietInactiveWithEntitlements(ix *audit.Index, r audit.Ref) string {
	if r.Kind != audit.DatabricksUserKind {
		return ""
	}
	if ix.DatabricksUser(r).Active {
		return "it is active"
	}
	return "it has no roles or entitlements left"
}
