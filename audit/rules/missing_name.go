package rules

import (
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// MissingName finds users without a first or last name.
var MissingName = &audit.Rule{
	Name:     "missing-name",
	Family:   audit.NamesFamily,
	Severity: audit.Warning,
	Checks: []audit.Check{
		{About: "Databricks users", Needs: bothUsers, Apart: true, Run: missingDatabricksName},
		{About: "Okta users", Needs: oktaUsers, Apart: true, Run: missingOktaName},
	},
	Quiet: quietMissingName,
	Doc: `A user has no first or last name

## What
A first or last name is blank: givenName or familyName of a Databricks user,
firstName or lastName of a live Okta user.

## Why
Users without either name can't be imported into Okta, and reviewers can't tell
who an account belongs to.

## How to fix
In Databricks the plan can set the name from Okta (--include names) when the user
is linked, or will be, and Okta has the missing part. Otherwise fill it in where
the person is kept: usually in Okta.
`,
	Examples: []audit.Example{{
		Name:   "full names",
		Tenant: []any{okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1")},
	}, {
		Name: "Okta knows the name of a linked user",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"),
			audit.DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "00u1", GivenName: " ", FamilyName: "Reed", Active: true},
		},
		Want: []string{"warning automatic databricks:user:1: databricks:user:1"},
	}, {
		Name: "nobody knows the name",
		Tenant: []any{
			audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "cy@example.com", Email: "cy@example.com", FirstName: "Cy"},
			audit.DatabricksUser{ID: "1", UserName: "cy@example.com", ExternalID: "00u1", GivenName: "Cy", Active: true},
		},
		Want: []string{
			"warning review databricks:user:1: databricks:user:1",
			"warning okta okta:user:00u1: okta:user:00u1",
		},
	}},
}

// A namePart is one part of a person's name in both directories.
type namePart struct {
	field      string // Databricks' attribute
	databricks string
	oktaField  string
	okta       string
}

func nameParts(d audit.DatabricksUser, o audit.OktaUser) []namePart {
	return []namePart{
		{"name.givenName", d.GivenName, "profile.firstName", o.FirstName},
		{"name.familyName", d.FamilyName, "profile.lastName", o.LastName},
	}
}

func missingDatabricksName(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		if !p.Unnamed(d) {
			continue
		}
		record := p.DatabricksUser(d)
		o, known := p.OktaOf(d)
		var person audit.OktaUser
		if known {
			person = p.OktaUser(o)
		}
		f := audit.Finding{
			Key: p.Subject(d).String(), Subjects: p.Subjects(one(d)),
			Evidence: []audit.Evidence{userNameOf(p, d)}, Remedy: audit.RemedyReview,
		}
		var missing []string
		var changes []audit.Change
		canSet := willBeLinked(p, d) && mayRename(p, d, o)
		for _, part := range nameParts(record, person) {
			if !blank(part.databricks) {
				continue
			}
			missing = append(missing, part.field)
			f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(d), Role: "name of", Field: part.field, Value: part.databricks})
			if known {
				f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(o), Role: "name of", Field: part.oktaField, Value: part.okta})
			}
			canSet = canSet && !blank(part.okta)
			changes = append(changes, setName(p, d, part, "Okta has the name that is missing"))
		}
		f.Message = fmt.Sprintf("Databricks user %s has no %s", record.UserName, strings.Join(missing, " and "))
		if canSet {
			f.Remedy = audit.RemedyAutomatic
			p.Report(f, changes...)
		} else {
			p.Report(f)
		}
	}
}

// willBeLinked reports whether d is linked to a live user, or would be automatically.
func willBeLinked(p *audit.Pass, d audit.Ref) bool {
	_, automatic := p.Automatic(d)
	return automatic || p.LinkState(d) == audit.LinkedLive
}

// mayRename reports whether d may be given o's name without asking anybody: no
// collision rule speaks of either. One of them looks for ids in all of Databricks.
func mayRename(p *audit.Pass, d, o audit.Ref) bool {
	return p.Complete(audit.DatabricksGroups) && p.Complete(audit.DatabricksServicePrincipals) && !p.Collided(d) && !p.Collided(o)
}

func setName(p *audit.Pass, d audit.Ref, part namePart, why string) audit.Change {
	return audit.Change{
		Action: audit.SetName, Class: audit.ClassNames, Target: p.Subject(d),
		Field: part.field, From: part.databricks, To: part.okta, Why: why,
	}
}

func missingOktaName(p *audit.Pass) {
	for o := range p.All(audit.OktaUserKind) {
		if !p.Live(o) || !p.Unnamed(o) {
			continue
		}
		record := p.OktaUser(o)
		f := audit.Finding{
			Key: p.Subject(o).String(), Subjects: p.Subjects(one(o)),
			Evidence: []audit.Evidence{loginOf(p, o)}, Remedy: audit.RemedyOkta,
		}
		var missing []string
		for _, part := range nameParts(audit.DatabricksUser{}, record) {
			if blank(part.okta) {
				missing = append(missing, part.oktaField)
				f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(o), Role: "name of", Field: part.oktaField, Value: part.okta})
			}
		}
		f.Message = fmt.Sprintf("Okta user %s has no %s", record.Login, strings.Join(missing, " and "))
		p.Report(f)
	}
}

// quietMissingName says why the rule is silent about r.
func quietMissingName(ix *audit.Index, r audit.Ref) string {
	switch {
	case r.Kind == audit.OktaUserKind && !ix.Live(r):
		return "it is DEPROVISIONED"
	case r.Kind == audit.OktaUserKind, r.Kind == audit.DatabricksUserKind:
		return "it has a first and a last name"
	}
	return ""
}
