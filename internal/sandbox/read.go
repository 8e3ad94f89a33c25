package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadTenant reads a tenant file: one JSON object with "okta" and "databricks".
// It is strict about everything but the inside of the directories' objects:
// keys that it does not know, ids that are missing or there twice, and members
// that name nobody are errors, each with the name of the file, the object, and
// what was expected.
func ReadTenant(r io.Reader, name string) (*Tenant, error) {
	t := &Tenant{}
	read := &reader{d: jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	err := read.object("", map[string]func(string) error{
		"okta": func(at string) error {
			return read.object(at, map[string]func(string) error{
				"users":         read.objects(&t.Okta.Users),
				"groups":        read.objects(&t.Okta.Groups),
				"apps":          read.objects(&t.Okta.Apps),
				"group_members": read.idLists(&t.Okta.GroupMembers),
				"app_users":     read.objectLists(&t.Okta.AppUsers),
			})
		},
		"databricks": func(at string) error {
			return read.object(at, map[string]func(string) error{
				"users":              read.objects(&t.Databricks.Users),
				"groups":             read.objects(&t.Databricks.Groups),
				"service_principals": read.objects(&t.Databricks.ServicePrincipals),
				"workspaces":         read.objects(&t.Databricks.Workspaces),
				"workspace_groups":   read.objectLists(&t.Databricks.WorkspaceGroups),
				"assignments":        read.objectLists(&t.Databricks.Assignments),
			})
		},
	})
	if err == nil {
		err = read.end()
	}
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// check finds ids that are missing, there twice, or named but not there.
func (t *Tenant) check() error {
	if err := (&okta{t: t.Okta}).load(); err != nil {
		return err
	}
	var workspaces map[string]int
	for _, list := range []struct {
		at, key string
		objects []json.RawMessage
	}{
		{"databricks.users", "id", t.Databricks.Users},
		{"databricks.groups", "id", t.Databricks.Groups},
		{"databricks.service_principals", "id", t.Databricks.ServicePrincipals},
		{"databricks.workspaces", "workspace_id", t.Databricks.Workspaces},
	} {
		ids, err := uniqueIDs(list.at, list.key, list.objects)
		if err != nil {
			return err
		}
		workspaces = ids // the last of them
	}
	for workspace, groups := range t.Databricks.WorkspaceGroups {
		if _, ok := workspaces[workspace]; !ok {
			return fmt.Errorf("databricks.workspace_groups: expected the id of a workspace in databricks.workspaces, found %q", workspace)
		}
		if _, err := uniqueIDs(fmt.Sprintf("databricks.workspace_groups[%q]", workspace), "id", groups); err != nil {
			return err
		}
	}
	for workspace := range t.Databricks.Assignments {
		if _, ok := workspaces[workspace]; !ok {
			return fmt.Errorf("databricks.assignments: expected the id of a workspace in databricks.workspaces, found %q", workspace)
		}
	}
	return nil
}

// uniqueIDs returns the index of each id in objects, a list found at at.
func uniqueIDs(at, key string, objects []json.RawMessage) (map[string]int, error) {
	seen := make(map[string]int, len(objects))
	for i, raw := range objects {
		id := text(memberOf(raw, key))
		if id == "" {
			return nil, noID(at, i, key, raw)
		}
		if first, ok := seen[id]; ok {
			return nil, twice(at, i, first, key, id)
		}
		seen[id] = i
	}
	return seen, nil
}

func noID(at string, i int, key string, raw json.RawMessage) error {
	return fmt.Errorf("%s[%d]: expected a JSON object with a text or number %q, found %s", at, i, key, shorten(raw))
}

func twice(at string, i, first int, key, id string) error {
	return fmt.Errorf("%s[%d] (%s %q): expected each %s once, but %s[%d] has it too", at, i, key, id, key, at, first)
}

// shorten returns the beginning of an object, for a message.
func shorten(raw []byte) string {
	const limit = 60
	if len(raw) > limit {
		return strconv.QuoteToGraphic(string(raw[:limit])) + "…"
	}
	return strconv.QuoteToGraphic(string(raw))
}

// A reader reads the outline of a tenant file and leaves objects as they are.
type reader struct{ d *jsontext.Decoder }

// object reads an object that may have the given keys, each at most once.
func (r *reader) object(at string, keys map[string]func(at string) error) error {
	return r.keys(at, func(key, at string) error {
		read, ok := keys[key]
		if !ok {
			return fmt.Errorf("%s: unknown key: expected one of %s", at, list(keys))
		}
		return read(at)
	})
}

// objects returns a function that reads an array of objects into to.
func (r *reader) objects(to *[]json.RawMessage) func(at string) error {
	return func(at string) error {
		*to = []json.RawMessage{}
		return r.array(at, func(at string) error {
			if err := r.expect('{', "an object", at); err != nil {
				return err
			}
			raw, err := r.d.ReadValue()
			*to = append(*to, bytes.Clone(raw))
			return r.broken(err, at)
		})
	}
}

// objectLists returns a function that reads an object of arrays of objects.
func (r *reader) objectLists(to *map[string][]json.RawMessage) func(at string) error {
	return func(at string) error {
		*to = map[string][]json.RawMessage{}
		return r.keys(at, func(key, at string) error {
			var l []json.RawMessage
			err := r.objects(&l)(at)
			(*to)[key] = l
			return err
		})
	}
}

// idLists returns a function that reads an object of arrays of texts.
func (r *reader) idLists(to *map[string][]string) func(at string) error {
	return func(at string) error {
		*to = map[string][]string{}
		return r.keys(at, func(key, at string) error {
			l := []string{}
			err := r.array(at, func(at string) error {
				if err := r.expect('"', "an id in quotes", at); err != nil {
					return err
				}
				t, err := r.d.ReadToken()
				if err != nil {
					return r.broken(err, at)
				}
				l = append(l, t.String())
				return nil
			})
			(*to)[key] = l
			return err
		})
	}
}

// keys reads an object, and calls read for the value of each key.
func (r *reader) keys(at string, read func(key, at string) error) error {
	if err := r.expect('{', "an object", at); err != nil {
		return err
	}
	if _, err := r.d.ReadToken(); err != nil {
		return r.broken(err, at)
	}
	seen := map[string]bool{}
	for r.d.PeekKind() == '"' {
		t, err := r.d.ReadToken()
		if err != nil {
			return r.broken(err, at)
		}
		key := t.String()
		below := key
		if at != "" {
			below = at + "." + key
		}
		if seen[key] {
			return fmt.Errorf("%s: expected this key once, found it twice", below)
		}
		seen[key] = true
		if err := read(key, below); err != nil {
			return err
		}
	}
	_, err := r.d.ReadToken()
	return r.broken(err, at)
}

// array reads an array, and calls read for each element.
func (r *reader) array(at string, read func(at string) error) error {
	if err := r.expect('[', "an array", at); err != nil {
		return err
	}
	if _, err := r.d.ReadToken(); err != nil {
		return r.broken(err, at)
	}
	for i := 0; r.d.PeekKind() != ']'; i++ {
		if err := read(fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	_, err := r.d.ReadToken()
	return r.broken(err, at)
}

// expect looks at what comes next, without reading it.
func (r *reader) expect(kind jsontext.Kind, what, at string) error {
	found := r.d.PeekKind()
	if found == kind {
		return nil
	}
	if found == 0 { // an error, which reading shows
		_, err := r.d.ReadToken()
		return r.broken(err, at)
	}
	raw, err := r.d.ReadValue()
	if err != nil {
		return r.broken(err, at)
	}
	if at == "" {
		at = "the file"
	}
	return fmt.Errorf("%s: expected %s, found %s", at, what, shorten(raw))
}

// end expects nothing more in the file.
func (r *reader) end() error {
	if _, err := r.d.ReadToken(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("byte %d: expected the end of the file after one tenant", r.d.InputOffset())
	}
	return nil
}

// broken says where a file stops being JSON.
func (r *reader) broken(err error, at string) error {
	if err == nil {
		return nil
	}
	if at == "" {
		at = "the file"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: expected JSON that goes on, found the end of the file", at)
	}
	return fmt.Errorf("%s: expected valid JSON: %w", at, err)
}

// list names the keys of m, sorted, for a message.
func list[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
