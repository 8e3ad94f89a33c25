package report

import (
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// legend has the doc of every rule and, after them, the meaning of every other
// word of the workbook.
func (b *workbook) legend(r *audit.Report) sheet {
	return sheet{
		name: legendSheet, about: "what each rule and each word means, why it matters, how to fix it", frozen: 2,
		table: table{
			columns: []column{{name: "kind", width: 12}, {name: "name", width: 26}, {name: "severity", width: 10}, {name: "family", width: 12},
				{name: "in short", width: 40, wrap: true}, {name: "what", width: 60, wrap: true}, {name: "why", width: 60, wrap: true}, {name: "how to fix", width: 60, wrap: true},
				{name: "in this audit", width: 40, wrap: true}},
			rows: func(line *row, yield func() bool) {
				said := inThisAudit(r)
				for _, rule := range r.Rules {
					line.set("rule", rule.Name, rule.Severity.String(), string(rule.Family), rule.Title(),
						flowing(docSection(rule.Doc, "What")), flowing(docSection(rule.Doc, "Why")), flowing(docSection(rule.Doc, "How to fix")), said[rule.Name])
					if !yield() {
						return
					}
				}
				for _, w := range words() {
					severity := ""
					if w.kind == "severity" {
						severity = w.word
					}
					line.set(w.kind, w.word, severity, "", w.means, "", "", "", "")
					if !yield() {
						return
					}
				}
			},
		},
	}
}

// inThisAudit says what each rule found, or why it did not look.
func inThisAudit(r *audit.Report) map[string]string {
	found, waived := map[string]int{}, map[string]int{}
	for _, head := range r.Findings.Heads() {
		if head.Waived {
			waived[head.Rule]++
		} else {
			found[head.Rule]++
		}
	}
	said := map[string]string{}
	for _, rule := range r.Rules {
		var parts []string
		if n := found[rule.Name]; n > 0 {
			parts = append(parts, counted(n, "finding"))
		}
		if n := waived[rule.Name]; n > 0 {
			parts = append(parts, thousands(n)+" waived")
		}
		for _, skip := range r.Skipped {
			if skip.Rule == rule.Name {
				parts = append(parts, strings.TrimSpace("not run "+skip.About)+": "+skip.Reason)
			}
		}
		if len(parts) == 0 {
			parts = []string{"nothing found"}
		}
		said[rule.Name] = strings.Join(parts, "; ")
	}
	return said
}

// A word is one that stands in cells.
type word struct{ kind, word, means string }

func words() (ws []word) {
	for _, s := range audit.Severities() {
		ws = append(ws, word{"severity", s.String(), severityDoc(s)})
	}
	for _, m := range []audit.Remedy{audit.RemedyAutomatic, audit.RemedyChoose, audit.RemedyOkta, audit.RemedySupport, audit.RemedyReview} {
		ws = append(ws, word{"remedy", string(m), remedy(m)})
	}
	for _, o := range audit.Outcomes() {
		ws = append(ws, word{"outcome", string(o), meaning(o)})
	}
	return append(ws,
		word{"link state", string(audit.LinkedLive), "externalId is the id of a live Okta object of the same kind"},
		word{"link state", string(audit.LinkedInactive), "externalId is the id of an Okta user who is deprovisioned"},
		word{"link state", string(audit.Stale), "externalId is something that Okta does not know as an id of this kind"},
		word{"link state", string(audit.Unlinked), "externalId is blank: AIM does not know whose it is"},
		word{"link state", "", "not known: Okta's apps were not read, which service principals are compared with"},
		word{"decision", "approve", "apply carries the operation out"},
		word{"decision", "reject", "apply leaves it out"},
		word{"decision", "link:<okta id>", "the identity is this Okta object's: its externalId becomes that id"},
		word{"decision", "keep:<subject>", "of several identities this one is kept; the others are work for people, or are deactivated where the plan includes that"},
		word{"decision", "", "not decided: nothing is done"},
		word{"risk", "low", "a blank becomes what exactly one Okta object says"},
		word{"risk", "medium", "an id that is there is replaced or cleared, or a person chose it"},
		word{"risk", "high", "an admin's, the caller's or the token's identity, a deactivation, or an id that a person chose to replace"},
		word{"state", string(audit.New), "no earlier run had it; first_seen, in UTC, is this run"},
		word{"state", string(audit.Open), "the run before had it too"},
		word{"state", string(audit.Reopened), "an earlier run had it, and the run before had not"},
		word{"sheet", "all", "rows after the " + thousands(linkedRows) + "th of a sheet have no links and no lists to choose from; a sheet that is full goes on in the next"},
		word{"cell", "'…", "an apostrophe in front keeps a value from being a formula: take one off to have the value"},
		word{"cell", "… and n more", "the list is too long for a cell: it stands whole on the sheet Subjects"})
}

// docSection returns the text under a heading of a rule's doc.
func docSection(doc, heading string) string {
	_, text, _ := strings.Cut(doc, "\n## "+heading+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	return strings.TrimSpace(text)
}

// flowing returns the text with its lines joined, for cells that break lines
// where they end; what is set apart or listed stays so.
func flowing(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		switch {
		case b.Len() == 0:
		case bare == "" || strings.HasPrefix(bare, "- ") || strings.HasSuffix(b.String(), "\n"):
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(bare)
	}
	return b.String()
}
