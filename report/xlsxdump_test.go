package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// dump tells what a workbook shows: cells, links, lists and charts of every sheet.
func dump(t testing.TB, data []byte) []byte {
	t.Helper()
	f := open(t, data)
	var b bytes.Buffer
	for _, sheet := range f.GetSheetList() {
		fmt.Fprintf(&b, "\n=== %s\n", sheet)
		for i, row := range rowsOf(t, f, sheet) {
			if len(row) == 0 {
				continue
			}
			fmt.Fprintf(&b, "%d", i+1)
			for _, cell := range row {
				b.WriteString(" | " + strings.Trim(fmt.Sprintf("%+q", cell), `"`))
			}
			b.WriteString("\n")
		}
		cells, err := f.GetHyperLinkCells(sheet, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range cells {
			_, place, err := f.GetCellHyperLink(sheet, at)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "link %s: %s\n", at, place)
		}
		lists, err := f.GetDataValidations(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range lists {
			fmt.Fprintf(&b, "list %s: %s\n", list.Sqref, list.Formula1)
		}
	}
	return b.Bytes()
}
