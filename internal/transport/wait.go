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

// asked returns how long an answer asks to wait: its Retry-After, in seconds or
// as a date, or the time from its Date to its X-Rate-Limit-Reset. Only the
// server's clock counts, so ours may be wrong.
func asked(h http.Header) (time.Duration, bool) {
	if after := h.Get("Retry-After"); after != "" {
		if s, err := strconv.Atoi(after); err == nil {
			return seconds(int64(s)), s >= 0
		}
		if t, err := http.ParseTime(after); err == nil {
			return max(0, t.Sub(serverTime(h))), true
		}
	}
	return resetIn(h)
}

// resetIn returns the time from the answer's Date to its X-Rate-Limit-Reset.
func resetIn(h http.Header) (time.Duration, bool) {
	reset, err := strconv.ParseInt(h.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	return max(0, seconds(reset-serverTime(h).Unix())), true
}

// seconds is n seconds, at most a year: more would overflow.
func seconds(n int64) time.Duration { return time.Duration(min(n, 365*24*3600)) * time.Second }

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
