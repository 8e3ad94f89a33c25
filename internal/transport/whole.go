package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxBody bounds the memory that one answer can take.
const maxBody = 64 << 20

// Whole hands on answers only with their complete body in memory. An answer of
// status 2xx must be one whole JSON value (or blank, to a PATCH): a body that
// was cut, or HTML, is an error. Of any other status the body is what
// could be read, with "***" where it repeats the credentials of the request. One
// attempt, the body included, may take no longer than limit. What is sent goes
// with its length: not every server takes it in chunks.
func Whole(next http.RoundTripper, limit time.Duration) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), limit, errTimeout{limit})
		defer cancel()
		sent := r.Clone(ctx)
		if err := measure(sent); err != nil {
			return nil, err
		}
		secrets, err := credentials(sent)
		if err != nil {
			return nil, err
		}
		resp, err := next.RoundTrip(sent)
		if err != nil {
			return nil, fmt.Errorf("the connection to %s failed: %w", r.URL.Host, timely(ctx, r.Context(), err))
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
		resp.Body.Close()
		if resp.StatusCode/100 == 2 {
			switch {
			case err != nil && ctx.Err() != nil:
				return nil, fmt.Errorf("the answer to %s %s came as far as byte %d: %w", r.Method, r.URL.Path, len(body), timely(ctx, r.Context(), err))
			case err != nil:
				return nil, fmt.Errorf("the answer to %s %s was cut after %d bytes: %w", r.Method, r.URL.Path, len(body), err)
			case len(body) > maxBody:
				return nil, Permanent(fmt.Errorf("the answer to %s %s is larger than %d MiB", r.Method, r.URL.Path, maxBody>>20))
			}
			if err := wholeJSON(r.Method, body); err != nil {
				return nil, fmt.Errorf("the answer to %s %s %w", r.Method, r.URL.Path, err)
			}
		} else {
			body = conceal(body, secrets)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		resp.ContentLength = int64(len(body))
		resp.TransferEncoding = nil
		resp.Request = r
		return resp, nil
	})
}

// measure sets the length of r's body, which is read for it if it is not known.
func measure(r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > 0 {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return fmt.Errorf("read the body of %s %s: %w", r.Method, r.URL.Path, err)
	}
	r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, int64(len(b)), nil
	if len(b) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(b))
	}
	return nil
}

// wholeJSON reports what keeps body from being one JSON value. It looks at the
// syntax alone: duplicate names and bad UTF-8 are for the decoder to judge,
// object by object.
func wholeJSON(method string, body []byte) error {
	text := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(text) == 0 && method == http.MethodPatch:
		return nil
	case len(text) == 0:
		return errors.New("is blank where JSON was expected")
	case text[0] == '<':
		return errors.New("is HTML where JSON was expected: a proxy or a sign-in page answered in its place")
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := d.SkipValue(); err != nil {
		return fmt.Errorf("is not whole JSON (%d bytes): %v", len(body), err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return errors.New("goes on after the JSON value that was expected")
	}
	return nil
}

// timely replaces an error that came of the attempt's own time limit.
func timely(attempt, request context.Context, err error) error {
	if request.Err() == nil && attempt.Err() != nil {
		return context.Cause(attempt)
	}
	return err
}

type errTimeout struct{ limit time.Duration }

func (e errTimeout) Error() string { return fmt.Sprintf("no complete answer within %v", e.limit) }
func (e errTimeout) Timeout() bool { return true }
