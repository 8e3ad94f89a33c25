package transport

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	// scoutAgain is the time between two requests that ask whether a window has
	// ended that should have.
	scoutAgain = 500 * time.Millisecond

	// early is how long before it is told to end a window may have ended, as that is
	// told in whole seconds. All requests are sent before, but for the last two.
	early = time.Second
)

// A budget is what the answers said of one bucket's rate limit. The zero budget
// knows nothing: it lets one request go, to be told.
type budget struct {
	told   bool      // an answer came
	limit  int       // requests in a window; 0: the answers don't say
	left   int       // of them, by the lowest answer of the window
	reset  int64     // the directory's second in which the window ends
	since  time.Time // when that was told first
	until  time.Time // by our clock: certainly not before the window's end
	flying int       // sent and not answered
	ours   int       // answered in this window

	free    int       // requests that may still go at once; the others are spread over the window
	next    time.Time // the earliest next request, where they are spread
	scout   bool      // a request is under way that will tell of the next window
	waiting int       // requests that wait for their turn
	changed chan struct{}
}

// Busy reports whether requests of the bucket wait for their turn, so that more
// of them at once would gain nothing.
func (p *Pacer) Busy(bucket string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.budgets[bucket]
	return b != nil && b.waiting > 0
}

// turn waits until the bucket's budget has room for a request, and takes it.
func (p *Pacer) turn(ctx context.Context, bucket string) error {
	for waited := false; ; {
		p.mu.Lock()
		b := p.budgets[bucket]
		if b == nil {
			b = &budget{}
			p.budgets[bucket] = b
		}
		if waited {
			b.waiting--
		}
		d := b.take(time.Now(), p.pace.Reserve)
		if d <= 0 {
			p.mu.Unlock()
			return nil
		}
		b.waiting++
		waited = true
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		p.mu.Unlock()
		if d >= time.Second && d < maxHold {
			report(p.pace.Waiting, d, fmt.Sprintf("%s's rate limit for %s", p.pace.Who, bucket))
		}
		t := time.NewTimer(d)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-t.C:
		}
		t.Stop()
		if err := context.Cause(ctx); err != nil {
			p.mu.Lock()
			b.waiting--
			p.mu.Unlock()
			return err
		}
	}
}

// take takes room for one request, or says how long to wait before trying again:
// maxHold means until an answer comes.
func (b *budget) take(now time.Time, reserve int) time.Duration {
	send := func() time.Duration {
		b.flying++
		return 0
	}
	switch room := b.room(reserve); {
	case !b.told && b.flying > 0:
		return maxHold
	case b.limit == 0:
		return send()
	case room > 0 && b.free > 0:
		b.free--
		return send()
	case room > 0 && now.Before(b.until):
		if d := b.next.Sub(now); d > 0 {
			return d
		}
		b.next = now.Add(b.gap(b.until.Sub(now), room))
		return send()
	case now.Before(b.until):
		return b.until.Sub(now)
	case b.scout || b.flying > 0: // whose answer will tell
		return maxHold
	}
	b.scout = true
	return send()
}

// gap is the time from one request to the next, with so much time and room left.
// The last two of many find out whether the window has ended before its second is
// over: who meets the next window lets all others go on.
func (b *budget) gap(left time.Duration, room int) time.Duration {
	last := 0
	if b.limit >= 60 {
		last = 2
	}
	if room > last {
		return max(0, left-early) / time.Duration(room-last)
	}
	return min(left, early) / time.Duration(room)
}

// room is how many more requests the window has for us.
func (b *budget) room(reserve int) int {
	return b.left - b.flying - (b.limit*reserve+99)/100
}

// answered takes back the room of a request sent then, and learns from its
// answer, nil if there was none.
func (p *Pacer) answered(bucket string, resp *http.Response, sent time.Time) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.budgets[bucket]
	b.flying--
	b.scout = false
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	if resp == nil {
		return
	}
	b.told = true
	p.clock.learn(resp.Header, sent, now)
	limit, err := strconv.Atoi(resp.Header.Get("X-Rate-Limit-Limit"))
	left, err2 := strconv.Atoi(resp.Header.Get("X-Rate-Limit-Remaining"))
	reset, err3 := strconv.ParseInt(resp.Header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil || err2 != nil || err3 != nil || limit <= 0 || reset > serverTime(resp.Header).Add(absurd).Unix() {
		return
	}
	switch {
	case reset > b.reset, reset < b.reset && sent.After(b.since): // or the directory's clock was set back
		used := b.ours
		b.limit, b.left, b.reset, b.since, b.ours = limit, left, reset, now, 1
		if room := b.room(p.pace.Reserve); used <= room/4 {
			b.free = room / 3 // who reads little need not wait
		}
		b.until = p.clock.ours(reset)
		if b.left <= 0 { // to be early would be to be refused
			b.until = b.until.Add(time.Second)
		}
		b.next = now
	case reset == b.reset:
		b.limit, b.left = limit, min(b.left, left)
		b.ours++
		if !now.Before(b.until) { // it should have ended
			b.until = now.Add(scoutAgain)
		}
	}
	if latest := now.Add(maxHold); b.until.After(latest) {
		b.until = latest
	}
}

// A clock knows the directory's clock by the Dates of its answers. These have
// whole seconds, but each says that when it was made, between the request and
// the answer, that second had begun and not ended: many together tell more.
type clock struct {
	known     bool
	low, high time.Duration // the directory's clock is ahead of ours by at least low and less than high
}

func (c *clock) learn(h http.Header, sent, got time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	low, high := date.Sub(got), date.Add(time.Second).Sub(sent)
	if !c.known || max(low, c.low) > min(high, c.high) { // or one of the clocks was set
		c.known, c.low, c.high = true, low, high
		return
	}
	c.low, c.high = max(low, c.low), min(high, c.high)
}

// ours is when, by our clock, that second of the directory's has certainly begun.
func (c *clock) ours(second int64) time.Time { return time.Unix(second, 0).Add(-c.low) }
