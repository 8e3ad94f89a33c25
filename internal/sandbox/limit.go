package sandbox

import (
	"sync"
	"time"
)

// DefaultRates returns the limits by bucket name: the vendors' own, as far as
// they are known. Those of Okta are an app's half of the org's.
func DefaultRates() map[string]Rate {
	return map[string]Rate{
		"okta users":       {300, time.Minute},
		"okta groups":      {250, time.Minute},
		"okta apps":        {50, time.Minute},
		"okta token":       {600, time.Minute},
		"okta other":       {600, time.Minute},
		"databricks read":  {20, time.Second},
		"databricks list":  {240, time.Minute},
		"databricks write": {2, time.Second},
	}
}

// NoLimits returns the rates that lift every limit.
func NoLimits() map[string]Rate {
	rates := DefaultRates()
	for name := range rates {
		rates[name] = Rate{}
	}
	return rates
}

// A limit counts requests in windows that begin with the first request after
// the last window's end, not with the clock's minute.
type limit struct {
	rate Rate

	mu    sync.Mutex
	used  int
	reset time.Time // end of the window
}

// take counts one request at now. It returns whether it is allowed, how many
// are left in the window, and when the window ends.
func (l *limit) take(now time.Time) (ok bool, left int, reset time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate.N == 0 {
		return true, 1 << 20, now
	}
	if !now.Before(l.reset) {
		l.used, l.reset = 0, now.Add(l.rate.Per)
	}
	if l.used >= l.rate.N {
		return false, 0, l.reset
	}
	l.used++
	return true, l.rate.N - l.used, l.reset
}
