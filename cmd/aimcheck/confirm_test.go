package main

import (
	"bytes"
	"strings"
	"testing"
)

// Nothing but yes is a yes; an answer that ends with the input counts too.
func TestConfirm(t *testing.T) {
	for answer, want := range map[string]bool{"yes\n": true, " yes \r\n": true, "yes": true, "y\n": false, "YES\n": false, "": false, "no\n": false, "yes and no\n": false} {
		var shown bytes.Buffer
		e := &env{stdin: strings.NewReader(answer), stderr: &shown}
		if got := e.confirm(t.Context()); got != want {
			t.Errorf("%q is taken as %v", answer, got)
		}
		if !strings.Contains(shown.String(), "Type yes to go on") {
			t.Errorf("it asks %q", shown.String())
		}
	}
}
