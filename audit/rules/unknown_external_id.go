package rules

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// UnknownExternalID finds Databricks identities whose externalId Okta doesn't know.
var UnknownExternalID = &audit.Rule{
	Name:     "unknown-external-id",
	Family:   audit.LinksFamily,
	Severity: audit.Blocker,
	Checks: []audit.Check{
		{About: "users", Needs: bothUsers, Run: unknownUserID},
		{About: "groups", Needs: []audit.Input{audit.OktaGroups, audit.DatabricksGroups}, Run: unknownGroupID},
		{About: "service principals", Needs: []audit.Input{audit.OktaApps, audit.DatabricksServicePrincipals}, Run: unknownPrincipalID},
	},
	Quiet: quietUnknownExternalID,
	Doc: `A Databricks identity has an externalId that Okta does not know

## What
The externalId is neither blank nor the id of an Okta object of the same kind: an
id of another identity provider, of a deleted user, of a group on a user, or the
right id in other letter case. A blocker when Okta has a live object of its name,
else a warning; at least an error for an account admin and for the identity that
runs this tool.

## Why
AIM treats an id that Okta doesn't know as somebody removed from Okta and
deactivates the identity, or creates a second one beside it.

## How to fix
Where exactly one Okta object fits, the plan can replace the id (--include
overwrite). Where several fit, say which one is meant. Where none fits, find out
where the id comes from; the dead id of a group can be cleared (--include clear).
`,
	Examples: []audit.Example{{
		Name:   "an id that Okta knows",
		Tenant: []any{okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1")},
	}, {
		Name:   "the right id in other letter case",
		Tenant: []any{okta("00ub", "bo@example.com", "bo@example.com"), user("1", "bo@example.com", "00UB")},
		Want:   []string{"blocker automatic databricks:user:1: databricks:user:1 okta:user:00ub"},
	}, {
		Name:   "an id from elsewhere, and nobody of that name",
		Tenant: []any{user("1", "dee@example.com", "11111111-2222-4333-8444-555555555555")},
		Want:   []string{"warning review databricks:user:1: databricks:user:1"},
	}, {
		Name: "an account admin's id",
		Tenant: []any{audit.DatabricksUser{ID: "1", UserName: "root@example.com", ExternalID: "00ugone", GivenName: "Root", FamilyName: "Reed",
			Active: true, Roles: audit.NewValues(audit.Value{Value: "account_admin"})}},
		Want: []string{"error review databricks:user:1: databricks:user:1"},
	}, {
		Name:   "a group's dead id",
		Tenant: []any{group("1", "Dead end", "00ggone")},
		Want:   []string{"warning review databricks:group:1: databricks:group:1"},
	}},
}

func unknownUserID(p *audit.Pass)      { reportStale(p, audit.DatabricksUserKind) }
func unknownGroupID(p *audit.Pass)     { reportStale(p, audit.DatabricksGroupKind) }
func unknownPrincipalID(p *audit.Pass) { reportStale(p, audit.DatabricksServicePrincipalKind) }

func reportStale(p *audit.Pass, kind audit.Kind) {
	var stale []audit.Ref
	for d := range p.All(kind) {
		if p.LinkState(d) == audit.Stale && (kind != audit.DatabricksGroupKind || p.Managed(d)) {
			stale = append(stale, d)
		}
	}
	looks := newLooks(p, stale)
	for _, d := range stale {
		reportUnknownID(p, d, looks.like(p.ExternalID(d)))
	}
}

func reportUnknownID(p *audit.Pass, d audit.Ref, looksLike string) {
	candidates := p.LiveCandidates(d)
	f := audit.Finding{
		Key:      p.Subject(d).String(),
		Subjects: p.Subjects(one(d), candidates.All()),
		Evidence: append(describe(p, one(d), candidates.All()),
			audit.Evidence{Subject: p.Subject(d), Role: "externalId looks like", Field: "externalId", Value: looksLike}),
		Message: fmt.Sprintf("the externalId of %s %s is not the id of any %s: it looks like %s",
			noun[d.Kind], p.Name(d), noun[oktaKind[d.Kind]], looksLike),
	}
	f.Evidence = append(f.Evidence, suggested(p, d)...)
	if candidates.Len() == 0 {
		f.Severity = atLeastErrorForAdmins(p, d, audit.Warning)
		f.Remedy = audit.RemedyReview
		if d.Kind == audit.DatabricksGroupKind {
			p.Report(f, audit.Change{
				Action: audit.ClearExternalID, Class: audit.ClassClear, Target: p.Subject(d), Field: "externalId",
				From: p.ExternalID(d), Why: "Okta knows no group of this id or name",
			})
			return
		}
	}
	reportLinkable(p, d, f)
}

// atLeastErrorForAdmins raises the severity of findings about identities that
// nobody may lose: account admins, and the one that runs this tool.
func atLeastErrorForAdmins(p *audit.Pass, d audit.Ref, s audit.Severity) audit.Severity {
	if p.AccountAdmin(d) || p.IsCaller(d) {
		return max(s, audit.Error)
	}
	return s
}

var oktaKind = map[audit.Kind]audit.Kind{
	audit.DatabricksUserKind: audit.OktaUserKind, audit.DatabricksGroupKind: audit.OktaGroupKind,
	audit.DatabricksServicePrincipalKind: audit.OktaAppKind,
}

// looks knows what Okta's ids are, for the externalIds in question alone.
type looks map[string]string // by the id in lower case

func newLooks(p *audit.Pass, stale []audit.Ref) looks {
	l := looks{}
	for _, d := range stale {
		l[strings.ToLower(p.ExternalID(d))] = ""
	}
	if len(l) == 0 {
		return l
	}
	for o := range p.OktaObjectsOf(maps.Keys(l)) {
		id := p.Subject(o).ID
		l[strings.ToLower(id)] = fmt.Sprintf("%s:%s", o.Kind, id)
	}
	return l
}

var entraID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// like says what an externalId looks like. Okta's ids are no format to rely on:
// their first letters only hint at the kind.
func (l looks) like(externalID string) string {
	if known := l[strings.ToLower(externalID)]; known != "" {
		kind, id, _ := strings.Cut(strings.TrimPrefix(known, "okta:"), ":")
		if id == externalID {
			return "the id of an Okta " + kind
		}
		return fmt.Sprintf("the id of Okta %s %s in other letter case", kind, id)
	}
	switch {
	case entraID.MatchString(externalID):
		return "an Entra id"
	case strings.HasPrefix(externalID, "00u"):
		return "the id of an Okta user that is not there"
	case strings.HasPrefix(externalID, "00g"):
		return "the id of an Okta group that is not there"
	}
	return "something else"
}

// quietUnknownExternalID says why the rule is silent about r.
func quietUnknownExternalID(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		if !ix.Live(r) {
			return "it is DEPROVISIONED, and no live candidate"
		}
		return "no Databricks user whose id Okta doesn't know has its name"
	case audit.OktaGroupKind:
		return "no Databricks group whose id Okta doesn't know has its name"
	case audit.OktaAppKind:
		return "no service principal whose id Okta doesn't know could be it"
	case audit.DatabricksWorkspaceKind:
		return ""
	}
	switch {
	case ix.ExternalID(r) == "":
		return "its externalId is blank"
	case leftOut(ix, r):
		return leftOutWhy
	}
	return fmt.Sprintf("its externalId is the id of an %s", noun[oktaKind[r.Kind]])
}
