package report

import (
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// longest is how many choices a list offers; with more they are typed.
const longest = 500

// planTab has the operations and, after them, the findings for which a person
// must choose an identity. Column decision is filled in by people, and read back
// together with id by package decisions.
func (b *workbook) planTab(r *audit.Report) sheet {
	var list, place, rule string
	return sheet{
		name: planSheet, about: "what a program can change, and what is to choose: decide here", color: "2E7D32", frozen: 2,
		table: table{
			columns: []column{{name: "id", width: 36}, {name: "decision", width: 24}, {name: "severity", width: 10}, {name: "risk", width: 8}, {name: "action", width: 18},
				{name: "target", width: 32, list: true}, {name: "name", width: 30}, {name: "field", width: 16}, {name: "from", width: 24},
				{name: "to", width: 24}, {name: "evidence", width: 60, wrap: true}, {name: "choices", width: 60, wrap: true},
				{name: "rule", width: 24}, {name: "because", width: 40, list: true}, {name: "reversible", width: 10}},
			rows: func(line *row, yield func() bool) {
				p := b.places.plan
				for i := range p.Operations {
					op := &p.Operations[i]
					severity := ""
					list, place, rule = `"approve,reject"`, "", ""
					if at := b.places.because[i]; at >= 0 {
						head := r.Findings.Head(int(at))
						severity, rule, place = head.Severity.String(), head.Rule, b.places.row(findingsSheet, int(at))
					}
					line.set(op.ID, toDecide(*op), severity, op.Risk, string(op.Action),
						op.Target.String(), op.Name, op.Field, op.From,
						op.To, op.Evidence, "approve or reject",
						rule, strings.Join(op.Because, " "), yesNo(op.Reversible))
					if !yield() {
						return
					}
				}
				for m := range p.Manual.All() {
					if m.Remedy != audit.RemedyChoose {
						continue
					}
					name, severity, told := "", "", ""
					list, place, rule = b.list(m), "", ""
					ours := recordsOf(r, b.places, m)
					if at := b.places.choice[m.Finding].finding; at >= 0 {
						f := r.Findings.At(at)
						name, severity, rule, place = f.Key, f.Severity.String(), f.Rule, b.places.row(findingsSheet, at)
						told = b.choicesTold(r, &f, m)
						if len(ours) == 1 {
							name = nameIn(r, &f, ours[0])
						}
					} else {
						told = strings.Join(choicesOf(m), "\n")
					}
					line.set(m.Finding, "", severity, "", string(m.Remedy), joined(ours), name, "", "", "",
						m.What, told, rule, m.Finding, "")
					if !yield() {
						return
					}
				}
			},
		},
		links:   func() []link { return []link{{12, b.places.rule(rule)}, {13, place}} },
		choices: func() string { return list },
	}
}

// recordsOf returns the Databricks identities that a finding to choose is about.
func recordsOf(r *audit.Report, p *places, m *audit.Manual) (ours []audit.Subject) {
	if at := p.choice[m.Finding].finding; at >= 0 {
		for _, s := range r.Findings.At(at).Subjects {
			if databricksSide(s.Kind) {
				ours = append(ours, s)
			}
		}
		return ours
	}
	for _, record := range m.Records {
		ours = append(ours, record.Subject)
	}
	return ours
}

// choicesOf returns the decisions that are possible about a finding.
func choicesOf(m *audit.Manual) (choices []string) {
	for _, c := range m.Candidates {
		choices = append(choices, "link:"+c.ID)
	}
	if len(m.Records) > 1 {
		for _, record := range m.Records {
			choices = append(choices, "keep:"+record.Subject.String())
		}
	}
	return choices
}

// choicesTold says what each of the choices means, a line each.
func (b *workbook) choicesTold(r *audit.Report, f *audit.Finding, m *audit.Manual) string {
	keeper := suggested(f)
	l := b.lines.begin()
	for _, c := range m.Candidates {
		if l.next() {
			l.show(fmt.Sprintf("link:%s is %s", visible(c.ID), called(nameIn(r, f, c))))
		}
	}
	if len(m.Records) < 2 {
		return l.String()
	}
	for _, record := range m.Records {
		if !l.next() {
			continue
		}
		text := fmt.Sprintf("keep:%s is %s", visible(record.Subject.String()), called(record.Name))
		if record.Subject == keeper {
			text += " (suggested)"
		}
		l.show(text)
	}
	return l.String()
}

// suggested returns the record that the finding suggests to keep, or none.
func suggested(f *audit.Finding) (keeper audit.Subject) {
	for i := range f.Evidence {
		if f.Evidence[i].Role == "suggested keeper" {
			keeper = f.Evidence[i].Subject
		}
	}
	return keeper
}

// list returns the formula of the choices of a finding, which stand on a sheet of
// their own: in a cell's rule a list of more than 255 letters has no room.
func (b *workbook) list(m *audit.Manual) string {
	choices := choicesOf(m)
	if len(choices) == 0 || len(choices) > longest || len(b.lists)+len(choices) >= b.rows {
		return ""
	}
	from := len(b.lists) + 2
	b.lists = append(b.lists, choices...)
	return fmt.Sprintf("%s!$A$%d:$A$%d", listsSheet, from, len(b.lists)+1)
}

// choiceLists is the sheet of these choices, out of sight.
func (b *workbook) choiceLists() sheet {
	return sheet{name: listsSheet, hidden: true, table: table{
		columns: []column{{name: "choices", width: 60}},
		rows: func(line *row, yield func() bool) {
			for _, choice := range b.lists {
				line.set(choice)
				if !yield() {
					return
				}
			}
		},
	}}
}
