package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/doctor"
	"github.com/aimcheck/aimcheck/internal/fetch"
	"github.com/aimcheck/aimcheck/internal/okta"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// inputFor is all right for the sandbox.
func inputFor(box *sandbox.Running) doctor.Input {
	return doctor.Input{
		OktaConfig: okta.Config{
			OrgURL: box.URL, ClientID: sandbox.OktaClientID, PrivateKey: box.OktaPrivateKeyPEM(), PrivateKeyID: box.OktaKeyID(), Reserve: 10,
		},
		DatabricksConfig: databricks.Config{
			Host: box.URL, AccountID: sandbox.DatabricksAccountID, ClientID: sandbox.DatabricksClientID, ClientSecret: sandbox.DatabricksClientSecret,
		},
		Stated: audit.Settings{SSOClaim: audit.ClaimLogin, UnifiedLogin: audit.On, SCIMTokenOwner: sandbox.DatabricksClientID},
	}
}

// tenant is one about which there is nothing to say.
func tenant() *sandbox.Tenant {
	t := sandbox.Demo()
	for i, raw := range t.Databricks.Workspaces {
		var w map[string]any
		if err := json.Unmarshal(raw, &w); err != nil {
			panic(err)
		}
		w["identity_federation_info"] = map[string]any{"enable_identity_federation": true}
		t.Databricks.Workspaces[i], _ = json.Marshal(w)
	}
	return t
}

func run(t *testing.T, in doctor.Input) *doctor.Report {
	t.Helper()
	r, err := doctor.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Lines {
		text := fmt.Sprintf("%+v", l)
		if l.Check == "" || l.Found == "" || l.Why == "" || l.State != doctor.OK && l.Do == "" && !strings.HasPrefix(l.Found, "not checked: ") {
			t.Errorf("a line is not whole: %s", text)
		}
		for _, secret := range []string{sandbox.DatabricksClientSecret, "BEGIN PRIVATE", sandbox.OktaAPIToken} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is shown: %s", text)
			}
		}
	}
	return r
}

// notOK is the state of every line that is neither ok nor one that always asks.
func notOK(r *doctor.Report) map[string]doctor.State {
	m := map[string]doctor.State{}
	for _, l := range r.Lines {
		if l.State != doctor.OK && !slices.Contains([]string{"group-claims", "aim-app", "scim-provisioning"}, l.Check) {
			m[l.Check] = l.State
		}
	}
	return m
}

func find(t *testing.T, r *doctor.Report, check string) doctor.Line {
	t.Helper()
	for _, l := range r.Lines {
		if l.Check == check {
			return l
		}
	}
	t.Fatalf("no line %s", check)
	return doctor.Line{}
}

const (
	warn, fail, unknown = doctor.Warn, doctor.Fail, doctor.Unknown
)

type states map[string]doctor.State

// after returns s with the checks, too, that could not be made.
func (s states) after(checks ...string) states {
	for _, c := range checks {
		s[c] = unknown
	}
	return s
}

var (
	afterOkta = []string{"okta-dpop", "okta-scopes", "okta-least-scopes", "okta-users", "okta-groups", "okta-rate-limits", "full-read"}
	afterHost = []string{"databricks-sign-in", "databricks-account", "databricks-scim", "databricks-iam-v2", "databricks-workspaces", "databricks-federation", "databricks-caller", "scim-token-owner", "full-read"}
)

// wrongs is what is said of each precondition that does not hold.
var wrongs = map[sandbox.Wrong]struct {
	states states
	line   string // the one that names the cause
	says   []string
}{
	sandbox.NotOkta:       {states{"okta-org": fail}.after(append(afterOkta, "okta-clock", "okta-sign-in")...), "okta-org", []string{"no Okta org answers there", "-admin"}},
	sandbox.UnknownClient: {states{"okta-sign-in": fail}.after(afterOkta...), "okta-sign-in", []string{"knows no active app", "OKTA_CLIENT_CLIENTID"}},
	sandbox.WrongKey:      {states{"okta-sign-in": fail}.after(afterOkta...), "okta-sign-in", []string{"not one of the app", "OKTA_CLIENT_PRIVATEKEYID"}},
	sandbox.DPoP:          {states{"okta-dpop": fail}, "okta-dpop", []string{"AIM can't", "turn off"}},
	sandbox.MissingScope:  {states{"okta-scopes": fail}.after("okta-users", "okta-groups", "full-read"), "okta-scopes", []string{"not granted: okta.groups.read", "Okta API Scopes"}},
	sandbox.ManageScope:   {states{"okta-least-scopes": warn}, "okta-least-scopes", []string{"okta.users.manage, okta.groups.manage", "revoke"}},
	sandbox.NoRole:        {states{"okta-users": fail, "okta-groups": fail}.after("okta-rate-limits", "full-read"), "okta-users", []string{"E0000006", "Read-Only Administrator"}},
	sandbox.CustomRole:    {states{"okta-users": fail}, "okta-users", []string{"counts 240", "shows 120", "custom admin role"}},
	sandbox.HiddenGroups:  {states{"okta-users": fail}, "okta-users", []string{"not the group Everyone", "Read-Only Administrator"}},
	sandbox.ClockBehind:   {states{"okta-clock": warn}, "okta-clock", []string{"behind", "NTP"}},
	sandbox.ClockAhead:    {states{"okta-clock": warn}, "okta-clock", []string{"ahead of", "NTP"}},
	sandbox.SmallLimits:   {states{"okta-rate-limits": warn}, "okta-rate-limits", []string{"users 12 a minute"}},

	sandbox.WorkspaceHost: {states{"databricks-host": fail}.after(afterHost...), "databricks-host", []string{"is a workspace", "--databricks-host https://accounts.cloud.databricks.com"}},
	sandbox.OtherAccount:  {states{"databricks-sign-in": fail}.after(afterHost[1:]...), "databricks-sign-in", []string{"401", "DATABRICKS_ACCOUNT_ID"}},
	sandbox.WrongSecret:   {states{"databricks-sign-in": fail}.after(afterHost[1:]...), "databricks-sign-in", []string{"401", "secret is whole"}},
	sandbox.NotAdmin: {states{"databricks-account": fail, "databricks-workspaces": fail}.after("databricks-scim", "databricks-iam-v2", "databricks-federation", "databricks-caller", "scim-token-owner", "full-read"),
		"databricks-account", []string{"no account admin", "Account admin on"}},
	sandbox.OnlySCIM20:    {states{"databricks-scim": fail}, "databricks-scim", []string{"--databricks-scim 2.0"}},
	sandbox.NoIAMv2:       {states{"databricks-iam-v2": warn}, "databricks-iam-v2", []string{"not served", "account team"}},
	sandbox.NoFederation:  {states{"databricks-federation": warn}, "databricks-federation", []string{"off in 3 of 3", "workspace-0"}},
	sandbox.ManagedCaller: {states{"databricks-caller": warn, "scim-token-owner": warn}, "databricks-caller", []string{"0oaaimcheckmanaged00", "Okta manages it"}},
	sandbox.NoCaller:      {states{"databricks-caller": unknown, "scim-token-owner": warn}, "databricks-caller", []string{"lists no service principal"}},
}

func TestAllWell(t *testing.T) {
	box := sandbox.Start(t, tenant(), sandbox.Options{})
	in := inputFor(box)
	in.Apps = true
	r := run(t, in)
	if diff := cmp.Diff(map[string]doctor.State{}, notOK(r)); diff != "" || !r.Healthy() {
		t.Errorf("not all is well: %s", diff)
	}
	served := 0
	for call, n := range box.Requests() {
		served += n
		if method, path, _ := strings.Cut(call, " "); method != "GET" && !strings.HasSuffix(path, "/token") {
			t.Errorf("%s is no reading", call)
		}
	}
	if served != r.Sent || served > 40 {
		t.Errorf("%d requests were served, and %d are told of; want 40 at most", served, r.Sent)
	}
}

func TestEachWrong(t *testing.T) {
	for _, w := range sandbox.Wrongs() {
		want, ok := wrongs[w]
		if !ok {
			t.Errorf("nothing is demanded for %s", w)
			continue
		}
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			r := run(t, inputFor(sandbox.Start(t, tenant(), sandbox.Options{Wrong: []sandbox.Wrong{w}})))
			if diff := cmp.Diff(map[string]doctor.State(want.states), notOK(r)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			l := find(t, r, want.line)
			for _, text := range want.says {
				if !strings.Contains(l.Found+" "+l.Do, text) {
					t.Errorf("%q is not said: %+v", text, l)
				}
			}
			if fails := slices.Contains(slices.Collect(maps.Values(want.states)), fail); r.Healthy() == fails {
				t.Errorf("healthy is %v", r.Healthy())
			}
		})
	}
}

// Half of all is wrong at once, and each is named all the same.
func TestHalfWrong(t *testing.T) {
	together := []sandbox.Wrong{
		sandbox.DPoP, sandbox.ManageScope, sandbox.CustomRole, sandbox.SmallLimits,
		sandbox.OnlySCIM20, sandbox.NoIAMv2, sandbox.NoFederation, sandbox.ManagedCaller,
	}
	r := run(t, inputFor(sandbox.Start(t, tenant(), sandbox.Options{Wrong: together})))
	want := map[string]doctor.State{}
	for _, w := range together {
		maps.Copy(want, wrongs[w].states)
		l := find(t, r, wrongs[w].line)
		for _, text := range wrongs[w].says {
			if !strings.Contains(l.Found+" "+l.Do, text) {
				t.Errorf("%s: %q is not said: %+v", w, text, l)
			}
		}
	}
	if diff := cmp.Diff(want, notOK(r)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	// What hinders the rest, on both sides. By a wrong clock no DPoP proof can be made.
	r = run(t, inputFor(sandbox.Start(t, tenant(), sandbox.Options{Wrong: []sandbox.Wrong{
		sandbox.MissingScope, sandbox.NoRole, sandbox.ClockBehind, sandbox.DPoP, sandbox.NotAdmin, sandbox.NoIAMv2}})))
	for _, check := range []string{"okta-sign-in", "okta-scopes", "okta-dpop", "databricks-account", "databricks-workspaces"} {
		if l := find(t, r, check); l.State != fail {
			t.Errorf("%+v, want fail", l)
		}
	}
	if l := find(t, r, "okta-clock"); l.State != warn {
		t.Errorf("%+v, want warn", l)
	}
}

func TestTokenInPlaceOfKey(t *testing.T) {
	in := inputFor(sandbox.Start(t, tenant(), sandbox.Options{}))
	in.OktaConfig.PrivateKey, in.OktaConfig.Token = "", sandbox.OktaAPIToken
	want := map[string]doctor.State{"okta-private-key": warn, "okta-least-scopes": warn, "okta-dpop": unknown}
	if diff := cmp.Diff(want, notOK(run(t, in))); diff != "" {
		t.Error(diff)
	}
	in.OktaConfig.Token = "00wrong"
	if l := find(t, run(t, in), "okta-sign-in"); l.State != fail || !strings.Contains(l.Found, "does not accept the API token") {
		t.Errorf("%+v", l)
	}
	in.DatabricksConfig.ClientID, in.DatabricksConfig.ClientSecret, in.DatabricksConfig.Token = "", "", sandbox.DatabricksSCIMToken
	r := run(t, in)
	if l := find(t, r, "databricks-caller"); l.State != doctor.Ask || !strings.Contains(l.Do, "--scim-token-owner") {
		t.Errorf("%+v", l)
	}
	if l := find(t, r, "databricks-workspaces"); l.State != fail { // the console's SCIM token opens nothing else
		t.Errorf("%+v", l)
	}
}

func TestSettingsAtFault(t *testing.T) {
	in := doctor.Input{
		Files: []error{errors.New("aimcheck.yaml:1: bad")},
		Okta:  doctor.Side{Missing: []error{errors.New("Okta org URL is not set")}, Wrong: []error{errors.New("bad id")}},
		Other: []error{errors.New("bad rate")}, KeyFault: errors.New("no key there"),
	}
	r := run(t, in)
	want := map[string]string{"config-files": "aimcheck.yaml:1: bad", "okta-settings": "bad id", "okta-private-key": "no key there", "other-settings": "bad rate"}
	for check, text := range want {
		if l := find(t, r, check); l.State != fail || l.Found != text {
			t.Errorf("%+v, want fail: %s", l, text)
		}
	}
	if r.Sent != 0 {
		t.Errorf("%d requests without a host", r.Sent)
	}
}

func TestTokenOwner(t *testing.T) {
	var linked, unlinked struct{ UserName, ExternalID string }
	demo := tenant()
	for _, raw := range demo.Databricks.Users {
		u := linked
		u.ExternalID = ""
		if err := json.Unmarshal(raw, &u); err != nil {
			continue
		}
		if u.ExternalID != "" {
			linked = u
		} else {
			unlinked = u
		}
	}
	in := inputFor(sandbox.Start(t, demo, sandbox.Options{}))
	for owner, want := range map[string]doctor.State{
		linked.UserName: warn, unlinked.UserName: warn, "nobody@example.com": warn, sandbox.DatabricksClientID: doctor.OK, "": doctor.Ask,
	} {
		in.Stated.SCIMTokenOwner = owner
		if l := find(t, run(t, in), "scim-token-owner"); l.State != want {
			t.Errorf("%q: %+v, want %s", owner, l, want)
		}
	}
}

func TestStated(t *testing.T) {
	box := sandbox.Start(t, tenant(), sandbox.Options{})
	for _, c := range []struct {
		stated       audit.Settings
		claim, login doctor.State
	}{
		{audit.Settings{}, doctor.Ask, doctor.Ask},
		{audit.Settings{SSOClaim: audit.ClaimOther, UnifiedLogin: audit.Off}, warn, warn},
		{audit.Settings{SSOClaim: audit.ClaimEmail, UnifiedLogin: audit.Off, WorkspaceSSOClaim: audit.ClaimLogin}, doctor.OK, warn},
		{audit.Settings{SSOClaim: audit.ClaimEmail, UnifiedLogin: audit.On}, doctor.OK, doctor.OK},
	} {
		in := inputFor(box)
		in.Stated = c.stated
		r := run(t, in)
		if claim, login := find(t, r, "sso-claim"), find(t, r, "unified-login"); claim.State != c.claim || login.State != c.login {
			t.Errorf("%+v: %+v %+v", c.stated, claim, login)
		}
		if !r.Healthy() {
			t.Error("to be asked is no failure")
		}
	}
}

// What a full read was predicted to take, it takes.
func TestPrediction(t *testing.T) {
	for _, users := range []int{0, 120, 900, 5000} {
		tenant := sandbox.Demo()
		if users > 0 {
			tenant = sandbox.Generate(4, users)
		}
		box := sandbox.Start(t, tenant, sandbox.Options{Rates: sandbox.NoLimits()})
		in := inputFor(box)
		in.DatabricksConfig.ReadRate, in.DatabricksConfig.ListRate = 1000, 1000
		reads := run(t, in).Reads
		in.OktaConfig.Scopes = nil
		from, err := okta.Open(t.Context(), in.OktaConfig)
		if err != nil {
			t.Fatal(err)
		}
		to, err := databricks.Open(t.Context(), in.DatabricksConfig)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := fetch.Snapshot(t.Context(), fetch.Options{Okta: from, Databricks: to, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		took := snap.Okta.Requests + snap.Databricks.Requests
		t.Logf("%d users: predicted %+v, took %d", users, reads, took)
		if len(reads) < 3 || reads[0].Requests < took-took/5-1 || reads[0].Requests > took+took/5+1 {
			t.Errorf("%d users: predicted %+v, took %d", users, reads, took)
		}
	}
}

// nobody never answers.
type nobody struct{}

func (nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// Hosts that don't answer take seconds, not minutes; Ctrl-C less.
func TestNobodyAnswers(t *testing.T) {
	in := doctor.Input{
		OktaConfig:       okta.Config{OrgURL: "https://acme.okta.com", ClientID: "0oa1", Token: "00t", Transport: nobody{}},
		DatabricksConfig: databricks.Config{Host: "https://accounts.cloud.databricks.com", AccountID: sandbox.DatabricksAccountID, Transport: nobody{}},
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := run(t, in)
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
		for _, check := range []string{"okta-org", "databricks-host"} {
			if l := find(t, r, check); l.State != fail || !strings.Contains(l.Found, "answer") {
				t.Errorf("%+v", l)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := doctor.Run(ctx, in); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// What fails for as long as a check may take is told, not that time was up alone.
func TestServersThatFailThroughout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := sandbox.Pipe(t, tenant(), sandbox.Options{Fault: func(r *http.Request) sandbox.Fault {
			if strings.Contains(r.URL.Path, "/scim/") {
				return sandbox.Fault{Status: 500, Body: "out of order"}
			}
			return sandbox.Fault{}
		}})
		in := inputFor(box)
		base := box.Transport()
		defer base.CloseIdleConnections()
		in.OktaConfig, in.DatabricksConfig.Transport = okta.Config{}, base
		if l := find(t, run(t, in), "databricks-account"); l.State != fail || !strings.Contains(l.Found, "500") || !strings.Contains(l.Found, "out of order") {
			t.Errorf("%+v", l)
		}
	})
}

func TestOktaGivenAsDatabricks(t *testing.T) {
	r := run(t, doctor.Input{DatabricksConfig: databricks.Config{Host: "https://acme.okta.com", AccountID: sandbox.DatabricksAccountID, Transport: nobody{}}})
	if l := find(t, r, "databricks-host"); l.State != fail || !strings.Contains(l.Found, "is an Okta org") || !strings.Contains(l.Do, "https://accounts.cloud.databricks.com") {
		t.Errorf("%+v", l)
	}
}

func TestKeyThatIsNone(t *testing.T) {
	in := inputFor(sandbox.Start(t, tenant(), sandbox.Options{}))
	in.OktaConfig.PrivateKey, in.KeyFault = "", errors.New("no key there")
	r := run(t, in)
	for _, check := range []string{"okta-dpop", "okta-scopes"} {
		if l := find(t, r, check); l.State != unknown || strings.Contains(l.Found, "token") {
			t.Errorf("%+v", l)
		}
	}
}

func TestNoWorkspaceAndNoSuchApp(t *testing.T) {
	tn := tenant()
	tn.Databricks.Workspaces = nil
	in := inputFor(sandbox.Start(t, tn, sandbox.Options{}))
	in.Apps, in.Stated.OktaApp = true, "0oanobody"
	r := run(t, in)
	if l := find(t, r, "databricks-workspaces"); l.State != warn || !strings.Contains(l.Do, "account id") {
		t.Errorf("%+v", l)
	}
	if l := find(t, r, "databricks-federation"); l.State != unknown {
		t.Errorf("%+v", l)
	}
	if l := find(t, r, "okta-apps"); l.State != fail || !strings.Contains(l.Found, `no app "0oanobody"`) {
		t.Errorf("%+v", l)
	}
}
