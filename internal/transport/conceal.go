package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
			for _, written := range spellings(c) {
				body = bytes.ReplaceAll(body, written, []byte("***"))
			}
		}
	}
	return body
}

// spellings are a text as it is, and as JSON may write it.
func spellings(text string) [][]byte {
	all := [][]byte{[]byte(text)}
	if strings.ContainsAny(text, `"\/&<>`) {
		plain, _ := jsontext.AppendQuote(nil, text) // fails for what is no UTF-8, and gives what it can
		plain = plain[1 : len(plain)-1]
		all = append(all, plain, bytes.ReplaceAll(plain, []byte("/"), []byte(`\/`)))
		if escaped, err := json.Marshal(text); err == nil { // & < > as \u0026 \u003c \u003e
			all = append(all, escaped[1:len(escaped)-1])
		}
	}
	return all
}
