package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// SplitIdentity finds people who have several Databricks users.
var SplitIdentity = &audit.Rule{
	Name:      "split-identity",
	Family:    audit.LinksFamily,
	Severity:  audit.Blocker,
	Collision: true,
	Checks:    []audit.Check{{Needs: bothUsers, Apart: true, Run: splitIdentity}},
	Quiet:     quietSplitIdentity,
	Doc: `One Okta user has several Databricks users

## What
A live Okta user is reached by two or more Databricks users, by externalId or
because their userName is its login or email, and they do not all hold one and the
same externalId.

## Why
The person already has two identities with a part of the permissions each. AIM
makes one of them the managed one; the other stays, with its permissions, and is
deactivated by nobody when the person leaves.

## How to fix
Decide which record to keep (decision keep:). Move what the others own and may do
to it, then deactivate them.
`,
	Examples: []audit.Example{{
		Name: "one user each",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "bo@example.com"),
			user("1", "ana@example.com", "00u1"), user("2", "bo@example.com", ""),
		},
	}, {
		Name: "login and email as two users",
		Tenant: []any{
			okta("00u1", "bo@example.com", "bo.reed@example.com"),
			user("1", "bo@example.com", ""), user("2", "bo.reed@example.com", "00u1"),
		},
		Want: []string{"blocker choose okta:user:00u1: databricks:user:1 databricks:user:2 okta:user:00u1"},
	}, {
		Name: "both hold the same id: that is duplicate-external-id",
		Tenant: []any{
			okta("00u1", "cy@example.com", "cy@example.com"), user("1", "cy@example.com", "00u1"), user("2", "cy.second@example.com", "00u1"),
		},
	}},
}

func splitIdentity(p *audit.Pass) {
	for o := range p.All(audit.OktaUserKind) {
		if !p.Live(o) {
			continue
		}
		reached := p.Reached(o)
		if reached.Len() < 2 {
			continue
		}
		users := slices.Collect(reached.All())
		if !idsDiffer(p, users) {
			continue
		}
		p.Report(audit.Finding{
			Key: p.Subject(o).String(), Remedy: audit.RemedyChoose,
			Subjects: p.Subjects(one(o), slices.Values(users)),
			Evidence: append(describe(p, one(o), slices.Values(users)), keep(p, users)),
			Message:  fmt.Sprintf("Okta user %s is reached by %d Databricks users", p.Name(o), len(users)),
		})
	}
}

// idsDiffer reports whether the users do not all hold one and the same id.
func idsDiffer(p *audit.Pass, users []audit.Ref) bool {
	first := p.ExternalID(users[0])
	return first == "" || slices.ContainsFunc(users, func(d audit.Ref) bool { return p.ExternalID(d) != first })
}

// quietSplitIdentity says why the rule is silent about r.
func quietSplitIdentity(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		if !ix.Live(r) {
			return "it is DEPROVISIONED"
		}
		switch ix.Reached(r).Len() {
		case 0:
			return "no Databricks user has its id or name"
		case 1:
			return "one Databricks user alone has its id or name"
		}
		return "all Databricks users that have its id or name have one externalId"
	case audit.DatabricksUserKind:
		return "no other Databricks user with another externalId has the id or name of its Okta user"
	}
	return ""
}
