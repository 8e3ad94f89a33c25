package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemas = "../../docs/schema"

// readSchema compiles one of the schemas of the files that others read.
func readSchema(name string) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob(filepath.Join(schemas, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		if err := c.AddResource("https://github.com/aimcheck/aimcheck/docs/schema/"+filepath.Base(file), doc); err != nil {
			return nil, err
		}
	}
	return c.Compile("https://github.com/aimcheck/aimcheck/docs/schema/" + name + ".json")
}

func valid(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: valid NAME FILE")
	}
	schema, err := readSchema(args[0])
	ts.Check(err)
	f, err := os.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	var text io.Reader = bufio.NewReader(f)
	if magic, _ := text.(*bufio.Reader).Peek(4); bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		z, err := zstd.NewReader(text)
		ts.Check(err)
		defer z.Close()
		text = z
	}
	values := 0
	for d := json.NewDecoder(text); ; values++ {
		d.UseNumber()
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			ts.Fatalf("%s, value %d: %v", args[1], values+1, err)
		}
		if err := schema.Validate(v); err != nil {
			ts.Fatalf("%s, value %d: %v", args[1], values+1, err)
		}
	}
	if values == 0 {
		ts.Fatalf("%s holds no JSON", args[1])
	}
}

// A schema that accepted anything would prove nothing.
func TestSchemasRefuse(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(schemas, "*.v1.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas in %s: %v", schemas, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		schema, err := readSchema(name[:len(name)-len(".json")])
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{map[string]any{}, map[string]any{"schema": "aimcheck.other/v1"}, []any{}, "text"} {
			if schema.Validate(v) == nil {
				t.Errorf("%s accepts %v", name, v)
			}
		}
	}
}
