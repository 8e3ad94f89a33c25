package okta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/google/go-cmp/cmp"
)

// A fakeOrg answers list requests as a test says. Links and bodies are the
// test's own; the token is for the asking.
type fakeOrg struct {
	answer func(path string, query url.Values, n int) (status int, body, link string) // n counts list requests from 1
	sent   []string                                                                   // path and query of each list request
	date   time.Time
	counts int           // of users, by the group Everyone; 0: there is none
	takes  time.Duration // an answer to a list request

	mu sync.Mutex
}

// RoundTrip implements [http.RoundTripper].
func (f *fakeOrg) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != tokenPath {
		time.Sleep(f.takes)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	status, body, link := 200, `{"token_type":"Bearer","expires_in":3600,"access_token":"t"}`, ""
	if r.URL.Query().Get("expand") == "stats" { // not counted: it is sent beside the others
		status, body = 200, "[]"
		if f.counts > 0 {
			body = fmt.Sprintf(`[{"id":"00g1","type":"BUILT_IN","profile":{"name":"Everyone"},"_embedded":{"stats":{"usersCount":%d}}}]`, f.counts)
		}
	} else if r.URL.Path != tokenPath {
		f.sent = append(f.sent, r.URL.RequestURI())
		status, body, link = f.answer(r.URL.Path, r.URL.Query(), len(f.sent))
	}
	h := http.Header{"Content-Type": {"application/json"}}
	if !f.date.IsZero() {
		h.Set("Date", f.date.Format(http.TimeFormat))
	}
	if link != "" {
		h.Set("Link", link)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

const orgURL = "https://org.example.com"

func (f *fakeOrg) open(t *testing.T) *Client {
	t.Helper()
	c := Config{OrgURL: orgURL, ClientID: "0oa1", PrivateKey: fakeKey(t), Transport: f}
	if !f.date.IsZero() {
		c.Now = func() time.Time { return f.date }
	}
	return open(t, c)
}

func fakeKey(t testing.TB) string {
	t.Helper()
	s, err := sandbox.New(&sandbox.Tenant{}, sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.OktaPrivateKeyPEM()
}

// body is a list of users.
func body(status string, ns ...int) string {
	var all []json.RawMessage
	for _, n := range ns {
		all = append(all, user(n, status))
	}
	b, err := json.Marshal(all)
	if err != nil || all == nil {
		return "[]"
	}
	return string(b)
}

func next(query string) string {
	return fmt.Sprintf(`<%s/api/v1/users?x>; rel="self", <%s/api/v1/users?%s>; rel="next"`, orgURL, orgURL, query)
}

// chainOf tells which of the three listings of users a request is part of.
func chainOf(q url.Values) string {
	switch f := q.Get("filter"); {
	case strings.HasPrefix(f, "status"):
		return "deprovisioned"
	case strings.HasPrefix(f, "lastUpdated"):
		return "changed"
	}
	return "plain"
}

func TestNextLinkIsFollowedVerbatim(t *testing.T) {
	const columns = "&fields=id%2Cstatus%2Ccreated%2ClastUpdated%2Cprofile%3A%28login%2Cemail%2CfirstName%2ClastName%29"
	const odd = "limit=200&after=a%2Bb+c&after=&x=%7e"
	f := &fakeOrg{date: time.Date(2026, 1, 3, 10, 0, 0, 0, time.UTC), answer: func(_ string, q url.Values, n int) (int, string, string) {
		if n == 1 {
			return 200, body("ACTIVE", 1), next(odd)
		}
		return 200, "[]", ""
	}}
	list(t, t.Context(), f.open(t), usersRequest).complete(t, 1)
	want := []string{
		"/api/v1/users?search=created+ge+%221970-01-01T00%3A00%3A00.000Z%22&sortBy=created&sortOrder=asc&limit=200" + columns,
		"/api/v1/users?" + odd,
		"/api/v1/users?filter=status+eq+%22DEPROVISIONED%22&limit=200" + columns,
		"/api/v1/users?filter=lastUpdated+ge+%222026-01-03T09%3A59%3A30.000Z%22&limit=200" + columns,
	}
	if diff := cmp.Diff(want, f.sent); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// A link's target may be relative to the page that it is on (RFC 8288).
func TestNextLinkMayBeRelative(t *testing.T) {
	for _, before := range []string{"?", "users?", "/api/v1/users?", "//org.example.com/api/v1/users?", "https://login.example.com/api/v1/users?"} {
		f := &fakeOrg{answer: func(_ string, q url.Values, n int) (int, string, string) {
			switch {
			case n == 1:
				return 200, body("ACTIVE", 1), "<" + before + `after=a>; rel="next"`
			case q.Get("after") == "a":
				return 200, body("ACTIVE", 2), ""
			}
			return 200, "[]", ""
		}}
		list(t, t.Context(), f.open(t), usersRequest).complete(t, 2)
	}
}

// An org that passes over the order may seem to keep it for pages: those that it has
// still to list are read all the same.
func TestSearchOutOfOrder(t *testing.T) {
	hours := map[int]int{1: 1, 2: 9, 3: 5, 4: 12} // of the users, in the order in which they are listed
	one := func(n int) string {
		if n > len(hours) {
			return "[]"
		}
		return "[" + strings.NewReplacer("01T00", fmt.Sprintf("01T%02d", hours[n]), "02T00", fmt.Sprintf("02T%02d", hours[n])).Replace(string(user(n, "ACTIVE"))) + "]"
	}
	for day, since := range map[string]bool{"2024-01-01": false, "2024-01-02": true} {
		f := &fakeOrg{answer: func(_ string, q url.Values, _ int) (int, string, string) {
			after, _ := strconv.Atoi(q.Get("after"))
			if q.Get("filter") != "" {
				return 200, "[]", ""
			}
			for n := after + 1; n <= len(hours); n++ {
				if _, from, _ := strings.Cut(q.Get("search"), " ge "); fmt.Sprintf(`"%sT%02d`, day, hours[n]) < from[:min(len(from), 14)] {
					continue
				}
				q.Set("after", strconv.Itoa(n))
				return 200, one(n), next(q.Encode())
			}
			return 200, "[]", ""
		}}
		req := usersRequest
		if since {
			req.Held, req.HeldAsOf = []string{"00u000001", "00u000002", "00u000003"}, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		g := list(t, t.Context(), f.open(t), req)
		g.complete(t, len(hours))
		if len(g.records) != len(hours) {
			t.Errorf("since: %v: %d of %d users: %v", since, len(g.records), len(hours), g.records)
		}
	}
}

// Where search fails for good, what changed is read without it, as all is.
func TestSearchThatAlwaysFails(t *testing.T) {
	for _, held := range [][]string{nil, {"00u000001"}} {
		f := &fakeOrg{answer: func(_ string, q url.Values, _ int) (int, string, string) {
			switch {
			case q.Get("search") != "":
				return 500, `{"errorCode":"E0000009","errorSummary":"Internal Server Error"}`, ""
			case q.Get("filter") != "":
				return 200, "[]", ""
			}
			return 200, body("ACTIVE", 1, 2), ""
		}}
		client := f.open(t)
		synctest.Test(t, func(t *testing.T) {
			req := usersRequest
			req.Held, req.HeldAsOf = held, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
			list(t, t.Context(), client, req).complete(t, 2)
		})
	}
}

// many returns n numbers from first on.
func many(first, n int) []int {
	ns := make([]int, n)
	for i := range ns {
		ns[i] = first + i
	}
	return ns
}

// A listing that ends with a full page is read again in pages of another size.
func TestFullLastPageIsConfirmed(t *testing.T) {
	f := &fakeOrg{answer: func(_ string, q url.Values, _ int) (int, string, string) {
		switch {
		case chainOf(q) != "plain":
			return 200, "[]", ""
		case q.Get("limit") == "200":
			return 200, body("ACTIVE", many(0, 200)...), ""
		case q.Get("after") == "":
			return 200, body("ACTIVE", many(0, 172)...), next("limit=172&after=a")
		}
		return 200, body("ACTIVE", many(172, 28)...), ""
	}}
	list(t, t.Context(), f.open(t), usersRequest).complete(t, 200)
}

// A cursor that Okta forgot makes the listing begin anew.
func TestForgottenCursor(t *testing.T) {
	f := &fakeOrg{answer: func(_ string, q url.Values, n int) (int, string, string) {
		switch {
		case chainOf(q) != "plain":
			return 200, "[]", ""
		case n == 2:
			return 400, `{"errorCode":"E0000031","errorSummary":"Invalid search criteria."}`, ""
		case q.Get("after") == "":
			return 200, body("ACTIVE", 1), next("limit=200&after=a")
		}
		return 200, body("ACTIVE", 2), ""
	}}
	list(t, t.Context(), f.open(t), usersRequest).complete(t, 2)
}

func TestListingsThatCannotBeTrusted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(path string, q url.Values, n int) (int, string, string)
		why    string
	}{
		{"cut after a full page", func(_ string, q url.Values, _ int) (int, string, string) {
			if chainOf(q) != "plain" {
				return 200, "[]", ""
			}
			limit, _ := strconv.Atoi(q.Get("limit"))
			return 200, body("ACTIVE", many(0, limit)...), ""
		}, "a listing of users ended with a full page after 200, and in pages of another size after 172"},
		{"the filter passed over", func(_ string, q url.Values, _ int) (int, string, string) {
			return 200, body("ACTIVE", 1, 2), ""
		}, "though only DEPROVISIONED users were asked for"},
		{"a cursor that loops", func(_ string, _ url.Values, n int) (int, string, string) {
			return 200, body("ACTIVE", n), next("after=1")
		}, "lead in a circle"},
		{"the same page for ever", func(_ string, _ url.Values, n int) (int, string, string) {
			return 200, body("ACTIVE", 1, 2), next(fmt.Sprintf("after=%d", n))
		}, "user 00u000001 was listed twice"},
		{"blank pages for ever", func(_ string, _ url.Values, n int) (int, string, string) {
			return 200, "[]", next(fmt.Sprintf("after=%d", n))
		}, "lead in a circle"},
		{"a link to another path", func(string, url.Values, int) (int, string, string) {
			return 200, body("ACTIVE", 1), `<` + orgURL + `/api/v1/groups?after=1>; rel="next"`
		}, "leads to /api/v1/groups"},
		{"a link that can't be read", func(string, url.Values, int) (int, string, string) {
			return 200, body("ACTIVE", 1), orgURL + `/api/v1/users; rel="next"`
		}, "can't be read"},
		{"an object for a list", func(string, url.Values, int) (int, string, string) {
			return 200, `{"errorCode":"E0000001"}`, ""
		}, "expected a list of users, found an object"},
		{"one user twice on a page", func(string, url.Values, int) (int, string, string) {
			return 200, body("ACTIVE", 1, 1), ""
		}, "listed twice"},
		{"a second look without end", func(_ string, q url.Values, n int) (int, string, string) {
			if chainOf(q) == "changed" || q.Has("again") {
				return 200, body("ACTIVE", 1), next(fmt.Sprintf("again=%d", n))
			}
			return 200, "[]", ""
		}, "a page of users came twice"},
		{"an answer in another form of error", func(string, url.Values, int) (int, string, string) {
			return 418, "teapot", ""
		}, "Okta answered 418"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeOrg{answer: tt.answer}
			g := list(t, t.Context(), f.open(t), usersRequest)
			g.incomplete(t, tt.why)
			t.Log(g.reading.Reason)
		})
	}
}

// A search whose index lacks users gives no sign of it. The group Everyone does, and
// the plain listing has them.
func TestSearchThatHidesUsers(t *testing.T) {
	f := &fakeOrg{counts: 3, answer: func(_ string, q url.Values, n int) (int, string, string) {
		switch {
		case q.Has("search"):
			return 200, body("ACTIVE", 1), ""
		case chainOf(q) == "plain":
			return 200, body("ACTIVE", 1, 2), ""
		case chainOf(q) == "deprovisioned":
			return 200, body("DEPROVISIONED", 3), ""
		}
		return 200, "[]", ""
	}}
	client := f.open(t)
	list(t, t.Context(), client, usersRequest).complete(t, 3)
	if notes := client.Source().Notes; len(notes) != 1 || !strings.Contains(notes[0], "one page after another (it gave 2, and the group Everyone counts 3)") {
		t.Errorf("notes %q", notes)
	}
}

// A plain listing that begins in the middle gives no sign of it either: it is read
// once more, and what lacks then is a note.
func TestListingThatLacksUsers(t *testing.T) {
	for given, complete := range map[int]int{1: 3, 2: 1} { // how often it lacks users
		plain := 0
		f := &fakeOrg{counts: 3, answer: func(_ string, q url.Values, n int) (int, string, string) {
			switch {
			case q.Has("search"):
				return 400, "{}", ""
			case chainOf(q) != "plain":
				return 200, "[]", ""
			}
			if plain++; plain <= given {
				return 200, body("ACTIVE", 3), ""
			}
			return 200, body("ACTIVE", 1, 2, 3), ""
		}}
		client := f.open(t)
		list(t, t.Context(), client, usersRequest).complete(t, complete)
		if lacks := strings.Contains(strings.Join(client.Source().Notes, "; "), "counts 3 users and 1 were read"); lacks != (complete == 1) {
			t.Errorf("notes %q", client.Source().Notes)
		}
	}
}

// An app without users says nothing of what it sends, and is another than was meant, most often.
func TestAppWithoutUsers(t *testing.T) {
	f := &fakeOrg{answer: func(path string, _ url.Values, _ int) (int, string, string) {
		if path == "/api/v1/apps/0oa2/users" {
			return 200, `[{"id":"00u1","credentials":{"userName":"a@example.com"}}]`, ""
		}
		return 200, "[]", ""
	}}
	client := f.open(t)
	list(t, t.Context(), client, audit.Request{Input: audit.OktaAppUsers, Of: []string{"0oa1", "0oa2"}}).complete(t, 1)
	if notes := client.Source().Notes; len(notes) != 1 || !strings.Contains(notes[0], "nobody is assigned to the app 0oa1") {
		t.Errorf("notes %q", notes)
	}
}

// A role that shows nothing looks as an empty org does: without an error.
func TestOrgThatShowsNothing(t *testing.T) {
	f := &fakeOrg{answer: func(string, url.Values, int) (int, string, string) { return 200, "[]", "" }}
	client := f.open(t)
	list(t, t.Context(), client, usersRequest).complete(t, 0)
	list(t, t.Context(), client, audit.Request{Input: audit.OktaGroups}).complete(t, 0)
	notes := strings.Join(client.Source().Notes, "\n")
	for _, text := range []string{"Okta gave no user at all, and no error", "Okta gave no group, and no error"} {
		if !strings.Contains(notes, text) {
			t.Errorf("%q is not in %q", text, notes)
		}
	}
}

func TestInterruptedListingThatCannotBeGoneOnWith(t *testing.T) {
	f := &fakeOrg{answer: func(string, url.Values, int) (int, string, string) { return 200, "[]", "" }}
	list(t, t.Context(), f.open(t), audit.Request{Input: audit.OktaUsers, Marks: []string{"{"}}).incomplete(t, "can't be read")
}

// A listing that gives ever new users ends by what Okta itself counts.
func TestListingsThatNeverEnd(t *testing.T) {
	for name, created := range map[string]func(n int) string{
		"in order":    func(n int) string { return stamp(time.UnixMilli(1_500_000_000_000 + int64(n)*1000)) },
		"at one time": func(int) string { return "2020-01-01T00:00:00.000Z" },
		"undated":     func(int) string { return "" }, // so that they are read plainly
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeOrg{counts: 500, answer: func(_ string, q url.Values, n int) (int, string, string) {
				var all []string
				for i := n * 200; i < n*200+200; i++ {
					all = append(all, fmt.Sprintf(`{"id":"00u%09d","status":"ACTIVE","created":%q,"profile":{"login":"u%d@example.com"}}`, i, created(i), i))
				}
				return 200, "[" + strings.Join(all, ",") + "]", next(fmt.Sprintf("limit=200&after=%d", n))
			}}
			list(t, t.Context(), f.open(t), usersRequest).incomplete(t, "and the group Everyone counts 500")
			if len(f.sent) > 150 {
				t.Errorf("%d requests", len(f.sent))
			}
		})
	}
}

func TestListingThatMovedIsReadAgain(t *testing.T) {
	f := &fakeOrg{answer: func(_ string, q url.Values, n int) (int, string, string) {
		switch {
		case chainOf(q) != "plain":
			return 200, "[]", ""
		case n == 1:
			return 200, body("ACTIVE", 1, 2), next("after=2")
		case n == 2: // user 2 slid onto this page
			return 200, body("ACTIVE", 2, 3), ""
		}
		return 200, body("ACTIVE", 0, 1, 2, 3), ""
	}}
	g := list(t, t.Context(), f.open(t), usersRequest)
	g.complete(t, 4)
	if g.reading.Proof.Restarts != 1 {
		t.Errorf("restarted %d times, want once", g.reading.Proof.Restarts)
	}
}

func TestUsersThatChangeWhileTheyAreRead(t *testing.T) {
	f := &fakeOrg{answer: func(_ string, q url.Values, n int) (int, string, string) {
		switch chainOf(q) {
		case "plain":
			return 200, body("ACTIVE", 1, 2, 3), ""
		case "deprovisioned":
			return 200, body("DEPROVISIONED", 2, 4), "" // 2 was deactivated meanwhile
		}
		return 200, body("ACTIVE", 3, 4, 5), "" // 4 is active again, 5 came from the one list after it was read
	}}
	g := list(t, t.Context(), f.open(t), usersRequest)
	g.complete(t, 5)
	var statuses []string
	for _, id := range g.ids() {
		statuses = append(statuses, g.records[id].(audit.OktaUser).Status)
	}
	if want := []string{"ACTIVE", "DEPROVISIONED", "ACTIVE", "ACTIVE", "ACTIVE"}; !slices.Equal(statuses, want) {
		t.Errorf("statuses %q, want %q", statuses, want)
	}
}

// What changed is asked for since the earlier of both clocks: the Date of an answer
// may be a proxy's, and not the one that users bear.
func TestSecondLookWithClocksApart(t *testing.T) {
	ours := time.Date(2026, 1, 3, 10, 0, 0, 0, time.UTC)
	for ahead, since := range map[time.Duration]time.Time{
		7 * time.Minute:  ours,
		-7 * time.Minute: ours.Add(-7 * time.Minute),
	} {
		f := &fakeOrg{date: ours.Add(ahead), answer: func(string, url.Values, int) (int, string, string) { return 200, "[]", "" }}
		client := open(t, Config{OrgURL: orgURL, ClientID: "0oa1", PrivateKey: fakeKey(t), Transport: f, Now: func() time.Time { return ours }})
		g := list(t, t.Context(), client, usersRequest)
		g.complete(t, 0)
		last, _ := url.QueryUnescape(f.sent[len(f.sent)-1])
		if want := stamp(since.Add(-secondLook)); !strings.Contains(last, want) || !g.reading.AsOf.Equal(since) || !client.Time().Equal(since) {
			t.Errorf("%v ahead: %s, want %s in it; as of %v", ahead, last, want, g.reading.AsOf)
		}
	}
}

func TestUndecodedUserOfBothLooksCountsOnce(t *testing.T) {
	f := &fakeOrg{answer: func(_ string, q url.Values, n int) (int, string, string) {
		if chainOf(q) == "deprovisioned" {
			return 200, "[]", ""
		}
		return 200, `[{"id":"00u1","status":1},{"status":1}]`, ""
	}}
	g := list(t, t.Context(), f.open(t), usersRequest)
	g.incomplete(t, "3 of 3 objects") // those without an id can't be told apart
	if len(g.wrong) != 3 {
		t.Errorf("got %d undecoded", len(g.wrong))
	}
}

func TestSecondLookRefused(t *testing.T) {
	for status, complete := range map[int]bool{400: true, 403: false} {
		f := &fakeOrg{answer: func(_ string, q url.Values, n int) (int, string, string) {
			if chainOf(q) == "changed" {
				return status, `{"errorCode":"E0000031","errorSummary":"Invalid search criteria."}`, ""
			}
			return 200, "[]", ""
		}}
		client := f.open(t)
		g := list(t, t.Context(), client, usersRequest)
		notes := strings.Join(client.Source().Notes, "")
		if g.reading.Complete != complete || strings.Contains(notes, "E0000031 Invalid search criteria.") != complete {
			t.Errorf("status %d: reading %+v, notes %q", status, g.reading, notes)
		}
	}
}

func TestMembersThatMoved(t *testing.T) {
	f := &fakeOrg{answer: func(path string, _ url.Values, n int) (int, string, string) {
		link := `<` + orgURL + (&url.URL{Path: path}).EscapedPath() + `?after=x>; rel="next"`
		switch n {
		case 1:
			return 200, `[{"id":"a"},{"id":"b"}]`, link
		case 2:
			return 200, `[{"id":"b"},{"id":7}]`, ""
		case 3:
			return 200, `[{"id":"a"},{"id":"b"},{"id":"c"}]`, ""
		}
		return 200, `[{"id":"d"},{"id":"d"}]`, ""
	}}
	client := f.open(t)
	g := list(t, t.Context(), client, audit.Request{Input: audit.OktaMembers, Of: []string{"g 1"}})
	g.complete(t, 1)
	want := audit.OktaGroupMembers{Group: "g 1", Members: audit.NewValues(audit.Value{Value: "a"}, audit.Value{Value: "b"}, audit.Value{Value: "c"})}
	if g.records["g 1"] != want {
		t.Errorf("got %+v, want %+v", g.records["g 1"], want)
	}
	if f.sent[0] != "/api/v1/groups/g%201/users?limit=200" {
		t.Errorf("sent %s", f.sent[0])
	}
	list(t, t.Context(), client, audit.Request{Input: audit.OktaMembers, Of: []string{"g2"}}).incomplete(t, "members of group g2: user d was listed twice")
}

// The members of several groups are read side by side, and what can't be read of
// some keeps nothing of the others back.
func TestMembersOfManyGroups(t *testing.T) {
	var groups []string
	for i := range 40 {
		groups = append(groups, fmt.Sprintf("g%02d", i))
	}
	f := &fakeOrg{takes: 300 * time.Millisecond, answer: func(path string, q url.Values, n int) (int, string, string) {
		switch {
		case strings.Contains(path, "g07"), strings.Contains(path, "g31"):
			return 404, `{"errorCode":"E0000007"}`, ""
		case strings.Contains(path, "g11"):
			return 200, `[{"id":7},{"id":"00u1"}]`, ""
		}
		return 200, `[{"id":"00u1"},{"id":"00u2"}]`, ""
	}}
	client := f.open(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := list(t, t.Context(), client, audit.Request{Input: audit.OktaMembers, Of: groups})
		g.incomplete(t, "the members of 2 of 40 groups could not be read, the first because of GET /api/v1/groups/g07/users")
		if g.reading.Received != 38 || len(g.records) != 38 {
			t.Errorf("%d of 38 groups came: %+v", len(g.records), g.reading)
		}
		if took := time.Since(start); took > 40*f.takes/4 {
			t.Errorf("took %v", took)
		}
	})
}

func TestOktaThatAlwaysFails(t *testing.T) {
	for name, always := range map[string]struct {
		status int
		within time.Duration
		why    string
	}{
		"500":            {500, time.Minute, "GET /api/v1/users failed 9 times"},
		"revoked tokens": {401, time.Minute, "GET /api/v1/users failed 9 times"},
		"429":            {429, 5 * time.Minute, "Okta's rate limit for /api/v1/users; to wait "},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeOrg{answer: func(string, url.Values, int) (int, string, string) { return always.status, "{}", "" }}
			client := f.open(t)
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				list(t, t.Context(), client, usersRequest).incomplete(t, always.why)
				if took := time.Since(start); took > always.within {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestAFifthOfAllAnswersBroken(t *testing.T) {
	n := rounds(16_000, 100_000)
	tenant := people(n)
	for i, u := range tenant.Users { // the bubble's time begins in 2000
		made := time.Date(1990, 1, 1, 0, 37*(i/3), 0, 0, time.UTC)
		u = bytes.ReplaceAll(u, []byte("2024-01-01T00:00:00.000Z"), []byte(stamp(made)))
		tenant.Users[i] = bytes.ReplaceAll(u, []byte("2024-01-02T00:00:00.000Z"), []byte(stamp(made.Add(time.Hour))))
	}
	o := serve(t, tenant, sandbox.Options{})
	dice := rand.New(rand.NewPCG(3, 4))
	broken := 0
	var mu sync.Mutex
	o.config.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := direct{o}.RoundTrip(r)
		mu.Lock()
		defer mu.Unlock()
		if dice.IntN(5) > 0 {
			return resp, err
		}
		broken++
		replace := func(status int, body string) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
		switch dice.IntN(7) {
		case 0:
			return replace(429, "")
		case 1:
			return replace(500, "{}")
		case 2:
			return replace(503, "<html>")
		case 3:
			return replace(200, "<html>")
		case 4:
			return nil, io.EOF
		case 5:
			return replace(200, `[{"id":"00u1"},{"id"`)
		}
		return replace(401, `{"errorCode":"E0000011"}`)
	})
	// Signing in can't be in the bubble: the SDK leaves a goroutine behind.
	client := open(t, o.config)
	synctest.Test(t, func(t *testing.T) {
		g := list(t, t.Context(), client, usersRequest)
		g.complete(t, n)
		if g.restarts > 0 || broken < 20 || len(g.reading.Proof.Windows) < 4 {
			t.Errorf("%d answers were broken, restarted %d times, %+v", broken, g.restarts, g.reading.Proof)
		}
	})
}

// Where nothing tells how many users there are, half of a window lies within it,
// though its latest page took more time up than all before.
func TestHalfOfAWindowIsWithinIt(t *testing.T) {
	year := func(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, to := range []time.Time{year(2024), {}} {
		w := newWindows(&listing{client: &Client{clock: &clock{now: func() time.Time { return year(2026) }}}}, "created", time.Time{})
		w.expected = 0
		whole := &window{first: year(2020), at: year(2021), to: to, pages: 100, pace: 30 * 24 * time.Hour, taken: true, fresh: true}
		w.all = []*window{whole}
		end := whole.until(year(2026))
		half := w.divide()
		if half == nil || !half.from.After(whole.at) || !half.from.Before(end) || whole.to != half.from || half.to != to {
			t.Errorf("up to %v: %+v, and its half %+v", to, whole, half)
		}
	}
}

func TestNextLink(t *testing.T) {
	for _, tt := range []struct {
		headers []string
		want    string
		fails   bool
	}{
		{nil, "", false},
		{[]string{`<https://o/a?b>; rel="self"`}, "", false},
		{[]string{`<https://o/a?b>; rel="self"`, `<https://o/a?c>; rel="next"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?b>; rel="self", <https://o/a?c>; rel="next"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?c>; rel="next", <https://o/a?b>; rel="self"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?b,c;d>;rel=next`}, "https://o/a?b,c;d", false},
		{[]string{`<https://o/a?c> ; title="x, <y>; rel=\"z\"" ; REL = "prev Next"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?c>; title="a, b; c"; rel="next"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?c>; rel="prev NEXT"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?c>; rel="next"`, `<https://o/a?c>; rel="next"`}, "https://o/a?c", false},
		{[]string{`<https://o/a?c>; rel="next"`, `<https://o/a?d>; rel="next"`}, "", true},
		{[]string{`<>; rel="next"`}, "", true},
		{[]string{`https://o/a?c; rel="next"`}, "", true},
		{[]string{`<https://o/a?c; rel="next"`}, "", true},
		{[]string{", ,"}, "", false},
	} {
		got, err := nextLink(tt.headers)
		if tt.fails != (err != nil) || err == nil && got != tt.want {
			t.Errorf("nextLink(%q) = %q, %v; want %q", tt.headers, got, err, tt.want)
		}
	}
}

func FuzzNextLink(f *testing.F) {
	f.Add(`<https://o/a?b>; rel="self", <https://o/a?c>; rel="next"`)
	f.Add(`<a>;rel=next;x,<b>;;=`)
	f.Add(">")
	f.Fuzz(func(t *testing.T, header string) {
		got, err := nextLink([]string{header})
		if err == nil && got != "" && !strings.Contains(header, "<"+got+">") {
			t.Errorf("nextLink(%q) = %q", header, got)
		}
	})
}
