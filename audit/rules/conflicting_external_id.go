package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// ConflictingExternalID finds Databricks users whose id is one person's and whose
// name is another's.
var ConflictingExternalID = &audit.Rule{
	Name:      "conflicting-external-id",
	Family:    audit.LinksFamily,
	Severity:  audit.Blocker,
	Collision: true,
	Checks:    []audit.Check{{Needs: bothUsers, Run: conflictingExternalID}},
	Quiet:     quietConflictingExternalID,
	Doc: `A Databricks user has one person's id and another's name

## What
The externalId of a Databricks user is the id of one Okta user, while its userName
is the login or email of another, live one: ids were swapped, an address went to
somebody else, or a person was hired again under a new Okta record. Conflicts that
share an Okta user are one finding.

## Why
By id the record belongs to one person, by name to another. When AIM is enabled one
of them works with the other's permissions.

## How to fix
Never automatic: it would hand one person's access to another. Find out whose
permissions and work the record holds. Then either replace the id (decision link:),
or have Databricks Support rename the record.
`,
	Examples: []audit.Example{{
		Name: "id and name are one person's",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "bo@example.com"),
			user("1", "ana@example.com", "00u1"),
		},
	}, {
		Name: "two users with swapped ids",
		Tenant: []any{
			okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "bo@example.com"),
			user("1", "ana@example.com", "00u2"), user("2", "bo@example.com", "00u1"),
		},
		Want: []string{"blocker choose databricks:user:1: databricks:user:1 databricks:user:2 okta:user:00u1 okta:user:00u2"},
	}, {
		Name: "hired again",
		Tenant: []any{
			gone(okta("00u1", "dee.1@example.com", "dee@example.com")), okta("00u2", "dee@example.com", "dee@example.com"),
			user("1", "dee@example.com", "00u1"),
		},
		Want: []string{"blocker choose databricks:user:1: databricks:user:1 okta:user:00u1 okta:user:00u2"},
	}},
}

func conflictingExternalID(p *audit.Pass) {
	var conflicts []audit.Conflict
	for d := range p.All(audit.DatabricksUserKind) {
		if c, ok := p.Conflict(d); ok {
			conflicts = append(conflicts, c)
		}
	}
	for _, cluster := range sharing(conflicts) {
		f := audit.Finding{Remedy: audit.RemedyChoose}
		var users, owners, others []audit.Ref
		for _, c := range cluster {
			users, owners, others = append(users, c.User), append(owners, c.Owner), append(others, c.Others...)
		}
		f.Subjects = p.Subjects(slices.Values(users), slices.Values(owners), slices.Values(others))
		f.Evidence = describe(p, slices.Values(users), slices.Values(union(owners, others)))
		f.Key = p.Subject(slices.MinFunc(users, audit.Ref.Compare)).String()
		c := cluster[0]
		f.Message = fmt.Sprintf("Databricks user %s has the id of Okta user %s and the name of %s",
			p.Name(c.User), p.Name(c.Owner), p.Name(c.Others[0]))
		if len(cluster) > 1 {
			f.Message += fmt.Sprintf(", one of %d that are entangled", len(cluster))
		}
		p.Report(f)
	}
}

// sharing groups conflicts that have an Okta user in common, directly or through
// others, in the order of their first member.
func sharing(conflicts []audit.Conflict) [][]audit.Conflict {
	parent := make([]int, len(conflicts))
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[audit.Ref]int{} // the first conflict with each Okta user
	for i, c := range conflicts {
		parent[i] = i
		for _, o := range append([]audit.Ref{c.Owner}, c.Others...) {
			if j, ok := first[o]; ok {
				a, b := find(i), find(j)
				parent[max(a, b)] = min(a, b)
			} else {
				first[o] = i
			}
		}
	}
	clusters := make([][]audit.Conflict, len(conflicts))
	for i, c := range conflicts {
		root := find(i)
		clusters[root] = append(clusters[root], c)
	}
	return slices.DeleteFunc(clusters, func(c []audit.Conflict) bool { return len(c) == 0 })
}

// quietConflictingExternalID says why the rule is silent about r.
func quietConflictingExternalID(ix *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		return "no Databricks user has its id and another's name, or the other way round"
	case audit.DatabricksUserKind:
		o, linked := ix.LinkedTo(r)
		switch {
		case !linked:
			return "its externalId is nobody's id"
		case ix.Live(o) && ix.HasName(r, o):
			return "its id and its name are one person's"
		}
		return "nobody else who is live has its name"
	}
	return ""
}
