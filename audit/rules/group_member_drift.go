package rules

import (
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// GroupMemberDrift finds groups whose members AIM would change.
var GroupMemberDrift = &audit.Rule{
	Name:     "group-member-drift",
	Family:   audit.GroupsFamily,
	Severity: audit.Warning,
	Checks: []audit.Check{{
		Needs: []audit.Input{audit.OktaUsers, audit.OktaGroups, audit.OktaMembers,
			// Any of Databricks' objects may hold the id that would be set.
			audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals, audit.DatabricksMembers},
		Run: groupMemberDrift,
	}},
	Quiet: quietGroupMemberDrift,
	Doc: `A group's members differ between the directories

## What
A Databricks group is linked, or would be linked automatically, and its members are
not those of the Okta group: some would gain access, some would lose it (an error),
and some AIM can't know, such as local users, service principals and groups within
the group.

## Why
AIM makes the Okta group's members those of the Databricks group. What people do
with the group's permissions changes on that day.

## How to fix
Before the link is made, add in Okta who must stay, and ask the group's owner about
those who would come in.
`,
	Examples: []audit.Example{{
		Name: "the same members",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1"),
			oktaGroup("00g1", "Same"), group("2", "Same", "00g1"),
			oktaMembers("00g1", "00u1"), members("2", "1"),
		},
	}, {
		Name: "somebody loses access",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "00u1"),
			oktaGroup("00g1", "Loses"), group("2", "Loses", "00g1"),
			oktaMembers("00g1"), members("2", "1"),
		},
		Want: []string{"error review databricks:group:2: databricks:group:2 okta:group:00g1"},
	}, {
		Name: "somebody gains access, and one is not known to Okta",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), user("1", "local@example.org", ""),
			oktaGroup("00g1", "Gains"), group("2", "Gains", ""),
			oktaMembers("00g1", "00u1"), members("2", "1"),
		},
		Want: []string{"warning review databricks:group:2: databricks:group:2 okta:group:00g1"},
	}},
}

func ids(of []string) audit.Values {
	var vs []audit.Value
	for _, id := range of {
		vs = append(vs, audit.Value{Value: id})
	}
	return audit.NewValues(vs...)
}

func oktaMembers(group string, users ...string) audit.OktaGroupMembers {
	return audit.OktaGroupMembers{Group: group, Members: ids(users)}
}

func members(group string, of ...string) audit.DatabricksGroupMembers {
	return audit.DatabricksGroupMembers{Group: group, Members: ids(of)}
}

func groupMemberDrift(p *audit.Pass) {
	for g := range p.All(audit.DatabricksGroupKind) {
		o, ok := p.LinkedTo(g)
		if !ok {
			o, ok = p.Automatic(g)
		}
		if !ok || !p.Managed(g) {
			continue
		}
		drift := p.MemberDrift(g, o)
		f := audit.Finding{
			Key: p.Subject(g).String(), Remedy: audit.RemedyReview,
			Subjects: p.Subjects(one(g), one(o)), Evidence: describe(p, one(g), one(o)),
		}
		var parts []string
		tell := func(n int, does, role string, who []audit.Ref) {
			if n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, does))
			}
			for _, r := range union(who) {
				f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(r), Role: role, Field: "members", Value: p.Name(r)})
			}
		}
		tell(len(drift.Lose), "would lose access", "loses access", drift.Lose)
		tell(len(drift.Gain), "would gain access", "gains access", drift.Gain)
		tell(len(drift.Unknown)+len(drift.Strangers), "AIM can't know", "is not known to Okta", drift.Unknown)
		for _, id := range drift.Strangers {
			f.Evidence = append(f.Evidence, audit.Evidence{Subject: p.Subject(g), Role: "has an unknown member", Field: "members", Value: id})
		}
		if len(parts) == 0 {
			continue
		}
		if len(drift.Lose) > 0 {
			f.Severity = audit.Error
		}
		f.Message = fmt.Sprintf("the members of Databricks group %s differ from Okta's: %s", p.Name(g), strings.Join(parts, ", "))
		p.Report(f)
	}
}

// quietGroupMemberDrift says why the rule is silent about r.
func quietGroupMemberDrift(ix *audit.Index, r audit.Ref) string {
	switch {
	case r.Kind == audit.OktaGroupKind:
		return "no Databricks group that is or would be linked to it has other members"
	case r.Kind != audit.DatabricksGroupKind:
		return ""
	case leftOut(ix, r):
		return leftOutWhy
	case ix.LinkState(r) != audit.LinkedLive:
		if _, ok := ix.Automatic(r); !ok {
			return "it is not linked, and would not be automatically"
		}
	}
	return "its members are the Okta group's"
}
