package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unique"

	"github.com/aimcheck/aimcheck/audit"
)

func one(r audit.Ref) iter.Seq[audit.Ref] { return func(yield func(audit.Ref) bool) { yield(r) } }

func loginOf(p *audit.Pass, o audit.Ref) audit.Evidence {
	return audit.Evidence{Subject: p.Subject(o), Role: "login of", Field: "profile.login", Value: p.Name(o)}
}

func emailOf(p *audit.Pass, o audit.Ref) audit.Evidence {
	return audit.Evidence{Subject: p.Subject(o), Role: "email of", Field: "profile.email", Value: p.OktaUser(o).Email}
}

func statusOf(p *audit.Pass, o audit.Ref) audit.Evidence {
	return audit.Evidence{Subject: p.Subject(o), Role: "status of", Field: "status", Value: p.Status(o)}
}

func userNameOf(p *audit.Pass, d audit.Ref) audit.Evidence {
	return audit.Evidence{Subject: p.Subject(d), Role: "userName of", Field: "userName", Value: p.Name(d)}
}

func externalIDOf(p *audit.Pass, d audit.Ref) audit.Evidence {
	return audit.Evidence{Subject: p.Subject(d), Role: "externalId of", Field: "externalId", Value: p.ExternalID(d)}
}

// appendNamed says what a Databricks or Okta object is called, and where that stands.
func appendNamed(es []audit.Evidence, p *audit.Pass, r audit.Ref) []audit.Evidence {
	name := func(field string) audit.Evidence {
		return audit.Evidence{Subject: p.Subject(r), Role: "name of", Field: field, Value: p.Name(r)}
	}
	switch r.Kind {
	case audit.OktaUserKind:
		return append(es, loginOf(p, r), emailOf(p, r), statusOf(p, r))
	case audit.OktaGroupKind:
		return append(es, name("profile.name"),
			audit.Evidence{Subject: p.Subject(r), Role: "type of", Field: "type", Value: p.OktaGroup(r).Type})
	case audit.OktaAppKind:
		return append(es, name("label"),
			audit.Evidence{Subject: p.Subject(r), Role: "client id of", Field: "credentials.oauthClient.client_id", Value: p.OktaApp(r).ClientID})
	case audit.DatabricksUserKind:
		return append(es, userNameOf(p, r))
	}
	return append(es, name("displayName"))
}

// describe names and places the objects of the sequences as evidence.
func describe(p *audit.Pass, seqs ...iter.Seq[audit.Ref]) []audit.Evidence {
	es := make([]audit.Evidence, 0, 5) // what one user on each side makes
	for _, seq := range seqs {
		for r := range seq {
			es = appendNamed(es, p, r)
			if r.Kind < audit.OktaAppKind {
				es = append(es, externalIDOf(p, r))
			}
		}
	}
	return es
}

// link is the change that gives d the id of the Okta object o.
func link(p *audit.Pass, d, o audit.Ref) audit.Change {
	c := audit.Change{
		Action: audit.SetExternalID, Target: p.Subject(d), Field: "externalId",
		From: p.ExternalID(d), To: p.Subject(o).ID,
	}
	switch {
	case c.From != "":
		c.Class = audit.ClassOverwrite
	case d.Kind == audit.DatabricksUserKind:
		c.Class = audit.ClassUsers
	case d.Kind == audit.DatabricksGroupKind:
		c.Class = audit.ClassGroups
	default:
		c.Class = audit.ClassServicePrincipals
	}
	why := fmt.Sprintf("%s is the %s of exactly one live %s, and no object holds its id", nameField[d.Kind], how(p, d, o), noun[o.Kind])
	c.Why = unique.Make(why).Value() // one of a few sentences, for hundreds of thousands
	return c
}

var nameField = map[audit.Kind]string{
	audit.DatabricksUserKind: "userName", audit.DatabricksGroupKind: "displayName",
	audit.DatabricksServicePrincipalKind: "the service principal",
}

var noun = map[audit.Kind]string{
	audit.OktaUserKind: "Okta user", audit.OktaGroupKind: "Okta group", audit.OktaAppKind: "Okta app",
	audit.DatabricksUserKind: "user", audit.DatabricksGroupKind: "group",
	audit.DatabricksServicePrincipalKind: "service principal",
}

// how says by what d's name is o's.
func how(p *audit.Pass, d, o audit.Ref) string {
	switch o.Kind {
	case audit.OktaUserKind:
		if audit.Fold(p.Name(d)) == audit.Fold(p.OktaUser(o).Login) {
			return "login"
		}
		return "email"
	case audit.OktaAppKind:
		if p.OktaApp(o).ClientID == p.DatabricksServicePrincipal(d).ApplicationID {
			return "client id"
		}
		return "label"
	}
	return "name"
}

// plural returns "1 thing" or "n things".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// live counts the live ones among Okta users.
func live(p *audit.Pass, refs []audit.Ref) int {
	n := 0
	for _, o := range refs {
		if p.Live(o) {
			n++
		}
	}
	return n
}

// union returns every ref once, in order.
func union(lists ...[]audit.Ref) []audit.Ref {
	all := slices.Concat(lists...)
	slices.SortFunc(all, audit.Ref.Compare)
	return slices.Compact(all)
}

func blank(name string) bool { return strings.TrimSpace(name) == "" }

// suggested says whom a user could be that nobody's name fits.
func suggested(p *audit.Pass, d audit.Ref) []audit.Evidence {
	var es []audit.Evidence
	for _, s := range p.Suggestions(d) {
		es = append(es, audit.Evidence{Subject: p.Subject(s.Okta), Role: "suggestion", Field: "profile.login",
			Value: fmt.Sprintf("%s (score %.1f: %s)", p.Name(s.Okta), s.Score, s.Why)})
	}
	return es
}

// keep suggests which of several records to keep.
func keep(p *audit.Pass, records []audit.Ref) audit.Evidence {
	d, why := p.Keeper(records)
	return audit.Evidence{Subject: p.Subject(d), Role: "suggested keeper", Field: "keep", Value: why}
}
