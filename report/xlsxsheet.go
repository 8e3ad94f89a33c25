package report

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// A sheet is a table as a workbook shows it.
type sheet struct {
	name  string // at most 20 letters, since it may go on in "name (2)"
	about string // for the summary's list
	none  string // what is said where there is no row; blank: nothing
	color string // of its tab
	table
	frozen int // columns that stay in sight
	hidden bool

	// links, if not nil, returns where the cells of the row just yielded lead.
	links func() []link

	// choices, if not nil, returns the list from which the answer of the row just
	// yielded is chosen: the formula of a data validation, or nothing.
	choices func() string
}

// A link leads from a cell of a row to a place, such as 'Plan'!A7.
type link struct {
	column int
	place  string
}

// linkedRows is how many rows of a sheet have links, and lists to choose from:
// Excel takes 65,530 links, and a row has four at most.
const linkedRows = 16_000

// answers are the columns that people fill in, and what is asked there.
var answers = map[string]string{
	"decision": "approve or reject an operation; for a finding to choose, one of its choices. Blank: not decided, nothing is done",
	"done":     "for your own record: aimcheck does not read it",
}

// A sheetWriter writes a sheet straight into the workbook's archive, row by row:
// nothing waits in memory or in a file. It stands here because excelize keeps
// streamed sheets in temporary files, which hold personal data and outlive a
// process that is killed, and looks through all links for each that is added.
type sheetWriter struct {
	sheet
	book    *workbook
	answer  int      // the column that people fill in, or -1
	letters []string // of the columns
	tints   []map[string]int
	plain   int // the style of a cell without any other

	part  int // 1 and more
	row   int // the last one written in this part
	rows  int // written in all parts
	out   *bufio.Writer
	line  []byte
	links []string // as XML
	lists []span
	empty bool
}

// A span is rows that have one list of choices.
type span struct {
	from, to int
	formula  string
}

// add writes the sheet, or as many as its rows need.
func (b *workbook) add(s sheet) error {
	w := &sheetWriter{sheet: s, book: b, answer: -1}
	for i, c := range s.columns {
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		w.letters = append(w.letters, letter)
		w.tints = append(w.tints, b.palette.columns[c.name])
		if answers[c.name] != "" {
			w.answer = i
		}
		if c.wrap {
			w.plain = b.palette.plain
		}
	}
	if err := w.begin(); err != nil {
		return err
	}
	var line row
	var cells []string
	for range s.each(&line) {
		if w.row == b.rows {
			if err := w.end(); err != nil {
				return err
			}
			if err := w.begin(); err != nil {
				return err
			}
		}
		cells = line.cells(cells[:0])
		if err := w.write(cells); err != nil {
			return err
		}
	}
	if w.rows == 0 && s.none != "" {
		w.line = w.cell(append(w.line[:0], `<row r="2">`...), 0, 2, b.palette.note, s.none)
		w.out.Write(append(w.line, "</row>"...))
		w.row, w.empty = 2, true
	}
	return w.end()
}

// title returns the name of the part: "Findings", "Findings (2)".
func (w *sheetWriter) title() string { return partName(w.name, w.part) }

func partName(name string, part int) string {
	if part == 1 {
		return name
	}
	return fmt.Sprintf("%s (%d)", name, part)
}

// begin opens the next part and writes its header, frozen.
func (w *sheetWriter) begin() error {
	w.part++
	w.row, w.links, w.lists = 1, nil, nil
	entry, err := w.book.create(sheetPath(len(w.book.sheets) + 2)) // the first is the summary
	if err != nil {
		return err
	}
	w.out = bufio.NewWriterSize(entry, 64<<10)
	fmt.Fprintf(w.out, `%s<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetPr>`, xmlHead)
	if w.color != "" {
		fmt.Fprintf(w.out, `<tabColor rgb="FF%s"/>`, w.color)
	}
	pane, corner, split := "bottomLeft", "A2", ""
	if w.frozen > 0 {
		pane, corner, split = "bottomRight", w.letters[w.frozen]+"2", fmt.Sprintf(`xSplit="%d" `, w.frozen)
	}
	fmt.Fprintf(w.out, `<pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0"><pane %sySplit="1" topLeftCell="%s" activePane="%s" state="frozen"/>`+
		`<selection pane="%s" activeCell="%s" sqref="%s"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`, split, corner, pane, pane, corner, corner)
	for i, c := range w.columns {
		fmt.Fprintf(w.out, `<col min="%d" max="%d" width="%g" customWidth="1"/>`, i+1, i+1, c.width)
	}
	io.WriteString(w.out, `</cols><sheetData><row r="1" ht="20" customHeight="1">`)
	w.line = w.line[:0]
	for i, c := range w.columns {
		w.line = w.cell(w.line, i, 1, w.book.palette.head, c.name)
	}
	_, err = w.out.Write(append(w.line, "</row>"...))
	return err
}

func (w *sheetWriter) write(row []string) error {
	w.row++
	w.rows++
	var to []link
	if w.rows <= linkedRows {
		if w.sheet.links != nil {
			to = w.sheet.links()
		}
		if w.choices != nil {
			w.choose(w.choices())
		}
	}
	w.line = append(w.line[:0], `<row r="`...)
	w.line = strconv.AppendInt(w.line, int64(w.row), 10)
	if n := w.height(row); n > 1 {
		w.line = append(w.line, `" ht="`...)
		w.line = strconv.AppendInt(w.line, int64(n*lineHeight), 10)
	}
	w.line = append(w.line, `">`...)
	for i, text := range row {
		place := ""
		for _, l := range to {
			if l.column == i {
				place = l.place
			}
		}
		if place != "" && text != "" {
			w.links = append(w.links, fmt.Sprintf(`<hyperlink ref="%s%d" location="%s"/>`, w.letters[i], w.row, appendXML(nil, place)))
		}
		w.line = w.cell(w.line, i, w.row, w.style(i, text, place), cellText(text, w.columns[i].list))
	}
	w.line = append(w.line, "</row>"...)
	_, err := w.out.Write(w.line)
	return err
}

const (
	lineHeight = 15 // in points
	tallest    = 20 // lines
)

// height returns how many lines the row needs to be seen whole: not every program
// works that out when it opens a file.
func (w *sheetWriter) height(row []string) int {
	most := 1
	for i, c := range w.columns {
		if !c.wrap {
			continue
		}
		n, width := 0, int(c.width*0.95) // lines are broken between words
		for line := range strings.SplitSeq(row[i], "\n") {
			n += 1 + max(0, utf8.RuneCountInString(line)-1)/width
		}
		most = max(most, n)
	}
	return min(most, tallest)
}

// style returns the style of a cell with the text and the link.
func (w *sheetWriter) style(i int, text, place string) int {
	p := &w.book.palette
	if style := w.tints[i][text]; style != 0 && text != "" {
		return style
	}
	switch {
	case i == w.answer:
		return p.input
	case place != "":
		return p.link
	case w.columns[i].wrap:
		return p.wrap
	}
	return w.plain
}

// cell appends the cell; a blank one only where its style is to be seen.
func (w *sheetWriter) cell(b []byte, i, row, style int, text string) []byte {
	if text == "" && i != w.answer {
		return b
	}
	b = append(b, `<c r="`...)
	b = append(b, w.letters[i]...)
	b = strconv.AppendInt(b, int64(row), 10)
	if style != 0 {
		b = append(b, `" s="`...)
		b = strconv.AppendInt(b, int64(style), 10)
	}
	if text == "" {
		return append(b, `"/>`...)
	}
	b = append(b, `" t="inlineStr"><is><t`...)
	if first, last := text[0], text[len(text)-1]; first <= ' ' || last <= ' ' {
		b = append(b, ` xml:space="preserve"`...)
	}
	b = append(b, '>')
	b = appendXML(b, text)
	return append(b, `</t></is></c>`...)
}

// choose notes the list of the row, together with those before that have the same.
func (w *sheetWriter) choose(formula string) {
	if n := len(w.lists); n > 0 && w.lists[n-1].formula == formula && w.lists[n-1].to == w.row-1 {
		w.lists[n-1].to = w.row
	} else if formula != "" {
		w.lists = append(w.lists, span{w.row, w.row, formula})
	}
}

// end closes the part, with a filter over all of it. The elements stand in the
// order that the format prescribes.
func (w *sheetWriter) end() error {
	ref := fmt.Sprintf("$A$1:$%s$%d", w.letters[len(w.letters)-1], w.row)
	fmt.Fprintf(w.out, `</sheetData><autoFilter ref="%s"/>`, strings.ReplaceAll(ref, "$", ""))
	if w.answer >= 0 && w.row > 1 && w.columns[w.answer].name == "decision" {
		w.colorDecisions()
	}
	if len(w.lists) > 0 {
		fmt.Fprintf(w.out, `<dataValidations count="%d">`, len(w.lists))
		for _, s := range w.lists {
			fmt.Fprintf(w.out, `<dataValidation type="list" allowBlank="1" showInputMessage="1" showErrorMessage="1" errorTitle="not in the list" `+
				`error="Choose from the list, or leave the cell blank." promptTitle="%s" prompt="%s" sqref="%s%d:%s%d"><formula1>%s</formula1></dataValidation>`,
				w.columns[w.answer].name, answers[w.columns[w.answer].name], w.letters[w.answer], s.from, w.letters[w.answer], s.to, appendXML(nil, s.formula))
		}
		io.WriteString(w.out, `</dataValidations>`)
	}
	if len(w.links) > 0 {
		io.WriteString(w.out, `<hyperlinks>`)
		for _, l := range w.links {
			io.WriteString(w.out, l)
		}
		io.WriteString(w.out, `</hyperlinks>`)
	}
	io.WriteString(w.out, `<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>`+
		`<pageSetup pageOrder="overThenDown" orientation="landscape" fitToWidth="`+strconv.Itoa(w.across())+`" fitToHeight="0"/><headerFooter><oddFooter>&amp;L&amp;A&amp;Rpage &amp;P of &amp;N</oddFooter></headerFooter></worksheet>`)
	shown := w.row - 1
	if w.empty {
		shown = 0
	}
	w.book.sheets = append(w.book.sheets, written{sheet: w.sheet, title: w.title(), part: w.part, rows: shown, filter: ref})
	return w.out.Flush()
}

// across returns on how many pages, side by side, the columns can be read in print.
func (s *sheet) across() int {
	const readable = 170 // characters on landscape paper
	width := 0.0
	for _, c := range s.columns {
		width += c.width
	}
	return max(1, int(math.Round(width/readable)))
}

// repeated returns what stands on every page in print: the header, and the columns
// that stay in sight.
func (w *written) repeated() string {
	header := "'" + w.title + "'!$1:$1"
	if w.frozen == 0 {
		return header
	}
	return fmt.Sprintf("'%s'!$A:$%c,%s", w.title, 'A'+w.frozen-1, header)
}

// colorDecisions colours answers as they are given.
func (w *sheetWriter) colorDecisions() {
	first := fmt.Sprint(w.letters[w.answer], 2)
	fmt.Fprintf(w.out, `<conditionalFormatting sqref="%s:%s%d">`, first, w.letters[w.answer], w.row)
	for i, when := range []string{
		first + `="approve"`, first + `="reject"`, fmt.Sprintf(`OR(LEFT(%s,5)="link:",LEFT(%s,5)="keep:")`, first, first),
	} {
		fmt.Fprintf(w.out, `<cfRule type="expression" dxfId="%d" priority="%d"><formula>%s</formula></cfRule>`,
			w.book.palette.decisions[i], i+1, appendXML(nil, when))
	}
	io.WriteString(w.out, `</conditionalFormatting>`)
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

func sheetPath(n int) string { return fmt.Sprintf("xl/worksheets/sheet%d.xml", n) }

// create begins a part of the archive.
func (b *workbook) create(path string) (io.Writer, error) {
	b.paths = append(b.paths, path)
	return b.zip.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate})
}

// has reports whether the part is written.
func (b *workbook) has(path string) bool { return slices.Contains(b.paths, path) }
