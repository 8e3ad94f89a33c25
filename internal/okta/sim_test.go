package okta

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"sort"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// A simulation is a large Okta org in virtual time: users made unevenly over ten
// years, a rate limit whose windows begin with their first request, 300 ms for
// every answer, a clock that is off, and another client of the same bucket.
type simulation struct {
	users   int
	limit   int           // requests a minute
	reserve int           // per cent that the reader leaves
	other   int           // requests a minute of the other client
	skew    time.Duration // of Okta's clock
}

// A simulated org serves a simulation.
type simulated struct {
	simulation
	created []int64 // milliseconds, in order

	mu       sync.Mutex
	used     int
	ends     time.Time // of the window
	requests int
	refused  int // of the reader's
	starved  int // of the other client's
	least    int // left in a window that ended
}

const pageTakes = 300 * time.Millisecond

// outcome is what a simulation shows.
type outcome struct {
	reading audit.Reading
	took    time.Duration
	bound   time.Duration // for the fewest pages, at what the limit leaves beside the reserve and the other client
	table   int
	live    uint64 // bytes, above what there was before
}

func newSimulation(of simulation) *simulated {
	s := &simulated{simulation: of}
	r := rand.New(rand.NewPCG(5, uint64(s.users)))
	start := time.Date(1985, 1, 1, 0, 0, 0, 0, time.UTC) // a bubble's time begins in 2000
	years := 14 * 365 * 24 * time.Hour
	for i := range s.users {
		var at time.Duration
		switch i % 10 {
		case 0, 1, 2: // three imports, each within an hour
			at = years/time.Duration(3+i%3) + time.Duration(r.Int64N(int64(time.Hour)))
		default: // and growth
			f := r.Float64()
			at = time.Duration(float64(years) * (1 - f*f))
		}
		s.created = append(s.created, start.Add(at).UnixMilli())
	}
	slices.Sort(s.created)
	return s
}

var simWindow = regexp.MustCompile(`^created ge "([^"]+)"(?: and created lt "([^"]+)")?$`)

// ServeHTTP implements [http.Handler].
func (s *simulated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(pageTakes / 2)
	now := time.Now().Add(s.skew)
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/api/v1/users" {
		fmt.Fprintf(w, `[{"type":"BUILT_IN","profile":{"name":"Everyone"},"_embedded":{"stats":{"usersCount":%d}}}]`, s.users)
		return
	}
	ok := s.take(w.Header())
	time.Sleep(pageTakes / 2)
	if !ok {
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	s.page(w, r)
}

// take counts a request, and writes what Okta says of the limit.
func (s *simulated) take(h http.Header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !now.Before(s.ends) {
		if !s.ends.IsZero() {
			s.least = min(s.least, s.limit-s.used)
		}
		s.used, s.ends = 0, now.Add(time.Minute)
	}
	ok := s.used < s.limit
	if ok {
		s.used++
	}
	if h != nil {
		s.requests++
		h.Set("X-Rate-Limit-Limit", strconv.Itoa(s.limit))
		h.Set("X-Rate-Limit-Remaining", strconv.Itoa(s.limit-s.used))
		h.Set("X-Rate-Limit-Reset", strconv.FormatInt(s.ends.Add(s.skew+time.Second-1).Unix(), 10))
	}
	return ok
}

func (s *simulated) page(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("filter") { // nobody changed, and nobody is deprovisioned
		_, _ = io.WriteString(w, "[]")
		return
	}
	m := simWindow.FindStringSubmatch(q.Get("search"))
	if m == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	at := func(text string) int {
		t, _ := time.Parse(time.RFC3339, text)
		return sort.Search(len(s.created), func(i int) bool { return s.created[i] >= t.UnixMilli() })
	}
	from, to := at(m[1]), len(s.created)
	if m[2] != "" {
		to = at(m[2])
	}
	if after := q.Get("after"); after != "" {
		from, _ = strconv.Atoi(after)
	}
	end := min(from+200, to)
	if end < to {
		q.Set("after", strconv.Itoa(end))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	b := []byte{'['}
	for i := from; i < end; i++ {
		if i > from {
			b = append(b, ',')
		}
		b = simUser(b, i, s.created[i])
	}
	_, _ = w.Write(append(b, ']'))
}

// simUser appends a user of the columns that are asked for.
func simUser(b []byte, i int, created int64) []byte {
	when := time.UnixMilli(created).UTC().Format("2006-01-02T15:04:05.000Z")
	return fmt.Appendf(b, `{"id":"00u%017d","status":"ACTIVE","created":"%s","lastUpdated":"%s","profile":{"login":"person.%d@example.com","email":"person.%d@example.com","firstName":"Pat","lastName":"Person%d"}}`,
		i, when, when, i, i, i)
}

// run reads the org within a bubble, over connections in memory, and returns what it
// took. The client is opened outside: the SDK leaves a goroutine behind.
func (s *simulated) run(tb testing.TB) (out outcome) {
	pages := (s.users + 199) / 200
	ours := s.limit - s.limit*s.reserve/100 - s.other
	out.bound = time.Duration(pages) * time.Minute / time.Duration(ours)
	var carry http.RoundTripper = &fakeOrg{}
	client, err := Open(tb.Context(), Config{OrgURL: orgURL, ClientID: "0oa1", PrivateKey: fakeKey(tb), Reserve: s.reserve,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return carry.RoundTrip(r) })})
	if err != nil {
		tb.Fatal(err)
	}
	s.least = s.limit
	ran := false
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: tb.Name(), F: func(t *testing.T) {
		if ran {
			return // -count repeats it in here too
		}
		ran = true
		synctest.Test(t, func(t *testing.T) {
			conns := make(chan net.Conn)
			listener := &bubbleListener{conns: conns, closed: make(chan struct{})}
			server := &http.Server{Handler: s}
			go func() { _ = server.Serve(listener) }()
			wire := &http.Transport{MaxIdleConnsPerHost: 64, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				select {
				case conns <- theirs:
					return ours, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}}
			carry = wire
			ctx, stop := context.WithCancel(t.Context())
			var done sync.WaitGroup
			if s.other > 0 {
				done.Go(func() { s.compete(ctx) })
			}
			var b audit.Builder
			var peak uint64
			base, count := liveHeap(), 0
			start := time.Now()
			out.reading = client.List(ctx, usersRequest, func(p audit.Page) error {
				if p.Restart {
					b.Forget(audit.OktaUsers)
				}
				for _, record := range p.Records {
					var err error
					if p.Update {
						err = b.Update(record)
					} else {
						err = b.Add(record)
					}
					if err != nil {
						return err
					}
				}
				if count++; count%1000 == 0 {
					peak = max(peak, liveHeap())
				}
				return nil
			})
			out.took = time.Since(start)
			peak = max(peak, liveHeap())
			out.live = peak - min(base, peak)
			runtime.KeepAlive(client)
			stop()
			done.Wait()
			wire.CloseIdleConnections()
			_ = server.Close()
			snap, err := b.Snapshot()
			if err != nil {
				t.Error(err)
			}
			out.table = snap.OktaUsers.Len()
		})
	}}})
	return out
}

// compete uses its part of the bucket, evenly, as long as it is let.
func (s *simulated) compete(ctx context.Context) {
	tick := time.NewTicker(time.Minute / time.Duration(s.other))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !s.take(nil) {
				s.mu.Lock()
				s.starved++
				s.mu.Unlock()
			}
		}
	}
}

// liveHeap is how much of the heap is in use.
func liveHeap() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// A bubbleListener accepts connections that are made in memory.
type bubbleListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *bubbleListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *bubbleListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *bubbleListener) Addr() net.Addr { return &net.TCPAddr{} }

func (o outcome) fraction() float64 { return float64(o.bound) / float64(o.took) }

// Every user is read once, nothing is refused for the rate limit, and the reserve
// is left to others, whoever's clock is off and whoever else is there.
func TestLargeOrgInVirtualTime(t *testing.T) {
	for name, s := range map[string]simulation{
		"alone":            {users: 24_000, limit: 60, reserve: 10},
		"a clock ahead":    {users: 14_000, limit: 60, reserve: 10, skew: 37 * time.Minute},
		"a clock behind":   {users: 14_000, limit: 60, reserve: 10, skew: -26*time.Hour - 300*time.Millisecond},
		"another client":   {users: 24_000, limit: 60, reserve: 10, other: 20},
		"nothing reserved": {users: 14_000, limit: 60},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSimulation(s)
			out := s.run(t)
			pages := s.users / 200
			t.Logf("%v for %v at best, %d requests for %d pages, %d left at least, %d windows", out.took, out.bound, s.requests, pages, s.least, len(out.reading.Proof.Windows))
			if !out.reading.Complete || out.table != s.users || out.reading.Received != s.users {
				t.Fatalf("%d users of %d; %+v", out.table, s.users, out.reading)
			}
			if s.refused > 0 || s.starved > 0 || s.other == 0 && s.least < s.limit*s.reserve/100 {
				t.Errorf("%d requests were refused, and %d of the other client's; at least %d of a window's %d were left", s.refused, s.starved, s.least, s.limit)
			}
			if s.requests > pages+pages/20+6 {
				t.Errorf("%d requests for %d pages", s.requests, pages)
			}
			if out.reading.Proof.Restarts > 0 {
				t.Errorf("%d windows were read again, of an org that held still", out.reading.Proof.Restarts)
			}
			checkTiling(t, out.reading.Proof)
		})
	}
}

// checkTiling fails the test unless the windows tile the time axis.
func checkTiling(t *testing.T, p *audit.Proof) {
	t.Helper()
	at, rows := "", 0
	for i, w := range p.Windows {
		if w.From != at || w.End == "" || (w.To == "") != (i == len(p.Windows)-1) {
			t.Errorf("window %d of %d is %+v and should begin at %q", i, len(p.Windows), w, at)
		}
		at = w.To
		rows += w.Rows
	}
	if rows == 0 {
		t.Error("the windows hold nothing")
	}
}

// BenchmarkGoalReading reads an org of a million users in virtual time, under both
// of Okta's limits, alone and beside another client that takes a third.
func BenchmarkGoalReading(b *testing.B) {
	users := 1_000_000
	if testing.Short() {
		users = 40_000
	}
	for b.Loop() {
		worst, refused, requests, left, live := 2.0, 0, 0.0, 1.0, 0.0
		for _, s := range []simulation{
			{users: users, limit: 600, reserve: 10, skew: 90 * time.Second},
			{users: users, limit: 300, reserve: 10, skew: -41 * time.Second},
			{users: users / 5, limit: 600, reserve: 10, other: 200},
		} {
			sim := newSimulation(s)
			out := sim.run(b)
			if !out.reading.Complete || out.table != s.users {
				b.Fatalf("%d users of %d; %+v", out.table, s.users, out.reading)
			}
			per := float64(sim.requests) / float64((s.users+199)/200)
			b.Logf("%d a minute, %d of another client's: %v for %v at best (%.4f), %d requests (%.4f of the fewest), %d refused, %d of the other's, %d left at least, %d windows, %d B a user",
				s.limit, s.other, out.took, out.bound, out.fraction(), sim.requests, per, sim.refused, sim.starved, sim.least, len(out.reading.Proof.Windows), out.live/uint64(users))
			worst, refused = min(worst, out.fraction()), refused+sim.refused+sim.starved
			if s.users == users { // the figures are for that many
				requests, live = max(requests, per), max(live, float64(out.live)/float64(users))
			}
			if s.other == 0 {
				left = min(left, float64(sim.least)/float64(s.limit))
			}
		}
		b.ReportMetric(worst, "of-bound")
		b.ReportMetric(float64(refused), "429s")
		b.ReportMetric(left, "reserve-left")
		b.ReportMetric(requests, "requests/fewest")
		b.ReportMetric(live, "B/user")
	}
}
