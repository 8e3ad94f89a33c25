package okta

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A clock tells Okta's time: this computer's, corrected by the Date of Okta's
// latest answer.
type clock struct {
	now func() time.Time // this computer's

	mu    sync.Mutex
	known bool
	off   time.Duration // how far Okta's clock is ahead of ours
	least time.Duration // the lowest off of any answer, at most 0
}

// time returns Okta's time, as far as it is known.
func (c *clock) time() time.Time {
	off, _ := c.offset()
	return c.now().Add(off)
}

// earliest returns the earliest time that it may be for Okta, whose objects need
// not bear the time of its answers' Dates: whoever asks for what changed since
// then misses nothing.
func (c *clock) earliest() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Add(c.least)
}

// offset returns how far Okta's clock is ahead of ours, and whether that is known.
func (c *clock) offset() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.off, c.known
}

// wrong says how far this computer's clock is off, or nothing if that is less
// than a minute.
func (c *clock) wrong() string {
	off, _ := c.offset()
	way := "behind"
	if off < 0 {
		off, way = -off, "ahead of"
	}
	if off < time.Minute {
		return ""
	}
	return fmt.Sprintf("this computer's clock is %v %s Okta's: set it right", off.Round(time.Second), way)
}

// watch reads the Date of every answer.
func (c *clock) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			c.mu.Lock()
			c.off, c.known = t.Sub(c.now()), true
			c.least = min(c.least, c.off)
			c.mu.Unlock()
		}
		return resp, nil
	})
}
