package transport

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A proxy's error page may repeat what it was sent; messages are made of it.
func TestWholeTakesCredentialsOutOfErrors(t *testing.T) {
	const basic = "Y2xpZW50LWlkOmRvc2Utb2YrYSUyRnNlY3JldA==" // client-id:dose-of+a%2Fsecret
	for _, tt := range []struct {
		name, scheme, credential, form string
		status                         int
		body, want                     string
	}{
		{"a token", "Bearer", "a-bearer-token", "", 403, "no a-bearer-token", "no ***"},
		{"an API token", "SSWS", "an-api-token", "", 500, "no SSWS an-api-token!", "no SSWS ***!"},
		{"a client's secret", "Basic", basic, "", 401, "not " + basic + ", nor dose-of+a%2Fsecret or dose-of a/secret by client-id", "not ***, nor *** or *** by client-id"},
		{"what a form holds", "", "", "grant_type=client_credentials&scope=everything&client_secret=dose-of%2Fa-secret&client_assertion=ey.ey.sig",
			400, "client_credentials everything dose-of%2Fa-secret dose-of/a-secret ey.ey.sig", "client_credentials everything *** *** ***"},
		{"as JSON writes it", "Bearer", `a"bearer/token&`, "", 401, `{"a":"a\"bearer/token&","b":"a\"bearer\/token&","c":"a\"bearer/token\u0026"}`, `{"a":"***","b":"***","c":"***"}`},
		{"a success is not touched", "Bearer", "a-bearer-token", "", 200, `"a-bearer-token"`, `"a-bearer-token"`},
		{"too short to be one", "Bearer", "a", "", 403, "a page", "a page"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rt := Whole(roundTripper(func(r *http.Request) (*http.Response, error) {
				if b, err := io.ReadAll(r.Body); string(b) != tt.form || err != nil {
					t.Errorf("got the form %q, %v", b, err)
				}
				return answer(r, tt.status, tt.body), nil
			}), time.Minute)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://example.com/x", strings.NewReader(tt.form))
			if err != nil {
				t.Fatal(err)
			}
			if tt.scheme != "" {
				r.Header.Set("Authorization", tt.scheme+" "+tt.credential)
			}
			resp, err := rt.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); string(b) != tt.want || err != nil || resp.ContentLength != int64(len(b)) {
				t.Errorf("got %q of length %d, %v; want %q", b, resp.ContentLength, err, tt.want)
			}
		})
	}
}
