package sandbox

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"
)

// A table holds the objects of one kind in the order they are listed.
type table struct {
	rows  []row
	index map[string]int // by id
}

// A row is one object, and of it what listings ask for again and again.
type row struct {
	raw              json.RawMessage
	id, status       string
	created, updated int64 // milliseconds since 1970
}

// The days between which objects without times of their own were made.
var (
	firstDay = time.Date(2018, 3, 1, 0, 0, 0, 0, time.UTC)
	lastDay  = time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
)

// newTable indexes the objects of a list found at at. It fails when one is no
// JSON object, or an id is missing or there twice.
func newTable(at string, objects []json.RawMessage) (*table, error) {
	t := &table{rows: make([]row, len(objects)), index: make(map[string]int, len(objects))}
	for i, raw := range objects {
		r := newRow(raw)
		if r.id == "" {
			return nil, noID(at, i, "id", raw)
		}
		if first, ok := t.index[r.id]; ok {
			return nil, twice(at, i, first, "id", r.id)
		}
		t.rows[i], t.index[r.id] = r, i
	}
	return t, nil
}

func newRow(raw json.RawMessage) row {
	r := row{raw: raw, status: "ACTIVE"}
	if !json.Valid(raw) {
		return r
	}
	for name, value := range eachMember(raw) {
		switch name {
		case "id":
			r.id = content(value)
		case "status":
			r.status = content(value)
		case "created":
			r.created = milliseconds(value)
		case "lastUpdated":
			r.updated = milliseconds(value)
		}
	}
	// Times that are missing are made from the id: the same at every run.
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.id))
	seconds := lastDay.Unix() - firstDay.Unix()
	if r.created == 0 {
		r.created = firstDay.UnixMilli() + int64(h.Sum64()%uint64(seconds))*1000
		if r.updated != 0 {
			r.created = min(r.created, r.updated)
		}
	}
	if r.updated == 0 {
		r.updated = r.created + int64(h.Sum64()>>32%uint64(365*24*3600))*1000
	}
	return r
}

func milliseconds(raw json.RawMessage) int64 {
	t, err := time.Parse(time.RFC3339, text(raw))
	if err != nil {
		return 0
	}
	return t.UnixMilli()
}

// time returns the time that an attribute has.
func (r *row) time(path string) time.Time {
	switch path {
	case "lastMembershipUpdated":
		if own := milliseconds(lookUp(r.raw, path)); own != 0 {
			return time.UnixMilli(own)
		}
		return time.UnixMilli(r.updated)
	case "lastUpdated", "statusChanged":
		return time.UnixMilli(r.updated)
	}
	return time.UnixMilli(r.created)
}

// attribute returns the text of an attribute, and whether it has one.
func (r *row) attribute(path string) (string, bool) {
	switch path {
	case "id":
		return r.id, true
	case "status":
		return r.status, true
	case "created", "activated", "lastUpdated", "lastMembershipUpdated", "statusChanged":
		return oktaTime(r.time(path)), true
	case "type.id":
		return userType, true
	}
	raw := lookUp(r.raw, path)
	return text(raw), !isNull(raw)
}

// oktaTime formats a time as Okta does.
func oktaTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// userType is the org's only user type.
const userType = "otysandbox0000000000"

// complete appends to the row's object the members that are missing: pairs of
// name and JSON.
func (r *row) complete(pairs ...string) json.RawMessage {
	has := map[string]bool{}
	for name := range eachMember(r.raw) {
		has[name] = true
	}
	out := r.raw
	for i := 0; i < len(pairs); i += 2 {
		if !has[pairs[i]] {
			out = with(out, pairs[i], pairs[i+1])
		}
	}
	return out
}

// user returns the row as Okta lists a user.
func (r *row) user(org string) json.RawMessage {
	created, updated := quoteTime(r.created), quoteTime(r.updated)
	activated := created
	if r.status == "STAGED" {
		activated = "null"
	}
	return r.complete(
		"status", `"ACTIVE"`, "created", created, "activated", activated, "statusChanged", updated, "lastLogin", "null",
		"lastUpdated", updated, "passwordChanged", "null", "type", `{"id":"`+userType+`"}`,
		"credentials", `{"provider":{"type":"OKTA","name":"OKTA"}}`,
		"_links", fmt.Sprintf(`{"self":{"href":"%s/api/v1/users/%s"}}`, org, r.id),
	)
}

// group returns the row as Okta lists a group.
func (r *row) group(org string) json.RawMessage {
	class := "okta:user_group"
	if text(memberOf(r.raw, "type")) == "APP_GROUP" {
		class = "okta:windows_security_principal"
	}
	self := org + "/api/v1/groups/" + r.id
	return r.complete(
		"created", quoteTime(r.created), "lastUpdated", quoteTime(r.updated), "lastMembershipUpdated", quoteTime(r.updated),
		"objectClass", `["`+class+`"]`, "type", `"OKTA_GROUP"`,
		"_links", fmt.Sprintf(`{"logo":[{"name":"medium","href":"%s/img/logos/groups/okta-medium.png","type":"image/png"}],`+
			`"users":{"href":"%s/users"},"apps":{"href":"%s/apps"}}`, org, self, self),
	)
}

// app returns the row as Okta lists an app: one with OAuth credentials as an
// OpenID Connect app, any other as a bookmark.
func (r *row) app(org string) json.RawMessage {
	self := org + "/api/v1/apps/" + r.id
	pairs := []string{
		"name", `"bookmark"`, "signOnMode", `"BOOKMARK"`,
		"settings", `{"app":{"requestIntegration":false,"url":"https://example.com/"}}`,
	}
	if lookUp(r.raw, "credentials.oauthClient") != nil {
		pairs = []string{
			"name", `"oidc_client"`, "signOnMode", `"OPENID_CONNECT"`,
			"settings", `{"oauthClient":{"application_type":"service","grant_types":["client_credentials"],"response_types":["token"]}}`,
		}
	}
	return r.complete(append(pairs,
		"label", quoteText(r.id), "status", `"ACTIVE"`,
		"created", quoteTime(r.created), "lastUpdated", quoteTime(r.updated),
		"accessibility", `{"selfService":false}`, "features", "[]",
		"visibility", `{"autoSubmitToolbar":false,"hide":{"iOS":true,"web":true},"appLinks":{}}`,
		"_links", fmt.Sprintf(`{"self":{"href":"%s"},"users":{"href":"%s/users"},"groups":{"href":"%s/groups"}}`, self, self, self),
	)...)
}

// appUser returns the row as Okta lists a user of an app.
func (r *row) appUser(org, app string) json.RawMessage {
	created, updated := quoteTime(r.created), quoteTime(r.updated)
	return r.complete(
		"created", created, "lastUpdated", updated, "scope", `"USER"`, "status", `"ACTIVE"`, "statusChanged", updated,
		"passwordChanged", "null", "syncState", `"DISABLED"`, "profile", "{}",
		"_links", fmt.Sprintf(`{"app":{"href":"%s/api/v1/apps/%s"},"user":{"href":"%s/api/v1/users/%s"}}`, org, app, org, r.id),
	)
}

func quoteTime(ms int64) string { return `"` + oktaTime(time.UnixMilli(ms)) + `"` }

func quoteText(s string) string { return string(encodeText(s)) }
