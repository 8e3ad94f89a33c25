package okta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// Each test below proves that one of the SDK's known pitfalls can't bite; its
// name says which.

func TestPitfallConfigurationDropsThePort(t *testing.T) {
	o := serve(t, people(1), sandbox.Options{}) // on a port of its own
	o.config.OrgURL += "/"                      // and the slash is trimmed
	list(t, t.Context(), open(t, o.config), usersRequest).complete(t, 1)
}

func TestPitfallEnvironmentLeaksIn(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".okta"), 0o700); err != nil {
		t.Fatal(err)
	}
	yaml := "okta:\n  client:\n    orgUrl: https://leak.example.com\n    proxy:\n      host: 127.0.0.1\n      port: 1\n    token: leaked\n"
	if err := os.WriteFile(filepath.Join(home, ".okta", "okta.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "OKTA_DEBUG": "true", "OKTA_CLIENT_PROXY_HOST": "127.0.0.1", "OKTA_CLIENT_PROXY_PORT": "1",
		"OKTA_CLIENT_ORGURL": "https://leak.example.com", "OKTA_CLIENT_TOKEN": "leaked", "OKTA_CLIENT_CACHE_ENABLED": "true",
		"OKTA_CLIENT_REQUEST_TIMEOUT": "1", "OKTA_CLIENT_RATE_LIMIT_MAX_RETRIES": "7", "OKTA_CLIENT_AUTHORIZATIONMODE": "JWT",
	} {
		t.Setenv(name, value)
	}
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)

	o := serve(t, people(1), sandbox.Options{})
	client := open(t, o.config)
	list(t, t.Context(), client, usersRequest).complete(t, 1)
	if logged.Len() > 0 {
		t.Errorf("the SDK logged %q", logged.String())
	}
	if cfg := client.sdk.GetConfig(); cfg.Debug || cfg.Okta.Client.Proxy.Host != "" || cfg.Okta.Client.Cache.Enabled ||
		cfg.Okta.Client.RateLimit.MaxRetries != 0 || cfg.Okta.Client.RequestTimeout != 0 || cfg.Okta.Client.Token != "" {
		t.Errorf("the environment changed the SDK's configuration: %+v", cfg.Okta.Client)
	}
}

// failing makes the nth answer to a path fail, once.
func failing(path string, n int64, f sandbox.Fault) func(*http.Request) sandbox.Fault {
	var asked atomic.Int64
	return func(r *http.Request) sandbox.Fault {
		if r.URL.Path == path && asked.Add(1) == n {
			return f
		}
		return sandbox.Fault{}
	}
}

func TestPitfallBrokenAnswersAreNotRetriedOrLoseUsers(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"cut before the first byte":   {Cut: true},
		"cut in the middle":           {Cut: true, CutAfter: 3000},
		"cut, with a length to match": {Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: `[{"id":"00u1","st`},
		"reset":                       {Reset: true},
		"500":                         {Status: 500},
		"502":                         {Status: 502, Body: "<html>bad gateway</html>"},
		"503":                         {Status: 503},
		"504":                         {Status: 504},
		"HTML with status 200":        {Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>sign in</html>"},
		"nothing with status 200":     {Status: 200, Header: http.Header{"Content-Type": {"application/json"}}},
		"429 without any header":      {Status: 429},
		"concurrency 429": {Status: 429, Header: http.Header{"X-Rate-Limit-Limit": {"0"}, "X-Rate-Limit-Remaining": {"0"},
			"X-Rate-Limit-Reset": {fmt.Sprint(time.Now().Add(time.Hour).Unix())}}},
		"token revoked": {Status: 401, Body: `{"errorCode":"E0000011","errorSummary":"Invalid token provided"}`},
	} {
		for _, page := range []int64{1, 3} {
			t.Run(fmt.Sprintf("%s, page %d", name, page), func(t *testing.T) {
				t.Parallel()
				o := serve(t, people(450), sandbox.Options{Fault: failing("/api/v1/users", page, f)})
				g := list(t, t.Context(), open(t, o.config), usersRequest)
				g.complete(t, 450)
				if g.restarts != 0 {
					t.Errorf("restarted %d times", g.restarts)
				}
			})
		}
	}
}

func TestPitfallTokenEndpointIsNotRetried(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"429": {Status: 429}, "503": {Status: 503}, "reset": {Reset: true}, "lost answer": {Reset: true, After: true}, "cut": {Cut: true, CutAfter: 9},
		"blank": {Status: 200, Body: " ", Header: http.Header{"Content-Type": {"application/json"}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, people(1), sandbox.Options{Fault: failing(tokenPath, 1, f)})
			list(t, t.Context(), open(t, o.config), usersRequest).complete(t, 1)
		})
	}
}

func TestPitfallEOFIsRetriedForEver(t *testing.T) {
	o := serve(t, people(1), sandbox.Options{})
	var broken atomic.Bool
	o.config.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if broken.Load() {
			return nil, io.EOF
		}
		return direct{o}.RoundTrip(r)
	})
	client := open(t, o.config)
	broken.Store(true)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := list(t, t.Context(), client, usersRequest)
		g.incomplete(t, "failed 9 times")
		if took := time.Since(start); took > time.Minute {
			t.Errorf("gave up after %v", took)
		}
		if n := g.reading.Requests; n < 9 || n > 18 { // the users, and beside them their count
			t.Errorf("sent %d requests, want 9 for each of two", n)
		}
	})
}

func TestPitfallEOFReachesTheSDK(t *testing.T) {
	p := &page{}
	rt := new(Client).keepPage(roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF }))
	r, err := http.NewRequestWithContext(context.WithValue(t.Context(), pageKey{}, p), "GET", orgURL+"/api/v1/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(r); err == nil || errors.Is(err, io.EOF) || p.err != io.EOF {
		t.Errorf("the SDK gets %v, the page keeps %v", err, p.err)
	}
}

func TestPitfallFoldedLinkHeader(t *testing.T) {
	o := serve(t, people(500), sandbox.Options{})
	folded := roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := direct{o}.RoundTrip(r)
		if links := resp.Header.Values("Link"); len(links) > 1 {
			resp.Header.Set("Link", strings.Join(links, ", "))
		}
		return resp, err
	})
	o.config.Transport = folded
	list(t, t.Context(), open(t, o.config), usersRequest).complete(t, 500)
}

func TestPitfallNextIgnoresTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	pages := 0
	o := serve(t, people(1000), sandbox.Options{Fault: func(r *http.Request) sandbox.Fault {
		if r.URL.Path == "/api/v1/users" {
			if pages++; pages == 3 {
				cancel()
			}
		}
		return sandbox.Fault{}
	}})
	g := list(t, ctx, open(t, o.config), usersRequest)
	if g.reading.Complete || g.reading.Reason != "interrupted" || pages != 3 {
		t.Errorf("after %d pages: %+v", pages, g.reading)
	}
}

func TestPitfallErrorResponsePanics(t *testing.T) {
	no := sandbox.Fault{Status: 400, Header: http.Header{"Content-Type": {"text/plain"}}, Body: "no"}
	o := serve(t, people(1), sandbox.Options{Fault: func(r *http.Request) sandbox.Fault {
		if r.URL.Path == "/api/v1/users" {
			return no
		}
		return sandbox.Fault{}
	}})
	list(t, t.Context(), open(t, o.config), usersRequest).incomplete(t, "Okta answered 400")
}

func TestPitfallManyFirstCallsMakeManyTokens(t *testing.T) {
	o := serve(t, people(10), sandbox.Options{})
	client := open(t, o.config)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { list(t, t.Context(), client, usersRequest).complete(t, 10) })
	}
	wg.Wait()
	if n := o.Requests()["POST "+tokenPath]; n != 1 {
		t.Errorf("made %d tokens, want 1", n)
	}
}

func TestPitfallRevokedTokenIsKept(t *testing.T) {
	var revoked sync.Map // tokens that Okta no longer accepts
	var asked atomic.Int64
	o := serve(t, people(700), sandbox.Options{Fault: func(r *http.Request) sandbox.Fault {
		token := r.Header.Get("Authorization")
		if asked.Add(1) == 4 {
			revoked.Store(token, true)
		}
		if _, ok := revoked.Load(token); ok {
			return sandbox.Fault{Status: 401, Body: `{"errorCode":"E0000011","errorSummary":"Invalid token provided"}`}
		}
		return sandbox.Fault{}
	}})
	list(t, t.Context(), open(t, o.config), usersRequest).complete(t, 700)
	if n := o.Requests()["POST "+tokenPath]; n != 2 {
		t.Errorf("made %d tokens, want 2", n)
	}
}

func TestPitfallDPoPIsNegotiatedSilently(t *testing.T) {
	o := serve(t, people(700), sandbox.Options{DPoP: true, Fault: failing("/api/v1/users", 2, sandbox.Fault{Status: 503, After: true})})
	client := open(t, o.config)
	// The repeated request must carry a new proof: the sandbox takes each but once.
	list(t, t.Context(), client, usersRequest).complete(t, 700)
	if notes := client.Source().Notes; len(notes) != 1 || !strings.Contains(notes[0], "DPoP") {
		t.Errorf("notes %q do not say that DPoP is on", notes)
	}
}

func TestPitfallAssertionLivesTooLong(t *testing.T) {
	var form url.Values
	o := serve(t, people(1), sandbox.Options{Fault: func(r *http.Request) sandbox.Fault {
		if r.URL.Path == tokenPath {
			body, _ := io.ReadAll(r.Body)
			form, _ = url.ParseQuery(string(body))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		return sandbox.Fault{}
	}})
	o.config.PrivateKeyID = o.OktaKeyID()
	before := time.Now()
	open(t, o.config)
	header, claims := jwtParts(t, form.Get("client_assertion"))
	expires, issued := time.Unix(int64(claims["exp"].(float64)), 0), time.Unix(int64(claims["iat"].(float64)), 0)
	if expires.Sub(before) > 6*time.Minute || expires.Sub(before) < 4*time.Minute || !issued.Before(before) {
		t.Errorf("issued %v, expires %v", issued, expires)
	}
	if header["kid"] != o.OktaKeyID() || claims["aud"] != o.server.URL+tokenPath || claims["iss"] != sandbox.OktaClientID || claims["sub"] != sandbox.OktaClientID {
		t.Errorf("header %v, claims %v", header, claims)
	}
	if form.Get("scope") != "okta.users.read okta.groups.read" {
		t.Errorf("scope %q", form.Get("scope"))
	}
}

func TestPitfallOneBadUserFailsThePage(t *testing.T) {
	tenant := people(10)
	bad := map[string]struct{ json, err string }{
		"00ubad1": {`{"id":"00ubad1","status":"ACTIVE","profile":{"login":17}}`, "user 00ubad1: profile.login: expected a string, found a number"},
		"00ubad2": {`{"id":"00ubad2","status":"ACTIVE","profile":["x"]}`, "user 00ubad2: profile: expected an object, found a list"},
		"00ubad3": {`{"id":"00ubad3","status":"ACTIVE","profile":{"login":"a@example.com","login":"b@example.com"}}`, "user 00ubad3: profile.login: duplicate object member name"},
		"00ubad5": {`{"id":"00ubad5","status":"ACTIVE","profile":{"email":"a@example.com"}}`, "user 00ubad5: profile.login is missing"},
	}
	for _, b := range bad {
		tenant.Users = append(tenant.Users, json.RawMessage(b.json))
	}
	// A custom attribute must not pass for the login or email.
	tenant.Users = append(tenant.Users, json.RawMessage(
		`{"id":"00uodd","status":"ACTIVE","profile":{"login":"real@example.com","Login":"odd@example.com","EMAIL":"odd@example.com","email":"real@example.org","firstName":null}}`))
	// Bytes that are not UTF-8 stay what they are.
	tenant.Users = append(tenant.Users, json.RawMessage("{\"id\":\"00uraw\",\"status\":\"ACTIVE\",\"profile\":{\"login\":\"a\xff@example.com\"}}"))
	o := serve(t, tenant, sandbox.Options{})
	g := list(t, t.Context(), open(t, o.config), usersRequest)
	g.incomplete(t, "4 of 16 objects could not be decoded")
	if u := g.records["00uraw"].(audit.OktaUser); u.Login != "a\xff@example.com" {
		t.Errorf("got %+q", u.Login)
	}
	if len(g.records) != 12 || g.reading.Received != 16 {
		t.Errorf("got %d records, %+v", len(g.records), g.reading)
	}
	if u := g.records["00uodd"].(audit.OktaUser); u.Login != "real@example.com" || u.Email != "real@example.org" || u.FirstName != "" {
		t.Errorf("got %+v", u)
	}
	if len(g.wrong) != len(bad) {
		t.Fatalf("%d undecoded, want %d", len(g.wrong), len(bad))
	}
	for _, u := range g.wrong {
		id := idOf(u.Raw)
		if !strings.HasPrefix(u.Error, bad[id].err) || !bytes.Contains(u.Raw, []byte(`"status"`)) {
			t.Errorf("%s: error %q, raw %q; want %q", id, u.Error, u.Raw, bad[id].err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("was sent %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	to := http.Header{"Location": {elsewhere.URL + "/api/v1/users"}}
	o := serve(t, people(1), sandbox.Options{Fault: failing("/api/v1/users", 1, sandbox.Fault{Status: 302, Header: to})})
	list(t, t.Context(), open(t, o.config), usersRequest).incomplete(t, "a redirect, which is not followed")

	o = serve(t, people(1), sandbox.Options{Fault: failing(tokenPath, 1, sandbox.Fault{Status: 302, Header: to})})
	if _, err := Open(t.Context(), o.config); err == nil || !strings.Contains(err.Error(), "check the org URL") {
		t.Errorf("got %v", err)
	}
}

func TestRateLimitIsNotOverrun(t *testing.T) {
	// Time passes at once in the bubble, for the sandbox too.
	tenant := people(1990)
	for i, u := range tenant.Users { // the bubble's time begins in 2000
		tenant.Users[i] = bytes.ReplaceAll(u, []byte("2024-01"), []byte("1990-01"))
	}
	o := serve(t, tenant, sandbox.Options{Rates: map[string]sandbox.Rate{"okta users": {N: 5, Per: time.Minute}}})
	o.config.Reserve = 20
	var refused atomic.Int64
	o.config.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := direct{o}.RoundTrip(r)
		if resp.StatusCode == 429 {
			refused.Add(1)
		}
		return resp, err
	})
	var mu sync.Mutex
	var reasons []string
	o.config.Waiting = func(s string) {
		mu.Lock()
		defer mu.Unlock()
		reasons = append(reasons, s)
	}
	client := open(t, o.config)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		list(t, t.Context(), client, usersRequest).complete(t, 1990)
		if took := time.Since(start); took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("11 requests at 4 a minute took %v", took)
		}
	})
	if refused.Load() != 0 {
		t.Errorf("%d requests were refused for the rate limit", refused.Load())
	}
	if len(reasons) == 0 || !strings.HasSuffix(reasons[0], "Okta's rate limit for /api/v1/users") {
		t.Errorf("reasons %q", reasons)
	}
}

// nthToken breaks the n-th answer of the token endpoint.
func nthToken(n int64, f sandbox.Fault) func(*http.Request) sandbox.Fault {
	var sent atomic.Int64
	return func(r *http.Request) sandbox.Fault {
		if r.URL.Path == tokenPath && sent.Add(1) == n {
			return f
		}
		return sandbox.Fault{}
	}
}

func TestSignInErrorsSayWhatToDo(t *testing.T) {
	tenant := people(1)
	ahead := func(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }
	for _, tt := range []struct {
		name    string
		options sandbox.Options
		change  func(*Config)
		err     string // blank: it works
		note    string
	}{
		{"wrong client id", sandbox.Options{}, func(c *Config) { c.ClientID = "0oawrong" }, `no active app with the client id "0oawrong"`, ""},
		{"no client id", sandbox.Options{}, func(c *Config) { c.ClientID = "" }, "set OKTA_CLIENT_CLIENTID", ""},
		{"another key", sandbox.Options{}, func(c *Config) { c.PrivateKey = newRSA(t) }, "the private key does not fit the app", ""},
		{"another key id", sandbox.Options{}, func(c *Config) { c.PrivateKeyID = "x" }, "the private key does not fit the app", ""},
		{"missing scope", sandbox.Options{OktaScopes: []string{"okta.users.read"}}, nil, "may not use all of the scopes okta.users.read, okta.groups.read", ""},
		{"clock two hours ahead", sandbox.Options{}, func(c *Config) { c.Now = ahead(2 * time.Hour) }, "", "ahead of Okta's"},
		{"clock two hours behind", sandbox.Options{}, func(c *Config) { c.Now = ahead(-2 * time.Hour) }, "", "behind Okta's"},
		{"clock ahead, and a token endpoint that fails after it said so", sandbox.Options{Fault: nthToken(2, sandbox.Fault{Status: 503})},
			func(c *Config) { c.Now = ahead(2 * time.Hour) }, "", "ahead of Okta's"},
		{"clock ahead, and a connection that breaks after it was said", sandbox.Options{Fault: nthToken(2, sandbox.Fault{Reset: true})},
			func(c *Config) { c.Now = ahead(2 * time.Hour) }, "", "ahead of Okta's"},
		{"clock ten seconds ahead", sandbox.Options{}, func(c *Config) { c.Now = ahead(10 * time.Second) }, "", ""},
		{"Date header off alone", sandbox.Options{DateSkew: 2 * time.Hour}, nil, "", ""},
		{"clock and key wrong", sandbox.Options{}, func(c *Config) { c.Now, c.PrivateKey = ahead(2*time.Hour), newRSA(t) }, "the private key does not fit the app", ""},
		{"DPoP demanded", sandbox.Options{DPoP: true}, nil, "", "DPoP"},
		{"no Okta there", sandbox.Options{Fault: func(*http.Request) sandbox.Fault { return sandbox.Fault{Status: 404} }}, nil, "check the org URL", ""},
		{"a page that says sign in", sandbox.Options{Fault: func(*http.Request) sandbox.Fault {
			return sandbox.Fault{Status: 200, Body: `{"hello":"world"}`, Header: http.Header{"Content-Type": {"application/json"}}}
		}}, nil, "holds no access token", ""},
		{"DPoP nonces without end", sandbox.Options{DPoP: true, Fault: func(r *http.Request) sandbox.Fault {
			if r.Header.Get("DPoP") == "" {
				return sandbox.Fault{}
			}
			return sandbox.Fault{Status: 400, Body: `{"error":"use_dpop_nonce"}`, Header: http.Header{"Dpop-Nonce": {"n"}, "Content-Type": {"application/json"}}}
		}}, nil, "over and over", ""},
		{"JWK", sandbox.Options{}, nil, "", ""},
		{"nothing to sign in with", sandbox.Options{}, func(c *Config) { c.PrivateKey = "" }, "no Okta credentials", ""},
		{"a host that is not there", sandbox.Options{}, func(c *Config) { c.OrgURL = "http://127.0.0.1:1" }, "connection refused", ""},
		{"http", sandbox.Options{}, func(c *Config) { c.OrgURL = "http://acme.okta.com" }, "loopback", ""},
		{"admin console", sandbox.Options{}, func(c *Config) { c.OrgURL = "https://acme-admin.okta.com" }, "write https://acme.okta.com", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := serve(t, tenant, tt.options)
			if tt.name == "JWK" {
				o.config.PrivateKey = o.OktaPrivateKeyJWK()
			}
			if tt.change != nil {
				tt.change(&o.config)
			}
			client, err := Open(t.Context(), o.config)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got the error %v, want one with %q", err, tt.err)
				}
				t.Log(err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			notes := strings.Join(client.Source().Notes, "; ")
			if tt.note == "" && notes != "" || !strings.Contains(notes, tt.note) {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
			t.Log(notes)
			list(t, t.Context(), client, usersRequest).complete(t, 1)
		})
	}
}

func TestForbiddenListingIsIncomplete(t *testing.T) {
	o := serve(t, people(1), sandbox.Options{})
	o.config.Scopes = []string{"okta.groups.read"}
	client := open(t, o.config)
	list(t, t.Context(), client, usersRequest).incomplete(t, "E0000006 You do not have permission to perform the requested action: grant the app the scope okta.users.read")
}

func TestEmitsErrorEndsTheListing(t *testing.T) {
	o := serve(t, people(500), sandbox.Options{})
	full := errors.New("the disk is full")
	r := open(t, o.config).List(t.Context(), usersRequest, func(audit.Page) error { return full })
	if r.Complete || r.Reason != full.Error() || r.Requests > 4 { // all were made at one time, which is handed on as one
		t.Errorf("got %+v", r)
	}
}
