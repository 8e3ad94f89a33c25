package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"golang.org/x/sync/errgroup"
)

// get sends a GET of path through rt.
func get(t *testing.T, rt http.RoundTripper, path string) (*http.Response, error) {
	t.Helper()
	return send(t.Context(), rt, http.MethodGet, path)
}

func send(ctx context.Context, rt http.RoundTripper, method, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "https://org.example.com"+path, strings.NewReader("sent"))
	if err != nil {
		return nil, err
	}
	return rt.RoundTrip(r)
}

// answer makes a response; headers are "Name: value".
func answer(r *http.Request, status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		h.Add(name, value)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r}
}

// script answers one request after another; the last answer repeats.
func script(sent *[]time.Time, steps ...func(*http.Request) (*http.Response, error)) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		*sent = append(*sent, time.Now())
		return steps[min(len(*sent), len(steps))-1](r)
	})
}

func status200(r *http.Request) (*http.Response, error) { return answer(r, 200, "[]"), nil }

func code(code int, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) { return answer(r, code, "", headers...), nil }
}

func TestPermitSendsNothingElse(t *testing.T) {
	rules := Rules{
		{Method: "GET", Path: "/api/v1/users"},
		{Method: "GET", Path: "/api/v1/groups/{id}/users"},
		{Method: "PATCH", Path: "/scim/Users/{id}", Host: "org.example.com"},
		{Method: "PATCH", Path: "/scim/Groups/{id}", Host: "other.example.com"},
	}
	for _, tt := range []struct {
		method, path string
		permitted    bool
	}{
		{"GET", "/api/v1/users", true},
		{"GET", "/api/v1/users?limit=200&after=x", true},
		{"GET", "/api/v1/groups/00g1/users", true},
		{"GET", "/api/v1/groups/a%2Fb/users", true},
		{"PATCH", "/scim/Users/1", true},
		{"PATCH", "/scim/Groups/1", false}, // another host
		{"POST", "/api/v1/users", false},
		{"DELETE", "/api/v1/users", false},
		{"GET", "/api/v1/users/00u1", false},
		{"GET", "/api/v1/users/", false},
		{"GET", "/api/v1/groups//users", false},
		{"GET", "/api/v1/groups/../users", false},
		{"GET", "/API/v1/users", false},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			var sent []time.Time
			_, err := send(t.Context(), Permit(script(&sent, status200), rules), tt.method, tt.path)
			if (err == nil) != tt.permitted || (len(sent) == 1) != tt.permitted {
				t.Errorf("err %v, sent %d; permitted should be %v", err, len(sent), tt.permitted)
			}
			if err != nil && !strings.Contains(err.Error(), "not sent") {
				t.Errorf("unclear error: %v", err)
			}
		})
	}
}

func TestWholeRefusesWhatIsNotWhole(t *testing.T) {
	cut := io.NopCloser(io.MultiReader(strings.NewReader(`[{"id":`), broken{}))
	for _, tt := range []struct {
		name, method string
		status       int
		body         any
		err          string
	}{
		{"array", "GET", 200, `[{"id":"1"}]`, ""},
		{"object", "GET", 200, ` {} `, ""},
		{"duplicate names are for the decoder", "GET", 200, `[{"a":1,"a":2}]`, ""},
		{"bad UTF-8 is for the decoder", "GET", 200, "[\"\xff\"]", ""},
		{"blank PATCH", "PATCH", 204, "", ""},
		{"blank POST, for a token", "POST", 200, "", "blank where JSON was expected"},
		{"blank GET", "GET", 200, "", "blank where JSON was expected"},
		{"HTML", "GET", 200, "<!DOCTYPE html>", "HTML where JSON"},
		{"HTML to PATCH", "PATCH", 200, "\n<html>", "HTML where JSON"},
		{"cut, with a length that hides it", "GET", 200, `[{"id":"1"},{"id`, "not whole JSON"},
		{"two values", "GET", 200, `[][]`, "goes on"},
		{"cut", "GET", 200, cut, "was cut after 7 bytes"},
		{"error page", "GET", 503, "<html>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rt := Whole(roundTripper(func(r *http.Request) (*http.Response, error) {
				resp := answer(r, tt.status, "")
				switch b := tt.body.(type) {
				case string:
					resp.Body = io.NopCloser(strings.NewReader(b))
				case io.ReadCloser:
					resp.Body = b
				}
				return resp, nil
			}), time.Minute)
			resp, err := send(t.Context(), rt, tt.method, "/x")
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); err != nil || string(b) != tt.body || resp.ContentLength != int64(len(b)) {
				t.Errorf("body %q of length %d, %v; want %q", b, resp.ContentLength, err, tt.body)
			}
		})
	}
}

// A body goes with its length, whoever made the request.
func TestWholeSendsLengths(t *testing.T) {
	for _, body := range []string{"", "grant_type=client_credentials"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if b, err := io.ReadAll(r.Body); string(b) != body || err != nil || r.ContentLength != int64(len(body)) || r.TransferEncoding != nil {
				t.Errorf("got %q, %v, of length %d in %v; want %q", b, err, r.ContentLength, r.TransferEncoding, body)
			}
			_, _ = io.WriteString(w, "{}")
		}))
		defer server.Close()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, struct{ io.Reader }{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Whole(Base(), time.Minute).RoundTrip(r); err != nil {
			t.Error(err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWholeEndsAnAttemptThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTripper(func(r *http.Request) (*http.Response, error) {
			resp := answer(r, 200, "")
			resp.Body = io.NopCloser(hanging{r.Context()})
			return resp, nil
		})
		start := time.Now()
		_, err := get(t, Whole(hang, 30*time.Second), "/x")
		if err == nil || !strings.Contains(err.Error(), "the answer to GET /x came as far as byte 0: no complete answer within 30s") || !temporary(nil, err, 1) {
			t.Errorf("got %v, want a time-out that may be repeated", err)
		}
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

func TestRetryHeals(t *testing.T) {
	fail := func(err error) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	for _, tt := range []struct {
		name     string
		first    func(*http.Request) (*http.Response, error)
		min, max time.Duration // the wait before the second attempt
	}{
		{"500", code(500), 125 * time.Millisecond, 250 * time.Millisecond},
		{"502", code(502), 125 * time.Millisecond, 250 * time.Millisecond},
		{"EOF", fail(io.EOF), 125 * time.Millisecond, 250 * time.Millisecond},
		{"429 without headers", code(429), 125 * time.Millisecond, 250 * time.Millisecond},
		{"429 with Retry-After in seconds", code(429, "Retry-After: 7"), 7 * time.Second, 8 * time.Second},
		{"503 with Retry-After in seconds", code(503, "Retry-After: 7"), 7 * time.Second, 8 * time.Second},
		{"429 with Retry-After as a date of a wrong clock", code(429, "Retry-After: Sat, 03 Jan 2026 10:00:09 GMT",
			"Date: Sat, 03 Jan 2026 10:00:00 GMT"), 9 * time.Second, 10 * time.Second},
		{"window 429 by the server's clock", code(429, "X-Rate-Limit-Limit: 600", "X-Rate-Limit-Remaining: 0",
			"X-Rate-Limit-Reset: 1767434440", "Date: Sat, 03 Jan 2026 10:00:00 GMT"), 40 * time.Second, 41 * time.Second},
		{"concurrency 429 does not wait for Reset", code(429, "X-Rate-Limit-Limit: 0", "X-Rate-Limit-Remaining: 0",
			"X-Rate-Limit-Reset: 1767434440", "Date: Sat, 03 Jan 2026 10:00:00 GMT"), 125 * time.Millisecond, 250 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent []time.Time
				var reasons []string
				p := Retry{Who: "Okta", Waiting: func(s string) { reasons = append(reasons, s) }}
				resp, err := get(t, p.Over(script(&sent, tt.first, status200)), "/api/v1/users")
				if err != nil || resp.StatusCode != 200 || len(sent) != 2 {
					t.Fatalf("got %v, %v after %d attempts", resp, err, len(sent))
				}
				if wait := sent[1].Sub(sent[0]); wait < tt.min || wait > tt.max {
					t.Errorf("waited %v, want %v to %v", wait, tt.min, tt.max)
				}
				if len(reasons) != 1 || !strings.HasPrefix(reasons[0], "waiting ") {
					t.Errorf("reasons %q", reasons)
				}
			})
		})
	}
}

func TestRetryGivesUp(t *testing.T) {
	for _, tt := range []struct {
		name     string
		answer   func(*http.Request) (*http.Response, error)
		attempts int
		err      string
	}{
		{"attempts are bounded", code(503), 9, "GET /x failed 9 times"},
		{"waiting is bounded", code(429, "Retry-After: 100"), 3, "to wait 1m40s more would be over 5m0s in all"},
		{"an hour is not waited for", code(429, "Retry-After: 3600"), 1, "GET /x failed: Okta's rate limit for /x; to wait 1h0m"},
		{"a number beyond all time", code(503, "Retry-After: 99999999999999999999999"), 9, "GET /x failed 9 times"},
		{"a time beyond all sense", code(503, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"), 9, "GET /x failed 9 times"},
		{"a reset beyond all sense", code(503, "Retry-After: -1", "X-Rate-Limit-Reset: 9999999999"), 9, "GET /x failed 9 times"},
		{"permanent", func(*http.Request) (*http.Response, error) { return nil, Permanent(errors.New("no")) }, 1, "no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent []time.Time
				start := time.Now()
				_, err := get(t, Retry{Who: "Okta"}.Over(script(&sent, tt.answer)), "/x")
				if err == nil || !strings.Contains(err.Error(), tt.err) || len(sent) != tt.attempts {
					t.Errorf("%d attempts, error %v; want %d and %q", len(sent), err, tt.attempts, tt.err)
				}
				if took := time.Since(start); took > 5*time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// A rate limit that does not say when it ends is waited out, for minutes at most.
func TestRetryWaitsOutALimit(t *testing.T) {
	for name, headers := range map[string][]string{
		"unsaid":          nil,
		"in the past":     {"X-Rate-Limit-Limit: 600", "X-Rate-Limit-Remaining: 0", "X-Rate-Limit-Reset: 1000"},
		"beyond all time": {"X-Rate-Limit-Limit: 600", "X-Rate-Limit-Remaining: 0", "X-Rate-Limit-Reset: 99999999999999999999"},
		"no number":       {"Retry-After: soon", "X-Rate-Limit-Reset: soon"},
		"too many":        {"X-Rate-Limit-Limit: 0", "X-Rate-Limit-Remaining: 0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ends := start.Add(time.Minute)
				rt := Retry{Who: "Okta"}.Over(roundTripper(func(r *http.Request) (*http.Response, error) {
					if time.Now().Before(ends) {
						return code(429, headers...)(r)
					}
					return status200(r)
				}))
				if _, err := get(t, rt, "/x"); err != nil || time.Since(start) > 67*time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				start, ends = time.Now(), time.Now().Add(time.Hour)
				_, err := get(t, rt, "/x")
				if took := time.Since(start); err == nil || took > 5*time.Minute || !strings.Contains(err.Error(), "run again later") {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

// A limit that never passes is given up after minutes, however many requests take
// turns in finding out whether it has.
func TestRetryGivesUpALimitThatManyWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := Pace{Who: "Okta", Bucket: func(r *http.Request) string { return r.URL.Path }}
		rt := Retry{Who: "Okta"}.Over(pace.Over(roundTripper(func(r *http.Request) (*http.Response, error) {
			reset := fmt.Sprintf("X-Rate-Limit-Reset: %d", time.Now().Unix()+2)
			return code(429, "X-Rate-Limit-Limit: 600", "X-Rate-Limit-Remaining: 0", reset, "Date: "+time.Now().UTC().Format(http.TimeFormat))(r)
		})))
		start := time.Now()
		g, ctx := errgroup.WithContext(t.Context())
		for range 12 {
			g.Go(func() error {
				_, err := send(ctx, rt, http.MethodGet, "/x")
				return err
			})
		}
		err := g.Wait()
		if took := time.Since(start); err == nil || took > 6*time.Minute || !strings.Contains(err.Error(), "run again later") {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

func TestRetrySendsOnlyReadsTwice(t *testing.T) {
	token := func(r *http.Request) bool { return r.URL.Path == "/token" }
	for _, tt := range []struct {
		method, path string
		attempts     int
	}{
		{"GET", "/x", 2}, {"HEAD", "/x", 2}, {"POST", "/token", 2}, {"POST", "/x", 1}, {"PATCH", "/x", 1}, {"PATCH", "/token", 1}, {"PUT", "/x", 1},
	} {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				rt := Retry{Also: token}.Over(roundTripper(func(r *http.Request) (*http.Response, error) {
					if b, err := io.ReadAll(r.Body); string(b) != "sent" || err != nil {
						t.Errorf("attempt %d has the body %q, %v", n, b, err)
					}
					if n++; n == 1 {
						return code(503)(r)
					}
					return status200(r)
				}))
				if _, err := send(t.Context(), rt, tt.method, tt.path); err != nil || n != tt.attempts {
					t.Errorf("%d attempts, %v; want %d", n, err, tt.attempts)
				}
			})
		})
	}
}

func TestEveryWaitObeysTheContext(t *testing.T) {
	stop := errors.New("interrupted")
	held := Pace{Who: "Okta", Bucket: func(*http.Request) string { return "b" }}
	slow := Pace{Bucket: func(*http.Request) string { return "b" }, Limits: map[string]*rate.Limiter{"b": rate.NewLimiter(0.001, 1)}}
	limited := code(429, "Retry-After: 60")
	var sent []time.Time
	for name, rt := range map[string]http.RoundTripper{
		"retry":   Retry{}.Over(script(&sent, limited)),
		"hold":    held.Over(script(&sent, limited)),
		"limiter": slow.Over(script(&sent, status200)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(stop) })
				start := time.Now()
				_, err := send(ctx, rt, "GET", "/x")
				if err == nil {
					_, err = send(ctx, rt, "GET", "/x")
				}
				if !errors.Is(err, stop) || time.Since(start) != time.Second {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
			})
		})
	}
}

func TestPaceLeavesTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A server whose clock is an hour off, with 10 requests a minute, and
		// another client that never uses any.
		const limit = 10
		var mu sync.Mutex
		remaining, reset, refused, lowest := limit, time.Now().Add(time.Minute), 0, limit
		server := roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if !time.Now().Before(reset) {
				remaining, reset = limit, time.Now().Add(time.Minute)
			}
			code := 200
			if remaining == 0 {
				refused++
				code = 429
			} else {
				remaining--
			}
			lowest = min(lowest, remaining)
			theirs := time.Now().Add(time.Hour)
			return answer(r, code, "[]", fmt.Sprintf("X-Rate-Limit-Limit: %d", limit), fmt.Sprintf("X-Rate-Limit-Remaining: %d", remaining),
				fmt.Sprintf("X-Rate-Limit-Reset: %d", reset.Add(time.Hour).Unix()), "Date: "+theirs.UTC().Format(http.TimeFormat)), nil
		})
		var reasons []string
		p := Pace{Who: "Okta", Bucket: func(*http.Request) string { return "/api/v1/users" }, Reserve: 30, Waiting: func(s string) { reasons = append(reasons, s) }}
		rt := p.Over(server)
		start := time.Now()
		for range 21 {
			if _, err := get(t, rt, "/api/v1/users"); err != nil {
				t.Fatal(err)
			}
		}
		if refused != 0 || lowest != 3 {
			t.Errorf("refused %d times, lowest %d; want 0 and the reserve of 3", refused, lowest)
		}
		// Two go at once, the others evenly until a second before each window ends.
		if took := time.Since(start); took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("21 requests at 7 a minute took %v", took)
		}
		if len(reasons) == 0 || reasons[0] != "waiting 15 s: Okta's rate limit for /api/v1/users" {
			t.Errorf("reasons %q", reasons)
		}
	})
}

// A rate limit is kept to, and used up, whatever answers say of it now and then.
func TestPaceBelievesNoNonsense(t *testing.T) {
	const limit, requests = 60, 150
	for name, wrong := range map[string]func(now time.Time) (reset int64, left int, date time.Time){
		"a reset in a thousand years": func(now time.Time) (int64, int, time.Time) { return now.Unix() + 1000*365*24*3600, limit, now },
		"a reset in milliseconds":     func(now time.Time) (int64, int, time.Time) { return now.UnixMilli(), limit, now },
		"a reset in the past":         func(now time.Time) (int64, int, time.Time) { return now.Unix() - 3600, limit, now },
		"a clock an hour ahead":       func(now time.Time) (int64, int, time.Time) { return now.Unix() + 3660, limit, now.Add(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, refused, used, reset := 0, 0, 0, time.Time{}
				rt := Pace{Who: "Okta", Bucket: func(*http.Request) string { return "b" }, Reserve: 10}.Over(roundTripper(func(r *http.Request) (*http.Response, error) {
					now := time.Now()
					if !now.Before(reset) {
						used, reset = 0, now.Add(time.Minute)
					}
					if used++; used > limit {
						refused++
					}
					ends, left, date := reset.Unix(), limit-used, now
					if n++; n == 1 {
						ends, left, date = wrong(now)
					}
					return answer(r, 200, "[]", fmt.Sprintf("X-Rate-Limit-Limit: %d", limit), fmt.Sprintf("X-Rate-Limit-Remaining: %d", left),
						fmt.Sprintf("X-Rate-Limit-Reset: %d", ends), "Date: "+date.UTC().Format(http.TimeFormat)), nil
				}))
				start := time.Now()
				for range requests {
					if _, err := get(t, rt, "/x"); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(start); refused > 0 || took > 5*time.Minute {
					t.Errorf("%d requests took %v, %d were refused", requests, took, refused)
				}
			})
		})
	}
}

// The last requests of a window find out whether the next has begun, so that none
// of its time is lost: when a window ends is told in whole seconds.
func TestPaceMeetsTheNextWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, windows = 60, 20
		used, begun, ends := 0, 0, time.Time{}
		rt := Pace{Who: "Okta", Bucket: func(*http.Request) string { return "b" }}.Over(roundTripper(func(r *http.Request) (*http.Response, error) {
			now := time.Now()
			if !now.Before(ends) {
				used, ends, begun = 0, now.Add(time.Minute), begun+1
			}
			if used++; used > limit {
				t.Errorf("request %d of window %d", used, begun)
			}
			return answer(r, 200, "[]", fmt.Sprintf("X-Rate-Limit-Limit: %d", limit), fmt.Sprintf("X-Rate-Limit-Remaining: %d", limit-used),
				fmt.Sprintf("X-Rate-Limit-Reset: %d", ends.Add(time.Second-1).Unix()), "Date: "+now.UTC().Format(http.TimeFormat)), nil
		}))
		time.Sleep(150 * time.Millisecond)
		start := time.Now()
		for begun <= windows {
			if _, err := get(t, rt, "/x"); err != nil {
				t.Fatal(err)
			}
		}
		if lost := time.Since(start) - windows*time.Minute; lost > windows*time.Second/2 {
			t.Errorf("%v were lost between %d windows", lost, windows)
		}
	})
}

func TestPaceKeepsARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Time
		p := Pace{Bucket: func(r *http.Request) string { return r.Method }, Limits: map[string]*rate.Limiter{"GET": rate.NewLimiter(4, 1)}}
		rt := p.Over(script(&sent, status200))
		start := time.Now()
		for range 9 {
			if _, err := get(t, rt, "/x"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("9 requests at 4 a second took %v", took)
		}
	})
}

func TestPaceHoldsOneBucketAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Time
		p := Pace{Bucket: func(r *http.Request) string { return r.URL.Path }}
		rt := p.Over(script(&sent, code(429, "Retry-After: 30"), status200))
		for _, path := range []string{"/a", "/b", "/a"} {
			if _, err := get(t, rt, path); err != nil {
				t.Fatal(err)
			}
		}
		if d := sent[1].Sub(sent[0]); d != 0 {
			t.Errorf("/b waited %v for /a", d)
		}
		if d := sent[2].Sub(sent[0]); d != 30*time.Second {
			t.Errorf("/a was sent again after %v", d)
		}
	})
}

func TestCount(t *testing.T) {
	var n atomic.Int64
	var sent []time.Time
	rt := Count(script(&sent, status200), &n)
	for range 3 {
		if _, err := get(t, rt, "/x"); err != nil {
			t.Fatal(err)
		}
	}
	if n.Load() != 3 {
		t.Errorf("counted %d of 3", n.Load())
	}
}

func TestCheckURL(t *testing.T) {
	for _, tt := range []struct{ raw, want, err string }{
		{"https://acme.okta.com", "https://acme.okta.com", ""},
		{" https://Acme.okta.com/ ", "https://acme.okta.com", ""},
		{"https://acme.okta.com:8443", "https://acme.okta.com:8443", ""},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", ""},
		{"http://localhost:8080", "http://localhost:8080", ""},
		{"http://[::1]:8080", "http://[::1]:8080", ""},
		{"", "", "blank"},
		{"acme.okta.com", "", "write https:// before the host"},
		{"http://acme.okta.com", "", "loopback"},
		{"http://127.0.0.1.example.com", "", "loopback"},
		{"http://localhost.example.com", "", "loopback"},
		{"ftp://acme.okta.com", "", "scheme ftp"},
		{"https://", "", "names no host"},
		{"https://:443", "", "names no host"},
		{"https://{yourOktaDomain}", "", "write one like"},
		{"https://acme.okta.com/api/v1", "", "write https://acme.okta.com"},
		{"https://acme.okta.com?x=1", "", "query"},
		{"https://acme.okta.com#x", "", "fragment"},
		{"https://u:secret@acme.okta.com", "", "leave it out"},
		{"https://acme.okta.com:port", "", "can't be read"},
	} {
		u, err := CheckURL(tt.raw)
		switch {
		case tt.err == "" && (err != nil || u.String() != tt.want):
			t.Errorf("CheckURL(%q) = %v, %v; want %s", tt.raw, u, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("CheckURL(%q) gives the error %v, want one with %q", tt.raw, err, tt.err)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("CheckURL(%q) tells the password: %v", tt.raw, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	f.Add("https://acme.okta.com")
	f.Add("http://[::1%25zone]:1")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := CheckURL(raw)
		if err != nil {
			return
		}
		if u.Host == "" || u.Scheme == "http" && !loopback(u.Hostname()) {
			t.Errorf("CheckURL(%q) = %v", raw, u)
		}
		if again, err := CheckURL(u.String()); err != nil || again.String() != u.String() {
			t.Errorf("CheckURL(%q) = %v, which gives %v, %v", raw, u, again, err)
		}
	})
}

// A directory that refuses changes without saying for how long is left alone
// ever longer, until it takes one.
func TestPaceRestsAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Time
		p := Pace{Bucket: func(r *http.Request) string { return r.Method }}
		rt := p.Over(script(&sent, code(429), code(429), code(429), code(429), status200, code(429), status200))
		for range 7 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "https://example.com/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := rt.RoundTrip(r); err != nil {
				t.Fatal(err)
			}
		}
		for i, least := range []time.Duration{time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second, 0, time.Second / 2} {
			if d := sent[i+1].Sub(sent[i]); d < least || d > 2*least {
				t.Errorf("rested %v after request %d, want %v to %v", d, i+1, least, 2*least)
			}
		}
	})
}
