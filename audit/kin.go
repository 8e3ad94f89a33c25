package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// matches returns the objects of the other directory that are tied to r, and the
// five that are most like it.
func (r *Report) matches(ref Ref) []Match {
	ix, all := r.index, []Match{}
	for _, l := range linkedKinds {
		switch ref.Kind {
		case l.databricks:
			for o := range ix.All(l.okta) {
				if m, ok := ix.match(ref, o); ok {
					m.Subject, m.Name, m.Fields = ix.Subject(o), ix.Name(o), ix.fields(o)
					all = append(all, m)
				}
			}
		case l.okta:
			for d := range ix.All(l.databricks) {
				if m, ok := ix.match(d, ref); ok {
					m.Subject, m.Name, m.Fields = ix.Subject(d), ix.Name(d), ix.fields(d)
					now, after := ix.fate(d), r.after.fate(d)
					m.Now, m.AfterPlan = &now, &after
					all = append(all, m)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Match) int {
		return cmp.Or(
			-cmp.Compare(truth(a.Linked), truth(b.Linked)),
			-cmp.Compare(truth(a.Candidate), truth(b.Candidate)),
			cmp.Compare(truth(a.But != ""), truth(b.But != "")),
			-cmp.Compare(a.score, b.score),
		)
	})
	const most = 5
	like := slices.IndexFunc(all, func(m Match) bool { return m.score > 0 })
	if like >= 0 && len(all)-like > most {
		all = all[:like+most]
	}
	return all
}

// match says what ties a Databricks object to an Okta object, and what doesn't.
// It is false where nothing does and they aren't alike.
func (ix *Index) match(d, o Ref) (Match, bool) {
	m := Match{Because: []string{}}
	if linked, ok := ix.LinkedTo(d); ok && linked == o {
		m.Linked = true
		m.Because = append(m.Because, "id = externalId, byte for byte")
	}
	mine, named := ix.nameField(d), false
	if d.Kind == DatabricksServicePrincipalKind {
		if id := ix.DatabricksServicePrincipal(d).ApplicationID; id != "" && ix.OktaApp(o).ClientID == id {
			m.Because, named = append(m.Because, "client id = applicationId, byte for byte"), true
		}
	}
	for _, n := range ix.nameFields(o) {
		if Fold(n.Value) != "" && SameName(n.Value, mine.Value) {
			m.Because, named = append(m.Because, fmt.Sprintf("%s = %s, %s", n.Name, mine.Name, howSame(n.Value, mine.Value))), true
		}
	}
	_, m.Candidate = slices.BinarySearch(ix.Candidates(d).ns, o.n)
	switch {
	case m.Candidate && !ix.Live(o):
		m.But = "DEPROVISIONED: only live Okta users count as candidates"
	case m.Candidate && d.Kind == DatabricksGroupKind && !ix.Managed(d):
		m.But = string(DoubtLeftOut)
	case m.Candidate:
	case o.Kind == OktaAppKind && named && !ix.OktaApp(o).Active():
		m.But = "it is " + ix.OktaApp(o).Status + ": only ACTIVE apps are candidates"
	case named:
		m.But = "an app whose client id is the applicationId goes before labels"
	case m.Linked:
		m.But = "the names differ"
	default:
		var how string
		m.score, how = ix.alike(d, o)
		m.But = "the names differ, though they are alike: " + how
	}
	return m, m.Linked || named || m.score > 0
}

// alike says how much two objects that nothing ties are like each other, and how.
func (ix *Index) alike(d, o Ref) (score float64, how string) {
	if d.Kind == DatabricksUserKind {
		if s, ok := ix.likeness(d, o); ok {
			score, how = s.Score, s.Why
		}
	}
	mine := Fold(ix.nameField(d).Value)
	for _, n := range ix.nameFields(o) {
		other := Fold(n.Value)
		if score < likeLooks && mine != "" && other != "" && (Skeleton(mine) == Skeleton(other) || FullFold(mine) == FullFold(other)) {
			score, how = likeLooks, "the letters look the same"
		}
	}
	return score, how
}

// howSame says what makes two names that are the same under [Fold] the same: the
// steps without which they would differ.
func howSame(a, b string) string {
	if a == b {
		return "byte for byte"
	}
	same := func(steps ...func(string) string) bool {
		x, y := a, b
		for _, step := range steps {
			x, y = step(x), step(y)
		}
		return x == y
	}
	letters := func(s string) string { return strings.Map(foldRune, s) }
	var needed []string
	for _, step := range []struct {
		name    string
		without bool
	}{
		{"white space", same(norm.NFC.String, letters)},
		{"normal form", same(strings.TrimSpace, letters)},
		{"letter case", same(strings.TrimSpace, norm.NFC.String)},
	} {
		if !step.without {
			needed = append(needed, step.name)
		}
	}
	if len(needed) == 0 { // such as the Kelvin sign, which either step makes a K
		needed = []string{"normal form or letter case"}
	}
	return "only after folding: " + strings.Join(needed, ", ")
}

// nameField is the name by which a Databricks object is looked for in Okta.
func (ix *Index) nameField(d Ref) Field {
	if d.Kind == DatabricksUserKind {
		return Field{"userName", ix.Name(d)}
	}
	return Field{"displayName", ix.Name(d)}
}

// nameFields are the names by which an Okta object is looked for.
func (ix *Index) nameFields(o Ref) []Field {
	switch o.Kind {
	case OktaUserKind:
		u := ix.OktaUser(o)
		return []Field{{"login", u.Login}, {"email", u.Email}}
	case OktaAppKind:
		return []Field{{"label", ix.Name(o)}}
	}
	return []Field{{"name", ix.Name(o)}}
}

// aliases lists what people may call an object.
func (ix *Index) aliases(r Ref) []string {
	switch r.Kind {
	case OktaUserKind:
		return []string{ix.Name(r), ix.OktaUser(r).Email}
	case OktaAppKind:
		return []string{ix.Name(r), ix.OktaApp(r).ClientID}
	case DatabricksUserKind:
		return []string{ix.Name(r), ix.DatabricksUser(r).DisplayName}
	case DatabricksServicePrincipalKind:
		return []string{ix.Name(r), ix.DatabricksServicePrincipal(r).ApplicationID}
	}
	return []string{ix.Name(r)}
}

// fields is the record of r, in the vendor's words. What the directory doesn't
// always list is left out where it is blank.
func (ix *Index) fields(r Ref) []Field {
	switch r.Kind {
	case OktaUserKind:
		u := ix.OktaUser(r)
		return some([]Field{{"status", u.Status}, {"profile.login", u.Login}, {"profile.email", u.Email},
			{"profile.firstName", u.FirstName}, {"profile.lastName", u.LastName}}, Field{"created", u.Created}, Field{"lastUpdated", u.Updated})
	case OktaGroupKind:
		g := ix.OktaGroup(r)
		return some([]Field{{"type", g.Type}, {"profile.name", g.Name}}, Field{"created", g.Created}, Field{"lastUpdated", g.Updated})
	case OktaAppKind:
		a := ix.OktaApp(r)
		return []Field{{"status", a.Status}, {"label", a.Label}, {"credentials.oauthClient.client_id", a.ClientID}}
	case DatabricksUserKind:
		u := ix.DatabricksUser(r)
		fs := []Field{{"userName", u.UserName}, {"externalId", u.ExternalID}, {"displayName", u.DisplayName},
			{"name.givenName", u.GivenName}, {"name.familyName", u.FamilyName}, {"active", strconv.FormatBool(u.Active)}}
		return some(slices.Concat(fs, list("emails", u.Emails), list("roles", u.Roles), list("entitlements", u.Entitlements),
			list("groups", u.Groups)), Field{"meta.created", u.Created})
	case DatabricksGroupKind:
		g := ix.DatabricksGroup(r)
		fs := some([]Field{{"displayName", g.DisplayName}, {"externalId", g.ExternalID}},
			Field{"meta.resourceType", g.ResourceType}, Field{"workspace", g.Workspace})
		return some(slices.Concat(fs, list("roles", g.Roles), list("entitlements", g.Entitlements), list("groups", g.Groups)),
			Field{"meta.created", g.Created})
	case DatabricksServicePrincipalKind:
		p := ix.DatabricksServicePrincipal(r)
		fs := []Field{{"displayName", p.DisplayName}, {"applicationId", p.ApplicationID}, {"externalId", p.ExternalID},
			{"active", strconv.FormatBool(p.Active)}}
		return some(slices.Concat(fs, list("roles", p.Roles), list("entitlements", p.Entitlements), list("groups", p.Groups)),
			Field{"meta.created", p.Created})
	}
	w := ix.DatabricksWorkspace(r)
	return []Field{{"workspace_name", w.Name}, {"workspace_status", w.Status},
		{"identity_federation_info.enable_identity_federation", w.Federation}}
}

// some appends the fields that are not blank.
func some(fields []Field, more ...Field) []Field {
	for _, f := range more {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// list returns a field for each value; what type it is stands with the name.
func list(name string, values Values) []Field {
	var fields []Field
	for v := range values.All() {
		f := Field{name, v.Value}
		if v.Type != "" {
			f.Name += ", " + v.Type
		}
		fields = append(fields, f)
	}
	return fields
}
