package databricks

import (
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func values(vs ...audit.Value) audit.Values { return audit.NewValues(vs...) }

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		name string
		kind kind
		raw  string
		want any
	}{
		{
			"a user with everything", users,
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"12","userName":" Pat@Example.com ","externalId":"00u1",
			"displayName":"Pat Doe","name":{"givenName":"Pat","familyName":"Doe","formatted":"x"},"active":false,
			"emails":[{"value":"pat@example.com","type":"work","primary":true,"display":"x"}],
			"roles":[{"value":"account_admin","type":"direct"}],"entitlements":[{"value":"workspace-access"}],
			"groups":[{"value":"7","display":"staff","type":"direct","$ref":"Groups/7"}],
			"meta":{"created":"2020-01-02T03:04:05Z","resourceType":"User"},"unknown":{"a":[1]}}`,
			audit.DatabricksUser{
				ID: "12", UserName: " Pat@Example.com ", ExternalID: "00u1", DisplayName: "Pat Doe", GivenName: "Pat", FamilyName: "Doe",
				Emails:       values(audit.Value{Value: "pat@example.com", Type: "work", Primary: true}),
				Roles:        values(audit.Value{Value: "account_admin", Type: "direct"}),
				Entitlements: values(audit.Value{Value: "workspace-access"}),
				Groups:       values(audit.Value{Value: "7", Type: "direct"}),
				Created:      "2020-01-02T03:04:05Z",
			},
		},
		{"a user with an id and a name alone", users, `{"id":"1","userName":"a"}`, audit.DatabricksUser{ID: "1", UserName: "a", Active: true}},
		{"an id that is a number", users, `{"id":1234567890123456789,"userName":"a"}`, audit.DatabricksUser{ID: "1234567890123456789", UserName: "a", Active: true}},
		{"active as text", users, `{"id":"1","active":"false","userName":"a"}`, audit.DatabricksUser{ID: "1", UserName: "a"}},
		{"active as text with a capital", users, `{"id":"1","active":"True","userName":"a"}`, audit.DatabricksUser{ID: "1", UserName: "a", Active: true}},
		{
			"null everywhere", users,
			`{"id":"1","userName":null,"externalId":null,"displayName":null,"name":null,"active":null,"emails":null,"roles":[null],"entitlements":null,"groups":null,"meta":null}`,
			audit.DatabricksUser{ID: "1", Active: true},
		},
		{
			"plain texts and lone objects for lists", users,
			`{"id":"1","userName":"a","roles":["account_admin",5],"entitlements":"workspace-access","groups":{"value":"7"},"emails":[{"value":"a@example.com","primary":"true"}]}`,
			audit.DatabricksUser{
				ID: "1", UserName: "a", Active: true,
				Roles:        values(audit.Value{Value: "account_admin"}, audit.Value{Value: "5"}),
				Entitlements: values(audit.Value{Value: "workspace-access"}),
				Groups:       values(audit.Value{Value: "7"}),
				Emails:       values(audit.Value{Value: "a@example.com", Primary: true}),
			},
		},
		{
			"names of fields in other letter case", users,
			`{"ID":"1","username":"a","ExternalID":"00u1","NAME":{"GivenName":"Pat"},"Active":false,"Roles":[{"Value":"account_admin"}]}`,
			audit.DatabricksUser{
				ID: "1", UserName: "a", ExternalID: "00u1", GivenName: "Pat", Roles: values(audit.Value{Value: "account_admin"}),
			},
		},
		{
			"a group", groups,
			`{"id":"7","displayName":"staff","externalId":"00g1","meta":{"resourceType":"WorkspaceGroup","created":"x"},"members":17,
			"groups":[{"value":"8"}],"roles":["account_admin"],"entitlements":[]}`,
			audit.DatabricksGroup{
				ID: "7", DisplayName: "staff", ExternalID: "00g1", ResourceType: "WorkspaceGroup", Created: "x",
				Groups: values(audit.Value{Value: "8"}), Roles: values(audit.Value{Value: "account_admin"}),
			},
		},
		{
			"a service principal", servicePrincipals,
			`{"id":"9","applicationId":"aa-bb","displayName":"etl","externalId":"0oa1","active":true,"groups":[{"value":"7"}]}`,
			audit.DatabricksServicePrincipal{
				ID: "9", ApplicationID: "aa-bb", DisplayName: "etl", ExternalID: "0oa1", Active: true, Groups: values(audit.Value{Value: "7"}),
			},
		},
		{
			"a workspace with federation", workspaces,
			`{"workspace_id":6280049833385130,"workspace_name":"prod","workspace_status":"RUNNING","identity_federation_info":{"enable_identity_federation":true}}`,
			audit.DatabricksWorkspace{ID: "6280049833385130", Name: "prod", Status: "RUNNING", Federation: "true"},
		},
		{
			"a workspace without federation", workspaces, `{"workspace_id":1,"identity_federation_info":{"enable_identity_federation":"False"}}`,
			audit.DatabricksWorkspace{ID: "1", Federation: "false"},
		},
		{
			"bytes that are not UTF-8", groups, "{\"id\":\"1\",\"displayName\":\"a\xff\"}",
			audit.DatabricksGroup{ID: "1", DisplayName: "a\xff"},
		},
		{
			"a workspace that does not say", workspaces, `{"workspace_id":1,"identity_federation_info":{}}`,
			audit.DatabricksWorkspace{ID: "1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := test.kind.object(jsontext.Value(test.raw))
			if diff := cmp.Diff([]any{test.want}, o.records); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestUndecoded(t *testing.T) {
	for _, test := range []struct{ raw, key, want string }{
		{`{"id":"1","active":"maybe"}`, "1", `user 1: field active: expected true or false, found "maybe"`},
		{`{"id":"1","active":1}`, "1", `user 1: field active: expected true or false, found a number`},
		{`{"id":"1","userName":["a"]}`, "1", `user 1: field userName: expected text, found an array`},
		{`{"id":"1","emails":[{"value":{}}]}`, "1", `user 1: field emails/0/value: expected text, found an object`},
		{`{"id":"1","roles":[["a"]]}`, "1", `user 1: field roles: expected an object or text, found an array`},
		{`{"id":"1","roles":true}`, "1", `user 1: field roles: expected an object or text, found a boolean`},
		{`{"id":"1","name":"Pat"}`, "1", `user 1: field name: expected an object, found text`},
		{`{"id":"1","externalId":"00u1"}`, "1", `user 1: field userName: expected text, found nothing`},
		{`{"id":"1","userName":"a","UserName":"b"}`, "1", `user 1: field UserName: duplicate object member name`},
		{`{"id":"1","userName":"a","userName":"b"}`, "1", `user 1: field userName: duplicate object member name`},
		{`{"userName":"a","id":"1","id":"2"}`, "1", `user 1: field id: duplicate object member name`},
		{`{"userName":"a"}`, `{"userName":"a"}`, `user without an id: field id: expected text, found nothing`},
		{`{"id":{}}`, `{"id":{}}`, `user without an id: field id: expected text, found an object`},
		{`{"id":"","userName":"a"}`, `{"id":"","userName":"a"}`, `user without an id: field id: expected text, found nothing`},
		{`"1"`, `"1"`, `user without an id: expected an object, found text`},
		{`[]`, `[]`, `user without an id: expected an object, found an array`},
	} {
		o := users.object(jsontext.Value(test.raw))
		u, ok := o.records[0].(audit.Undecoded)
		if !ok {
			t.Errorf("%s: decoded to %+v", test.raw, o.records[0])
			continue
		}
		if u.Input != audit.DatabricksUsers || string(u.Raw) != test.raw {
			t.Errorf("%s: kept as %+v", test.raw, u)
		}
		if u.Error != test.want {
			t.Errorf("%s:\nwant %s\ngot  %s", test.raw, test.want, u.Error)
		}
		if o.key != test.key {
			t.Errorf("%s: key %q", test.raw, o.key)
		}
	}
}

// A part of an object is no object whose other fields are blank.
func TestUndecodedPart(t *testing.T) {
	for _, k := range []kind{users, groups, servicePrincipals} {
		want := k.singular + " 1: field " + k.name + ": expected text, found nothing"
		if u, ok := k.object(jsontext.Value(`{"id":"1"}`)).records[0].(audit.Undecoded); !ok || u.Error != want {
			t.Errorf("%s: got %+v, want %q", k.singular, u, want)
		}
	}
	if _, _, err := decodeMembers(jsontext.Value(`{"id":"1"}`)); err == nil {
		t.Error("a part of a group is taken for one without members")
	}
	if _, records, err := decodeMembers(jsontext.Value(`{"id":"1","displayName":"empty"}`)); err != nil || len(records) != 1 {
		t.Errorf("a group without members: %v, %v", records, err)
	}
}

func TestReadPage(t *testing.T) {
	for _, test := range []struct {
		body string
		want page
	}{
		{
			`{"totalResults":2,"startIndex":1,"itemsPerPage":2,"Resources":[{"id":"1"},"odd"],"schemas":["x"]}`,
			page{2, 1, []jsontext.Value{jsontext.Value(`{"id":"1"}`), jsontext.Value(`"odd"`)}},
		},
		{`{"totalResults":"2","Resources":[ {"id" : "1", "id":2} ]}`, page{2, absent, []jsontext.Value{jsontext.Value(`{"id" : "1", "id":2}`)}}},
		{`{"totalResults":0}`, page{0, absent, nil}},
		{`{"Resources":null,"totalResults":null}`, page{absent, absent, nil}},
		{"{\"totalResults\":1,\"Resources\":[{\"id\":\"\xff\"}]}\n", page{1, absent, []jsontext.Value{jsontext.Value("{\"id\":\"\xff\"}")}}},
	} {
		got, err := readPage([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", test.body, err)
			continue
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(page{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.body, diff)
		}
	}
	for body, want := range map[string]string{
		`<html>sign in</html>`:                    "page of HTML",
		``:                                        "found no JSON",
		`[]`:                                      "found an array",
		`{}`:                                      "without Resources",
		`{"detail":"no"}`:                         "without Resources",
		`{"totalResults":1,"Resources":[{"id"`:    "whole SCIM list",
		`{"totalResults":1,"Resources":[]}{}`:     "found more after it",
		`{"totalResults":1,"totalResults":2}`:     "totalResults twice",
		`{"Resources":[],"Resources":[{}]}`:       "Resources twice",
		`{"totalResults":-1,"Resources":[]}`:      "expected a count",
		`{"totalResults":1.5,"Resources":[]}`:     "expected a count",
		`{"totalResults":[1],"Resources":[]}`:     "found an array",
		`{"totalResults":1,"Resources":{"id":1}}`: "expected an array, found an object",
	} {
		if p, err := readPage([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want an error with %q", body, p, err, want)
		}
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add([]byte(`{"totalResults":2,"startIndex":1,"Resources":[{"id":"1"},{"id":2,"active":"True"}]}`))
	f.Add([]byte(`{"totalResults":"1","Resources":[{"id":"1","id":"2"},null,[],"x",{"roles":[["a"]]}]}`))
	f.Add([]byte("{\"Resources\":[{\"\\u0069d\":\"\xff\"}]}"))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readPage(body)
		if err != nil {
			return
		}
		for _, raw := range p.objects {
			for _, k := range []kind{users, groups, servicePrincipals, workspaces} {
				o := k.object(raw)
				if o.key == "" || len(o.records) != 1 {
					t.Fatalf("%s %q: key %q, %d records", k.singular, raw, o.key, len(o.records))
				}
				if u, ok := o.records[0].(audit.Undecoded); ok && (string(u.Raw) != string(raw) || u.Error == "") {
					t.Fatalf("%q is kept as %q: %s", raw, u.Raw, u.Error)
				}
			}
		}
	})
}
