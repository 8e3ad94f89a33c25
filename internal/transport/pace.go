package transport

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxHold bounds how long one answer can hold a bucket back.
const maxHold = 2 * time.Minute

// Pace holds requests back before the directory has to refuse them.
type Pace struct {
	Who string // whose limits they are, such as "Okta": for reasons

	// Bucket names the rate limit that a request counts against.
	Bucket func(*http.Request) string

	// Limits holds the limiter of a bucket that has a known rate. The others
	// are paced by what the answers' X-Rate-Limit headers say.
	Limits map[string]*rate.Limiter

	// Reserve is the part of every window, in per cent, that is left to the
	// directory's other clients.
	Reserve int

	// Waiting, if not nil, is told before every wait for how long and why.
	Waiting func(reason string)
}

// Over sends each request once its bucket has room: not faster than its
// limiter; without one, no more in a window than the answers say it has above
// the reserve, those under way included. A third of the first window's may go at
// once, the rest is spread, so that other clients of the bucket find room at any
// time. Nothing is sent before a 429 said to come back. A 429
// that does not say, to a request that [Retry] never repeats, rests its bucket a
// second, and longer each time that another one follows.
func (p Pace) Over(next http.RoundTripper) *Pacer {
	return &Pacer{pace: p, next: next, budgets: map[string]*budget{},
		holds: holds{until: map[string]time.Time{}, unsaid: map[string]int{}}}
}

// A Pacer sends requests as its [Pace] says.
type Pacer struct {
	pace  Pace
	next  http.RoundTripper
	holds holds

	mu      sync.Mutex // guards what follows
	budgets map[string]*budget
	clock   clock
}

type turnKey struct{}

// WithTurn returns a context for a request that [Pacer.Wait] has waited for.
func WithTurn(ctx context.Context) context.Context { return context.WithValue(ctx, turnKey{}, true) }

// RoundTrip implements [http.RoundTripper].
func (p *Pacer) RoundTrip(r *http.Request) (*http.Response, error) {
	bucket := p.pace.Bucket(r)
	wait := p.Wait
	if r.Context().Value(turnKey{}) != nil {
		wait = p.rest
	}
	if err := wait(r.Context(), bucket); err != nil {
		return nil, err
	}
	if p.pace.Limits[bucket] == nil {
		if err := p.turn(r.Context(), bucket); err != nil {
			return nil, err
		}
	}
	sent := time.Now()
	resp, err := p.next.RoundTrip(r)
	if p.pace.Limits[bucket] == nil {
		p.answered(bucket, resp, sent)
	}
	if err == nil {
		d := p.pace.room(resp)
		if d <= 0 && resp.StatusCode == http.StatusTooManyRequests && !repeatable(r) {
			d = backOff(p.holds.again(bucket)) * 4
		} else {
			p.holds.clear(bucket)
		}
		p.holds.hold(bucket, d)
	}
	return resp, err
}

// Resting returns how long the bucket rests at the directory's wish; not above 0
// means not at all.
func (p *Pacer) Resting(bucket string) time.Duration { return p.holds.left(bucket) }

// rest waits while the bucket rests.
func (p *Pacer) rest(ctx context.Context, bucket string) error {
	for {
		d := p.Resting(bucket)
		if d <= 0 {
			return nil
		}
		report(p.pace.Waiting, d, fmt.Sprintf("%s's rate limit for %s", p.pace.Who, bucket))
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

// Wait waits until a request of that bucket may be sent, and takes its turn. The
// error is the context's cause.
func (p *Pacer) Wait(ctx context.Context, bucket string) error {
	if err := p.rest(ctx, bucket); err != nil {
		return err
	}
	limiter := p.pace.Limits[bucket]
	if limiter == nil {
		return nil
	}
	turn := limiter.Reserve()
	d := turn.Delay()
	if d <= 0 {
		return nil
	}
	if d >= time.Second {
		report(p.pace.Waiting, d, fmt.Sprintf("not to pass %s's rate limit for %s", p.pace.Who, bucket))
	}
	if err := sleep(ctx, d); err != nil {
		turn.Cancel()
		return err
	}
	return nil
}

// room returns how long the answer asks its bucket to rest.
func (p Pace) room(resp *http.Response) time.Duration {
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "" {
		d, _ := asked(resp.Header)
		return d
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		if concurrent(resp.Header) {
			return 0
		}
		d, _ := asked(resp.Header)
		return d
	}
	return 0
}

// holds says until when each bucket rests.
type holds struct {
	mu     sync.Mutex
	until  map[string]time.Time
	unsaid map[string]int // by bucket: refusals in a row that did not say how long
}

// again counts one more refusal in a row.
func (h *holds) again(bucket string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unsaid[bucket]++
	return h.unsaid[bucket]
}

// clear ends a row of refusals.
func (h *holds) clear(bucket string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unsaid[bucket] = 0
}

func (h *holds) left(bucket string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.until[bucket])
}

func (h *holds) hold(bucket string, d time.Duration) {
	if d <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := time.Now().Add(min(d, maxHold)); t.After(h.until[bucket]) {
		h.until[bucket] = t
	}
}
