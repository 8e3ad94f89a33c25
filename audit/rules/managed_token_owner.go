package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// ManagedTokenOwner finds that the identity behind provisioning is itself provisioned.
var ManagedTokenOwner = &audit.Rule{
	Name:     "managed-token-owner",
	Family:   audit.AccessFamily,
	Severity: audit.Error,
	Checks:   []audit.Check{{Needs: bothUsers, Run: managedTokenOwner}},
	Quiet:    quietManagedTokenOwner,
	Doc: `The owner of the provisioning token is managed in Okta

## What
The user whose token runs provisioning (--scim-token-owner, else the identity that
runs this tool) is, or would become, one that Okta manages.

## Why
If that user is removed from Okta, its token dies, and provisioning stops for
everybody.

## How to fix
Let a service principal that Okta does not manage own the token.
`,
	Examples: []audit.Example{{
		Name:     "a service principal of Databricks' own",
		Settings: audit.Settings{SCIMTokenOwner: "client-1"},
		Tenant:   []any{okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1"), principal("2", "scim", "client-1", "")},
	}, {
		Name:     "a person",
		Settings: audit.Settings{SCIMTokenOwner: "Ana@example.com"},
		Tenant:   []any{okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1")},
		Want:     []string{"error review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}},
}

func managedTokenOwner(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		o, ok := p.OktaOf(d)
		if !ok || !p.IsTokenOwner(d) {
			continue
		}
		p.Report(audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(d), one(o)),
			Evidence: describe(p, one(d), one(o)),
			Message:  fmt.Sprintf("Databricks user %s, whose token runs provisioning, is managed in Okta", p.Name(d)),
		})
	}
}

// quietManagedTokenOwner says why the rule is silent about r.
func quietManagedTokenOwner(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		return "it is not the counterpart of whose token runs provisioning"
	case audit.DatabricksUserKind:
		if !ix.IsTokenOwner(r) {
			return "nothing says that its token runs provisioning"
		}
		return "its token runs provisioning, but it has no counterpart in Okta"
	}
	return ""
}
