package main

import (
	"bytes"
	"flag"
	"os"
	"testing"

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
