package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	scim21 = "/api/2.1/accounts/" + DatabricksAccountID + "/scim/v2/"
	scim20 = "/api/2.0/accounts/" + DatabricksAccountID + "/scim/v2/"
)

// unlimited lifts every limit of Databricks.
func unlimited() map[string]Rate {
	return map[string]Rate{readBucket: {}, listBucket: {}, writeBucket: {}}
}

// A caller calls a sandbox as an account admin does.
type caller struct {
	t      *testing.T
	s      *Sandbox
	token  string
	header http.Header
}

// newCaller serves t without limits, and asserts in the end that nothing
// forbidden was called.
func newCaller(t *testing.T, tenant DatabricksTenant) *caller {
	t.Helper()
	return newCallerWith(t, tenant, Options{Rates: unlimited()})
}

func newCallerWith(t *testing.T, tenant DatabricksTenant, o Options) *caller {
	t.Helper()
	s, err := New(&Tenant{Databricks: tenant}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if refused := s.Refused(); len(refused) > 0 {
			t.Errorf("forbidden calls were made: %v", refused)
		}
	})
	return &caller{t: t, s: s, token: DatabricksToken, header: http.Header{}}
}

// do calls, and returns the whole answer.
func (c *caller) do(method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(c.t.Context(), method, target, strings.NewReader(body))
	r.Header = c.header.Clone()
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	return w
}

// ok calls, expects a 200 and returns the body.
func (c *caller) ok(method, target, body string) string {
	c.t.Helper()
	w := c.do(method, target, body)
	if w.Code != http.StatusOK {
		c.t.Fatalf("%s %s: want 200, got %d %s", method, target, w.Code, w.Body)
	}
	return w.Body.String()
}

// page gets one page of a SCIM list.
func (c *caller) page(target string) scimPage {
	c.t.Helper()
	var p scimPage
	if err := json.Unmarshal([]byte(c.ok("GET", target, "")), &p); err != nil {
		c.t.Fatal(err)
	}
	return p
}

type scimPage struct {
	Schemas      []string
	TotalResults int
	StartIndex   int
	ItemsPerPage int
	Resources    []json.RawMessage
}

// texts returns objects as texts.
func texts(objects []json.RawMessage) []string {
	out := []string{}
	for _, o := range objects {
		out = append(out, string(o))
	}
	return out
}

// raws returns texts as objects.
func raws(texts ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, s := range texts {
		out = append(out, json.RawMessage(s))
	}
	return out
}

// numbered returns n users with ids from 1.
func numbered(n int) []json.RawMessage {
	var users []json.RawMessage
	for i := range n {
		users = append(users, fmt.Appendf(nil, `{"id":"%d","userName":"user%d@example.com"}`, i+1, i+1))
	}
	return users
}

// replaceBody is a PATCH that replaces one attribute.
func replaceBody(path, value string) string {
	return fmt.Sprintf(`{"schemas":[%q],"Operations":[{"op":"replace","path":%q,"value":%s}]}`, scimPatchSchema, path, value)
}

func TestDiscovery(t *testing.T) {
	c := newCaller(t, DatabricksTenant{})
	c.token = "" // discovery asks for no credentials
	want := `{"cloud":"AWS","host_type":"account","oidc_endpoint":"http://example.com/oidc/accounts/{account_id}"}`
	if diff := cmp.Diff(want, strings.TrimSpace(c.ok("GET", "http://example.com/.well-known/databricks-config", ""))); diff != "" {
		t.Errorf("host metadata (-want +got):\n%s", diff)
	}
	for _, root := range []string{"http://example.com/oidc", "http://example.com/oidc/accounts/" + DatabricksAccountID} {
		var metadata struct {
			Token string `json:"token_endpoint"`
		}
		body := c.ok("GET", root+"/.well-known/oauth-authorization-server", "")
		if err := json.Unmarshal([]byte(body), &metadata); err != nil {
			t.Fatal(err)
		}
		if metadata.Token != root+"/v1/token" {
			t.Errorf("token endpoint of %s: got %s", root, metadata.Token)
		}
	}
}

func TestTokenEndpoint(t *testing.T) {
	const grant = "grant_type=client_credentials&scope=all-apis"
	tests := []struct {
		name, account, id, secret, form string
		status                          int
		error                           string
	}{
		{"good", DatabricksAccountID, DatabricksClientID, DatabricksClientSecret, grant, 200, ""},
		{"in the form", DatabricksAccountID, "", "", grant + "&client_id=" + DatabricksClientID + "&client_secret=" + DatabricksClientSecret, 200, ""},
		{"of the workspace", "", DatabricksClientID, DatabricksClientSecret, grant, 200, ""},
		{"wrong secret", DatabricksAccountID, DatabricksClientID, "expired", grant, 401, "invalid_client"},
		{"wrong client", DatabricksAccountID, "someone", DatabricksClientSecret, grant, 401, "invalid_client"},
		{"wrong account", "00000000-0000-4000-8000-000000000000", DatabricksClientID, DatabricksClientSecret, grant, 401, "invalid_client"},
		{"other grant", DatabricksAccountID, DatabricksClientID, DatabricksClientSecret, "grant_type=password&scope=all-apis", 400, "unsupported_grant_type"},
		{"no scope", DatabricksAccountID, DatabricksClientID, DatabricksClientSecret, "grant_type=client_credentials", 400, "invalid_scope"},
		{"no form", DatabricksAccountID, DatabricksClientID, DatabricksClientSecret, "%zz", 400, "invalid_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCaller(t, DatabricksTenant{})
			path := "/oidc/v1/token"
			if test.account != "" {
				path = "/oidc/accounts/" + test.account + "/v1/token"
			}
			c.token = ""
			c.header.Set("Content-Type", "application/x-www-form-urlencoded")
			if test.id != "" {
				r := http.Request{Header: c.header}
				r.SetBasicAuth(test.id, test.secret)
			}
			w := c.do("POST", path, test.form)
			var got struct {
				Token   string `json:"access_token"`
				Expires int    `json:"expires_in"`
				Error   string `json:"error"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != test.status || got.Error != test.error {
				t.Fatalf("want %d %q, got %d %s", test.status, test.error, w.Code, w.Body)
			}
			if test.status != 200 {
				return
			}
			if got.Expires != 3600 {
				t.Errorf("want a token for an hour, got %d s", got.Expires)
			}
			c.token, c.header = got.Token, http.Header{}
			c.ok("GET", scim21+"Users", "")
		})
	}
}

func TestCredentials(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	c := newCallerWith(t, DatabricksTenant{}, Options{Rates: unlimited(), Now: func() time.Time { return now }})
	c.header.Set("Content-Type", "application/x-www-form-urlencoded")
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"all-apis"},
		"client_id": {DatabricksClientID}, "client_secret": {DatabricksClientSecret},
	}
	var issued struct {
		Token string `json:"access_token"`
	}
	body := c.ok("POST", "/oidc/accounts/"+DatabricksAccountID+"/v1/token", form.Encode())
	if err := json.Unmarshal([]byte(body), &issued); err != nil {
		t.Fatal(err)
	}
	const (
		unsupported = "Credential was not sent or was of an unsupported type for this API."
		invalid     = "Invalid access token."
		notAdmin    = "This API is disabled for users without account admin status. Contact your administrator for more information."
	)
	other := strings.ReplaceAll(scim21, DatabricksAccountID, "00000000-0000-4000-8000-000000000000")
	tests := []struct {
		name, token, path string
		after             time.Duration
		status            int
		code              any
		message           string
	}{
		{"issued", issued.Token, scim21 + "Users", 59 * time.Minute, 200, nil, ""},
		{"expired", issued.Token, scim21 + "Users", time.Hour, 401, 401.0, unsupported},
		{"none", "", scim21 + "Users", 0, 401, 401.0, unsupported},
		{"wrong", "nonsense", scim21 + "Users", 0, 401, 401.0, unsupported},
		{"personal", DatabricksToken, scim20 + "Users", 0, 200, nil, ""},
		{"wrong personal", "dapi0000", scim21 + "Users", 0, 403, 403.0, invalid},
		{"SCIM token on 2.1", DatabricksSCIMToken, scim21 + "Users", 0, 200, nil, ""},
		{"SCIM token on 2.0", DatabricksSCIMToken, scim20 + "Users", 0, 403, 403.0, invalid},
		{"other account", DatabricksToken, other + "Users", 0, 403, "PERMISSION_DENIED", notAdmin},
	}
	start := now
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now = start.Add(test.after)
			c.token = test.token
			w := c.do("GET", test.path, "")
			var got struct {
				Code    any `json:"error_code"`
				Message string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != test.status || got.Code != test.code || got.Message != test.message {
				t.Errorf("want %d %v %s, got %d %s", test.status, test.code, test.message, w.Code, w.Body)
			}
		})
	}
}

func TestRefusesWhatIsNotPermitted(t *testing.T) {
	const iam = "/api/2.0/identity/accounts/" + DatabricksAccountID
	calls := []struct {
		method, path string
		status       int
	}{
		{"POST", scim21 + "Users", 403},
		{"PUT", scim21 + "Users/1", 403},
		{"DELETE", scim21 + "Users/1", 403},
		{"DELETE", scim20 + "Groups/1", 403},
		{"POST", scim21 + "Bulk", 403},
		{"POST", iam + "/users/resolve-by-external-id", 403},
		{"POST", iam + "/groups/resolve-by-external-id", 403},
		{"POST", iam + "/service-principals/resolve-by-external-id", 403},
		{"POST", iam + "/users", 403},
		{"DELETE", iam + "/groups/1", 403},
		{"POST", iam + "/groups/1/direct-members", 403},
		{"GET", "/api/2.0/identity/accounts/" + DatabricksAccountID + "/external-users/00u1", 404},
		{"GET", "/api/2.0/preview/accounts/" + DatabricksAccountID + "/external-groups/00g1", 404},
		{"POST", "/api/2.0/accounts/" + DatabricksAccountID + "/users/1:matchWithIdp", 403},
		{"PUT", "/api/2.0/accounts/" + DatabricksAccountID + "/workspaces/1/permissionassignments/principals/2", 403},
		{"PATCH", "/api/2.0/preview/scim/v2/Groups/1", 403},
		{"HEAD", scim21 + "Users", 403},
		{"GET", "/api/2.0/clusters/list", 404},
	}
	s, err := New(&Tenant{Databricks: DatabricksTenant{Users: raws(`{"id":"1"}`), Groups: raws(`{"id":"1"}`)}}, Options{Rates: unlimited()})
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t: t, s: s, token: DatabricksToken, header: http.Header{}}
	for i, call := range calls {
		w := c.do(call.method, call.path, "{}")
		if w.Code != call.status {
			t.Errorf("%s %s: want %d, got %d", call.method, call.path, call.status, w.Code)
		}
		if strings.Contains(call.path, "/scim/v2/") != (w.Header().Get("Content-Type") == "application/scim+json") {
			t.Errorf("%s %s: refused in the wrong form: %s", call.method, call.path, w.Body)
		}
		refused := s.Refused()
		if len(refused) != i+1 {
			t.Fatalf("%s %s: not recorded", call.method, call.path)
		}
		if last := refused[i]; last.Method != call.method || last.Path != call.path || last.Why == "" {
			t.Errorf("%s %s: recorded as %v", call.method, call.path, last)
		}
	}
	if got := string(s.Tenant().Databricks.Users[0]); got != `{"id":"1"}` {
		t.Errorf("a refused call changed a user: %s", got)
	}
}

func TestRateLimits(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	o := Options{Now: func() time.Time { return now }, Rates: map[string]Rate{writeBucket: {2, time.Second}, listBucket: {1, time.Minute}}}
	c := newCallerWith(t, DatabricksTenant{Users: numbered(1)}, o)
	patch := func() *httptest.ResponseRecorder {
		return c.do("PATCH", scim21+"Users/1", replaceBody("externalId", `"00u1"`))
	}
	for range 2 {
		if w := patch(); w.Code != 200 {
			t.Fatalf("want 200 within the limit, got %d %s", w.Code, w.Body)
		}
	}
	w := patch()
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "REQUEST_LIMIT_EXCEEDED") ||
		!strings.Contains(w.Body.String(), `"status":"429"`) {
		t.Errorf("want a 429 in SCIM's form to retry after 1 s, got %d %v %s", w.Code, w.Header(), w.Body)
	}
	c.ok("GET", "/api/2.0/accounts/"+DatabricksAccountID+"/workspaces", "") // another bucket
	now = now.Add(time.Second / 2)
	w = c.do("GET", "/api/2.0/accounts/"+DatabricksAccountID+"/workspaces", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), `"error_code":"REQUEST_LIMIT_EXCEEDED"`) {
		t.Errorf("want a 429 to retry after 60 s, got %d %v %s", w.Code, w.Header(), w.Body)
	}
	now = now.Add(time.Second)
	if w := patch(); w.Code != 200 {
		t.Errorf("want 200 in the next window, got %d", w.Code)
	}
}

func TestWorkspaces(t *testing.T) {
	const account = "/api/2.0/accounts/" + DatabricksAccountID
	one := `{"workspace_id": 1004,"workspace_name":"main","deployment_name":"dbc-main"}`
	two := `{"workspace_id":1005,"workspace_name":"old"}`
	local := `{"id":"7","displayName":"locals","members":[{"value":"1"}],"meta":{"resourceType":"WorkspaceGroup"}}`
	assigned := `{"principal":{"principal_id":1},"permissions":["ADMIN"]}`
	c := newCaller(t, DatabricksTenant{
		Workspaces:      raws(one, two),
		WorkspaceGroups: map[string][]json.RawMessage{"1004": raws(local)},
		Assignments:     map[string][]json.RawMessage{"1004": raws(assigned)},
	})
	for path, want := range map[string]string{
		account + "/workspaces":                            "[" + one + "," + two + "]",
		account + "/workspaces/1005":                       two,
		account + "/workspaces/1004/permissionassignments": `{"permission_assignments":[` + assigned + `]}`,
		account + "/workspaces/1005/permissionassignments": `{"permission_assignments":[]}`,
	} {
		if got := c.ok("GET", path, ""); got != want {
			t.Errorf("%s:\nwant %s\n got %s", path, want, got)
		}
	}
	for _, path := range []string{account + "/workspaces/9", account + "/workspaces/9/permissionassignments"} {
		if w := c.do("GET", path, ""); w.Code != 404 || !strings.Contains(w.Body.String(), "RESOURCE_DOES_NOT_EXIST") {
			t.Errorf("%s: want RESOURCE_DOES_NOT_EXIST, got %d %s", path, w.Code, w.Body)
		}
	}

	const groups = "/api/2.0/preview/scim/v2/Groups"
	for _, test := range []struct {
		name, header, id, host string
		want                   []string
	}{
		{"workspace header", "X-Databricks-Workspace-Id", "1004", "", []string{local}},
		{"org header", "X-Databricks-Org-Id", "1004", "", []string{local}},
		{"own host", "", "", "http://dbc-main.cloud.example.com", []string{local}},
		{"no groups", "X-Databricks-Workspace-Id", "1005", "", []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.header = http.Header{}
			if test.header != "" {
				c.header.Set(test.header, test.id)
			}
			if diff := cmp.Diff(test.want, texts(c.page(test.host+groups).Resources)); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
	c.header = http.Header{}
	if w := c.do("GET", groups, ""); w.Code != 404 {
		t.Errorf("groups of no workspace: want 404, got %d", w.Code)
	}
	c.header.Set("X-Databricks-Workspace-Id", "1004")
	if got := c.ok("GET", groups+"/7", ""); got != local {
		t.Errorf("want %s, got %s", local, got)
	}
}

func TestNewDatabricksRefusesBadTenants(t *testing.T) {
	for name, test := range map[string]struct {
		tenant DatabricksTenant
		want   string
	}{
		"twice":     {DatabricksTenant{Users: raws(`{"id":"1"}`, `{"id":2}`, `{"id":1}`)}, `databricks users[0] and [2] have the same id "1": remove one`},
		"no JSON":   {DatabricksTenant{Groups: raws(`{"id"`)}, "databricks groups[0] is not JSON"},
		"workspace": {DatabricksTenant{Workspaces: raws(`[`)}, "databricks workspaces[0] is not JSON"},
		"local":     {DatabricksTenant{WorkspaceGroups: map[string][]json.RawMessage{"5": raws(`nope`)}}, "databricks workspace_groups 5[0] is not JSON"},
		"assigned":  {DatabricksTenant{Assignments: map[string][]json.RawMessage{"5": raws(``)}}, "databricks assignments 5[0] is not JSON"},
	} {
		_, err := New(&Tenant{Databricks: test.tenant}, Options{})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}

// TestOddObjectsSurvive: what is served, and what Tenant returns, are the bytes
// of the tenant, and a PATCH changes what it names and nothing else.
func TestOddObjectsSurvive(t *testing.T) {
	odd := "{ \"id\" : 1001, \"active\":\"true\",\"userName\":\"<a&b>@example.com\",\n \"x\":1e400, \"X\":[1, 2],\"name\":\"none\",\"bad\":\"\xff\"}"
	tenant := DatabricksTenant{Users: raws(odd, `null`, `"text"`, `{"userName":"no id"}`)}
	c := newCaller(t, tenant)
	list := c.ok("GET", scim21+"Users", "")
	want := `"Resources":[` + odd + `,null,"text",{"userName":"no id"}]}`
	if !strings.HasSuffix(list, want) {
		t.Errorf("want the bytes of the tenant, got %q", list)
	}
	if got := c.ok("GET", scim21+"Users/1001", ""); got != odd {
		t.Errorf("want %q, got %q", odd, got)
	}
	if diff := cmp.Diff(texts(tenant.Users), texts(c.s.Tenant().Databricks.Users)); diff != "" {
		t.Errorf("Tenant (-want +got):\n%s", diff)
	}
	c.ok("PATCH", scim21+"Users/1001", replaceBody("userName", `"ignored"`))
	if got := c.ok("GET", scim21+"Users/1001", ""); got != odd {
		t.Errorf("after a PATCH that is ignored: want %q, got %q", odd, got)
	}
	c.ok("PATCH", scim21+"Users/1001", replaceBody("externalId", `"00u1"`))
	patched := c.ok("GET", scim21+"Users/1001", "")
	for _, part := range []string{`"id":1001`, `"active":"true"`, `<a&b>@example.com`, `"x":1e400`, `"X":[1, 2]`, `"name":"none"`, "\xff", `"externalId":"00u1"`} {
		if !strings.Contains(patched, part) {
			t.Errorf("after a PATCH: want %q in %q", part, patched)
		}
	}
	if diff := cmp.Diff(odd, string(tenant.Users[0])); diff != "" {
		t.Errorf("the caller's tenant changed (-want +got):\n%s", diff)
	}
}

// TestTwiceNamed: of a member that is there twice the last one counts, and a
// PATCH leaves one.
func TestTwiceNamed(t *testing.T) {
	c := newCaller(t, DatabricksTenant{Users: raws(`{"id":"8","id":"9","userName":"a","username":"b","externalId":"x","externalId":"y","active":true}`)})
	if n := len(c.page(scim21 + "Users?filter=" + url.QueryEscape(`userName eq "b"`)).Resources); n != 1 {
		t.Errorf("want the last userName to count, found %d", n)
	}
	want := `{"id":"8","id":"9","userName":"a","username":"b","externalId":"z","active":true}`
	if got := c.ok("PATCH", scim21+"Users/9", replaceBody("externalId", `"z"`)); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

// TestConcurrentUse lists, reads and writes at once; -race watches.
func TestConcurrentUse(t *testing.T) {
	c := newCaller(t, DatabricksTenant{Users: numbered(50)})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				id := fmt.Sprint((i*20+j)%50 + 1)
				for _, w := range []*httptest.ResponseRecorder{
					c.do("PATCH", scim21+"Users/"+id, replaceBody("externalId", `"00u`+id+`"`)),
					c.do("GET", scim21+"Users?count=10", ""),
					c.do("GET", scim21+"Users/"+id, ""),
				} {
					if w.Code != 200 {
						t.Errorf("want 200, got %d", w.Code)
					}
				}
				c.s.Tenant()
			}
		})
	}
	wg.Wait()
	for i, raw := range c.s.Tenant().Databricks.Users {
		if want := fmt.Sprintf(`"externalId":"00u%d"`, i+1); !bytes.Contains(raw, []byte(want)) {
			t.Errorf("a write was lost: want %s in %s", want, raw)
		}
	}
}
