package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// Whatever is wrong with one answer in three, all rows come, and once.
func TestListSurvives(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"429 without Retry-After": {Status: 429, Body: `{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"rate limit"}`},
		"429 with Retry-After":    {Status: 429, Header: http.Header{"Retry-After": {"7"}}},
		"500":                     {Status: 500, Body: `{"detail":"null","status":"500"}`},
		"502":                     {Status: 502, Body: "<html>"},
		"503":                     {Status: 503},
		"504 with HTML":           {Status: 504, Body: "<html>"},
		"200 with HTML":           {Status: 200, Body: "<html>sign in</html>"},
		"200 with nothing":        {Status: 200},
		"a reset":                 {Reset: true},
		"a cut body":              {Cut: true, CutAfter: 3000},
		"cut before the body":     {Cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			synctest.Test(t, func(t *testing.T) {
				o := free()
				var mu sync.Mutex
				n := 0
				o.Fault = func(r *http.Request) sandbox.Fault {
					mu.Lock()
					defer mu.Unlock()
					if n++; n%3 == 0 {
						return fault
					}
					return sandbox.Fault{}
				}
				s := sandbox.Pipe(t, tenant(350, 20, 0), o)
				base := s.Transport()
				defer base.CloseIdleConnections()
				config := to(s.URL)
				config.Transport = base
				c, err := Open(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				r, records := listed(t.Context(), c, audit.DatabricksUsers)
				if !r.Complete || len(records) != 350 {
					t.Errorf("%d records, %+v", len(records), r)
				}
				var ids []string
				for i := range 20 {
					ids = append(ids, fmt.Sprintf("2%d", 1000+i))
				}
				if r, records := listed(t.Context(), c, audit.DatabricksMembers, ids...); !r.Complete || len(records) != 20 {
					t.Errorf("%d members, %+v", len(records), r)
				}
			})
		})
	}
}

// What keeps failing makes the reading incomplete, in minutes at most, and says
// what to do.
func TestListGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		fault sandbox.Fault
		want  string
	}{
		"429 for ever":        {sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"60"}}}, "rate limit"},
		"429 for a day":       {sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"86400"}}}, "run again later"},
		"500 for ever":        {sandbox.Fault{Status: 500}, "answered 500"},
		"HTML for ever":       {sandbox.Fault{Status: 200, Body: "<html>"}, "HTML where JSON was expected"},
		"resets for ever":     {sandbox.Fault{Reset: true}, "failed 9 times"},
		"cut bodies for ever": {sandbox.Fault{Cut: true, CutAfter: 9}, "was cut"},
		"403":                 {sandbox.Fault{Status: 403, Body: `{"detail":"not an admin","status":"403"}`}, "status 403 (not an admin): give whoever signs in the account admin role"},
		"404":                 {sandbox.Fault{Status: 404, Body: `{"message":"no such endpoint"}`}, "status 404 (no such endpoint): check the account id"},
		"400":                 {sandbox.Fault{Status: 400, Body: `{"detail":"bad attributes","status":"400"}`}, "status 400 (bad attributes): try the other version"},
		"401":                 {sandbox.Fault{Status: 401}, "status 401"},
		"an error with 200":   {sandbox.Fault{Status: 200, Body: `{"detail":"no","status":"500"}`}, "without Resources and totalResults"},
		"an array":            {sandbox.Fault{Status: 200, Body: `[]`}, "found an array"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			synctest.Test(t, func(t *testing.T) {
				o := free()
				n := 0
				o.Fault = func(r *http.Request) sandbox.Fault {
					if strings.HasSuffix(r.URL.Path, "/Users") {
						if n++; n > 2 {
							return test.fault
						}
					}
					return sandbox.Fault{}
				}
				s := sandbox.Pipe(t, tenant(350, 0, 0), o)
				base := s.Transport()
				defer base.CloseIdleConnections()
				config := to(s.URL)
				config.Transport = base
				c, err := Open(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				r, records := listed(t.Context(), c, audit.DatabricksUsers)
				if took := time.Since(start); took > 7*time.Minute {
					t.Errorf("took %v", took)
				}
				if r.Complete || len(records) != 199 || r.Received != 199 || r.Expected != 350 {
					t.Errorf("%d records, %+v", len(records), r)
				}
				if !strings.Contains(r.Reason, test.want) {
					t.Errorf("reason %q, want %q in it", r.Reason, test.want)
				}
			})
		})
	}
}

// PITFALL: a context that ends during back-off surfaces as the 429.
func TestListObeysContext(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		o := free()
		o.Fault = func(r *http.Request) sandbox.Fault {
			if strings.HasSuffix(r.URL.Path, "/Users") {
				return sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"30"}}}
			}
			return sandbox.Fault{}
		}
		s := sandbox.Pipe(t, tenant(1, 0, 0), o)
		base := s.Transport()
		defer base.CloseIdleConnections()
		config := to(s.URL)
		config.Transport = base
		var waited []string
		config.Waiting = func(reason string) { waited = append(waited, reason) }
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errors.New("interrupted")) })
		start := time.Now()
		r, _ := listed(ctx, c, audit.DatabricksUsers)
		if time.Since(start) > time.Second || r.Complete || !strings.Contains(r.Reason, "interrupted") {
			t.Errorf("after %v: %+v", time.Since(start), r)
		}
		if len(waited) == 0 || !strings.Contains(waited[0], "rate limit") {
			t.Errorf("waited %q", waited)
		}
	})
}

// PITFALL: the SDK does not drop a token that the directory refuses, such as
// one that expired by the directory's clock, or was revoked.
func TestListRenewsToken(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	o := free()
	o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	n := 0
	o.Fault = func(r *http.Request) sandbox.Fault {
		if strings.HasSuffix(r.URL.Path, "/Users") {
			if n++; n == 2 {
				mu.Lock()
				now = now.Add(2 * time.Hour)
				mu.Unlock()
			}
		}
		return sandbox.Fault{}
	}
	c, s := open(t, tenant(350, 0, 0), o)
	r, records := listed(t.Context(), c, audit.DatabricksUsers)
	if !r.Complete || len(records) != 350 {
		t.Errorf("%d records, %+v", len(records), r)
	}
	if n := s.Requests()["POST /oidc/accounts/{account}/v1/token"]; n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// A token that is refused although it is good is replaced by another, which may
// be refused as well.
func TestListSurvivesRefusedTokens(t *testing.T) {
	o := free()
	n := 0
	o.Fault = func(r *http.Request) sandbox.Fault {
		if strings.HasSuffix(r.URL.Path, "/Users") {
			if n++; n == 2 || n == 3 {
				return sandbox.Fault{Status: 401}
			}
		}
		return sandbox.Fault{}
	}
	c, _ := open(t, tenant(350, 0, 0), o)
	if r, records := listed(t.Context(), c, audit.DatabricksUsers); !r.Complete || len(records) != 350 {
		t.Errorf("%d records, %+v", len(records), r)
	}
}

// A secret that is withdrawn during the run is said to be so.
func TestListSaysThatSignInEnded(t *testing.T) {
	withdrawn := false
	o := free()
	o.Fault = func(r *http.Request) sandbox.Fault {
		switch {
		case strings.HasSuffix(r.URL.Path, "/Users"):
			withdrawn = true
			return sandbox.Fault{Status: 401, Body: `{"error_code":401,"message":"token is revoked"}`}
		case withdrawn && strings.HasSuffix(r.URL.Path, "/token"):
			return sandbox.Fault{Status: 401, Body: `{"error":"invalid_client"}`}
		}
		return sandbox.Fault{}
	}
	c, _ := open(t, tenant(1, 0, 0), o)
	r, _ := listed(t.Context(), c, audit.DatabricksUsers)
	if r.Complete || !strings.Contains(r.Reason, "refused the sign-in with 401 (invalid_client)") {
		t.Errorf("%+v", r)
	}
}
