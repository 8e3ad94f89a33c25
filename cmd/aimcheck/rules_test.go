package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/aimcheck/aimcheck/audit/rules"
)

var update = flag.Bool("update", false, "make docs/rules.md again")

// docs/rules.md says what the rules say.
func TestCataloguePage(t *testing.T) {
	const page = "../../docs/rules.md"
	var b bytes.Buffer
	b.WriteString("<!-- Made of the rules themselves: go test ./cmd/aimcheck -run CataloguePage -update -->\n\n")
	for i, r := range rules.All() {
		if i > 0 {
			b.WriteString("\n")
		}
		if err := writeRule(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(page, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Error("docs/rules.md is not what the rules say: make it again with -update")
	}
}

// At a terminal no line of the list is wider than it; elsewhere none is cut.
func TestRulesFitTheTerminal(t *testing.T) {
	list := func(width int) []string {
		var out bytes.Buffer
		e := &env{args: []string{"rules"}, stdout: &out, stderr: &out, outWidth: width, getenv: func(string) string { return "" }}
		if code := run(t.Context(), e); code != 0 {
			t.Fatalf("exit status %d: %s", code, &out)
		}
		return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	}
	whole := list(0)
	for i, line := range list(60) {
		if ansi.StringWidth(line) > 60 {
			t.Errorf("%d columns: %s", ansi.StringWidth(line), line)
		}
		if !strings.HasPrefix(whole[i], strings.TrimSuffix(line, "…")) {
			t.Errorf("%q is no part of %q", line, whole[i])
		}
	}
	if len(whole) != len(rules.All()) || !strings.HasSuffix(whole[0], rules.All()[0].Title()) {
		t.Errorf("the list is %q", whole)
	}
}
