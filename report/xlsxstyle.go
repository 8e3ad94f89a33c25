package report

import (
	"cmp"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// A palette has the styles of a workbook's cells, as excelize numbers them.
// Colour never stands alone: every coloured cell says the same in a word.
type palette struct {
	head      int
	headRight int // over numbers
	good      int // the verdict
	bad       int
	section   int
	big       int // counts at the top
	number    int
	plain     int // beside cells with several lines
	wrap      int
	link      int
	input     int // cells that people fill in
	note      int

	severities map[string]int
	tiles      map[string]int            // the same over counts
	counts     map[string]int            // the same for counts
	columns    map[string]map[string]int // by column, the colours of its words
	decisions  [3]int                    // of approve, reject, and an answer to a choice
}

// The colours of severities in charts, and what is drawn now and after the plan.
var (
	severityColors = map[audit.Severity]string{audit.Blocker: "B3001B", audit.Error: "E07B00", audit.Warning: "E8C100", audit.Info: "5B8DB8"}
	nowColor       = "1F3A5F"
	afterColor     = "7FB069"
)

func makePalette(f *excelize.File) (p palette, err error) {
	style := func(font excelize.Font, fill string, s excelize.Style) int {
		font.Family = "Calibri"
		font.Size = cmp.Or(font.Size, 11)
		s.Font = &font
		if fill != "" {
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill}}
		}
		id, e := f.NewStyle(&s)
		err = cmp.Or(err, e)
		return id
	}
	answered := func(color, fill string) int {
		id, e := f.NewConditionalStyle(&excelize.Style{Font: &excelize.Font{Color: color, Bold: true},
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill}}})
		err = cmp.Or(err, e)
		return id
	}
	top := func() *excelize.Alignment { return &excelize.Alignment{Vertical: "top"} }
	lines := func() *excelize.Alignment { return &excelize.Alignment{Vertical: "top", WrapText: true} }
	white := excelize.Font{Bold: true, Color: "FFFFFF"}
	blue := excelize.Font{Color: "0563C1", Underline: "single"}

	p.head = style(white, "1F3A5F", excelize.Style{Alignment: &excelize.Alignment{Vertical: "center"}})
	p.headRight = style(white, "1F3A5F", excelize.Style{Alignment: &excelize.Alignment{Horizontal: "right"}})
	middle := excelize.Style{Alignment: &excelize.Alignment{Vertical: "center"}}
	p.good = style(excelize.Font{Bold: true, Size: 20, Color: "1B5E20"}, "", middle)
	p.bad = style(excelize.Font{Bold: true, Size: 20, Color: "B3001B"}, "", middle)
	p.section = style(excelize.Font{Bold: true, Size: 13, Color: "1F3A5F"}, "", excelize.Style{})
	p.big = style(excelize.Font{Bold: true, Size: 18}, "", excelize.Style{NumFmt: 3, Alignment: &excelize.Alignment{Horizontal: "center"}})
	p.number = style(excelize.Font{}, "", excelize.Style{NumFmt: 3}) // 1,048,576
	p.plain = style(excelize.Font{}, "", excelize.Style{Alignment: top()})
	p.wrap = style(excelize.Font{}, "", excelize.Style{Alignment: lines()})
	p.link = style(blue, "", excelize.Style{Alignment: top()})
	p.input = style(excelize.Font{}, "FFF9DB", excelize.Style{Alignment: top(), Border: edges("E5D88A")})
	p.note = style(excelize.Font{Italic: true, Color: "555555"}, "", excelize.Style{Alignment: top()})

	fine := style(excelize.Font{Color: "1B5E20"}, "D9F0DB", excelize.Style{Alignment: top()})
	p.severities, p.tiles, p.counts = map[string]int{"": fine}, map[string]int{}, map[string]int{}
	for _, c := range []struct {
		severity    audit.Severity
		color, fill string
	}{{audit.Blocker, "7A0010", "F4B6B6"}, {audit.Error, "7A3A00", "FAD7B5"}, {audit.Warning, "5F4B00", "FFF2B8"}, {audit.Info, "1F3A5F", "D7E7F7"}} {
		font := excelize.Font{Color: c.color, Bold: c.severity == audit.Blocker}
		name := c.severity.String()
		p.severities[name] = style(font, c.fill, excelize.Style{Alignment: top()})
		p.tiles[name] = style(font, c.fill, excelize.Style{Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "bottom"}})
		p.counts[name] = style(font, c.fill, excelize.Style{NumFmt: 3})
	}
	outcomes := map[string]int{}
	for _, o := range audit.Outcomes() {
		outcomes[string(o)] = p.severities[severityName(harm(o))]
	}
	p.columns = map[string]map[string]int{
		"severity":           p.severities,
		"outcome_now":        outcomes,
		"outcome_after_plan": outcomes,
		"risk":               {"low": fine, "medium": p.severities[audit.Warning.String()], "high": p.severities[audit.Blocker.String()]},
	}
	p.decisions = [3]int{answered("1B5E20", "BFE5C3"), answered("7A0010", "F4B6B6"), answered("1F3A5F", "BBD6F2")}
	return p, err
}

func edges(color string) (bs []excelize.Border) {
	for _, side := range []string{"left", "right", "top", "bottom"} {
		bs = append(bs, excelize.Border{Type: side, Color: color, Style: 1})
	}
	return bs
}
