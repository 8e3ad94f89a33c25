package rawjson

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		`"ana"`: "ana", `null`: "", `""`: "",
		"\"a\xe9b\"":                         "a\xe9b",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\xff\"": "\"\\/\b\f\n\r\t\xff",
		`"\u00e9\ud83d\ude00"`:               "é😀",
		`"\ud800"`:                           "\xed\xa0\x80",
		`"\udc00\ud800x"`:                    "\xed\xb0\x80\xed\xa0\x80x",
		`"\ud800\ud83d\ude00"`:               "\xed\xa0\x80😀",
	} {
		var got Text
		if err := json.Unmarshal([]byte(in), &got, Strict()); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", in, got, err, want)
		}
	}
	var got Text
	if err := json.Unmarshal([]byte(`5`), &got, Strict()); err == nil {
		t.Error("a number was taken for a text")
	}
	var twice struct{ A Text }
	if err := json.Unmarshal([]byte(`{"A":"1","A":"2"}`), &twice, Strict()); err == nil {
		t.Error("a name that stands twice was taken")
	}
}

// Of valid UTF-8 the package says what the JSON library says.
func FuzzUnquote(f *testing.F) {
	f.Add(`"a\u00e9\ud83d\ude00\n"`)
	f.Add(`"\ud800"`)
	f.Add("\"\xff\"")
	f.Fuzz(func(t *testing.T, in string) {
		v := jsontext.Value(in)
		if !v.IsValid(Strict()) || v.Kind() != '"' {
			return
		}
		v.Compact(Strict())
		got := Unquote(v)
		want, err := jsontext.AppendUnquote(nil, v)
		if err == nil && got != string(want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if err != nil && utf8.ValidString(got) {
			t.Errorf("%q is not UTF-8, but %q is", in, got)
		}
	})
}
