package doctor

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/okta"
)

// statedChecks ask what no API tells. What can be checked of an answer is.
func statedChecks() []check {
	const about = "you"
	return []check{
		{"sso-claim", about, "AIM takes the username from it at sign-in: another value than the one in Databricks makes a second user", nil, ssoClaim},
		{"unified-login", about, "where workspaces sign in on their own and map another value, signing in makes a second user", nil, unifiedLogin},
		{"scim-token-owner", about, "if Okta manages the owner of the token that provisions, removing it there stops provisioning for everybody", nil, tokenOwner},
		{"group-claims", about, "Databricks recommends that Okta tells group memberships at sign-in", nil, asks(
			"does the SSO app send a groups claim?", "see Okta > Applications > the SSO app > Sign On: a groups claim in the ID token; there is nothing to set here")},
		{"aim-app", about, "what is checked above is checked of this app: another could lack the scopes or the role, or demand DPoP", nil, asks(
			"is the app that AIM is given the one checked here?", "in the account console, Security > User provisioning > Configure, use this client id and key, and press Test connection; there is nothing to set here")},
		{"scim-provisioning", about, "SCIM provisioning that goes on can undo what a plan changes, while it is applied", nil, asks(
			"does the Databricks app in Okta still provision by SCIM?", "pause it while a plan is applied: Okta > Applications > Databricks > Provisioning > To App; there is nothing to set here")},
	}
}

func asks(question, do string) func(context.Context, *exam) outcome {
	return func(context.Context, *exam) outcome { return outcome{Ask, question, do} }
}

func ssoClaim(_ context.Context, x *exam) outcome {
	switch c := x.Stated.SSOClaim; {
	case c == audit.ClaimUnknown || c == "":
		return outcome{Ask, "which Okta value does the SSO app send as username (Application username, or the username claim)?",
			"say --sso-claim login, email or other (AIMCHECK_SSO_CLAIM)"}
	case c == audit.ClaimOther && !(x.Apps && x.Stated.OktaApp != ""):
		return told(Warn, "read with --apps --okta-app ID (scope okta.apps.read), where ID is the SSO app's", "you say other: what each user's name is then, only the SSO app's users tell")
	default:
		return good("you say %s", c)
	}
}

func unifiedLogin(_ context.Context, x *exam) outcome {
	switch {
	case x.Stated.UnifiedLogin == audit.On:
		return good("you say it is on")
	case x.Stated.UnifiedLogin != audit.Off:
		return outcome{Ask, "is unified login on for the account and all workspaces (account console > Security > Authentication)?", "say --unified-login=true or false (AIMCHECK_UNIFIED_LOGIN)"}
	case x.Stated.WorkspaceSSOClaim == audit.ClaimUnknown || x.Stated.WorkspaceSSOClaim == "":
		return told(Warn, "switch it on, as Databricks strongly recommends, or say what the workspaces' SSO apps send: --workspace-sso-claim login, email or other", "you say it is off, and not what workspaces map to the username")
	case x.Stated.WorkspaceSSOClaim != x.Stated.SSOClaim:
		return told(Warn, "switch it on, as Databricks strongly recommends, or map the same value everywhere", "you say it is off, and that workspaces map %s and the account %s", x.Stated.WorkspaceSSOClaim, x.Stated.SSOClaim)
	}
	return told(Warn, "switch it on, as Databricks strongly recommends", "you say it is off, and that workspaces map the same value as the account")
}

// tokenOwner looks the owner up in both directories.
func tokenOwner(ctx context.Context, x *exam) outcome {
	owner, f := x.Stated.SCIMTokenOwner, &x.acct
	if owner == "" {
		return outcome{Ask, "whose token does SCIM provisioning use?", "say --scim-token-owner with a username or application id (AIMCHECK_SCIM_TOKEN_OWNER)"}
	}
	const own = "let a service principal that Okta does not manage own the token"
	if f.version == "" {
		return notChecked("you say %q; the account can't be read: see databricks-account", owner)
	}
	defer func() { f.sent = f.client.Source().Requests + 1 }()
	record, err := f.client.Named(ctx, audit.DatabricksUsers, f.version, owner)
	if err == nil && record == nil {
		record, err = f.client.Named(ctx, audit.DatabricksServicePrincipals, f.version, owner)
	}
	if err != nil {
		return notChecked("you say %q, which could not be looked up: %v", owner, err)
	}
	switch r := record.(type) {
	case audit.DatabricksServicePrincipal:
		if r.ExternalID != "" {
			return told(Warn, own, "service principal %q has the externalId %s: Okta manages it", owner, r.ExternalID)
		}
		return good("service principal %q, which Okta does not manage", owner)
	case audit.DatabricksUser:
		if r.ExternalID != "" {
			return told(Warn, own, "user %q has the externalId %s: Okta manages them", owner, r.ExternalID)
		}
		return x.inOkta(ctx, owner, own)
	}
	return told(Warn, "give the username or the application id, as the account console shows it", "you say %q, and the account has no such user or service principal", owner)
}

// inOkta looks for a user of Okta's who would be linked to the owner.
func (x *exam) inOkta(ctx context.Context, owner, do string) outcome {
	if !x.has(usersScope) {
		return notChecked("whether Okta has %q: see okta-sign-in and okta-scopes", owner)
	}
	before := x.org.client.Source().Requests
	users, err := x.org.client.Called(ctx, owner)
	x.org.sent += x.org.client.Source().Requests - before
	if okta.Status(err) == http.StatusForbidden {
		return notChecked("whether Okta has %q: see okta-users", owner)
	}
	if err != nil {
		return notChecked("whether Okta has %q: %v", owner, err)
	}
	if len(users) > 0 {
		return told(Warn, do, "user %q is in Okta too (%s): AIM would manage them", owner, users[0].ID)
	}
	return good("user %s, who is not in Okta", fmt.Sprintf("%q", owner))
}
