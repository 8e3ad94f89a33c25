package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// alone keeps the machine's own settings for Databricks out of a test.
func alone(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		for _, prefix := range []string{"DATABRICKS_", "ARM_", "GOOGLE_", "ACTIONS_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir()) // no command that would sign in
}

// to returns what signs in to the sandbox at url.
func to(url string) Config {
	return Config{
		Host: url, AccountID: sandbox.DatabricksAccountID,
		ClientID: sandbox.DatabricksClientID, ClientSecret: sandbox.DatabricksClientSecret,
		ReadRate: 1e6, ListRate: 1e6, WriteRate: 1e6,
	}
}

// free lifts the sandbox's rate limits.
func free() sandbox.Options {
	rates := sandbox.DefaultRates()
	for name := range rates {
		rates[name] = sandbox.Rate{}
	}
	return sandbox.Options{Rates: rates}
}

func TestOpen(t *testing.T) {
	alone(t)
	s := sandbox.Start(t, &sandbox.Tenant{}, free())
	c, err := Open(t.Context(), to(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	source := c.Source()
	if source.Tenant != sandbox.DatabricksAccountID || source.Caller != sandbox.DatabricksClientID || len(source.Notes) > 0 {
		t.Errorf("source %+v", source)
	}
	sent := 0
	for _, n := range s.Requests() {
		sent += n
	}
	if source.Requests != sent || sent != 3 {
		t.Errorf("counted %d requests, the sandbox %d: %v", source.Requests, sent, s.Requests())
	}
}

// What the SDK's own tools use is used where nothing else is said.
func TestOpenFindsSettings(t *testing.T) {
	s := sandbox.Start(t, &sandbox.Tenant{}, free())
	t.Run("environment", func(t *testing.T) {
		alone(t)
		for _, pair := range s.Env() {
			name, value, _ := strings.Cut(pair, "=")
			t.Setenv(name, value)
		}
		c, err := Open(t.Context(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Source().Caller; got != sandbox.DatabricksClientID {
			t.Errorf("caller %q", got)
		}
	})
	t.Run("profile", func(t *testing.T) {
		alone(t)
		file := filepath.Join(t.TempDir(), "cfg")
		text := "[acme]\nhost = " + s.URL + "\naccount_id = " + sandbox.DatabricksAccountID + "\ntoken = " + sandbox.DatabricksToken + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("DATABRICKS_CONFIG_FILE", file)
		c, err := Open(t.Context(), Config{Profile: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		source := c.Source()
		if source.Caller != "" || len(source.Notes) != 1 || !strings.Contains(source.Notes[0], "--scim-token-owner") {
			t.Errorf("source %+v", source)
		}
	})
	t.Run("client and token", func(t *testing.T) {
		alone(t)
		c := to(s.URL)
		c.Token = "dapi-of-nobody"
		client, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if got := client.Source().Caller; got != sandbox.DatabricksClientID {
			t.Errorf("caller %q", got)
		}
	})
}

// The console's SCIM token opens SCIM 2.1 alone.
func TestOpenSCIMToken(t *testing.T) {
	alone(t)
	s := sandbox.Start(t, &sandbox.Tenant{}, free())
	c := Config{Host: s.URL, AccountID: sandbox.DatabricksAccountID, Token: sandbox.DatabricksSCIMToken}
	if _, err := Open(t.Context(), c); err != nil {
		t.Error(err)
	}
	c.SCIMVersion = "2.0"
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "SCIM 2.1 alone") {
		t.Errorf("error %v", err)
	}
}

// Each mistake gives one line that says what to change, and no secret.
func TestOpenErrors(t *testing.T) {
	alone(t)
	s := sandbox.Start(t, &sandbox.Tenant{}, free())
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s and %s"}`, id, secret)
	}))
	defer echo.Close()
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	away := httptest.NewServer(http.RedirectHandler("https://login.example.com/", http.StatusFound))
	defer away.Close()

	for _, test := range []struct {
		name   string
		change func(c *Config)
		want   string
	}{
		{"a secret that comes back", func(c *Config) { c.Host = echo.URL }, "invalid_client: not " + sandbox.DatabricksClientID + " and ***"},
		{"no host", func(c *Config) { c.Host = "" }, "no Databricks host: set --databricks-host or DATABRICKS_HOST"},
		{"plain http", func(c *Config) { c.Host = "http://accounts.example.com" }, "plain http"},
		{"path", func(c *Config) { c.Host += "/settings" }, "has a path"},
		{"no scheme", func(c *Config) { c.Host = "accounts.example.com" }, "write https://"},
		{"no account", func(c *Config) { c.AccountID = "" }, "the Databricks account id \"\" is not one"},
		{"account that is none", func(c *Config) { c.AccountID = "acme" }, "the Databricks account id \"acme\" is not one"},
		{"account of others", func(c *Config) { c.AccountID = "00000000-0000-4000-8000-000000000000" }, "service principal is of account 00000000-"},
		{"wrong secret", func(c *Config) { c.ClientSecret = "dose-expired-or-wrong" }, "Databricks refused the sign-in with 401 (invalid_client: Client authentication failed): check that client id and secret belong together, that the secret has not expired"},
		{"wrong client", func(c *Config) { c.ClientID = "00000000-0000-4000-8000-000000000000" }, "refused the sign-in with 401"},
		{"no secret", func(c *Config) { c.ClientSecret = "" }, "no sign-in to Databricks was found"},
		{"wrong token", func(c *Config) { c.ClientID, c.ClientSecret, c.Token = "", "", "dapi-wrong-or-expired" }, "status 403 (Invalid access token.): give whoever signs in"},
		{"no credentials", func(c *Config) { c.ClientID, c.ClientSecret = "", "" }, "no sign-in to Databricks was found: set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET"},
		{"no such profile", func(c *Config) { c.Profile = "nowhere" }, "the profile \"nowhere\" of Databricks can't be read"},
		{"SCIM version", func(c *Config) { c.SCIMVersion = "3" }, "2.1 or 2.0"},
		{"rate", func(c *Config) { c.ListRate = -1 }, "rates"},
		{"another server", func(c *Config) { c.Host = elsewhere.URL }, "has no sign-in for account"},
		{"a redirect", func(c *Config) { c.Host = away.URL }, "a redirect to login.example.com, which is not followed: check the host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("DATABRICKS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
			c := to(s.URL)
			test.change(&c)
			_, err := Open(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v\nwant %q in it", err, test.want)
			}
			for _, no := range []string{sandbox.DatabricksClientSecret, "dose-", "dapi-", "\n", "Config:"} {
				if strings.Contains(err.Error(), no) {
					t.Errorf("%q stands in the error: %v", no, err)
				}
			}
		})
	}
}

// A host that is not there, or is something else, is said to be so in seconds.
func TestOpenElsewhere(t *testing.T) {
	alone(t)
	for name, test := range map[string]struct {
		answer roundTrip
		want   string
	}{
		"nobody listens": {
			func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			},
			"nobody listens there: check the host, the network and HTTPS_PROXY",
		},
		"no such name": {
			func(*http.Request) (*http.Response, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "accounts.example.com", IsNotFound: true}
			},
			"no such host",
		},
		"a web site": {
			func(r *http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				fmt.Fprint(w, "<!DOCTYPE html><title>Welcome</title>")
				return w.Result(), nil
			},
			"HTML where JSON was expected",
		},
		"a sign-in that gives no token": {
			func(r *http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				fmt.Fprint(w, `{"token_type":"Bearer","token_endpoint":"https://accounts.example.com/oidc/accounts/`+sandbox.DatabricksAccountID+`/v1/token"}`)
				return w.Result(), nil
			},
			"https://accounts.example.com answered the sign-in with status 200 and no token (error getting token: oauth2: server response missing access_token): check that the host is the account console",
		},
		"a server that is down": {
			func(r *http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				w.WriteHeader(503)
				return w.Result(), nil
			},
			"answered 503",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := to("https://accounts.example.com")
				c.Transport = test.answer
				start := time.Now()
				_, err := Open(t.Context(), c)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q in it", err, test.want)
				}
				if took := time.Since(start); took > 15*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// A mistake that is noticed before anything was sent is told apart.
func TestSettingsError(t *testing.T) {
	alone(t)
	for _, c := range []Config{{}, {Host: "http://accounts.example.com"}, {Host: "https://accounts.example.com", AccountID: "acme"}} {
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			t.Errorf("%s was sent", r.URL)
			return nil, errors.New("no")
		})
		if _, err := Open(t.Context(), c); !errors.As(err, new(*SettingsError)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// PITFALL: constructing the SDK's client asks a dead host for minutes, without
// the caller's context.
func TestOpenDeadHost(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		c := to("http://127.0.0.1:1")
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		start := time.Now()
		_, err := Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "did not complete the sign-in within 30s: check the host") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took > signInLimit {
			t.Errorf("took %v", took)
		}

		stop := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		start = time.Now()
		if _, err := Open(ctx, c); !errors.Is(err, stop) {
			t.Errorf("error %v, want %v", err, stop)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("went on for %v", took-time.Second)
		}
	})
}

// Signing in survives what passes: each of its first answers is broken.
func TestOpenSurvives(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"429":                     {Status: 429, Body: `{"message":"rate limit"}`},
		"429 with Retry-After":    {Status: 429, Header: http.Header{"Retry-After": {"3"}}},
		"500":                     {Status: 500},
		"503":                     {Status: 503, Body: "busy"},
		"504 with HTML":           {Status: 504, Body: "<html>"},
		"200 with HTML":           {Status: 200, Body: "<html>"},
		"200 and blank":           {Status: 200},
		"a connection that broke": {Reset: true},
		"a body that was cut":     {Cut: true, CutAfter: 10},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			synctest.Test(t, func(t *testing.T) {
				o := free()
				broken := map[string]bool{}
				o.Fault = func(r *http.Request) sandbox.Fault {
					if broken[r.URL.Path] {
						return sandbox.Fault{}
					}
					broken[r.URL.Path] = true
					return fault
				}
				s := sandbox.Pipe(t, &sandbox.Tenant{}, o)
				c := to(s.URL)
				base := s.Transport()
				defer base.CloseIdleConnections()
				c.Transport = base
				if _, err := Open(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// PITFALL: the SDK's log prints user names, and whole answers to standard error.
func TestNothingIsLogged(t *testing.T) {
	alone(t)
	t.Setenv("DATABRICKS_DEBUG_HEADERS", "true")
	var printed bytes.Buffer
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	o := free()
	o.Fault = func(r *http.Request) sandbox.Fault {
		if r.URL.Path == "/.well-known/databricks-config" {
			return sandbox.Fault{Status: 200, Body: `{"account_id":["who@example.com"]}`}
		}
		return sandbox.Fault{}
	}
	s := sandbox.Start(t, tenant(3, 0, 0), o)
	c, err := Open(t.Context(), to(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	c.List(t.Context(), audit.Request{Input: audit.DatabricksUsers}, func(audit.Page) error { return nil })
	if printed.Len() > 0 {
		t.Errorf("printed %s", printed.String())
	}
}
