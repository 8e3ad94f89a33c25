package audit

import (
	"cmp"
	"slices"
	"strings"
)

// Keeper suggests which of several Databricks identities of one person or group
// to keep, and says why: the one that is linked; else whose name is exactly its
// Okta object's; else that is active, in more groups, with more roles; else the
// oldest. It is a suggestion: nobody knows from here what each of them owns.
func (ix *Index) Keeper(of []Ref) (Ref, string) {
	claims := make([]keeperClaim, len(of))
	for i, d := range of {
		claims[i] = ix.keeperClaim(d)
	}
	slices.SortStableFunc(claims, keeperClaim.compare)
	return claims[0].of, claims[0].String()
}

// A keeperClaim is what speaks for keeping an identity.
type keeperClaim struct {
	of                    Ref
	linked, exact, active bool
	groups, roles         int
	created               string // blank sorts last: an unknown age speaks for nothing
	id                    string
}

func (ix *Index) keeperClaim(d Ref) keeperClaim {
	c := keeperClaim{of: d, linked: ix.LinkState(d) == LinkedLive, id: ix.Subject(d).ID, groups: ix.Reach(d).Groups}
	name := ix.Name(d)
	if o, ok := ix.OktaOf(d); ok {
		c.exact = name == ix.Name(o) || o.Kind == OktaUserKind && name == ix.OktaUser(o).Email
	}
	switch d.Kind {
	case DatabricksUserKind:
		u := ix.DatabricksUser(d)
		c.active, c.created, c.roles = u.Active, u.Created, u.Roles.Len()+u.Entitlements.Len()
	case DatabricksGroupKind:
		g := ix.DatabricksGroup(d)
		c.active, c.created, c.roles = true, g.Created, g.Roles.Len()+g.Entitlements.Len()
	case DatabricksServicePrincipalKind:
		p := ix.DatabricksServicePrincipal(d)
		c.active, c.created, c.roles = p.Active, p.Created, p.Roles.Len()+p.Entitlements.Len()
	}
	return c
}

func (c keeperClaim) compare(d keeperClaim) int {
	return cmp.Or(
		-cmp.Compare(truth(c.linked), truth(d.linked)),
		-cmp.Compare(truth(c.exact), truth(d.exact)),
		-cmp.Compare(truth(c.active), truth(d.active)),
		-cmp.Compare(c.groups, d.groups),
		-cmp.Compare(c.roles, d.roles),
		cmp.Compare(truth(c.created == ""), truth(d.created == "")),
		cmp.Compare(c.created, d.created),
		cmp.Compare(len(c.id), len(d.id)), // Databricks gives out growing numbers
		cmp.Compare(c.id, d.id),
	)
}

// String says what speaks for the identity.
func (c keeperClaim) String() string {
	var why []string
	for _, w := range []struct {
		holds bool
		words string
	}{
		{c.linked, "it is linked to a live Okta object"}, {c.exact, "its name is exactly Okta's"}, {c.active, "it is active"},
		{c.groups > 0, "it is in groups"}, {c.roles > 0, "it has roles or entitlements"},
	} {
		if w.holds {
			why = append(why, w.words)
		}
	}
	if len(why) == 0 {
		return "nothing speaks for another one"
	}
	return strings.Join(why, ", ")
}
