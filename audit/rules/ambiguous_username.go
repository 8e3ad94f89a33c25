package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// AmbiguousUsername finds Databricks users whose name several Okta users have.
var AmbiguousUsername = &audit.Rule{
	Name:      "ambiguous-username",
	Family:    audit.UniquenessFamily,
	Severity:  audit.Blocker,
	Collision: true,
	Checks:    []audit.Check{{Needs: bothUsers, Apart: true, Run: ambiguousUsername}},
	Quiet:     quietAmbiguousUsername,
	Doc: `A Databricks username fits two or more live Okta users

## What
Two or more live Okta users have the userName of a Databricks user as login or
email. An error when the Databricks user is linked to one of them, else a blocker.

## Why
AIM cannot tell which of them is meant. Whoever signs in first may get the
permissions of the other.

## How to fix
Find out whose account it is, and link it to that person with link: in the plan's
Decision column. Better: give the address to one person in Okta first, see
shared-email and login-email-collision.
`,
	Examples: []audit.Example{{
		Name: "the second one has left",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), gone(okta("00u2", "old@example.com", "ana@example.com")),
			user("1", "ana@example.com", "00u1"),
		},
	}, {
		Name: "two live users and no link",
		Tenant: []any{
			okta("00u1", "ana@example.com", "a@example.com"), okta("00u2", "b@example.com", "ana@example.com"),
			user("1", "ana@example.com", ""),
		},
		Want: []string{"blocker choose databricks:user:1: databricks:user:1 okta:user:00u1 okta:user:00u2"},
	}, {
		Name: "linked to one of them",
		Tenant: []any{
			okta("00u1", "ana@example.com", "a@example.com"), okta("00u2", "b@example.com", "ana@example.com"),
			user("1", "ana@example.com", "00u2"),
		},
		Want: []string{"error choose databricks:user:1: databricks:user:1 okta:user:00u1 okta:user:00u2"},
	}},
}

func ambiguousUsername(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		live := p.LiveCandidates(d)
		if live.Len() < 2 {
			continue
		}
		f := audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedyChoose,
			Subjects: p.Subjects(one(d), p.Candidates(d).All()),
			Evidence: describe(p, one(d), p.Candidates(d).All()),
			Message:  fmt.Sprintf("Databricks user %s could be any of %s", p.Name(d), plural(live.Len(), "live Okta user")),
		}
		if o, ok := p.LinkedTo(d); ok && p.Live(o) && p.HasName(d, o) {
			f.Severity = audit.Error
		}
		p.Report(f)
	}
}

// quietAmbiguousUsername says why the rule is silent about r.
func quietAmbiguousUsername(_ *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		return "no Databricks user has a name that it shares with another live Okta user"
	case audit.DatabricksUserKind:
		return "fewer than two live Okta users have its userName"
	}
	return ""
}
