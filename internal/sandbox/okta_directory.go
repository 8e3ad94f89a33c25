package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// serveUsers lists users: all but DEPROVISIONED ones, unless a search or a
// filter says which.
func (o *okta) serveUsers(w http.ResponseWriter, r *http.Request) {
	show, ok := o.showUser(w, r)
	if !ok {
		return
	}
	l := listing{of: o.users, normal: 200, most: 200, show: show, hidden: o.hidden,
		match: func(r *row) bool { return r.status != "DEPROVISIONED" }}
	if q := r.URL.Query().Get("q"); q != "" {
		l.normal = 10
		l.match = func(r *row) bool { return startsWith(r, q, "profile.firstName", "profile.lastName", "profile.email") }
	}
	if o.expressions(w, r, &l, usersSearch, usersFilter) {
		o.serveList(w, r, l)
	}
}

// showUser returns how r wants users shown: what "fields" and the Content-Type
// header leave of them.
func (o *okta) showUser(w http.ResponseWriter, r *http.Request) (func(*row) json.RawMessage, bool) {
	org := baseURL(r)
	show := func(r *row) json.RawMessage { return r.user(org) }
	if strings.Contains(r.Header.Get("Content-Type"), "omitCredentials") {
		show = func(r *row) json.RawMessage { return without(r.user(org), "credentials") }
	}
	fields := r.URL.Query().Get("fields")
	if fields == "" || o.s.options.OktaNoFields {
		return show, true
	}
	p, rest, err := parseFields(fields)
	if err != nil || rest != "" {
		o.fail(w, http.StatusBadRequest, "E0000001", "Api validation failed: fields", "fields: the expression is invalid")
		return nil, false
	}
	whole := show
	return func(r *row) json.RawMessage { return p.of(whole(r)) }, true
}

// serveUser answers with the user of an id or login.
func (o *okta) serveUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	n, ok := o.users.index[id]
	if !ok {
		n = slices.IndexFunc(o.users.rows, func(r row) bool {
			login, _ := r.attribute("profile.login")
			return strings.EqualFold(login, id)
		})
	}
	if n < 0 {
		o.notFound(w, id, "User")
		return
	}
	if show, ok := o.showUser(w, r); ok {
		writeRaw(w, show(&o.users.rows[n]))
	}
}

// serveGroups lists groups of all types.
func (o *okta) serveGroups(w http.ResponseWriter, r *http.Request) {
	l := listing{of: o.groups, normal: 10_000, most: 10_000, show: o.showGroup(r)}
	if o.s.wrong(HiddenGroups) {
		l.hidden = func(n int32) bool { return text(memberOf(o.groups.rows[n].raw, "type")) == "BUILT_IN" }
	}
	if q := r.URL.Query().Get("q"); q != "" {
		l.match = func(r *row) bool { return startsWith(r, q, "profile.name") }
	}
	if o.expressions(w, r, &l, groupsSearch, groupsFilter) {
		o.serveList(w, r, l)
	}
}

// showGroup returns how r wants groups shown: with "expand=stats" or without.
func (o *okta) showGroup(r *http.Request) func(*row) json.RawMessage {
	org := baseURL(r)
	stats := slices.Contains(strings.Split(r.URL.Query().Get("expand"), ","), "stats")
	return func(r *row) json.RawMessage {
		if !stats {
			return r.group(org)
		}
		return with(without(r.group(org), "_embedded"), "_embedded",
			fmt.Sprintf(`{"stats":{"usersCount":%d,"appsCount":0,"groupPushMappingsCount":0,"hasAdminPrivilege":false}}`, len(o.members[r.id])))
	}
}

func (o *okta) serveGroup(w http.ResponseWriter, r *http.Request) {
	n, ok := o.groups.index[r.PathValue("id")]
	if !ok {
		o.notFound(w, r.PathValue("id"), "UserGroup")
		return
	}
	writeRaw(w, o.showGroup(r)(&o.groups.rows[n]))
}

// serveGroupMembers lists the users of a group, whatever their status.
func (o *okta) serveGroupMembers(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if _, ok := o.groups.index[id]; !ok {
		o.notFound(w, id, "UserGroup")
		return
	}
	members := o.shownMembers(o.members[id])
	if members == nil {
		members = []int32{}
	}
	if show, ok := o.showUser(w, r); ok {
		o.serveList(w, r, listing{of: o.users, all: members, normal: 1000, most: 1000, show: show})
	}
}

// serveApps lists apps.
func (o *okta) serveApps(w http.ResponseWriter, r *http.Request) {
	org := baseURL(r)
	l := listing{of: o.apps, normal: 20, most: 200, show: func(r *row) json.RawMessage { return r.app(org) }}
	if q := r.URL.Query().Get("q"); q != "" {
		l.match = func(r *row) bool { return startsWith(r, q, "label") }
	}
	if o.expressions(w, r, &l, appsFilter, appsFilter) {
		o.serveList(w, r, l)
	}
}

func (o *okta) serveApp(w http.ResponseWriter, r *http.Request) {
	n, ok := o.apps.index[r.PathValue("id")]
	if !ok {
		o.notFound(w, r.PathValue("id"), "AppInstance")
		return
	}
	writeRaw(w, o.apps.rows[n].app(baseURL(r)))
}

// serveAppUsers lists the users of an app, with the username it has for each.
func (o *okta) serveAppUsers(w http.ResponseWriter, r *http.Request) {
	app, org := r.PathValue("id"), baseURL(r)
	if _, ok := o.apps.index[app]; !ok {
		o.notFound(w, app, "AppInstance")
		return
	}
	users, ok := o.appUsers[app]
	if !ok {
		users = &table{}
	}
	o.serveList(w, r, listing{of: users, normal: 50, most: 500,
		show: func(r *row) json.RawMessage { return r.appUser(org, app) }})
}

// startsWith reports whether one of the attributes begins with q.
func startsWith(r *row, q string, paths ...string) bool {
	for _, path := range paths {
		if s, _ := r.attribute(path); strings.HasPrefix(strings.ToLower(s), strings.ToLower(q)) {
			return true
		}
	}
	return false
}

func writeRaw(w http.ResponseWriter, raw json.RawMessage) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}

// fields are the members that a projection keeps, each whole (nil) or in part.
type fields map[string]fields

// parseFields parses "id,status,profile:(login,email)". It returns what follows
// a closing parenthesis.
func parseFields(s string) (fields, string, error) {
	f := fields{}
	for {
		end := strings.IndexAny(s, ",:()")
		if end < 0 {
			end = len(s)
		}
		name := strings.TrimSpace(s[:end])
		if name == "" {
			return nil, "", fmt.Errorf("a name is missing before %q", s)
		}
		f[name], s = nil, s[end:]
		if inner, ok := strings.CutPrefix(s, ":("); ok {
			part, rest, err := parseFields(inner)
			if err != nil || !strings.HasPrefix(rest, ")") {
				return nil, "", fmt.Errorf("a parenthesis is missing after %q", name)
			}
			f[name], s = part, rest[1:]
		}
		next, ok := strings.CutPrefix(s, ",")
		if !ok {
			return f, s, nil
		}
		s = next
	}
}

// of returns what f keeps of raw.
func (f fields) of(raw json.RawMessage) json.RawMessage {
	out := []byte("{}")
	for name, value := range eachMember(raw) {
		part, ok := f[name]
		if !ok {
			continue
		}
		if part != nil && len(value) > 0 && value[0] == '{' {
			value = part.of(value)
		}
		out = with(out, name, string(value))
	}
	return out
}
