package rules

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/aimcheck/aimcheck/audit"
)

// MalformedUsername finds names that people can't type or that are no address.
var MalformedUsername = &audit.Rule{
	Name:     "malformed-username",
	Family:   audit.UniquenessFamily,
	Severity: audit.Warning,
	Checks: []audit.Check{
		{About: "Databricks users", Needs: []audit.Input{audit.DatabricksUsers}, Apart: true, Run: malformedUserName},
		{About: "Okta users", Needs: oktaUsers, Apart: true, Run: malformedOktaName},
	},
	Quiet: quietMalformedUsername,
	Doc: `A username has white space or invisible characters, or is no address

## What
A login, email or userName has white space anywhere, or control or format
characters (classes Cc and Cf, such as a zero-width space), or a userName is no
email address: one @, something on both sides, a dot in the domain. Users of every
status are checked.

## Why
Such characters can't be seen. Two names that look the same are two names to AIM,
and a person signs in beside the record that was meant.

## How to fix
In Okta, correct the login or email. In Databricks no API can change a username:
ask Databricks Support, see support-ticket.md.
`,
	Examples: []audit.Example{{
		Name:   "addresses as they should be",
		Tenant: []any{okta("00u1", "ana", "ana@example.com"), user("1", "ana@example.com", "00u1")},
	}, {
		Name:   "a zero-width space",
		Tenant: []any{okta("00u1", "fay@example.com", "fay\u200b@example.com")},
		Want:   []string{"warning okta okta:user:00u1: okta:user:00u1"},
	}, {
		Name:   "no address",
		Tenant: []any{user("1", "no-address", ""), user("2", "two@at@example.com", ""), user("3", "ana@localhost", ""), user("4", " ana@example.com", "")},
		Want: []string{
			"warning support databricks:user:1: databricks:user:1", "warning support databricks:user:2: databricks:user:2",
			"warning support databricks:user:3: databricks:user:3", "warning support databricks:user:4: databricks:user:4",
		},
	}},
}

func malformedUserName(p *audit.Pass) {
	for d := range p.All(audit.DatabricksUserKind) {
		userName := p.Name(d)
		what := unseen(userName)
		if what == "" && !isAddress(userName) {
			what = "is no email address"
		}
		if what == "" {
			continue
		}
		f := audit.Finding{
			Key: p.Subject(d).String(), Remedy: audit.RemedySupport, Subjects: p.Subjects(one(d)),
			Evidence: []audit.Evidence{userNameOf(p, d)},
			Message:  fmt.Sprintf("the userName of Databricks user %s %s", p.Subject(d).ID, what),
		}
		for _, target := range shouldBe(p, d) {
			f.Evidence = append(f.Evidence,
				audit.Evidence{Subject: p.Subject(d), Role: "target username of", Field: "userName", Value: target})
		}
		p.Report(f)
	}
}

// shouldBe returns the usernames that d's Okta user gives it, where there is one.
func shouldBe(p *audit.Pass, d audit.Ref) []string {
	if o, ok := p.OktaOf(d); ok {
		return targets(p, d, o)
	}
	return nil
}

func malformedOktaName(p *audit.Pass) {
	for o := range p.All(audit.OktaUserKind) {
		user := p.OktaUser(o)
		var evidence []audit.Evidence
		var what []string
		inLogin := unseen(user.Login)
		inEmail := inLogin
		if user.Email != user.Login {
			inEmail = unseen(user.Email)
		}
		if inLogin != "" {
			what, evidence = append(what, "login "+inLogin), append(evidence, loginOf(p, o))
		}
		if inEmail != "" {
			what, evidence = append(what, "email "+inEmail), append(evidence, emailOf(p, o))
		}
		if len(what) == 0 {
			continue
		}
		p.Report(audit.Finding{
			Key: p.Subject(o).String(), Remedy: audit.RemedyOkta, Subjects: p.Subjects(one(o)), Evidence: evidence,
			Message: fmt.Sprintf("Okta user %s: %s", user.ID, strings.Join(what, ", ")),
		})
	}
}

// unseen says what in a name can't be seen, or nothing.
func unseen(name string) string {
	if audit.Plain(name) {
		return ""
	}
	for _, r := range name {
		switch {
		case ' ' < r && r <= '~':
		case unicode.IsSpace(r):
			return "has white space"
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return fmt.Sprintf("has the invisible character %U", r)
		}
	}
	return ""
}

func isAddress(userName string) bool {
	local, domain, _ := strings.Cut(userName, "@")
	return local != "" && strings.Contains(domain, ".") && !strings.Contains(domain, "@")
}

// quietMalformedUsername says why the rule is silent about r.
func quietMalformedUsername(_ *audit.Index, r audit.Ref) string {
	switch r.Kind {
	case audit.OktaUserKind:
		return "its login and email have no white space and nothing invisible"
	case audit.DatabricksUserKind:
		return "its userName is an address without white space or anything invisible"
	}
	return ""
}
