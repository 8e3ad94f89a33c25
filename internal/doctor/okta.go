package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/okta"
)

const (
	usersScope  = "okta.users.read"
	groupsScope = "okta.groups.read"
	appsScope   = "okta.apps.read"
)

// An oktaFacts is what was learnt of the org.
type oktaFacts struct {
	org     okta.Org
	granted []string     // scopes
	missing []string     // scopes
	client  *okta.Client // with all scopes that are granted
	dpop    bool
	sent    int

	users, groups, apps                okta.Counted
	usersKnown, groupsKnown, appsKnown bool

	everyone      int // users in the group Everyone
	everyoneID    string
	everyoneFound bool
	members       okta.Budget // zero: not measured
}

func oktaChecks(apps bool) []check {
	const about = "okta"
	checks := []check{
		{"okta-org", about, "all of Okta is read from there", nil, oktaOrg},
		{"okta-clock", about, "Okta refuses what is signed by a wrong clock", []string{"okta-org"}, oktaClock},
		{"okta-sign-in", about, "AIM signs in with this app and key too", []string{"okta-org"}, oktaSignIn},
		{"okta-dpop", about, "AIM can't do DPoP: with it on, its connection test fails", []string{"okta-org"}, oktaDPoP},
		{"okta-scopes", about, "without them nothing can be read, by this program or by AIM", []string{"okta-org"}, oktaScopes},
		{"okta-least-scopes", about, "whoever gets hold of the key can do all that the app may", []string{"okta-sign-in"}, oktaLeast},
		{"okta-users", about, "a role that hides users makes them look as if they were gone: without an error", []string{"okta-sign-in"}, oktaUsers},
		{"okta-groups", about, "groups that are not seen can't be linked", []string{"okta-sign-in"}, oktaGroups},
	}
	if apps {
		checks = append(checks, check{"okta-apps", about, "--apps reads apps, and what they send as username", []string{"okta-sign-in"}, oktaApps})
	}
	return append(checks, check{"okta-rate-limits", about, "the org's other clients share them, and they set the pace of a full read", []string{"okta-sign-in"}, oktaLimits})
}

func oktaOrg(ctx context.Context, x *exam) outcome {
	if x.OktaConfig.OrgURL == "" {
		return notChecked("no org URL that can be used is given")
	}
	var err error
	x.org.org, err = okta.Reach(ctx, x.OktaConfig)
	x.org.sent++
	o := x.org.org
	switch {
	case errors.Is(err, okta.ErrNotOkta):
		return told(Fail, "give the org's own address, as it stands in the browser when you are signed in, without \"-admin\": https://example.okta.com", "%s: %v", x.OktaConfig.OrgURL, err)
	case err != nil:
		return told(Fail, "check the address for slips, then the network, HTTPS_PROXY and whether a proxy puts its own certificate in place (SSL_CERT_FILE)", "%v", err)
	case o.Custom != "" && !same(o.Custom, o.Asked) && !same(o.Home, o.Asked):
		return told(Warn, "give "+o.Home, "the org answers, and calls itself %s and %s rather than %s", o.Home, o.Custom, o.Asked)
	case o.Home != "" && same(o.Custom, o.Asked):
		return told(OK, "in Databricks, too, give "+o.Home+" if the connection test refuses the custom domain", "an Okta org answers, by its custom domain; its own address is %s", o.Home)
	}
	return good("an Okta org answers at %s", o.Asked)
}

func same(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
}

// skewed says by how much this computer's clock is off.
func skewed(ahead time.Duration, timed bool, whose string) outcome {
	way := "behind"
	if ahead < 0 {
		ahead, way = -ahead, "ahead of"
	}
	switch {
	case !timed:
		return notChecked("%s did not tell the time", whose)
	case ahead < time.Minute:
		return good("this computer's clock and %s's are %v apart", whose, ahead.Round(time.Second))
	}
	return told(Warn, "set the clock right (NTP); this program signs in by Okta's time meanwhile, others don't",
		"this computer's clock is %v %s %s's", ahead.Round(time.Second), way, whose)
}

func oktaClock(_ context.Context, x *exam) outcome {
	return skewed(x.org.org.Ahead, x.org.org.Timed, "Okta")
}

// open signs in for the scopes alone.
func (x *exam) open(ctx context.Context, scopes ...string) (*okta.Client, error) {
	c := x.OktaConfig
	c.Scopes = scopes
	client, err := okta.Open(ctx, c)
	if client != nil {
		x.org.dpop = x.org.dpop || client.DPoP()
		x.org.sent += client.Source().Requests
	} else {
		x.org.sent++ // at least
	}
	return client, err
}

// signed says what a refusal means and what to do about it.
func signed(err error, c okta.Config) outcome {
	fault, reason := okta.Refusal(err)
	if reason != "" {
		reason = " (" + reason + ")"
	}
	app := fmt.Sprintf("%q", c.ClientID)
	switch fault {
	case okta.FaultClient:
		return told(Fail, "compare OKTA_CLIENT_CLIENTID with the Client ID on the app's General tab, see that the app is active, and that the org URL is that of its org",
			"the org knows no active app %s%s", app, reason)
	case okta.FaultKey:
		return told(Fail, "compare OKTA_CLIENT_PRIVATEKEYID with the key ids on the app's General tab, under Public Keys; if the private key is lost, add a key there and use that",
			"the private key is not one of the app %s%s", app, reason)
	case okta.FaultClock:
		return told(Fail, "set this computer's clock right (NTP)", "Okta does not accept the times of what was signed%s", reason)
	case okta.FaultGrant:
		return told(Fail, "make an app integration of type API Services, with client authentication Public key / Private key, and use its client id and key",
			"the app %s may not sign in by itself%s", app, reason)
	case okta.FaultDPoP:
		return told(Fail, "set the clock right if okta-clock says so, and turn off \"Require Demonstrating Proof of Possession (DPoP) header in token requests\" on the app's General tab",
			"Okta demands DPoP of the app %s, and did not accept the proof%s", app, reason)
	case okta.FaultOrg:
		return told(Fail, "give the org's own address", "the org has no token endpoint%s", reason)
	case okta.FaultOther:
		return told(Fail, "check the app's client id and key, and that it is active", "Okta refused the app %s%s", app, reason)
	}
	return told(Fail, "check the network and run again", "%v", err)
}

func oktaSignIn(ctx context.Context, x *exam) outcome {
	c := x.OktaConfig
	switch {
	case c.PrivateKey == "" && c.Token == "":
		return notChecked("there is no private key that can be used: see okta-settings and okta-private-key")
	case c.PrivateKey == "":
		return x.tokenSignIn(ctx)
	case c.ClientID == "":
		return notChecked("there is no client id: see okta-settings")
	}
	wanted := []string{usersScope, groupsScope}
	if x.Apps {
		wanted = append(wanted, appsScope)
	}
	var proof error // a DPoP proof that Okta does not accept hides nothing else
	for _, scope := range wanted {
		_, err := x.open(ctx, scope)
		fault, _ := okta.Refusal(err)
		switch {
		case err == nil:
			x.org.granted = append(x.org.granted, scope)
		case fault == okta.FaultScope:
			x.org.missing = append(x.org.missing, scope)
		case fault == okta.FaultDPoP:
			x.org.dpop, proof = true, err
		case errors.Is(err, okta.ErrKey):
			return notChecked("the private key can't be used: see okta-private-key")
		default:
			return signed(err, c)
		}
	}
	if proof != nil {
		return signed(proof, c)
	}
	if len(x.org.granted) > 0 {
		client, err := x.open(ctx, x.org.granted...)
		if err != nil {
			return signed(err, c)
		}
		x.org.client = client
	}
	return good("Okta accepts the private key of the app %q", c.ClientID)
}

func (x *exam) tokenSignIn(ctx context.Context) outcome {
	client, err := x.open(ctx)
	switch okta.Status(err) {
	case http.StatusUnauthorized:
		return told(Fail, "make a new one, or better an API Services app with a private key", "Okta does not accept the API token")
	case http.StatusForbidden:
		return told(Fail, "let somebody own the token who is Read-Only Administrator at least", "the owner of the API token may not list users")
	}
	if err != nil {
		return told(Fail, "check the network and run again", "%v", err)
	}
	x.org.client, x.org.granted = client, []string{usersScope, groupsScope, appsScope}
	return good("Okta accepts the API token")
}

func oktaDPoP(_ context.Context, x *exam) outcome {
	switch {
	case x.OktaConfig.PrivateKey == "" && x.OktaConfig.Token == "":
		return notChecked("see okta-sign-in")
	case x.OktaConfig.PrivateKey == "":
		return notChecked("an API token has no DPoP")
	case x.org.dpop:
		return told(Fail, "turn off \"Require Demonstrating Proof of Possession (DPoP) header in token requests\" on the app's General tab, before AIM gets the app",
			"Okta demands DPoP of the app: this program can do it, AIM can't")
	case len(x.org.granted) == 0:
		return notChecked("Okta gave no token: see okta-sign-in and okta-scopes")
	}
	return good("Okta does not demand DPoP of the app")
}

func oktaScopes(_ context.Context, x *exam) outcome {
	switch {
	case x.OktaConfig.PrivateKey == "" && x.OktaConfig.Token == "":
		return notChecked("see okta-sign-in")
	case x.OktaConfig.PrivateKey == "":
		return good("an API token has no scopes, but its owner's role")
	case len(x.org.missing) > 0:
		return told(Fail, "grant "+strings.Join(x.org.missing, " and ")+" on the app's Okta API Scopes tab", "not granted: %s", strings.Join(x.org.missing, ", "))
	case len(x.org.granted) == 0:
		return notChecked("Okta gave no token: see okta-sign-in")
	}
	return good("granted: %s", strings.Join(x.org.granted, ", "))
}

// tooMuch are scopes that nothing here needs. Okta tells of a scope only by
// giving a token for it, or not; the token is thrown away, and its client could
// not write.
var tooMuch = []string{"okta.users.manage", "okta.groups.manage", "okta.apps.manage"}

func oktaLeast(ctx context.Context, x *exam) outcome {
	if x.OktaConfig.PrivateKey == "" {
		return told(Warn, "sign in with an API Services app instead", "an API token can do all that its owner may")
	}
	var have []string
	for _, scope := range tooMuch {
		_, err := x.open(ctx, scope)
		switch fault, _ := okta.Refusal(err); {
		case err == nil:
			have = append(have, scope)
		case fault != okta.FaultScope:
			return outcome{Unknown, fmt.Sprintf("whether the app has %s could not be asked: %v", scope, err), "run again"}
		}
	}
	if len(have) > 0 {
		return told(Warn, "revoke them on the app's Okta API Scopes tab: okta.users.read and okta.groups.read are enough, with okta.apps.read for --apps",
			"the app may write: %s", strings.Join(have, ", "))
	}
	return good("the app has none of %s", strings.Join(tooMuch, ", "))
}

// has reports whether the scope is granted.
func (x *exam) has(scope string) bool {
	return x.org.client != nil && slices.Contains(x.org.granted, scope)
}

// countPages bounds what is counted here: 5,000 users, or 2,000 groups.
const (
	countUserPages  = 25
	countGroupPages = 10
)

const readOnlyAdmin = "on the app's Admin roles tab, assign the standard role Read-Only Administrator (or Super Administrator), " +
	"with nothing left out of it, rather than a custom role"

func oktaUsers(ctx context.Context, x *exam) outcome {
	if !x.has(usersScope) {
		return notChecked("the scope %s is not granted", usersScope)
	}
	f := &x.org
	before := f.client.Source().Requests
	defer func() { f.sent += f.client.Source().Requests - before }()
	n, err := f.client.Count(ctx, audit.OktaUsers, countUserPages)
	if okta.Status(err) == http.StatusForbidden {
		return told(Fail, readOnlyAdmin, "the app has the scope %s, and no admin role that lets it list users (%v)", usersScope, brief(err))
	}
	if err != nil {
		return told(Fail, "run again; if it stays so, check the rate limits and the network", "users can't be listed: %v", err)
	}
	f.users, f.usersKnown = n, true
	seen := fmt.Sprintf("%s users seen", number(n.Live+n.Gone))
	if !n.All {
		seen = fmt.Sprintf("the first %s users seen", number(n.Live+n.Gone))
	}
	if !x.has(groupsScope) {
		return outcome{Unknown, seen + "; whether these are all can't be known without " + groupsScope, "grant it"}
	}
	f.everyoneID, f.everyone, f.everyoneFound, err = f.client.Everyone(ctx)
	hidden := f.everyone - n.Live - n.Gone
	switch {
	case err != nil:
		return outcome{Unknown, fmt.Sprintf("%s; whether these are all is not known: the group Everyone can't be read (%s)", seen, brief(err)), "see okta-groups"}
	case !f.everyoneFound:
		return told(Fail, readOnlyAdmin, "%s, but not the group Everyone, which every org has: the app's role is limited to part of the org, and Okta leaves the rest out without a word", seen)
	case !n.All:
		return outcome{Unknown, fmt.Sprintf("%s of the %s that Okta counts in the group Everyone; whether the role shows them all, only a full read tells", seen, number(f.everyone)),
			"see that the role is Read-Only Administrator, no custom one; after a snapshot, compare its okta_users with that number"}
	case hidden > max(2, f.everyone/100):
		return told(Fail, readOnlyAdmin, "Okta counts %s users in the group Everyone, and shows %s: a custom admin role hides %s, without an error",
			number(f.everyone), number(n.Live+n.Gone), number(hidden))
	case hidden > 0:
		return told(Warn, "run again in a few minutes: Okta's count may lag; if it stays so, "+readOnlyAdmin,
			"Okta counts %s users in the group Everyone, and shows %s", number(f.everyone), number(n.Live+n.Gone))
	}
	return good("%s (%s deprovisioned), no fewer than the %s that Okta counts in the group Everyone", seen, number(n.Gone), number(f.everyone))
}

func oktaGroups(ctx context.Context, x *exam) outcome {
	if !x.has(groupsScope) {
		return notChecked("the scope %s is not granted", groupsScope)
	}
	f := &x.org
	before := f.client.Source().Requests
	defer func() { f.sent += f.client.Source().Requests - before }()
	n, err := f.client.Count(ctx, audit.OktaGroups, countGroupPages)
	if okta.Status(err) == http.StatusForbidden {
		return told(Fail, readOnlyAdmin, "the app has the scope %s, and no admin role that lets it list groups (%v)", groupsScope, brief(err))
	}
	if err != nil {
		return told(Fail, "run again; if it stays so, check the rate limits and the network", "groups can't be listed: %v", err)
	}
	f.groups, f.groupsKnown = n, true
	if f.everyoneFound {
		if b, err := f.client.MembersBudget(ctx, f.everyoneID); err == nil {
			f.members = b
		}
	}
	if n.Live == 0 {
		return told(Fail, readOnlyAdmin, "no group is shown, and every org has some")
	}
	if !n.All {
		return good("the first %s groups seen", number(n.Live))
	}
	return good("%s groups seen", number(n.Live))
}

func oktaApps(ctx context.Context, x *exam) outcome {
	if !x.has(appsScope) {
		return notChecked("the scope %s is not granted", appsScope)
	}
	f := &x.org
	before := f.client.Source().Requests
	defer func() { f.sent += f.client.Source().Requests - before }()
	n, err := f.client.Count(ctx, audit.OktaApps, countGroupPages)
	if okta.Status(err) == http.StatusForbidden {
		return told(Fail, readOnlyAdmin, "the app has the scope %s, and no admin role that lets it list apps (%v)", appsScope, brief(err))
	}
	if err != nil {
		return told(Fail, "run again; if it stays so, check the rate limits and the network", "apps can't be listed: %v", err)
	}
	f.apps, f.appsKnown = n, true
	if x.Stated.OktaApp == "" {
		return told(OK, "name the app that signs people in to Databricks with --okta-app ID, so that its users are read too", "%s apps seen", number(n.Live))
	}
	if err := f.client.HasApp(ctx, x.Stated.OktaApp); okta.Status(err) == http.StatusNotFound {
		return told(Fail, "give --okta-app the id that stands in the address of the app's page in the admin console (0oa…)",
			"%s apps seen, but there is no app %q", number(n.Live), x.Stated.OktaApp)
	} else if err != nil {
		return told(Fail, "run again; if it stays so, check the role of the app that signs in", "the users of the app %s can't be listed: %v", x.Stated.OktaApp, err)
	}
	return good("%s apps seen", number(n.Live))
}

func oktaLimits(_ context.Context, x *exam) outcome {
	var texts []string
	short := false
	for _, b := range []struct {
		of     string
		known  bool
		budget okta.Budget
	}{
		{"users", x.org.usersKnown, x.org.users.Budget},
		{"groups", x.org.groupsKnown, x.org.groups.Budget},
		{"members", x.Members, x.org.members},
		{"apps", x.org.appsKnown, x.org.apps.Budget},
	} {
		if !b.known || b.budget.Limit == 0 {
			continue
		}
		texts = append(texts, fmt.Sprintf("%s %d a minute, %d left", b.of, b.budget.Limit, b.budget.Left))
		short = short || b.budget.Limit < 100 && b.of != "apps" || b.budget.Left < b.budget.Limit/2
	}
	if len(texts) == 0 {
		return notChecked("Okta's answers do not tell of a limit")
	}
	found := fmt.Sprintf("%s; %d %% is left to others", strings.Join(texts, "; "), x.OktaConfig.Reserve)
	if short {
		return told(Warn, "read when others don't, or raise the app's share of the limits (Reports > Rate Limits, and the app's Application rate limits tab)", "%s: little", found)
	}
	return good("%s", found)
}

// brief is Okta's own word in an error.
func brief(err error) string {
	if reason := okta.Reason(err); reason != "" {
		return reason
	}
	return err.Error()
}

// number returns n as people read it: 1,048,576.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
