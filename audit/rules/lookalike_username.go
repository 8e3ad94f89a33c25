package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// LookalikeUsername finds names of different people that look the same.
var LookalikeUsername = &audit.Rule{
	Name:     "lookalike-username",
	Family:   audit.UniquenessFamily,
	Severity: audit.Warning,
	Checks:   []audit.Check{{Needs: bothUsers, Run: lookalikeUsername}},
	Quiet:    quietLookalikeUsername,
	Doc: `Usernames of different people look the same

## What
Names of different people, in one directory or across both, have the same skeleton
under Unicode's UTS #39 (a Cyrillic o beside a Latin one, rn beside m), or are the
same under full case folding (ß beside ss). People are different when no id and no
name ties them, through users of any status. The key is the skeleton, which is not
a name that anybody has.

## Why
Whoever reviews a list of names takes them for one. A permission or a link given to
the wrong one is hard to see, and some of these names are made to deceive.

## How to fix
Look at who the people are. If it is one person, correct the name where it is
wrong; if a name was made to look like another's, take it up with your security
team.
`,
	Examples: []audit.Example{{
		Name:   "one person, tied by id",
		Tenant: []any{okta("00u1", "omar@example.com", "omar@example.com"), user("1", "\u043emar@example.com", "00u1")},
	}, {
		Name:   "a Cyrillic letter",
		Tenant: []any{okta("00u1", "omar@example.com", "omar@example.com"), user("1", "\u043emar@example.com", "")},
		Want:   []string{"warning review ornar@exarnple.corn: databricks:user:1 okta:user:00u1"},
	}, {
		Name:   "the same under full case folding",
		Tenant: []any{okta("00u1", "strauss@example.com", "strauss@example.com"), user("1", "strauß@example.com", "")},
		Want:   []string{"warning review strauss@exarnple.corn: databricks:user:1 okta:user:00u1"},
	}},
}

func lookalikeUsername(p *audit.Pass) {
	for _, l := range p.Lookalikes() {
		p.Report(audit.Finding{
			Key: l.Skeleton, Remedy: audit.RemedyReview,
			Subjects: p.Subjects(slices.Values(l.Holders)),
			Evidence: names(p, l.Holders),
			Message:  fmt.Sprintf("%d users who are not known to be one person have names that look like %s", len(l.Holders), l.Skeleton),
		})
	}
}

// names are all names of the users.
func names(p *audit.Pass, users []audit.Ref) []audit.Evidence {
	var es []audit.Evidence
	for _, r := range users {
		if r.Kind == audit.OktaUserKind {
			es = append(es, loginOf(p, r), emailOf(p, r))
		} else {
			es = append(es, userNameOf(p, r))
		}
	}
	return es
}

// quietLookalikeUsername says why the rule is silent about r.
func quietLookalikeUsername(_ *audit.Index, r audit.Ref) string {
	if r.Kind == audit.OktaUserKind || r.Kind == audit.DatabricksUserKind {
		return "no other person's name looks like its"
	}
	return ""
}
