package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/okta/okta-sdk-golang/v5/okta"
)

// oktaTenant has n users user0@example.com, user1@example.com, … of whom every
// tenth is DEPROVISIONED, all in one group.
func oktaTenant(n int) *sandbox.Tenant {
	t := &sandbox.Tenant{Okta: sandbox.OktaTenant{
		Groups:       []json.RawMessage{json.RawMessage(`{"id":"00gall","type":"OKTA_GROUP","profile":{"name":"All","description":null}}`)},
		Apps:         []json.RawMessage{json.RawMessage(`{"id":"0oasso","label":"SSO","status":"ACTIVE","credentials":{"oauthClient":{"client_id":"0oasso"}}}`)},
		GroupMembers: map[string][]string{},
		AppUsers:     map[string][]json.RawMessage{},
	}}
	for i := range n {
		status := "ACTIVE"
		if i%10 == 9 {
			status = "DEPROVISIONED"
		}
		id := fmt.Sprintf("00u%d", i)
		t.Okta.Users = append(t.Okta.Users, json.RawMessage(fmt.Sprintf(
			`{"id":%q,"status":%q,"profile":{"login":"user%d@example.com","email":"user%d@example.com","firstName":"User","lastName":null}}`, id, status, i, i)))
		t.Okta.GroupMembers["00gall"] = append(t.Okta.GroupMembers["00gall"], id)
		t.Okta.AppUsers["0oasso"] = append(t.Okta.AppUsers["0oasso"], json.RawMessage(fmt.Sprintf(`{"id":%q,"status":"ACTIVE","credentials":{"userName":"u%d"}}`, id, i)))
	}
	return t
}

// oktaSDK returns a client as Okta's SDK makes it for a service app.
func oktaSDK(t *testing.T, s *sandbox.Running, change ...okta.ConfigSetter) *okta.APIClient {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := s.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	cfg, err := okta.NewConfiguration(append([]okta.ConfigSetter{
		okta.WithOrgUrl(s.URL),
		okta.WithAuthorizationMode("PrivateKey"),
		okta.WithClientId(sandbox.OktaClientID),
		okta.WithPrivateKey(s.OktaPrivateKeyPEM()),
		okta.WithPrivateKeyId(s.OktaKeyID()),
		okta.WithScopes(sandbox.AllOktaScopes()),
		okta.WithHttpClientPtr(&http.Client{Transport: transport, Timeout: time.Minute}),
		okta.WithTestingDisableHttpsCheck(true),
		okta.WithCache(false),
	}, change...)...)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Host = u.Host // the SDK drops the port
	return okta.NewAPIClient(cfg)
}

func TestOktaSDK(t *testing.T) {
	for _, dpop := range []bool{false, true} {
		t.Run(fmt.Sprintf("dpop=%v", dpop), func(t *testing.T) {
			s := sandbox.Start(t, oktaTenant(450), sandbox.Options{DPoP: dpop})
			c := oktaSDK(t, s)

			seen := map[string]bool{}
			users, resp, err := c.UserAPI.ListUsers(t.Context()).Search(`status pr`).SortBy("profile.login").Execute()
			if err != nil {
				t.Fatal(err)
			}
			for {
				for _, u := range users {
					seen[u.GetId()] = true
				}
				if !resp.HasNextPage() {
					break
				}
				users = nil
				if resp, err = resp.Next(&users); err != nil {
					t.Fatal(err)
				}
			}
			if len(seen) != 450 {
				t.Errorf("the SDK listed %d users, want 450", len(seen))
			}

			live, _, err := c.UserAPI.ListUsers(t.Context()).Limit(200).Execute()
			if err != nil || len(live) != 200 {
				t.Fatalf("%d users, %v; want 200", len(live), err)
			}
			groups, _, err := c.GroupAPI.ListGroups(t.Context()).Execute()
			if err != nil || len(groups) != 1 || groups[0].Profile.GetName() != "All" {
				t.Errorf("groups %v, %v", groups, err)
			}
			members, _, err := c.GroupAPI.ListGroupUsers(t.Context(), "00gall").Execute()
			if err != nil || len(members) != 450 {
				t.Errorf("%d members, %v; want 450: DEPROVISIONED ones too", len(members), err)
			}
			apps, _, err := c.ApplicationAPI.ListApplications(t.Context()).Execute()
			if err != nil || len(apps) != 1 || apps[0].OpenIdConnectApplication == nil {
				t.Errorf("apps %v, %v; want one OpenID Connect app", apps, err)
			}
			appUsers, _, err := c.ApplicationUsersAPI.ListApplicationUsers(t.Context(), "0oasso").Limit(500).Execute()
			if err != nil || len(appUsers) != 450 {
				t.Errorf("%d app users, %v; want 450", len(appUsers), err)
			}
			want := 1
			if dpop {
				want = 3 // without proof, without nonce, with both
			}
			if n := s.Requests()["POST /oauth2/v1/token"]; n != want {
				t.Errorf("%d token requests, want %d", n, want)
			}
		})
	}
}

func TestOktaSDKWithAPIToken(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(3), sandbox.Options{})
	c := oktaSDK(t, s, okta.WithAuthorizationMode("SSWS"), okta.WithToken(sandbox.OktaAPIToken))
	users, _, err := c.UserAPI.ListUsers(t.Context()).Execute()
	if err != nil || len(users) != 3 {
		t.Errorf("%d users, %v; want 3", len(users), err)
	}
	c = oktaSDK(t, s, okta.WithAuthorizationMode("SSWS"), okta.WithToken("another"))
	_, resp, err := c.UserAPI.ListUsers(t.Context()).Execute()
	if err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong API token: %v, want 401", err)
	}
}

func TestOktaSDKIsRefusedAWrite(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(3), sandbox.Options{})
	s.ExpectRefusals()
	c := oktaSDK(t, s)
	if _, err := c.UserAPI.DeactivateUser(t.Context(), "00u1").Execute(); err == nil {
		t.Error("a user was deactivated")
	}
	refused := s.Refused()
	if len(refused) != 1 || refused[0].Method != "POST" || !strings.HasPrefix(refused[0].Path, "/api/v1/users/00u1/lifecycle/deactivate") {
		t.Errorf("refused %+v, want the one call", refused)
	}
}
