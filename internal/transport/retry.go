package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Retry repeats requests that can do no harm when they are sent twice. It never
// repeats a PATCH.
type Retry struct {
	Who      string        // whose answers they are, such as "Okta": for reasons and errors
	Attempts int           // at most, the first included; 0: 9. Of refusals for a rate limit there may be more
	Wait     time.Duration // at most, all waits for one request together, and how long a limit may refuse it; 0: 5 minutes

	// Also permits more than GET and HEAD to be repeated, such as the POST of a
	// token request. Nil permits none.
	Also func(*http.Request) bool

	// Waiting, if not nil, is told before every wait for how long and why.
	Waiting func(reason string)
}

// A GivenUp error says that a request was repeated and failed to the end.
type GivenUp struct {
	Request  string // "GET /api/v1/users"
	Attempts int
	Took     time.Duration
	Status   int // of the last answer; 0 if there was none
	Why      string
	last     error // why there was no answer
}

// Unwrap returns why the last attempt got no answer, if it got none.
func (e *GivenUp) Unwrap() error { return e.last }

// Error implements error.
func (e *GivenUp) Error() string {
	if e.Attempts == 1 {
		return fmt.Sprintf("%s failed: %s", e.Request, e.Why)
	}
	return fmt.Sprintf("%s failed %d times within %v: %s", e.Request, e.Attempts, e.Took.Round(time.Second), e.Why)
}

// Permanent marks an error that no repetition can heal.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Over repeats what next could not answer: status 429, 500, 502, 503, 504,
// connections that broke, bodies that were cut, and time-outs. It waits as long
// as the answer asks for, or ever longer. Any other answer is returned as it
// is; when attempts or time are used up the error is a [*GivenUp].
func (p Retry) Over(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !repeatable(r) && (r.Method == http.MethodPatch || p.Also == nil || !p.Also(r)) {
			return next.RoundTrip(r)
		}
		body, err := rewindable(r)
		if err != nil {
			return nil, err
		}
		return p.Do(r.Context(), r.Method+" "+r.URL.Path, func() (*http.Response, error) {
			attempt := r.Clone(r.Context())
			attempt.Body = body()
			return next.RoundTrip(attempt)
		})
	})
}

// repeatable reports whether r can do no harm when it is sent twice.
func repeatable(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// Do is [Retry.Over] for whatever send does; name says what that is.
func (p Retry) Do(ctx context.Context, name string, send func() (*http.Response, error)) (*http.Response, error) {
	if p.Attempts == 0 {
		p.Attempts = 9
	}
	if p.Wait == 0 {
		p.Wait = 5 * time.Minute
	}
	start, waited := time.Now(), time.Duration(0)
	var refused time.Time // for a rate limit, the first time
	for n := 1; ; n++ {
		resp, err := send()
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if !temporary(resp, err, n) {
			return resp, err
		}
		fail := &GivenUp{Request: name, Attempts: n, Took: time.Since(start), last: err}
		wait, why := p.judge(resp, err, n)
		fail.Why = why
		if resp != nil {
			fail.Status = resp.StatusCode
		}
		limited := resp != nil && resp.StatusCode == http.StatusTooManyRequests
		if limited && refused.IsZero() {
			refused = time.Now()
		}
		// A limit passes: of it there may be more refusals than of what is broken.
		if n >= p.Attempts && !limited {
			return nil, fail
		}
		// What a Pace below holds it back for is not in waited.
		if waited+wait > p.Wait || limited && time.Since(refused)+wait > p.Wait {
			fail.Why += fmt.Sprintf("; to wait %v more would be over %v in all: run again later", wait.Round(time.Second), p.Wait)
			return nil, fail
		}
		waited += wait
		report(p.Waiting, wait, why)
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// judge says how long to wait after a failure, and why.
func (p Retry) judge(resp *http.Response, err error, n int) (time.Duration, string) {
	if err != nil {
		return backOff(n), err.Error()
	}
	wait, why := backOff(n), fmt.Sprintf("%s answered %s%s", p.Who, status(resp), excerpt(resp))
	if resp.StatusCode == http.StatusTooManyRequests {
		why = fmt.Sprintf("%s's rate limit for %s", p.Who, resp.Request.URL.Path)
		if concurrent(resp.Header) && resp.Header.Get("Retry-After") == "" {
			return wait, fmt.Sprintf("%s has too many requests at once", p.Who)
		}
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "" {
		if d, ok := asked(resp.Header); ok && d > 0 {
			// A little more than asked, so that requests that waited together part.
			wait = d + backOff(1)
		}
	}
	return wait, why
}

func report(waiting func(string), d time.Duration, why string) {
	if waiting == nil {
		return
	}
	waiting(fmt.Sprintf("waiting %s: %s", brief(d), why))
}

// brief is a wait as a reader wants it: "12 s", "0.4 s".
func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

func status(resp *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
}

// excerpt is the beginning of an answer's body, for people. The body is whole
// and in memory, so it is put back.
func excerpt(resp *http.Response) string {
	b, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(strings.NewReader(string(b)))
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "?")), " ")
	if s == "" || s[0] == '<' {
		return ""
	}
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return ": " + s
}

// temporary reports whether failure n may pass by itself.
func temporary(resp *http.Response, err error, n int) bool {
	if err == nil {
		switch resp.StatusCode {
		case 429, 500, 502, 503, 504:
			return true
		}
		return false
	}
	var (
		fixed   permanent
		name    *net.DNSError
		dial    *net.OpError
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &fixed), errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &record):
		return false
	case errors.As(err, &name) && name.IsNotFound:
		return false
	case errors.As(err, &dial) && dial.Op == "dial":
		return n < 3 // nobody may be listening there at all
	}
	return true
}

// rewindable returns what gives r's body anew for every attempt.
func rewindable(r *http.Request) (func() io.ReadCloser, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return func() io.ReadCloser { return r.Body }, nil
	}
	b, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the body of %s %s: %w", r.Method, r.URL.Path, err)
	}
	return func() io.ReadCloser { return io.NopCloser(strings.NewReader(string(b))) }, nil
}
