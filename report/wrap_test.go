package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for text, want := range map[string][]string{
		"":                          {""},
		"one two":                   {"one two"},
		"say --include=names twice": {"say", "--include=names", "twice"},
		"a  b\tc":                   {"a b c"},
	} {
		if diff := cmp.Diff(want, Wrap(text, 8)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
