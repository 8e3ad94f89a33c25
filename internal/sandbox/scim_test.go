package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListPages(t *testing.T) {
	c := newCaller(t, DatabricksTenant{Users: numbered(250)})
	tests := []struct {
		query              string
		start, rows, first int
	}{
		{"Users", 1, 100, 1},
		{"Users?count=1000", 1, 100, 1},
		{"Users?startIndex=201&count=100", 201, 50, 201},
		{"Users?startIndex=0&count=3", 1, 3, 1},
		{"Users?startIndex=-5&count=3", 1, 3, 1},
		{"Users?startIndex=250&count=3", 250, 1, 250},
		{"Users?startIndex=251", 251, 0, 0},
		{"Users?startIndex=9999", 9999, 0, 0},
		{"Users?count=0", 1, 0, 0},
		{"Users?count=-1", 1, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			p := c.page(scim21 + test.query)
			if p.TotalResults != 250 || p.StartIndex != test.start || p.ItemsPerPage != test.rows || len(p.Resources) != test.rows {
				t.Errorf("got total %d, start %d, items %d, rows %d", p.TotalResults, p.StartIndex, p.ItemsPerPage, len(p.Resources))
			}
			if test.rows > 0 && !strings.Contains(string(p.Resources[0]), fmt.Sprintf(`"id":"%d"`, test.first)) {
				t.Errorf("want id %d first, got %s", test.first, p.Resources[0])
			}
		})
	}
	if p := c.page(scim20 + "Users"); len(p.Resources) != 250 {
		t.Errorf("2.0: want all 250 rows on a page, got %d", len(p.Resources))
	}
	for _, query := range []string{"?count=ten", "?startIndex=1.5"} {
		if w := c.do("GET", scim21+"Users"+query, ""); w.Code != 400 || !strings.Contains(w.Body.String(), "invalidValue") {
			t.Errorf("%s: want invalidValue, got %d %s", query, w.Code, w.Body)
		}
	}
}

func TestListFilters(t *testing.T) {
	c := newCaller(t, DatabricksTenant{
		Users: raws(
			`{"id":"1","userName":"Ana@Example.com","externalId":"00u1"}`,
			`{"id":"2","userName":"bo@example.com","displayName":"Bo"}`,
			`{"id":"3","userName":"ana.b@example.org"}`,
		),
		Groups:            raws(`{"id":"10","displayName":"Finance"}`, `{"id":"11","displayName":"Sales"}`),
		ServicePrincipals: raws(`{"id":"20","applicationId":"aa","displayName":"Jobs"}`, `{"id":"21","applicationId":"bb","displayName":"Jobs"}`),
	})
	long := strings.Repeat(`userName eq "x" or `, 99)
	tests := []struct {
		kind, filter string
		ids          string // "400" when it is refused
	}{
		{"Users", `userName eq "ana@example.com"`, "1"},
		{"Users", `USERNAME EQ "ANA@EXAMPLE.COM"`, "1"},
		{"Users", `userName ne "bo@example.com"`, "1 3"},
		{"Users", `userName co "EXAMPLE.com"`, "1 2"},
		{"Users", `userName sw "ana"`, "1 3"},
		{"Users", `userName sw "ana" and not (userName co ".org")`, "1"},
		{"Users", `userName eq "bo@example.com" or userName sw "ana" and userName co ".org"`, "2 3"},
		{"Users", `(userName eq "bo@example.com" or userName sw "ana") and userName co ".org"`, "3"},
		{"Users", `userName eq null`, ""},
		{"Users", `userName co 5`, ""},
		// A filter on externalId is silently ignored.
		{"Users", `externalId eq "00u1"`, "1 2 3"},
		{"Users", `externalId eq "00u1" and userName sw "bo"`, "2"},
		{"Users", `displayName eq "Bo"`, "400"},
		{"Users", `active eq true`, "400"},
		{"Users", `userName gt "a"`, "400"},
		{"Users", `userName pr`, "400"},
		{"Users", `userName eq`, "400"},
		{"Users", `userName eq "a`, "400"},
		{"Users", `(userName eq "a"`, "400"},
		{"Users", `userName eq "a")`, "400"},
		{"Users", `not userName eq "a"`, "400"},
		{"Users", `"a" eq userName`, "400"},
		{"Users", long + `userName sw "bo"`, "2"},                      // 199 nodes
		{"Users", long + `userName eq "x" or userName sw "bo"`, "400"}, // 201 nodes
		{"Users", strings.Repeat("(", 300) + strings.Repeat(")", 300), "400"},
		{"Groups", `displayName eq "finance"`, "10"},
		{"Groups", `externalId eq "00g"`, "10 11"},
		{"Groups", `id eq "10"`, "400"},
		{"ServicePrincipals", `applicationId eq "bb"`, "21"},
		{"ServicePrincipals", `displayName eq "Jobs"`, "20 21"},
	}
	for _, test := range tests {
		t.Run(test.filter, func(t *testing.T) {
			target := scim21 + test.kind + "?filter=" + url.QueryEscape(test.filter)
			if test.ids == "400" {
				if w := c.do("GET", target, ""); w.Code != 400 || !strings.Contains(w.Body.String(), `"scimType":"invalidFilter"`) {
					t.Errorf("want invalidFilter, got %d %s", w.Code, w.Body)
				}
				return
			}
			p := c.page(target)
			var ids []string
			for _, raw := range p.Resources {
				ids = append(ids, text(parseObject(raw).get("id")))
			}
			if got := strings.Join(ids, " "); got != test.ids || p.TotalResults != len(ids) {
				t.Errorf("want %q, got %q of %d", test.ids, got, p.TotalResults)
			}
		})
	}
}

func TestProjection(t *testing.T) {
	user := `{"schemas":["s"],"id":"1","userName":"ana@example.com","name":{"givenName":"Ana","familyName":"Reed"},` +
		`"emails":[{"value":"ana@example.com","primary":true},5],"active": true}`
	c := newCaller(t, DatabricksTenant{Users: raws(user)})
	for query, want := range map[string]string{
		"":                                  user,
		"attributes=userName":               `{"schemas":["s"],"id":"1","userName":"ana@example.com"}`,
		"attributes=id,USERNAME":            `{"schemas":["s"],"id":"1","userName":"ana@example.com"}`,
		"attributes=name.givenName":         `{"schemas":["s"],"id":"1","name":{"givenName":"Ana"}}`,
		"attributes=name":                   `{"schemas":["s"],"id":"1","name":{"givenName":"Ana","familyName":"Reed"}}`,
		"attributes=emails.value,active":    `{"schemas":["s"],"id":"1","emails":[{"value":"ana@example.com"},5],"active":true}`,
		"attributes=nothing":                `{"schemas":["s"],"id":"1"}`,
		"excludedAttributes=id,emails,name": `{"schemas":["s"],"id":"1","userName":"ana@example.com","active":true}`,
		"attributes=id,schemas,userName,name,emails,active": user,
	} {
		if got := string(c.page(scim21 + "Users?" + query).Resources[0]); got != want {
			t.Errorf("list ?%s:\nwant %s\n got %s", query, want, got)
		}
		if got := c.ok("GET", scim21+"Users/1?"+query, ""); got != want {
			t.Errorf("read ?%s:\nwant %s\n got %s", query, want, got)
		}
	}
}

func TestGroupListsLeaveMembersOut(t *testing.T) {
	group := `{"id":"10","displayName":"Finance","members":[{"value":"1"}]}`
	c := newCaller(t, DatabricksTenant{Groups: raws(group)})
	for _, list := range []string{scim21 + "Groups", scim20 + "Groups?attributes=id,displayName,members"} {
		if got := string(c.page(list).Resources[0]); got != `{"id":"10","displayName":"Finance"}` {
			t.Errorf("%s: want no members, got %s", list, got)
		}
	}
	if got := c.ok("GET", scim21+"Groups/10", ""); got != group {
		t.Errorf("want members in %s", got)
	}
}

func TestSortBy(t *testing.T) {
	c := newCaller(t, DatabricksTenant{Users: raws(
		`{"id":"1","userName":"b","name":{"givenName":"X"}}`, `{"id":"2","userName":"A","name":{"givenName":"z"}}`, `{"id":"3","userName":"c"}`)})
	for query, want := range map[string]string{
		"": "1 2 3", "sortBy=userName": "2 1 3", "sortBy=userName&sortOrder=descending": "3 1 2", "sortBy=name.givenName": "3 1 2",
	} {
		var ids []string
		for _, raw := range c.page(scim21 + "Users?" + query).Resources {
			ids = append(ids, text(parseObject(raw).get("id")))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q: want %s, got %s", query, want, got)
		}
	}
}

func TestErrorsHaveSCIMForm(t *testing.T) {
	c := newCaller(t, DatabricksTenant{Users: numbered(1)})
	w := c.do("GET", scim21+"Users/9", "")
	want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"User with id 9 not found.","status":"404"}`
	if got := strings.TrimSpace(w.Body.String()); got != want || w.Code != http.StatusNotFound {
		t.Errorf("want %s\n got %d %s", want, w.Code, got)
	}
	if got := w.Header().Get("Content-Type"); got != "application/scim+json" {
		t.Errorf("want SCIM's content type, got %s", got)
	}
	w = c.do("GET", scim21+"Users/1", "")
	if w.Header().Get("ETag") != "" || w.Header().Get("Content-Type") != "application/scim+json" {
		t.Errorf("want SCIM's content type and no ETag, got %v", w.Header())
	}
}

func TestPatch(t *testing.T) {
	const (
		user = `{"id":"1","userName":"ana@example.com","emails":[{"value":"ana@example.com"}],` +
			`"name":{"givenName":"Ana"},"active":true,"roles":[{"value":"account_admin","type":"direct"}]}`
		group    = `{"id":"10","displayName":"Finance","members":[{"value":"1"},{"value":"2"}]}`
		external = `{"id":"11","displayName":"Linked","externalId":"00g1","members":[{"value":"1"}]}`
		robot    = `{"id":"20","applicationId":"aa","displayName":"Jobs","externalId":"0oa1"}`
	)
	one := func(op string) string {
		return fmt.Sprintf(`{"schemas":[%q],"Operations":[%s]}`, scimPatchSchema, op)
	}
	tests := []struct {
		name, path, body string
		want             string // the object, or the error's scimType or status
	}{
		{"set externalId of a user", "Users/1", one(`{"op":"replace","path":"externalId","value":"00u1"}`),
			strings.TrimSuffix(user, "}") + `,"externalId":"00u1"}`},
		{"add and Azure's letter case", "Users/1", one(`{"op":"Add","path":"ExternalID","value":"00u1"}`),
			strings.TrimSuffix(user, "}") + `,"externalId":"00u1"}`},
		{"schema before the attribute", "Users/1", one(`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:externalId","value":"00u1"}`),
			strings.TrimSuffix(user, "}") + `,"externalId":"00u1"}`},
		{"without a path", "Users/1", one(`{"op":"replace","value":{"id":"1","externalId":"00u1","active":false}}`),
			strings.TrimSuffix(strings.Replace(user, `"active":true`, `"active":false`, 1), "}") + `,"externalId":"00u1"}`},
		{"taken by another", "Users/1", replaceBody("externalId", `"0oa1"`),
			strings.TrimSuffix(user, "}") + `,"externalId":"0oa1"}`},
		{"a name", "Users/1", replaceBody("name.familyName", `"Reed"`),
			strings.Replace(user, `"givenName":"Ana"`, `"givenName":"Ana","familyName":"Reed"`, 1)},
		{"a whole name keeps its other parts", "Users/1", replaceBody("name", `{"familyName":"Reed"}`),
			strings.Replace(user, `"givenName":"Ana"`, `"givenName":"Ana","familyName":"Reed"`, 1)},
		{"deactivation", "Users/1", replaceBody("active", `false`), strings.Replace(user, `"active":true`, `"active":false`, 1)},
		{"role removed", "Users/1", one(`{"op":"remove","path":"roles[value eq \"account_admin\"]"}`),
			strings.Replace(user, `,"roles":[{"value":"account_admin","type":"direct"}]`, "", 1)},

		// Ignored silently: 200, and nothing happens.
		{"userName", "Users/1", replaceBody("userName", `"eve@example.com"`), user},
		{"emails", "Users/1", replaceBody(`emails[type eq "work"].value`, `"eve@example.com"`), user},
		{"emails without a path", "Users/1", one(`{"op":"add","value":{"emails":[{"value":"eve@example.com"}]}}`), user},

		// Clearing works on groups alone.
		{"clear a group's", "Groups/11", replaceBody("externalId", `""`), strings.Replace(external, `"externalId":"00g1",`, "", 1)},
		{"remove a group's", "Groups/11", one(`{"op":"remove","path":"externalId"}`), strings.Replace(external, `"externalId":"00g1",`, "", 1)},
		{"clear a user's", "Users/1", replaceBody("externalId", `""`), "invalidValue"},
		{"blank a user's", "Users/1", replaceBody("externalId", `"  "`), "invalidValue"},
		{"null a user's", "Users/1", replaceBody("externalId", `null`), "invalidValue"},
		{"remove a user's", "Users/1", one(`{"op":"remove","path":"externalId"}`), "invalidValue"},
		{"clear a service principal's", "ServicePrincipals/20", replaceBody("externalId", `""`), "invalidValue"},

		{"group's externalId", "Groups/10", replaceBody("externalId", `"00g2"`), strings.TrimSuffix(group, "}") + `,"externalId":"00g2"}`},
		{"service principal's externalId", "ServicePrincipals/20", replaceBody("externalId", `"0oa2"`), strings.Replace(robot, "0oa1", "0oa2", 1)},
		{"add a member", "Groups/10", one(`{"op":"add","path":"members","value":[{"value":"2"},{"value":"3"}]}`),
			strings.Replace(group, `{"value":"2"}`, `{"value":"2"},{"value":"3"}`, 1)},
		{"remove a member", "Groups/10", one(`{"op":"remove","path":"members[value eq \"1\"]"}`), strings.Replace(group, `{"value":"1"},`, "", 1)},
		{"remove a member who is none", "Groups/10", one(`{"op":"remove","path":"members[value eq \"9\"]"}`), group},
		{"members of an external group", "Groups/11", one(`{"op":"add","path":"members","value":[{"value":"3"}]}`), "mutability"},
		{"remove a member of an external group", "Groups/11", one(`{"op":"remove","path":"members[value eq \"1\"]"}`), "mutability"},

		{"all or nothing", "Users/1", one(`{"op":"replace","path":"externalId","value":"00u1"},{"op":"replace","path":"active","value":"no"}`), "invalidValue"},
		{"active as text", "Users/1", replaceBody("active", `"false"`), "invalidValue"},
		{"externalId as a number", "Users/1", replaceBody("externalId", `5`), "invalidValue"},
		{"name as text", "Users/1", replaceBody("name", `"Ana"`), "invalidValue"},
		{"part of a name as a number", "Users/1", replaceBody("name.givenName", `5`), "invalidValue"},
		{"members as text", "Groups/10", replaceBody("members", `"1"`), "invalidValue"},
		{"id", "Users/1", replaceBody("id", `"2"`), "mutability"},
		{"groups", "Users/1", replaceBody("groups", `[]`), "mutability"},
		{"application id", "ServicePrincipals/20", replaceBody("applicationId", `"bb"`), "mutability"},
		{"nameless group", "Groups/10", one(`{"op":"remove","path":"displayName"}`), "mutability"},
		{"unknown attribute", "Users/1", replaceBody("nickName", `"A"`), "invalidPath"},
		{"unknown attribute without a path", "Users/1", one(`{"op":"add","value":{"nickName":"A"}}`), "invalidPath"},
		{"broken filter", "Groups/10", one(`{"op":"remove","path":"members[value eq"}`), "invalidPath"},
		{"filter on a text", "Users/1", replaceBody(`displayName[value eq "a"]`, `"A"`), "invalidPath"},
		{"part of a text", "Users/1", replaceBody(`displayName.first`, `"A"`), "invalidPath"},
		{"no element matches", "Users/1", replaceBody(`roles[value eq "none"].type`, `"direct"`), "noTarget"},
		{"remove everything", "Users/1", one(`{"op":"remove"}`), "noTarget"},
		{"unknown op", "Users/1", one(`{"op":"move","path":"active","value":true}`), "invalidValue"},
		{"no operations", "Users/1", one(""), "invalidValue"},
		{"no schemas", "Users/1", `{"Operations":[{"op":"replace","path":"active","value":true}]}`, "invalidValue"},
		{"null", "Users/1", `null`, "invalidValue"},
		{"no JSON", "Users/1", `{"schemas"`, "invalidSyntax"},
		{"nobody", "Users/9", replaceBody("active", `true`), "404"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCaller(t, DatabricksTenant{Users: raws(user), Groups: raws(group, external), ServicePrincipals: raws(robot)})
			before := c.do("GET", scim21+test.path, "").Body.String()
			w := c.do("PATCH", scim20+test.path, test.body)
			after := c.do("GET", scim21+test.path, "").Body.String()
			if test.want[0] == '{' {
				if w.Code != 200 || after != test.want || w.Body.String() != after {
					t.Errorf("want 200 %s\n got %d %s\nthen %s", test.want, w.Code, w.Body, after)
				}
				return
			}
			var fault struct {
				Schemas                  []string
				Detail, Status, ScimType string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &fault); err != nil {
				t.Fatal(err)
			}
			if fault.ScimType != test.want && fault.Status != test.want || fmt.Sprint(w.Code) != fault.Status ||
				fault.Detail == "" || fault.Schemas[0] != scimErrorSchema {
				t.Errorf("want an error %s, got %d %s", test.want, w.Code, w.Body)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("a refused PATCH changed something (-before +after):\n%s", diff)
			}
		})
	}
}

// FuzzPatch: no body may crash the server, break an object's JSON, or change
// who it is.
func FuzzPatch(f *testing.F) {
	f.Add(replaceBody("externalId", `"00u1"`))
	f.Add(replaceBody("name.givenName", `"A"`))
	f.Add(replaceBody(`emails[type eq "work" and primary eq true].value`, `"a"`))
	f.Add(replaceBody(`roles[not (value eq "x") or value sw "y"]`, `{"value":"z"}`))
	f.Add(`{"schemas":["` + scimPatchSchema + `"],"Operations":[{"op":"remove","path":"roles[value eq \"a\"].type"},{"op":"add","value":{"ROLES":{"value":"a"},"name":null}}]}`)
	f.Add(`{"schemas":["` + scimPatchSchema + `"],"Operations":[{"op":"add","path":"members","value":[{"value":"1"},{}]}]}`)
	user := json.RawMessage(`{"id":"1","userName":"ana@example.com","name":{"givenName":"Ana"},"roles":[{"value":"a","type":"b"},5],"externalId":"x","active":true}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []scimKind{usersKind, groupsKind, servicePrincipalsKind} {
			p := newPatcher(kind, user)
			fault := p.request([]byte(body))
			changed := p.result()
			if fault != nil {
				continue
			}
			if !json.Valid(changed) {
				t.Fatalf("%s: not JSON after %q: %s", kind.path, body, changed)
			}
			o := parseObject(changed)
			if text(o.get("id")) != "1" || kind.path == "Users" && text(o.get("userName")) != "ana@example.com" {
				t.Fatalf("%s: another identity after %q: %s", kind.path, body, changed)
			}
			if !kind.clearable && strings.TrimSpace(text(o.get("externalId"))) == "" {
				t.Fatalf("%s: externalId cleared by %q", kind.path, body)
			}
		}
	})
}

// FuzzListFilter: no filter may crash the server, and what is taken stays
// within the limit.
func FuzzListFilter(f *testing.F) {
	for _, s := range []string{`userName eq "a"`, `not (externalId co "x") and userName sw "é"`, `(((`, `userName eq -1e5`, `userName ne "\u00`, `a or or`} {
		f.Add(s)
	}
	o := parseObject(json.RawMessage(`{"userName":"a","externalId":"x"}`))
	f.Fuzz(func(t *testing.T, s string) {
		if keep, err := parseListFilter(s, usersKind.filters); err == nil {
			keep.match(o)
		}
	})
}

// FuzzObject: an object that is taken apart and put together says the same.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, ` { "a" : 1 , "A":[ ] } `, `{"é<>":"\ud800"}`, `[]`, `{"a":{"b":null}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) {
			return
		}
		o := parseObject(json.RawMessage(s))
		if o == nil {
			return
		}
		var want, got any
		if json.Unmarshal([]byte(s), &want) != nil {
			return // a number too big for Go
		}
		if err := json.Unmarshal(o.encode(), &got); err != nil {
			t.Fatalf("%q became %q: %v", s, o.encode(), err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
