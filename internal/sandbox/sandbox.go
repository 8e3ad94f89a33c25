// Package sandbox imitates the APIs of an Okta org and of a Databricks account
// over HTTP on loopback, oddities included, from a [Tenant]. It keeps state,
// refuses and records whatever an audit must never call, and serves the
// commands sandbox and demo and every test that wants a directory.
//
// Both vendors answer on one host and port, told apart by path. What is not
// known for certain about either follows their documentation.
package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options change how a [Sandbox] behaves. The zero Options are a healthy pair
// of directories that grant everything an audit reads.
type Options struct {
	// Now is the servers' clock; nil means time.Now.
	Now func() time.Time
	// DateSkew is added to the Date header, and to nothing else.
	DateSkew time.Duration
	// DPoP makes Okta demand DPoP-bound access tokens (RFC 9449).
	DPoP bool
	// OktaScopes are the scopes granted to the app; nil means all that an
	// audit may ask for: those of [AllOktaScopes].
	OktaScopes []string
	// OktaNoFields makes Okta ignore the query parameter "fields", as orgs
	// without that feature do.
	OktaNoFields bool
	// OktaConcurrency is how many requests Okta serves at once; 0 means 75.
	OktaConcurrency int
	// Rates replace limits of [DefaultRates] by bucket name; a zero Rate
	// lifts the limit.
	Rates map[string]Rate
	// Fault, unless nil, is asked about every request before it is served.
	Fault func(*http.Request) Fault
	// Wrong are the preconditions of an audit that do not hold.
	Wrong []Wrong
	// ListLag and GetLag are how long lists, and reads of one object, of
	// Databricks go on showing what was there before a write.
	ListLag, GetLag time.Duration
}

// A Rate allows N requests in each window of length Per.
type Rate struct {
	N   int
	Per time.Duration
}

// A Sandbox is an [http.Handler] that serves both vendors. It is safe for
// concurrent use.
type Sandbox struct {
	options    Options
	key        *oktaKey
	limits     map[string]*limit
	permitted  *http.ServeMux // the list of permitted method and path
	patterns   []string
	okta       *okta
	databricks *databricks

	mu       sync.Mutex
	refused  []Refusal
	requests map[string]int
}

// A Refusal is a request that nobody who audits may make.
type Refusal struct {
	Method string
	Path   string // with the query
	Why    string
}

// New serves t, which it copies where it changes it. It fails when an object
// of t cannot be served, and says which.
func New(t *Tenant, o Options) (*Sandbox, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o = o.misled()
	s := &Sandbox{
		options:   o,
		key:       theOktaKey(),
		limits:    map[string]*limit{},
		permitted: http.NewServeMux(),
		requests:  map[string]int{},
	}
	rates := DefaultRates()
	if s.wrong(SmallLimits) {
		maps.Copy(rates, smallRates())
	}
	for name, rate := range o.Rates {
		if _, ok := rates[name]; !ok {
			return nil, fmt.Errorf("unknown rate-limit bucket %q: want one of %q", name, slices.Sorted(maps.Keys(rates)))
		}
		rates[name] = rate
	}
	for name, rate := range rates {
		s.limits[name] = &limit{rate: rate}
	}
	var err error
	if s.okta, err = newOkta(t.Okta, s); err != nil {
		return nil, err
	}
	if s.databricks, err = newDatabricks(s.mislead(t.Databricks), s); err != nil {
		return nil, err
	}
	return s, nil
}

// permit adds one call, in the form of an [http.ServeMux] pattern such as
// "GET /api/v1/users/{id}", to the list of permitted calls. Whatever is not on
// it goes to the ServeHTTP of its vendor, which refuses it in the vendor's form.
func (s *Sandbox) permit(pattern string, h http.HandlerFunc) {
	s.permitted.HandleFunc(pattern, h)
	s.patterns = append(s.patterns, pattern)
}

// Permitted lists the permitted calls as "METHOD /path-pattern", sorted.
func (s *Sandbox) Permitted() []string {
	return slices.Sorted(slices.Values(s.patterns))
}

// refuse records a request that was not permitted. The caller answers it in
// its vendor's form.
func (s *Sandbox) refuse(r *http.Request, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, Refusal{r.Method, r.URL.RequestURI(), why})
}

// Refused returns every request so far that was not permitted.
func (s *Sandbox) Refused() []Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// Requests returns how often each call was made, by "METHOD /path-pattern",
// or by method and path where the call was not permitted.
func (s *Sandbox) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// Tenant returns the current state of both directories.
func (s *Sandbox) Tenant() *Tenant {
	return &Tenant{Okta: s.okta.tenant(), Databricks: s.databricks.tenant()}
}

// now is the servers' clock.
func (s *Sandbox) now() time.Time { return s.options.Now() }

// ServeHTTP answers as the vendor would to whom the path belongs.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().Add(s.options.DateSkew).UTC().Format(http.TimeFormat))
	_, pattern := s.permitted.Handler(r)
	var h http.Handler = s.permitted
	// The mux lets HEAD pass where GET is on the list; the list does not.
	if method, _, _ := strings.Cut(pattern, " "); method != r.Method {
		pattern = r.Method + " " + r.URL.Path
		h = s.vendor(r.URL.Path)
	}
	s.mu.Lock()
	s.requests[pattern]++
	s.mu.Unlock()

	var f Fault
	if s.options.Fault != nil {
		f = s.options.Fault(r)
	}
	if s.wrong(NotOkta) && s.vendor(r.URL.Path) == s.okta {
		h = http.NotFoundHandler()
	}
	if f.Revoke {
		s.databricks.revoke()
	}
	f.serve(w, r, h)
}

// vendor returns whose path it is.
func (s *Sandbox) vendor(path string) http.Handler {
	for _, prefix := range []string{"/api/v1/", "/oauth2/", "/.well-known/okta-organization"} {
		if strings.HasPrefix(path, prefix) {
			return s.okta
		}
	}
	return s.databricks
}
