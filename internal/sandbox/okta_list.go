package sandbox

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A listing is what one list request asks for.
type listing struct {
	of       *table
	all      []int32 // rows to choose from; nil means every row
	normal   int     // page size when none is asked for
	most     int     // page size when more is asked for
	match    func(*row) bool
	hidden   func(n int32) bool // rows that the caller's admin role does not show
	sort     string             // path, or blank for the table's order
	downward bool
	show     func(*row) json.RawMessage
}

// serveList answers r with the page of l that r asks for, and links.
func (o *okta) serveList(w http.ResponseWriter, r *http.Request, l listing) {
	query := r.URL.Query()
	limit := l.normal
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			o.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: limit", "limit: the limit must be a positive number")
			return
		}
		limit = min(n, l.most)
	}
	key := cursorKey(r.URL.Path, query)
	start, ok := parseCursor(query.Get("after"), key)
	if !ok {
		o.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: after", "after: the cursor is invalid")
		return
	}
	rows := o.find(key, l, start+limit)
	start = min(start, len(rows))
	page := rows[start:min(start+limit, len(rows))]

	self := *r.URL
	w.Header().Add("Link", fmt.Sprintf(`<%s%s>; rel="self"`, baseURL(r), self.RequestURI()))
	if start+len(page) < len(rows) {
		query.Set("after", cursor(start+len(page), key))
		query.Set("limit", strconv.Itoa(limit))
		w.Header().Add("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, baseURL(r), r.URL.EscapedPath(), query.Encode()))
	}
	objects := make([]json.RawMessage, len(page))
	for i, n := range page {
		objects[i] = l.show(&l.of.rows[n])
	}
	var b bytes.Buffer
	appendArray(&b, objects)
	w.Header().Set("Content-Type", "application/json")
	_, _ = b.WriteTo(w)
}

// find returns the rows of l in order. What a later page will want again is
// kept: that l holds more than need rows.
func (o *okta) find(key string, l listing, need int) []int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if rows, ok := o.results[key]; ok {
		return rows
	}
	var rows []int32
	choose := func(n int32) {
		if l.hidden != nil && l.hidden(n) {
			return
		}
		if l.match == nil || l.match(&l.of.rows[n]) {
			rows = append(rows, n)
		}
	}
	if l.all == nil {
		for n := range l.of.rows {
			choose(int32(n))
		}
	}
	for _, n := range l.all {
		choose(n)
	}
	if l.sort != "" {
		keys := make(map[int32]string, len(rows))
		for _, n := range rows {
			value, _ := l.of.rows[n].attribute(l.sort)
			keys[n] = strings.ToLower(value)
		}
		slices.SortStableFunc(rows, func(a, b int32) int {
			c := strings.Compare(keys[a], keys[b])
			if l.downward {
				c = -c
			}
			return cmp.Or(c, strings.Compare(l.of.rows[a].id, l.of.rows[b].id))
		})
	}
	if len(rows) > need {
		o.results[key] = rows
	}
	return rows
}

// cursorKey names a query, its cursor and page size left out.
func cursorKey(path string, query url.Values) string {
	q := url.Values{}
	for _, name := range []string{"filter", "search", "q", "sortBy", "sortOrder"} {
		if query.Has(name) {
			q.Set(name, query.Get(name))
		}
	}
	return path + "?" + q.Encode()
}

// cursor returns an opaque cursor to the row at start of a query.
func cursor(start int, key string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%08x", start, h.Sum32()))
}

// parseCursor returns where the cursor points to in the query that key names.
func parseCursor(s, key string) (int, bool) {
	if s == "" {
		return 0, true
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, false
	}
	position, _, _ := strings.Cut(string(b), ".")
	start, err := strconv.Atoi(position)
	return start, err == nil && start >= 0 && cursor(start, key) == s
}

// expressions parses "search" or "filter" of r into l. It answers r and
// returns false when they are wrong.
func (o *okta) expressions(w http.ResponseWriter, r *http.Request, l *listing, search, filter queryKind) bool {
	query := r.URL.Query()
	kind, expression := search, query.Get("search")
	if !query.Has("search") {
		kind, expression = filter, query.Get("filter")
	}
	if expression == "" {
		return true
	}
	q, err := kind.parse(expression)
	if err != nil {
		o.fail(w, http.StatusBadRequest, "E0000031", errQuery.Error())
		return false
	}
	l.match = q.match
	if query.Has("search") && query.Has("sortBy") {
		l.sort = query.Get("sortBy")
		l.downward = strings.EqualFold(query.Get("sortOrder"), "desc")
		if !kind.allows(l.sort, "eq") {
			o.fail(w, http.StatusBadRequest, "E0000031", errQuery.Error())
			return false
		}
	}
	return true
}
