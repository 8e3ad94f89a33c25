package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
)

// Objects are looked into without being decoded: what is odd about them
// (a key twice, bad UTF-8, a number for a text) must survive.

// eachMember yields the members of the JSON object raw as they stand in it. It
// yields nothing for anything else; raw is known to be valid JSON.
func eachMember(raw []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		i := skip(raw, 0, " \t\r\n")
		if i == len(raw) || raw[i] != '{' {
			return
		}
		for {
			i = skip(raw, i+1, " \t\r\n")
			if i == len(raw) || raw[i] != '"' {
				return
			}
			end := endOfValue(raw, i)
			name := raw[i:end]
			i = skip(raw, end, " \t\r\n:")
			end = endOfValue(raw, i)
			if !yield(content(name), raw[i:end:end]) {
				return
			}
			if i = skip(raw, end, " \t\r\n"); i == len(raw) || raw[i] != ',' {
				return
			}
		}
	}
}

// skip returns the index, from i on, of the first byte that is not in set.
func skip(raw []byte, i int, set string) int {
	for i < len(raw) && strings.IndexByte(set, raw[i]) >= 0 {
		i++
	}
	return i
}

// endOfValue returns the index after the JSON value that begins at i.
func endOfValue(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default: // within a number or a word, or between values
			if depth == 0 && (i+1 >= len(raw) || strings.IndexByte(",}] \t\r\n", raw[i+1]) >= 0) {
				return i + 1
			}
			continue
		}
		if depth == 0 {
			return min(i+1, len(raw))
		}
	}
	return len(raw)
}

// content returns what [text] does, and bad UTF-8 as it is.
func content(value []byte) string {
	if len(value) >= 2 && value[0] == '"' && bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	return text(value)
}

// memberOf returns the last member of that name, as most parsers do, or nil.
func memberOf(raw []byte, name string) json.RawMessage {
	var found json.RawMessage
	for n, v := range eachMember(raw) {
		if n == name {
			found = v
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
	return fmt.Appendf(out, "%s:%s}", encodeText(name), value)
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
