package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// A patcher applies operations to one resource.
type patcher struct {
	kind   scimKind
	raw    json.RawMessage // before
	object object
	writes []Write // what was changed, without the target; blank: nothing
}

func newPatcher(k scimKind, raw json.RawMessage) *patcher {
	return &patcher{kind: k, raw: raw, object: parseObject(raw)}
}

// result returns what became of the resource.
func (p *patcher) result() json.RawMessage {
	if len(p.writes) == 0 {
		return p.raw
	}
	return p.object.encode()
}

// request applies the body of a PATCH (RFC 7644, section 3.5.2): all of its
// operations, or none. Where Databricks differs from the RFC:
//
//   - userName and emails stay as they are, and nobody is told;
//   - externalId may be held by any number of resources, and is cleared on
//     groups alone: elsewhere that is refused;
//   - the members of a group that has an externalId can't be edited.
func (p *patcher) request(body []byte) *scimError {
	var request struct {
		Schemas    []string
		Operations []struct {
			Op    string
			Path  string
			Value json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return &scimError{http.StatusBadRequest, "invalidSyntax", "Request is unparsable, syntactically incorrect, or violates schema."}
	}
	if !slices.Contains(request.Schemas, scimPatchSchema) {
		return invalidValue("schemas must name " + scimPatchSchema)
	}
	if len(request.Operations) == 0 {
		return invalidValue("Operations must have at least one operation")
	}
	for _, o := range request.Operations {
		if fault := p.operation(strings.ToLower(o.Op), o.Path, o.Value); fault != nil {
			return fault
		}
	}
	return nil
}

// operation applies one operation. Without a path, its value holds several.
func (p *patcher) operation(op, path string, value json.RawMessage) *scimError {
	switch op {
	case "add", "replace":
		if path == "" {
			return p.assignAll(op, value)
		}
	case "remove":
		if path == "" {
			return &scimError{http.StatusBadRequest, "noTarget", "remove needs a path"}
		}
		value = nil
	default:
		return invalidValue("op must be add, remove or replace")
	}
	target, fault := p.kind.target(path)
	if fault != nil {
		return fault
	}
	return p.assign(op, target, value)
}

// assignAll applies an operation to each attribute that value names, but not to
// those that only say which resource it is.
func (p *patcher) assignAll(op string, value json.RawMessage) *scimError {
	values := parseObject(value)
	if values == nil {
		return invalidValue("the value of an operation without a path must be an object")
	}
	for _, m := range values {
		if containsFold([]string{"id", "schemas", "meta"}, m.name) {
			continue
		}
		target, fault := p.kind.target(m.name)
		if fault == nil {
			fault = p.assign(op, target, m.value)
		}
		if fault != nil {
			return fault
		}
	}
	return nil
}

// assign gives the target a value; null takes it away.
func (p *patcher) assign(op string, t target, value json.RawMessage) *scimError {
	external := strings.TrimSpace(text(p.object.get("externalId"))) != ""
	switch {
	case t.rule == ignored:
		return nil
	case t.rule == readOnly:
		return mutability(t.name + " is read-only")
	case t.name == "members" && external:
		return mutability("Group is managed by the identity provider: its members cannot be changed")
	case t.rule == required && isNull(value):
		return mutability(t.name + " is required")
	case t.name == "externalId" && strings.TrimSpace(text(value)) == "" && (isNull(value) || value[0] == '"'):
		if !p.kind.clearable {
			return invalidValue("externalId cannot be cleared on a " + p.kind.resource)
		}
		value = nil
	}
	old := p.object.get(t.name)
	changed, fault := t.value(op, old, value)
	if fault != nil {
		return fault
	}
	if changed == nil {
		p.object = p.object.remove(t.name)
	} else {
		p.object = p.object.set(t.name, changed)
	}
	p.writes = append(p.writes, Write{Field: t.path(), From: t.plain(old), To: t.plain(changed)})
	return nil
}

func mutability(detail string) *scimError {
	return &scimError{http.StatusBadRequest, "mutability", detail}
}

// A target is what a path leads to: an attribute, or some of its elements, or
// a sub-attribute of either.
type target struct {
	attribute
	where *filter // nil means the whole attribute
	sub   string
}

// path names the target as a plan does, such as "name.givenName".
func (t target) path() string {
	if t.sub == "" {
		return t.name
	}
	return t.name + "." + t.sub
}

// plain returns the target's part of the attribute's value as text, or as JSON
// where it is no single value.
func (t target) plain(value json.RawMessage) string {
	if t.form == complexForm && t.sub != "" {
		value = parseObject(value).get(t.sub)
	}
	if v := bytes.TrimSpace(value); len(v) > 0 && (v[0] == '{' || v[0] == '[') {
		return string(v)
	}
	return text(value)
}

// target parses a path (RFC 7644, section 3.5.2): attr, attr.sub, attr[filter]
// or attr[filter].sub, the attribute with its schema before it or not.
func (k scimKind) target(path string) (t target, fault *scimError) {
	invalid := &scimError{http.StatusBadRequest, "invalidPath", "The path " + path + " is not supported"}
	name, rest, filtered := strings.Cut(path, "[")
	if filtered {
		end := strings.LastIndexByte(rest, ']')
		if end < 0 {
			return t, invalid
		}
		var err error
		if t.where, _, err = parseFilter(rest[:end]); err != nil {
			return t, invalid
		}
		if rest = rest[end+1:]; rest != "" {
			if t.sub = strings.TrimPrefix(rest, "."); t.sub == rest || t.sub == "" {
				return t, invalid
			}
		}
	}
	if strings.HasPrefix(strings.ToLower(name), "urn:") {
		// The version has a dot, so this goes before the sub-attribute's.
		name = name[strings.LastIndexByte(name, ':')+1:]
	}
	if !filtered {
		name, t.sub, _ = strings.Cut(name, ".")
	}
	a, ok := k.attribute(name)
	t.attribute = a
	switch {
	case !ok,
		filtered && a.form != listForm,
		t.sub != "" && a.form != complexForm && !filtered:
		return t, invalid
	}
	return t, nil
}

// value returns what the attribute's value becomes, nil when nothing is left.
func (t target) value(op string, old, value json.RawMessage) (json.RawMessage, *scimError) {
	switch t.form {
	case truthForm:
		if v := string(bytes.TrimSpace(value)); !isNull(value) && v != "true" && v != "false" {
			return nil, invalidValue(t.name + " must be true or false")
		}
	case complexForm:
		return t.complex(old, value)
	case listForm:
		if t.where != nil {
			return t.some(old, value)
		}
		return t.list(op, old, value)
	default:
		if !isNull(value) && value[0] != '"' {
			return nil, invalidValue(t.name + " must be a string")
		}
	}
	if isNull(value) {
		return nil, nil
	}
	return value, nil
}

// complex changes the sub-attributes that value names, or the one that the
// path names; what is not named stays.
func (t target) complex(old, value json.RawMessage) (json.RawMessage, *scimError) {
	if t.sub == "" && isNull(value) {
		return nil, nil
	}
	given := object{{t.sub, value}}
	if t.sub == "" {
		if given = parseObject(value); given == nil {
			return nil, invalidValue(t.name + " must be an object")
		}
	}
	o := parseObject(old)
	for _, m := range given {
		switch {
		case isNull(m.value):
			o = o.remove(m.name)
		case m.value[0] == '"':
			o = o.set(m.name, m.value)
		default:
			return nil, invalidValue(t.name + "." + m.name + " must be a string")
		}
	}
	if len(o) == 0 {
		return nil, nil
	}
	return o.encode(), nil
}

// list replaces an array, or adds those of its elements that it lacks.
func (t target) list(op string, old, value json.RawMessage) (json.RawMessage, *scimError) {
	given := elements(value)
	if slices.ContainsFunc(given, func(e json.RawMessage) bool { return parseObject(e) == nil }) {
		return nil, invalidValue(t.name + " must be a list of objects")
	}
	list := given
	if op == "add" {
		list = elements(old)
		for _, e := range given {
			same := func(have json.RawMessage) bool {
				return text(parseObject(have).get("value")) == text(parseObject(e).get("value"))
			}
			if !slices.ContainsFunc(list, same) {
				list = append(list, e)
			}
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return encodeArray(list), nil
}

// some changes the elements that the path's filter selects.
func (t target) some(old, value json.RawMessage) (json.RawMessage, *scimError) {
	if t.sub == "" && !isNull(value) && parseObject(value) == nil {
		return nil, invalidValue("an element of " + t.name + " must be an object")
	}
	var list []json.RawMessage
	found := false
	for _, e := range elements(old) {
		o := parseObject(e)
		switch {
		case !t.where.match(o):
			list = append(list, e)
			continue
		case t.sub == "" && !isNull(value):
			list = append(list, value)
		case t.sub != "" && isNull(value):
			list = append(list, o.remove(t.sub).encode())
		case t.sub != "":
			list = append(list, o.set(t.sub, value).encode())
		}
		found = true
	}
	if !found && !isNull(value) {
		return nil, &scimError{http.StatusBadRequest, "noTarget", "no element of " + t.name + " matches the path's filter"}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return encodeArray(list), nil
}
