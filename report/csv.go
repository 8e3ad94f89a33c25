package report

import (
	"bytes"
	"io"
	"iter"
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
	text, line := t.header(), row{csv: true}
	for range t.each(&line) {
		if text = append(text, ended(line.text)...); len(text) < some {
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
		line := row{csv: true}
		for range crosswalkOf(part).each(&line) {
			text = append(text, ended(line.text)...)
		}
		return text, nil
	})
}

// header is the first line.
func (t table) header() []byte {
	line := row{csv: true}
	for _, col := range t.columns {
		line.add(col.name)
	}
	return ended(line.text)
}

// ended ends the line: behind its last cell there is no comma.
func ended(text []byte) []byte {
	text[len(text)-1] = '\n'
	return text
}

// asItIs reports whether CSV has the cell as it is, and nothing needs to be looked at
// twice. It stands here because encoding/csv wants whole records, and looks at one
// byte after another.
func asItIs(cell []byte) bool {
	special, ascii := scan.For(cell, ',')
	return !special && ascii && len(cell) > 0 && cell[0] >= '0' && cell[0] != '=' && cell[0] != '@' && cell[len(cell)-1] != ' '
}

// appendUnusual appends a cell as RFC 4180 has it.
func appendUnusual(text, cell []byte) []byte {
	if !utf8.Valid(cell) {
		cell = []byte(valid(string(cell)))
	}
	quote := needsQuotes(cell)
	if quote {
		text = append(text, '"')
	}
	if len(cell) > 0 && formula(cell[0]) {
		text = append(text, '\'')
	}
	if !quote {
		return append(text, cell...)
	}
	for {
		i := bytes.IndexByte(cell, '"')
		if i < 0 {
			return append(append(text, cell...), '"')
		}
		text = append(append(text, cell[:i]...), `""`...)
		cell = cell[i+1:]
	}
}

func needsQuotes(cell []byte) bool {
	for _, c := range []byte(",\"\n\r") {
		if bytes.IndexByte(cell, c) >= 0 {
			return true
		}
	}
	// Some readers trim what is not quoted.
	return len(cell) > 0 && (cell[0] == ' ' || cell[len(cell)-1] == ' ')
}
