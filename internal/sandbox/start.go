package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A T is what Start needs of a test: a *testing.T, or another.
type T interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Running is a sandbox that serves a test.
type Running struct {
	*Sandbox
	URL string // of both vendors, without a slash at the end

	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	refused atomic.Bool // the test expects refusals
}

// Start serves tenant on a loopback port until the test ends. It fails the test
// if a request was refused, unless [Running.ExpectRefusals] was called.
func Start(t T, tenant *Tenant, o Options) *Running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("sandbox: %v", err)
	}
	return serve(t, tenant, o, l, "http://"+l.Addr().String(), (&net.Dialer{}).DialContext)
}

// Pipe is Start over connections in memory, for tests in a [testing/synctest]
// bubble. Only clients that use [Running.Transport] reach it. A client of Okta's
// SDK can't be made in a bubble: its token cache starts a goroutine for ever.
func Pipe(t T, tenant *Tenant, o Options) *Running {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	return serve(t, tenant, o, l, "http://127.0.0.1:1", l.dial)
}

func serve(t T, tenant *Tenant, o Options, l net.Listener, url string, dial func(context.Context, string, string) (net.Conn, error)) *Running {
	t.Helper()
	s, err := New(tenant, o)
	if err != nil {
		t.Fatalf("sandbox: %v", err)
	}
	r := &Running{Sandbox: s, URL: url, dial: dial}
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("sandbox: %v", err)
		}
		if refused := s.Refused(); len(refused) > 0 && !r.refused.Load() {
			t.Errorf("sandbox: requests that are not permitted: %+v", refused)
		}
	})
	return r
}

// ExpectRefusals lets the test end well although requests were refused.
func (r *Running) ExpectRefusals() { r.refused.Store(true) }

// Transport returns a new transport that reaches the sandbox. The caller closes
// its idle connections.
func (r *Running) Transport() *http.Transport { return &http.Transport{DialContext: r.dial} }

// Env returns what [Sandbox.Env] returns for the URL.
func (r *Running) Env() []string { return r.Sandbox.Env(r.URL) }

// A pipeListener listens for connections made by its own dial.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
