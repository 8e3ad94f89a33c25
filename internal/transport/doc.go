// Package transport holds what both adapters put under their SDK: a list of
// permitted requests, whole bodies, retry, pacing and counting. Each is a
// decorator of [http.RoundTripper]; an adapter stacks them in one function,
// outermost first:
//
//	Permit → Retry → Pace → Count → Whole → Base
package transport

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Base returns the transport at the bottom of a stack: TLS as Go has it by
// default, the proxy of HTTPS_PROXY, no wait for a connection without an end.
func Base() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          256, // as many as apply has workers at most
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
	}
}

// Count adds one to n for every request that is handed to next.
func Count(next http.RoundTripper, n *atomic.Int64) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		n.Add(1)
		return next.RoundTrip(r)
	})
}

// sleep waits for d, or returns the context's cause.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
