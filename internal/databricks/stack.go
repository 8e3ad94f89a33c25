package databricks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aimcheck/aimcheck/internal/transport"
	"golang.org/x/time/rate"
)

// permitted lists every request that may be sent: those that sign in, reads, and,
// if write, the change of one object. What would create a principal or start a
// sync is not on it.
func permitted(host, account, version string, write bool) transport.Rules {
	var (
		scim     = "/api/" + version + "/accounts/" + account + "/scim/v2/"
		accounts = "/api/2.0/accounts/" + account + "/workspaces"
	)
	rules := signInRules(host, account)
	for _, path := range []string{
		scim + users.resource, scim + users.resource + "/{id}",
		scim + groups.resource, scim + groups.resource + "/{id}",
		scim + servicePrincipals.resource, scim + servicePrincipals.resource + "/{id}",
		accounts, accounts + "/{workspace}/permissionassignments",
		workspaceGroupsPath,
	} {
		rules = append(rules, transport.Rule{Method: http.MethodGet, Path: path, Host: host})
	}
	if !write {
		return rules
	}
	for _, k := range []kind{users, groups, servicePrincipals} {
		rules = append(rules, transport.Rule{Method: http.MethodPatch, Path: scim + k.resource + "/{id}", Host: host})
	}
	return rules
}

func signInRules(host, account string) transport.Rules {
	const entra = "login.microsoftonline.com" // for service principals of Azure
	rules := transport.Rules{
		{Method: http.MethodGet, Path: "/.well-known/databricks-config", Host: host},
		{Method: http.MethodPost, Path: "/{tenant}/oauth2/token", Host: entra},
		{Method: http.MethodPost, Path: "/{tenant}/oauth2/v2.0/token", Host: entra},
	}
	for _, root := range []string{"/oidc", "/oidc/accounts/" + account} {
		rules = append(rules,
			transport.Rule{Method: http.MethodGet, Path: root + "/.well-known/oauth-authorization-server", Host: host},
			transport.Rule{Method: http.MethodPost, Path: root + "/v1/token", Host: host})
	}
	return rules
}

// The rate limits of the account API, per class of request.
const (
	reads  = "reads"
	lists  = "lists"
	writes = "writes"
)

// class returns the limit that a request counts against.
func class(r *http.Request) string {
	path := r.URL.Path
	switch {
	case r.Method != http.MethodGet:
		return writes
	case strings.HasSuffix(path, "/workspaces"), strings.HasSuffix(path, "/permissionassignments"):
		return lists
	}
	for _, k := range []kind{users, groups, servicePrincipals} {
		if strings.HasSuffix(path, "/"+k.resource) {
			return lists
		}
	}
	return reads
}

// listLimiter lets perSecond lists through on average. Databricks counts them
// by the minute: a sixth of that may go at once, and the rest evenly, so that
// no minute ever sees more than its sixty seconds' worth.
func listLimiter(perSecond float64) *rate.Limiter {
	burst := max(1, int(perSecond*10))
	return rate.NewLimiter(rate.Limit(max(perSecond*60-float64(burst), perSecond*30)/60), burst)
}

// ListTime returns how long so many lists take at that rate, 0 being the default.
func ListTime(n int, perSecond float64) time.Duration {
	l := listLimiter(cmp.Or(perSecond, 4))
	rest := max(0, n-l.Burst())
	return time.Duration(float64(rest) / float64(l.Limit()) * float64(time.Second))
}

// writeShare is the part of the rate limit for changes that is used. Directories
// count in windows of a second: two changes exactly half a second apart may
// arrive with a third in one window.
const writeShare = 0.98

// Of signing in: what one attempt, and all of them together, may take.
const (
	doorAnswer = 15 * time.Second
	doorWait   = 20 * time.Second
)

// build stacks what stands between the SDK and the network.
func (c *Client) build() {
	pace := transport.Pace{
		Who: "Databricks", Bucket: class, Waiting: c.config.Waiting,
		Limits: map[string]*rate.Limiter{
			reads:  rate.NewLimiter(rate.Limit(c.config.ReadRate), 1),
			lists:  listLimiter(c.config.ListRate),
			writes: rate.NewLimiter(rate.Limit(c.config.WriteRate*writeShare), 1),
		},
	}
	again := transport.Retry{Who: "Databricks", Waiting: c.config.Waiting}
	c.pace = pace.Over(once{c.counted(time.Minute)})
	c.api = c.finish(again.Over(c.pace))

	again.Attempts, again.Wait = 4, doorWait
	again.Also = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") }
	c.door = c.finish(again.Over(c.counted(doorAnswer)))
}

// counted is the lower half of a stack.
func (c *Client) counted(limit time.Duration) http.RoundTripper {
	return tally{transport.Count(transport.Whole(c.config.Transport, limit), &c.requests)}
}

// finish is the upper end of a stack.
func (c *Client) finish(next http.RoundTripper) http.RoundTripper {
	return final{transport.Permit(next, c.rules), c.config.UserAgent}
}

// A tally counts the requests that are sent on behalf of a context.
type tally struct{ next http.RoundTripper }

type tallyKey struct{}

// withTally returns a context whose requests n counts.
func withTally(ctx context.Context, n *atomic.Int64) context.Context {
	return context.WithValue(ctx, tallyKey{}, n)
}

// RoundTrip implements [http.RoundTripper].
func (t tally) RoundTrip(r *http.Request) (*http.Response, error) {
	if n, ok := r.Context().Value(tallyKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	return t.next.RoundTrip(r)
}

// final hands the SDK errors that it takes as final. It repeats requests by
// words that it finds in an error, on top of our own repetition.
type final struct {
	next      http.RoundTripper
	userAgent string
}

var otherWords = strings.NewReplacer(
	"connection reset by peer", "connection reset",
	"connection refused", "nobody listens there",
	"i/o timeout", "no answer in time",
	"TLS handshake timeout", "no TLS handshake in time",
	"Unexpected error", "unexpected error",
)

// RoundTrip implements [http.RoundTripper].
func (f final) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.userAgent != "" {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", strings.TrimSpace(f.userAgent+" "+r.Header.Get("User-Agent")))
	}
	resp, err := f.next.RoundTrip(r)
	if err != nil && r.Context().Err() == nil {
		return nil, errors.New(otherWords.Replace(err.Error()))
	}
	if err == nil && resp.StatusCode/100 == 3 {
		resp.Body.Close()
		return nil, fmt.Errorf("status %d: a redirect%s, %s", resp.StatusCode, elsewhere(resp), notFollowed)
	}
	return resp, err
}

const notFollowed = "which is not followed"

// elsewhere names the host that a redirect leads to.
func elsewhere(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return ""
	}
	return " to " + to.Host
}
