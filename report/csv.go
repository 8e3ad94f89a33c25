package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// csvOf returns the writer of a table as CSV: RFC 4180 quoting, UTF-8, the
// header always there, no cell a formula.
func csvOf(table func(*audit.Report) table) func(io.Writer, *audit.Report) error {
	return func(w io.Writer, r *audit.Report) error { return writeCSV(w, table(r)) }
}

func writeCSV(w io.Writer, t table) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	line := []byte{}
	for i, col := range t.columns {
		line = appendCell(line, i, col.name)
	}
	buf.Write(append(line, '\n')) // an error stays with buf
	for row := range t.rows {
		line = line[:0]
		for i, cell := range row {
			line = appendCell(line, i, cell)
		}
		if _, err := buf.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return buf.Flush()
}

const (
	needsQuotes  = 1
	outsideASCII = 2
)

// csvClass says of each byte what it asks for.
var csvClass = func() (class [256]byte) {
	for _, c := range []byte("\",\n\r") {
		class[c] = needsQuotes
	}
	for c := utf8.RuneSelf; c < 256; c++ {
		class[c] = outsideASCII
	}
	return class
}()

// appendCell appends the cell of column i as RFC 4180 has it. It stands here
// because encoding/csv, which wants whole records, takes twice as long.
func appendCell(line []byte, i int, cell string) []byte {
	if i > 0 {
		line = append(line, ',')
	}
	var has byte
	for i := range len(cell) {
		has |= csvClass[cell[i]]
	}
	if has&outsideASCII != 0 {
		cell = strings.ToValidUTF8(cell, "\ufffd")
	}
	quote := has&needsQuotes != 0
	// Some readers trim what is not quoted.
	quote = quote || strings.HasPrefix(cell, " ") || strings.HasSuffix(cell, " ")
	if !quote {
		return append(line, guarded(cell)...)
	}
	line = append(line, '"')
	cell = guarded(cell)
	for {
		before, after, found := strings.Cut(cell, `"`)
		line = append(line, before...)
		if !found {
			return append(line, '"')
		}
		line = append(line, `""`...)
		cell = after
	}
}
