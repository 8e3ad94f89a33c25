package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// UsernameDrift finds linked users who will sign in under another name.
var UsernameDrift = &audit.Rule{
	Name:     "username-drift",
	Family:   audit.NamesFamily,
	Severity: audit.Blocker,
	Checks:   []audit.Check{{Needs: bothUsers, Claims: true, Apart: true, Run: usernameDrift}},
	Quiet:    quietUsernameDrift,
	Doc: `A linked Databricks user's name is not what Okta will send

## What
A linked Databricks user whose userName is none of its Okta user's names, and
nobody else's (renamed); or is the name that the SSO app does not send, when the
SSO claim is known (claim); or differs from it in letter case alone (case, a
warning).

## Why
At sign-in AIM looks for the name that SSO sends. If the record has another, a
second user is created, and the permissions stay with the first.

## How to fix
Usernames can't be changed by any API: ask Databricks Support for a username
migration, see support-ticket.md. Where the SSO claim is the matter, review what
the SSO app sends before anybody is renamed.
`,
	Examples: []audit.Example{{
		Name:     "the login is sent, and is the name",
		Settings: audit.Settings{SSOClaim: audit.ClaimLogin},
		Tenant:   []any{okta("00u1", "ana@example.com", "a.reed@example.com"), user("1", "ana@example.com", "00u1")},
	}, {
		Name:   "renamed in Okta",
		Tenant: []any{okta("00u1", "eva.married@example.com", "eva.married@example.com"), user("1", "eva@example.com", "00u1")},
		Want:   []string{"blocker support databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name: "renamed in Okta, and only somebody who has left has the name",
		Tenant: []any{okta("00u1", "eva.married@example.com", "eva.married@example.com"), gone(okta("00u2", "eva@example.com", "eva@example.com")),
			user("1", "eva@example.com", "00u1")},
		Want: []string{"blocker support databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name:     "somebody else has the name: the id is wrong, not the name",
		Settings: audit.Settings{SSOClaim: audit.ClaimLogin},
		Tenant: []any{okta("00u1", "bo@example.com", "bo@example.com"), okta("00u2", "cy@example.com", "cy@example.com"),
			user("1", "cy@example.com", "00u1")},
	}, {
		Name:   "linked to somebody who has left",
		Tenant: []any{gone(okta("00u1", "gus@example.com", "gus@example.com")), user("1", "gus.cole@example.com", "00u1")},
	}, {
		Name:     "the email is the name, the login is sent",
		Settings: audit.Settings{SSOClaim: audit.ClaimLogin},
		Tenant:   []any{okta("00u1", "a.reed@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1")},
		Want:     []string{"blocker review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name:   "other letter case",
		Tenant: []any{okta("00u1", "bo@example.com", "bo@example.com"), user("1", "Bo@example.com", "00u1")},
		Want:   []string{"warning support databricks:user:1: databricks:user:1 okta:user:00u1"},
	}},
}

func usernameDrift(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		drift := p.Drift(d)
		if drift == audit.NoDrift {
			continue
		}
		o, _ := p.LinkedTo(d)
		f := audit.Finding{
			Key:      p.Subject(d).String(),
			Subjects: p.Subjects(one(d), one(o)),
			Evidence: append(describe(p, one(d), one(o)),
				audit.Evidence{Subject: p.Subject(d), Role: "drift of", Field: "userName", Value: string(drift)}),
			Remedy: audit.RemedySupport,
		}
		for _, target := range targets(p, d, o) {
			f.Evidence = append(f.Evidence,
				audit.Evidence{Subject: p.Subject(d), Role: "target username of", Field: "userName", Value: target})
		}
		name := p.Name(d)
		switch drift {
		case audit.DriftRenamed:
			f.Message = fmt.Sprintf("Databricks user %s is linked to Okta user %s, who has another name: the next sign-in creates a second user", name, p.Name(o))
		case audit.DriftClaim:
			claimed, _ := p.Claimed(o)
			f.Message = fmt.Sprintf("Databricks user %s will sign in as %s: a second user is created", name, claimed)
			f.Remedy = audit.RemedyReview
		case audit.DriftCase:
			f.Severity = audit.Warning
			f.Message = fmt.Sprintf("Databricks user %s is written in other letters than in Okta", name)
		}
		p.Report(f)
	}
}

// targets returns the usernames that d should have: the claimed one, or while the
// SSO claim is unknown the names of its Okta user, the fitting one alone where
// only the letters differ.
func targets(p *audit.Pass, d, o audit.Ref) []string {
	if claimed, known := p.Claimed(o); known {
		return []string{claimed}
	}
	u := p.OktaUser(o)
	var names []string
	for _, name := range []string{u.Login, u.Email} {
		fits := !p.HasName(d, o) || audit.Fold(name) == audit.Fold(p.Name(d))
		if !blank(name) && fits && (len(names) == 0 || names[0] != name) {
			names = append(names, name)
		}
	}
	return names
}

// quietUsernameDrift says why the rule is silent about r.
func quietUsernameDrift(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		return "no Databricks user that is linked to it has a name that it doesn't sign in under"
	case audit.DatabricksUserKind:
		if ix.LinkState(r) != audit.LinkedLive {
			return "it is not linked to a live Okta user"
		}
		if _, conflict := ix.Conflict(r); conflict {
			return "its name is another person's: see conflicting-external-id"
		}
		return "its userName is, byte for byte, what its Okta user is known to be called"
	}
	return ""
}
