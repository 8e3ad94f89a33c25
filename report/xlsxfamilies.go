package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A cell for people has so many lines, of so many letters: other sheets have all.
const (
	most     = 12
	longLine = 400
)

// familyTabs returns a sheet for every family of rules: its findings in words.
func (b *workbook) familyTabs(r *audit.Report) (sheets []sheet) {
	families := audit.Families()
	const unknown audit.Family = "" // a rule of another version's findings may be of none
	for _, head := range r.Findings.Heads() {
		if b.places.family(head.Rule) == unknown {
			families = append(families, unknown)
			break
		}
	}
	for _, family := range families {
		sheets = append(sheets, b.familyTab(r, family))
	}
	return sheets
}

func (b *workbook) familyTab(r *audit.Report, family audit.Family) sheet {
	var f *audit.Finding
	i := 0
	return sheet{
		name: familySheet(family), about: familyDoc(family), color: "5B8DB8", frozen: 2, none: nothingFound(r, family),
		table: table{
			columns: []column{{name: "severity", width: 10}, {name: "rule", width: 24}, {name: "what", width: 56, wrap: true},
				{name: "in Databricks", width: 46, wrap: true}, {name: "in Okta", width: 46, wrap: true}, {name: "evidence", width: 60, wrap: true},
				{name: "who acts", width: 17}, {name: "plan", width: 12}, {name: "crosswalk", width: 24}, {name: "finding", width: 36}},
			rows: func(line *row, yield func() bool) {
				for i, f = range r.Findings.Where(func(h audit.FindingHead) bool { return b.places.family(h.Rule) == family }) {
					todo, _ := b.places.todo(f)
					line.set(f.Severity.String(), f.Rule, inShort(f.Message),
						b.whoIn(r, f, true), b.whoIn(r, f, false), b.facts(r, f),
						owner(f.Head(), family), todo, shortly(f), f.ID)
					if !yield() {
						return
					}
				}
			},
		},
		links: func() []link {
			_, todo := b.places.todo(f)
			return []link{{1, b.places.rule(f.Rule)}, {7, todo}, {8, b.identity(f)}, {9, b.places.row(findingsSheet, i)}}
		},
	}
}

// identity returns the place of the finding's first Databricks identity.
func (b *workbook) identity(f *audit.Finding) string {
	s, _ := inDatabricks(f)
	return b.places.identity[s]
}

// shortly names the finding's first Databricks identity, as what leads to the
// crosswalk: a link of several lines is not shown well by every program.
func shortly(f *audit.Finding) string {
	s, ok := inDatabricks(f)
	if !ok {
		return ""
	}
	_, kind, _ := strings.Cut(s.Kind.String(), ":")
	return strings.ReplaceAll(kind, "_", " ") + " " + s.ID
}

// familySheet returns the name of the family's sheet.
func familySheet(f audit.Family) string {
	if f == "" {
		return "Other rules"
	}
	return strings.ToUpper(string(f)[:1]) + string(f)[1:]
}

func familyDoc(f audit.Family) string {
	switch f {
	case audit.UniquenessFamily:
		return "names that mean several identities, or none for sure"
	case audit.LinksFamily:
		return "externalIds that are blank, unknown, held twice or somebody else's"
	case audit.NamesFamily:
		return "names that are missing, or differ between the directories"
	case audit.GroupsFamily:
		return "groups and their members"
	case audit.AccessFamily:
		return "rights, tokens and workspaces that need a look before the change"
	}
	return "of rules that this version of aimcheck does not know"
}

// nothingFound says of which rules of a family nothing was found, and which were not run.
func nothingFound(r *audit.Report, family audit.Family) string {
	var skipped []string
	for _, skip := range r.Skipped {
		i := slices.IndexFunc(r.Rules, func(rule *audit.Rule) bool { return rule.Name == skip.Rule })
		if i >= 0 && r.Rules[i].Family == family && !slices.Contains(skipped, skip.Rule) {
			skipped = append(skipped, skip.Rule)
		}
	}
	if len(skipped) == 0 {
		return "nothing found"
	}
	return "nothing found by the rules that were run; not run, or not of everything: " + strings.Join(skipped, ", ") + " (see " + legendSheet + ")"
}

// A lineCell gathers the lines of a cell, the first ones; the others are counted.
// Its memory is used again for the next cell: a workbook has millions.
type lineCell struct {
	text []byte
	n    int
}

func (l *lineCell) begin() *lineCell {
	l.text, l.n = l.text[:0], 0
	return l
}

// next counts another line, and reports whether it is to be shown.
func (l *lineCell) next() bool {
	l.n++
	if 1 < l.n && l.n <= most {
		l.text = append(l.text, '\n')
	}
	return l.n <= most
}

func (l *lineCell) show(text string) { l.text = append(l.text, cut(text, false, longLine)...) }

func (l *lineCell) String() string {
	if l.n > most {
		return fmt.Sprintf("%s\nand %s more: see %s", l.text, thousands(l.n-most), subjectsSheet)
	}
	return string(l.text)
}

// inShort returns the text as a cell for people has it.
func inShort(text string) string { return cut(visible(text), false, longLine) }

// whoIn names the finding's subjects in one of the directories, a line each.
func (b *workbook) whoIn(r *audit.Report, f *audit.Finding, databricks bool) string {
	l := b.lines.begin()
	for _, s := range f.Subjects {
		here := databricksSide(s.Kind) || s.Kind == audit.DatabricksWorkspaceKind
		if here == databricks && l.next() {
			l.show(who(r, f, s))
		}
	}
	return l.String()
}

// whoever names the finding's subjects in Databricks, or where there are none those in Okta.
func (b *workbook) whoever(r *audit.Report, f *audit.Finding) string {
	return cmp.Or(b.whoIn(r, f, true), b.whoIn(r, f, false))
}

// who names a subject for people: "pat@example.com (user 101)".
func who(r *audit.Report, f *audit.Finding, s audit.Subject) string {
	_, kind, _ := strings.Cut(s.Kind.String(), ":")
	return called(nameIn(r, f, s)) + " (" + strings.ReplaceAll(kind, "_", " ") + " " + visible(s.ID) + ")"
}

// facts tells the evidence, a line each, but for the names, which stand beside it.
func (b *workbook) facts(r *audit.Report, f *audit.Finding) string {
	l := b.lines.begin()
	for i := range f.Evidence {
		if e := &f.Evidence[i]; !names(e) && l.next() {
			l.show(fact(nameIn(r, f, e.Subject), e))
		}
	}
	return l.String()
}

// fact tells a piece of evidence: "email of pat@example.com: Pat@example.com".
func fact(name string, e *audit.Evidence) string {
	name = cmp.Or(name, e.Subject.ID)
	about := name + " " + e.Role
	if strings.HasSuffix(e.Role, " of") {
		about = e.Role + " " + name
	}
	return visible(about) + ": " + called(e.Value)
}
