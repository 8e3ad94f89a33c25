package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// DuplicateExternalID finds Databricks objects that hold one externalId.
var DuplicateExternalID = &audit.Rule{
	Name:      "duplicate-external-id",
	Family:    audit.LinksFamily,
	Severity:  audit.Blocker,
	Collision: true,
	Checks: []audit.Check{{
		Needs: []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals},
		Run:   duplicateExternalID,
	}},
	Quiet: quietDuplicateExternalID,
	Doc: `Several Databricks identities have the same externalId

## What
Two or more Databricks users, groups or service principals, of one kind or of
several, hold the same externalId.

## Why
Databricks does not enforce that an externalId is held once. AIM finds two
identities for one Okta object, and which of them it manages is chance.

## How to fix
Decide which record is the one to keep (decision keep:). Move what the others own
to it, and deactivate or remove them; a group's externalId can be cleared.
`,
	Examples: []audit.Example{{
		Name:   "every id held once",
		Tenant: []any{user("1", "ana@example.com", "00u1"), user("2", "bo@example.com", "00u2"), user("3", "cy@example.com", "")},
	}, {
		Name:   "a user and a group",
		Tenant: []any{user("1", "ana@example.com", "00u1"), group("2", "Odd group", "00u1"), user("3", "bo@example.com", "")},
		Want:   []string{"blocker choose 00u1: databricks:group:2 databricks:user:1"},
	}},
}

func duplicateExternalID(p *audit.Pass) {
	for objects := range p.SharedExternalIDs() {
		id := p.ExternalID(objects[0])
		p.Report(audit.Finding{
			Key: id, Remedy: audit.RemedyChoose,
			Subjects: p.Subjects(slices.Values(objects)),
			Evidence: append(describe(p, slices.Values(objects)), keep(p, objects)),
			Message:  fmt.Sprintf("%d Databricks identities have the externalId %s", len(objects), id),
		})
	}
}

// quietDuplicateExternalID says why the rule is silent about r.
func quietDuplicateExternalID(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.DatabricksUserKind, audit.DatabricksGroupKind, audit.DatabricksServicePrincipalKind:
		if ix.ExternalID(r) == "" {
			return "its externalId is blank"
		}
		return "nothing else has its externalId"
	}
	return ""
}
