package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// A projection says which attributes of a resource are served (RFC 7644,
// section 3.9). The zero projection serves every object byte for byte.
type projection struct {
	only    []string // paths; empty means everything
	without []string
}

// projectionOf reads the parameters attributes and excludedAttributes.
func projectionOf(r *http.Request) projection {
	query := r.URL.Query()
	return projection{paths(query.Get("attributes")), paths(query.Get("excludedAttributes"))}
}

func paths(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// apply returns what is served of raw. id and schemas are always there.
func (p projection) apply(raw json.RawMessage) json.RawMessage {
	if len(p.only) == 0 && len(p.without) == 0 {
		return raw
	}
	o := parseObject(raw)
	if o == nil {
		return raw
	}
	served := o[:0:0]
	changed := false
	for _, m := range o {
		value, ok := p.value(m)
		changed = changed || !ok || !bytes.Equal(value, m.value)
		if ok {
			served = append(served, member{m.name, value})
		}
	}
	if !changed {
		return raw
	}
	return served.encode()
}

// value returns what is served of one member, and whether anything is.
func (p projection) value(m member) (json.RawMessage, bool) {
	if strings.EqualFold(m.name, "id") || strings.EqualFold(m.name, "schemas") {
		return m.value, true
	}
	if containsFold(p.without, m.name) {
		return nil, false
	}
	if len(p.only) == 0 || containsFold(p.only, m.name) {
		return m.value, true
	}
	var subs []string
	for _, path := range p.only {
		if name, sub, ok := strings.Cut(path, "."); ok && strings.EqualFold(name, m.name) {
			subs = append(subs, sub)
		}
	}
	if len(subs) == 0 {
		return nil, false
	}
	return narrow(m.value, subs), true
}

// narrow keeps the named sub-attributes of a complex value, or of each element
// of an array of them.
func narrow(raw json.RawMessage, subs []string) json.RawMessage {
	if o := parseObject(raw); o != nil {
		return slices.DeleteFunc(o, func(m member) bool { return !containsFold(subs, m.name) }).encode()
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return raw
	}
	for i, e := range list {
		if parseObject(e) != nil {
			list[i] = narrow(e, subs)
		}
	}
	return encodeArray(list)
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
