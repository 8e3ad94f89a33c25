package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
	"github.com/databricks/databricks-sdk-go/config"
	"github.com/go-json-experiment/json"
)

// This file asks what a preflight wants to know, and reads no listing whole.

const wellKnownPath = "/.well-known/databricks-config"

// reachLimit is the longest that a host may take to say that it is there.
const reachLimit = 8 * time.Second

// A Host is what a host tells everybody of itself.
type Host struct {
	Kind      HostKind
	AccountID string        // of a unified or workspace host, where it tells
	Ahead     time.Duration // how far its clock is ahead of ours
	Timed     bool          // whether it told the time
}

// A HostKind is what a host serves.
type HostKind string

// The kinds of host.
const (
	AccountHost   HostKind = "account"
	WorkspaceHost HostKind = "workspace"
	UnifiedHost   HostKind = "unified" // account and workspaces
	UnknownHost   HostKind = ""
)

// Reach asks what the host is, without signing in. A host that answers without
// saying it is judged by its name.
func Reach(ctx context.Context, c Config) (Host, error) {
	u, err := transport.CheckURL(c.Host)
	if err != nil {
		return Host{}, wrong("Databricks host: %v", err)
	}
	wire := c.Transport
	if wire == nil {
		wire = transport.Base()
	}
	now := c.Now
	if now == nil {
		now = time.Now
	}
	wire = transport.Permit(transport.Whole(wire, reachLimit), transport.Rules{{Method: http.MethodGet, Host: u.Host, Path: wellKnownPath}})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String()+wellKnownPath, nil)
	if err != nil {
		return Host{}, err
	}
	resp, err := transport.Retry{Who: "Databricks", Attempts: 2, Wait: time.Second}.Over(wire).RoundTrip(r)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return Host{}, cause
	}
	if err != nil {
		return Host{}, transport.Unreached(u.Host, err)
	}
	h := Host{Kind: kindByName(u.Hostname())}
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		h.Ahead, h.Timed = t.Sub(now()), true
	}
	var told config.HostMetadata
	if resp.StatusCode != http.StatusOK || json.UnmarshalRead(resp.Body, &told, lenient) != nil {
		return h, nil // not every host tells
	}
	switch told.HostType {
	case config.AccountHost:
		h.Kind = AccountHost
	case config.WorkspaceHost:
		h.Kind = WorkspaceHost
	case config.UnifiedHost:
		h.Kind = UnifiedHost
	}
	if accountID.MatchString(told.AccountID) {
		h.AccountID = told.AccountID
	}
	return h, nil
}

func kindByName(host string) HostKind {
	switch {
	case strings.HasPrefix(host, "accounts.") || strings.HasPrefix(host, "accounts-dod."):
		return AccountHost
	case strings.HasPrefix(host, "adb-") || strings.HasPrefix(host, "dbc-"):
		return WorkspaceHost
	}
	return UnknownHost
}

// AccountConsole returns the address of the account console of the cloud that
// the host is of.
func AccountConsole(host string) string {
	for _, cloud := range []struct{ domain, console string }{
		{".gcp.databricks.com", "accounts.gcp.databricks.com"},
		{".azuredatabricks.net", "accounts.azuredatabricks.net"},
		{".databricks.azure.us", "accounts.databricks.azure.us"},
		{".databricks.azure.cn", "accounts.databricks.azure.cn"},
		{".cloud.databricks.us", "accounts.cloud.databricks.us"},
		{".cloud.databricks.mil", "accounts-dod.cloud.databricks.us"},
	} {
		if strings.HasSuffix(host, cloud.domain) {
			return "https://" + cloud.console
		}
	}
	return "https://accounts.cloud.databricks.com"
}

// Caller returns the applicationId of the service principal that signed in, or
// the kind of sign-in where that does not say whose it is.
func (c *Client) Caller() (applicationID, signIn string) {
	s := c.current()
	return s.caller(), s.config.AuthType
}

// Status returns the HTTP status of the answer that err reports, or 0.
func Status(err error) int { return statusOf(err) }

// SignInRefused reports whether err says that the credentials were looked at and
// found wrong.
func SignInRefused(err error) bool { return errors.Is(err, errRefused) }

// Reason returns what Databricks itself said, if err is an answer of its, or all
// that err says.
func Reason(err error) string {
	if answer, ok := errors.AsType[*answerError](err); ok {
		return strings.TrimSpace(fmt.Sprintf("%d %s", answer.status, answer.said))
	}
	if refused, ok := errors.AsType[refusedError](err); ok {
		return refused.said
	}
	return err.Error()
}

// SCIMVersions lists the versions that there are, what is asked first by default first.
func SCIMVersions() []string { return []string{"2.1", "2.0"} }

// Total returns how many users, groups or service principals the account has by
// that version of SCIM, and how long the answer took.
func (c *Client) Total(ctx context.Context, in audit.Input, version string) (total int, took time.Duration, err error) {
	start := time.Now()
	p, err := c.scimPage(ctx, kindOf(in), version, map[string]any{"count": 1, "attributes": "id"})
	if err != nil {
		return 0, 0, err
	}
	if p.total == absent {
		return 0, 0, errors.New("the listing does not say how many there are (totalResults)")
	}
	return p.total, time.Since(start), nil
}

// Named returns the user of that userName, or the service principal of that
// applicationId, as record; nil if the account lists none.
func (c *Client) Named(ctx context.Context, in audit.Input, version, name string) (record any, err error) {
	k := kindOf(in)
	p, err := c.scimPage(ctx, k, version, map[string]any{
		"filter": k.name + " eq " + strconv.Quote(name), "count": pageWish, "attributes": k.attributes,
	})
	if err != nil {
		return nil, err
	}
	for _, raw := range p.objects { // a filter may be ignored
		switch r := k.object(raw).records[0].(type) {
		case audit.DatabricksUser:
			if strings.EqualFold(r.UserName, name) {
				return r, nil
			}
		case audit.DatabricksServicePrincipal:
			if strings.EqualFold(r.ApplicationID, name) {
				return r, nil
			}
		}
	}
	return nil, nil
}

// IAMv2 returns nil if the account has the API IAM v2. It asks for one user of
// a list, and for nothing that could create one.
func (c *Client) IAMv2(ctx context.Context) error {
	_, err := c.get(ctx, iamUsers(c.config.AccountID), map[string]any{"page_size": 1}, nil)
	return err
}

func (c *Client) scimPage(ctx context.Context, k kind, version string, query map[string]any) (page, error) {
	body, err := c.get(ctx, "/api/"+version+"/accounts/"+c.config.AccountID+"/scim/v2/"+k.resource, query, nil)
	if err != nil {
		return page{}, err
	}
	return readPage(body)
}

func kindOf(in audit.Input) kind {
	switch in {
	case audit.DatabricksGroups:
		return groups
	case audit.DatabricksServicePrincipals:
		return servicePrincipals
	}
	return users
}

// preflight lists what a preflight asks besides what is read.
func preflight(host, account string) (rules transport.Rules) {
	for _, version := range SCIMVersions() {
		for _, k := range []kind{users, groups, servicePrincipals} {
			path := fmt.Sprintf("/api/%s/accounts/%s/scim/v2/%s", version, account, k.resource)
			rules = append(rules, transport.Rule{Method: http.MethodGet, Path: path, Host: host})
		}
	}
	return append(rules, transport.Rule{Method: http.MethodGet, Path: iamUsers(account), Host: host})
}

func iamUsers(account string) string { return "/api/2.0/identity/accounts/" + account + "/users" }

// Pages returns how many requests a SCIM listing of so many objects takes: each
// page but the first begins with the last row of the one before, and one that is
// full is followed by another.
func Pages(objects int) int { return max(1, (objects+pageWish-2)/(pageWish-1)) + 1 }
