package report

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// csvOf returns the writer of a table as CSV: RFC 4180 quoting, UTF-8, the
// header always there, no cell a formula.
func csvOf(table func(*audit.Report) table) func(io.Writer, *audit.Report) error {
	return func(w io.Writer, r *audit.Report) error { return writeCSV(w, table(r)) }
}

func writeCSV(w io.Writer, t table) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	c := csv.NewWriter(buf)
	cells := make([]string, len(t.columns))
	for i, col := range t.columns {
		cells[i] = col.name
	}
	c.Write(cells) // errors stay with c
	for row := range t.rows {
		for i, cell := range row {
			cells[i] = strings.ToValidUTF8(guarded(cell), "\ufffd")
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return buf.Flush()
}
