package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/client"
	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/service/iam"
	"github.com/databricks/databricks-sdk-go/service/iamv2"
	"github.com/databricks/databricks-sdk-go/service/provisioning"
	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// databricksTenant has n users, of whom the first is account admin, a group of
// both its own and the identity provider's, a service principal and a workspace.
func databricksTenant(n int) *sandbox.Tenant {
	raw := func(format string, args ...any) json.RawMessage { return fmt.Appendf(nil, format, args...) }
	t := &sandbox.Tenant{Databricks: sandbox.DatabricksTenant{
		Groups: []json.RawMessage{
			raw(`{"id":"5001","displayName":"local","members":[{"value":"1","display":"User 1"},{"value":"6001"}],"meta":{"resourceType":"Group"}}`),
			raw(`{"id":"5002","displayName":"linked","externalId":"00g2","members":[{"value":"5001"}],"meta":{"resourceType":"Group"}}`),
		},
		ServicePrincipals: []json.RawMessage{raw(`{"id":"6001","applicationId":%q,"displayName":"aimcheck","active":true}`, sandbox.DatabricksClientID)},
		Workspaces:        []json.RawMessage{raw(`{"workspace_id":7001,"workspace_name":"main","deployment_name":"dbc-main","workspace_status":"RUNNING"}`)},
		WorkspaceGroups: map[string][]json.RawMessage{
			"7001": {raw(`{"id":"8001","displayName":"locals","members":[{"value":"1"}],"meta":{"resourceType":"WorkspaceGroup"}}`)},
		},
		Assignments: map[string][]json.RawMessage{
			"7001": {raw(`{"principal":{"principal_id":1,"user_name":"user1@example.com"},"permissions":["ADMIN"]}`)},
		},
	}}
	for i := range n {
		roles := ""
		if i == 0 {
			roles = `,"roles":[{"value":"account_admin","type":"direct"}]`
		}
		t.Databricks.Users = append(t.Databricks.Users, raw(
			`{"id":"%d","userName":"user%d@example.com","name":{"givenName":"User","familyName":"%d"},"active":%v%s}`, i+1, i+1, i+1, i != 1, roles))
	}
	return t
}

// databricksSDK returns a client as Databricks' SDK makes it for an account,
// with all that discovery and machine-to-machine sign-in ask for.
func databricksSDK(t *testing.T, s *sandbox.Running, change ...func(*config.Config)) *client.DatabricksClient {
	t.Helper()
	cfg := &config.Config{
		Host:         s.URL,
		AccountID:    sandbox.DatabricksAccountID,
		ClientID:     sandbox.DatabricksClientID,
		ClientSecret: sandbox.DatabricksClientSecret,
		AuthType:     "oauth-m2m",
		Loaders:      []config.Loader{noLoader{}},
		// An SDK that retries what it should not makes a test fail soon.
		RetryTimeoutSeconds: 10,
	}
	for _, c := range change {
		c(cfg)
	}
	transport := s.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	cfg.HTTPTransport = transport
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// noLoader keeps the SDK from the settings of whoever runs the test.
type noLoader struct{}

func (noLoader) Name() string                   { return "none" }
func (noLoader) Configure(*config.Config) error { return nil }

func unlimited() sandbox.Options {
	return sandbox.Options{Rates: map[string]sandbox.Rate{"databricks read": {}, "databricks list": {}, "databricks write": {}}}
}

func TestDatabricksSDK(t *testing.T) {
	s := sandbox.Start(t, databricksTenant(2505), unlimited())
	c := databricksSDK(t, s)
	ctx := t.Context()

	users, err := iam.NewAccountUsersV2(c).ListAll(ctx, iam.ListAccountUsersRequest{Attributes: "id,userName,active,roles"})
	if err != nil {
		t.Fatal(err)
	}
	if len(users) != 2505 || users[2504].UserName != "user2505@example.com" || users[1].Active || users[0].Roles[0].Value != "account_admin" || users[0].Name != nil {
		t.Errorf("got %d users, first %+v", len(users), users[0])
	}
	found, err := iam.NewAccountUsersV2(c).ListAll(ctx, iam.ListAccountUsersRequest{Filter: `userName eq "USER7@example.com"`})
	if err != nil || len(found) != 1 || found[0].Id != "7" {
		t.Errorf("filter: got %v, %v", found, err)
	}

	groups := iam.NewAccountGroupsV2(c)
	listed, err := groups.ListAll(ctx, iam.ListAccountGroupsRequest{})
	if err != nil || len(listed) != 2 || listed[0].Members != nil {
		t.Errorf("group list: got %+v, %v", listed, err)
	}
	group, err := groups.Get(ctx, iam.GetAccountGroupRequest{Id: "5001"})
	if err != nil || len(group.Members) != 2 {
		t.Errorf("group: got %+v, %v", group, err)
	}

	principals := iam.NewAccountServicePrincipalsV2(c)
	err = principals.Patch(ctx, iam.PatchAccountServicePrincipalRequest{
		Id: "6001", Schemas: []iam.PatchSchema{iam.PatchSchemaUrnIetfParamsScimApiMessages20PatchOp},
		Operations: []iam.Patch{{Op: iam.PatchOpReplace, Path: "externalId", Value: "0oa1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	principal, err := principals.Get(ctx, iam.GetAccountServicePrincipalRequest{Id: "6001"})
	if err != nil || principal.ExternalId != "0oa1" || principal.ApplicationId != sandbox.DatabricksClientID {
		t.Errorf("service principal: got %+v, %v", principal, err)
	}

	workspaces, err := provisioning.NewWorkspaces(c).List(ctx)
	if err != nil || len(workspaces) != 1 || workspaces[0].WorkspaceId != 7001 {
		t.Errorf("workspaces: got %+v, %v", workspaces, err)
	}
	assigned, err := iam.NewWorkspaceAssignment(c).ListAll(ctx, iam.ListWorkspaceAssignmentRequest{WorkspaceId: 7001})
	if err != nil || len(assigned) != 1 || assigned[0].Principal.PrincipalId != 1 {
		t.Errorf("assignments: got %+v, %v", assigned, err)
	}
	// The SDK's own way from an account to a workspace on a unified host: the
	// same host, and the workspace's id in a header.
	w := databricksSDK(t, s, func(cfg *config.Config) { cfg.WorkspaceID = "7001" })
	locals, err := iam.NewGroupsV2(w).ListAll(ctx, iam.ListGroupsRequest{})
	if err != nil || len(locals) != 1 || locals[0].Meta.ResourceType != "WorkspaceGroup" {
		t.Errorf("workspace groups: got %+v, %v", locals, err)
	}
}

// TestDatabricksSDKErrors: the SDK understands the sandbox's errors as it does
// the vendor's.
func TestDatabricksSDKErrors(t *testing.T) {
	s := sandbox.Start(t, databricksTenant(3), unlimited())
	list := func(change ...func(*config.Config)) error {
		_, err := iam.NewAccountUsersV2(databricksSDK(t, s, change...)).ListAll(t.Context(), iam.ListAccountUsersRequest{})
		return err
	}
	pat := func(token string) func(*config.Config) {
		return func(cfg *config.Config) {
			cfg.AuthType, cfg.ClientID, cfg.ClientSecret, cfg.Token = "pat", "", "", token
		}
	}
	if err := list(pat(sandbox.DatabricksToken)); err != nil {
		t.Errorf("personal access token: %v", err)
	}
	if err := list(pat("wrong")); !errors.Is(err, apierr.ErrUnauthenticated) {
		t.Errorf("wrong token: got %v", err)
	}
	if err := list(pat("dapi-wrong")); !errors.Is(err, apierr.ErrPermissionDenied) {
		t.Errorf("wrong personal access token: got %v", err)
	}
	other := func(cfg *config.Config) { cfg.AccountID = "00000000-0000-4000-8000-000000000000" }
	if err := list(pat(sandbox.DatabricksToken), other); !errors.Is(err, apierr.ErrPermissionDenied) {
		t.Errorf("another account: got %v", err)
	}
	if err := list(func(cfg *config.Config) { cfg.ClientSecret = "wrong" }); err == nil {
		t.Error("wrong secret: want an error")
	}
	_, err := iam.NewAccountUsersV2(databricksSDK(t, s)).Get(t.Context(), iam.GetAccountUserRequest{Id: "99"})
	var fault *apierr.APIError
	if !errors.Is(err, apierr.ErrNotFound) || !errors.As(err, &fault) || fault.ErrorCode != "SCIM_404" {
		t.Errorf("nobody: got %v", err)
	}
}

func TestDatabricksSDKIAMv2(t *testing.T) {
	s := sandbox.Start(t, databricksTenant(2505), unlimited())
	api := iamv2.NewAccountIamV2(databricksSDK(t, s))
	ctx := t.Context()

	users, err := api.ListUsersAll(ctx, iamv2.ListUsersRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if len(users) != 2505 || s.Requests()["GET /api/2.0/identity/accounts/{account}/users"] != 3 {
		t.Errorf("got %d users in %v", len(users), s.Requests())
	}
	want := iamv2.User{
		AccountId: sandbox.DatabricksAccountID, UserId: "2", Username: "user2@example.com", AccountUserStatus: iamv2.StateInactive,
		FullName: iamv2.UserFullName{GivenName: "User", FamilyName: "2"},
	}
	users[1].ForceSendFields, users[1].FullName.ForceSendFields = nil, nil
	if diff := cmp.Diff(want, users[1]); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}

	// A bare update also sends an empty username and status, so it must fail;
	// one that was read first must not.
	_, err = api.UpdateUser(ctx, iamv2.UpdateUserRequest{UserId: "2", UpdateMask: "external_id", User: iamv2.User{ExternalId: "00u2"}})
	if !errors.Is(err, apierr.ErrInvalidParameterValue) {
		t.Errorf("bare update: want INVALID_PARAMETER_VALUE, got %v", err)
	}
	users[1].ExternalId = "00u2"
	updated, err := api.UpdateUser(ctx, iamv2.UpdateUserRequest{UserId: "2", UpdateMask: "external_id", User: users[1]})
	if err != nil || updated.ExternalId != "00u2" {
		t.Errorf("update: got %+v, %v", updated, err)
	}
	read, err := iam.NewAccountUsersV2(databricksSDK(t, s)).Get(ctx, iam.GetAccountUserRequest{Id: "2"})
	if err != nil || read.ExternalId != "00u2" {
		t.Errorf("SCIM does not see what IAM v2 wrote: %+v, %v", read, err)
	}
	if _, err = api.UpdateUser(ctx, iamv2.UpdateUserRequest{UserId: "2", UpdateMask: "account_user_status", User: users[1]}); !errors.Is(err, apierr.ErrInvalidParameterValue) {
		t.Errorf("another mask: want INVALID_PARAMETER_VALUE, got %v", err)
	}
	users[1].Username = "eve@example.com"
	if _, err = api.UpdateUser(ctx, iamv2.UpdateUserRequest{UserId: "2", UpdateMask: "username", User: users[1]}); !errors.Is(err, apierr.ErrInvalidParameterValue) {
		t.Errorf("another username: want INVALID_PARAMETER_VALUE, got %v", err)
	}
	if _, err = api.GetUser(ctx, iamv2.GetUserRequest{UserId: "9999"}); !errors.Is(err, apierr.ErrResourceDoesNotExist) {
		t.Errorf("nobody: got %v", err)
	}

	groups, err := api.ListGroupsAll(ctx, iamv2.ListGroupsRequest{})
	if err != nil || len(groups) != 2 || groups[1].ExternalId != "00g2" || groups[1].GroupName != "linked" {
		t.Errorf("groups: got %+v, %v", groups, err)
	}
	for id, want := range map[int64][]iamv2.DirectGroupMember{
		5001: {
			{GroupId: 5001, PrincipalId: 1, DisplayName: "User 1", PrincipalType: iamv2.PrincipalTypeUser, MembershipSource: iamv2.GroupMembershipSourceInternal},
			{GroupId: 5001, PrincipalId: 6001, PrincipalType: iamv2.PrincipalTypeServicePrincipal, MembershipSource: iamv2.GroupMembershipSourceInternal},
		},
		5002: {{GroupId: 5002, PrincipalId: 5001, PrincipalType: iamv2.PrincipalTypeGroup, MembershipSource: iamv2.GroupMembershipSourceIdentityProvider}},
	} {
		members, err := api.ListDirectGroupMembersAll(ctx, iamv2.ListDirectGroupMembersRequest{GroupId: id})
		if err != nil {
			t.Fatal(err)
		}
		for i := range members {
			members[i].ForceSendFields = nil
		}
		if diff := cmp.Diff(want, members); diff != "" {
			t.Errorf("members of %d (-want +got):\n%s", id, diff)
		}
	}
	principals, err := api.ListServicePrincipalsAll(ctx, iamv2.ListServicePrincipalsRequest{})
	if err != nil || len(principals) != 1 || principals[0].ApplicationId != sandbox.DatabricksClientID {
		t.Errorf("service principals: got %+v, %v", principals, err)
	}
}

// TestDatabricksSDKForbidden: what the SDK can call that creates or syncs a
// principal is refused, and recorded.
func TestDatabricksSDKForbidden(t *testing.T) {
	s := sandbox.Start(t, databricksTenant(3), unlimited())
	s.ExpectRefusals()
	c := databricksSDK(t, s)
	api := iamv2.NewAccountIamV2(c)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"resolve a user": func() error { _, err := api.ResolveUser(ctx, iamv2.ResolveUserRequest{ExternalId: "00u1"}); return err },
		"resolve a group": func() error {
			_, err := api.ResolveGroup(ctx, iamv2.ResolveGroupRequest{ExternalId: "00g1"})
			return err
		},
		"resolve a service principal": func() error {
			_, err := api.ResolveServicePrincipal(ctx, iamv2.ResolveServicePrincipalRequest{ExternalId: "0oa1"})
			return err
		},
		"create a user": func() error {
			_, err := iam.NewAccountUsersV2(c).Create(ctx, iam.CreateAccountUserRequest{UserName: "eve@example.com"})
			return err
		},
		"replace a user": func() error {
			return iam.NewAccountUsersV2(c).Update(ctx, iam.UpdateAccountUserRequest{Id: "1"})
		},
		"delete a user": func() error {
			return iam.NewAccountUsersV2(c).Delete(ctx, iam.DeleteAccountUserRequest{Id: "1"})
		},
	} {
		before := len(s.Refused())
		if err := call(); !errors.Is(err, apierr.ErrPermissionDenied) {
			t.Errorf("%s: want it denied, got %v", name, err)
		}
		if len(s.Refused()) != before+1 {
			t.Errorf("%s: not recorded", name)
		}
	}
	if diff := cmp.Diff(databricksTenant(3).Databricks, s.Tenant().Databricks); diff != "" {
		t.Errorf("a refused call changed the tenant (-want +got):\n%s", diff)
	}
}
