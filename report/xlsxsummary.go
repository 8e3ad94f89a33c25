package report

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// A summary writes the first sheet from the top down. The first error stays.
type summary struct {
	book   *workbook
	row    int
	charts [chartKinds]*excelize.Chart
	err    error
}

// addSummary fills the first sheet; the others must be there, it links to them.
func (b *workbook) addSummary(r *audit.Report) error {
	s := &summary{book: b}
	for col, width := range map[string]float64{"A": 28, "B": 66, "C": 13, "D": 13, "E": 13, "F": 13} {
		s.keep(b.file.SetColWidth(summarySheet, col, col, width))
	}
	off, zoom := false, 100.0
	s.keep(b.file.SetSheetView(summarySheet, 0, &excelize.ViewOptions{ShowGridLines: &off, ZoomScale: &zoom}))
	landscape, fit, height, tab := "landscape", true, 0, "1F3A5F"
	s.keep(b.file.SetSheetProps(summarySheet, &excelize.SheetPropsOptions{FitToPage: &fit, TabColorRGB: &tab}))
	s.keep(b.file.SetPageLayout(summarySheet, &excelize.PageLayoutOptions{Orientation: &landscape, FitToHeight: &height}))

	s.verdict(r)
	s.gap()
	pictures := s.row + 1 // drawn below, when the rows that they show are written
	_, _, rows := placed(heights(r))
	s.row += rows
	s.contents()
	s.effects(r)
	s.rules(r)
	s.trend(r)
	s.waivers(r)
	s.input(r)
	s.gap()
	s.cells(0, "Made by aimcheck", r.Version)
	s.draw(pictures, r)
	return s.err
}

// verdict tells where they stand, with the counts that say so beside it.
func (s *summary) verdict(r *audit.Report) {
	s.keep(s.book.file.SetRowHeight(summarySheet, 1, 32))
	s.keep(s.book.file.SetRowHeight(summarySheet, 2, 28))
	title := s.book.palette.bad
	if r.Verdict == audit.Ready {
		title = s.book.palette.good
	}
	s.cells(title, "aimcheck: "+headline(r.Verdict))
	s.cells(s.book.palette.wrap, because(r))
	s.keep(s.book.file.MergeCell(summarySheet, "A2", "B2"))
	for i, sev := range audit.Severities() {
		col := string(rune('C' + i))
		s.keep(s.book.file.SetCellValue(summarySheet, col+"1", sev.String()))
		s.keep(s.book.file.SetCellStyle(summarySheet, col+"1", col+"1", s.book.palette.tiles[sev.String()]))
		s.keep(s.book.file.SetCellValue(summarySheet, col+"2", r.Counts[sev]))
		s.keep(s.book.file.SetCellStyle(summarySheet, col+"2", col+"2", s.book.palette.big))
	}
	s.cells(0, "Plan", automatic(r))
	s.link("A", "'"+planSheet+"'!A1")
	s.cells(0, "People", byHand(r))
	s.link("A", "'"+databricksAdmin+"'!A1")
}

// contents lists the other sheets in the order of their tabs.
func (s *summary) contents() {
	s.heading("Sheets", "", "rows")
	titles := s.book.file.GetSheetList()
	for _, title := range titles[1:] {
		for _, w := range s.book.sheets {
			if w.title != title || w.hidden {
				continue
			}
			about := w.about
			if w.part > 1 {
				about = "continued"
			}
			s.cells(0, title, about, w.rows)
			s.link("A", "'"+title+"'!A1")
		}
	}
}

func (s *summary) effects(r *audit.Report) {
	s.heading("What enabling AIM would do", strings.TrimSpace(ofWhatWasRead(r)), "users now", "users after", "groups now", "groups after")
	first := s.row + 1
	for _, e := range effects(r) {
		s.cells(0, string(e.outcome), meaning(e.outcome), number(e.usersNow), number(e.usersAfter), number(e.groupsNow), number(e.groupsAfter))
		s.style("A", s.book.palette.severities[severityName(harm(e.outcome))])
	}
	if s.row < first {
		s.cells(s.book.palette.note, "no outcome is known: nothing was read, or not enough of it")
	}
	hs := heights(r)
	if hs[userChart] > 0 {
		s.charts[userChart] = outcomeChart("users", 'C', first, s.row)
	}
	if hs[groupChart] > 0 {
		s.charts[groupChart] = outcomeChart("groups", 'E', first, s.row)
	}
}

// rules counts findings by rule and severity.
func (s *summary) rules(r *audit.Report) {
	ts, waived := tallies(r)
	var names []string
	counts := map[string]map[audit.Severity]int{}
	titles := map[string]string{}
	for _, t := range ts {
		if counts[t.rule] == nil {
			names = append(names, t.rule)
			counts[t.rule] = map[audit.Severity]int{}
		}
		counts[t.rule][t.severity], titles[t.rule] = t.findings, t.title
	}
	heads := []string{""}
	for _, sev := range audit.Severities() {
		heads = append(heads, sev.String())
	}
	s.heading("Findings by rule", heads...)
	first := s.row + 1
	for _, name := range names {
		row := []any{name, titles[name]}
		for _, sev := range audit.Severities() {
			if n := counts[name][sev]; n > 0 {
				row = append(row, n)
			} else {
				row = append(row, nil)
			}
		}
		s.cells(0, row...)
		for i, sev := range audit.Severities() {
			if counts[name][sev] > 0 {
				s.style(string(rune('C'+i)), s.book.palette.counts[sev.String()])
			}
		}
		s.link("A", s.book.places.rule(name))
	}
	if len(names) > 0 {
		s.charts[ruleChart] = rulesChart(first, s.row)
	} else {
		s.cells(s.book.palette.note, "nothing found"+ofWhatWasRead(r))
	}
	if waived > 0 {
		s.cells(0, "waived", "not counted above", waived)
	}
}

// trend has the earlier runs and, last, this one.
func (s *summary) trend(r *audit.Report) {
	if len(r.Trend) == 0 {
		return
	}
	heads := []string{"verdict"}
	for _, sev := range audit.Severities() {
		heads = append(heads, sev.String())
	}
	s.heading("Earlier runs (UTC)", heads...)
	first := s.row + 1
	for _, run := range r.Trend[max(0, len(r.Trend)-pastRuns):] {
		row := []any{run.Time.UTC().Format("2006-01-02 15:04"), string(run.Verdict)}
		for _, sev := range audit.Severities() {
			row = append(row, run.Counts[sev])
		}
		s.cells(0, row...)
	}
	row := []any{"this run", string(r.Verdict)}
	for _, sev := range audit.Severities() {
		row = append(row, r.Counts[sev])
	}
	s.cells(0, row...)
	s.charts[trendChart] = runsChart(first, s.row)
	if len(r.Resolved) > 0 {
		s.cells(0, "resolved since", "findings of the run before that are gone", len(r.Resolved))
	}
}

func (s *summary) waivers(r *audit.Report) {
	if len(r.Waivers) == 0 {
		return
	}
	s.heading("Waivers", "owner and reason", "findings", "expires", "state")
	for _, w := range r.Waivers {
		s.cells(0, w.Rule, w.Owner+": "+w.Reason, len(w.Findings), w.Expires, string(w.State))
		s.link("A", s.book.places.rule(w.Rule))
	}
}

// input says what was read, how far, and what else to know of it.
func (s *summary) input(r *audit.Report) {
	head := r.Head
	s.heading("What was read")
	s.cells(0, "Okta org", head.Okta.Tenant)
	s.cells(0, "", fmt.Sprintf("%s, %s, read %s", counted(head.OktaUsers, "user"),
		counted(head.OktaGroups, "group"), moment(head.Okta.Finished)))
	s.cells(0, "Databricks account", head.Databricks.Tenant)
	s.cells(0, "", fmt.Sprintf("%s, %s, %s, read %s", counted(head.DatabricksUsers, "user"),
		counted(head.DatabricksGroups, "group"),
		counted(head.DatabricksServicePrincipals, "service principal"), moment(head.Databricks.Finished)))
	s.cells(0, "Snapshot", head.Digest)
	s.cells(0, "Settings", fmt.Sprintf("SSO claim %s, unified login %s", r.Settings.SSOClaim, r.Settings.UnifiedLogin))
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
			s.link("A", s.book.places.rule(skip.Rule))
		}
	}
}

// cells writes the next row. Texts are made safe here; numbers stay numbers.
func (s *summary) cells(style int, values ...any) {
	s.row++
	for i, v := range values {
		if v == nil || v == "" {
			continue
		}
		if text, ok := v.(string); ok {
			v = withoutEscapes(cellText(text, false))
		}
		at, err := excelize.CoordinatesToCellName(i+1, s.row)
		s.keep(err)
		s.keep(s.book.file.SetCellValue(summarySheet, at, v))
		id := style
		if _, ok := v.(int); ok {
			id = s.book.palette.number
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
	s.cells(s.book.palette.section, values...)
	for i, h := range heads {
		switch {
		case h == "":
		case i == 0:
			s.style("B", s.book.palette.head)
		default:
			s.style(string(rune('B'+i)), s.book.palette.headRight)
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

// link makes a cell of the last row lead to a place, if there is one.
func (s *summary) link(col, place string) {
	if place != "" {
		s.keep(s.book.file.SetCellHyperLink(summarySheet, fmt.Sprint(col, s.row), place, "Location"))
		s.style(col, s.book.palette.link)
	}
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
