package okta

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/google/go-cmp/cmp"
)

func TestUndecodedAppsHoldNoSecrets(t *testing.T) {
	raw := `{"id":"0oa1","label":7, "credentials":{"oauthClient":{"client_id":"c","client_secret":"s3cret \"x"},"password":{"value":"p4ss"}},"name":"client_secret"}`
	o := appDecoder.object([]byte(raw), "")
	u, ok := o.record.(audit.Undecoded)
	if !ok {
		t.Fatalf("got %+v", o)
	}
	want := `{"id":"0oa1","label":7, "credentials":{"oauthClient":{"client_id":"c","client_secret":""},"password":{"value":""}},"name":"client_secret"}`
	if string(u.Raw) != want {
		t.Errorf("got  %s\nwant %s", u.Raw, want)
	}
	if u.Error != "app 0oa1: label: expected a string, found a number" || u.Input != audit.OktaApps {
		t.Errorf("error %q, input %v", u.Error, u.Input)
	}
}

// readAll reads a file of users.
func readAll(text string) (audit.Reading, []any, error) {
	var records []any
	r, err := ReadUsers(strings.NewReader(text), "users.json", func(p audit.Page) error {
		records = append(records, p.Records...)
		return nil
	})
	return r, records, err
}

func TestReadUsersFiles(t *testing.T) {
	one, two := string(user(1, "ACTIVE")), string(user(2, "DEPROVISIONED"))
	for _, tt := range []struct {
		name, text string
		n          int
		err        string
	}{
		{"list", "[" + one + ",\n" + two + "]\n", 2, ""},
		{"blank list", "[]", 0, ""},
		{"JSON Lines", one + "\n" + two + "\n", 2, ""},
		{"JSON Lines of Windows", one + "\r\n" + two, 2, ""},
		{"pages one after another", "[" + one + "][" + two + "]\n[]", 2, ""},
		{"one user", one, 1, ""},
		{"byte order mark", "\xef\xbb\xbf[" + one + "]", 1, ""},
		{"blank", " \n", 0, "users.json: the file is blank"},
		{"UTF-16", "\xff\xfe[\x00]\x00", 0, "users.json: this is UTF-16"},
		{"cut in an object", "[" + one + ",\n" + two[:40], 0, "users.json: line 2: the file ends in the middle"},
		{"cut between objects", "[" + one + ",", 0, "users.json: line 1: the file ends in the middle"},
		{"not JSON", "[" + one + ",\n\nid,login]", 0, "users.json: line 3: object 2 is not JSON"},
		{"CSV", "id,login\n1,a", 0, "users.json: line 1: object 1 is not JSON"},
		{"a text", `"users"`, 0, "users.json: line 1: expected a list of users or one, found a string"},
		{"one user twice", one + "\n" + two + "\n" + one, 0, "users.json: lines 1 and 3 both hold the user 00u000001"},
		{"SCIM", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[]}`, 0, "this is a SCIM answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, records, err := readAll(tt.text)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || r.Complete {
					t.Errorf("got the error %v, want one with %q; reading %+v", err, tt.err, r)
				}
				return
			}
			if err != nil || !r.Complete || r.Received != tt.n || len(records) != tt.n {
				t.Errorf("got %d records, %+v, %v; want %d", len(records), r, err, tt.n)
			}
		})
	}
}

func TestReadUsersKeepsTheBadOne(t *testing.T) {
	r, records, err := readAll("[" + string(user(1, "ACTIVE")) + ",\n\n{\"id\":\"00u2\",\n\"status\":5}, 17]")
	if err != nil || r.Complete || r.Received != 3 {
		t.Fatalf("got %+v, %v", r, err)
	}
	want := []any{
		audit.Undecoded{Input: audit.OktaUsers, Raw: []byte("{\"id\":\"00u2\",\n\"status\":5}"), Error: "users.json: line 3: user 00u2: status: expected a string, found a number"},
		audit.Undecoded{Input: audit.OktaUsers, Raw: []byte("17"), Error: "users.json: line 4: user without an id: the whole: expected an object, found a number"},
	}
	if diff := cmp.Diff(want, records[1:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(r.Reason, "2 of 3 objects could not be decoded, the first is users.json: line 3") {
		t.Errorf("reason %q", r.Reason)
	}
}

func TestReadGroupsAndAppsFiles(t *testing.T) {
	var records []any
	keep := func(p audit.Page) error { records = append(records, p.Records...); return nil }
	if r, err := ReadGroups(strings.NewReader(`[{"id":"00g1","type":"OKTA_GROUP","profile":{"name":"Ops","description":null}}]`), "g.json", keep); err != nil || r.Input != audit.OktaGroups || !r.Complete {
		t.Errorf("groups: %+v, %v", r, err)
	}
	if r, err := ReadApps(strings.NewReader(`[{"id":"0oa1","label":"L","status":"ACTIVE"}]`), "a.json", keep); err != nil || r.Input != audit.OktaApps || !r.Complete {
		t.Errorf("apps: %+v, %v", r, err)
	}
	want := []any{audit.OktaGroup{ID: "00g1", Type: "OKTA_GROUP", Name: "Ops"}, audit.OktaApp{ID: "0oa1", Label: "L", Status: "ACTIVE"}}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadFileEmitsPages(t *testing.T) {
	var b bytes.Buffer
	for i := range 450 {
		b.Write(user(i, "ACTIVE"))
		b.WriteByte('\n')
	}
	var sizes []int
	if _, err := ReadUsers(&b, "f", func(p audit.Page) error { sizes = append(sizes, len(p.Records)); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{200, 200, 50}, sizes); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	full := errors.New("the disk is full")
	if _, err := ReadUsers(bytes.NewReader(user(1, "ACTIVE")), "f", func(audit.Page) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func FuzzObjects(f *testing.F) {
	f.Add([]byte("[" + string(user(1, "ACTIVE")) + "]"))
	f.Add([]byte(`[{"id":"1","id":"2","status":"A","profile":{"login":"x","Login":"y"}},null,[],{}]`))
	f.Add([]byte("[{\"id\":\"\xff\",\"password\":\"p\"}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		objects, err := userDecoder.objects(body)
		if err != nil {
			return
		}
		for _, o := range objects {
			switch r := o.record.(type) {
			case audit.OktaUser:
				if r.ID == "" || r.ID != o.id || r.Status == "" || r.Login == "" ||
					utf8.Valid(body) && !utf8.ValidString(r.ID+r.Login+r.Email+r.FirstName+r.LastName) {
					t.Errorf("%q gave %+v", body, r)
				}
			case audit.Undecoded:
				if len(r.Raw) == 0 || r.Error == "" {
					t.Errorf("%q gave %+v", body, r)
				}
			default:
				t.Errorf("%q gave a %T", body, r)
			}
		}
	})
}

func FuzzReadUsers(f *testing.F) {
	f.Add("[" + string(user(1, "ACTIVE")) + "]\n")
	f.Add("{\"id\":\"a\"}\n{\"id\":\"a\"}\n[{}")
	f.Fuzz(func(t *testing.T, text string) {
		r, records, err := readAll(text)
		if err == nil && r.Received != len(records) {
			t.Errorf("%q: received %d, gave %d", text, r.Received, len(records))
		}
		if err != nil && (r.Complete || !strings.HasPrefix(err.Error(), "users.json: ")) {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	})
}
