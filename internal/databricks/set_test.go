package databricks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/google/go-cmp/cmp"
)

var (
	user             = audit.Subject{Kind: audit.DatabricksUserKind, ID: "1000"}
	group            = audit.Subject{Kind: audit.DatabricksGroupKind, ID: "21000"}
	servicePrincipal = audit.Subject{Kind: audit.DatabricksServicePrincipalKind, ID: "31000"}
)

// writer opens a client that may write, over connections in memory.
func writer(t *testing.T, o sandbox.Options) (*Client, *sandbox.Running) {
	t.Helper()
	s := sandbox.Pipe(t, tenant(3, 3, 3), o)
	base := s.Transport()
	t.Cleanup(base.CloseIdleConnections)
	config := to(s.URL)
	config.Transport, config.Write = base, true
	c, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// patches counts the changes that arrived.
func patches(s *sandbox.Running) int {
	n := 0
	for call, times := range s.Requests() {
		if strings.HasPrefix(call, "PATCH ") {
			n += times
		}
	}
	return n
}

// onPatch meets the first PATCH with the fault.
func onPatch(f sandbox.Fault) sandbox.Options {
	o := free()
	met := false
	o.Fault = func(r *http.Request) sandbox.Fault {
		if r.Method != http.MethodPatch || met {
			return sandbox.Fault{}
		}
		met = true
		return f
	}
	return o
}

func TestSet(t *testing.T) {
	for _, test := range []struct {
		target       audit.Subject
		field, value string
		want         sandbox.Write
	}{
		{user, "externalId", "00u1", sandbox.Write{Target: user, Field: "externalId", To: "00u1"}},
		{user, "externalId", `"é<&> ` + "\u2028", sandbox.Write{Target: user, Field: "externalId", To: `"é<&> ` + "\u2028"}},
		{user, "name.givenName", "Ana", sandbox.Write{Target: user, Field: "name.givenName", To: "Ana"}},
		{user, "name.familyName", "", sandbox.Write{Target: user, Field: "name.familyName"}},
		{user, "active", "false", sandbox.Write{Target: user, Field: "active", To: "false"}},
		{user, "active", "true", sandbox.Write{Target: user, Field: "active", To: "true"}},
		{group, "externalId", "00g1", sandbox.Write{Target: group, Field: "externalId", To: "00g1"}},
		{servicePrincipal, "externalId", "0oa1", sandbox.Write{Target: servicePrincipal, Field: "externalId", To: "0oa1"}},
	} {
		t.Run(fmt.Sprintf("%s %s", test.target, test.field), func(t *testing.T) {
			alone(t)
			synctest.Test(t, func(t *testing.T) {
				c, s := writer(t, free())
				if err := c.Set(t.Context(), test.target, test.field, test.value); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]sandbox.Write{test.want}, s.Writes()); diff != "" || patches(s) != 1 {
					t.Errorf("%d changes were sent; they differ (-want +got): %s", patches(s), diff)
				}
				if got, found, err := c.Value(t.Context(), test.target, test.field); got.Value != test.value || !found || err != nil {
					t.Errorf("read %+v, %v, %v", got, found, err)
				}
			})
		})
	}
}

// What SCIM has for a value that goes away is a removal.
func TestSetClearsGroups(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		var sent string
		o := free()
		o.Fault = func(r *http.Request) sandbox.Fault {
			if r.Method == http.MethodPatch {
				body, _ := io.ReadAll(r.Body)
				sent = string(body)
				r.Body = io.NopCloser(strings.NewReader(sent))
			}
			return sandbox.Fault{}
		}
		c, s := writer(t, o)
		if err := s.Change(group, "externalId", "00gold"); err != nil {
			t.Fatal(err)
		}
		if err := c.Set(t.Context(), group, "externalId", ""); err != nil {
			t.Fatal(err)
		}
		want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"externalId"}]}`
		if sent != want {
			t.Errorf("sent %s\nwant %s", sent, want)
		}
		if diff := cmp.Diff([]sandbox.Write{{Target: group, Field: "externalId", From: "00gold"}}, s.Writes()); diff != "" {
			t.Error(diff)
		}
	})
}

// The fault matrix: one PATCH is sent whatever is answered, and the error tells
// what is certain from what is not.
func TestSetFaults(t *testing.T) {
	const (
		fine    = "fine"
		refused = "refused"
		unknown = "unknown"
	)
	detail := func(status int) string {
		return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"told so","status":"%d"}`, status)
	}
	for name, test := range map[string]struct {
		fault sandbox.Fault
		want  string
		says  string
	}{
		"200, not stored":        {sandbox.Fault{Lost: true}, fine, ""},
		"200 with nothing":       {sandbox.Fault{Status: 200, After: true}, fine, ""},
		"204":                    {sandbox.Fault{Status: 204, After: true}, fine, ""},
		"200 with HTML":          {sandbox.Fault{Status: 200, Body: "<html>sign in</html>"}, unknown, "HTML where JSON was expected"},
		"200 with HTML, stored":  {sandbox.Fault{Status: 200, Body: "<html>sign in</html>", After: true}, unknown, "HTML"},
		"200 about another":      {sandbox.Fault{Status: 200, Body: `{"id":"7"}`}, unknown, `but with {"id":"7"}`},
		"200 with an error":      {sandbox.Fault{Status: 200, Body: `{"detail":"no","status":"500"}`}, unknown, "answered as a success"},
		"200 with a list":        {sandbox.Fault{Status: 200, Body: `[]`}, unknown, "answered as a success"},
		"a cut body":             {sandbox.Fault{Cut: true, CutAfter: 9}, unknown, "was cut"},
		"cut before the body":    {sandbox.Fault{Cut: true}, unknown, "was cut"},
		"400":                    {sandbox.Fault{Status: 400, Body: detail(400)}, refused, "status 400 (told so)"},
		"400 with HTML":          {sandbox.Fault{Status: 400, Body: "<html>"}, unknown, "status 400"},
		"400, cut":               {sandbox.Fault{Status: 400, Body: detail(400), Cut: true, CutAfter: 20}, unknown, "status 400"},
		"401":                    {sandbox.Fault{Status: 401, Body: `{"error_code":401,"message":"expired"}`}, refused, "status 401 (expired)"},
		"401 with nothing":       {sandbox.Fault{Status: 401}, unknown, "status 401"},
		"403":                    {sandbox.Fault{Status: 403, Body: `{"error_code":"PERMISSION_DENIED","message":"no"}`}, refused, "status 403 (no)"},
		"403 of a proxy":         {sandbox.Fault{Status: 403, Body: "<html>Forbidden</html>"}, unknown, "status 403"},
		"404":                    {sandbox.Fault{Status: 404, Body: detail(404)}, refused, "status 404"},
		"408":                    {sandbox.Fault{Status: 408, Body: detail(408)}, unknown, "status 408"},
		"409":                    {sandbox.Fault{Status: 409, Body: detail(409)}, refused, "status 409"},
		"412":                    {sandbox.Fault{Status: 412, Body: detail(412)}, refused, "status 412"},
		"413":                    {sandbox.Fault{Status: 413, Body: detail(413)}, refused, "status 413"},
		"429":                    {sandbox.Fault{Status: 429, Body: detail(429)}, refused, "status 429"},
		"429 with Retry-After":   {sandbox.Fault{Status: 429, Body: detail(429), Header: http.Header{"Retry-After": {"7"}}}, refused, "status 429"},
		"429, stored":            {sandbox.Fault{Status: 429, Body: detail(429), After: true}, refused, "status 429"},
		"500":                    {sandbox.Fault{Status: 500, Body: detail(500)}, unknown, "status 500 (told so)"},
		"500, stored":            {sandbox.Fault{Status: 500, Body: detail(500), After: true}, unknown, "status 500"},
		"502":                    {sandbox.Fault{Status: 502, Body: "<html>"}, unknown, "status 502"},
		"502, stored":            {sandbox.Fault{Status: 502, Body: "<html>", After: true}, unknown, "status 502"},
		"503":                    {sandbox.Fault{Status: 503, Body: detail(503)}, unknown, "status 503"},
		"503 with Retry-After":   {sandbox.Fault{Status: 503, Header: http.Header{"Retry-After": {"2"}}}, unknown, "status 503"},
		"503, stored":            {sandbox.Fault{Status: 503, After: true}, unknown, "status 503"},
		"504 with HTML":          {sandbox.Fault{Status: 504, Body: "<html>"}, unknown, "status 504"},
		"a reset":                {sandbox.Fault{Reset: true}, unknown, "not known"},
		"a reset, stored":        {sandbox.Fault{Reset: true, After: true}, unknown, "not known"},
		"a redirect":             {sandbox.Fault{Status: 308, Header: http.Header{"Location": {"/api/2.1/accounts/" + sandbox.DatabricksAccountID + "/scim/v2/Users/1001"}}}, unknown, "redirect"},
		"a redirect to a GET":    {sandbox.Fault{Status: 303, Header: http.Header{"Location": {"/api/2.1/accounts/" + sandbox.DatabricksAccountID + "/scim/v2/Users/1000"}}}, unknown, "redirect"},
		"tokens that were ended": {sandbox.Fault{Revoke: true}, refused, "status 401 (Credential was not sent"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			synctest.Test(t, func(t *testing.T) {
				c, s := writer(t, onPatch(test.fault))
				err := c.Set(t.Context(), user, "externalId", "00u1")
				got := fine
				if err != nil {
					got = unknown
					if refusal, ok := errors.AsType[*Refused](err); ok {
						got = refused
						if !strings.Contains(refusal.Error(), fmt.Sprint(refusal.Status)) || !refusal.Refused() {
							t.Errorf("%#v", refusal)
						}
					}
					if !strings.Contains(err.Error(), test.says) {
						t.Errorf("error %q, want %q in it", err, test.says)
					}
				}
				if got != test.want || errors.As(err, new(*NotSent)) {
					t.Errorf("%s, want %s: %v", got, test.want, err)
				}
				if n := patches(s); n != 1 {
					t.Errorf("%d changes were sent", n)
				}
				stored := test.fault.After || test.fault.Cut && test.fault.Status == 0
				if (len(s.Writes()) == 1) != stored {
					t.Errorf("took effect: %+v, want %v", s.Writes(), stored)
				}
				// The client is as good as before.
				if err := c.Set(t.Context(), user, "externalId", "00u2"); err != nil || patches(s) != 2 {
					t.Errorf("the next change: %v, %d sent", err, patches(s))
				}
			})
		})
	}
}

// Nothing leaves that is known to be wrong beforehand.
func TestSetRefusesLocally(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		c, s := writer(t, free())
		for _, test := range []struct {
			target             audit.Subject
			field, value, want string
		}{
			{user, "userName", "b@example.com", "can't be set"},
			{user, "emails", "b@example.com", "can't be set"},
			{group, "active", "false", "can't be set"},
			{group, "displayName", "x", "can't be set"},
			{user, "externalId", "", "on groups alone"},
			{user, "externalId", " \t", "on groups alone"},
			{servicePrincipal, "externalId", "", "on groups alone"},
			{user, "active", "no", "expected true or false"},
			{audit.Subject{Kind: audit.OktaUserKind, ID: "00u1"}, "externalId", "x", "expected a user, group or service principal of Databricks"},
			{audit.Subject{Kind: audit.DatabricksWorkspaceKind, ID: "1"}, "externalId", "x", "expected a user, group"},
			{audit.Subject{Kind: audit.DatabricksUserKind, ID: "1000/../1001"}, "externalId", "x", "can't be part of a URL"},
			{audit.Subject{Kind: audit.DatabricksUserKind}, "externalId", "x", "can't be part of a URL"},
		} {
			err := c.Set(t.Context(), test.target, test.field, test.value)
			if !errors.As(err, new(*NotSent)) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v %s %q: %v", test.target, test.field, test.value, err)
			}
		}
		if patches(s) != 0 {
			t.Error("something was sent")
		}
	})
}

// A client that was not opened for writing sends no change, whoever asks for it.
func TestAuditNeverWrites(t *testing.T) {
	c, s := open(t, tenant(3, 3, 3), free())
	for _, target := range []audit.Subject{user, group, servicePrincipal} {
		err := c.Set(t.Context(), target, "externalId", "x")
		if !errors.As(err, new(*NotSent)) || !strings.Contains(err.Error(), "is not among the permitted requests") {
			t.Errorf("%v", err)
		}
		_, path, err := c.locate(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"PATCH", "PUT", "POST", "DELETE"} {
			if err := c.current().api.Do(t.Context(), method, path, nil, nil, map[string]any{}, nil); err == nil {
				t.Errorf("%s %s was sent", method, path)
			}
		}
	}
	if n := patches(s); n != 0 || len(s.Refused()) != 0 {
		t.Errorf("%d changes were sent, %+v refused", n, s.Refused())
	}
}

// One that was sends nothing else, and no change past Set.
func TestWriterSendsSetsAlone(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		c, s := writer(t, free())
		_, path, _ := c.locate(user)
		for _, method := range []string{"PATCH", "PUT", "POST", "DELETE"} {
			if err := c.current().api.Do(t.Context(), method, path, nil, nil, map[string]any{}, nil); err == nil {
				t.Errorf("%s was sent", method)
			}
		}
		if err := c.current().api.Do(t.Context(), "PATCH", c.scim(users), nil, nil, map[string]any{}, nil); err == nil {
			t.Error("PATCH of a list was sent")
		}
		if patches(s) != 0 {
			t.Errorf("sent %v", s.Requests())
		}
	})
}

// A change that could not leave is told from one whose answer was lost.
func TestSetNotSent(t *testing.T) {
	alone(t)
	stop := errors.New("interrupted")
	patchesBy := func(answer roundTrip) *Client {
		s := sandbox.Start(t, tenant(1, 0, 0), free())
		config := to(s.URL)
		config.Write = true
		config.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch {
				return answer(r)
			}
			return http.DefaultTransport.RoundTrip(r)
		})
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("nobody listens", func(t *testing.T) {
		c := patchesBy(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		})
		if err := c.Set(t.Context(), user, "externalId", "x"); !errors.As(err, new(*NotSent)) {
			t.Error(err)
		}
	})
	t.Run("broken while it was written", func(t *testing.T) {
		n := 0
		c := patchesBy(func(*http.Request) (*http.Response, error) {
			n++
			return nil, &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
		})
		if err := c.Set(t.Context(), user, "externalId", "x"); errors.As(err, new(*NotSent)) || errors.As(err, new(*Refused)) || err == nil || n != 1 {
			t.Errorf("%v, %d sent", err, n)
		}
	})
	t.Run("interrupted before", func(t *testing.T) {
		c := patchesBy(func(*http.Request) (*http.Response, error) {
			t.Error("sent")
			return nil, stop
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		if err := c.Set(ctx, user, "externalId", "x"); !errors.As(err, new(*NotSent)) || !errors.Is(err, stop) {
			t.Error(err)
		}
	})
	t.Run("interrupted while under way", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		n := 0
		c := patchesBy(func(r *http.Request) (*http.Response, error) {
			n++
			cancel(stop)
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		if err := c.Set(ctx, user, "externalId", "x"); errors.As(err, new(*NotSent)) || errors.As(err, new(*Refused)) || err == nil || n != 1 {
			t.Errorf("%v, %d sent", err, n)
		}
	})
	t.Run("no sign-in", func(t *testing.T) {
		now := time.Now()
		o := free()
		o.Now = func() time.Time { return now }
		closed := false
		o.Fault = func(r *http.Request) sandbox.Fault {
			switch {
			case closed && strings.HasSuffix(r.URL.Path, "/token"):
				return sandbox.Fault{Status: 401, Body: `{"error":"invalid_client"}`}
			case r.Method == http.MethodPatch:
				closed = true
				return sandbox.Fault{Revoke: true}
			}
			return sandbox.Fault{}
		}
		s := sandbox.Start(t, tenant(1, 0, 0), o)
		config := to(s.URL)
		config.Write = true
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		// The first is refused, and so is the new sign-in.
		if err := c.Set(t.Context(), user, "externalId", "x"); !errors.As(err, new(*Refused)) {
			t.Error(err)
		}
		if _, err := c.Get(t.Context(), user); err == nil || !strings.Contains(err.Error(), "invalid_client") {
			t.Error(err)
		}
		if patches(s) != 1 {
			t.Errorf("%d sent", patches(s))
		}
	})
}

// No answer at all is not waited for without end.
func TestSetGivesUpWaiting(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.Pipe(t, tenant(1, 0, 0), free())
		base := s.Transport()
		defer base.CloseIdleConnections()
		config := to(s.URL)
		config.Write = true
		n := 0
		config.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch {
				n++
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return base.RoundTrip(r)
		})
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err = c.Set(t.Context(), user, "externalId", "x")
		if err == nil || !strings.Contains(err.Error(), "no complete answer within 1m0s") || errors.As(err, new(*NotSent)) || n != 1 {
			t.Errorf("%v, %d sent", err, n)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// Changes keep to their own rate, and rest when they are told to.
func TestSetPace(t *testing.T) {
	for name, test := range map[string]struct {
		fault    sandbox.Fault
		rate     float64
		min, max time.Duration // between the two changes
	}{
		"nothing wrong":        {sandbox.Fault{}, 0, 500 * time.Millisecond, 520 * time.Millisecond},
		"429":                  {sandbox.Fault{Status: 429}, 1e6, 500 * time.Millisecond, time.Second},
		"429 with Retry-After": {sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}}, 1e6, 7 * time.Second, 8 * time.Second},
		"503 with Retry-After": {sandbox.Fault{Status: 503, Header: http.Header{"Retry-After": {"9"}}}, 1e6, 9 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				o := onPatch(test.fault)
				fault := o.Fault
				o.Fault = func(r *http.Request) sandbox.Fault {
					if r.Method == http.MethodPatch {
						at = append(at, time.Now())
					}
					return fault(r)
				}
				s := sandbox.Pipe(t, tenant(3, 0, 0), o)
				base := s.Transport()
				defer base.CloseIdleConnections()
				config := to(s.URL)
				config.Transport, config.Write, config.WriteRate = base, true, test.rate
				c, err := Open(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.Set(t.Context(), user, "externalId", "a")
				if err := c.Set(t.Context(), user, "externalId", "b"); err != nil {
					t.Fatal(err)
				}
				if d := at[1].Sub(at[0]); d < test.min || d > test.max {
					t.Errorf("the second change came after %v, want %v to %v", d, test.min, test.max)
				}
			})
		})
	}
}

// A turn is waited for beforehand, and used by one change.
func TestTurn(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.Pipe(t, tenant(3, 0, 0), onPatch(sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: `{"detail":"slow"}`}))
		base := s.Transport()
		defer base.CloseIdleConnections()
		config := to(s.URL)
		config.Transport, config.Write, config.WriteRate = base, true, 1
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		expect := func(what string, after time.Duration, sent int) {
			t.Helper()
			if d := time.Since(start); d < after || d > after+100*time.Millisecond || patches(s) != sent {
				t.Errorf("%s: after %v, want %v; %d sent, want %d", what, d, after, patches(s), sent)
			}
		}
		turn := func() {
			t.Helper()
			if err := c.Turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		turn()
		turn()
		expect("two turns", time.Second, 0)
		refused, ok := errors.AsType[*Refused](c.Set(t.Context(), user, "externalId", "a"))
		if !ok || !refused.Again() {
			t.Fatalf("%v", refused)
		}
		expect("the first change", time.Second, 1)
		unsent, ok := errors.AsType[*NotSent](c.Set(t.Context(), user, "externalId", "a"))
		if !ok || !unsent.Again() {
			t.Fatalf("%v", unsent)
		}
		expect("a change during the rest", time.Second, 1)
		turn()
		expect("the rest", 8*time.Second, 1)
		if err := c.Set(t.Context(), user, "externalId", "a"); err != nil {
			t.Fatal(err)
		}
		expect("a change after it", 8*time.Second, 2)
		if err := c.Set(t.Context(), user, "externalId", "b"); err != nil {
			t.Fatal(err)
		}
		expect("a change without a turn", 9*time.Second, 3)

		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		cancel(stop)
		if err := c.Turn(ctx); !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
	})
}

// At a raised rate nearly all of it is used, and the directory refuses nothing.
func TestSetRate(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		o := sandbox.Options{Rates: sandbox.NoLimits()}
		o.Rates["databricks write"] = sandbox.Rate{N: 50, Per: time.Second}
		s := sandbox.Pipe(t, tenant(3, 0, 0), o)
		base := s.Transport()
		defer base.CloseIdleConnections()
		config := to(s.URL)
		config.Transport, config.Write, config.WriteRate = base, true, 50
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		const n = 500
		for i := range n {
			if err := c.Set(t.Context(), user, "externalId", fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		if rate := n / time.Since(start).Seconds(); rate < 0.95*50 {
			t.Errorf("%.1f changes a second", rate)
		}
	})
}

func TestGet(t *testing.T) {
	alone(t)
	tn := tenant(1, 1, 1)
	tn.Databricks.Users = append(tn.Databricks.Users,
		json.RawMessage(`{"id":7,"userName":"Ana@Example.com","active":"FALSE","externalId":null,"emails":"ana@example.com"}`),
		json.RawMessage(`{"id":"8","userName":{"no":"text"}}`))
	s := sandbox.Start(t, tn, free())
	c, err := Open(t.Context(), to(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	seven := audit.Subject{Kind: audit.DatabricksUserKind, ID: "7"}
	for target, want := range map[audit.Subject]any{
		user:             audit.DatabricksUser{ID: "1000", UserName: "u1000@example.com", Active: true},
		group:            audit.DatabricksGroup{ID: "21000", DisplayName: "g1000", ResourceType: "Group"},
		servicePrincipal: audit.DatabricksServicePrincipal{ID: "31000", ApplicationID: "a1000", Active: true},
		seven: audit.DatabricksUser{ID: "7", UserName: "Ana@Example.com",
			Emails: audit.NewValues(audit.Value{Value: "ana@example.com"})},
	} {
		got, err := c.Get(t.Context(), target)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v: %v, differs (-want +got): %s", target, err, diff)
		}
	}
	for target, want := range map[audit.Subject]string{
		{Kind: audit.DatabricksUserKind, ID: "9"}:     "databricks:user:9: the account has no such object",
		{Kind: audit.DatabricksGroupKind, ID: "1000"}: "no such object",
		{Kind: audit.DatabricksUserKind, ID: "8"}:     "can't be decoded: user 8: field userName: expected text",
		{Kind: audit.DatabricksUserKind, ID: ".."}:    "can't be part of a URL",
		{Kind: audit.OktaGroupKind, ID: "1"}:          "expected a user, group or service principal",
	} {
		_, err := c.Get(t.Context(), target)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrNotFound) != strings.Contains(want, "no such object") {
			t.Errorf("%v: %v", target, err)
		}
	}
	if v, found, err := c.Value(t.Context(), seven, "active"); v.Value != "false" || v.Name == "" || !found || err != nil {
		t.Errorf("%+v, %v, %v", v, found, err)
	}
	if v, found, err := c.Value(t.Context(), audit.Subject{Kind: audit.DatabricksUserKind, ID: "9"}, "active"); v != (Value{}) || found || err != nil {
		t.Errorf("%+v, %v, %v", v, found, err)
	}
	if _, _, err := c.Value(t.Context(), group, "active"); err == nil {
		t.Error("a group has no active")
	}
}

// An answer about someone else is not taken for one.
func TestGetAnother(t *testing.T) {
	o := free()
	o.Fault = func(r *http.Request) sandbox.Fault {
		if strings.HasSuffix(r.URL.Path, "/Users/1000") {
			return sandbox.Fault{Status: 200, Body: `{"id":"1001","userName":"u1001@example.com"}`}
		}
		return sandbox.Fault{}
	}
	c, _ := open(t, tenant(2, 0, 0), o)
	if _, err := c.Get(t.Context(), user); err == nil || !strings.Contains(err.Error(), "the answer is about 1001") {
		t.Error(err)
	}
}

// Reading one object survives what passes, as lists do.
func TestGetSurvives(t *testing.T) {
	alone(t)
	for name, fault := range map[string]sandbox.Fault{
		"429":           {Status: 429, Header: http.Header{"Retry-After": {"3"}}},
		"503":           {Status: 503},
		"200 with HTML": {Status: 200, Body: "<html>"},
		"a reset":       {Reset: true},
		"ended tokens":  {Revoke: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := free()
				met := false
				o.Fault = func(r *http.Request) sandbox.Fault {
					if !met && strings.HasSuffix(r.URL.Path, "/Users/1000") {
						met = true
						return fault
					}
					return sandbox.Fault{}
				}
				c, _ := writer(t, o)
				if _, err := c.Get(t.Context(), user); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What Set tells of an answer comes from the answer, not from what the SDK
// makes of it; no secret comes along.
func TestSetHidesSecrets(t *testing.T) {
	alone(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"detail":"%s","status":"400"}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			return
		}
		fmt.Fprint(w, `{"totalResults":0,"Resources":[]}`)
	}))
	defer server.Close()
	c, err := Open(t.Context(), Config{Host: server.URL, AccountID: sandbox.DatabricksAccountID, Token: "dapi-nobody", Write: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set(t.Context(), user, "externalId", "x"); err == nil || !strings.Contains(err.Error(), "status 400 (***)") {
		t.Error(err)
	}
}

// Whoever above would repeat a change, it leaves once.
func TestOnce(t *testing.T) {
	n := 0
	o := once{roundTrip(func(*http.Request) (*http.Response, error) {
		n++
		return nil, errors.New("connection reset")
	})}
	ctx := context.WithValue(t.Context(), sendingKey{}, &sending{})
	for range 3 {
		if _, err := o.RoundTrip(httptest.NewRequestWithContext(ctx, http.MethodPatch, "/x", nil)); err == nil {
			t.Error("no error")
		}
	}
	if n != 1 {
		t.Errorf("%d sent", n)
	}
}
