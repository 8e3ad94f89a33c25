package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aimcheck/aimcheck/audit"
)

// What a page of a list holds at most. On 2.1 it is what the field sees, on 2.0
// what the SDK says.
const (
	scim21PageCap = 100
	scim20PageCap = 10_000
)

// Names of SCIM messages (RFC 7644, section 3.1).
const (
	scimListSchema  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	scimErrorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"
	scimPatchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// permitSCIM lists the calls of account SCIM: read all, read one, PATCH one.
func (d *databricks) permitSCIM() {
	for version, pageCap := range map[string]int{"2.1": scim21PageCap, "2.0": scim20PageCap} {
		for kind, c := range d.kinds {
			path := "/api/" + version + "/accounts/{account}/scim/v2/" + kind
			served := func(h http.HandlerFunc) http.HandlerFunc { return h }
			if version == "2.1" {
				served = func(h http.HandlerFunc) http.HandlerFunc { return d.unless(OnlySCIM20, h) }
			}
			d.s.permit("GET "+path, d.ofAccount(listBucket, served(func(w http.ResponseWriter, r *http.Request) {
				c.serveList(w, r, pageCap)
			})))
			d.s.permit("GET "+path+"/{id}", d.ofAccount(readBucket, served(c.serveGet)))
			d.s.permit("PATCH "+path+"/{id}", d.ofAccount(writeBucket, served(c.servePatch)))
		}
	}
}

// A collection holds the resources of one kind in the order they are listed.
type collection struct {
	kind  scimKind
	wrote func(Write) // unless nil, is told of every write; called with the lock held
	lag   *lag        // unless nil, reads show old values

	mu      sync.RWMutex
	objects []json.RawMessage // replaced, never changed in place: readers hold it without the lock
	at      map[string]int    // place of each id
}

// newCollection holds objects. Where names them in an error.
func newCollection(kind scimKind, objects []json.RawMessage, where string) (*collection, error) {
	c := &collection{kind: kind, objects: slices.Clone(objects), at: make(map[string]int, len(objects))}
	for i, raw := range objects {
		if !json.Valid(raw) {
			return nil, fmt.Errorf("%s[%d] is not JSON", where, i)
		}
		id := text(parseObject(raw).get("id"))
		if id == "" {
			continue // listed, but out of reach of a GET
		}
		if first, ok := c.at[id]; ok {
			return nil, fmt.Errorf("%s[%d] and [%d] have the same id %q: remove one", where, first, i, id)
		}
		c.at[id] = i
	}
	return c, nil
}

// all returns every object as it is, which is not what a list shows: see listed.
func (c *collection) all() []json.RawMessage {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.objects
}

// find returns the object of that id as it is, which is not what a GET shows:
// see shown.
func (c *collection) find(id string) (json.RawMessage, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, ok := c.at[id]
	if !ok {
		return nil, false
	}
	return c.objects[i], true
}

// update replaces the object of that id by what change makes of it on behalf of
// r, and returns it. A write that is [Fault.Lost] only looks as if it did.
func (c *collection) update(r *http.Request, id string, change func(*patcher) *scimError) (json.RawMessage, *scimError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.at[id]
	if !ok {
		return nil, c.notFound(id)
	}
	p := newPatcher(c.kind, c.objects[i])
	if fault := change(p); fault != nil {
		return nil, fault
	}
	if !lost(r) {
		c.put(i, id, p.result())
		for _, w := range p.writes {
			w.Target = audit.Subject{Kind: c.kind.subject, ID: id}
			if c.wrote != nil {
				c.wrote(w)
			}
		}
	}
	return p.result(), nil
}

// put replaces the object at i, whose id is id. The caller holds the lock.
func (c *collection) put(i int, id string, raw json.RawMessage) {
	c.lag.keep(id, c.objects[i])
	c.objects = slices.Clone(c.objects)
	c.objects[i] = raw
}

func (c *collection) notFound(id string) *scimError {
	return &scimError{status: http.StatusNotFound, detail: c.kind.resource + " with id " + id + " not found."}
}

// serveGet answers with one resource, members included.
func (c *collection) serveGet(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	raw, ok := c.shown(id)
	if !ok {
		c.notFound(id).write(w)
		return
	}
	writeSCIM(w, projectionOf(r).apply(raw))
}

// servePatch changes one resource and answers with it.
func (c *collection) servePatch(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	changed, fault := c.update(r, r.PathValue("id"), func(p *patcher) *scimError { return p.request(body) })
	if fault != nil {
		fault.write(w)
		return
	}
	writeSCIM(w, changed)
}

// serveList answers with one page. startIndex counts from 1; a page past the
// end is empty.
func (c *collection) serveList(w http.ResponseWriter, r *http.Request, pageCap int) {
	query := r.URL.Query()
	start, ok1 := wholeNumber(query.Get("startIndex"), 1)
	count, ok2 := wholeNumber(query.Get("count"), pageCap)
	if !ok1 || !ok2 {
		invalidValue("startIndex and count must be integers").write(w)
		return
	}
	start, count = max(start, 1), min(max(count, 0), pageCap)

	objects := c.listed()
	if f := query.Get("filter"); f != "" {
		keep, err := parseListFilter(f, c.kind.filters)
		if err != nil {
			(&scimError{http.StatusBadRequest, "invalidFilter", err.Error()}).write(w)
			return
		}
		objects = slices.DeleteFunc(slices.Clone(objects), func(raw json.RawMessage) bool {
			return !keep.match(parseObject(raw))
		})
	}
	objects = sortBy(objects, query.Get("sortBy"), query.Get("sortOrder"))

	total := len(objects)
	page := objects[min(start-1, total):]
	page = page[:min(count, len(page))]
	p := projectionOf(r)
	if c.kind.listsOmit != "" {
		p.without = append(p.without, c.kind.listsOmit)
	}
	served := make([]json.RawMessage, len(page))
	for i, raw := range page {
		served[i] = p.apply(raw)
	}

	var b bytes.Buffer
	fmt.Fprintf(&b, `{"schemas":[%q],"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,"Resources":`,
		scimListSchema, total, start, len(served))
	appendArray(&b, served)
	b.WriteByte('}')
	writeSCIM(w, b.Bytes())
}

// wholeNumber reads a parameter that may be left out.
func wholeNumber(s string, unset int) (n int, ok bool) {
	if s == "" {
		return unset, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// sortBy returns objects in the order of one attribute's text, without regard
// to letter case, or as they are when no attribute is named.
func sortBy(objects []json.RawMessage, path, order string) []json.RawMessage {
	if path == "" {
		return objects
	}
	name, sub, _ := strings.Cut(path, ".")
	key := func(raw json.RawMessage) string {
		v := parseObject(raw).get(name)
		if sub != "" {
			v = parseObject(v).get(sub)
		}
		return strings.ToLower(text(v))
	}
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b json.RawMessage) int {
		if strings.EqualFold(order, "descending") {
			a, b = b, a
		}
		return strings.Compare(key(a), key(b))
	})
	return sorted
}

// writeSCIM answers 200 with a resource or message.
func writeSCIM(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/scim+json")
	_, _ = w.Write(body) // the caller may be gone
}

// A scimError is an answer of RFC 7644, section 3.12.
type scimError struct {
	status   int
	scimType string
	detail   string
}

func (e scimError) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(struct { // the caller may be gone
		Schemas  []string `json:"schemas"`
		ScimType string   `json:"scimType,omitempty"`
		Detail   string   `json:"detail"`
		Status   string   `json:"status"`
	}{[]string{scimErrorSchema}, e.scimType, e.detail, strconv.Itoa(e.status)})
}

func invalidValue(detail string) *scimError {
	return &scimError{http.StatusBadRequest, "invalidValue", detail}
}
