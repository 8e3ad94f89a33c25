package rules

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// MissingExternalID finds Databricks identities that AIM would create a second time.
var MissingExternalID = &audit.Rule{
	Name:     "missing-external-id",
	Family:   audit.LinksFamily,
	Severity: audit.Blocker,
	Checks: []audit.Check{
		{About: "users", Needs: bothUsers, Apart: true, Run: missingUserID},
		{About: "groups", Needs: []audit.Input{audit.OktaGroups, audit.DatabricksGroups}, Run: missingGroupID},
		{About: "service principals", Needs: []audit.Input{audit.OktaApps, audit.DatabricksServicePrincipals}, Run: missingPrincipalID},
	},
	Quiet: quietMissingExternalID,
	Doc: `A Databricks identity has no externalId

## What
The externalId of a Databricks user is blank: a blocker when a live Okta user has
its userName as login or email, else a warning, since AIM will never manage it. A
group or service principal without externalId is a blocker when Okta has a group
or app of its name; without one it is simply local.

## Why
AIM compares the Okta id with externalId and with nothing else. A user without it
gets a second entry beside the first at the next sign-in, and permissions are split
between the two. A group without it keeps its name taken, so the Okta group can't
be provisioned.

## How to fix
Where exactly one Okta object fits and nothing speaks against it, the plan sets
externalId to its id. Databricks can't clear the externalId of a user or service
principal again, so look at the list first. Where several fit, say which one is
meant. Where none fits, the identity stays local: remove it or leave it.
`,
	Examples: []audit.Example{{
		Name: "linked, and a local group",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1"), group("2", "Only here", ""),
		},
	}, {
		Name:   "one live user has the name, in other letters",
		Tenant: []any{okta("00u1", "ana@example.com", "ana@example.com"), user("1", "Ana@example.com", "")},
		Want:   []string{"blocker automatic databricks:user:1: databricks:user:1 okta:user:00u1"},
	}, {
		Name: "two live users have the name",
		Tenant: []any{
			okta("00u1", "ana1@example.com", "ana@example.com"), okta("00u2", "ana@example.com", "ana2@example.com"),
			user("1", "ana@example.com", ""),
		},
		Want: []string{"blocker choose databricks:user:1: databricks:user:1 okta:user:00u1 okta:user:00u2"},
	}, {
		Name:   "the only one has left",
		Tenant: []any{gone(okta("00u1", "gus@example.com", "gus@example.com")), user("1", "gus@example.com", "")},
		Want:   []string{"warning review databricks:user:1: databricks:user:1"},
	}, {
		Name:   "a group whose name Okta has",
		Tenant: []any{oktaGroup("00g1", "Engineering"), group("1", "engineering ", "")},
		Want:   []string{"blocker automatic databricks:group:1: databricks:group:1 okta:group:00g1"},
	}, {
		Name:   "a service principal whose client id Okta has",
		Tenant: []any{app("0oa1", "Jobs", "client-1"), principal("1", "jobs of old", "client-1", "")},
		Want:   []string{"blocker automatic databricks:service_principal:1: databricks:service_principal:1 okta:app:0oa1"},
	}},
}

func missingUserID(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		if p.LinkState(d) == audit.Unlinked {
			reportMissingID(p, d)
		}
	}
}

func missingGroupID(p *audit.Pass) {
	for d := range p.All(audit.DatabricksGroupKind) {
		if p.LinkState(d) == audit.Unlinked && p.Managed(d) && p.Candidates(d).Len() > 0 {
			reportMissingID(p, d)
		}
	}
}

func missingPrincipalID(p *audit.Pass) {
	for d := range p.All(audit.DatabricksServicePrincipalKind) {
		if p.LinkState(d) == audit.Unlinked && p.Candidates(d).Len() > 0 {
			reportMissingID(p, d)
		}
	}
}

func reportMissingID(p *audit.Pass, d audit.Ref) {
	candidates := p.LiveCandidates(d)
	f := audit.Finding{
		Key:      p.Subject(d).String(),
		Subjects: p.Subjects(one(d), candidates.All()),
		Evidence: append(describe(p, one(d), candidates.All()), suggested(p, d)...),
		Severity: audit.Blocker,
	}
	who := fmt.Sprintf("%s %s has no externalId", noun[d.Kind], p.Name(d))
	switch n := candidates.Len(); {
	case n == 0:
		f.Severity = audit.Warning
		f.Message = who + " and no live counterpart in Okta, so AIM will never manage it"
	case d.Kind == audit.DatabricksGroupKind:
		f.Message = fmt.Sprintf("%s, and keeps its name from %s", who, plural(n, "Okta group"))
	default:
		f.Message = fmt.Sprintf("%s, though %s could be meant", who, plural(n, noun[candidates.At(0).Kind]))
	}
	reportLinkable(p, d, f)
}

// reportLinkable reports a finding that a right externalId would resolve, with
// the remedy and the change that the candidates allow.
func reportLinkable(p *audit.Pass, d audit.Ref, f audit.Finding) {
	if o, ok := p.Automatic(d); ok {
		f.Remedy = audit.RemedyAutomatic
		p.Report(f, link(p, d, o))
		return
	}
	f.Remedy = audit.RemedyReview
	if p.LiveCandidates(d).Len() > 0 {
		f.Remedy = audit.RemedyChoose
	}
	p.Report(f)
}

// quietMissingExternalID says why the rule is silent about r.
func quietMissingExternalID(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		if !ix.Live(r) {
			return "it is DEPROVISIONED, and no live candidate"
		}
		return "no Databricks user without externalId has its name"
	case audit.OktaGroupKind:
		return "no Databricks group that may be managed has its name and no externalId"
	case audit.OktaAppKind:
		return "no service principal without externalId could be it"
	case audit.DatabricksWorkspaceKind:
		return ""
	}
	switch {
	case ix.ExternalID(r) != "":
		return "its externalId is not blank"
	case leftOut(ix, r):
		return leftOutWhy
	}
	return fmt.Sprintf("it has no externalId and needs none: no %s could be it", noun[oktaKind[r.Kind]])
}
