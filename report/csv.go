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
	text, line := t.header(), row{}
	for range t.each(&line) {
		if text = line.appendCSV(text); len(text) < some {
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
	return writeParts(w, r.BriefCrosswalk(), func(text []byte, part iter.Seq[*audit.CrosswalkRow]) ([]byte, error) {
		var line row
		for range crosswalkOf(part).each(&line) {
			text = line.appendCSV(text)
		}
		return text, nil
	})
}

// header is the first line.
func (t table) header() []byte {
	var line row
	for _, col := range t.columns {
		line.add(col.name)
	}
	return line.appendCSV(nil)
}

// appendCSV appends the row as a line of CSV. It stands here because encoding/csv
// wants strings, and looks at one byte after another.
func (r *row) appendCSV(text []byte) []byte {
	if r.asItIs() {
		text = append(text, r.text...)
	} else {
		for i, end := range r.ends {
			text = append(appendCell(text, r.text[r.start(i):end]), ',')
		}
	}
	text[len(text)-1] = '\n' // behind the last cell there is no comma
	return text
}

// asItIs reports whether CSV has every cell as it is, which is seen at one go.
func (r *row) asItIs() bool {
	special, ascii := scan.For(r.text, '"')
	if special || !ascii && !utf8.Valid(r.text) || bytes.Count(r.text, []byte{','}) > len(r.ends) {
		return false
	}
	for i, end := range r.ends {
		if cell := r.text[r.start(i):end]; len(cell) > 0 && (formula(cell[0]) || spaced(cell)) {
			return false
		}
	}
	return true
}

// appendCell appends a cell as RFC 4180 has it.
func appendCell(text, cell []byte) []byte {
	special, ascii := scan.For(cell, ',')
	if !ascii && !utf8.Valid(cell) {
		cell = []byte(valid(string(cell)))
	}
	quote := special && needsQuotes(cell) || spaced(cell)
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
	for _, c := range []byte(",\"\n\r") { // bytes.ContainsAny looks at one byte after another
		if bytes.IndexByte(cell, c) >= 0 {
			return true
		}
	}
	return false
}

// spaced reports whether a space is at either end: some readers trim what is not quoted.
func spaced(cell []byte) bool {
	return len(cell) > 0 && (cell[0] == ' ' || cell[len(cell)-1] == ' ')
}
