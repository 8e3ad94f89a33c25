package databricks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/aimcheck/aimcheck/internal/transport"
)

// once lets a change out one time, whoever above it would send it again, and
// notes what became of it. Changes that no Set asked for stay here.
type once struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return o.next.RoundTrip(r)
	}
	s, ok := r.Context().Value(sendingKey{}).(*sending)
	if !ok || s.sent {
		return nil, transport.Permanent(fmt.Errorf("%s %s is not sent a second time, or unasked", r.Method, r.URL.Path))
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	s.sent = true
	resp, err := o.next.RoundTrip(r)
	if err != nil {
		s.sent = !unreached(err)
		return nil, err
	}
	if resp.StatusCode/100 == 3 {
		// Whoever follows it would send the change again, or a GET in its place.
		return nil, transport.Permanent(fmt.Errorf("a change was answered with a redirect to %q", resp.Header.Get("Location")))
	}
	s.status = resp.StatusCode
	s.body, _ = io.ReadAll(resp.Body) // whole, and in memory
	resp.Body = io.NopCloser(bytes.NewReader(s.body))
	return resp, nil
}

// unreached reports whether no connection was made at all.
func unreached(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}
