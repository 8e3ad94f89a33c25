package sandbox_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/google/go-cmp/cmp"
)

func TestReadTenant(t *testing.T) {
	got, err := sandbox.ReadTenant(strings.NewReader(` {
		"okta": {"users": [{"id": "00u1", "x":"`+"\xff"+`", "x": 1.0}], "groups": [{"id":"00g1"}], "group_members": {"00g1": ["00u1"]}},
		"databricks": {"users": [{"id": 7, "active": "true"}], "workspaces": [{"workspace_id": 1}],
			"workspace_groups": {"1": [{"id":"9"}]}, "assignments": {"1": [{"principal":{}}]}}
	} `), "t.json")
	if err != nil {
		t.Fatal(err)
	}
	raw := func(s string) []json.RawMessage { return []json.RawMessage{json.RawMessage(s)} }
	want := &sandbox.Tenant{
		Okta: sandbox.OktaTenant{
			Users: raw(`{"id": "00u1", "x":"` + "\xff" + `", "x": 1.0}`), Groups: raw(`{"id":"00g1"}`),
			GroupMembers: map[string][]string{"00g1": {"00u1"}},
		},
		Databricks: sandbox.DatabricksTenant{
			Users: raw(`{"id": 7, "active": "true"}`), Workspaces: raw(`{"workspace_id": 1}`),
			WorkspaceGroups: map[string][]json.RawMessage{"1": raw(`{"id":"9"}`)}, Assignments: map[string][]json.RawMessage{"1": raw(`{"principal":{}}`)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tenant differs (-want +got): %s", diff)
	}
}

// Every complaint names the file, the object, and what was expected.
func TestReadTenantErrors(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{``, `t.json: the file: expected JSON that goes on, found the end of the file`},
		{`[]`, `t.json: the file: expected an object, found "[]"`},
		{`{} {}`, `t.json: byte 4: expected the end of the file after one tenant`},
		{`{"okta":{}, "azure":{}}`, `t.json: azure: unknown key: expected one of databricks, okta`},
		{`{"okta":{"user":[]}}`, `t.json: okta.user: unknown key: expected one of app_users, apps, group_members, groups, users`},
		{`{"okta":{}, "okta":{}}`, `t.json: okta: expected this key once, found it twice`},
		{`{"okta":{"users":{}}}`, `t.json: okta.users: expected an array, found "{}"`},
		{`{"okta":{"users":[{"id":"a"},7]}}`, `t.json: okta.users[1]: expected an object, found "7"`},
		{`{"okta":{"users":[{"id":"a"}`, `t.json: okta.users[1]: expected JSON that goes on, found the end of the file`},
		{`{"okta":{"users":[{"id":"a"},{"id":"a"}]}}`, `t.json: okta.users[1] (id "a"): expected each id once, but okta.users[0] has it too`},
		{`{"okta":{"users":[{"name":"a"}]}}`, `t.json: okta.users[0]: expected a JSON object with a text or number "id", found "{\"name\":\"a\"}"`},
		{`{"okta":{"users":[{"id":nul}]}}`, `t.json: okta.users[0]: expected valid JSON: `},
		{`{"okta":{"groups":[{"id":"g"}],"group_members":{"h":[]}}}`, `t.json: okta.group_members: expected the id of a group in okta.groups, found "h"`},
		{`{"okta":{"groups":[{"id":"g"}],"group_members":{"g":["u"]}}}`, `t.json: okta.group_members["g"][0]: expected the id of a user in okta.users, found "u"`},
		{`{"okta":{"group_members":{"g":[7]}}}`, `t.json: okta.group_members.g[0]: expected an id in quotes, found "7"`},
		{`{"okta":{"app_users":{"a":[]}}}`, `t.json: okta.app_users: expected the id of an app in okta.apps, found "a"`},
		{`{"databricks":{"groups":[{"id":"1"},{"id":1}]}}`, `t.json: databricks.groups[1] (id "1"): expected each id once, but databricks.groups[0] has it too`},
		{`{"databricks":{"workspaces":[{"id":"1"}]}}`, `t.json: databricks.workspaces[0]: expected a JSON object with a text or number "workspace_id", found`},
		{`{"databricks":{"workspace_groups":{"1":[]}}}`, `t.json: databricks.workspace_groups: expected the id of a workspace in databricks.workspaces, found "1"`},
		{`{"databricks":{"assignments":{"1":[]}}}`, `t.json: databricks.assignments: expected the id of a workspace in databricks.workspaces, found "1"`},
	} {
		_, err := sandbox.ReadTenant(strings.NewReader(test.file), "t.json")
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s\n got: %v\nwant: %s", test.file, err, test.want)
		}
	}
}

// The tenants of the worked examples can be read and served.
func TestReadExamples(t *testing.T) {
	files, err := filepath.Glob("../../testdata/examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var example struct{ Tenant json.RawMessage }
		if err := json.Unmarshal(b, &example); err != nil {
			t.Fatal(err)
		}
		tenant, err := sandbox.ReadTenant(strings.NewReader(string(example.Tenant)), file)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := sandbox.New(tenant, sandbox.Options{}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzReadTenant(f *testing.F) {
	f.Add(`{"okta":{"users":[{"id":"a"}],"groups":[{"id":"g"}],"group_members":{"g":["a"]},"apps":[{"id":"p"}],"app_users":{"p":[{"id":"a"}]}},"databricks":{"users":[{"id":1}],"groups":[],"service_principals":[],"workspaces":[{"workspace_id":1}]}}`)
	f.Add(`{"okta":null}`)
	f.Add(`{"databricks":{"workspaces":[{"workspace_id":"\u0031"}],"assignments":{"1":[{}]}}}`)
	f.Fuzz(func(t *testing.T, file string) {
		tenant, err := sandbox.ReadTenant(strings.NewReader(file), "t.json")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "t.json: ") {
				t.Errorf("%v does not name the file", err)
			}
			return
		}
		if _, err := sandbox.New(tenant, sandbox.Options{}); err != nil {
			t.Errorf("read, but not served: %v", err)
		}
	})
}
