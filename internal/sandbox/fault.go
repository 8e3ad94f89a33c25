package sandbox

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
)

// A Fault damages one answer. The zero Fault changes nothing.
type Fault struct {
	// Status, unless 0, replaces the answer by one of this status with Header
	// and Body.
	Status int
	Header http.Header // set on the answer, replaced or not
	Body   string
	// Reset closes the connection instead of answering.
	Reset bool
	// Cut closes the connection after the first CutAfter bytes of the body.
	Cut      bool
	CutAfter int
	// After lets the request take effect before the fault; otherwise Status
	// and Reset come before the effect.
	After bool
	// Lost answers a PATCH in Databricks as if it had taken effect, and it has
	// not.
	Lost bool
	// Revoke ends every access token of Databricks before the request is served.
	Revoke bool
}

type lostKey struct{}

// lost reports whether what r asks for must not take effect.
func lost(r *http.Request) bool { return r.Context().Value(lostKey{}) != nil }

// serve lets h answer r as far as the fault allows.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, h http.Handler) {
	if f.Lost {
		r = r.WithContext(context.WithValue(r.Context(), lostKey{}, true))
	}
	if f.Status == 0 && !f.Reset && !f.Cut && f.Header == nil {
		h.ServeHTTP(w, r)
		return
	}
	a := &answer{header: w.Header().Clone()}
	if f.After || f.Status == 0 && !f.Reset {
		h.ServeHTTP(a, r)
	}
	if f.Reset {
		reset(w)
		return
	}
	if f.Status != 0 {
		a = &answer{header: w.Header().Clone(), status: f.Status}
		a.body.WriteString(f.Body)
	}
	maps.Copy(w.Header(), a.header)
	maps.Copy(w.Header(), f.Header)
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(a.status)
	if !f.Cut {
		_, _ = a.body.WriteTo(w)
		return
	}
	_, _ = w.Write(a.body.Next(f.CutAfter))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// An answer is a ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// reset closes w's connection without an answer: over TCP by a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
