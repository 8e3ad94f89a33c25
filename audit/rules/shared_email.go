package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// SharedEmail finds Okta users who have one email.
var SharedEmail = &audit.Rule{
	Name:      "shared-email",
	Family:    audit.UniquenessFamily,
	Severity:  audit.Warning,
	Collision: true,
	Checks:    []audit.Check{{Needs: oktaUsers, Apart: true, Run: sharedEmail}},
	Quiet:     quietSharedEmail,
	Doc: `Several Okta users have the same email

## What
Two or more Okta users, of any status, have the same email once letter case, white
space and Unicode forms are set aside. It is a blocker when at least two of them
are live and a Databricks user has that address as userName, an error when at
least two are live, else a warning.

## Why
Okta keeps logins unique, not emails, and AIM matches a Databricks username
against both. With one email on two people it cannot tell whom a username means,
and one of them may get the other's access.

## How to fix
Give each person an email of their own in Okta. Shared mailboxes belong on
accounts that never sign in to Databricks. Then audit again: what was ambiguous
becomes automatic.
`,
	Examples: []audit.Example{{
		Name:   "everybody has an address of their own",
		Tenant: []any{okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "bo@example.com")},
	}, {
		Name: "two people, one address, and a Databricks user of that name",
		Tenant: []any{
			okta("00u1", "ana1@example.com", "ana@example.com"), okta("00u2", "ana2@example.com", "ANA@example.com"),
			user("1", "ana@example.com", ""),
		},
		Want: []string{"blocker okta ana@example.com: okta:user:00u1 okta:user:00u2"},
	}, {
		Name:   "two people, one address, unknown to Databricks",
		Tenant: []any{okta("00u1", "bo1@example.com", "team@example.com"), okta("00u2", "bo2@example.com", "team@example.com ")},
		Want:   []string{"error okta team@example.com: okta:user:00u1 okta:user:00u2"},
	}, {
		Name:   "the other one has left",
		Tenant: []any{okta("00u1", "cy@example.com", "cy@example.com"), gone(okta("00u2", "c.old@example.com", "cy@example.com"))},
		Want:   []string{"warning okta cy@example.com: okta:user:00u1 okta:user:00u2"},
	}},
}

func sharedEmail(p *audit.Pass) {
	for name := range p.SharedNames() {
		if len(name.Emails) < 2 {
			continue
		}
		f := audit.Finding{
			Key: name.Name, Remedy: audit.RemedyOkta,
			Severity: collisionSeverity(p, name, name.Emails),
			Subjects: p.Subjects(slices.Values(name.Emails)),
			Message:  fmt.Sprintf("%s share the email %s", holders(p, name.Emails), name.Name),
		}
		for _, o := range name.Emails {
			f.Evidence = append(f.Evidence, emailOf(p, o), statusOf(p, o))
		}
		for d := range name.UserNames.All() {
			f.Evidence = append(f.Evidence, userNameOf(p, d))
		}
		p.Report(f)
	}
}

// collisionSeverity is how grave it is that the holders have one name.
func collisionSeverity(p *audit.Pass, name audit.SharedName, holders []audit.Ref) audit.Severity {
	switch {
	case live(p, holders) < 2:
		return audit.Warning
	case name.UserNames.Len() == 0:
		return audit.Error
	}
	return audit.Blocker
}

// holders counts Okta users for a message: those that are live, or all.
func holders(p *audit.Pass, refs []audit.Ref) string {
	if n := live(p, refs); n == len(refs) {
		return plural(n, "live Okta user")
	}
	return fmt.Sprintf("%s (%d live)", plural(len(refs), "Okta user"), live(p, refs))
}

// quietSharedEmail says why the rule is silent about r.
func quietSharedEmail(_ *audit.Index, r audit.Ref) string {
	if r.Kind == audit.OktaUserKind {
		return "no other Okta user has its email"
	}
	return ""
}
