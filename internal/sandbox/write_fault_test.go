package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

var (
	user1  = audit.Subject{Kind: audit.DatabricksUserKind, ID: "1"}
	user2  = audit.Subject{Kind: audit.DatabricksUserKind, ID: "2"}
	linked = audit.Subject{Kind: audit.DatabricksGroupKind, ID: "5002"}
	robot  = audit.Subject{Kind: audit.DatabricksServicePrincipalKind, ID: "6001"}
)

// A console reads and writes a sandbox's Databricks account over HTTP.
type console struct {
	t *testing.T
	s *sandbox.Running
}

func (c console) call(method, path, body string) (status int, answer map[string]any) {
	c.t.Helper()
	url := c.s.URL + "/api/2.1/accounts/" + sandbox.DatabricksAccountID + "/scim/v2/" + path
	r, err := http.NewRequestWithContext(c.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+sandbox.DatabricksToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// set sends a PATCH and returns the externalId that the answer shows.
func (c console) set(path, field, value string) any {
	c.t.Helper()
	_, answer := c.call("PATCH", path, fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":%q,"value":%q}]}`, field, value))
	return answer["externalId"]
}

// seen returns the externalId of user 1 as the list and as a GET show it.
func (c console) seen() (listed, single any) {
	c.t.Helper()
	_, list := c.call("GET", "Users", "")
	_, one := c.call("GET", "Users/1", "")
	return list["Resources"].([]any)[0].(map[string]any)["externalId"], one["externalId"]
}

func TestReadsLag(t *testing.T) {
	now := time.Now()
	o := unlimited()
	o.Now = func() time.Time { return now }
	o.ListLag, o.GetLag = 5*time.Second, 2*time.Second
	c := console{t, sandbox.Start(t, databricksTenant(3), o)}
	expect := func(wantListed, wantSingle any) {
		t.Helper()
		if listed, single := c.seen(); listed != wantListed || single != wantSingle {
			t.Errorf("lists show %v, GET %v; want %v, %v", listed, single, wantListed, wantSingle)
		}
	}
	if got := c.set("Users/1", "externalId", "a"); got != "a" {
		t.Errorf("the answer shows %v", got)
	}
	expect(nil, nil)
	now = now.Add(time.Second)
	c.set("Users/1", "externalId", "b")
	now = now.Add(1500 * time.Millisecond) // 2.5 s and 1.5 s ago
	expect(nil, "a")
	now = now.Add(time.Second)
	expect(nil, "b")
	now = now.Add(2 * time.Second) // 5.5 s and 4.5 s ago
	expect("a", "b")
	if err := c.s.Change(user1, "externalId", ""); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	expect("b", "b")
	now = now.Add(5 * time.Second)
	expect(nil, nil)

	c.set("Users/1", "externalId", "z")
	if !strings.Contains(string(c.s.Tenant().Databricks.Users[0]), `"externalId":"z"`) {
		t.Error("the tenant is not as it is, but as reads show it")
	}
}

// Where lists alone lag, a GET shows a write at once.
func TestListsLagAlone(t *testing.T) {
	now := time.Now()
	o := unlimited()
	o.Now = func() time.Time { return now }
	o.ListLag = time.Second
	c := console{t, sandbox.Start(t, databricksTenant(1), o)}
	c.set("Users/1", "externalId", "a")
	if listed, single := c.seen(); listed != nil || single != "a" {
		t.Errorf("lists show %v, GET %v", listed, single)
	}
}

func TestLost(t *testing.T) {
	o := unlimited()
	lost := true
	o.Fault = func(r *http.Request) sandbox.Fault { return sandbox.Fault{Lost: lost} }
	c := console{t, sandbox.Start(t, databricksTenant(1), o)}
	if got := c.set("Users/1", "externalId", "a"); got != "a" {
		t.Errorf("the answer shows %v", got)
	}
	if listed, single := c.seen(); listed != nil || single != nil || len(c.s.Writes()) != 0 {
		t.Errorf("stored: %v, %v, %v", listed, single, c.s.Writes())
	}
	lost = false
	c.set("Users/1", "externalId", "b")
	if listed, single := c.seen(); listed != "b" || single != "b" {
		t.Errorf("not stored: %v, %v", listed, single)
	}
}

func TestWrites(t *testing.T) {
	c := console{t, sandbox.Start(t, databricksTenant(2), unlimited())}
	c.set("Users/1", "externalId", "a")
	c.set("Users/1", "externalId", "a")
	c.set("Users/1", "name.givenName", "Ana")
	c.set("Users/1", "userName", "ignored@example.com")
	c.set("Users/2", "externalId", "") // refused
	c.set("Users/3", "externalId", "x")
	c.set("Groups/5002", "externalId", "")
	c.set("ServicePrincipals/6001", "externalId", "0oa1")
	if err := c.s.Change(user2, "externalId", "by someone else"); err != nil {
		t.Fatal(err)
	}
	want := []sandbox.Write{
		{Target: user1, Field: "externalId", To: "a"},
		{Target: user1, Field: "externalId", From: "a", To: "a"},
		{Target: user1, Field: "name.givenName", From: "User", To: "Ana"},
		{Target: linked, Field: "externalId", From: "00g2"},
		{Target: robot, Field: "externalId", To: "0oa1"},
	}
	if diff := cmp.Diff(want, c.s.Writes()); diff != "" {
		t.Errorf("writes differ (-want +got): %s", diff)
	}
}

func TestChangeAndRemove(t *testing.T) {
	c := console{t, sandbox.Start(t, databricksTenant(3), unlimited())}
	for _, change := range []struct {
		target       audit.Subject
		field, value string
	}{
		{user1, "externalId", "a"}, {user1, "externalId", ""}, // the API would refuse this
		{user1, "userName", "new@example.com"}, // and ignore this
		{user1, "active", "false"},
		{user1, "name.familyName", ""},
		{user1, "name.givenName", "Ana"},
		{linked, "externalId", ""},
		{robot, "externalId", "0oa1"},
	} {
		if err := c.s.Change(change.target, change.field, change.value); err != nil {
			t.Error(err)
		}
	}
	d := c.s.Tenant().Databricks
	got := []string{string(d.Users[0]), string(d.Groups[1]), string(d.ServicePrincipals[0])}
	want := []string{
		`{"id":"1","userName":"new@example.com","name":{"givenName":"Ana"},"active":false,"roles":[{"value":"account_admin","type":"direct"}]}`,
		`{"id":"5002","displayName":"linked","members":[{"value":"5001"}],"meta":{"resourceType":"Group"}}`,
		`{"id":"6001","applicationId":"` + sandbox.DatabricksClientID + `","displayName":"aimcheck","active":true,"externalId":"0oa1"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects differ (-want +got): %s", diff)
	}

	for _, wrong := range []error{
		c.s.Change(user1, "active", "perhaps"), c.s.Change(user1, "emails", "x"), c.s.Change(user1, "name", "x"), c.s.Change(user1, "shoe", "9"),
		c.s.Change(audit.Subject{Kind: audit.DatabricksUserKind, ID: "9"}, "externalId", "x"),
		c.s.Change(audit.Subject{Kind: audit.OktaUserKind, ID: "00u1"}, "externalId", "x"),
		c.s.Remove(audit.Subject{Kind: audit.DatabricksGroupKind, ID: "9"}), c.s.Remove(audit.Subject{Kind: audit.OktaUserKind, ID: "00u1"}),
	} {
		if wrong == nil {
			t.Error("a change that can't be made was")
		}
	}

	if err := c.s.Remove(user2); err != nil {
		t.Fatal(err)
	}
	if status, _ := c.call("GET", "Users/2", ""); status != 404 {
		t.Errorf("status %d of a user that was removed", status)
	}
	c.set("Users/3", "externalId", "c")
	var ids []string
	_, list := c.call("GET", "Users", "")
	for _, o := range list["Resources"].([]any) {
		ids = append(ids, fmt.Sprint(o.(map[string]any)["id"], o.(map[string]any)["externalId"]))
	}
	if !slices.Equal(ids, []string{"1<nil>", "3c"}) {
		t.Errorf("users %q", ids)
	}
}

// A token is good until it is revoked.
func TestRevoke(t *testing.T) {
	o := unlimited()
	revoke := false
	o.Fault = func(*http.Request) sandbox.Fault { return sandbox.Fault{Revoke: revoke} }
	s := sandbox.Start(t, databricksTenant(1), o)
	sdk := databricksSDK(t, s)
	read := func() error {
		return sdk.Do(t.Context(), "GET", "/api/2.1/accounts/"+sandbox.DatabricksAccountID+"/scim/v2/Users/1", nil, nil, nil, &map[string]any{})
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	revoke = true
	if err := read(); err == nil {
		t.Error("a revoked token was accepted")
	}
}
