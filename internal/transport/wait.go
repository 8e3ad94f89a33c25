package transport

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// serverTime is the answer's Date, or now.
func serverTime(h http.Header) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return time.Now()
}

// absurd is longer than any directory means to be waited for.
const absurd = 24 * time.Hour

// asked returns how long an answer asks to wait: its Retry-After, in seconds or
// as a date, or the time from its Date to its X-Rate-Limit-Reset. Only the
// server's clock counts, so ours may be wrong. What is absurd was not asked.
func asked(h http.Header) (time.Duration, bool) {
	after := h.Get("Retry-After")
	if s, err := strconv.ParseInt(after, 10, 64); err == nil {
		if d, ok := seconds(s); ok {
			return d, true
		}
	} else if t, err := http.ParseTime(after); err == nil {
		if d := t.Sub(serverTime(h)); d <= absurd {
			return max(0, d), true
		}
	}
	reset, err := strconv.ParseInt(h.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	return seconds(max(0, reset-serverTime(h).Unix()))
}

// seconds is n seconds, if that is not absurd.
func seconds(n int64) (time.Duration, bool) {
	if n < 0 || n > int64(absurd/time.Second) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// concurrent reports whether a 429 came of too many requests at once (Limit 0,
// Remaining 0) rather than of a used-up window.
func concurrent(h http.Header) bool {
	return h.Get("X-Rate-Limit-Limit") == "0" && h.Get("X-Rate-Limit-Remaining") == "0"
}

// backOff returns the wait before attempt n+1: doubling from a quarter of a
// second to six seconds, the later half of it by chance.
func backOff(n int) time.Duration {
	d := min(250*time.Millisecond<<min(n-1, 10), 6*time.Second)
	return d/2 + rand.N(d/2)
}
