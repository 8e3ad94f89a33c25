package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/databricks"
)

// A databricksFacts is what was learnt of the account.
type databricksFacts struct {
	host    databricks.Host
	client  *databricks.Client
	sent    int
	version string            // of SCIM, the first that answers; blank: none
	asked   map[string]answer // by version of SCIM: for the number of users

	totals     map[audit.Input]int
	took       time.Duration
	workspaces []audit.DatabricksWorkspace
	listed     bool // whether workspaces are known
}

type answer struct {
	total int
	took  time.Duration
	err   error
}

func databricksChecks() []check {
	const about = "databricks"
	return []check{
		{"databricks-host", about, "users, groups and service principals of the account are served by the account console's host, not by a workspace's", nil, databricksHost},
		{"databricks-sign-in", about, "the account is read as this service principal", []string{"databricks-host"}, databricksSignIn},
		{"databricks-account", about, "nobody but an account admin can list an account, or switch AIM on", []string{"databricks-sign-in"}, databricksAccount},
		{"databricks-scim", about, "versions differ in page size and in which tokens they take", []string{"databricks-account"}, databricksSCIM},
		{"databricks-iam-v2", about, "it comes with the new identity management that AIM is part of, which is a private preview", []string{"databricks-sign-in"}, databricksIAMv2},
		{"databricks-workspaces", about, "access that people have is in workspaces", []string{"databricks-sign-in"}, databricksWorkspaces},
		{"databricks-federation", about, "where identity federation is off, a workspace has users and groups of its own, which AIM does not reach", []string{"databricks-workspaces"}, databricksFederation},
		{"databricks-caller", about, "what Okta manages can be removed by Okta: then this sign-in dies", []string{"databricks-account"}, databricksCaller},
	}
}

func databricksHost(ctx context.Context, x *exam) outcome {
	c := x.DatabricksConfig
	if c.Host == "" {
		return notChecked("no host that can be used is given")
	}
	name := c.Host
	if u, err := url.Parse(c.Host); err == nil {
		name = u.Hostname()
	}
	for _, domain := range []string{".okta.com", ".oktapreview.com", ".okta-emea.com"} {
		if strings.HasSuffix(strings.ToLower(name), domain) {
			return told(Fail, "give the account console: --databricks-host "+databricks.AccountConsole(name), "%s is an Okta org", c.Host)
		}
	}
	h, err := databricks.Reach(ctx, c)
	x.acct.sent++
	x.acct.host = h
	console := databricks.AccountConsole(name)
	switch {
	case err != nil:
		return told(Fail, "check the address for slips ("+console+"?), then the network, HTTPS_PROXY and whether a proxy puts its own certificate in place (SSL_CERT_FILE)", "%v", err)
	case h.Kind == databricks.WorkspaceHost:
		return told(Fail, "give the account console: --databricks-host "+console, "%s is a workspace", c.Host)
	case h.AccountID != "" && c.AccountID != "" && !strings.EqualFold(h.AccountID, c.AccountID):
		return told(Fail, "give --databricks-account-id "+h.AccountID+", or the host of the other account", "%s serves the account %s, and %s is given", c.Host, h.AccountID, c.AccountID)
	case h.Kind == databricks.UnifiedHost:
		return good("%s serves the account and its workspaces", c.Host)
	case h.Kind == databricks.UnknownHost:
		return told(OK, "if the account can't be listed, give the account console: "+console, "%s answers, and does not say whether it is an account console", c.Host)
	}
	return good("%s is an account console", c.Host)
}

func databricksSignIn(ctx context.Context, x *exam) outcome {
	c := x.DatabricksConfig
	c.Preflight = true
	if c.AccountID == "" {
		return notChecked("no account id that can be used is given: see databricks-settings")
	}
	client, err := databricks.Open(ctx, c)
	var settings *databricks.SettingsError
	switch {
	case errors.As(err, &settings):
		return told(Fail, "set DATABRICKS_CLIENT_ID to the application id of a service principal of the account and DATABRICKS_CLIENT_SECRET to an OAuth secret of it", "%v", err)
	case databricks.SignInRefused(err):
		return told(Fail, "check three things, which look the same from outside: that the secret is whole and has not expired, that DATABRICKS_CLIENT_ID is the application id "+
			"of the service principal it was made for, and that DATABRICKS_ACCOUNT_ID is the account of that service principal", "Databricks refuses the sign-in: %s", databricks.Reason(err))
	case err != nil:
		return told(Fail, "check the host, the account id and the network", "%v", err)
	}
	x.acct.client = client
	if id, kind := client.Caller(); id == "" {
		return good("a sign-in of the kind %s is found; whether it is any good, databricks-account tells", kind)
	}
	return good("Databricks gives the service principal a token")
}

func databricksAccount(ctx context.Context, x *exam) outcome {
	f := &x.acct
	f.asked, f.totals = map[string]answer{}, map[audit.Input]int{}
	versions := databricks.SCIMVersions()
	if x.DatabricksConfig.SCIMVersion == versions[1] {
		versions[0], versions[1] = versions[1], versions[0]
	}
	denied, absent, last := 0, 0, error(nil)
	for _, v := range versions {
		total, took, err := f.client.Total(ctx, audit.DatabricksUsers, v)
		f.asked[v] = answer{total, took, err}
		switch {
		case err == nil && f.version == "":
			f.version, f.took = v, took
			f.totals[audit.DatabricksUsers] = total
		case err == nil:
		case databricks.Status(err) == http.StatusForbidden:
			denied, last = denied+1, err
		case databricks.Status(err) == http.StatusNotFound:
			absent, last = absent+1, err
		default:
			last = err
		}
	}
	defer func() { f.sent = f.client.Source().Requests + 1 }()
	switch {
	case f.version != "":
		for _, in := range []audit.Input{audit.DatabricksGroups, audit.DatabricksServicePrincipals} {
			total, _, err := f.client.Total(ctx, in, f.version)
			if err != nil {
				return told(Fail, "see that whoever signs in is account admin", "users can be listed, but not %s: %s", in, databricks.Reason(err))
			}
			f.totals[in] = total
		}
		return good("the account lists its %s users, %s groups and %s service principals", number(f.totals[audit.DatabricksUsers]),
			number(f.totals[audit.DatabricksGroups]), number(f.totals[audit.DatabricksServicePrincipals]))
	case denied > 0:
		return told(Fail, "in the account console, under User management > Service principals > the principal > Roles, switch Account admin on; "+
			"if it is on, the account id is that of another account", "whoever signs in is no account admin of %s: %s", x.DatabricksConfig.AccountID, databricks.Reason(last))
	case absent == len(versions):
		return told(Fail, "check the account id, which the account console shows beside your user name, and that the host is the account console", "the host has no account %s: %s", x.DatabricksConfig.AccountID, databricks.Reason(last))
	}
	return told(Fail, "run again; if it stays so, check the token, the host and the account id", "%v", last)
}

func databricksSCIM(_ context.Context, x *exam) outcome {
	f := &x.acct
	asked := x.DatabricksConfig.SCIMVersion
	if asked == "" {
		asked = databricks.SCIMVersions()[0]
	}
	if f.version != asked {
		return told(Fail, "give --databricks-scim "+f.version, "SCIM %s does not answer (%s), SCIM %s does", asked, databricks.Reason(f.asked[asked].err), f.version)
	}
	for v, a := range f.asked {
		if v != asked && a.err == nil {
			return good("SCIM %s answers, and %s too", asked, v)
		}
	}
	return good("SCIM %s answers", asked)
}

func databricksIAMv2(ctx context.Context, x *exam) outcome {
	err := x.acct.client.IAMv2(ctx)
	switch status := databricks.Status(err); {
	case err == nil:
		return good("IAM v2 answers")
	case status == http.StatusNotFound:
		return told(Warn, "ask your Databricks account team whether AIM is open to this account", "IAM v2 is not served: AIM may not be open to this account; this program does not need it")
	case status == http.StatusForbidden:
		return outcome{Unknown, fmt.Sprintf("whoever signs in may not ask IAM v2: %s", databricks.Reason(err)), "see databricks-account"}
	}
	return outcome{Unknown, fmt.Sprintf("IAM v2 did not say whether it is there: %v", err), ""}
}

func databricksWorkspaces(ctx context.Context, x *exam) outcome {
	f := &x.acct
	r := f.client.List(ctx, audit.Request{Input: audit.DatabricksWorkspaces}, func(p audit.Page) error {
		for _, record := range p.Records {
			if w, ok := record.(audit.DatabricksWorkspace); ok {
				f.workspaces = append(f.workspaces, w)
			}
		}
		return nil
	})
	f.sent = f.client.Source().Requests + 1
	if !r.Complete {
		return told(Fail, "see databricks-account; without workspaces the rules about them are skipped", "workspaces can't be listed: %s", r.Reason)
	}
	f.listed = true
	if len(f.workspaces) == 0 {
		return told(Warn, "if the account has workspaces, check the account id: it may be that of another account", "the account lists no workspace")
	}
	return good("%s workspaces", number(len(f.workspaces)))
}

func databricksFederation(_ context.Context, x *exam) outcome {
	if len(x.acct.workspaces) == 0 {
		return notChecked("there is no workspace: see databricks-workspaces")
	}
	var off, silent []string
	for _, w := range x.acct.workspaces {
		switch w.Federation {
		case "false":
			off = append(off, w.Name)
		case "":
			silent = append(silent, w.Name)
		}
	}
	const how = "in the account console, enable identity federation (Unity Catalog) for them, or expect sign-ins there to make users of their own"
	switch {
	case len(off) > 0:
		return told(Warn, how, "off in %d of %d workspaces: %s", len(off), len(x.acct.workspaces), few(off))
	case len(silent) > 0:
		return outcome{Unknown, fmt.Sprintf("%d of %d workspaces do not say: %s", len(silent), len(x.acct.workspaces), few(silent)), "see in the account console whether they have it"}
	}
	return good("on in all of them")
}

// few names the first of many.
func few(names []string) string {
	const most = 3
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// callerPages bounds the search for the caller where filters do not find it.
const callerPages = 1000

func databricksCaller(ctx context.Context, x *exam) outcome {
	f := &x.acct
	defer func() { f.sent = f.client.Source().Requests + 1 }()
	id, kind := f.client.Caller()
	if id == "" {
		return outcome{Ask, fmt.Sprintf("a sign-in of the kind %s does not say whose it is", kind), "say whose with --scim-token-owner NAME, or sign in as a service principal (DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET)"}
	}
	record, err := f.client.Named(ctx, audit.DatabricksServicePrincipals, f.version, id)
	if err == nil && record == nil && f.totals[audit.DatabricksServicePrincipals] <= callerPages {
		f.client.List(ctx, audit.Request{Input: audit.DatabricksServicePrincipals}, func(p audit.Page) error {
			for _, r := range p.Records {
				if sp, ok := r.(audit.DatabricksServicePrincipal); ok && strings.EqualFold(sp.ApplicationID, id) {
					record = sp
				}
			}
			return nil
		})
	}
	if err != nil {
		return outcome{Unknown, fmt.Sprintf("the caller could not be looked up: %v", err), "run again"}
	}
	sp, ok := record.(audit.DatabricksServicePrincipal)
	switch {
	case !ok:
		return outcome{Unknown, "the account lists no service principal with the application id " + id, "see in the account console whether Okta manages it"}
	case sp.ExternalID != "":
		return told(Warn, "sign in as a service principal of Databricks' own, which has no externalId", "service principal %q has the externalId %s: Okta manages it", sp.DisplayName, sp.ExternalID)
	}
	return good("service principal %q, which Okta does not manage", sp.DisplayName)
}
