package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// An object is a JSON object that keeps the order of its members and the bytes
// of their values, so that what nobody changed is served as it was.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// parseObject returns nil when raw is not an object.
func parseObject(raw json.RawMessage) object {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	o := object{}
	for name, value := range eachMember(raw) {
		o = append(o, member{name, bytes.Clone(value)})
	}
	return o
}

// get returns the value of a member, nil when there is none. Names are found in
// any letter case (RFC 7643, section 2.1); of a name that is there twice the
// last one counts.
func (o object) get(name string) json.RawMessage {
	for _, m := range slices.Backward(o) {
		if strings.EqualFold(m.name, name) {
			return m.value
		}
	}
	return nil
}

// set returns o with one member of that name, in its old place if it had one.
func (o object) set(name string, value json.RawMessage) object {
	i := slices.IndexFunc(o, func(m member) bool { return strings.EqualFold(m.name, name) })
	if i < 0 {
		return append(slices.Clone(o), member{name, value})
	}
	kept := slices.Concat(o[:i+1], o[i+1:].remove(name))
	kept[i].value = value
	return kept
}

// remove returns o without the members of that name.
func (o object) remove(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return strings.EqualFold(m.name, name) })
}

// encode returns o as JSON.
func (o object) encode() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encodeText(m.name))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// encodeText returns s as a JSON string, without escapes for HTML.
func encodeText(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimRight(b.Bytes(), "\n")
}

// elements returns the elements of an array; any other value that is not
// absent or null is a list of itself.
func elements(raw json.RawMessage) []json.RawMessage {
	if isNull(raw) {
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return []json.RawMessage{raw}
	}
	return list
}

// encodeArray returns the elements as one array.
func encodeArray(list []json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	appendArray(&b, list)
	return b.Bytes()
}

// text returns a string's value, or a number or truth value as it is written;
// "" for all else.
func text(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		_ = json.Unmarshal(raw, &s) // what can't be decoded is blank
		return s
	case c == '-', c >= '0' && c <= '9', c == 't', c == 'f':
		return string(raw)
	}
	return ""
}

// isNull reports whether a value is absent or null.
func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}
