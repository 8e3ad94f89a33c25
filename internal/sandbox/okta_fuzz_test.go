package sandbox

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever an expression is, it is refused or holds for a row or not.
func FuzzOktaQuery(f *testing.F) {
	for _, seed := range []string{
		`status eq "ACTIVE"`, `(id pr or profile.login sw "a") and created lt "2020-01-01T00:00:00.000Z"`,
		`profile.n eq 7`, `((`, `id eq "\"" and`, `lastUpdated ge "x"`, `profile.login co "é"`,
	} {
		f.Add(seed)
	}
	r := newRow(json.RawMessage(`{"id":"00u1","status":"ACTIVE","profile":{"login":"é@example.com","n":7}}`))
	f.Fuzz(func(t *testing.T, expression string) {
		for _, kind := range []queryKind{usersSearch, usersFilter, groupsSearch, groupsFilter, appsFilter} {
			q, err := kind.parse(expression)
			if err != nil {
				continue
			}
			held := q.match(&r)
			// Every expression that parses does so in parentheses too.
			again, err := kind.parse("(" + expression + ")")
			if err != nil || again.match(&r) != held {
				t.Errorf("%q holds: %v; in parentheses: %v, %v", expression, held, again, err)
			}
		}
	})
}

func FuzzJWT(f *testing.F) {
	f.Add("e30.e30.", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`)
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiYSJdLCJleHAiOjF9.AA", `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`)
	f.Add("a.b.c", `{"kty":"RSA","n":"","e":""}`)
	f.Fuzz(func(t *testing.T, compact, jwk string) {
		key, _, err := parseJWK([]byte(jwk))
		if err != nil {
			return
		}
		if token, err := parseJWT(compact); err == nil && token.verify(key) == nil {
			t.Errorf("%q verifies by %s", compact, jwk)
		}
	})
}

func FuzzParseFields(f *testing.F) {
	for _, seed := range []string{"id", "id,status,profile:(login,email)", "a:(b:(c),d),e", "(", "a:(", ",", "a:b"} {
		f.Add(seed)
	}
	raw := json.RawMessage(`{"id":"1","profile":{"login":"a","email":{"x":1}}}`)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 10_000 {
			return // a URL is no longer
		}
		p, rest, err := parseFields(s)
		if err != nil || rest != "" {
			return
		}
		if !json.Valid(p.of(raw)) {
			t.Errorf("%q keeps %s", s, p.of(raw))
		}
	})
}

func TestParseFields(t *testing.T) {
	raw := json.RawMessage(`{"id":"1","profile":{"login":"a","email":"b","x":{"y":1,"z":2}},"status":"S"}`)
	for fields, want := range map[string]string{
		"id":                           `{"id":"1"}`,
		"status,id":                    `{"id":"1","status":"S"}`,
		"profile:(login)":              `{"profile":{"login":"a"}}`,
		"profile:(x:(z),login),status": `{"profile":{"login":"a","x":{"z":2}},"status":"S"}`,
		"none":                         `{}`,
	} {
		p, rest, err := parseFields(fields)
		if err != nil || rest != "" {
			t.Errorf("%s: %q %v", fields, rest, err)
		}
		if got := string(p.of(raw)); got != want {
			t.Errorf("%s keeps %s, want %s", fields, got, want)
		}
	}
	for _, wrong := range []string{"", ",", "id,", "a:(", "a:(b", "(a)", "a:(b))", "a:b"} {
		if _, rest, err := parseFields(wrong); err == nil && rest == "" {
			t.Errorf("%q is taken", wrong)
		}
	}
	if strings.Contains(string(fields{"a": nil}.of(json.RawMessage("null"))), "a") {
		t.Error("null has members")
	}
}
