package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Wrong is a precondition of an audit that does not hold: a sandbox plays it,
// so that one can see what is said about it. Its text names it in a file of faults.
type Wrong string

// The preconditions that can be wrong.
const (
	NotOkta       Wrong = "not-okta"       // another server stands at the org's address
	UnknownClient Wrong = "unknown-client" // the org has no such app
	WrongKey      Wrong = "wrong-key"      // the app has another key
	DPoP          Wrong = "dpop"           // the app demands DPoP
	MissingScope  Wrong = "missing-scope"  // okta.groups.read is not granted
	ManageScope   Wrong = "manage-scope"   // scopes that write are granted
	NoRole        Wrong = "no-role"        // the app has no admin role
	CustomRole    Wrong = "custom-role"    // the app's role shows it every other user alone
	HiddenGroups  Wrong = "hidden-groups"  // the app's role does not show it the group Everyone
	ClockBehind   Wrong = "clock-behind"   // the caller's clock is two hours behind
	ClockAhead    Wrong = "clock-ahead"    // the caller's clock is two hours ahead
	SmallLimits   Wrong = "small-limits"   // the rate limits of a free org, nearly used up

	WorkspaceHost Wrong = "workspace-host"      // the host is a workspace
	OtherAccount  Wrong = "other-account"       // the host serves another account
	WrongSecret   Wrong = "wrong-secret"        // the secret is not the service principal's
	NotAdmin      Wrong = "not-account-admin"   // the caller is no account admin
	OnlySCIM20    Wrong = "scim-2.0-only"       // SCIM 2.1 is not served
	NoIAMv2       Wrong = "no-iam-v2"           // IAM v2 is not served
	NoFederation  Wrong = "no-federation"       // no workspace has identity federation
	ManagedCaller Wrong = "managed-caller"      // the caller has an externalId, as what Okta manages has
	NoCaller      Wrong = "caller-not-in-lists" // the account does not list the caller
)

// Wrongs lists all that can be wrong.
func Wrongs() []Wrong {
	return []Wrong{
		NotOkta, UnknownClient, WrongKey, DPoP, MissingScope, ManageScope, NoRole, CustomRole, HiddenGroups, ClockBehind, ClockAhead, SmallLimits,
		WorkspaceHost, OtherAccount, WrongSecret, NotAdmin, OnlySCIM20, NoIAMv2, NoFederation, ManagedCaller, NoCaller,
	}
}

// ParseWrong returns the one of that name.
func ParseWrong(name string) (Wrong, error) {
	if w := Wrong(name); slices.Contains(Wrongs(), w) {
		return w, nil
	}
	return "", fmt.Errorf("expected one of %q, found %q", Wrongs(), name)
}

// wrong reports whether the sandbox plays it.
func (s *Sandbox) wrong(w Wrong) bool { return slices.Contains(s.options.Wrong, w) }

// misled returns o with what is wrong by other options alone.
func (o Options) misled() Options {
	now := o.Now
	late := func(d time.Duration) func() time.Time { return func() time.Time { return now().Add(d) } }
	for _, w := range o.Wrong {
		switch w {
		case DPoP:
			o.DPoP = true
		case MissingScope:
			o.OktaScopes = []string{"okta.users.read", "okta.apps.read"}
		case ManageScope:
			o.OktaScopes = append(AllOktaScopes(), "okta.users.manage", "okta.groups.manage")
		case ClockBehind:
			o.Now = late(2 * time.Hour)
		case ClockAhead:
			o.Now = late(-2 * time.Hour)
		}
	}
	if slices.Contains(o.Wrong, MissingScope) && slices.Contains(o.Wrong, ManageScope) {
		o.OktaScopes = []string{"okta.users.read", "okta.users.manage", "okta.groups.manage"}
	}
	return o
}

// smallRates are the limits of a free org.
func smallRates() map[string]Rate {
	return map[string]Rate{"okta users": {12, time.Minute}, "okta groups": {12, time.Minute}, "okta apps": {12, time.Minute}}
}

// hidden reports whether the app's admin role keeps the row of a user from it.
func (o *okta) hidden(row int32) bool { return o.s.wrong(CustomRole) && row%2 == 1 }

// shownMembers are the members of a group that the app's admin role shows.
func (o *okta) shownMembers(rows []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(rows), o.hidden)
}

// unless answers as a host that does not serve the call, if w is wrong.
func (d *databricks) unless(w Wrong, h http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if d.s.wrong(w) {
			writeError(rw, r, http.StatusNotFound, "ENDPOINT_NOT_FOUND", "No API found for '"+r.Method+" "+r.URL.Path+"'")
			return
		}
		h(rw, r)
	}
}

// account returns the id of the account that is served.
func (d *databricks) account() string {
	if d.s.wrong(OtherAccount) {
		return "5a4d0b0c-0000-4000-8000-00000000a1c1"
	}
	return DatabricksAccountID
}

// secret returns the one that the service principal has.
func (d *databricks) secret() string {
	if d.s.wrong(WrongSecret) {
		return DatabricksClientSecret + "-renewed"
	}
	return DatabricksClientSecret
}

// mislead changes the tenant's objects to what is wrong.
func (s *Sandbox) mislead(t DatabricksTenant) DatabricksTenant {
	caller := func(raw json.RawMessage) bool {
		return strings.EqualFold(text(parseObject(raw).get("applicationId")), DatabricksClientID)
	}
	t.ServicePrincipals = slices.Clone(t.ServicePrincipals)
	if s.wrong(NoCaller) {
		t.ServicePrincipals = slices.DeleteFunc(t.ServicePrincipals, caller)
	}
	for i, raw := range t.ServicePrincipals {
		if s.wrong(ManagedCaller) && caller(raw) {
			t.ServicePrincipals[i] = with(without(raw, "externalId"), "externalId", `"0oaaimcheckmanaged00"`)
		}
	}
	t.Workspaces = slices.Clone(t.Workspaces)
	for i, raw := range t.Workspaces {
		if s.wrong(NoFederation) {
			t.Workspaces[i] = with(without(raw, "identity_federation_info"), "identity_federation_info", `{"enable_identity_federation":false}`)
		}
	}
	return t
}
