package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Objects are looked into without being decoded: what is odd about them
// (a key twice, bad UTF-8, a number for a text) must survive.

// eachMember yields the members of the JSON object raw as they stand in it. It
// yields nothing for anything else.
func eachMember(raw []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		d := newDecoder(raw)
		if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
			return
		}
		for d.PeekKind() == '"' {
			t, err := d.ReadToken()
			if err != nil {
				return
			}
			name := t.String()
			value, err := d.ReadValue()
			if err != nil || !yield(name, json.RawMessage(value)) {
				return
			}
		}
	}
}

// memberOf returns the last member of that name, as most parsers do, or nil.
func memberOf(raw []byte, name string) json.RawMessage {
	var found json.RawMessage
	for n, v := range eachMember(raw) {
		if n == name {
			found = append(found[:0], v...)
		}
	}
	return found
}

// lookUp returns the value at the path, such as "profile.login", or nil.
func lookUp(raw []byte, path string) json.RawMessage {
	for name := range strings.SplitSeq(path, ".") {
		if raw = memberOf(raw, name); raw == nil {
			return nil
		}
	}
	return raw
}

// with returns the object raw with the member name appended to it.
func with(raw []byte, name string, value string) []byte {
	end := bytes.LastIndexByte(raw, '}')
	out := make([]byte, 0, len(raw)+len(name)+len(value)+4)
	out = append(out, bytes.TrimRight(raw[:end], " \t\r\n")...)
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return fmt.Appendf(out, "%q:%s}", name, value)
}

// without returns the object raw less its members of that name.
func without(raw []byte, name string) []byte {
	out := []byte("{}")
	for n, v := range eachMember(raw) {
		if n != name {
			out = with(out, n, string(v))
		}
	}
	return out
}

func newDecoder(raw []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
