package sandbox_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/google/go-cmp/cmp"
	"github.com/okta/okta-sdk-golang/v5/okta"
)

// A fakeT is a test that may fail without failing the real one.
type fakeT struct {
	cleanups []func()
	errors   []string
}

func (t *fakeT) Helper()          {}
func (t *fakeT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *fakeT) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}
func (t *fakeT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *fakeT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

// A test in which a request was refused fails, unless it said that it would.
func TestStartFailsOnRefusals(t *testing.T) {
	for _, expected := range []bool{false, true} {
		fake := &fakeT{}
		s := sandbox.Start(fake, oktaTenant(1), sandbox.Options{})
		if expected {
			s.ExpectRefusals()
		}
		send(t, s, "DELETE", "/api/v1/users/00u0", "")
		fake.end()
		if failed := len(fake.errors) > 0; failed == expected {
			t.Errorf("refusals expected: %v, errors %q", expected, fake.errors)
		}
	}
}

func TestNewErrors(t *testing.T) {
	_, err := sandbox.New(oktaTenant(1), sandbox.Options{Rates: map[string]sandbox.Rate{"okta user": {}}})
	if err == nil || !strings.Contains(err.Error(), `unknown rate-limit bucket "okta user"`) {
		t.Errorf("an unknown bucket: %v", err)
	}
	tenant := oktaTenant(1)
	tenant.Okta.Users = append(tenant.Okta.Users, []byte(`{"id":`))
	if _, err := sandbox.New(tenant, sandbox.Options{}); err == nil || !strings.Contains(err.Error(), "okta.users[1]") {
		t.Errorf("a broken object: %v", err)
	}
}

// The list of what is permitted has no write but the sign-ins and the PATCH of
// a Databricks identity.
func TestPermitted(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	permitted := s.Permitted()
	for _, call := range permitted {
		method, path, _ := strings.Cut(call, " ")
		switch {
		case method == "GET":
		case method == "POST" && strings.HasSuffix(path, "/token"):
		case method == "PATCH" && !strings.HasPrefix(path, "/api/v1/"):
		default:
			t.Errorf("%s is permitted", call)
		}
	}
	if !slices.Contains(permitted, "GET /api/v1/users") {
		t.Errorf("listing users is not among %q", permitted)
	}
}

func TestRequests(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	s.ExpectRefusals()
	get(t, s, "/api/v1/users?limit=1")
	get(t, s, "/api/v1/users/00u0")
	get(t, s, "/api/v1/users/00u1")
	get(t, s, "/api/v1/logs")
	want := map[string]int{"GET /api/v1/users": 1, "GET /api/v1/users/{id}": 2, "GET /api/v1/logs": 1}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests differ (-want +got): %s", diff)
	}
}

func TestFaults(t *testing.T) {
	whole := ""
	for _, test := range []struct {
		name   string
		fault  sandbox.Fault
		status int
		body   string
		err    error
	}{
		{name: "none", status: 200},
		{name: "status", fault: sandbox.Fault{Status: 502, Body: "<html>", Header: http.Header{"Retry-After": {"7"}}}, status: 502, body: "<html>"},
		{name: "header alone", fault: sandbox.Fault{Header: http.Header{"Retry-After": {"7"}}}, status: 200},
		{name: "an HTML 200", fault: sandbox.Fault{Status: 200, Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}}, status: 200, body: "<html>"},
		{name: "cut", fault: sandbox.Fault{Cut: true, CutAfter: 5}, status: 200, body: `[{"id`, err: io.ErrUnexpectedEOF},
		{name: "cut before the first byte", fault: sandbox.Fault{Cut: true}, status: 200, body: " ", err: io.ErrUnexpectedEOF},
		{name: "reset", fault: sandbox.Fault{Reset: true}},
		{name: "reset after", fault: sandbox.Fault{Reset: true, After: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := sandbox.Start(t, oktaTenant(2), sandbox.Options{Fault: func(*http.Request) sandbox.Fault { return test.fault }})
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/api/v1/users", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "SSWS "+sandbox.OktaAPIToken)
			transport := s.Transport()
			defer transport.CloseIdleConnections()
			resp, err := transport.RoundTrip(req)
			if test.fault.Reset {
				if err == nil {
					t.Errorf("answered with %d", resp.StatusCode)
				}
				if n := s.Requests()["GET /api/v1/users"]; n != 1 {
					t.Errorf("%d requests counted", n)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if whole == "" {
				whole = strings.ReplaceAll(string(body), s.URL, "")
			}
			want := test.body
			if want == "" {
				want = whole
			}
			if resp.StatusCode != test.status || strings.ReplaceAll(string(body), s.URL, "") != strings.TrimSpace(want) || !errors.Is(err, test.err) {
				t.Errorf("%d %q %v, want %d %q %v", resp.StatusCode, body, err, test.status, want, test.err)
			}
			for name, values := range test.fault.Header {
				if !slices.Equal(resp.Header.Values(name), values) {
					t.Errorf("%s %q, want %q", name, resp.Header.Values(name), values)
				}
			}
			if links := resp.Header.Values("Link"); test.fault.Status == 0 && len(links) != 1 {
				t.Errorf("links %q, want the real answer's", links)
			}
		})
	}
}

// A fault before the effect leaves the rate limit alone; one after it does not.
func TestFaultsAndEffect(t *testing.T) {
	for after, left := range map[bool]string{false: "9", true: "8"} {
		failed := false
		s := sandbox.Start(t, oktaTenant(1), sandbox.Options{
			Rates: map[string]sandbox.Rate{"okta users": {N: 10, Per: time.Hour}},
			Fault: func(*http.Request) sandbox.Fault {
				if failed {
					return sandbox.Fault{}
				}
				failed = true
				return sandbox.Fault{Status: 503, After: after}
			},
		})
		if r := get(t, s, "/api/v1/users"); r.Status != 503 {
			t.Errorf("status %d", r.Status)
		}
		if r := get(t, s, "/api/v1/users"); r.Header.Get("X-Rate-Limit-Remaining") != left {
			t.Errorf("after %v: %s remaining, want %s", after, r.Header.Get("X-Rate-Limit-Remaining"), left)
		}
	}
}

// A bubble's clock is the servers' clock; connections in memory break as others do.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := sandbox.Fault{}
		s := sandbox.Pipe(t, oktaTenant(1), sandbox.Options{Fault: func(*http.Request) sandbox.Fault { return fault }})
		for range 3 {
			r := get(t, s, "/api/v1/users")
			if date, err := http.ParseTime(r.Header.Get("Date")); r.Status != 200 || err != nil || !date.Equal(time.Now()) {
				t.Errorf("%d at %s, want now: %s", r.Status, r.Header.Get("Date"), time.Now())
			}
			time.Sleep(time.Hour)
		}
		transport := s.Transport()
		defer transport.CloseIdleConnections()
		client := http.Client{Transport: transport}
		fault = sandbox.Fault{Reset: true}
		if resp, err := client.Get(s.URL + "/.well-known/okta-organization"); err == nil {
			t.Errorf("reset: answered with %d", resp.StatusCode)
		}
		fault = sandbox.Fault{Cut: true, CutAfter: 3}
		resp, err := client.Get(s.URL + "/.well-known/okta-organization")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); len(b) != 3 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut: %q, %v", b, err)
		}
	})
}

// The variables are those that the vendor's own configuration reads.
func TestEnv(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	for _, pair := range s.Env() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(value, "\n") {
			t.Errorf("%s has a line end", name)
		}
		t.Setenv(name, value)
	}
	t.Setenv("HOME", t.TempDir())
	cfg, err := okta.NewConfiguration(okta.WithCache(false))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Host = strings.TrimPrefix(s.URL, "http://") // the SDK drops the port
	users, _, err := okta.NewAPIClient(cfg).UserAPI.ListUsers(t.Context()).Execute()
	if err != nil || len(users) != 1 {
		t.Errorf("%d users, %v; want 1", len(users), err)
	}
}

// Both directories' state comes back as it was given.
func TestTenant(t *testing.T) {
	want := sandbox.Demo()
	s := sandbox.Start(t, want, sandbox.Options{})
	if diff := cmp.Diff(want, s.Tenant()); diff != "" {
		t.Errorf("tenant differs (-want +got): %.500s", diff)
	}
}
