package report

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

func workbookXLSX(w io.Writer, r *audit.Report) error {
	return writeWorkbook(w, r, r.Crosswalk(), excelize.TotalRows)
}

// writeWorkbook writes the workbook. No sheet has more than the rows; what is
// more goes on in a further sheet.
func writeWorkbook(w io.Writer, r *audit.Report, crosswalk iter.Seq[audit.CrosswalkRow], rows int) (err error) {
	b := &workbook{file: excelize.NewFile(), rows: rows}
	defer func() { err = cmp.Or(err, b.file.Close()) }() // removes what excelize keeps in temporary files
	if err := b.makeStyles(); err != nil {
		return err
	}
	if err := b.file.SetSheetName("Sheet1", summarySheet); err != nil {
		return err
	}
	for _, s := range []struct {
		name  string
		table table
	}{
		{findingsSheet, findingsTable(r)},
		{subjectsSheet, subjectsTable(r)},
		{crosswalkSheet, crosswalkOf(crosswalk)},
		{planSheet, planSheetTable(r)},
		{handSheet, manualTable(r)},
		{rulesSheet, rulesTable(r)},
	} {
		if err := b.addTable(s.name, s.table); err != nil {
			return fmt.Errorf("sheet %s: %w", s.name, err)
		}
	}
	if err := b.addSummary(r); err != nil {
		return fmt.Errorf("sheet %s: %w", summarySheet, err)
	}
	// The time of writing is nobody's business: the same report gives the same bytes.
	if err := b.file.SetDocProps(&excelize.DocProperties{Title: "aimcheck report", Creator: "aimcheck " + printable(r.Version),
		Created: "2000-01-01T00:00:00Z", Modified: "2000-01-01T00:00:00Z"}); err != nil {
		return err
	}
	return b.write(w)
}

// The sheets, in order.
const (
	summarySheet   = "Summary"
	findingsSheet  = "Findings"
	subjectsSheet  = "Subjects"
	crosswalkSheet = "Crosswalk"
	planSheet      = "Plan"
	handSheet      = "By hand"
	rulesSheet     = "Rules"
)

// A workbook is the file being made and the styles of its cells.
type workbook struct {
	file       *excelize.File
	rows       int // that a sheet holds, its header included
	parts      []part
	head       int
	headRight  int // over numbers
	title      int
	section    int
	link       int
	number     int
	wrap       int
	input      int // cells that people fill in
	severities map[string]int
}

// A part is one sheet of a table, for the summary's list.
type part struct {
	sheet string
	rows  int // without the header
}

func (b *workbook) makeStyles() (err error) {
	style := func(font excelize.Font, fill string, s excelize.Style) int {
		font.Family = "Calibri"
		font.Size = cmp.Or(font.Size, 11)
		s.Font = &font
		if fill != "" {
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill}}
		}
		id, e := b.file.NewStyle(&s)
		err = cmp.Or(err, e)
		return id
	}
	b.head = style(excelize.Font{Bold: true, Color: "FFFFFF"}, "1F3A5F", excelize.Style{})
	b.headRight = style(excelize.Font{Bold: true, Color: "FFFFFF"}, "1F3A5F", excelize.Style{Alignment: &excelize.Alignment{Horizontal: "right"}})
	b.title = style(excelize.Font{Bold: true, Size: 18}, "", excelize.Style{})
	b.section = style(excelize.Font{Bold: true, Size: 13}, "", excelize.Style{})
	b.link = style(excelize.Font{Color: "0563C1", Underline: "single"}, "", excelize.Style{})
	b.number = style(excelize.Font{}, "", excelize.Style{NumFmt: 3}) // 1,048,576
	b.wrap = style(excelize.Font{}, "", excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	b.input = style(excelize.Font{}, "FFF9DB", excelize.Style{})
	b.severities = map[string]int{
		"":                     style(excelize.Font{Color: "1B5E20"}, "D9F0DB", excelize.Style{}), // all is well
		audit.Blocker.String(): style(excelize.Font{Bold: true, Color: "7A0010"}, "F4B6B6", excelize.Style{}),
		audit.Error.String():   style(excelize.Font{Color: "7A3A00"}, "FAD7B5", excelize.Style{}),
		audit.Warning.String(): style(excelize.Font{Color: "5F4B00"}, "FFF2B8", excelize.Style{}),
		audit.Info.String():    style(excelize.Font{Color: "1F3A5F"}, "D7E7F7", excelize.Style{}),
	}
	return err
}

// printWide makes a sheet that is printed as wide as the paper.
func (b *workbook) printWide(sheet string) error {
	landscape, fit, height := "landscape", true, 0
	return cmp.Or(
		b.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}),
		b.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Orientation: &landscape, FitToHeight: &height}))
}

// addTable adds the table as a sheet, or as many as its rows need.
func (b *workbook) addTable(name string, t table) error {
	s := &sheet{book: b, name: name, table: t}
	if err := s.begin(); err != nil {
		return err
	}
	for row := range t.rows {
		if s.row == b.rows {
			if err := cmp.Or(s.end(), s.begin()); err != nil {
				return err
			}
		}
		if err := s.add(row); err != nil {
			return err
		}
	}
	return s.end()
}

// A sheet is the part of a table being written.
type sheet struct {
	book  *workbook
	name  string
	table table
	part  int
	row   int // the last one written
	out   *excelize.StreamWriter
	cells []any
}

// title returns the name of the part: "Findings", "Findings (2)".
func (s *sheet) title() string {
	if s.part == 1 {
		return s.name
	}
	return fmt.Sprintf("%s (%d)", s.name, s.part)
}

// begin opens the next part and writes its header, frozen.
func (s *sheet) begin() error {
	s.part++
	s.row = 1
	if _, err := s.book.file.NewSheet(s.title()); err != nil {
		return err
	}
	err := s.book.printWide(s.title())
	if err != nil {
		return err
	}
	if s.out, err = s.book.file.NewStreamWriter(s.title()); err != nil {
		return err
	}
	s.cells = make([]any, len(s.table.columns))
	for i, c := range s.table.columns {
		if err := s.out.SetColWidth(i+1, i+1, c.width); err != nil {
			return err
		}
		s.cells[i] = excelize.Cell{StyleID: s.book.head, Value: c.name}
	}
	if err := s.out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return s.out.SetRow("A1", s.cells)
}

func (s *sheet) add(row []string) error {
	s.row++
	for i, text := range row {
		col := &s.table.columns[i]
		var value any = cellText(text, col.list)
		switch style := s.book.severities[text]; {
		case col.name == "severity" && style != 0:
			value = excelize.Cell{StyleID: style, Value: value}
		case col.name == "decision":
			value = excelize.Cell{StyleID: s.book.input, Value: value}
		case col.wrap:
			value = excelize.Cell{StyleID: s.book.wrap, Value: value}
		}
		s.cells[i] = value
	}
	return s.out.SetRow("A"+strconv.Itoa(s.row), s.cells)
}

// end closes the part, with a filter over all of it and, where decisions are
// asked for, the list to choose them from.
func (s *sheet) end() error {
	last, err := excelize.CoordinatesToCellName(len(s.table.columns), s.row)
	if err != nil {
		return err
	}
	if err := s.book.file.AutoFilter(s.title(), "A1:"+last, nil); err != nil {
		return err
	}
	i := slices.IndexFunc(s.table.columns, func(c column) bool { return c.name == "decision" })
	if i >= 0 && s.row > 1 {
		choice := excelize.NewDataValidation(true)
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		choice.SetSqref(fmt.Sprintf("%s2:%s%d", letter, letter, s.row))
		if err := choice.SetDropList([]string{string(audit.Approve), string(audit.Reject)}); err != nil {
			return err
		}
		// A finding is decided by a longer text, see the column choices.
		choice.ShowErrorMessage = false
		choice.SetInput("decision", "approve or reject an operation; for a finding to choose, one of its choices")
		if err := s.book.file.AddDataValidation(s.title(), choice); err != nil {
			return err
		}
	}
	s.book.parts = append(s.book.parts, part{s.title(), s.row - 1})
	return s.out.Flush()
}

// cellText returns the text as a cell may hold it: no formula, no character
// that XML has no place for, and no longer than a cell.
func cellText(text string, list bool) string {
	return cut(guarded(printable(text)), list, excelize.TotalCellChars)
}

// surrogate is a text that readers of workbooks take for half a character.
var surrogate = regexp.MustCompile(`_x[Dd][89A-Fa-f][0-9A-Fa-f]{2}_`)

// printable returns s with \u escapes for the characters that XML can't hold, and
// for those that turn the direction of writing: a cell shows what it says.
func printable(s string) string {
	if strings.Contains(s, "_x") {
		for at := surrogate.FindStringIndex(s); at != nil; at = surrogate.FindStringIndex(s) {
			s = s[:at[0]] + `\u005f` + s[at[0]+1:]
		}
	}
	bad := func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff || r == utf8.RuneError ||
			0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if bad(r) && r != utf8.RuneError {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cut returns s if it has at most limit UTF-16 units, as spreadsheets count;
// else its beginning and how many elements of the list, or characters, are left out.
func cut(s string, list bool, limit int) string {
	if len(s) <= limit {
		return s
	}
	const room = 40 // for the note
	units, at := 0, 0
	for i, r := range s {
		if units <= limit-room {
			at = i
		}
		units += utf16.RuneLen(r)
	}
	if units <= limit {
		return s
	}
	if list {
		if space := strings.LastIndexByte(s[:at], ' '); space > 0 {
			return fmt.Sprintf("%s and %d more", s[:space], len(strings.Fields(s[space:])))
		}
	}
	return fmt.Sprintf("%s … and %d more characters", s[:at], utf8.RuneCountInString(s[at:]))
}

// write writes the file with its parts in order of their names: excelize
// keeps the streamed ones in a map.
func (b *workbook) write(w io.Writer) error {
	buf, err := b.file.WriteToBuffer()
	if err != nil {
		return err
	}
	in, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		return err
	}
	// Readers that guess a file's type want this part first.
	first := func(f *zip.File) bool { return f.Name == "[Content_Types].xml" }
	slices.SortFunc(in.File, func(f, g *zip.File) int {
		if first(f) != first(g) {
			if first(f) {
				return -1
			}
			return 1
		}
		return cmp.Compare(f.Name, g.Name)
	})
	out := zip.NewWriter(w)
	for _, f := range in.File {
		if err := out.Copy(f); err != nil {
			return err
		}
	}
	return out.Close()
}
