package okta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/internal/transport"
	sdk "github.com/okta/okta-sdk-golang/v5/okta"
	gocache "github.com/patrickmn/go-cache"
)

const tokenPath = "/oauth2/v1/token"

// maxTokenCalls bounds the token requests of one sign-in: the SDK asks again
// for as long as Okta answers that it wants another DPoP nonce.
const maxTokenCalls = 5

// signIn puts an access token on every request: one token for all, made by the
// SDK from the private key, made anew when it expires or Okta revokes it. It
// stands under the retries, so that each attempt carries a proof of its own.
type signIn struct {
	config Config
	org    *url.URL
	client *Client
	wire   http.RoundTripper // carries the token requests
	auth   sdk.PrivateKeyAuthConfig
	turn   chan struct{} // holds one element while someone signs in; guards what follows
	byOkta bool          // assertions are made by Okta's clock: ours is wrong
	noted  bool          // that
}

// now is the clock that assertions are made by.
func (s *signIn) now() time.Time {
	if s.byOkta {
		return s.client.clock.time()
	}
	return s.config.Now()
}

func newSignIn(c Config, org *url.URL, client *Client, wire http.RoundTripper) (*signIn, error) {
	if c.ClientID == "" {
		return nil, errors.New("no Okta client id: set OKTA_CLIENT_CLIENTID to that of the API services app whose key this is")
	}
	s := &signIn{config: c, org: org, client: client, wire: wire, turn: make(chan struct{}, 1)}
	key, err := newSigner(c.PrivateKey, c.PrivateKeyID, s.now)
	if err != nil {
		return nil, err
	}
	s.auth = sdk.PrivateKeyAuthConfig{
		TokenCache:       gocache.New(gocache.NoExpiration, 0),
		PrivateKeySigner: key,
		ClientId:         c.ClientID,
		OrgURL:           org.String(),
		UserAgent:        sdk.NewUserAgent(&sdk.Configuration{UserAgentExtra: c.UserAgent}).String(),
		Scopes:           c.Scopes,
	}
	return s, nil
}

// first signs in before the first request, so that what is wrong shows early.
func (s *signIn) first(ctx context.Context, retry transport.Retry) error {
	_, err := retry.Do(ctx, "POST "+tokenPath, func() (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.org.String()+"/api/v1/users", nil)
		if err != nil {
			return nil, err
		}
		failed, err := s.authorize(r)
		if err != nil || failed != nil {
			return failed, err
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})
	return err
}

// over signs every request that goes to next.
func (s *signIn) over(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		if failed, err := s.authorize(r); err != nil || failed != nil {
			return failed, err
		}
		resp, err := next.RoundTrip(r)
		if err == nil && resp.StatusCode == http.StatusUnauthorized {
			s.drop(r)
			return nil, fmt.Errorf("the org does not accept its own access token: %w", answerError(r, resp))
		}
		return resp, err
	})
}

// authorize sets r's Authorization and, if Okta wants it, DPoP headers. A token
// request that Okta could not serve for now is returned as failed.
func (s *signIn) authorize(r *http.Request) (failed *http.Response, err error) {
	ctx := r.Context()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	failed, err = s.authorizeOnce(r)
	var refused *tokenError
	if errors.As(err, &refused) && s.client.clock.wrong() != "" {
		// The assertion was made by one clock, and there is another to try.
		s.byOkta = !s.byOkta
		first := err
		var still *tokenError
		if failed, err = s.authorizeOnce(r); errors.As(err, &still) {
			s.byOkta = !s.byOkta
			if still.fault == FaultClock {
				err = first // else with the clock put right this is what remains
			}
		}
	}
	if wrong := s.client.clock.wrong(); err == nil && failed == nil && s.byOkta && !s.noted && wrong != "" {
		s.noted = true
		s.client.note("%s; Okta's time was used to sign in", wrong)
	}
	return failed, err
}

func (s *signIn) authorizeOnce(r *http.Request) (failed *http.Response, err error) {
	call := &tokenCall{ctx: r.Context(), wire: s.wire}
	auth := s.auth
	auth.Req = r
	auth.HttpClient = &http.Client{
		Transport:     call,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r.Header.Del("Authorization")
	at := *r.URL
	at.RawQuery = ""
	err = sdk.NewPrivateKeyAuth(auth).Authorize(r.Method, at.String())
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case err == nil && kind != "" && token != "":
		if r.Header.Get("Dpop") != "" {
			// Without a nonce the SDK would leave the proof out from now on.
			if nonce, _ := auth.TokenCache.Get(sdk.DpopAccessTokenNonce); nonce == "" {
				auth.TokenCache.Set(sdk.DpopAccessTokenNonce, "none", gocache.NoExpiration)
			}
			s.client.dpop.Store(true)
			s.client.note("Okta demands DPoP of the app %s: this program can do it, but Databricks Automatic Identity Management can't: "+
				"turn off \"Require Demonstrating Proof of Possession\" in the app that it is given", s.config.ClientID)
		}
		return nil, nil
	case call.err != nil:
		return nil, call.err
	case call.status == http.StatusTooManyRequests || call.status >= 500:
		return call.answer(r), nil
	case call.status >= 300:
		s.auth.TokenCache.Flush()
		return nil, transport.Permanent(s.refused(call))
	}
	s.auth.TokenCache.Flush()
	return nil, transport.Permanent(fmt.Errorf("the answer of %s holds no access token: is this an Okta org?", s.org.String()+tokenPath))
}

// drop forgets the token that r carried, unless another took its place.
func (s *signIn) drop(r *http.Request) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-r.Context().Done():
		return
	}
	if held, _ := s.auth.TokenCache.Get(sdk.AccessTokenCacheKey); held == r.Header.Get("Authorization") {
		s.auth.TokenCache.Flush()
	}
}

// A tokenCall carries the token requests of one sign-in, and keeps what the SDK
// would lose: the context, the network's error, Okta's reason.
type tokenCall struct {
	ctx  context.Context
	wire http.RoundTripper
	sent int

	err    error // of the last request
	status int   // of the last answer
	header http.Header
	body   []byte
}

// RoundTrip implements [http.RoundTripper].
func (c *tokenCall) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.sent++; c.sent > maxTokenCalls {
		c.err = transport.Permanent(errors.New("the org asks for a new DPoP proof over and over: turn off DPoP in the app, or try again later"))
		return nil, c.err
	}
	resp, err := c.send(r)
	c.err = err
	if err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	c.status, c.header = resp.StatusCode, resp.Header
	c.body, c.err = io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(c.body))
	return resp, c.err
}

// send sends r with its present body: when the SDK signs in with DPoP it sets a
// new one, and leaves the old one's length and GetBody behind.
func (c *tokenCall) send(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	fresh, err := http.NewRequestWithContext(c.ctx, r.Method, r.URL.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	fresh.Header = r.Header.Clone()
	fresh.GetBody = nil // an assertion must not be sent twice: Okta refuses it the second time
	return c.wire.RoundTrip(fresh)
}

func (c *tokenCall) answer(r *http.Request) *http.Response {
	at := r.Clone(r.Context())
	at.Method, at.URL.Path, at.URL.RawQuery = http.MethodPost, tokenPath, ""
	return &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)), Request: at}
}

// A Fault is what Okta finds wrong when it refuses a token.
type Fault string

// The faults.
const (
	FaultOrg    Fault = "org"    // there is no token endpoint
	FaultScope  Fault = "scope"  // the app is known, its key is right, and it may not have the scope
	FaultGrant  Fault = "grant"  // the app may not sign in by itself
	FaultDPoP   Fault = "dpop"   // the proof was not accepted
	FaultClock  Fault = "clock"  // the assertion's times
	FaultKey    Fault = "key"    // the assertion's signature
	FaultClient Fault = "client" // there is no such app
	FaultOther  Fault = "other"
)

// Refusal returns what Okta found wrong, and its own words, if err is its
// refusal of a token; else both are blank.
func Refusal(err error) (Fault, string) {
	var refused *tokenError
	if errors.As(err, &refused) {
		return refused.fault, refused.reason
	}
	return "", ""
}

// A tokenError is Okta's refusal to give a token.
type tokenError struct {
	reason string // Okta's own words
	advice string // what to do
	fault  Fault
}

// Error implements error.
func (e *tokenError) Error() string { return e.advice + " (" + e.reason + ")" }

// refused makes an error of Okta's refusal that says what to do.
func (s *signIn) refused(call *tokenCall) error {
	code, text := oktaReason(call.body)
	e := &tokenError{fault: FaultOther, reason: strings.TrimSpace(fmt.Sprintf("Okta answered %d %s", call.status, join(code, text)))}
	text = strings.ToLower(code + " " + text)
	about := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	wrong := s.client.clock.wrong()
	switch {
	case call.status < 400 || call.status == http.StatusNotFound || code == "" && call.status == http.StatusForbidden:
		e.fault = FaultOrg
		e.advice = fmt.Sprintf("there is no token endpoint at %s: check the org URL", s.org)
	case about("invalid_scope"):
		e.fault = FaultScope
		e.advice = fmt.Sprintf("the app %s may not use all of the scopes %s: grant them in the admin console, under the app's Okta API Scopes",
			s.config.ClientID, strings.Join(s.config.Scopes, ", "))
	case about("unauthorized_client", "unsupported_grant_type"):
		e.fault = FaultGrant
		e.advice = fmt.Sprintf("the app %s may not sign in by itself: it must be an API Services app with the grant type client credentials", s.config.ClientID)
	case about("dpop"):
		e.fault = FaultDPoP
		e.advice = fmt.Sprintf("Okta demands DPoP of the app %s and did not accept the proof: turn off \"Require Demonstrating Proof of Possession\" in the app", s.config.ClientID)
	case about("expir", "issued", "'iat'", "'exp'", "future", "lifetime"):
		e.fault = FaultClock
		e.advice = "Okta does not accept the times of the client assertion: check this computer's clock"
		if wrong != "" {
			e.advice, wrong = wrong, ""
		}
	case about("signature", "kid", "jwk", "public key", "algorithm", "key id"):
		e.fault = FaultKey
		e.advice = fmt.Sprintf("the private key does not fit the app %s: check OKTA_CLIENT_PRIVATEKEY and OKTA_CLIENT_PRIVATEKEYID against the app's public keys", s.config.ClientID)
	case about("client_id", "client id", "clientid", "'sub'", "'iss'", "issuer", "subject"):
		e.fault = FaultClient
		e.advice = fmt.Sprintf("Okta knows no active app with the client id %q in this org: check OKTA_CLIENT_CLIENTID and the org URL", s.config.ClientID)
	case about("audience", "'aud'"):
		e.advice = fmt.Sprintf("Okta does not know itself as %s: use the org's own URL", s.org)
	default:
		e.advice = fmt.Sprintf("Okta refused the app %q: check its client id, its private key and that it is active", s.config.ClientID)
	}
	if wrong != "" {
		e.advice += "; " + wrong
	}
	return e
}
