package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// NameMismatch finds linked users whose first or last name differs.
var NameMismatch = &audit.Rule{
	Name:     "name-mismatch",
	Family:   audit.NamesFamily,
	Severity: audit.Info,
	Checks:   []audit.Check{{Needs: bothUsers, Apart: true, Run: nameMismatch}},
	Quiet:    quietNameMismatch,
	Doc: `A linked user's first or last name differs between the directories

## What
A first or last name is there on both sides of a linked user and differs once
letter case, white space and Unicode forms are set aside.

## Why
Often a nickname or a marriage; sometimes the sign that an account was linked to
the wrong person.

## How to fix
Check that it is one person. The plan can take the name from Okta (--include
names) unless a collision makes the link doubtful.
`,
	Examples: []audit.Example{{
		Name:   "other letter case",
		Tenant: []any{okta("00u1", "eva@example.com", "eva@example.com"), audit.DatabricksUser{ID: "1", UserName: "eva@example.com", ExternalID: "00u1", GivenName: "SAM", FamilyName: " reed", Active: true}},
	}, {
		Name:   "another first name",
		Tenant: []any{okta("00u1", "bo@example.com", "bo@example.com"), audit.DatabricksUser{ID: "1", UserName: "bo@example.com", ExternalID: "00u1", GivenName: "Robert", FamilyName: "Reed", Active: true}},
		Want:   []string{"info automatic databricks:user:1: databricks:user:1 okta:user:00u1"},
	}},
}

func nameMismatch(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		o, linked := p.LinkedTo(d)
		if !linked || p.SameNamed(d) || !p.Live(o) {
			continue
		}
		var evidence []audit.Evidence
		var changes []audit.Change
		for _, part := range nameParts(p.DatabricksUser(d), p.OktaUser(o)) {
			if blank(part.databricks) || blank(part.okta) || audit.SameName(part.databricks, part.okta) {
				continue
			}
			evidence = append(evidence,
				audit.Evidence{Subject: p.Subject(d), Role: "name of", Field: part.field, Value: part.databricks},
				audit.Evidence{Subject: p.Subject(o), Role: "name of", Field: part.oktaField, Value: part.okta})
			changes = append(changes, setName(p, d, part, "the Okta user it is linked to has this name"))
		}
		if len(changes) == 0 {
			continue
		}
		f := audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedyAutomatic,
			Subjects: p.Subjects(one(d), one(o)), Evidence: evidence,
			Message: fmt.Sprintf("Databricks user %s has another name than its Okta user", p.Name(d)),
		}
		if !mayRename(p, d, o) {
			f.Remedy = audit.RemedyReview
			changes = nil
		}
		p.Report(f, changes...)
	}
}

// quietNameMismatch says why the rule is silent about r.
func quietNameMismatch(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		return "no Databricks user that is linked to it has another first or last name"
	case audit.DatabricksUserKind:
		if ix.LinkState(r) != audit.LinkedLive {
			return "it is not linked to a live Okta user"
		}
		return "no first or last name that both sides have differs"
	}
	return ""
}
