package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

type namedValue struct{ name, value string }

// membersByTheBook are the members as a JSON package finds them.
func membersByTheBook(raw []byte) []namedValue {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil
	}
	var list []namedValue
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return nil
		}
		name := t.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil
		}
		list = append(list, namedValue{name, string(value)})
	}
	return list
}

func FuzzEachMember(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { } `, `{"a":1}`, `{"a":1 , "b" : "x\"}" ,"a":[{"c":"]"},2],"d":{"e":{}} }`, `{"a":true,"b":null,"c":-1.5e3}`,
		`{"\u0061\"":"\\"}`, `[1]`, `"{"`, `7`, "{\"a\":\"\xff\"}", `{"":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !utf8.Valid(raw) { // bad UTF-8 stays as it is
			return
		}
		var got []namedValue
		for name, value := range eachMember(raw) {
			got = append(got, namedValue{name, string(value)})
		}
		if want := membersByTheBook(raw); !slices.Equal(got, want) {
			t.Errorf("%q: members %q, want %q", raw, got, want)
		}
	})
}

// What is not asked to change does not change by a byte.
func TestWithAndWithout(t *testing.T) {
	odd := []byte("{\"id\": 7, \"x\":\"\xff\", \"id\" :\"8\" }")
	if got := string(with(odd, "new", "true")); got != "{\"id\": 7, \"x\":\"\xff\", \"id\" :\"8\",\"new\":true}" {
		t.Errorf("with: %q", got)
	}
	if got := string(without(odd, "id")); got != "{\"x\":\"\xff\"}" {
		t.Errorf("without: %q", got)
	}
	if got := string(with([]byte("{}"), "a", "1")); got != `{"a":1}` {
		t.Errorf("with: %q", got)
	}
}
