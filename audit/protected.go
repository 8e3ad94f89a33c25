package audit

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
// it is not protected, and nobody else works under its name.
func (ix *Index) MayDeactivate(d Ref) bool {
	_, conflict := ix.Conflict(d)
	return !conflict && ix.Protected(d) == ""
}

// administers reports whether d is an account admin: directly, or through a
// group that it is in, or that such a group is in.
func (ix *Index) administers(d Ref) bool {
	roles, groups := ix.rolesAndGroups(d)
	if makesAdmin(roles) {
		return true
	}
	seen := map[string]bool{}
	for next := groups.ids(); len(next) > 0; next = next[1:] {
		i, ok := ix.DatabricksGroups.Find(next[0])
		if !ok || seen[next[0]] {
			continue
		}
		seen[next[0]] = true
		g := ix.DatabricksGroups.At(i)
		if makesAdmin(g.Roles) {
			return true
		}
		next = append(next, g.Groups.ids()...)
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

func (l Values) ids() (ids []string) {
	for v := range l.All() {
		ids = append(ids, v.Value)
	}
	return ids
}
