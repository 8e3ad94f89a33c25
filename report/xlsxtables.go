package report

import (
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// planSheetTable has the operations and, after them, the findings for which a
// person must choose an identity. Column decision is filled in by people.
func planSheetTable(r *audit.Report) table {
	return table{
		columns: []column{{name: "id", width: 36}, {name: "decision", width: 24}, {name: "action", width: 18},
			{name: "target", width: 32}, {name: "name", width: 30}, {name: "field", width: 16}, {name: "from", width: 24},
			{name: "to", width: 24}, {name: "evidence", width: 60}, {name: "choices", width: 50, list: true},
			{name: "because", width: 40, list: true}, {name: "risk", width: 8}, {name: "reversible", width: 10}},
		rows: func(yield func([]string) bool) {
			p := planOf(r)
			for _, op := range p.Operations {
				if !yield([]string{op.ID, toDecide(op), string(op.Action),
					op.Target.String(), op.Name, op.Field, op.From,
					op.To, op.Evidence, "approve reject",
					strings.Join(op.Because, " "), op.Risk, yesNo(op.Reversible)}) {
					return
				}
			}
			findings := map[string]*audit.Finding{}
			for i := range r.Findings {
				findings[r.Findings[i].ID] = &r.Findings[i]
			}
			for _, m := range p.Manual {
				if m.Remedy != audit.RemedyChoose {
					continue
				}
				var name, target string
				choices := links(m)
				if f := findings[m.Finding]; f != nil {
					name = f.Key
					var ours []audit.Subject
					for _, s := range f.Subjects {
						if s.Kind == audit.DatabricksUserKind || s.Kind == audit.DatabricksGroupKind || s.Kind == audit.DatabricksServicePrincipalKind {
							ours = append(ours, s)
						}
					}
					target = joined(ours)
					if len(ours) > 1 {
						for _, s := range ours {
							choices = append(choices, "keep:"+s.String())
						}
					}
				}
				if !yield([]string{m.Finding, "", string(m.Remedy), target, name, "", "", "",
					m.What, strings.Join(choices, " "), m.Finding, "", ""}) {
					return
				}
			}
		},
	}
}

// links returns the decisions that link a candidate.
func links(m audit.Manual) (choices []string) {
	for _, c := range m.Candidates {
		choices = append(choices, "link:"+c.ID)
	}
	return choices
}

// manualTable has what people must do elsewhere.
func manualTable(r *audit.Report) table {
	return table{
		columns: []column{{name: "finding", width: 36}, {name: "remedy", width: 11}, {name: "what", width: 90},
			{name: "candidates", width: 60, list: true}},
		rows: func(yield func([]string) bool) {
			for _, m := range planOf(r).Manual {
				if !yield([]string{m.Finding, string(m.Remedy), m.What, joined(m.Candidates)}) {
					return
				}
			}
		},
	}
}

// rulesTable has the doc of every rule.
func rulesTable(r *audit.Report) table {
	return table{
		columns: []column{{name: "rule", width: 24}, {name: "severity", width: 10}, {name: "title", width: 36, wrap: true},
			{name: "what", width: 60, wrap: true}, {name: "why", width: 60, wrap: true}, {name: "how to fix", width: 60, wrap: true}},
		rows: func(yield func([]string) bool) {
			for _, rule := range r.Rules {
				if !yield([]string{rule.Name, rule.Severity.String(), rule.Title(),
					docSection(rule.Doc, "What"), docSection(rule.Doc, "Why"), docSection(rule.Doc, "How to fix")}) {
					return
				}
			}
		},
	}
}

// docSection returns the text under a heading of a rule's doc.
func docSection(doc, heading string) string {
	_, text, _ := strings.Cut(doc, "\n## "+heading+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	return strings.TrimSpace(text)
}
