package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"https://hooks.slack.com/services/T0/B0/hush":    "slack https://hooks.slack.com",
		"https://prod-1.westeurope.logic.azure.com/hush": "teams https://prod-1.westeurope.logic.azure.com",
		"https://acme.webhook.office.com/hush":           "teams https://acme.webhook.office.com",
		"https://hooks.slack.com.example.com/hush":       "json https://hooks.slack.com.example.com",
		"http://127.0.0.1:9/hush":                        "json http://127.0.0.1:9",
		"http://alerts.example.com/hush":                 "error: http://alerts.example.com is not encrypted: plain http is for this machine alone, use https",
		"https://pat:hush@alerts.example.com/":           "error: the URL holds a user name or password: expected https://HOST/…, as the service that receives it shows it",
		"hush":                                           "error: not the URL of a webhook: expected https://HOST/…, as the service that receives it shows it",
		"ftp://h/hush":                                   "error: not the URL of a webhook: expected https://HOST/…, as the service that receives it shows it",
		"https://h/hush\x00":                             "error: not the URL of a webhook: expected https://HOST/…, as the service that receives it shows it",
	} {
		got := ""
		if w, err := Parse(text, ""); err != nil {
			got = "error: " + err.Error()
		} else {
			got = string(w.Form) + " " + w.String()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if w, err := Parse("https://h/x", Teams); err != nil || w.Form != Teams {
		t.Errorf("%v, %v", w, err)
	}
	if _, err := Parse("https://h/x", "pager"); err == nil || !strings.Contains(err.Error(), "expected json, slack or teams") {
		t.Error(err)
	}
}

func alert(details bool) *Alert {
	a := &Alert{Schema: AlertSchema, Time: time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC), Org: "https://o.example.com", Account: "a",
		Verdict: audit.NotReady, Before: audit.Ready, Counts: map[audit.Severity]int{audit.Blocker: 12}, Expired: 1}
	changes := []Change{{"shared-email-1", "shared-email", audit.Blocker, "new", "2 live Okta users share <!channel> *pat@example.com*\u202e"}}
	for range 11 {
		changes = append(changes, Change{"a-2", "a", audit.Error, "resolved", "ana@example.com"})
	}
	a.Tell(changes, details)
	return a
}

// Nobody is named unless that was asked for, and no name is markup.
func TestForms(t *testing.T) {
	for _, form := range Forms() {
		for _, details := range []bool{false, true} {
			w := Webhook{Form: form}
			body, err := w.body(alert(details))
			if err != nil || !json.Valid(body) {
				t.Fatalf("%s, %v", body, err)
			}
			if named := bytes.Contains(body, []byte("pat@example.com")); named != details {
				t.Errorf("%s with details %t names people: %t", form, details, named)
			}
			if form != JSON && bytes.Contains(body, []byte("<!channel>")) {
				t.Errorf("%s: %s", form, body)
			}
			for _, want := range []string{"shared-email-1", "o.example.com", "resolved"} {
				if !bytes.Contains(body, []byte(want)) {
					t.Errorf("%s: no %s in %s", form, want, body)
				}
			}
		}
	}
	got := alert(false).lines(func(s string) string { return s })
	want := []string{"aimcheck: NOT READY, was READY", "o.example.com, Databricks a", "1 new, 11 resolved",
		"in all 12 blockers, 0 errors, 0 warnings, 0 for information", "waivers expired: 1", "new blocker: shared-email-1"}
	if diff := cmp.Diff(want, got[:6]); diff != "" || got[len(got)-1] != "and 2 more: see the report" || len(got) != 5+MostChanges+1 {
		t.Errorf("%d lines (-want +got)\n%s", len(got), diff)
	}
	var back Alert
	body, err := (&Webhook{Form: JSON}).body(alert(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &back); err != nil || len(back.Changes) != MostChanges || back.Total != 12 || back.ByChange["resolved"] != 11 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestWorth(t *testing.T) {
	info, grave := Change{Severity: audit.Info}, Change{Severity: audit.Error}
	for i, test := range []struct {
		before  audit.Verdict
		changes []Change
		want    bool
	}{
		{audit.Ready, nil, false},
		{audit.Ready, []Change{info}, false},
		{audit.Ready, []Change{info, grave}, true},
		{audit.Incomplete, nil, true},
		{"", nil, false},
	} {
		a := &Alert{Verdict: audit.Ready, Before: test.before}
		if got := a.Worth(test.changes, audit.Warning); got != test.want {
			t.Errorf("%d: %t", i, got)
		}
	}
}

// The receiver can check who sent it, and that nobody changed it.
func TestSigned(t *testing.T) {
	got := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		got <- r
	}))
	defer server.Close()
	w, err := Parse(server.URL+"/hook", "")
	if err != nil {
		t.Fatal(err)
	}
	w.Secret, w.Now = "key", func() time.Time { return time.Unix(1800000000, 0) }
	if err := w.Send(t.Context(), alert(false), "run-1"); err != nil {
		t.Fatal(err)
	}
	r := <-got
	body, _ := io.ReadAll(r.Body)
	if r.Method != "POST" || r.URL.Path != "/hook" || r.Header.Get("Idempotency-Key") != "run-1" || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("Aimcheck-Timestamp") != "1800000000" || r.Header.Get("Aimcheck-Signature") != "v1="+Sign("key", "1800000000", body) {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	// As anybody would check it: printf '1800000000.{}' | openssl dgst -sha256 -hmac key
	if s := Sign("key", "1800000000", []byte("{}")); s != "7321475872b03ff21bdc2dfd86ea2d99ec29c479fbe4a77aa6acf4509505493f" {
		t.Errorf("signature %s", s)
	}
}

// trip answers requests in turn.
type trip struct {
	answers []any // a status, a header Retry-After behind it, or an error
	keys    []string
	at      []time.Duration
	start   time.Time
}

func (f *trip) RoundTrip(r *http.Request) (*http.Response, error) {
	f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
	f.at = append(f.at, time.Since(f.start))
	a := f.answers[min(len(f.at), len(f.answers))-1]
	switch a := a.(type) {
	case error:
		return nil, a
	case time.Duration: // no answer
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	resp := &http.Response{StatusCode: a.(int), Status: http.StatusText(a.(int)), Header: http.Header{}, Body: http.NoBody}
	if a == 429 {
		resp.Header.Set("Retry-After", "7")
	}
	return resp, nil
}

func TestTriedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		answers []any
		at      []time.Duration
		err     string
	}{
		"at once":       {[]any{200}, []time.Duration{0}, ""},
		"accepted":      {[]any{202}, []time.Duration{0}, ""},
		"busy":          {[]any{429, 503, 200}, []time.Duration{0, 7 * time.Second, 9 * time.Second}, ""},
		"unreachable":   {[]any{errors.New("no route")}, []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}, "not delivered to https://h, 5 times: no route: check the network"},
		"silent":        {[]any{time.Duration(0), 200}, []time.Duration{0, 16 * time.Second}, ""},
		"wrong address": {[]any{404}, []time.Duration{0}, "not delivered to https://h: it answered Not Found: check the address"},
		"moved":         {[]any{302}, []time.Duration{0}, "which is not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, err := Parse("https://h/hush", "")
				if err != nil {
					t.Fatal(err)
				}
				f := &trip{answers: test.answers, start: time.Now()}
				w.Client = f
				err = w.Send(t.Context(), alert(false), "key")
				if (err == nil) != (test.err == "") || err != nil && (!strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "hush")) {
					t.Errorf("%v", err)
				}
				if diff := cmp.Diff(test.at, f.at); diff != "" {
					t.Errorf("tried at (-want +got)\n%s", diff)
				}
				for _, k := range f.keys {
					if k != "key" {
						t.Errorf("keys %q", f.keys)
					}
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w, _ := Parse("https://h/hush", "")
		w.Client = &trip{answers: []any{500}, start: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := w.Send(ctx, alert(false), "key"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}
