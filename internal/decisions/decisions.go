// Package decisions reads back what people decided: in the workbook that the
// audit wrote, whatever program saved it since, or in a CSV file.
//
// Columns are found by their names and rows speak by the id that they hold:
// neither the order of rows and columns nor the name of a sheet matters.
package decisions

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// largest is how many bytes of a workbook are unpacked at most: a few times what
// a million rows take.
const largest = 2 << 30

// Read reads the answers of a file: of every row with an id or a decision, in
// the file's order. The decisions themselves are not judged, see [audit.Decide].
// Name is the file's, for errors and for what [audit.Answer.Where] says.
func Read(r io.Reader, name string) ([]audit.Answer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	var answers []audit.Answer
	if bytes.HasPrefix(text, []byte("PK\x03\x04")) {
		answers, err = workbook(text, name)
	} else {
		answers, err = table(text, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return answers, nil
}

// table reads a CSV file. A spreadsheet may have put semicolons or tabs in the
// place of the commas, and a mark of the byte order in front.
func table(text []byte, name string) ([]audit.Answer, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return nil, errors.New("expected a workbook (.xlsx) or a CSV file in UTF-8: save it as one of these")
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	c := csv.NewReader(bytes.NewReader(text))
	c.FieldsPerRecord = -1
	for _, comma := range ";\t" {
		if bytes.ContainsRune(first, comma) && !bytes.ContainsRune(first, ',') {
			c.Comma = comma
		}
	}
	var answers []audit.Answer
	var head *header
	for {
		row, err := c.Read()
		switch {
		case err == io.EOF && head == nil:
			return nil, errNoHeader
		case err == io.EOF:
			return answers, nil
		case err != nil:
			return nil, err
		}
		if head == nil {
			if head, err = newHeader(row); err != nil {
				return nil, err
			}
			if head == nil {
				return nil, errNoHeader
			}
			continue
		}
		line, _ := c.FieldPos(0)
		if len(row) > head.cells && strings.TrimSpace(strings.Join(row[head.cells:], "")) != "" {
			return nil, fmt.Errorf("line %d has %d cells, the header %d, so a decision may stand in the wrong one: put a cell that holds a separator in quotes", line, len(row), head.cells)
		}
		a, err := head.answer(row, fmt.Sprintf("%s:%d", name, line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if a.ID != "" || a.Decision != "" {
			answers = append(answers, a)
		}
	}
}

var errNoHeader = errors.New("expected a header with the columns id and decision")

// workbook reads every sheet that has the columns: the plan may go on in several.
func workbook(text []byte, name string) (answers []audit.Answer, err error) {
	f, err := excelize.OpenReader(bytes.NewReader(text),
		// All in memory: nothing of it may be left behind in a temporary file.
		excelize.Options{RawCellValue: true, UnzipSizeLimit: largest, UnzipXMLSizeLimit: largest})
	if err != nil {
		return nil, fmt.Errorf("expected a workbook as .xlsx, or a CSV file: save it as one of these (%w)", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	found := false
	for _, sheet := range f.GetSheetList() {
		here, had, err := readSheet(f, sheet, name)
		if err != nil {
			return nil, fmt.Errorf("sheet %s: %w", sheet, err)
		}
		answers, found = append(answers, here...), found || had
	}
	if !found {
		return nil, errors.New("no sheet has a row with the columns id and decision, as the sheet Plan has")
	}
	return answers, nil
}

// above is how many rows people may have put above the header.
const above = 20

func readSheet(f *excelize.File, sheet, name string) (answers []audit.Answer, found bool, err error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		if strings.Contains(err.Error(), "is not a worksheet") { // a chart
			return nil, false, nil
		}
		return nil, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var head *header
	for n := 1; rows.Next(); n++ {
		if head == nil && n > above {
			break
		}
		row, err := rows.Columns()
		if err != nil {
			return nil, false, fmt.Errorf("row %d: %w", n, err)
		}
		if head == nil {
			if head, err = newHeader(row); err != nil {
				return nil, false, err
			}
			continue
		}
		a, err := head.answer(row, fmt.Sprintf("%s, sheet %s, row %d", name, sheet, n))
		if err != nil {
			return nil, false, fmt.Errorf("row %d: %w", n, err)
		}
		if a.ID != "" || a.Decision != "" {
			answers = append(answers, a)
		}
	}
	return answers, head != nil, rows.Error()
}

// A header says in which columns a file has what.
type header struct {
	id, decision, target, to int // -1: nowhere
	cells                    int // how many it has
}

// newHeader returns the header that the row is, nil if it is none.
func newHeader(row []string) (*header, error) {
	h := header{-1, -1, -1, -1, len(row)}
	columns := map[string]*int{"id": &h.id, "decision": &h.decision, "target": &h.target, "to": &h.to}
	twice := ""
	for i, cell := range row {
		name := strings.ToLower(strings.TrimSpace(cell))
		if at := columns[name]; at != nil {
			if *at >= 0 {
				twice = name
			}
			*at = i
		}
	}
	if h.id < 0 || h.decision < 0 {
		return nil, nil
	}
	if twice != "" {
		return nil, fmt.Errorf("two columns are named %s: which one counts?", twice)
	}
	return &h, nil
}

// idAndMore is an id of an operation or a finding, and what follows it in its cell.
var idAndMore = regexp.MustCompile(`^(op-[0-9]+|[a-z-]+-[0-9a-f]{12})[^0-9a-z]`)

// answer returns what a row says. What stands behind an id in its cell may be the
// decision, after another separator than the header's: a row that would be passed
// over for a note.
func (h *header) answer(row []string, where string) (audit.Answer, error) {
	cell := func(i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return unguarded(strings.TrimSpace(row[i]))
	}
	id := strings.ToLower(cell(h.id)) // no id has capitals
	if idAndMore.MatchString(id) {
		return audit.Answer{}, fmt.Errorf("%q is more than an id: write id and decision into cells of their own, separated as in the header", cell(h.id))
	}
	return audit.Answer{ID: id, Decision: cell(h.decision), Target: cell(h.target), To: cell(h.to), Where: where}, nil
}

// unguarded takes off the apostrophe that keeps a cell from being a formula.
func unguarded(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && rest != "" && strings.ContainsRune("=+-@\t\r'", rune(rest[0])) {
		return rest
	}
	return cell
}
