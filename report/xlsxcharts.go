package report

import (
	"fmt"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// The charts of the summary, in the order of their places: two columns of them,
// the next under the shorter one. They draw cells of tables further down.
const (
	userChart = iota
	ruleChart
	groupChart
	trendChart
	chartKinds
)

const (
	chartWidth   = 520 // pixels: two fit over the tables
	chartHeight  = 18 * cellHeight
	besideOffset = 325 // in the second column of cells
	cellHeight   = 18  // for excelize, of a row of 15 points
	chartRules   = 18  // that the chart shows, the gravest
	pastRuns     = 30  // that the summary shows
)

// heights returns how high each chart will be; 0: there is nothing to draw.
func heights(r *audit.Report) (hs [chartKinds]int) {
	for _, e := range effects(r) {
		if max(e.usersNow, e.usersAfter) > 0 {
			hs[userChart] = chartHeight
		}
		if max(e.groupsNow, e.groupsAfter) > 0 {
			hs[groupChart] = chartHeight
		}
	}
	rules := map[string]bool{}
	ts, _ := tallies(r)
	for _, t := range ts {
		rules[t.rule] = true
	}
	if n := min(len(rules), chartRules); n > 0 {
		hs[ruleChart] = max(chartHeight, 108+25*n)
	}
	if len(r.Trend) > 0 {
		hs[trendChart] = chartHeight
	}
	return hs
}

// placed returns the pixels from the top at which each chart is drawn, in which
// of the two columns, and how many rows they need together.
func placed(hs [chartKinds]int) (tops, columns [chartKinds]int, rows int) {
	var filled [2]int
	for i, h := range hs {
		if h == 0 {
			continue
		}
		if filled[1] < filled[0] {
			columns[i] = 1
		}
		tops[i] = filled[columns[i]]
		filled[columns[i]] += h + cellHeight
	}
	return tops, columns, (max(filled[0], filled[1]) + cellHeight - 1) / cellHeight
}

// draw draws the charts from the row downward.
func (s *summary) draw(row int, r *audit.Report) {
	hs := heights(r)
	tops, columns, rows := placed(hs)
	for i := range rows { // whatever height a program would give them
		s.keep(s.book.file.SetRowHeight(summarySheet, row+i, 15))
	}
	for i, c := range s.charts {
		if c == nil {
			continue
		}
		cell, offset := "A", 0
		if columns[i] == 1 {
			cell, offset = "B", besideOffset
		}
		c.Dimension = excelize.ChartDimension{Width: chartWidth, Height: uint(hs[i])}
		c.Format.OffsetX = offset
		c.Format.OffsetY = tops[i] % cellHeight
		s.keep(s.book.file.AddChart(summarySheet, fmt.Sprint(cell, row+tops[i]/cellHeight), c))
	}
}

// cellsOf returns the reference of a column's cells on the summary.
func cellsOf(column byte, first, last int) string {
	return fmt.Sprintf("%s!$%c$%d:$%c$%d", summarySheet, column, first, column, last)
}

// newChart returns a chart with what all have in common.
func newChart(kind excelize.ChartType, title, about, across, along string) *excelize.Chart {
	text := func(s string, size float64, bold bool) []excelize.RichTextRun {
		return []excelize.RichTextRun{{Text: s, Font: &excelize.Font{Size: size, Bold: bold, Color: "333333", Family: "Calibri"}}}
	}
	labels := excelize.Font{Size: 9, Color: "333333", Family: "Calibri"}
	gap := uint(40)
	return &excelize.Chart{
		Type:   kind,
		Format: excelize.GraphicOptions{AltText: about, Name: title},
		Title:  excelize.ChartTitle{Paragraph: text(title, 13, true)},
		Legend: excelize.ChartLegend{Position: "bottom", Font: &labels},
		XAxis:  excelize.ChartAxis{Title: excelize.ChartTitle{Paragraph: text(across, 9, false)}, Font: labels},
		YAxis: excelize.ChartAxis{Title: excelize.ChartTitle{Paragraph: text(along, 9, false)}, Font: labels,
			MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		PlotArea: excelize.ChartPlotArea{ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		GapWidth: &gap,
	}
}

// series draws the column's cells, and is called what stands over them.
func series(categories string, column byte, first, last int, color, label string) excelize.ChartSeries {
	return excelize.ChartSeries{Name: fmt.Sprintf("%s!$%c$%d", summarySheet, column, first-1), Categories: categories, Values: cellsOf(column, first, last),
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}},
		DataLabel: excelize.ChartDataLabel{Font: excelize.Font{Size: 9, Color: label, Family: "Calibri"}}}
}

// outcomeChart draws what AIM does to users or groups now and after the plan.
func outcomeChart(who string, column byte, first, last int) *excelize.Chart {
	c := newChart(excelize.Bar, "What AIM does to "+who, "bars: how many "+who+" have each outcome when AIM is enabled now, and after the plan", "", who)
	gravestOnTop(c)
	names := cellsOf('A', first, last)
	c.Series = []excelize.ChartSeries{
		series(names, column, first, last, nowColor, "333333"),
		series(names, column+1, first, last, afterColor, "333333"),
	}
	return c
}

// gravestOnTop begins with the first bar at the top, and keeps the figures of the
// axis at the bottom, which would go up with it.
func gravestOnTop(c *excelize.Chart) {
	c.XAxis.ReverseOrder = true
	c.YAxis.TickLabelPosition = excelize.ChartTickLabelHigh
}

// rulesChart draws the findings of each rule by severity.
func rulesChart(first, last int) *excelize.Chart {
	title := "Findings by rule and severity"
	if n := last - first + 1; n > chartRules {
		title += fmt.Sprintf(" (the first %d rules of %d)", chartRules, n)
		last = first + chartRules - 1
	}
	c := newChart(excelize.BarStacked, title, "stacked bars: how many findings of each severity each rule has", "", "findings")
	gravestOnTop(c)
	c.Series = severitySeries(first, last)
	return c
}

// runsChart draws the findings of the earlier runs and this one by severity.
func runsChart(first, last int) *excelize.Chart {
	c := newChart(excelize.ColStacked, "Findings over time", "stacked columns: how many findings of each severity each run had", "", "findings")
	c.Series = severitySeries(first, last)
	c.XAxis.Alignment = excelize.Alignment{TextRotation: 90}
	const readable = 8 // columns, with a figure in each
	if n := last - first + 1; n > readable {
		c.PlotArea.ShowVal = false
		c.XAxis.TickLabelSkip = (n + readable - 1) / readable
	}
	return c
}

func severitySeries(first, last int) (all []excelize.ChartSeries) {
	for i, sev := range audit.Severities() {
		label := "333333"
		if sev == audit.Blocker || sev == audit.Info {
			label = "FFFFFF"
		}
		all = append(all, series(cellsOf('A', first, last), byte('C'+i), first, last, severityColors[sev], label))
	}
	return all
}
