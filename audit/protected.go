package audit

import "slices"

// Protected says why a mistake about a Databricks identity is worse than about
// others, such as "an account admin"; blank if it isn't. A plan never deactivates
// such an identity, and otherwise touches it only where somebody names it.
func (ix *Index) Protected(d Ref) string {
	switch {
	case ix.IsCaller(d):
		return "the identity that runs this tool"
	case ix.IsTokenOwner(d):
		return "the owner of the SCIM token"
	case !ix.administers(d):
		return ""
	case d.Kind == DatabricksGroupKind:
		return "a group of account admins"
	}
	return "an account admin"
}

// MayDeactivate reports whether a plan may ever deactivate the Databricks user:
// it is not protected, and no live Okta user but its own has its name, who would
// sign in to it.
func (ix *Index) MayDeactivate(d Ref) bool {
	if ix.Protected(d) != "" {
		return false
	}
	own, _ := ix.OktaOf(d)
	for o := range ix.LiveCandidates(d).All() {
		if o != own {
			return false
		}
	}
	return true
}

// administers reports whether d is an account admin: directly, or through a
// group that it is in, or that such a group is in. Its record need not list its
// groups: where members were read, they say so too.
func (ix *Index) administers(d Ref) bool {
	seen := map[Ref]bool{}
	for next := []Ref{d}; len(next) > 0; next = next[1:] {
		r := next[0]
		if seen[r] {
			continue
		}
		seen[r] = true
		roles, groups := ix.rolesAndGroups(r)
		if makesAdmin(roles) {
			return true
		}
		for g := range groups.All() {
			if i, ok := ix.DatabricksGroups.Find(g.Value); ok {
				next = append(next, Ref{DatabricksGroupKind, int32(i)})
			}
		}
		next = slices.AppendSeq(next, ix.directGroups(r).All())
	}
	return false
}

func (ix *Index) rolesAndGroups(d Ref) (roles, groups Values) {
	switch d.Kind {
	case DatabricksUserKind:
		if ix.is(d, granted) || ix.is(d, grouped) {
			u := ix.DatabricksUser(d)
			return u.Roles, u.Groups
		}
	case DatabricksGroupKind:
		g := ix.DatabricksGroup(d)
		return g.Roles, g.Groups
	case DatabricksServicePrincipalKind:
		p := ix.DatabricksServicePrincipal(d)
		return p.Roles, p.Groups
	}
	return
}

// makesAdmin reports whether the roles, inherited ones too, hold account_admin.
func makesAdmin(roles Values) bool {
	for r := range roles.All() {
		if r.Value == "account_admin" {
			return true
		}
	}
	return false
}
