package audit

import (
	"cmp"
	"fmt"
	"slices"
)

// A Claim is the Okta value that reaches Databricks as the username at sign-in.
type Claim string

// The claims. Nothing that depends on the claim is concluded while it is unknown.
const (
	ClaimUnknown Claim = "unknown"
	ClaimLogin   Claim = "login"
	ClaimEmail   Claim = "email"
	ClaimOther   Claim = "other" // a custom template; known per user from the SSO app's users
)

// ParseClaim reads the text of a claim; blank is unknown.
func ParseClaim(text string) (Claim, error) {
	c := Claim(text)
	if c == "" {
		return ClaimUnknown, nil
	}
	if !slices.Contains([]Claim{ClaimUnknown, ClaimLogin, ClaimEmail, ClaimOther}, c) {
		return "", fmt.Errorf("unknown SSO claim %q: expected login, email or other", text)
	}
	return c, nil
}

// A Switch is a fact that is on, off or unknown.
type Switch string

// The states of a switch.
const (
	Unknown Switch = "unknown"
	On      Switch = "true"
	Off     Switch = "false"
)

// Settings are what changes the result of an audit besides the snapshot. What is
// left blank is unknown.
type Settings struct {
	SSOClaim          Claim    `json:"sso_claim"`
	WorkspaceSSOClaim Claim    `json:"workspace_sso_claim"`
	UnifiedLogin      Switch   `json:"unified_login"`
	SCIMTokenOwner    string   `json:"scim_token_owner,omitempty"` // userName or applicationId; blank: the caller
	OktaApp           string   `json:"okta_app,omitempty"`         // id of the SSO app, for [ClaimOther]
	Include           []string `json:"include,omitempty"`          // classes of operations to approve besides the default ones
	Exclude           []string `json:"exclude,omitempty"`          // classes, rules or finding ids to leave out of the plan
}

// normal returns s with everything unsaid unknown.
func (s Settings) normal() Settings {
	s.SSOClaim = cmp.Or(s.SSOClaim, ClaimUnknown)
	s.WorkspaceSSOClaim = cmp.Or(s.WorkspaceSSOClaim, ClaimUnknown)
	s.UnifiedLogin = cmp.Or(s.UnifiedLogin, Unknown)
	return s
}
