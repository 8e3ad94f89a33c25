package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// databricks imitates a Databricks account as its account console host serves
// it: discovery and sign-in, account SCIM 2.1 and 2.0, IAM v2 and workspaces.
//
// Workspaces answer on the same host, as they do on Databricks' unified hosts:
// a call belongs to the workspace named by the header X-Databricks-Workspace-Id
// (which the Go SDK sends when its WorkspaceID is set) or X-Databricks-Org-Id,
// or else by a Host that begins with the workspace's deployment_name.
type databricks struct {
	s               *Sandbox
	kinds           map[string]*collection // by the last part of the SCIM path
	workspaceGroups map[string]*collection // by workspace id
	workspaces      []json.RawMessage
	assignments     map[string][]json.RawMessage

	mu     sync.Mutex
	tokens map[string]time.Time // issued access tokens and when they expire
	writes []Write
}

// newDatabricks serves t and puts its calls on the sandbox's list. It fails
// when an object is not JSON or an id is there twice, and says where.
func newDatabricks(t DatabricksTenant, s *Sandbox) (*databricks, error) {
	d := &databricks{
		s:               s,
		kinds:           map[string]*collection{},
		workspaceGroups: map[string]*collection{},
		workspaces:      slices.Clone(t.Workspaces),
		assignments:     maps.Clone(t.Assignments),
		tokens:          map[string]time.Time{},
	}
	for _, c := range []struct {
		kind    scimKind
		objects []json.RawMessage
		where   string
	}{
		{usersKind, t.Users, "databricks users"},
		{groupsKind, t.Groups, "databricks groups"},
		{servicePrincipalsKind, t.ServicePrincipals, "databricks service_principals"},
	} {
		collection, err := newCollection(c.kind, c.objects, c.where)
		if err != nil {
			return nil, err
		}
		collection.wrote, collection.lag = d.note, newLag(s.options)
		d.kinds[c.kind.path] = collection
	}
	for id, groups := range t.WorkspaceGroups {
		c, err := newCollection(workspaceGroupsKind, groups, "databricks workspace_groups "+id)
		if err != nil {
			return nil, err
		}
		d.workspaceGroups[id] = c
	}
	for i, w := range t.Workspaces {
		if !json.Valid(w) {
			return nil, fmt.Errorf("databricks workspaces[%d] is not JSON", i)
		}
	}
	for id, assignments := range t.Assignments {
		for i, a := range assignments {
			if !json.Valid(a) {
				return nil, fmt.Errorf("databricks assignments %s[%d] is not JSON", id, i)
			}
		}
	}
	d.permitSignIn()
	d.permitSCIM()
	d.permitIAMv2()
	d.permitWorkspaces()
	return d, nil
}

// tenant returns the current state.
func (d *databricks) tenant() DatabricksTenant {
	t := DatabricksTenant{
		Users:             slices.Clone(d.kinds[usersKind.path].all()),
		Groups:            slices.Clone(d.kinds[groupsKind.path].all()),
		ServicePrincipals: slices.Clone(d.kinds[servicePrincipalsKind.path].all()),
		Workspaces:        slices.Clone(d.workspaces),
		Assignments:       maps.Clone(d.assignments),
	}
	if len(d.workspaceGroups) > 0 {
		t.WorkspaceGroups = map[string][]json.RawMessage{}
	}
	for id, c := range d.workspaceGroups {
		t.WorkspaceGroups[id] = slices.Clone(c.all())
	}
	return t
}

// ServeHTTP refuses a call that is not on the list.
func (d *databricks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.s.refuse(r, "not on the list of permitted Databricks calls")
	status, code := http.StatusForbidden, "PERMISSION_DENIED"
	message := "the sandbox refuses " + r.Method + " " + r.URL.Path
	if r.Method == http.MethodGet {
		status, code = http.StatusNotFound, "ENDPOINT_NOT_FOUND"
		message = "Endpoint not found for " + strings.TrimPrefix(r.URL.Path, "/api")
	}
	writeError(w, r, status, code, message)
}

// The limit buckets of Databricks.
const (
	readBucket  = "databricks read"
	listBucket  = "databricks list"
	writeBucket = "databricks write"
)

// ofAccount lets h serve calls of a signed-in caller to this account, as many
// as the bucket allows.
func (d *databricks) ofAccount(bucket string, h http.HandlerFunc) http.HandlerFunc {
	return d.signedIn(bucket, d.unless(WorkspaceHost, func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("account") != d.account() || d.s.wrong(NotAdmin) {
			writeAPIError(w, http.StatusForbidden, "PERMISSION_DENIED",
				"This API is disabled for users without account admin status. Contact your administrator for more information.")
			return
		}
		h(w, r)
	}))
}

// signedIn lets h serve calls of a signed-in caller, as many as the bucket allows.
func (d *databricks) signedIn(bucket string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !d.authenticate(w, r) {
			return
		}
		now := d.s.now()
		if ok, _, reset := d.s.limits[bucket].take(now); !ok {
			wait := int(math.Ceil(reset.Sub(now).Seconds()))
			w.Header().Set("Retry-After", strconv.Itoa(max(wait, 1)))
			writeError(w, r, http.StatusTooManyRequests, "REQUEST_LIMIT_EXCEEDED",
				"Too many requests: the rate limit of "+bucket+" has been exceeded.")
			return
		}
		h(w, r)
	}
}

// writeError answers in the form of the API that r calls. SCIM has no error
// codes: Databricks puts them before the text.
func writeError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	if strings.Contains(r.URL.Path, "/scim/v2/") {
		scimError{status: status, detail: code + ": " + message}.write(w)
		return
	}
	writeAPIError(w, status, code, message)
}

// writeAPIError answers in the form of all of Databricks' APIs but SCIM. The
// code is a number where the gateway answers, else a word.
func writeAPIError(w http.ResponseWriter, status int, code any, message string) {
	writeJSON(w, status, struct {
		Code    any    `json:"error_code"`
		Message string `json:"message"`
	}{code, message})
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}
