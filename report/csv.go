package report

import (
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/scan"
)

// csvOf returns the writer of a table as CSV: RFC 4180 quoting, UTF-8, the
// header always there, no cell a formula.
func csvOf(table func(*audit.Report) table) func(io.Writer, *audit.Report) error {
	return func(w io.Writer, r *audit.Report) error { return writeCSV(w, table(r)) }
}

func writeCSV(w io.Writer, t table) error {
	const some = 64 << 10
	text := t.header()
	for row := range t.rows {
		if text = appendRow(text, row); len(text) < some {
			continue
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		text = text[:0]
	}
	_, err := w.Write(text)
	return err
}

// crosswalkCSV writes the crosswalk's rows side by side: each is work to make. Rows
// of findings cost less than handing them over from one core to another.
func crosswalkCSV(w io.Writer, r *audit.Report) error {
	if _, err := w.Write(crosswalkOf(nil).header()); err != nil {
		return err
	}
	return writeParts(w, r.CrosswalkList(), func(text []byte, part iter.Seq[*audit.CrosswalkRow]) ([]byte, error) {
		for row := range crosswalkOf(part).rows {
			text = appendRow(text, row)
		}
		return text, nil
	})
}

// header is the first line.
func (t table) header() []byte {
	var names []string
	for _, col := range t.columns {
		names = append(names, col.name)
	}
	return appendRow(nil, names)
}

func appendRow(text []byte, row []string) []byte {
	for _, cell := range row {
		text = appendCell(text, cell)
	}
	return ended(text)
}

// ended ends the line: behind its last cell there is no comma.
func ended(text []byte) []byte {
	text[len(text)-1] = '\n'
	return text
}

// appendCell appends a cell as RFC 4180 has it, and a comma. It stands here because
// encoding/csv wants whole records, and looks at one byte after another.
func appendCell(text []byte, cell string) []byte {
	special, ascii := scan.For(cell, ',')
	if special || !ascii || cell == "" || cell[0] < '0' || cell[0] == '=' || cell[0] == '@' || cell[len(cell)-1] == ' ' {
		return appendUnusual(text, cell)
	}
	return append(append(text, cell...), ',')
}

// appendUnusual is appendCell for a cell that may not stand there as it is.
func appendUnusual(text []byte, cell string) []byte {
	if !utf8.ValidString(cell) {
		cell = strings.ToValidUTF8(cell, "\ufffd")
	}
	quote := needsQuotes(cell)
	cell = guarded(cell)
	if !quote {
		return append(append(text, cell...), ',')
	}
	text = append(text, '"')
	for {
		i := strings.IndexByte(cell, '"')
		if i < 0 {
			return append(append(text, cell...), `",`...)
		}
		text = append(append(text, cell[:i]...), `""`...)
		cell = cell[i+1:]
	}
}

func needsQuotes(cell string) bool {
	for _, c := range []byte(",\"\n\r") {
		if strings.IndexByte(cell, c) >= 0 {
			return true
		}
	}
	// Some readers trim what is not quoted.
	return strings.HasPrefix(cell, " ") || strings.HasSuffix(cell, " ")
}
