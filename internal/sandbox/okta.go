package sandbox

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// okta imitates an Okta org. Its directory never changes: nothing that writes
// is permitted.
type okta struct {
	s       *Sandbox
	t       OktaTenant
	scopes  []string // granted to the app
	tokens  *tokens
	serving atomic.Int64 // API requests under way

	users, groups, apps *table
	members             map[string][]int32 // by group id: rows of users
	appUsers            map[string]*table  // by app id

	mu      sync.Mutex
	results map[string][]int32 // rows that long listings found, by query
}

// newOkta serves t and puts its calls on the sandbox's list. It fails when an
// object is no JSON object, or an id is missing or there twice.
func newOkta(t OktaTenant, s *Sandbox) (*okta, error) {
	o := &okta{s: s, t: t, scopes: s.options.OktaScopes, tokens: newTokens(), results: map[string][]int32{}}
	if o.scopes == nil {
		o.scopes = AllOktaScopes()
	}
	if err := o.load(); err != nil {
		return nil, err
	}
	s.permit("POST /oauth2/v1/token", o.limited("okta token", o.serveToken))
	s.permit("GET /.well-known/okta-organization", o.serveOrganization)
	for _, call := range []struct {
		pattern, bucket, scope string
		serve                  http.HandlerFunc
	}{
		{"GET /api/v1/users", "okta users", "okta.users.read", o.serveUsers},
		{"GET /api/v1/users/{id}", "okta other", "okta.users.read", o.serveUser},
		{"GET /api/v1/groups", "okta groups", "okta.groups.read", o.serveGroups},
		{"GET /api/v1/groups/{id}", "okta other", "okta.groups.read", o.serveGroup},
		{"GET /api/v1/groups/{id}/users", "okta other", "okta.groups.read", o.serveGroupMembers},
		{"GET /api/v1/apps", "okta apps", "okta.apps.read", o.serveApps},
		{"GET /api/v1/apps/{id}", "okta apps", "okta.apps.read", o.serveApp},
		{"GET /api/v1/apps/{id}/users", "okta apps", "okta.apps.read", o.serveAppUsers},
	} {
		s.permit(call.pattern, o.limited(call.bucket, func(w http.ResponseWriter, r *http.Request) {
			if o.authorize(w, r, call.scope) {
				call.serve(w, r)
			}
		}))
	}
	return o, nil
}

// load makes the tables, and fails where they do not fit together.
func (o *okta) load() (err error) {
	if o.users, err = newTable("okta.users", o.t.Users); err != nil {
		return err
	}
	if o.groups, err = newTable("okta.groups", o.t.Groups); err != nil {
		return err
	}
	if o.apps, err = newTable("okta.apps", o.t.Apps); err != nil {
		return err
	}
	o.appUsers = map[string]*table{}
	for app, users := range o.t.AppUsers {
		if _, ok := o.apps.index[app]; !ok {
			return fmt.Errorf("okta.app_users: expected the id of an app in okta.apps, found %q", app)
		}
		if o.appUsers[app], err = newTable(fmt.Sprintf("okta.app_users[%q]", app), users); err != nil {
			return err
		}
	}
	o.members = map[string][]int32{}
	for group, ids := range o.t.GroupMembers {
		if _, ok := o.groups.index[group]; !ok {
			return fmt.Errorf("okta.group_members: expected the id of a group in okta.groups, found %q", group)
		}
		rows := make([]int32, len(ids))
		for i, id := range ids {
			n, ok := o.users.index[id]
			if !ok {
				return fmt.Errorf("okta.group_members[%q][%d]: expected the id of a user in okta.users, found %q", group, i, id)
			}
			rows[i] = int32(n)
		}
		o.members[group] = rows
	}
	return nil
}

// tenant returns the directory's current state.
func (o *okta) tenant() OktaTenant { return o.t }

// ServeHTTP answers what is not permitted.
func (o *okta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		o.s.refuse(r, "not a path of Okta's that an audit reads")
		o.notFound(w, r.URL.Path, "Endpoint")
	default:
		o.s.refuse(r, "a write to Okta")
		o.fail(w, http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action")
	}
}

// limited serves h within the bucket's rate and the org's concurrency.
func (o *okta) limited(bucket string, h http.HandlerFunc) http.HandlerFunc {
	most := int64(o.s.options.OktaConcurrency)
	if most == 0 {
		most = 75
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Okta-Request-Id", rand.Text())
		defer o.serving.Add(-1)
		if o.serving.Add(1) > most {
			setRate(w, 0, 0, o.s.now().Add(time.Second))
			o.tooMany(w)
			return
		}
		l := o.s.limits[bucket]
		ok, left, ends := l.take(o.s.now())
		if l.rate.N > 0 {
			setRate(w, l.rate.N, left, ends)
		}
		if !ok {
			o.tooMany(w)
			return
		}
		h(w, r)
	}
}

// setRate writes the headers that tell of a rate limit.
func setRate(w http.ResponseWriter, limit, left int, ends time.Time) {
	reset := ends.Unix()
	if ends.Nanosecond() > 0 {
		reset++
	}
	w.Header().Set("X-Rate-Limit-Limit", strconv.Itoa(limit))
	w.Header().Set("X-Rate-Limit-Remaining", strconv.Itoa(left))
	w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(reset, 10))
}

func (o *okta) tooMany(w http.ResponseWriter) {
	o.fail(w, http.StatusTooManyRequests, "E0000047", "API call exceeded rate limit due to too many requests.")
}

// serveOrganization answers what Okta tells about an org to everybody.
func (o *okta) serveOrganization(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"id":       "00oaimchecksandbox00",
		"_links":   map[string]any{"organization": map[string]string{"href": baseURL(r)}},
		"pipeline": "idx",
		"settings": map[string]bool{"analyticsCollectionEnabled": false, "bugReportingEnabled": false, "omEnabled": false},
	})
}

// fail answers with an error in the form of Okta's API.
func (o *okta) fail(w http.ResponseWriter, status int, code, summary string, causes ...string) {
	writeJSON(w, status, errorBody(code, summary, causes...))
}

func (o *okta) notFound(w http.ResponseWriter, id, kind string) {
	o.fail(w, http.StatusNotFound, "E0000007", fmt.Sprintf("Not found: Resource not found: %s (%s)", id, kind))
}

func errorBody(code, summary string, causes ...string) map[string]any {
	list := []map[string]string{}
	for _, cause := range causes {
		list = append(list, map[string]string{"errorSummary": cause})
	}
	return map[string]any{
		"errorCode": code, "errorSummary": summary, "errorLink": code,
		"errorId": "oae" + rand.Text()[:22], "errorCauses": list,
	}
}
