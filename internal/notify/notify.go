// Package notify tells somebody what a run found: a short message to a webhook,
// signed, and sent again where it may not have arrived.
//
// The address of a webhook is a secret: whoever has it can send. It is in no
// error and no text.
package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Form is how a message looks to who gets it.
type Form string

// The forms.
const (
	JSON  Form = "json"  // the alert as it is
	Slack Form = "slack" // an incoming webhook
	Teams Form = "teams" // a workflow that posts an adaptive card
)

// Forms lists the forms.
func Forms() []Form { return []Form{JSON, Slack, Teams} }

// A Webhook is where alerts go.
type Webhook struct {
	Form   Form
	Secret string            // to sign with; blank: unsigned
	Client http.RoundTripper // nil: [http.DefaultTransport]
	Now    func() time.Time

	address *url.URL
}

// Parse reads the address of a webhook. A blank form is the one that the host
// wants. No error holds the address.
func Parse(text string, form Form) (*Webhook, error) {
	const expected = "expected https://HOST/…, as the service that receives it shows it"
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("not the URL of a webhook: " + expected)
	case u.User != nil:
		return nil, errors.New("the URL holds a user name or password: " + expected)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("http://%s is not encrypted: plain http is for this machine alone, use https", u.Host)
	case form == "":
		form = formOf(u.Hostname())
	case !slices.Contains(Forms(), form):
		return nil, fmt.Errorf("unknown form %q: expected json, slack or teams", form)
	}
	return &Webhook{Form: form, Now: time.Now, address: u}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func formOf(host string) Form {
	of := func(domains ...string) bool {
		return slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
	}
	switch {
	case of("hooks.slack.com", "hooks.slack-gov.com"):
		return Slack
	case of("webhook.office.com", "logic.azure.com", "powerplatform.com"):
		return Teams
	}
	return JSON
}

// String returns where alerts go, without what is secret of it.
func (w *Webhook) String() string { return w.address.Scheme + "://" + w.address.Host }

// How often, and how long, a message is tried.
const (
	tries   = 5
	each    = 15 * time.Second
	longest = time.Minute // between two tries
)

// Send sends the alert. It is tried again when there was no answer, or one that
// says to; key tells a receiver that two messages are the same.
func (w *Webhook) Send(ctx context.Context, a *Alert, key string) error {
	body, err := w.body(a)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		wait, err := w.try(ctx, body, key)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if wait < 0 || try == tries {
			times := ""
			if try > 1 {
				times = fmt.Sprintf(", %d times", try)
			}
			return fmt.Errorf("the alert was not delivered to %s%s: %w", w, times, err)
		}
		timer := time.NewTimer(min(max(wait, time.Second<<(try-1)), longest))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// try sends once. The time to wait is below 0 where it is no use to try again.
func (w *Webhook) try(ctx context.Context, body []byte, key string) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, each)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address.String(), bytes.NewReader(body))
	if err != nil {
		return -1, errors.New("not the URL of a webhook")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "aimcheck")
	req.Header.Set("Idempotency-Key", key)
	if w.Secret != "" {
		stamp := strconv.FormatInt(w.Now().Unix(), 10)
		req.Header.Set("Aimcheck-Timestamp", stamp)
		req.Header.Set("Aimcheck-Signature", "v1="+Sign(w.Secret, stamp, body))
	}
	client := http.Client{Transport: w.Client, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer in %v", each)
		}
		return 0, fmt.Errorf("%w: check the network and the proxy", err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	switch s := resp.StatusCode; {
	case s/100 == 2:
		return 0, nil
	case s == http.StatusTooManyRequests, s >= 500:
		if after, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && after > 0 {
			wait = time.Duration(after) * time.Second
		}
		return wait, fmt.Errorf("it answered %s", resp.Status)
	case s/100 == 3:
		return -1, fmt.Errorf("it answered %s, which is not followed: give the address that it leads to", resp.Status)
	default:
		return -1, fmt.Errorf("it answered %s: check the address, and --notify-form", resp.Status)
	}
}

// Sign returns the signature of a body: HMAC-SHA-256 over the timestamp, a full
// stop and the body, in hex.
func Sign(secret, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp + "."))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
