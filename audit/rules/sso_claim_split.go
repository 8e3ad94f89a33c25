package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// SSOClaimSplit finds people who may sign in under either of two names.
var SSOClaimSplit = &audit.Rule{
	Name:     "sso-claim-split",
	Family:   audit.NamesFamily,
	Severity: audit.Warning,
	Checks:   []audit.Check{{Needs: bothUsers, Apart: true, Run: ssoClaimSplit}},
	Quiet:    quietSsoClaimSplit,
	Doc: `An Okta user has two names, and which of them SSO sends is not settled

## What
The Okta user of a Databricks user has a login and an email that differ, and the
SSO claim is unknown; or unified login is off, and the workspaces' claim differs
from the account's (a blocker) or is unknown.

## Why
If account SSO sends the login while workspace SSO sends the email, a sign-in finds
no match and creates a second Databricks user.

## How to fix
Enable unified login, or map the same Okta value in every SSO app. Then say which:
--sso-claim, --workspace-sso-claim, --unified-login.
`,
	Examples: []audit.Example{{
		Name:   "login and email are the same",
		Tenant: []any{okta("00u1", "ana@example.com", "ANA@example.com"), user("1", "ana@example.com", "00u1")},
	}, {
		Name:   "the claim is unknown",
		Tenant: []any{okta("00u1", "bo@example.com", "b.reed@example.com"), user("1", "bo@example.com", "")},
		Want:   []string{"warning review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name:     "account and workspaces differ",
		Settings: audit.Settings{SSOClaim: audit.ClaimLogin, WorkspaceSSOClaim: audit.ClaimEmail, UnifiedLogin: audit.Off},
		Tenant:   []any{okta("00u1", "bo@example.com", "b.reed@example.com"), user("1", "bo@example.com", "00u1")},
		Want:     []string{"blocker review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name:     "unified login is on",
		Settings: audit.Settings{SSOClaim: audit.ClaimLogin, WorkspaceSSOClaim: audit.ClaimEmail, UnifiedLogin: audit.On},
		Tenant:   []any{okta("00u1", "bo@example.com", "b.reed@example.com"), user("1", "bo@example.com", "00u1")},
	}},
}

func ssoClaimSplit(p *audit.Pass) {
	severity, why := claimSplit(p.Settings)
	if severity == 0 {
		return
	}
	for d := range p.All(audit.DatabricksUserKind) {
		o, ok := p.OktaOf(d)
		if !ok || !p.TwoNames(o) {
			continue
		}
		p.Report(audit.Finding{
			Key: p.Subject(d).String(), Severity: severity, Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(d), one(o)),
			Evidence: []audit.Evidence{userNameOf(p, d), loginOf(p, o), emailOf(p, o)},
			Message:  fmt.Sprintf("Databricks user %s may sign in under either of two names: %s", p.Name(d), why),
		})
	}
}

// claimSplit says how grave it is, by the settings, that somebody has two names.
func claimSplit(s audit.Settings) (audit.Severity, string) {
	switch {
	case s.UnifiedLogin == audit.Off && s.SSOClaim != audit.ClaimUnknown &&
		s.WorkspaceSSOClaim != audit.ClaimUnknown && s.SSOClaim != s.WorkspaceSSOClaim:
		return audit.Blocker, fmt.Sprintf("the account is sent the %s, workspaces the %s", s.SSOClaim, s.WorkspaceSSOClaim)
	case s.SSOClaim == audit.ClaimUnknown:
		return audit.Warning, "which one SSO sends is unknown"
	case s.UnifiedLogin == audit.Off && s.WorkspaceSSOClaim == audit.ClaimUnknown:
		return audit.Warning, "which one the workspaces' SSO sends is unknown"
	}
	return 0, ""
}

// quietSsoClaimSplit says why the rule is silent about r.
func quietSsoClaimSplit(ix *audit.Index, r audit.Ref) string {
	if r.Kind != audit.OktaUserKind && r.Kind != audit.DatabricksUserKind {
		return ""
	}
	if severity, _ := claimSplit(ix.Settings); severity == 0 {
		return "which name SSO sends is settled"
	}
	if r.Kind == audit.DatabricksUserKind {
		o, known := ix.OktaOf(r)
		if !known {
			return "it is no one Okta user's"
		}
		r = o
	}
	if !ix.TwoNames(r) {
		return "the login and the email are one name"
	}
	return "it is no Databricks user's one counterpart"
}
