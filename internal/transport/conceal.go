package transport

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// shortestCredential is shorter than any that is issued. What is shorter still
// would only take words out of messages.
const shortestCredential = 8

// credentials returns what r proves its sender with, as it is sent and as it was
// before it was encoded. The form of a POST is read for it, and put back.
func credentials(r *http.Request) (found []string, err error) {
	add := func(encoded string) {
		found = append(found, encoded)
		if plain, err := url.QueryUnescape(encoded); err == nil {
			found = append(found, plain)
		}
	}
	if _, given, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		found = append(found, given)
	}
	if _, secret, ok := r.BasicAuth(); ok {
		add(secret)
	}
	if r.Method != http.MethodPost || r.Body == nil || r.Body == http.NoBody {
		return found, nil
	}
	form, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the body of %s %s: %w", r.Method, r.URL.Path, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(form))
	for field := range strings.SplitSeq(string(form), "&") {
		switch name, value, _ := strings.Cut(field, "="); name {
		case "client_secret", "client_assertion", "assertion", "refresh_token":
			add(value)
		}
	}
	return found, nil
}

// conceal puts "***" in place of the credentials in body.
func conceal(body []byte, credentials []string) []byte {
	for _, c := range credentials {
		if len(c) >= shortestCredential {
			body = bytes.ReplaceAll(body, []byte(c), []byte("***"))
		}
	}
	return body
}
