package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// LinkedToDeprovisioned finds active Databricks users of people who have left.
var LinkedToDeprovisioned = &audit.Rule{
	Name:     "linked-to-deprovisioned",
	Family:   audit.LinksFamily,
	Severity: audit.Error,
	Checks:   []audit.Check{{Needs: bothUsers, Apart: true, Run: linkedToDeprovisioned}},
	Quiet:    quietLinkedToDeprovisioned,
	Doc: `An active Databricks user belongs to somebody who has left Okta

## What
An active Databricks user is linked to a DEPROVISIONED Okta user, or is not linked
and only DEPROVISIONED Okta users have its name, or its Okta user is SUSPENDED.

## Why
The person should have no access any more, and in Databricks still has. AIM will
deactivate the linked ones; the unlinked ones it never sees.

## How to fix
Check that the person has left, and what jobs and tokens depend on the account.
Then deactivate it; a plan can do it (--include deactivate), except for account
admins and for accounts whose name somebody else has now.
`,
	Examples: []audit.Example{{
		Name:   "already inactive",
		Tenant: []any{gone(okta("00u1", "gus@example.com", "gus@example.com")), audit.DatabricksUser{ID: "1", UserName: "gus@example.com", ExternalID: "00u1"}},
	}, {
		Name:   "linked to somebody who has left",
		Tenant: []any{gone(okta("00u1", "fay@example.com", "fay@example.com")), user("1", "fay@example.com", "00u1")},
		Want:   []string{"error review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name:   "unlinked, and only somebody who has left has the name",
		Tenant: []any{gone(okta("00u1", "gus@example.com", "gus@example.com")), user("1", "gus@example.com", "")},
		Want:   []string{"error review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name: "suspended",
		Tenant: []any{
			audit.OktaUser{ID: "00u1", Status: audit.StatusSuspended, Login: "hal@example.com", Email: "hal@example.com", FirstName: "Hal", LastName: "Reed"},
			user("1", "hal@example.com", "00u1"),
		},
		Want: []string{"error review databricks:user:1: databricks:user:1 okta:user:00u1"},
	}},
}

func linkedToDeprovisioned(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		left, why := whoLeft(p, d)
		if len(left) == 0 || !p.Active(d) {
			continue
		}
		f := audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(d), slices.Values(left)),
			Evidence: describe(p, one(d), slices.Values(left)),
			Message:  fmt.Sprintf("Databricks user %s is active, though %s", p.Name(d), why),
		}
		if p.MayDeactivate(d) {
			p.Report(f, audit.Change{
				Action: audit.DeactivateUser, Class: audit.ClassDeactivate, Target: p.Subject(d), Field: "active",
				From: "true", To: "false", Why: why,
			})
		} else {
			p.Report(f)
		}
	}
}

// whoLeft returns the Okta users for whom d should not be active, and the reason.
func whoLeft(p *audit.Pass, d audit.Ref) ([]audit.Ref, string) {
	switch state := p.LinkState(d); {
	case state == audit.LinkedInactive:
		o, _ := p.LinkedTo(d)
		return []audit.Ref{o}, "its Okta user is DEPROVISIONED"
	case state != audit.LinkedLive && p.Candidates(d).Len() > 0 && p.LiveCandidates(d).Len() == 0:
		return slices.Collect(p.Candidates(d).All()), "only DEPROVISIONED Okta users have its name"
	}
	if o, ok := p.OktaOf(d); ok && p.Suspended(o) {
		return []audit.Ref{o}, "its Okta user is SUSPENDED"
	}
	return nil, ""
}

// quietLinkedToDeprovisioned says why the rule is silent about r.
func quietLinkedToDeprovisioned(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		if user := ix.OktaUser(r); user.Live() && user.Status != audit.StatusSuspended {
			return "it is neither DEPROVISIONED nor SUSPENDED"
		}
		return "no active Databricks user depends on it"
	case audit.DatabricksUserKind:
		if !ix.DatabricksUser(r).Active {
			return "it is not active"
		}
		return "it belongs to nobody who is DEPROVISIONED or SUSPENDED"
	}
	return ""
}
