package snapfile

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// There is one way to write a record: a line that is accepted is the line that
// the record is written as.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		`{"okta_user":{"id":"00u1","status":"ACTIVE","login":"a\"\\\n\r\t\u0000\u001f","last_name":"Żoë"}}`,
		`{"okta_user":{"id":"\u000a"}}`, `{"okta_user":{"id":"\u0020"}}`, `{"okta_user":{"id":"\u001F"}}`, `{"okta_user":{"id":"\/"}}`,
		`{"okta_user":{"id":""}}`, `{"okta_user":{ "id":"1"}}`, `{"okta_user":{"status":"1","id":"1"}}`, `{"okta_user":{}}`,
		`{"okta_user":{"id":{"base64":"/w=="}}}`, `{"okta_user":{"id":{"base64":"/x=="}}}`, `{"okta_user":{"id":{"base64":"YQ=="}}}`,
		`{"okta_user":{"id":{"base64":"/w\n=="}}}`, `{"okta_user":{"id":{"base64":""}}}`, `{"okta_user":{"id":,"login":"x"}}`,
		`{"okta_members":{"members":[{"value":"1","type":"2","primary":true},{},{"type":"3"}]}}`,
		`{"okta_members":{"members":[]}}`, `{"okta_members":{"members":[{"primary":false}]}}`, `{"okta_members":{"members":[{}`,
		`{"databricks_user":{"id":"1","active":true,"emails":[{}],"created":"x"}}`, `{"databricks_user":{"id":"1"}}`,
		`{"okta_undecoded":{"input":"okta_apps","error":"e","raw":"{\"id\":1}"}}`, `{"okta_undecoded":{"input":"nothing"}}`,
	} {
		f.Add(line + "\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		d := decoder{s: text}
		for _, k := range kinds() {
			if !d.begin(k.tag) {
				continue
			}
			record := k.read(&d)
			if !d.end() {
				return
			}
			var b audit.Builder
			if err := b.Add(record); err != nil {
				t.Fatal(err)
			}
			s, err := b.Snapshot()
			if err != nil {
				return // no id
			}
			var e encoder
			k.write(s, &e, func() bool { return true })
			if got, want := string(e.b), text[:d.i]; got != want {
				t.Errorf("%q is accepted and would be written %q", want, got)
			}
		}
	})
}

func TestLinesRefused(t *testing.T) {
	for line, want := range map[string]bool{
		`{"okta_user":{"id":"1"}}`:                         true,
		`{"okta_user":{"id":"1","login":"\u001f\n\\"}}`:    true,
		`{"okta_user":{"id":{"base64":"/w=="}}}`:           true,
		`{"databricks_user":{"id":"1","active":false}}`:    true,
		`{"okta_user":{"id":"\u000a"}}`:                    false,
		`{"okta_user":{"id":"\u0020"}}`:                    false,
		`{"okta_user":{"id":"\u001F"}}`:                    false,
		`{"okta_user":{"id":"\/"}}`:                        false,
		`{"okta_user":{"id":""}}`:                          false,
		`{"okta_user":{"id":"` + "\t" + `"}}`:              false,
		`{"okta_user":{"status":"ACTIVE","id":"1"}}`:       false,
		`{"okta_user":{"id":"1","id":"1"}}`:                false,
		`{"okta_user":{"id":,"login":"x"}}`:                false,
		`{"okta_user":{"id":{"base64":"YQ=="}}}`:           false,
		`{"okta_user":{"id":{"base64":"/x=="}}}`:           false,
		`{"okta_user":{"id":{"base64":"/w\n=="}}}`:         false,
		`{"databricks_user":{"id":"1"}}`:                   false,
		`{"okta_members":{"members":[]}}`:                  false,
		`{"okta_members":{"members":[{"primary":false}]}}`: false,
		`{"okta_undecoded":{"input":"nothing"}}`:           false,
		`{"okta_undecoded":{"error":"x"}}`:                 false,
	} {
		tag := strings.Split(line, `"`)[1]
		d := decoder{s: line + "\n"}
		for _, k := range kinds() {
			if k.tag != tag {
				continue
			}
			if !d.begin(tag) {
				t.Fatal("no kind")
			}
			k.read(&d)
			if got := d.end(); got != want {
				t.Errorf("%s: accepted is %t", line, got)
			}
		}
	}
}
