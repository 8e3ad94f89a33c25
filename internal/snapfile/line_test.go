package snapfile

import (
	"strings"
	"testing"

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
		for _, k := range kinds() {
			if !strings.HasPrefix(text, k.begin) {
				continue
			}
			var b audit.Builder
			var d decoder
			records := k.packed(&b)
			packed, rest, ok := d.record([]byte(text)[len(k.begin)-1:], k.fields, records.Begin())
			if !ok {
				return
			}
			if err := records.End(packed); err != nil {
				t.Fatal(err)
			}
			s, err := b.Snapshot()
			if err != nil {
				return // no id
			}
			var e encoder
			k.write(s, &e, func() bool { return true })
			if got, want := string(e.b), text[:len(text)-len(rest)]; got != want {
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
		for _, k := range kinds() {
			if k.tag != tag {
				continue
			}
			if !strings.HasPrefix(line, k.begin) {
				t.Fatal("no kind")
			}
			if _, _, got := new(decoder).record([]byte(line + "\n")[len(k.begin)-1:], k.fields, nil); got != want {
				t.Errorf("%s: accepted is %t", line, got)
			}
		}
	}
}

// Texts are looked at eight bytes at a time: what ends one, or is no ASCII, can stand
// anywhere among them, and near the end of the block.
func TestTextsOfEveryLength(t *testing.T) {
	for n := range 27 {
		for _, odd := range []string{"", `"`, `\`, "\n", "\x1f", " ", "!", "\x7f", "[", "]", "é", "\u2028", "\x80", "\xff", "\xa2\xdc"} {
			for after := range 11 {
				text := strings.Repeat("a", n) + odd + strings.Repeat("z", after)
				if text == "" {
					continue
				}
				written := string(appendText(nil, text))
				for _, behind := range []string{"", `,"x":"y"}}` + "\n"} {
					got, rest, ok := new(decoder).text([]byte(written + behind))
					if !ok || string(got) != text || string(rest) != behind {
						t.Fatalf("%q came back as %q before %q, %t", text, got, rest, ok)
					}
				}
				for cut := range written {
					if got, _, ok := new(decoder).text([]byte(written[:cut])); ok {
						t.Fatalf("%q is a text: %q", written[:cut], got)
					}
				}
				plain := `"` + text + `"`
				if _, _, ok := new(decoder).text([]byte(plain + "}}\n")); ok && written != plain && odd != `"` {
					t.Fatalf("%q is a text, and would be written %q", plain, written)
				}
			}
		}
	}
}
