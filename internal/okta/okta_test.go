package okta

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// An org is a sandbox that is served, and how to sign in to it.
type org struct {
	*sandbox.Sandbox
	server *httptest.Server
	config Config
}

// serve serves the tenant until the test ends, and asserts then that nothing
// was asked for that is not permitted.
func serve(t *testing.T, tenant sandbox.OktaTenant, o sandbox.Options) *org {
	t.Helper()
	s, err := sandbox.New(&sandbox.Tenant{Okta: tenant}, o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if refused := s.Refused(); len(refused) > 0 {
			t.Errorf("requests that are not permitted: %v", refused)
		}
	})
	return &org{s, server, Config{
		OrgURL:     server.URL,
		ClientID:   sandbox.OktaClientID,
		PrivateKey: s.OktaPrivateKeyPEM(),
	}}
}

func open(t *testing.T, c Config) *Client {
	t.Helper()
	client, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A got is what a listing gave, as the caller has it in the end.
type got struct {
	reading  audit.Reading
	records  map[string]any
	wrong    []audit.Undecoded
	restarts int
}

// list reads a listing as a caller must: it forgets at a restart, and refuses
// an id that comes twice without an update.
func list(t *testing.T, ctx context.Context, c *Client, req audit.Request) got {
	t.Helper()
	g := got{records: map[string]any{}}
	g.reading = c.List(ctx, req, func(p audit.Page) error {
		if p.Restart {
			g.restarts++
			g.records, g.wrong = map[string]any{}, nil
		}
		for _, r := range p.Records {
			if u, ok := r.(audit.Undecoded); ok {
				g.wrong = append(g.wrong, u)
				continue
			}
			id := idOfRecord(r)
			if _, ok := g.records[id]; ok && !p.Update {
				t.Errorf("%s came twice, and not as an update", id)
			}
			g.records[id] = r
		}
		return nil
	})
	return g
}

func idOfRecord(r any) string {
	switch r := r.(type) {
	case audit.OktaUser:
		return r.ID
	case audit.OktaGroup:
		return r.ID
	case audit.OktaGroupMembers:
		return r.Group
	case audit.OktaApp:
		return r.ID
	case audit.OktaAppUser:
		return r.App + "/" + r.User
	}
	return fmt.Sprintf("%T", r)
}

func (g got) ids() []string {
	ids := []string{}
	for id := range g.records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// complete fails the test unless the reading is complete with n records.
func (g got) complete(t *testing.T, n int) {
	t.Helper()
	if !g.reading.Complete || len(g.records) != n || g.reading.Received != n {
		t.Fatalf("got %d records, want %d; reading %+v", len(g.records), n, g.reading)
	}
}

// incomplete fails the test unless the reading says why it is incomplete.
func (g got) incomplete(t *testing.T, why string) {
	t.Helper()
	if g.reading.Complete || !strings.Contains(g.reading.Reason, why) {
		t.Fatalf("want a reading that is incomplete because of %q, got %+v", why, g.reading)
	}
}

var usersRequest = audit.Request{Input: audit.OktaUsers}

// user is a user as Okta lists it.
func user(n int, status string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":"00u%06d","status":%q,"created":"2024-01-01T00:00:00.000Z","lastUpdated":"2024-01-02T00:00:00.000Z",`+
		`"profile":{"login":"u%d@example.com","email":"u%d@example.org","firstName":"First","lastName":null,"secondEmail":null}}`, n, status, n, n))
}

// people is a tenant of n users, every tenth deprovisioned.
func people(n int) sandbox.OktaTenant {
	var t sandbox.OktaTenant
	for i := range n {
		status := "ACTIVE"
		if i%10 == 9 {
			status = "DEPROVISIONED"
		}
		t.Users = append(t.Users, user(i, status))
	}
	return t
}

func TestListUsersOfEveryStatus(t *testing.T) {
	tenant := people(1000)
	for i, status := range []string{"STAGED", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT", "SUSPENDED", "SOMETHING_NEW"} {
		tenant.Users = append(tenant.Users, user(2000+i, status))
	}
	o := serve(t, tenant, sandbox.Options{})
	client := open(t, o.config)
	g := list(t, t.Context(), client, usersRequest)
	g.complete(t, 1007)
	want := audit.OktaUser{ID: "00u000009", Status: "DEPROVISIONED", Login: "u9@example.com", Email: "u9@example.org", FirstName: "First",
		Created: "2024-01-01T00:00:00.000Z", Updated: "2024-01-02T00:00:00.000Z"}
	if g.records[want.ID] != want {
		t.Errorf("got %+v, want %+v", g.records[want.ID], want)
	}
	// 6 pages, 1 of those that changed, 1 for the count of all; 1 token.
	if g.reading.Requests != 8 || client.Source().Requests != 9 {
		t.Errorf("%d requests and %d in all, want 8 and 9", g.reading.Requests, client.Source().Requests)
	}
	if s := client.Source(); s.Tenant != o.server.URL || s.Caller != sandbox.OktaClientID || len(s.Notes) != 0 {
		t.Errorf("source %+v", s)
	}
}

func TestListTheRest(t *testing.T) {
	tenant := people(600)
	tenant.GroupMembers = map[string][]string{}
	for i := range 450 {
		tenant.Groups = append(tenant.Groups, json.RawMessage(fmt.Sprintf(
			`{"id":"00g%d","type":%q,"created":"2024-01-01T00:00:00.000Z","lastUpdated":"2024-01-02T00:00:00.000Z","profile":{"name":"Group %d"}}`,
			i, []string{"OKTA_GROUP", "APP_GROUP", "BUILT_IN"}[i%3], i)))
	}
	for i := range 590 {
		tenant.GroupMembers["00g1"] = append(tenant.GroupMembers["00g1"], fmt.Sprintf("00u%06d", i))
	}
	tenant.Apps = []json.RawMessage{
		json.RawMessage(`{"id":"0oa1","label":"Databricks","status":"ACTIVE","credentials":{"oauthClient":{"client_id":"0oa1c"}}}`),
		json.RawMessage(`{"id":"0oa2","label":"Old","status":"INACTIVE","credentials":{"scheme":"X"}}`),
	}
	tenant.AppUsers = map[string][]json.RawMessage{}
	for i := range 600 {
		tenant.AppUsers["0oa1"] = append(tenant.AppUsers["0oa1"], json.RawMessage(fmt.Sprintf(
			`{"id":"00u%06d","status":"PROVISIONED","credentials":{"userName":"sso%d@example.com"}}`, i, i)))
	}
	o := serve(t, tenant, sandbox.Options{})
	o.config.Scopes = sandbox.AllOktaScopes()
	client := open(t, o.config)
	ctx := t.Context()

	groups := list(t, ctx, client, audit.Request{Input: audit.OktaGroups})
	groups.complete(t, 450)
	if want := (audit.OktaGroup{ID: "00g1", Type: "APP_GROUP", Name: "Group 1", Created: "2024-01-01T00:00:00.000Z", Updated: "2024-01-02T00:00:00.000Z"}); groups.records["00g1"] != want {
		t.Errorf("got %+v, want %+v", groups.records["00g1"], want)
	}
	if groups.reading.Requests != 1 {
		t.Errorf("450 groups took %d requests, want 1", groups.reading.Requests)
	}

	members := list(t, ctx, client, audit.Request{Input: audit.OktaMembers, Of: []string{"00g1", "00g2"}})
	members.complete(t, 2)
	if n := members.records["00g1"].(audit.OktaGroupMembers).Members.Len(); n != 590 {
		t.Errorf("got %d members, want 590, the deprovisioned among them", n)
	}
	if members.reading.Requests != 4 {
		t.Errorf("590 + 0 members took %d requests, want 4", members.reading.Requests)
	}
	list(t, ctx, client, audit.Request{Input: audit.OktaMembers, Of: []string{"00g1", "gone", "00g2"}}).incomplete(t, "the members of 1 of 3 groups could not be read")

	apps := list(t, ctx, client, audit.Request{Input: audit.OktaApps})
	apps.complete(t, 2)
	if want := (audit.OktaApp{ID: "0oa1", Label: "Databricks", Status: "ACTIVE", ClientID: "0oa1c"}); apps.records["0oa1"] != want {
		t.Errorf("got %+v, want %+v", apps.records["0oa1"], want)
	}
	users := list(t, ctx, client, audit.Request{Input: audit.OktaAppUsers, Of: []string{"0oa1"}})
	users.complete(t, 600)
	if want := (audit.OktaAppUser{App: "0oa1", User: "00u000007", Status: "PROVISIONED", UserName: "sso7@example.com"}); users.records["0oa1/00u000007"] != want {
		t.Errorf("got %+v, want %+v", users.records["0oa1/00u000007"], want)
	}
	if users.reading.Requests != 2 {
		t.Errorf("600 app users took %d requests, want 2", users.reading.Requests)
	}
	list(t, ctx, client, audit.Request{Input: audit.DatabricksUsers}).incomplete(t, "no listing of Okta's")
}

func TestAPIToken(t *testing.T) {
	o := serve(t, people(3), sandbox.Options{})
	o.config.PrivateKey, o.config.ClientID, o.config.Token = "", "", sandbox.OktaAPIToken
	list(t, t.Context(), open(t, o.config), usersRequest).complete(t, 3)

	o.config.Token = "00wrong"
	_, err := Open(t.Context(), o.config)
	if err == nil || !strings.Contains(err.Error(), "the API token is wrong, expired or revoked") || strings.Contains(err.Error(), "00wrong") {
		t.Errorf("got %v", err)
	}
}

// One refusal of an API token among other answers is no word on the token.
func TestAPITokenRefusedNowAndThen(t *testing.T) {
	for refusals, complete := range map[int]bool{1: true, 2: true, 3: false} {
		n := 0
		o := serve(t, people(3), sandbox.Options{Fault: func(r *http.Request) sandbox.Fault {
			if r.URL.Path == "/api/v1/users" {
				if n++; n > 1 && n <= 1+refusals {
					return sandbox.Fault{Status: 401}
				}
			}
			return sandbox.Fault{}
		}})
		o.config.PrivateKey, o.config.ClientID, o.config.Token = "", "", sandbox.OktaAPIToken
		if g := list(t, t.Context(), open(t, o.config), usersRequest); complete {
			g.complete(t, 3)
		} else {
			g.incomplete(t, "the API token is wrong, expired or revoked")
		}
	}
}

// direct serves requests without a network, so that time can be faked.
type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.RequestURI, r.Host = r.URL.RequestURI(), r.URL.Host
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.h.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}
