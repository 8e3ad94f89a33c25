package report

import (
	"iter"

	"github.com/aimcheck/aimcheck/audit"
)

// findings, subjects and crosswalk are the CSV files' tables, with links; and the
// findings with their age, where there is a history.
func (b *workbook) findings(r *audit.Report) sheet {
	var f *audit.Finding
	t := tableOf(func(yield func(*audit.Finding) bool) {
		for f = range r.Findings.Brief().All() {
			if !yield(f) {
				return
			}
		}
	})
	rows := t.rows
	aged := false
	for _, head := range r.Findings.Heads() {
		aged = aged || head.State != ""
	}
	if aged {
		t.columns = append(t.columns, column{name: "state", width: 11}, column{name: "first_seen", width: 18})
		t.rows = func(line *row, yield func() bool) {
			rows(line, func() bool {
				line.add(string(f.State), firstSeen(f))
				return yield()
			})
		}
	}
	return sheet{name: findingsSheet, about: "every finding, gravest first", table: t, frozen: 1,
		links: func() []link {
			return []link{{1, b.places.rule(f.Rule)}, {6, b.identity(f)}}
		}}
}

func (b *workbook) subjects(r *audit.Report) sheet {
	t := subjectsTable(r)
	var last *row
	rows := t.rows
	t.rows = func(line *row, yield func() bool) {
		last = line
		rows(line, yield)
	}
	return sheet{name: subjectsSheet, about: "every identity of every finding, with the value that proves it", table: t,
		links: func() []link {
			s, err := audit.ParseSubject(last.cell(3))
			if err != nil {
				return nil
			}
			return []link{{1, b.places.rule(last.cell(1))}, {3, b.places.identity[s]}}
		}}
}

// crosswalk notes where those identities stand that other sheets lead to.
func (b *workbook) crosswalk(rows iter.Seq[audit.CrosswalkRow]) sheet {
	i := 0
	return sheet{name: crosswalkSheet, about: "every identity beside its counterpart, and what AIM would do to it", frozen: 2,
		table: crosswalkOf(func(yield func(*audit.CrosswalkRow) bool) {
			for row := range pointed(rows) {
				if _, wanted := b.places.identity[row.Subject]; wanted {
					b.places.identity[row.Subject] = b.places.row(crosswalkSheet, i)
				}
				i++
				if !yield(row) {
					return
				}
			}
		})}
}

// firstSeen returns when a run first had the finding, in UTC; blank if that is not known.
func firstSeen(f *audit.Finding) string {
	if f.FirstSeen.IsZero() {
		return ""
	}
	return f.FirstSeen.UTC().Format("2006-01-02 15:04")
}
