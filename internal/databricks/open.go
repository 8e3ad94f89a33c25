package databricks

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/logger"
)

// A Config says which account to read, how to sign in and how fast to ask.
type Config struct {
	Host      string // account console, such as https://accounts.cloud.databricks.com
	AccountID string // a UUID
	Profile   string // of ~/.databrickscfg

	// Of what is blank here and above, the SDK finds what it can: its
	// environment variables, the profile, other ways to sign in.
	ClientID, ClientSecret string // of a service principal that is an account admin
	Token                  string // instead of these

	SCIMVersion string // "2.1", the default, or "2.0"

	// Requests a second for single objects, for pages of lists and for
	// changes; 0: 20, 4 and 2, the limits that Databricks is known to have.
	ReadRate, ListRate, WriteRate float64

	// Write permits [Client.Set]. Without it no request can leave that changes anything.
	Write bool

	// Preflight permits what the methods in probe.go ask, and lets [Open] pass a
	// token that may be no good.
	Preflight bool

	UserAgent string            // put before the SDK's own, such as "aimcheck/1.0"
	Transport http.RoundTripper // below everything; nil: transport.Base
	Waiting   func(reason string)
	Now       func() time.Time // nil: time.Now
}

// A Client reads one account. It is safe for concurrent use.
type Client struct {
	config   Config
	host     *url.URL
	rules    transport.Rules
	api      http.RoundTripper // for everything but signing in
	door     http.RoundTripper // for signing in
	pace     *transport.Pacer  // of api
	turns    atomic.Int64      // to write, taken and not used
	requests atomic.Int64
	started  time.Time

	mu      sync.Mutex
	session *session
}

// A SettingsError is a mistake in a [Config], or in what the SDK found for it,
// that was noticed before anything was sent.
type SettingsError struct{ wrong string }

// Error implements error.
func (e *SettingsError) Error() string { return e.wrong }

func wrong(format string, args ...any) error { return &SettingsError{fmt.Sprintf(format, args...)} }

// Open signs in. Its error, which may be a [*SettingsError], is one message
// that says what to change; it comes within half a minute, and at once when ctx
// is done.
func Open(ctx context.Context, c Config) (*Client, error) {
	silence()
	c.SCIMVersion = cmp.Or(c.SCIMVersion, "2.1")
	if c.SCIMVersion != "2.1" && c.SCIMVersion != "2.0" {
		return nil, wrong("the SCIM version of Databricks is 2.1 or 2.0, not %q", c.SCIMVersion)
	}
	c.ReadRate, c.ListRate, c.WriteRate = cmp.Or(c.ReadRate, 20), cmp.Or(c.ListRate, 4), cmp.Or(c.WriteRate, 2)
	if min(c.ReadRate, c.ListRate, c.WriteRate) < 0 {
		return nil, wrong("the rates for Databricks must be above 0")
	}
	if c.Transport == nil {
		c.Transport = transport.Base()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	found, host, err := find(c)
	if err != nil {
		return nil, err
	}
	c.Host, c.AccountID = host.String(), found.AccountID

	client := &Client{config: c, host: host, started: c.Now()}
	client.rules = permitted(host.Host, c.AccountID, c.SCIMVersion, c.Write)
	if c.Preflight {
		client.rules = append(client.rules, preflight(host.Host, c.AccountID)...)
	}
	client.build()
	ctx, cancel := client.withSignInLimit(ctx)
	defer cancel()
	if client.session, err = client.signIn(ctx, found.AuthType); err != nil {
		return nil, err
	}
	if !client.session.proven() && !c.Preflight {
		if _, err := client.get(ctx, client.scim(users), map[string]any{"attributes": "id", "count": 1}, nil); err != nil {
			return nil, err
		}
	}
	return client, nil
}

// find returns what the SDK makes of c, its environment and its profile,
// without a request, and the host.
func find(c Config) (*config.Config, *url.URL, error) {
	if c.Host != "" {
		// The SDK would drop a path and let plain http pass.
		if _, err := transport.CheckURL(c.Host); err != nil {
			return nil, nil, wrong("Databricks host: %v", err)
		}
	}
	found := c.sdk("")
	err := found.EnsureResolved()
	if err != nil && strings.Contains(err.Error(), "more than one authorization method") {
		// A client and its secret are what an audit is meant to run with.
		found = c.sdk("oauth-m2m")
		if err = found.EnsureResolved(); err == nil && found.ClientSecret == "" {
			found.AuthType = "pat"
		}
	}
	if err != nil {
		return nil, nil, wrong("Databricks settings: %s", plain(err))
	}
	if found.Profile != "" {
		// The SDK passes over a missing file even if a profile of it is named.
		if _, err := config.LoadFile(found.ConfigFile); err != nil {
			return nil, nil, wrong("the profile %q of Databricks can't be read: %s", found.Profile, plain(err))
		}
	}
	if found.AuthType == "" {
		switch {
		case found.ClientID != "" && found.ClientSecret != "":
			found.AuthType = "oauth-m2m"
		case found.Token != "":
			found.AuthType = "pat"
		}
	}
	if found.AuthType == "oauth-m2m" && (found.ClientID == "" || found.ClientSecret == "") {
		return nil, nil, wrong("to sign in to Databricks set both DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET; one is blank")
	}
	if found.Host == "" {
		return nil, nil, wrong("no Databricks host: set --databricks-host or DATABRICKS_HOST to the account console, " +
			"such as https://accounts.cloud.databricks.com")
	}
	host, err := transport.CheckURL(found.Host)
	if err != nil {
		return nil, nil, wrong("Databricks host: %v", err)
	}
	if !accountID.MatchString(found.AccountID) {
		return nil, nil, wrong("the Databricks account id %q is not one: set --databricks-account-id or DATABRICKS_ACCOUNT_ID "+
			"to what the account console shows, such as 01234567-89ab-cdef-0123-456789abcdef", found.AccountID)
	}
	return found, host, nil
}

var accountID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// sdk returns the SDK's configuration of c, which knows nothing of the network yet.
func (c Config) sdk(authType string) *config.Config {
	return &config.Config{
		Host: c.Host, AccountID: c.AccountID, Profile: c.Profile, AuthType: authType,
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, Token: c.Token,
		HostMetadataResolver: func(context.Context, string) (*config.HostMetadata, error) { return nil, nil },
	}
}

// silence turns the SDK's log off: it prints user names, and whole answers to
// standard error.
var silence = sync.OnceFunc(func() {
	logger.DefaultLogger = &logger.SimpleLogger{Level: logger.LevelError + 1}
})

// Source says what was read and what it took so far.
func (c *Client) Source() audit.Source {
	s := c.current()
	source := audit.Source{
		Tenant:   c.config.AccountID,
		Started:  c.started,
		Finished: c.config.Now(),
		Requests: int(c.requests.Load()),
		Caller:   s.caller(),
	}
	if source.Caller == "" {
		source.Notes = append(source.Notes, fmt.Sprintf("Databricks was read with a sign-in of the kind %s, which does not say whose it is: "+
			"name the owner of the SCIM token with --scim-token-owner", s.config.AuthType))
	}
	return source
}
