package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// CaseVariantUsername finds Databricks users with one name in several spellings.
var CaseVariantUsername = &audit.Rule{
	Name:      "case-variant-username",
	Family:    audit.UniquenessFamily,
	Severity:  audit.Error,
	Collision: true,
	Checks:    []audit.Check{{Needs: []audit.Input{audit.DatabricksUsers}, Run: caseVariantUsername}},
	Quiet:     quietCaseVariantUsername,
	Doc: `Several Databricks users have the same username in other letters

## What
The userNames of two or more Databricks users are the same once letter case, white
space and Unicode forms are set aside.

## Why
Databricks treats usernames without regard to case, yet such twins exist. Which of
them a sign-in finds is chance, and each has its own permissions.

## How to fix
Decide which record to keep (decision keep:), move what the others own to it, then
deactivate them.
`,
	Examples: []audit.Example{{
		Name:   "different names",
		Tenant: []any{user("1", "ana@example.com", ""), user("2", "anna@example.com", ""), user("3", "", ""), user("4", "", "")},
	}, {
		Name:   "twins by letter case",
		Tenant: []any{user("1", "ana@example.com", ""), user("2", "ANA@example.com", "00u1")},
		Want:   []string{"error choose ana@example.com: databricks:user:1 databricks:user:2"},
	}},
}

func caseVariantUsername(p *audit.Pass) {
	for users := range p.SharedUserNames() {
		key := audit.Fold(p.Name(users.At(0)))
		p.Report(audit.Finding{
			Key: key, Remedy: audit.RemedyChoose,
			Subjects: p.Subjects(users.All()),
			Evidence: append(describe(p, users.All()), keep(p, slices.Collect(users.All()))),
			Message:  fmt.Sprintf("%d Databricks users have the username %s", users.Len(), key),
		})
	}
}

// quietCaseVariantUsername says why the rule is silent about r.
func quietCaseVariantUsername(_ *audit.Index, r audit.Ref) string {
	if r.Kind == audit.DatabricksUserKind {
		return "no other Databricks user has its userName, in whatever letters"
	}
	return ""
}
