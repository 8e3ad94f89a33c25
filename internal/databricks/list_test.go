package databricks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/google/go-cmp/cmp"
)

// tenant has so many users, groups and service principals, and two workspaces.
func tenant(users, groups, servicePrincipals int) *sandbox.Tenant {
	fill := func(n int, format string) []json.RawMessage {
		var objects []json.RawMessage
		for i := range n {
			objects = append(objects, json.RawMessage(fmt.Sprintf(format, 1000+i)))
		}
		return objects
	}
	return &sandbox.Tenant{Databricks: sandbox.DatabricksTenant{
		Users:             fill(users, `{"id":"%[1]d","userName":"u%[1]d@example.com"}`),
		Groups:            fill(groups, `{"id":"2%[1]d","displayName":"g%[1]d","members":[{"value":"1000","$ref":"Users/1000"}],"meta":{"resourceType":"Group"}}`),
		ServicePrincipals: fill(servicePrincipals, `{"id":"3%[1]d","applicationId":"a%[1]d"}`),
		Workspaces: []json.RawMessage{
			json.RawMessage(`{"workspace_id":1,"workspace_name":"on","identity_federation_info":{"enable_identity_federation":true}}`),
			json.RawMessage(`{"workspace_id":2,"workspace_name":"silent"}`),
		},
		WorkspaceGroups: map[string][]json.RawMessage{"1": {
			json.RawMessage(`{"id":"77","displayName":"local","meta":{"resourceType":"WorkspaceGroup"}}`),
			json.RawMessage(`{"id":"21000","displayName":"g1000","meta":{"resourceType":"Group"}}`),
		}},
		Assignments: map[string][]json.RawMessage{"1": {
			json.RawMessage(`{"principal":{"principal_id":1000,"user_name":"x"},"permissions":["USER","ADMIN"]}`),
			json.RawMessage(`{"principal":{},"permissions":["USER"]}`),
		}},
	}}
}

// open signs in to a sandbox on loopback.
func open(t *testing.T, tn *sandbox.Tenant, o sandbox.Options) (*Client, *sandbox.Running) {
	t.Helper()
	alone(t)
	s := sandbox.Start(t, tn, o)
	c, err := Open(t.Context(), to(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// listed reads one input.
func listed(ctx context.Context, c *Client, in audit.Input, of ...string) (audit.Reading, []any) {
	var records []any
	r := c.List(ctx, audit.Request{Input: in, Of: of}, func(p audit.Page) error {
		if p.Restart {
			records = nil
		}
		records = append(records, p.Records...)
		return nil
	})
	return r, records
}

// The vendor's sample account in the sandbox, with every request counted.
func TestListSampleAccount(t *testing.T) {
	c, s := open(t, tenant(2504, 341, 173), free())
	for _, test := range []struct {
		input    audit.Input
		path     string
		n        int
		requests int
	}{
		{audit.DatabricksUsers, "/scim/v2/Users", 2504, 27},
		{audit.DatabricksGroups, "/scim/v2/Groups", 341, 4},
		{audit.DatabricksServicePrincipals, "/scim/v2/ServicePrincipals", 173, 2},
		{audit.DatabricksWorkspaces, "/workspaces", 2, 1},
	} {
		r, records := listed(t.Context(), c, test.input)
		if !r.Complete || r.Received != test.n || len(records) != test.n || r.Requests != test.requests ||
			r.Input != test.input || !r.Asked || !strings.HasSuffix(r.API, sandbox.DatabricksAccountID+test.path) ||
			r.Proof == nil || r.Proof.Pages != min(test.requests, (test.n+99)/99) || r.Proof.End == "" {
			t.Errorf("%d records, %+v", len(records), r)
		}
	}
	if n := c.Source().Requests; n > 37 {
		t.Errorf("%d requests, sign-in and discovery included", n)
	}
	if refused := s.Refused(); len(refused) > 0 {
		t.Errorf("refused: %v", refused)
	}
}

// Every field that records hold comes through the projection.
func TestListFields(t *testing.T) {
	tn := &sandbox.Tenant{Databricks: sandbox.DatabricksTenant{
		Users: []json.RawMessage{json.RawMessage(`{"id":"1","userName":"a@example.com","externalId":"00u1","displayName":"A B","name":{"givenName":"A","familyName":"B"},
			"active":true,"emails":[{"value":"a@example.com","type":"work","primary":true}],"roles":[{"value":"account_admin"}],
			"entitlements":[{"value":"e"}],"groups":[{"value":"2"}],"meta":{"created":"2020-01-01T00:00:00Z"}}`)},
		Groups: []json.RawMessage{json.RawMessage(`{"id":"2","displayName":"g","externalId":"00g1","roles":[{"value":"r"}],
			"entitlements":[{"value":"e"}],"groups":[{"value":"5"}],"meta":{"created":"2020-01-01T00:00:00Z","resourceType":"Group"}}`)},
		ServicePrincipals: []json.RawMessage{json.RawMessage(`{"id":"3","applicationId":"a-b","displayName":"p","externalId":"0oa1","active":true,
			"roles":[{"value":"r"}],"entitlements":[{"value":"e"}],"groups":[{"value":"2"}],"meta":{"created":"2020-01-01T00:00:00Z"}}`)},
	}}
	c, _ := open(t, tn, free())
	for _, in := range []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals} {
		_, records := listed(t.Context(), c, in)
		if len(records) != 1 {
			t.Fatalf("%s: %d records", in, len(records))
		}
		v := reflect.ValueOf(records[0])
		for i := range v.NumField() {
			if v.Field(i).IsZero() && v.Type().Field(i).Name != "Workspace" {
				t.Errorf("%s: %s is blank", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
}

func TestListMembers(t *testing.T) {
	c, _ := open(t, tenant(1, 30, 0), free())
	var ids []string
	for i := range 30 {
		ids = append(ids, fmt.Sprintf("2%d", 1000+i))
	}
	r, records := listed(t.Context(), c, audit.DatabricksMembers, ids...)
	if !r.Complete || r.Expected != 30 || r.Received != 30 || r.Requests != 30 || len(records) != 30 ||
		r.Proof == nil || r.Proof.Pages != 30 || r.Proof.End != "each group that was listed gave one whole answer, about itself" {
		t.Errorf("%d records, %+v", len(records), r)
	}
	want := audit.DatabricksGroupMembers{Group: "21007", Members: values(audit.Value{Value: "1000", Type: "Users/1000"})}
	if !slices.Contains(records, any(want)) {
		t.Errorf("%+v is missing", want)
	}

	r, records = listed(t.Context(), c, audit.DatabricksMembers, "21000", "404", "21001", "405")
	if r.Complete || r.Received != 2 || len(records) != 2 || !strings.Contains(r.Reason, "2 of 4 are gone since they were listed, group 404 first") {
		t.Errorf("%+v", r)
	}
	if r.Proof != nil {
		t.Errorf("proven: %+v", r.Proof)
	}
	r, _ = listed(t.Context(), c, audit.DatabricksMembers, "../../../../../2.0/accounts")
	if r.Complete || !strings.Contains(r.Reason, "can't be part of a URL") {
		t.Errorf("%+v", r)
	}
	r, _ = listed(t.Context(), c, audit.DatabricksMembers)
	if !r.Complete || r.Requests != 0 {
		t.Errorf("of no groups: %+v", r)
	}
}

// An answer that is no group, and does not say whose it is, is told by the group
// that was asked for.
func TestListMembersUnnamed(t *testing.T) {
	for _, body := range []string{`null`, `{}`, `{"message":"hello"}`} {
		o := free()
		o.Fault = func(r *http.Request) sandbox.Fault {
			if strings.HasSuffix(r.URL.Path, "/Groups/21001") {
				return sandbox.Fault{Status: 200, Body: body}
			}
			return sandbox.Fault{}
		}
		c, _ := open(t, tenant(1, 2, 0), o)
		r, records := listed(t.Context(), c, audit.DatabricksMembers, "21000", "21001")
		if r.Complete || len(records) != 2 || !strings.Contains(r.Reason, "could not be decoded: asked for group 21001: group without an id") {
			t.Errorf("%s: %+v", body, r)
		}
	}
}

func TestListWorkspaceDetails(t *testing.T) {
	c, _ := open(t, tenant(1, 1, 0), free())
	r, records := listed(t.Context(), c, audit.DatabricksWorkspaceDetails, "1", "2")
	want := []any{
		audit.DatabricksAssignment{Workspace: "1", Principal: "1000", Permissions: values(audit.Value{Value: "USER"}, audit.Value{Value: "ADMIN"})},
		audit.DatabricksGroup{ID: "77", DisplayName: "local", ResourceType: "WorkspaceGroup", Workspace: "1"},
	}
	for _, w := range want {
		if !slices.Contains(records, w) {
			t.Errorf("%+v is missing of %+v", w, records)
		}
	}
	if len(records) != 3 { // and the assignment of nobody, undecoded
		t.Errorf("%d records: %+v", len(records), records)
	}
	if r.Complete || r.Received != 2 || r.Requests != 5 || !strings.Contains(r.Reason, "principal_id") {
		t.Errorf("%+v", r)
	}
}

// A workspace that is refused costs no other one, and all are told.
func TestListDetailsOfSome(t *testing.T) {
	o := free()
	o.Fault = func(r *http.Request) sandbox.Fault {
		switch {
		case strings.HasSuffix(r.URL.Path, "/2/permissionassignments"):
			return sandbox.Fault{Status: 403, Body: `{"error_code":"PERMISSION_DENIED","message":"not yours"}`}
		case strings.HasSuffix(r.URL.Path, "/3/permissionassignments"):
			return sandbox.Fault{Status: 400, Body: `{"error_code":"FEATURE_DISABLED","message":"no federation"}`}
		case strings.HasSuffix(r.URL.Path, "/4/permissionassignments"):
			return sandbox.Fault{Status: 404, Body: `{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"gone"}`}
		case r.Header.Get(workspaceHeader) == "5":
			return sandbox.Fault{Status: 403, Body: `{"detail":"no groups for you","status":"403"}`}
		}
		return sandbox.Fault{}
	}
	tn := tenant(0, 0, 0)
	tn.Databricks.Assignments["1"] = tn.Databricks.Assignments["1"][:1]
	tn.Databricks.Workspaces = append(tn.Databricks.Workspaces, json.RawMessage(`{"workspace_id":5,"workspace_name":"closed"}`))
	c, _ := open(t, tn, o)
	r, records := listed(t.Context(), c, audit.DatabricksWorkspaceDetails, "5", "4", "3", "2", "1")
	if r.Complete || r.Received != 1 || len(records) != 2 || !strings.Contains(r.Reason, "4 of 5 could not be read, workspace 2 first") ||
		!strings.Contains(r.Reason, "not yours") || !strings.HasSuffix(r.Reason, workspaceAdvice) {
		t.Errorf("%d records, %+v", len(records), r)
	}
	if r, _ := listed(t.Context(), c, audit.DatabricksWorkspaceDetails, "5"); !strings.Contains(r.Reason, "1 of 1 could not be read, workspace 5 first") || !strings.Contains(r.Reason, "no groups for you") {
		t.Errorf("%+v", r)
	}
}

// An account that lacks the version of SCIM that was asked for is told how to ask for
// the other.
func TestListOtherVersion(t *testing.T) {
	o := free()
	o.Fault = func(r *http.Request) sandbox.Fault {
		if strings.HasPrefix(r.URL.Path, "/api/2.1/") {
			return sandbox.Fault{Status: 404, Body: `{"error_code":"ENDPOINT_NOT_FOUND","message":"no API"}`}
		}
		return sandbox.Fault{}
	}
	c, _ := open(t, tenant(1, 0, 0), o)
	if r, _ := listed(t.Context(), c, audit.DatabricksUsers); r.Complete || !strings.Contains(r.Reason, "where they are right, try the other version with --databricks-scim 2.0 or 2.1") {
		t.Errorf("%+v", r)
	}
}

// A redirect leads to a sign-in page, most often: it is told, not followed.
func TestListRedirected(t *testing.T) {
	o := free()
	o.Fault = func(r *http.Request) sandbox.Fault {
		if strings.HasSuffix(r.URL.Path, "/Users") {
			return sandbox.Fault{Status: 302, Header: http.Header{"Location": {"https://login.example.com/?next=x"}}}
		}
		return sandbox.Fault{}
	}
	c, _ := open(t, tenant(1, 0, 0), o)
	if r, _ := listed(t.Context(), c, audit.DatabricksUsers); r.Complete || !strings.HasSuffix(r.Reason, "status 302: a redirect to login.example.com, which is not followed: check the host, and that no sign-in page stands before it") {
		t.Errorf("%+v", r)
	}
}

// An answer of another shape is no answer that there are none.
func TestListDetailsOfAnotherShape(t *testing.T) {
	for body, reason := range map[string]string{
		`{}`:                              "",
		`{"permission_assignments":[]}`:   "",
		`{"permission_assignments":null}`: "",
		`{"message":"hello"}`:             "workspace 2: expected permission_assignments, found an object without them",
		`null`:                            "found null",
		`[]`:                              "expected permission_assignments",
		`{"permission_assignments":7}`:    "expected permission_assignments to be an array",
	} {
		o := free()
		o.Fault = func(r *http.Request) sandbox.Fault {
			if strings.HasSuffix(r.URL.Path, "/2/permissionassignments") || strings.HasSuffix(r.URL.Path, "/workspaces") {
				return sandbox.Fault{Status: 200, Body: body}
			}
			return sandbox.Fault{}
		}
		c, _ := open(t, tenant(0, 0, 0), o)
		r, _ := listed(t.Context(), c, audit.DatabricksWorkspaceDetails, "2")
		if r.Complete != (reason == "") || !strings.Contains(r.Reason, reason) || (r.Proof != nil) != r.Complete {
			t.Errorf("%s: %+v", body, r)
		}
		if r, _ := listed(t.Context(), c, audit.DatabricksWorkspaces); r.Complete != (body == "[]") {
			t.Errorf("workspaces %s: %+v", body, r)
		}
	}
}

func TestListUnknown(t *testing.T) {
	c, _ := open(t, &sandbox.Tenant{}, free())
	if r, _ := listed(t.Context(), c, audit.OktaUsers); r.Complete || r.Reason == "" {
		t.Errorf("%+v", r)
	}
}

// PITFALL: with nothing to send, the SDK sends "null" with a GET that has a query.
func TestGetSendsNoBody(t *testing.T) {
	alone(t)
	s := sandbox.Start(t, tenant(1, 0, 0), free())
	config := to(s.URL)
	base := s.Transport()
	defer base.CloseIdleConnections()
	config.UserAgent = "aimcheck/1.2.3"
	config.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && r.Body != nil && r.Body != http.NoBody {
			t.Errorf("%s has a body", r.URL)
		}
		if !strings.HasPrefix(r.Header.Get("User-Agent"), "aimcheck/1.2.3 ") {
			t.Errorf("user agent %q", r.Header.Get("User-Agent"))
		}
		return base.RoundTrip(r)
	})
	c, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := listed(t.Context(), c, audit.DatabricksUsers); !r.Complete {
		t.Errorf("%+v", r)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whatever is not a read is refused before it is sent.
func TestForbidden(t *testing.T) {
	c, s := open(t, tenant(1, 0, 0), free())
	before := c.Source().Requests
	account := "/api/2.0/identity/accounts/" + sandbox.DatabricksAccountID
	for _, call := range []struct{ method, path string }{
		{"POST", account + "/users/resolve-by-external-id"},
		{"GET", account + "/users/resolve-by-external-id"},
		{"POST", account + "/groups/resolve-by-external-id"},
		{"POST", account + "/external-users/00u1"},
		{"GET", account + "/external-groups/00g1"},
		{"POST", c.scim(users)},
		{"PUT", c.scim(users) + "/1000"},
		{"PATCH", c.scim(users) + "/1000"},
		{"DELETE", c.scim(users) + "/1000"},
		{"GET", c.scim(users) + "/1000/anything"},
		{"GET", "/api/2.0/accounts/" + sandbox.DatabricksAccountID + "/workspaces/1"},
	} {
		err := c.current().api.Do(t.Context(), call.method, call.path, nil, nil, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "not among the permitted requests") {
			t.Errorf("%s %s: %v", call.method, call.path, err)
		}
	}
	if after := c.Source().Requests; after != before || len(s.Refused()) > 0 {
		t.Errorf("%d requests sent, refused %v", after-before, s.Refused())
	}
}

// Pages are paced by class, lists at most their minute's worth in any minute,
// so that the directory never has to refuse one.
func TestListIsPaced(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.Pipe(t, tenant(28000, 60, 0), sandbox.Options{})
		base := s.Transport()
		defer base.CloseIdleConnections()
		config := to(s.URL)
		config.ReadRate, config.ListRate, config.WriteRate = 0, 0, 0
		config.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(r)
			if err == nil && resp.StatusCode == http.StatusTooManyRequests {
				t.Errorf("429 to %s", r.URL.Path)
			}
			return resp, err
		})
		c, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		r, _ := listed(t.Context(), c, audit.DatabricksUsers)
		if took := time.Since(start); !r.Complete || r.Requests != 284 || took < 60*time.Second || took > 80*time.Second {
			t.Errorf("took %v: %+v", took, r)
		}
		var ids []string
		for i := range 60 {
			ids = append(ids, fmt.Sprintf("2%d", 1000+i))
		}
		start = time.Now()
		r, _ = listed(t.Context(), c, audit.DatabricksMembers, ids...)
		if took := time.Since(start); !r.Complete || took > 4*time.Second {
			t.Errorf("took %v: %+v", took, r)
		}
	})
}

// Lists are the same by either version of SCIM.
func TestListSCIM20(t *testing.T) {
	alone(t)
	s := sandbox.Start(t, tenant(350, 0, 0), free())
	config := to(s.URL)
	config.SCIMVersion = "2.0"
	c, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if r, records := listed(t.Context(), c, audit.DatabricksUsers); !r.Complete || len(records) != 350 || !strings.Contains(r.API, "/api/2.0/") {
		t.Errorf("%d records, %+v", len(records), r)
	}
}

// PITFALL: the SDK's iterators end only on a blank page; a server that repeats
// its last page, or never says where a page starts, is read for ever. Over HTTP.
func TestListRepeatedPage(t *testing.T) {
	alone(t)
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/token") {
			fmt.Fprint(w, `{"access_token":"x","token_type":"Bearer","expires_in":3600}`)
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/Users") {
			http.NotFound(w, r)
			return
		}
		requests++
		fmt.Fprint(w, `{"totalResults":500,"Resources":[{"id":"1","userName":"a"},{"id":"2","userName":"b"}]}`)
	}))
	defer server.Close()
	c, err := Open(t.Context(), to(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := listed(t.Context(), c, audit.DatabricksUsers)
	if r.Complete || r.Received != 2 || requests != 12 || !strings.Contains(r.Reason, "row 2 was 2 and is now 1") {
		t.Errorf("%d requests, %+v", requests, r)
	}
}

// One client reads all inputs at once.
func TestListConcurrently(t *testing.T) {
	c, _ := open(t, tenant(350, 220, 130), free())
	var wg sync.WaitGroup
	for _, in := range []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals, audit.DatabricksWorkspaces} {
		wg.Go(func() {
			if r, records := listed(t.Context(), c, in); !r.Complete || len(records) != r.Received {
				t.Errorf("%+v", r)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(4+3+2+1+3, c.Source().Requests); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
}
