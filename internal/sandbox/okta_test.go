package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/google/go-cmp/cmp"
)

// A reply is an answer that was read whole.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// get reads path with the API token.
func get(t *testing.T, s *sandbox.Running, path string, header ...string) reply {
	t.Helper()
	return send(t, s, "GET", path, "", append([]string{"Authorization", "SSWS " + sandbox.OktaAPIToken}, header...)...)
}

// send sends one request with header lines given as name, value, ….
func send(t *testing.T, s *sandbox.Running, method, path, body string, header ...string) reply {
	t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = s.URL + path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	transport := s.Transport()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// ids returns the ids that a list has.
func (r reply) ids(t *testing.T) []string {
	t.Helper()
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(r.Body), &list); r.Status != 200 || err != nil {
		t.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
	ids := []string{}
	for _, o := range list {
		ids = append(ids, o.ID)
	}
	return ids
}

// next returns the link to the next page, or nothing.
func (r reply) next() string {
	for _, line := range r.Header.Values("Link") {
		if m := regexp.MustCompile(`^<([^>]*)>; rel="next"$`).FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}

// errorCode returns the code of an error in either of Okta's forms.
func (r reply) errorCode() string {
	var e struct{ ErrorCode, Error string }
	_ = json.Unmarshal([]byte(r.Body), &e)
	return e.ErrorCode + e.Error
}

// everyID follows the links from path to the end.
func everyID(t *testing.T, s *sandbox.Running, path string) (ids []string, pages int) {
	t.Helper()
	for path != "" {
		r := get(t, s, path)
		ids = append(ids, r.ids(t)...)
		pages++
		path = r.next()
	}
	return ids, pages
}

func TestOktaListings(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(450), sandbox.Options{Rates: sandbox.NoLimits()})
	for _, test := range []struct {
		name, path string
		ids, pages int
	}{
		{"no parameters leave DEPROVISIONED out", "/api/v1/users", 405, 3},
		{"a limit above 200 is 200", "/api/v1/users?limit=1000", 405, 3},
		{"small pages", "/api/v1/users?limit=100", 405, 5},
		{"a filter has DEPROVISIONED", "/api/v1/users?filter=" + url.QueryEscape(`status eq "DEPROVISIONED"`), 45, 1},
		{"a filter's values have letter case", "/api/v1/users?filter=" + url.QueryEscape(`status eq "Deprovisioned"`), 0, 1},
		{"a search's values have none", "/api/v1/users?search=" + url.QueryEscape(`status eq "Deprovisioned"`), 45, 1},
		{"a search has all", "/api/v1/users?search=" + url.QueryEscape(`status pr`), 450, 3},
		{"sw", "/api/v1/users?search=" + url.QueryEscape(`profile.login sw "USER44"`), 11, 1},
		{"and before or", "/api/v1/users?search=" + url.QueryEscape(`id eq "00u1" or id eq "00u2" and status eq "X"`), 1, 1},
		{"parentheses", "/api/v1/users?search=" + url.QueryEscape(`(id eq "00u1" or id eq "00u2") and status eq "ACTIVE"`), 2, 1},
		{"q", "/api/v1/users?q=user1", 111, 12},
		{"groups", "/api/v1/groups", 1, 1},
		{"groups by name", "/api/v1/groups?q=none", 0, 1},
		{"groups by time", "/api/v1/groups?filter=" + url.QueryEscape(`lastMembershipUpdated gt "2100-01-01T00:00:00.000Z"`), 0, 1},
		{"members, DEPROVISIONED ones too", "/api/v1/groups/00gall/users?limit=200", 450, 3},
		{"members without a limit", "/api/v1/groups/00gall/users", 450, 1},
		{"apps", "/api/v1/apps", 1, 1},
		{"app users", "/api/v1/apps/0oasso/users", 450, 9},
		{"app users, many a page", "/api/v1/apps/0oasso/users?limit=500", 450, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			ids, pages := everyID(t, s, test.path)
			if len(ids) != test.ids || pages != test.pages {
				t.Errorf("%d objects on %d pages, want %d on %d", len(ids), pages, test.ids, test.pages)
			}
			slices.Sort(ids)
			if len(slices.Compact(ids)) != test.ids {
				t.Error("an object is there twice")
			}
		})
	}
}

// Half-open windows of created cut the users into parts that miss nobody.
func TestOktaWindows(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(450), sandbox.Options{Rates: sandbox.NoLimits()})
	var all []string
	for year := 2017; year <= 2026; year++ {
		search := fmt.Sprintf(`created ge "%d-01-01T00:00:00.000Z" and created lt "%d-01-01T00:00:00.000Z"`, year, year+1)
		ids, _ := everyID(t, s, "/api/v1/users?limit=20&sortBy=created&search="+url.QueryEscape(search))
		all = append(all, ids...)
	}
	slices.Sort(all)
	if len(all) != 450 || len(slices.Compact(all)) != 450 {
		t.Errorf("the windows have %d users, want 450, each once", len(all))
	}
}

// The ends of windows are exact to the millisecond.
func TestOktaComparisons(t *testing.T) {
	const made = "2021-05-06T07:08:09.123Z"
	tenant := &sandbox.Tenant{Okta: sandbox.OktaTenant{Users: []json.RawMessage{
		json.RawMessage(`{"id":"00u1","created":"` + made + `","lastUpdated":"` + made + `","profile":{"n":"5"}}`),
	}}}
	s := sandbox.Start(t, tenant, sandbox.Options{Rates: sandbox.NoLimits()})
	for op, want := range map[string][3]int{ // before, at and after the time
		"eq": {0, 1, 0}, "gt": {1, 0, 0}, "ge": {1, 1, 0}, "lt": {0, 0, 1}, "le": {0, 1, 1},
	} {
		for i, at := range []string{"2021-05-06T07:08:09.122Z", "2021-05-06T09:08:09.123+02:00", "2021-05-06T07:08:09.124Z"} {
			for _, path := range []string{"created", "lastUpdated"} {
				ids := get(t, s, "/api/v1/users?search="+url.QueryEscape(fmt.Sprintf("%s %s %q", path, op, at))).ids(t)
				if len(ids) != want[i] {
					t.Errorf("%s %s %s: %d users, want %d", path, op, at, len(ids), want[i])
				}
			}
		}
		for i, value := range []string{"4", "5", "6"} {
			ids := get(t, s, "/api/v1/users?search="+url.QueryEscape(fmt.Sprintf("profile.n %s %q", op, value))).ids(t)
			if len(ids) != want[i] {
				t.Errorf("profile.n %s %s: %d users, want %d", op, value, len(ids), want[i])
			}
		}
	}
}

func TestOktaSort(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(30), sandbox.Options{})
	up, _ := everyID(t, s, "/api/v1/users?limit=7&sortBy=lastUpdated&search="+url.QueryEscape("id pr"))
	down, _ := everyID(t, s, "/api/v1/users?limit=7&sortBy=lastUpdated&sortOrder=desc&search="+url.QueryEscape("id pr"))
	slices.Reverse(down)
	if diff := cmp.Diff(up, down); diff != "" || len(up) != 30 {
		t.Errorf("%d users; up and down differ: %s", len(up), diff)
	}
}

// A listed user has what Okta lists, and what the tenant says byte for byte.
func TestOktaUser(t *testing.T) {
	odd := `{"id":"00u1","status":"ACTIVE", "profile":{"login":"a@example.com","Login":7,"login":"b@example.com","x":"` + "\xff" + `"}`
	tenant := &sandbox.Tenant{Okta: sandbox.OktaTenant{Users: []json.RawMessage{json.RawMessage(odd + "}")}}}
	s := sandbox.Start(t, tenant, sandbox.Options{})
	r := get(t, s, "/api/v1/users")
	if !strings.HasPrefix(r.Body, "["+odd+",") {
		t.Errorf("listed as %q, want it to begin as in the tenant", r.Body)
	}
	for _, name := range []string{"created", "activated", "statusChanged", "lastLogin", "lastUpdated", "passwordChanged", "type", "credentials", "_links"} {
		if !strings.Contains(r.Body, `"`+name+`":`) {
			t.Errorf("%s is missing", name)
		}
	}
	if r := get(t, s, "/api/v1/users", "Content-Type", "application/json; okta-response=omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"); strings.Contains(r.Body, `"credentials"`) {
		t.Errorf("credentials are there although omitted: %s", r.Body)
	}
	if one := get(t, s, "/api/v1/users/00u1"); "["+one.Body+"]" != r.Body {
		t.Errorf("read as %s", one.Body)
	}
	if r := get(t, s, "/api/v1/users/nobody"); r.Status != 404 || r.errorCode() != "E0000007" {
		t.Errorf("nobody: %d %s", r.Status, r.Body)
	}
}

func TestOktaFields(t *testing.T) {
	const path = "/api/v1/users?limit=1&fields=" + "id,status,profile:(login,email)"
	s := sandbox.Start(t, oktaTenant(2), sandbox.Options{})
	r := get(t, s, path)
	if want := `[{"id":"00u0","status":"ACTIVE","profile":{"login":"user0@example.com","email":"user0@example.com"}}]`; r.Body != want {
		t.Errorf("projected to %s, want %s", r.Body, want)
	}
	if next := get(t, s, r.next()); !strings.Contains(next.Body, `{"id":"00u1","status":"ACTIVE","profile":{"login"`) {
		t.Errorf("the next page is not projected: %s", next.Body)
	}
	if r := get(t, s, "/api/v1/users?fields=id,profile:(login"); r.Status != 400 {
		t.Errorf("an open parenthesis: %d", r.Status)
	}
	s = sandbox.Start(t, oktaTenant(2), sandbox.Options{OktaNoFields: true})
	if r := get(t, s, path); !strings.Contains(r.Body, `"created"`) {
		t.Errorf("an org without fields projects: %s", r.Body)
	}
}

// Links to this page and the next stand in header lines of their own.
func TestOktaLinks(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(20), sandbox.Options{})
	r := get(t, s, "/api/v1/users?limit=9")
	links := r.Header.Values("Link")
	if len(links) != 2 || links[0] != "<"+s.URL+`/api/v1/users?limit=9>; rel="self"` {
		t.Fatalf("links %q", links)
	}
	if next, err := url.Parse(r.next()); err != nil || next.Query().Get("limit") != "9" || next.Query().Get("after") == "" {
		t.Errorf("next %s", r.next())
	}
	s450 := sandbox.Start(t, oktaTenant(450), sandbox.Options{})
	if next, err := url.Parse(get(t, s450, "/api/v1/users?limit=1000").next()); err != nil || next.Query().Get("limit") != "200" {
		t.Errorf("next after a limit of 1000: %s, want a limit of 200", next)
	}
	other := strings.Replace(r.next(), "limit=9", "limit=9&filter="+url.QueryEscape(`status eq "ACTIVE"`), 1)
	for _, path := range []string{other, "/api/v1/users?after=2", "/api/v1/users?after=****", "/api/v1/users?limit=0", "/api/v1/users?limit=x"} {
		if r := get(t, s, path); r.Status != 400 || r.errorCode() != "E0000001" {
			t.Errorf("%s: %d %s, want 400 E0000001", path, r.Status, r.Body)
		}
	}
}

func TestOktaRefusesExpressions(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	for parameter, expressions := range map[string][]string{
		"search": {"x", `id`, `id eq`, `id eq x`, `id ne "1"`, `not (id pr)`, `created gt "yesterday"`, `(id pr`, `id pr)`, `id pr and`, `password pr`, `"id" pr`},
		"filter": {`profile.login sw "a"`, `created gt "2020-01-01T00:00:00.000Z"`, `profile.nick eq "x"`, `lastUpdated eq "x"`},
	} {
		for _, expression := range expressions {
			r := get(t, s, "/api/v1/users?"+parameter+"="+url.QueryEscape(expression))
			if r.Status != 400 || r.errorCode() != "E0000031" {
				t.Errorf("%s=%s: %d %s, want 400 E0000031", parameter, expression, r.Status, r.Body)
			}
		}
	}
	if r := get(t, s, "/api/v1/users?search=id+pr&sortBy=color"); r.Status != 400 {
		t.Errorf("sorting by an unknown attribute: %d", r.Status)
	}
}

func TestOktaGroupStats(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(12), sandbox.Options{})
	r := get(t, s, "/api/v1/groups?expand=stats")
	if !strings.Contains(r.Body, `"_embedded":{"stats":{"usersCount":12,`) {
		t.Errorf("no stats in %s", r.Body)
	}
}

// A window begins with its first request; when it ends, so does the limit.
func TestOktaRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		rates := map[string]sandbox.Rate{"okta users": {N: 2, Per: 10 * time.Second}}
		s := sandbox.Pipe(t, oktaTenant(1), sandbox.Options{Rates: rates, DateSkew: time.Hour})
		time.Sleep(500 * time.Millisecond)
		for i, want := range []struct {
			wait      time.Duration
			status    int
			remaining string
		}{{3 * time.Second, 200, "1"}, {4 * time.Second, 200, "0"}, {0, 429, "0"}, {5 * time.Second, 429, "0"}, {time.Second, 200, "1"}} {
			time.Sleep(want.wait)
			r := get(t, s, "/api/v1/users")
			if r.Status != want.status || r.Header.Get("X-Rate-Limit-Remaining") != want.remaining || r.Header.Get("X-Rate-Limit-Limit") != "2" {
				t.Errorf("request %d: %d %v, want %d with %s remaining", i, r.Status, r.Header, want.status, want.remaining)
			}
			if r.Status == 429 && r.errorCode() != "E0000047" {
				t.Errorf("request %d: %s", i, r.Body)
			}
			// The first window begins after 3.5 s and ends after 13.5 s: a whole second later.
			if reset := r.Header.Get("X-Rate-Limit-Reset"); i < 4 && reset != strconv.FormatInt(begin.Add(14*time.Second).Unix(), 10) {
				t.Errorf("request %d: reset %s", i, reset)
			}
			date, err := http.ParseTime(r.Header.Get("Date"))
			if err != nil || !date.Equal(time.Now().Add(time.Hour).Truncate(time.Second)) {
				t.Errorf("Date %s, want an hour ahead", r.Header.Get("Date"))
			}
		}
		if r := get(t, s, "/api/v1/groups"); r.Status != 200 {
			t.Errorf("another bucket: %d", r.Status)
		}
	})
}

// Too many at once are told so by a limit and a remainder of 0.
func TestOktaConcurrency(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{OktaConcurrency: 1, Rates: sandbox.NoLimits()})
	for range 100 {
		r, refused := beside(t, s)
		if !refused {
			continue // the long request itself came while the other one was served
		}
		if r.Header.Get("X-Rate-Limit-Limit") != "0" || r.Header.Get("X-Rate-Limit-Remaining") != "0" {
			t.Errorf("%d %v, want 429 with limit and remainder 0", r.Status, r.Header)
		}
		if r = get(t, s, "/api/v1/users"); r.Status != 200 {
			t.Errorf("afterwards: %d", r.Status)
		}
		return
	}
	t.Fatal("no request was refused beside another one")
}

// beside asks for users while a token request goes on, until one is refused. The
// token request may be the one that is refused: then it doesn't go on.
func beside(t *testing.T, s *sandbox.Running) (r reply, refused bool) {
	body, more := io.Pipe()
	served := make(chan struct{})
	go func() { // a token request that goes on until its body ends
		defer close(served)
		req, err := http.NewRequest("POST", s.URL+"/oauth2/v1/token", body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		transport := s.Transport()
		defer transport.CloseIdleConnections()
		if resp, err := transport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}()
	defer func() {
		_ = more.Close()
		<-served
	}()
	go io.WriteString(more, "grant_type="+strings.Repeat("x", 16<<10)) // more than the transport holds back
	for range 50 {
		if r = get(t, s, "/api/v1/users"); r.Status == 429 {
			return r, true
		}
	}
	return r, false
}

func TestOktaRefusals(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	s.ExpectRefusals()
	auth := []string{"Authorization", "SSWS " + sandbox.OktaAPIToken}
	calls := [][2]string{
		{"POST", "/api/v1/users"}, {"PUT", "/api/v1/users/00u0"}, {"DELETE", "/api/v1/users/00u0"}, {"POST", "/api/v1/users/00u0"},
		{"HEAD", "/api/v1/users"}, {"PUT", "/api/v1/groups/00gall/users/00u0"}, {"GET", "/api/v1/logs"}, {"POST", "/oauth2/v1/revoke"},
	}
	for _, call := range calls {
		if r := send(t, s, call[0], call[1], "", auth...); r.Status != 403 && r.Status != 404 {
			t.Errorf("%v: %d", call, r.Status)
		}
	}
	refused := s.Refused()
	if len(refused) != len(calls) {
		t.Fatalf("%d refusals, want %d: %+v", len(refused), len(calls), refused)
	}
	for i, r := range refused {
		if r.Method != calls[i][0] || r.Path != calls[i][1] || r.Why == "" {
			t.Errorf("refused %+v, want %v", r, calls[i])
		}
	}
	if n := s.Requests()["GET /api/v1/users"]; n != 0 {
		t.Errorf("%d listings counted", n)
	}
}

func TestOktaOrganization(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	if r := send(t, s, "GET", "/.well-known/okta-organization", ""); r.Status != 200 || !strings.Contains(r.Body, `"pipeline"`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := send(t, s, "GET", "/api/v1/users", ""); r.Status != 403 || r.errorCode() != "E0000005" {
		t.Errorf("without a credential: %d %s", r.Status, r.Body)
	}
}
