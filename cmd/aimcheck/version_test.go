package main

import (
	"os"
	"regexp"
	"testing"
)

// What the Makefile has the linker set is there: a name that is not is passed over
// without a word.
func TestMakefileStampsTheVersion(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("version.go")
	if err != nil {
		t.Fatal(err)
	}
	stamped := regexp.MustCompile(`-X main\.(\w+)=`).FindSubmatch(makefile)
	if stamped == nil || !regexp.MustCompile(`(?m)^var `+string(stamped[1])+` string$`).Match(source) {
		t.Errorf("the Makefile sets %q, which is no variable of version.go", stamped)
	}
}
