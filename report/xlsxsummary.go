package report

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// A summary writes the first sheet from the top down. The first error stays.
type summary struct {
	book *workbook
	row  int
	err  error
}

// addSummary fills the first sheet; the others must be there, it links to them.
func (b *workbook) addSummary(r *audit.Report) error {
	s := &summary{book: b}
	for col, width := range map[string]float64{"A": 26, "B": 64, "C": 14, "D": 14, "E": 14, "F": 14} {
		s.keep(b.file.SetColWidth(summarySheet, col, col, width))
	}
	off := false
	s.keep(b.file.SetSheetView(summarySheet, 0, &excelize.ViewOptions{ShowGridLines: &off}))

	s.keep(b.printWide(summarySheet))
	s.keep(b.file.SetRowHeight(summarySheet, 1, 28))
	s.cells(b.title, "aimcheck: "+headline(r.Verdict))
	s.cells(0, because(r))
	head := r.Head
	s.gap()
	s.cells(0, "Okta org", head.Okta.Tenant)
	s.cells(0, "", fmt.Sprintf("%s, %s, read %s", counted(head.OktaUsers, "user"),
		counted(head.OktaGroups, "group"), moment(head.Okta.Finished)))
	s.cells(0, "Databricks account", head.Databricks.Tenant)
	s.cells(0, "", fmt.Sprintf("%s, %s, %s, read %s", counted(head.DatabricksUsers, "user"),
		counted(head.DatabricksGroups, "group"),
		counted(head.DatabricksServicePrincipals, "service principal"), moment(head.Databricks.Finished)))
	s.cells(0, "Snapshot", head.Digest)
	s.cells(0, "Settings", fmt.Sprintf("SSO claim %s, unified login %s", r.Settings.SSOClaim, r.Settings.UnifiedLogin))
	s.cells(0, "Plan", automatic(r))
	s.cells(0, "People", byHand(r))

	s.heading("Sheets", "", "rows")
	for _, p := range b.parts {
		s.cells(0, p.sheet, sheetDoc(p.sheet), p.rows)
		s.link(p.sheet)
	}

	s.heading("What enabling AIM would do", strings.TrimSpace(ofWhatWasRead(r)), "users now", "after plan", "groups now", "after plan")
	for _, e := range effects(r) {
		s.cells(0, string(e.outcome), meaning(e.outcome), number(e.usersNow), number(e.usersAfter), number(e.groupsNow), number(e.groupsAfter))
		s.style("A", b.severities[severityName(harm(e.outcome))])
	}

	ts, waived := tallies(r)
	s.heading("Findings", "", "findings")
	for _, sev := range audit.Severities() {
		s.cells(0, sev.String(), severityDoc(sev), r.Counts[sev])
		s.style("A", b.severities[sev.String()])
	}
	if waived > 0 {
		s.cells(0, "waived", "not counted above", waived)
	}

	s.heading("Rules that found something", "", "findings", "severity")
	for _, t := range ts {
		s.cells(0, t.rule, t.title, t.findings, t.severity.String())
		s.style("D", b.severities[t.severity.String()])
	}

	if unread := head.Incomplete; len(unread) > 0 {
		s.heading("Not read to the end", "why", "received", "expected")
		for _, in := range unread {
			expected := any(in.Expected)
			if in.Expected <= 0 {
				expected = "–"
			}
			s.cells(0, inputName(in.Input), in.Reason, in.Received, expected)
		}
	}
	if notes := cautions(r); len(notes) > 0 {
		s.heading("Mind")
		for _, n := range notes {
			s.cells(0, n)
		}
	}
	if len(r.Skipped) > 0 {
		s.heading("Rules that were not run", "why")
		for _, skip := range r.Skipped {
			s.cells(0, skip.Rule, skip.Reason)
		}
	}
	s.gap()
	s.cells(0, "Made by aimcheck", r.Version)
	return s.err
}

// cells writes the next row. Texts are made safe here; numbers stay numbers.
func (s *summary) cells(style int, values ...any) {
	s.row++
	for i, v := range values {
		if v == nil || v == "" {
			continue
		}
		if text, ok := v.(string); ok {
			v = cellText(text, false)
		}
		at, err := excelize.CoordinatesToCellName(i+1, s.row)
		s.keep(err)
		s.keep(s.book.file.SetCellValue(summarySheet, at, v))
		id := style
		if _, ok := v.(int); ok {
			id = s.book.number
		}
		if id != 0 {
			s.keep(s.book.file.SetCellStyle(summarySheet, at, at, id))
		}
	}
}

func (s *summary) gap() { s.row++ }

// heading begins a section: its title and the heads of its other columns.
func (s *summary) heading(title string, heads ...string) {
	s.gap()
	values := []any{title}
	for _, h := range heads {
		values = append(values, h)
	}
	s.cells(s.book.section, values...)
	for i, h := range heads {
		if h != "" {
			s.style(string(rune('B'+i)), s.book.headRight)
		}
	}
}

// style gives the cell of the last row a style, if there is one.
func (s *summary) style(col string, id int) {
	at := fmt.Sprint(col, s.row)
	if id != 0 {
		s.keep(s.book.file.SetCellStyle(summarySheet, at, at, id))
	}
}

// link makes the first cell of the last row lead to a sheet.
func (s *summary) link(sheet string) {
	at := fmt.Sprint("A", s.row)
	s.keep(s.book.file.SetCellHyperLink(summarySheet, at, "'"+sheet+"'!A1", "Location"))
	s.style("A", s.book.link)
}

func (s *summary) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

// number returns the count as a number, or a dash where nothing is known.
func number(n int) any {
	if n < 0 {
		return "–"
	}
	return n
}

func severityName(s audit.Severity) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func severityDoc(s audit.Severity) string {
	switch s {
	case audit.Blocker:
		return "enabling AIM now does damage: a duplicate, a wrong person, a lock-out"
	case audit.Error:
		return "someone's access will change or is wrong today"
	case audit.Warning:
		return "surprising, not harmful"
	}
	return "worth knowing"
}

func sheetDoc(sheet string) string {
	switch sheet {
	case findingsSheet:
		return "every finding, gravest first"
	case subjectsSheet:
		return "every identity of every finding, with the value that proves it"
	case crosswalkSheet:
		return "every identity beside its counterpart, and what AIM would do to it"
	case planSheet:
		return "what can be changed by a program: decide here"
	case handSheet:
		return "what people must see to"
	case rulesSheet:
		return "what each rule means, why it matters, how to mend it"
	}
	return "continued"
}
