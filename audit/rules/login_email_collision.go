package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// LoginEmailCollision finds an Okta user's email that is another's login.
var LoginEmailCollision = &audit.Rule{
	Name:      "login-email-collision",
	Family:    audit.UniquenessFamily,
	Severity:  audit.Warning,
	Collision: true,
	Checks:    []audit.Check{{Needs: oktaUsers, Apart: true, Run: loginEmailCollision}},
	Quiet:     quietLoginEmailCollision,
	Doc: `One Okta user's email is another's login

## What
The email of an Okta user is the login of another one, once letter case, white
space and Unicode forms are set aside. There is one finding per value, with the
login's holder and everyone who has it as email. Blocker, error and warning as for
shared-email, and both may fire.

## Why
AIM compares a Databricks username with login and email alike. The address leads
to two people, and a permission may go to the wrong one.

## How to fix
Correct the email in Okta, or rename the login, so that the value belongs to one
person. Mind that a changed login changes what SSO sends to Databricks.
`,
	Examples: []audit.Example{{
		Name:   "login and email are one person's",
		Tenant: []any{okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "b.reed@example.com")},
	}, {
		Name: "an email that is somebody's login",
		Tenant: []any{
			okta("00u1", "cy@example.com", "cy@example.com"), okta("00u2", "c2@example.com", "Cy@example.com"),
			user("1", "cy@example.com", "00u1"),
		},
		Want: []string{"blocker okta cy@example.com: okta:user:00u1 okta:user:00u2"},
	}, {
		Name:   "nobody of that name in Databricks",
		Tenant: []any{okta("00u1", "cy@example.com", "other@example.com"), okta("00u2", "c2@example.com", "cy@example.com")},
		Want:   []string{"error okta cy@example.com: okta:user:00u1 okta:user:00u2"},
	}},
}

func loginEmailCollision(p *audit.Pass) {
	for name := range p.SharedNames() {
		all := union(name.Logins, name.Emails)
		if len(name.Logins) == 0 || len(name.Emails) == 0 {
			continue
		}
		f := audit.Finding{
			Key: name.Name, Remedy: audit.RemedyOkta,
			Severity: collisionSeverity(p, name, all),
			Subjects: p.Subjects(slices.Values(all)),
			Message:  fmt.Sprintf("%s is the login of one Okta user and the email of another", name.Name),
		}
		for _, o := range name.Logins {
			f.Evidence = append(f.Evidence, loginOf(p, o), statusOf(p, o))
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

// quietLoginEmailCollision says why the rule is silent about r.
func quietLoginEmailCollision(_ *audit.Index, r audit.Ref) string {
	if r.Kind == audit.OktaUserKind {
		return "its email is nobody else's login, nor its login anybody else's email"
	}
	return ""
}
