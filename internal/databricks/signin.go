package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/databricks/databricks-sdk-go/client"
	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/httpclient"
	"github.com/go-json-experiment/json"
)

// A session is a sign-in and the SDK's client that uses it. The SDK gets a new
// token before the old one expires, but never drops one that the directory
// refuses: for that a session is replaced as a whole.
type session struct {
	config *config.Config
	api    *client.DatabricksClient
	last   *witness
}

// A signInError is a failure to get a token rather than an answer.
type signInError struct{ error }

// proven reports whether signing in was an exchange with Databricks, rather
// than finding a token that may be no good.
func (s *session) proven() bool { return s.config.AuthType == "oauth-m2m" }

// caller returns the applicationId of the service principal that signed in.
func (s *session) caller() string {
	switch s.config.AuthType {
	case "oauth-m2m":
		return s.config.ClientID
	case "azure-client-secret":
		return s.config.AzureClientID
	}
	return ""
}

// current returns the session to use.
func (c *Client) current() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// renew replaces the session old, unless that has been done already.
func (c *Client) renew(ctx context.Context, old *session) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != old {
		return nil
	}
	s, err := c.signIn(ctx, old.config.AuthType)
	if err == nil {
		c.session = s
	}
	return err
}

// signInLimit bounds signing in: what takes longer is not there.
const signInLimit = 30 * time.Second

// withSignInLimit returns ctx with that limit.
func (c *Client) withSignInLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, signInLimit, fmt.Errorf(
		"%s did not complete the sign-in within %v: check the host, the network and HTTPS_PROXY", c.host, signInLimit))
}

// signIn makes a session. Where a host's sign-in is, the SDK asks the host;
// where that leads nowhere, the place is tried that every account had before
// hosts could be asked.
func (c *Client) signIn(ctx context.Context, authType string) (*session, error) {
	ctx, cancel := c.withSignInLimit(ctx)
	defer cancel()
	last := newWitness(c.door)
	s, err := c.trySignIn(ctx, authType, last, config.HostTypeUnknown)
	if err != nil && ctx.Err() == nil && !last.refused() {
		s, err = c.trySignIn(ctx, authType, last, config.AccountHost)
	}
	if err != nil {
		last.abort(context.Canceled) // what was given up may still be asking
		return nil, c.explainSignIn(ctx, authType, last, err)
	}
	return s, nil
}

func (c *Client) trySignIn(ctx context.Context, authType string, last *witness, assumed config.HostType) (*session, error) {
	cfg := c.config.sdk(authType)
	cfg.HTTPTransport = last
	cfg.HostMetadataResolver = func(_ context.Context, host string) (*config.HostMetadata, error) {
		if assumed != config.HostTypeUnknown {
			return &config.HostMetadata{HostType: assumed}, nil
		}
		if strings.HasPrefix(host, "https://accounts.") || strings.HasPrefix(host, "https://accounts-dod.") {
			return nil, nil // the SDK knows these
		}
		// Not asked with the SDK's own context, which never ends.
		meta, err := cfg.DefaultHostMetadataResolver()(ctx, host)
		if err != nil {
			return nil, nil // the SDK goes on without, too
		}
		return meta, nil
	}
	// Waiting, repeating and holding back are what our transport does.
	cfg.RetryTimeoutSeconds = 1
	cfg.HTTPTimeoutSeconds = int((24 * time.Hour).Seconds())
	cfg.RateLimitPerSecond = 1 << 20

	s := &session{config: cfg, last: last}
	err := last.within(ctx, func() error {
		settings, err := config.HTTPClientConfigFromConfig(cfg)
		if err != nil {
			return err
		}
		settings.Transport = c.api
		settings.TransientErrors = nil
		settings.ErrorRetriable = func(context.Context, error) bool { return false }
		settings.AuthVisitor = s.authenticate
		if s.api, err = client.NewWithClient(cfg, httpclient.NewApiClient(settings)); err != nil {
			return err
		}
		return cfg.Authenticate(&http.Request{Header: http.Header{}})
	})
	return s, err
}

// authenticate adds the token to r. The SDK may have to get a new one first.
func (s *session) authenticate(r *http.Request) error {
	signed := r.Clone(r.Context())
	if err := s.last.within(r.Context(), func() error { return s.config.Authenticate(signed) }); err != nil {
		return signInError{err}
	}
	r.Header = signed.Header
	return nil
}

// A witness stands between the SDK's sign-in and the network. It keeps the last
// answer, which the SDK's errors don't tell, and ends what the SDK asks for
// without its caller's context.
type witness struct {
	next http.RoundTripper

	mu     sync.Mutex
	asking context.Context // of the requests under way
	stop   context.CancelCauseFunc
	method string
	status int    // 0 if there was no answer
	detail string // what the answer says, in a line
	err    error  // why there was no answer
}

func newWitness(next http.RoundTripper) *witness {
	w := &witness{next: next}
	w.asking, w.stop = context.WithCancelCause(context.Background())
	return w
}

// abort ends the requests under way and all that follow.
func (w *witness) abort(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(cause)
}

// within returns what f does, or why ctx is done if that comes first. Requests
// that f made are then ended.
func (w *witness) within(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		w.abort(context.Cause(ctx))
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asking, w.stop = context.WithCancelCause(context.Background())
		return context.Cause(ctx)
	}
}

// RoundTrip implements [http.RoundTripper].
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	asking := w.asking
	w.mu.Unlock()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(asking, func() { cancel(context.Cause(asking)) })()

	resp, err := w.next.RoundTrip(r.WithContext(ctx)) // with its whole body
	w.mu.Lock()
	defer w.mu.Unlock()
	w.method, w.status, w.detail, w.err = r.Method, 0, "", err
	if err == nil {
		body, readErr := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(body))
		if readErr == nil && resp.StatusCode/100 != 2 {
			w.detail = complaint(body)
		}
		w.status = resp.StatusCode
	}
	return resp, err
}

// refused reports whether credentials were looked at and found wrong.
func (w *witness) refused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.method == http.MethodPost && (w.status == 400 || w.status == 401 || w.status == 403)
}

// complaint returns what an error answer says, in one short line.
func complaint(body []byte) string {
	var answer struct {
		Error       text `json:"error"`
		Description text `json:"error_description"`
		Message     text `json:"message"`
		Detail      text `json:"detail"` // SCIM
	}
	if err := json.Unmarshal(body, &answer, lenient); err != nil {
		return ""
	}
	var parts []string
	for _, s := range []text{answer.Error, answer.Description, answer.Message, answer.Detail} {
		if s != "" {
			parts = append(parts, string(s))
		}
	}
	return short(strings.Join(parts, ": "))
}

// explainSignIn makes one message of a failed sign-in.
func (c *Client) explainSignIn(ctx context.Context, authType string, last *witness, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	last.mu.Lock()
	defer last.mu.Unlock()
	var said string
	if last.detail != "" {
		said = " (" + last.detail + ")"
	}
	switch {
	case errors.Is(err, config.ErrCannotConfigureDefault):
		return wrong("%s", "no sign-in to Databricks was found: set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET to those of a service principal "+
			"that is an account admin, or name a profile of ~/.databrickscfg with --databricks-profile")
	case last.err != nil:
		return c.hide(fmt.Sprintf("%s can't be signed in to: %v: check the host, the network and HTTPS_PROXY", c.host, last.err))
	case last.status == 400 || last.status == 401 || last.status == 403:
		return refusedError{fmt.Sprintf("%d%s", last.status, c.hide(said)), c.hide(fmt.Sprintf("Databricks refused the sign-in with %d%s: check that client id and secret belong together, "+
			"that the secret has not expired, and that the service principal is of account %s", last.status, said, c.config.AccountID))}
	case last.status == 404 || last.status == 405:
		return c.hide(fmt.Sprintf("%s has no sign-in for account %s (status %d): check that the host is the account console, "+
			"not a workspace, and the account id", c.host, c.config.AccountID, last.status))
	case last.status/100 != 2 && last.status != 0:
		return c.hide(fmt.Sprintf("%s answered the sign-in with status %d%s: try again later", c.host, last.status, said))
	case last.method == http.MethodPost: // what came is whole, and JSON
		return c.hide(fmt.Sprintf("%s answered the sign-in with status %d and no token (%s): check that the host is the account console, "+
			"and that no proxy or sign-in page stands before it", c.host, last.status, plain(err)))
	}
	return c.hide(fmt.Sprintf("the sign-in to Databricks (%s) failed: %s", authType, plain(err)))
}

// errRefused is what a [refusedError] is.
var errRefused = errors.New("refused")

// A refusedError says that the credentials were looked at and found wrong.
type refusedError struct {
	said string // what Databricks itself said
	error
}

func (e refusedError) Is(target error) bool { return target == errRefused }

// hide makes an error of s in which no secret stands.
func (c *Client) hide(s string) error {
	for _, secret := range []string{c.config.ClientSecret, c.config.Token} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "***")
		}
	}
	return errors.New(s)
}
