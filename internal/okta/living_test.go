package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// A person is a user of a living org.
type person struct {
	n                int
	status           string
	created, updated time.Time
}

func (p person) id() string { return fmt.Sprintf("00u%06d", p.n) }

func (p person) json() json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"status":%q,"created":%q,"lastUpdated":%q,"profile":{"login":"u%d@example.com","email":"u%d@example.com"}}`,
		p.id(), p.status, stamp(p.created), stamp(p.updated), p.n, p.n))
}

// A living org changes while it is read, and breaks some of its answers. Its
// cursors are positions in an order, as Okta's are: what is deleted shifts nothing.
type living struct {
	dice *rand.Rand

	mu       sync.Mutex
	people   map[string]person
	next     int
	requests int

	noSearch bool    // answers 400 to it
	deaf     bool    // passes over search, filter and sort
	hides    bool    // leaves the deprovisioned out of a search
	broken   float64 // part of the answers
	busy     float64 // part of the requests after which somebody changes
	shown    map[string]time.Time
}

func newLiving(seed uint64, n int) *living {
	l := &living{dice: rand.New(rand.NewPCG(seed, 9)), people: map[string]person{}, shown: map[string]time.Time{}}
	made := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	for range n {
		switch l.dice.IntN(8) {
		case 0: // the same time
		case 1:
			made = made.Add(time.Duration(l.dice.Int64N(int64(4 * 24 * time.Hour))))
		default:
			made = made.Add(time.Duration(l.dice.Int64N(int64(time.Hour)))).Truncate(time.Millisecond)
		}
		p := person{l.next, []string{"ACTIVE", "ACTIVE", "STAGED", "DEPROVISIONED"}[l.dice.IntN(4)], made, made}
		l.people[p.id()] = p
		l.next++
	}
	return l
}

// live changes somebody.
func (l *living) live() {
	ids := make([]string, 0, len(l.people))
	for id := range l.people {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	now := time.Now().Truncate(time.Millisecond)
	if len(ids) == 0 {
		return
	}
	p := l.people[ids[l.dice.IntN(len(ids))]]
	switch l.dice.IntN(4) {
	case 0: // inserted
		p = person{l.next, "ACTIVE", now, now}
		l.next++
	case 1:
		delete(l.people, p.id())
		return
	case 2:
		p.status, p.updated = "DEPROVISIONED", now
	default:
		p.status, p.updated = "ACTIVE", now
	}
	l.people[p.id()] = p
}

// RoundTrip implements [http.RoundTripper].
func (l *living) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	h := http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}
	answer := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	}
	if r.URL.Path == tokenPath {
		return answer(200, `{"token_type":"Bearer","expires_in":3600,"access_token":"t"}`)
	}
	if l.dice.Float64() < l.busy {
		l.live()
	}
	if r.URL.Path != "/api/v1/users" {
		return answer(200, fmt.Sprintf(`[{"type":"BUILT_IN","profile":{"name":"Everyone"},"_embedded":{"stats":{"usersCount":%d}}}]`, len(l.people)))
	}
	status, body := l.page(r.URL.Query(), h)
	if l.dice.Float64() >= l.broken {
		return answer(status, body)
	}
	switch l.dice.IntN(11) {
	case 0:
		h.Set("X-Rate-Limit-Limit", "600")
		h.Set("X-Rate-Limit-Remaining", "0")
		h.Set("X-Rate-Limit-Reset", strconv.FormatInt(time.Now().Add(7*time.Second).Unix(), 10))
		return answer(429, `{"errorCode":"E0000047"}`)
	case 1:
		h.Set("X-Rate-Limit-Limit", "0")
		h.Set("X-Rate-Limit-Remaining", "0")
		return answer(429, `{"errorCode":"E0000047"}`)
	case 2:
		return answer(500, `{"errorCode":"E0000009"}`)
	case 3:
		return answer(503, "<html>")
	case 4:
		return answer(200, "<html>sign in</html>")
	case 5:
		return nil, errors.New("read: connection reset by peer")
	case 6:
		return answer(200, body[:len(body)/2])
	case 7:
		return answer(401, `{"errorCode":"E0000011"}`)
	case 8: // self and next folded into one header
		if links := h.Values("Link"); len(links) > 0 {
			h.Set("Link", fmt.Sprintf(`<%s/api/v1/users?%s>; rel="self", %s`, orgURL, r.URL.RawQuery, strings.Join(links, ", ")))
		}
		return answer(status, body)
	case 9: // the cursor expired
		if r.URL.Query().Has("after") {
			return answer(400, `{"errorCode":"E0000001","errorSummary":"Api validation failed: after"}`)
		}
		return answer(500, "{}")
	}
	// the page before comes again
	q := r.URL.Query()
	q.Del("after")
	h.Del("Link")
	status, body = l.page(q, h)
	return answer(status, body)
}

// page answers a list request.
func (l *living) page(q url.Values, h http.Header) (int, string) {
	all := make([]person, 0, len(l.people))
	search, filter := q.Get("search"), q.Get("filter")
	if search != "" && l.noSearch {
		return 400, `{"errorCode":"E0000031","errorSummary":"Invalid search criteria."}`
	}
	if l.deaf {
		search, filter = "", ""
	}
	var keep func(person) bool
	order := func(a, b person) int { return cmp.Compare(a.n, b.n) }
	switch {
	case search != "":
		from, to, name := bounds(search)
		at := func(p person) time.Time {
			if name == "lastUpdated" {
				return p.updated
			}
			return p.created
		}
		keep = func(p person) bool {
			return !at(p).Before(from) && (to.IsZero() || at(p).Before(to)) && (!l.hides || p.status != "DEPROVISIONED")
		}
		order = func(a, b person) int { return cmp.Or(at(a).Compare(at(b)), cmp.Compare(a.n, b.n)) }
	case strings.HasPrefix(filter, "status"):
		keep = func(p person) bool { return p.status == "DEPROVISIONED" }
	case filter != "":
		from, _, _ := bounds(filter)
		keep = func(p person) bool { return !p.updated.Before(from) }
	default:
		keep = func(p person) bool { return p.status != "DEPROVISIONED" }
	}
	after, paged := person{}, q.Has("after")
	if paged {
		n, at, _ := strings.Cut(q.Get("after"), "@")
		after.n, _ = strconv.Atoi(n)
		ms, _ := strconv.ParseInt(at, 10, 64)
		after.created = time.UnixMilli(ms).UTC()
		after.updated = after.created
	}
	for _, p := range l.people {
		if keep(p) && (!paged || order(p, after) > 0) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, order)
	limit, _ := strconv.Atoi(q.Get("limit"))
	if len(all) > limit {
		all = all[:limit]
		last := all[limit-1]
		at := last.created
		if strings.HasPrefix(search, "lastUpdated") {
			at = last.updated
		}
		next := url.Values{}
		for name, v := range q {
			next[name] = v
		}
		next.Set("after", fmt.Sprintf("%d@%d", last.n, at.UnixMilli()))
		h.Set("Link", fmt.Sprintf(`<%s/api/v1/users?%s>; rel="next"`, orgURL, next.Encode()))
	}
	objects := make([]string, len(all))
	for i, p := range all {
		objects[i] = string(p.json())
	}
	return 200, "[" + strings.Join(objects, ",") + "]"
}

// bounds reads `created ge "…" and created lt "…"`.
func bounds(expression string) (from, to time.Time, name string) {
	name, _, _ = strings.Cut(expression, " ")
	parts := strings.Split(expression, `"`)
	from, _ = time.Parse(time.RFC3339, parts[1])
	if len(parts) > 3 {
		to, _ = time.Parse(time.RFC3339, parts[3])
	}
	return from, to, name
}

// rounds is how many random orgs a test tries: few, or with AIMCHECK_SOAK many.
func rounds(few, many int) int {
	if os.Getenv("AIMCHECK_SOAK") != "" {
		return many
	}
	return few
}

// A caller keeps what listings give it, as a snapshot's builder would.
type caller struct {
	records map[string]audit.OktaUser
	twice   []string
	marks   []string
	pages   int
	stop    int // after so many pages; 0: never
}

func (c *caller) emit(p audit.Page) error {
	if c.pages++; c.pages == c.stop {
		return errors.New("interrupted")
	}
	if p.Restart {
		c.records, c.marks = map[string]audit.OktaUser{}, nil
	}
	if p.Mark != "" {
		c.marks = append(c.marks, p.Mark)
	}
	for _, record := range p.Records {
		u := record.(audit.OktaUser)
		if _, known := c.records[u.ID]; known && !p.Update {
			c.twice = append(c.twice, u.ID)
		}
		c.records[u.ID] = u
	}
	return nil
}

func (c *caller) held() (ids []string) {
	for id := range c.records {
		ids = append(ids, id)
	}
	return ids
}

// check compares what a complete reading gave with those who were there before
// and after it. Who came, went or changed meanwhile may be as they were or are.
func (c *caller) check(t *testing.T, r audit.Reading, before, after map[string]person, mayHold map[string]person) {
	t.Helper()
	if len(c.twice) > 0 {
		t.Errorf("%v came twice", c.twice)
	}
	if !r.Complete {
		if r.Reason == "" {
			t.Error("incomplete without a reason")
		}
		return
	}
	if r.Received != len(c.records) {
		t.Errorf("%d were received by the reading, and %d came", r.Received, len(c.records))
	}
	for id, p := range after {
		u, ok := c.records[id]
		if was, there := before[id]; !ok && there {
			t.Errorf("%s is missing, %d of %d counted", id, r.Received, r.Proof.Counted)
		} else if ok && there && was == p && u.Status != p.status {
			t.Errorf("%s is %s, and is said to be %s", id, p.status, u.Status)
		}
	}
	for id := range c.records {
		_, was := before[id]
		_, is := after[id]
		if _, held := mayHold[id]; !was && !is && !held {
			if n, _ := strconv.Atoi(strings.TrimPrefix(id, "00u")); n < len(before) {
				t.Errorf("%s was never there", id)
			}
		}
	}
}

// openLiving opens a client outside of any bubble: the SDK leaves a goroutine behind.
func openLiving(t *testing.T, l *living) *Client {
	t.Helper()
	return open(t, Config{OrgURL: orgURL, ClientID: "0oa1", PrivateKey: fakeKey(t), Transport: l, Reserve: 10})
}

func (l *living) now() map[string]person {
	l.mu.Lock()
	defer l.mu.Unlock()
	people := map[string]person{}
	for id, p := range l.people {
		people[id] = p
	}
	return people
}

// A reading of a living org with a fifth of its answers broken has every user
// once, or says what keeps it from being complete, and ends.
func TestLivingOrgs(t *testing.T) {
	complete := 0
	n := rounds(12, 300)
	for seed := range uint64(n) {
		l := newLiving(seed, []int{0, 1, 199, 200, 201, 1000, 4000}[seed%7])
		l.broken, l.busy = []float64{0, 0.2}[seed%2], []float64{0, 0.3}[seed/2%2]
		l.noSearch, l.deaf, l.hides = seed%5 == 3, seed%11 == 4, seed%13 == 6
		client := openLiving(t, l)
		synctest.Test(t, func(t *testing.T) {
			before := l.now()
			c := &caller{records: map[string]audit.OktaUser{}}
			start := time.Now()
			r := client.List(t.Context(), usersRequest, c.emit)
			if took := time.Since(start); took > 2*time.Hour {
				t.Errorf("seed %d took %v", seed, took)
			}
			if r.Complete {
				complete++
			} else {
				t.Logf("seed %d: %s", seed, r.Reason)
			}
			after := l.now()
			if l.deaf && r.Complete && r.Proof.Counted > r.Received {
				// Whoever only a filter shows is not to be seen there: the count tells.
				gone := func(p person) bool { return p.status == "DEPROVISIONED" }
				maps.DeleteFunc(before, func(id string, p person) bool { return gone(p) || gone(after[id]) })
			}
			c.check(t, r, before, after, nil)
			if r.Complete && len(r.Proof.Windows) > 0 && r.Received > 0 {
				checkTiling(t, r.Proof)
			}
		})
		if t.Failed() {
			t.Fatalf("that was seed %d", seed)
		}
	}
	if complete < n*2/3 {
		t.Errorf("%d of %d readings were complete", complete, n)
	}
}

// A reading that is interrupted after any page, and carried on, is as one that
// was not; and what changed after it comes with the next one.
func TestInterruptedAndCarriedOn(t *testing.T) {
	for seed := range uint64(rounds(3, 100)) {
		l := newLiving(seed+1000, 3000)
		l.hides = seed%2 == 1
		client := openLiving(t, l)
		synctest.Test(t, func(t *testing.T) {
			before := l.now()
			c := &caller{records: map[string]audit.OktaUser{}, stop: 2 + l.dice.IntN(12)}
			began := client.Time()
			first := client.List(t.Context(), usersRequest, c.emit)
			if first.Complete {
				t.Fatal("it was not interrupted")
			}
			for range 5 {
				l.mu.Lock()
				l.live()
				l.mu.Unlock()
			}
			time.Sleep(time.Hour)
			c.stop = 0
			l.broken = 0.1
			r := client.List(t.Context(), audit.Request{Input: audit.OktaUsers, Held: c.held(), HeldAsOf: began, Marks: c.marks}, c.emit)
			c.check(t, r, before, l.now(), before)
			if !r.Complete {
				t.Errorf("seed %d: %s", seed, r.Reason)
			} else if len(r.Proof.Windows) > 0 {
				checkTiling(t, r.Proof)
			} else if !l.hides {
				t.Error("it was not carried on")
			}

			// The next day, what changed alone.
			time.Sleep(24 * time.Hour)
			l.broken = 0
			for range 300 {
				l.mu.Lock()
				l.live()
				l.mu.Unlock()
			}
			time.Sleep(time.Hour)
			held := l.now()
			had := l.requests
			next := client.List(t.Context(), audit.Request{Input: audit.OktaUsers, Held: c.held(), HeldAsOf: r.AsOf}, c.emit)
			if !next.Complete || next.Received != len(c.records) || l.requests-had > 12 {
				t.Errorf("%d requests: %+v", l.requests-had, next)
			}
			for id, p := range held {
				if u := c.records[id]; u.Status != p.status || u.Updated != stamp(p.updated) {
					t.Errorf("%s is %+v, and is said to be %+v", id, p, u)
				}
			}
		})
		if t.Failed() {
			t.Fatalf("that was seed %d", seed)
		}
	}
}

// A context that ends, ends the reading at once, whatever is waited for.
func TestReadingEndsWithItsContext(t *testing.T) {
	l := newLiving(1, 5000)
	client := openLiving(t, l)
	synctest.Test(t, func(t *testing.T) {
		for after := range 12 {
			ctx, cancel := context.WithCancel(t.Context())
			c := &caller{records: map[string]audit.OktaUser{}}
			r := client.List(ctx, usersRequest, func(p audit.Page) error {
				if c.pages == after {
					cancel()
				}
				return c.emit(p)
			})
			if cancel(); r.Complete {
				continue
			}
			if r.Reason != "interrupted" {
				t.Errorf("%+v", r)
			}
		}
	})
}
