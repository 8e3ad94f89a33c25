package transport

import (
	"fmt"
	"net/http"
	"strings"
)

// A Rule permits requests of one method to one kind of path.
type Rule struct {
	Method string
	Path   string // "{…}" stands for exactly one segment, as in "/api/v1/groups/{id}/users"
	Host   string // with port; blank permits any host
}

// Rules is a list of what may be sent.
type Rules []Rule

// Match returns the rule that permits r, if one does. Its Path serves as the
// name of the request's rate-limit bucket.
func (rs Rules) Match(r *http.Request) (Rule, bool) {
	for _, rule := range rs {
		if rule.Method == r.Method && (rule.Host == "" || rule.Host == r.URL.Host) &&
			matches(rule.Path, r.URL.EscapedPath()) {
			return rule, true
		}
	}
	return Rule{}, false
}

func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, w := range want {
		if strings.HasPrefix(w, "{") && strings.HasSuffix(w, "}") {
			if got[i] == "" || got[i] == "." || got[i] == ".." {
				return false
			}
		} else if w != got[i] {
			return false
		}
	}
	return true
}

// Permit refuses every request that no rule permits: it is never sent, and the
// error is permanent.
func Permit(next http.RoundTripper, rules Rules) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if _, ok := rules.Match(r); !ok {
			return nil, Permanent(fmt.Errorf("%s %s://%s%s is not among the permitted requests and was not sent",
				r.Method, r.URL.Scheme, r.URL.Host, r.URL.EscapedPath()))
		}
		return next.RoundTrip(r)
	})
}
