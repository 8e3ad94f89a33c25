// Package okta reads an Okta org through Okta's own SDK: sign-in, requests, the
// pages of every listing. It is the only room that knows the SDK.
//
// The SDK signs in and sends; what it would do badly never reaches it. Under it
// stand a page keeper, which takes each page's bytes for our own decoder and
// hands the SDK an empty list, and the decorators of package transport. Its
// configuration is built by hand, so that no environment variable or file of
// the SDK's can change it.
package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
	sdk "github.com/okta/okta-sdk-golang/v5/okta"
)

// attemptLimit is the longest that one attempt of one request may take.
const attemptLimit = 60 * time.Second

// Config says which org to read, and as whom. Sign-in is with a private key and
// a client id or, if PrivateKey is blank, with an API token.
type Config struct {
	OrgURL       string // https://acme.okta.com
	ClientID     string
	PrivateKey   string // PEM (PKCS#1, PKCS#8, SEC 1) or JWK: the text, not a path
	PrivateKeyID string // kid; blank takes the JWK's, or sends none
	Token        string // API token (SSWS)
	UserAgent    string // added to the SDK's own

	Scopes  []string // asked for with a private key; nil: okta.users.read and okta.groups.read
	Reserve int      // per cent of each rate limit that is left to the org's other clients

	Transport http.RoundTripper   // carries the requests; nil: [transport.Base]
	Waiting   func(reason string) // told before every wait; nil: nobody
	Now       func() time.Time    // this computer's clock; nil: [time.Now]
}

// A Client reads one org. It is safe for concurrent use.
type Client struct {
	org      *url.URL
	caller   string
	sdk      *sdk.APIClient
	clock    *clock
	pace     *transport.Pacer
	columns  columns
	requests atomic.Int64
	dpop     atomic.Bool // Okta demanded it

	mu    sync.Mutex
	notes []string
}

// rules lists every request that is ever sent.
func rules(host string) transport.Rules {
	return transport.Rules{
		{Method: "POST", Host: host, Path: tokenPath},
		{Method: "GET", Host: host, Path: "/api/v1/users"},
		{Method: "GET", Host: host, Path: "/api/v1/groups"},
		{Method: "GET", Host: host, Path: "/api/v1/groups/{id}/users"},
		{Method: "GET", Host: host, Path: "/api/v1/apps"},
		{Method: "GET", Host: host, Path: "/api/v1/apps/{id}/users"},
	}
}

// Open checks the org's URL and the key, and signs in; with an API token, it
// asks for one user to see that the token is good. The error says what to change.
func Open(ctx context.Context, c Config) (*Client, error) {
	org, err := checkOrg(c.OrgURL)
	if err != nil {
		return nil, err
	}
	if c.Transport == nil {
		c.Transport = transport.Base()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Scopes == nil {
		c.Scopes = []string{"okta.users.read", "okta.groups.read"}
	}
	client := &Client{org: org, clock: &clock{now: c.Now}}
	cfg := &sdk.Configuration{
		Host:           org.Host, // with its port
		Scheme:         org.Scheme,
		DefaultHeader:  map[string]string{},
		Servers:        sdk.ServerConfigurations{{URL: org.String()}},
		UserAgentExtra: c.UserAgent,
		Context:        context.Background(),
	}
	cfg.Okta.Client.OrgUrl = org.String()

	limits := rules(org.Host)
	bucket := func(r *http.Request) string {
		rule, _ := limits.Match(r)
		return rule.Path
	}
	wire := transport.Count(transport.Whole(c.Transport, attemptLimit), &client.requests)
	wire = client.clock.watch(countFor(wire))
	client.pace = transport.Pace{Who: "Okta", Bucket: bucket, Reserve: c.Reserve, Waiting: c.Waiting}.Over(wire)
	wire = client.pace
	wire = transport.Permit(wire, limits)

	retry := transport.Retry{Who: "Okta", Waiting: c.Waiting}
	switch {
	case c.PrivateKey != "":
		in, err := newSignIn(c, org, client, wire)
		if err != nil {
			return nil, err
		}
		if err := in.first(ctx, retry); err != nil {
			return nil, fmt.Errorf("sign in to %s: %w", org, err)
		}
		wire = in.over(wire)
		client.caller = c.ClientID
		cfg.Okta.Client.AuthorizationMode = "Bearer" // a placeholder: signIn puts the real one
	case c.Token != "":
		if strings.ContainsAny(c.Token, " \t\r\n") {
			return nil, errors.New("the Okta API token holds white space: copy it again, without \"SSWS\"")
		}
		wire = thrice(wire)
		cfg.Okta.Client.AuthorizationMode = "SSWS"
		cfg.Okta.Client.Token = c.Token
	default:
		return nil, errors.New("no Okta credentials: set OKTA_CLIENT_CLIENTID and OKTA_CLIENT_PRIVATEKEY, or OKTA_CLIENT_TOKEN")
	}
	cfg.HTTPClient = &http.Client{Transport: client.keepPage(retry.Over(wire))}
	client.sdk = sdk.NewAPIClient(cfg)
	if c.PrivateKey == "" {
		if _, err := client.get(ctx, client.users, "limit=1"); err != nil {
			return nil, fmt.Errorf("sign in to %s: %w", org, err)
		}
	}
	return client, nil
}

// checkOrg parses the org's URL.
func checkOrg(raw string) (*url.URL, error) {
	u, err := transport.CheckURL(raw)
	if err != nil {
		return nil, fmt.Errorf("okta org URL: %w", err)
	}
	for _, domain := range []string{".okta.com", ".oktapreview.com", ".okta-emea.com"} {
		if name, ok := strings.CutSuffix(u.Host, "-admin"+domain); ok {
			return nil, fmt.Errorf("okta org URL: %s is the admin console: write https://%s%s", u, name, domain)
		}
	}
	return u, nil
}

// Time returns the earliest time that it may be for Okta.
func (c *Client) Time() time.Time { return c.clock.earliest() }

// Source says which org was read, as whom, with how many requests so far, and
// what the reader should know. The times are the caller's.
func (c *Client) Source() audit.Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	return audit.Source{
		Tenant:   c.org.String(),
		Requests: int(c.requests.Load()),
		Caller:   c.caller,
		Notes:    slices.Clone(c.notes),
	}
}

// note adds something that the reader should know, once.
func (c *Client) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// counterKey is the context key of the *atomic.Int64 that counts the requests
// of one listing.
type counterKey struct{}

func countFor(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if n, ok := r.Context().Value(counterKey{}).(*atomic.Int64); ok {
			n.Add(1)
		}
		return next.RoundTrip(r)
	})
}

// thrice asks up to three times where an API token is refused: one refusal among
// other answers says nothing of the token.
func thrice(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (resp *http.Response, err error) {
		for range 3 {
			if resp, err = next.RoundTrip(r); err != nil || resp.StatusCode != http.StatusUnauthorized {
				break
			}
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
