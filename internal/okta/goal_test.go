package okta

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	sdk "github.com/okta/okta-sdk-golang/v5/okta"
)

// A shelf of pages answers every list of users with the next of a few pages.
type shelf struct {
	pages []string // whole users, as a plain listing has them
	lean  []string // their columns
}

func newShelf(n int) *shelf {
	s := &shelf{}
	for i := range n {
		var whole, lean []string
		for j := range 200 {
			k := i*200 + j
			when := time.UnixMilli(1_500_000_000_000 + int64(k)*1000).UTC().Format("2006-01-02T15:04:05.000Z")
			lean = append(lean, string(simUser(nil, k, 1_500_000_000_000+int64(k)*1000)))
			whole = append(whole, wholeUser(k, when))
		}
		s.pages = append(s.pages, "["+strings.Join(whole, ",")+"]")
		s.lean = append(s.lean, "["+strings.Join(lean, ",")+"]")
	}
	return s
}

// wholeUser is a user as Okta lists one: 2.7 kB.
func wholeUser(k int, when string) string {
	links := []string{}
	for _, name := range []string{"suspend", "schema", "resetPassword", "expirePassword", "changeRecoveryQuestion", "self", "resetFactors", "type", "changePassword", "deactivate"} {
		links = append(links, fmt.Sprintf(`%q:{"href":"https://org.example.com/api/v1/users/00u%017d/lifecycle/%s","method":"POST"}`, name, k, name))
	}
	return fmt.Sprintf(`{"id":"00u%017d","status":"ACTIVE","created":%q,"activated":%q,"statusChanged":%q,"lastLogin":%q,"lastUpdated":%q,"passwordChanged":%q,`+
		`"type":{"id":"oty1a2b3c4d5e6f7g8h9"},"profile":{"login":"person.%d@example.com","email":"person.%d@example.com","firstName":"Pat","lastName":"Person%d",`+
		`"mobilePhone":null,"secondEmail":"","department":"Department %d","costCenter":"%d","title":"Engineer","city":"Anytown","countryCode":"US","manager":"m.%d@example.com",`+
		`"description":%q},`+
		`"credentials":{"password":{},"emails":[{"value":"person.%d@example.com","status":"VERIFIED","type":"PRIMARY"}],"provider":{"type":"OKTA","name":"OKTA"}},"_links":{%s}}`,
		k, when, when, when, when, when, when, k, k, k, k%40, k%90, k%500, strings.Repeat("about them ", 40), k, strings.Join(links, ","))
}

// RoundTrip implements [http.RoundTripper].
func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json"}}
	answer := func(body string) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Status: "200 OK", Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	}
	switch q := r.URL.Query(); {
	case r.URL.Path == tokenPath:
		return answer(`{"token_type":"Bearer","expires_in":3600,"access_token":"t"}`)
	case r.URL.Path != "/api/v1/users", q.Has("filter"):
		return answer("[]")
	default:
		n, _ := strconv.Atoi(q.Get("after"))
		if n+1 < len(s.pages) {
			next := url.Values{"after": {strconv.Itoa(n + 1)}, "limit": {"200"}}
			if q.Has("fields") {
				next.Set("fields", q.Get("fields"))
			}
			h.Set("Link", fmt.Sprintf(`<%s/api/v1/users?%s>; rel="next"`, orgURL, next.Encode()))
		}
		if q.Has("fields") {
			return answer(s.lean[n])
		}
		return answer(s.pages[n])
	}
}

// cpu returns the processor time that f takes.
func cpu(f func()) time.Duration {
	runtime.GC()
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

// BenchmarkGoalDecoding compares the processor time of a listing, from the bytes of
// the answers to records in a snapshot, with that of the SDK's own.
func BenchmarkGoalDecoding(b *testing.B) {
	pages := 50
	if testing.Short() {
		pages = 10
	}
	s := newShelf(pages)
	for b.Loop() {
		client, err := Open(b.Context(), Config{OrgURL: orgURL, ClientID: "0oa1", PrivateKey: fakeKey(b), Transport: s})
		if err != nil {
			b.Fatal(err)
		}
		read := func() {
			var kept audit.Builder
			r := client.List(b.Context(), usersRequest, func(p audit.Page) error {
				for _, record := range p.Records {
					if err := kept.Add(record); err != nil {
						return err
					}
				}
				return nil
			})
			if !r.Complete || r.Received != pages*200 {
				b.Fatalf("%+v", r)
			}
		}
		columns := cpu(read)
		client.columns.none.Store(true)
		whole := cpu(read)
		theirs := cpu(func() {
			cfg := &sdk.Configuration{Host: "org.example.com", Scheme: "https", DefaultHeader: map[string]string{},
				Servers: sdk.ServerConfigurations{{URL: orgURL}}, Context: context.Background(), HTTPClient: &http.Client{Transport: s}}
			cfg.Okta.Client.OrgUrl, cfg.Okta.Client.AuthorizationMode, cfg.Okta.Client.Token = orgURL, "SSWS", "t"
			api := sdk.NewAPIClient(cfg)
			n := 0
			for page := range pages {
				users, _, err := api.UserAPI.ListUsers(b.Context()).After(strconv.Itoa(page)).Limit(200).Execute()
				if err != nil {
					b.Fatal(err)
				}
				n += len(users)
			}
			if n != pages*200 {
				b.Fatalf("the SDK listed %d users", n)
			}
		})
		b.Logf("a user: %v of columns, %v whole, %v by the SDK", columns/time.Duration(pages*200), whole/time.Duration(pages*200), theirs/time.Duration(pages*200))
		b.ReportMetric(float64(columns)/float64(theirs), "CPU/SDK")
		b.ReportMetric(float64(whole)/float64(theirs), "CPU/SDK-whole")
	}
}
