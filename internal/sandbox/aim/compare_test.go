package aim

import (
	"iter"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// A comparison is what the audit forecasts for a tenant, beside what happens in it.
type comparison struct {
	tenant   tenant
	forecast map[audit.Subject]Outcome // of every user and group of both directories
	events   []Event
	outcomes map[string]Outcome
}

// compare enables AIM in the tenant. The report's forecast is the one for now, or
// the one for after its plan.
func (w tenant) compare(r *audit.Report, afterPlan bool) comparison {
	before := w.state()
	_, events := Enable(before, w.claim())
	c := comparison{w, map[audit.Subject]Outcome{}, events, Outcomes(before, events)}
	for _, o := range w.oktaUsers {
		c.forecast[audit.Subject{Kind: audit.OktaUserKind, ID: o.ID}] = ""
	}
	for _, o := range w.oktaGroups {
		c.forecast[audit.Subject{Kind: audit.OktaGroupKind, ID: o.ID}] = ""
	}
	for row := range r.Crosswalk() {
		switch {
		case row.Subject.Kind == audit.DatabricksServicePrincipalKind: // AIM leaves them alone
		case afterPlan:
			c.forecast[row.Subject] = Outcome(row.AfterPlan)
		default:
			c.forecast[row.Subject] = Outcome(row.Now)
		}
	}
	return c
}

// happens is what happens to the identity.
func (c comparison) happens(s audit.Subject) Outcome {
	if o := c.outcomes[s.String()]; o != "" || s.Kind != audit.DatabricksGroupKind {
		return o
	}
	return Unmanaged // a workspace's own group, which AIM never sees
}

// differ yields the identities to which something else happens than is forecast.
func (c comparison) differ() iter.Seq2[audit.Subject, pair] {
	return func(yield func(audit.Subject, pair) bool) {
		for s, forecast := range c.forecast {
			if p := (pair{forecast, c.happens(s)}); p.forecast != p.happens && !yield(s, p) {
				return
			}
		}
	}
}

// managed reports whether AIM may manage the group.
func (w tenant) managed(g audit.DatabricksGroup) bool {
	return slices.ContainsFunc(w.state().Groups, func(other Group) bool { return other.ID == g.ID && !other.System })
}

// groupName is the name of a group of either directory; blank for what is none.
func (w tenant) groupName(s audit.Subject) string {
	for _, g := range w.groups {
		if s.Kind == audit.DatabricksGroupKind && g.ID == s.ID {
			return g.DisplayName
		}
	}
	for _, g := range w.oktaGroups {
		if s.Kind == audit.OktaGroupKind && g.ID == s.ID {
			return g.Name
		}
	}
	return ""
}

// externalID is the externalId of a Databricks user or group.
func (w tenant) externalID(s audit.Subject) string {
	for _, d := range w.users {
		if s.Kind == audit.DatabricksUserKind && d.ID == s.ID {
			return d.ExternalID
		}
	}
	for _, g := range w.groups {
		if s.Kind == audit.DatabricksGroupKind && g.ID == s.ID {
			return g.ExternalID
		}
	}
	return ""
}

// holders counts who holds the externalId, of any kind.
func (w tenant) holders(id string) int {
	n := 0
	for _, d := range w.users {
		if d.ExternalID == id {
			n++
		}
	}
	for _, g := range w.groups {
		if g.ExternalID == id {
			n++
		}
	}
	for _, p := range w.principals {
		if p.ExternalID == id {
			n++
		}
	}
	return n
}

// customName reports whether a record's name is claimed by a live Okta user as
// neither login nor email; of an Okta user, whether there is such a record.
func (w tenant) customName(s audit.Subject) bool {
	claim := w.claim()
	for _, o := range w.state().OktaUsers {
		for _, d := range w.users {
			custom := !o.Deprovisioned && same(d.UserName, claim(o)) && !same(d.UserName, o.Login) && !same(d.UserName, o.Email)
			if custom && (s == audit.Subject{Kind: audit.DatabricksUserKind, ID: d.ID} || s == audit.Subject{Kind: audit.OktaUserKind, ID: o.ID}) {
				return true
			}
		}
	}
	return false
}
