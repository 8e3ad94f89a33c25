package report

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

func open(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func rowsOf(t testing.TB, f *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestWorkbook(t *testing.T) {
	data := write(t, File{Name: "report.xlsx", Write: workbookXLSX}, sample(t))
	f := open(t, data)
	want := []string{"Summary", "Findings", "Subjects", "Crosswalk", "Plan", "By hand", "Rules"}
	if diff := cmp.Diff(want, f.GetSheetList()); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	for _, sheet := range want[1:] {
		panes, err := f.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("%s: the header is not frozen: %+v, %v", sheet, panes, err)
		}
		if got := xmlPart(t, data, fmt.Sprintf("xl/worksheets/sheet%d.xml", slices.Index(want, sheet)+1)); !strings.Contains(got, `<autoFilter ref="$A$1:`) {
			t.Errorf("%s has no filter", sheet)
		}
	}
	for _, sheet := range want {
		for i, row := range rowsOf(t, f, sheet) {
			for j, cell := range row {
				at, _ := excelize.CoordinatesToCellName(j+1, i+1)
				if formula, _ := f.GetCellFormula(sheet, at); formula != "" || isFormula(cell) {
					t.Errorf("%s!%s: %q is a formula", sheet, at, cell)
				}
			}
		}
	}
	summary := rowsOf(t, f, "Summary")
	if summary[0][0] != "aimcheck: NOT READY" || !strings.Contains(summary[1][0], "3 blockers") {
		t.Errorf("the summary begins with %q", summary[:2])
	}
	for i, sheet := range want[1:] {
		top := slices.IndexFunc(summary, func(row []string) bool { return len(row) > 0 && row[0] == "Sheets" })
		i += top + 1
		if row := summary[i]; row[0] != sheet {
			t.Errorf("%s is not listed, but %q", sheet, row)
		} else {
			if ok, to, err := f.GetCellHyperLink("Summary", fmt.Sprintf("A%d", i+1)); !ok || to != "'"+row[0]+"'!A1" || err != nil {
				t.Errorf("%s is linked to %q, %v", row[0], to, err)
			}
		}
	}
	kind, err := f.GetCellType("Summary", "C14")
	if err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
		t.Errorf("a count is of type %v, %v", kind, err)
	}
}

// xmlPart returns a part of the package as text.
func xmlPart(t testing.TB, data []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	text, err := io.ReadAll(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Decisions are read back from these two columns of this sheet.
func TestWorkbookDecisions(t *testing.T) {
	f := open(t, write(t, File{Name: "", Write: workbookXLSX}, sample(t)))
	rows := rowsOf(t, f, "Plan")
	var got [][]string
	for _, row := range rows {
		got = append(got, row[:2])
	}
	want := [][]string{{"id", "decision"}, {"op-0001", "approve"}, {"op-0002", ""}, {"ambiguous-username-187791c836b8", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if choices := rows[3][9]; choices != "link:00u1 link:00u2" {
		t.Errorf("the choices are %q", choices)
	}
	lists, err := f.GetDataValidations("Plan")
	if err != nil || len(lists) != 1 || lists[0].Sqref != "B2:B4" || lists[0].Formula1 != `"approve,reject"` {
		t.Errorf("the list is %+v, %v", lists, err)
	}
}

func TestWorkbookGoesOnInAnotherSheet(t *testing.T) {
	rows := slices.Values([]audit.CrosswalkRow{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}})
	var b bytes.Buffer
	if err := writeWorkbook(&b, sample(t), rows, 3); err != nil {
		t.Fatal(err)
	}
	f := open(t, b.Bytes())
	var names []string
	for _, sheet := range []string{"Crosswalk", "Crosswalk (2)", "Crosswalk (3)"} {
		rows := rowsOf(t, f, sheet)
		if rows[0][0] != "subject" {
			t.Errorf("%s has no header: %q", sheet, rows[0])
		}
		for _, row := range rows[1:] {
			names = append(names, row[1])
		}
	}
	if got := strings.Join(names, ""); got != "abcde" {
		t.Errorf("the rows are %q", got)
	}
	if slices.Contains(f.GetSheetList(), "Crosswalk (4)") {
		t.Error("there is a sheet too many")
	}
}

func TestCut(t *testing.T) {
	subjects := strings.TrimSpace(strings.Repeat("okta:user:00u1 ", 5000))
	cell := cellText(subjects, true)
	kept, more, ok := strings.Cut(cell, " and ")
	var n int
	if _, err := fmt.Sscanf(more, "%d more", &n); !ok || err != nil || len(strings.Fields(kept))+n != 5000 {
		t.Errorf("%d subjects are kept, then %q", len(strings.Fields(kept)), more)
	}
	for _, text := range []string{strings.Repeat("é", 32767), strings.Repeat("😀", 16383)} {
		if cellText(text, false) != text {
			t.Errorf("a text that fits was cut")
		}
	}
	for _, text := range []string{strings.Repeat("é", 32768), strings.Repeat("😀", 20000), strings.Repeat("x", 100000), subjects} {
		cell := cellText(text, false)
		var units int
		for _, r := range cell {
			units += 1 + int(r>>16&1) // pairs for what lies outside the basic plane
		}
		kept, more, _ := strings.Cut(cell, " … and ")
		var left int
		if _, err := fmt.Sscanf(more, "%d more characters", &left); err != nil || units > excelize.TotalCellChars {
			t.Errorf("%d units, ending in %q", units, cell[len(cell)-40:])
		}
		if !strings.HasPrefix(text, kept) || utf8.RuneCountInString(kept)+left != utf8.RuneCountInString(text) || !utf8.ValidString(kept) {
			t.Errorf("%d characters are kept and %d said to be left out, of %d", utf8.RuneCountInString(kept), left, utf8.RuneCountInString(text))
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\r\n é": "a\tb\r\n é", "\x00": `\u0000`, "a\ufffe\uffff": `a\ufffe\uffff`, "\u202ea\u2069": `\u202ea\u2069`,
		"_xD800_xDFFF_": `\u005fxD800\u005fxDFFF_`, "_x0041_": "_x0041_",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

// What excelize keeps in temporary files is personal data.
func TestWorkbookLeavesNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	full := &full{}
	large := many(600) // what excelize keeps in files is counted in bytes
	for i := range large.Findings {
		large.Findings[i].Message = strings.Repeat("long ", 6000)
	}
	for _, w := range []io.Writer{io.Discard, full} {
		err := writeWorkbook(w, large, slices.Values([]audit.CrosswalkRow{}), excelize.TotalRows)
		if (err != nil) != (w == full) {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%v is left, %v", left, err)
		}
	}
}

func TestWorkbookIsLossless(t *testing.T) {
	xmlHolds := func(s string) bool { return printable(s) == s }
	rapid.Check(t, func(t *rapid.T) {
		escapes := rapid.StringMatching(`(_x[0-9A-F]{4}_|_x[0-9a-f]{4}_|_x005F|[_&<]| |xD800_){1,4}`)
		names := rapid.SliceOfN(rapid.OneOf(nasty(), escapes), 1, 30).Draw(t, "names")
		cells := table{columns: []column{{name: "name", width: 9}}, rows: func(yield func([]string) bool) {
			for _, n := range names {
				if !yield([]string{n + "."}) { // blank rows are not read back
					return
				}
			}
		}}
		book := &workbook{file: excelize.NewFile(), rows: 1000}
		defer book.file.Close()
		if err := book.addTable(findingsSheet, cells); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := book.write(&b); err != nil {
			t.Fatal(err)
		}
		f, err := excelize.OpenReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := f.GetRows("Findings")
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range names {
			want += "."
			got := strings.TrimPrefix(rows[i+1][0], "'")
			if xmlHolds(want) && got != want {
				t.Fatalf("%q came back as %q", want, got)
			}
			if !xmlHolds(want) && got != printable(want) {
				t.Fatalf("%q came back as %q, not %q", want, got, printable(want))
			}
		}
	})
}

func BenchmarkXLSX(b *testing.B) {
	r := many(50_000)
	t := findingsTable(r)
	b.Run("streamwriter", func(b *testing.B) {
		var rows [][]string
		for row := range t.rows {
			rows = append(rows, slices.Clone(row))
		}
		for b.Loop() {
			f := excelize.NewFile()
			w, err := f.NewStreamWriter("Sheet1")
			if err != nil {
				b.Fatal(err)
			}
			for i, row := range rows {
				cells := make([]any, len(row))
				for j, c := range row {
					cells[j] = c
				}
				w.SetRow(fmt.Sprintf("A%d", i+1), cells)
			}
			w.Flush()
			f.WriteTo(io.Discard)
			f.Close()
		}
	})
	b.Run("findings", func(b *testing.B) {
		for b.Loop() {
			book := &workbook{file: excelize.NewFile(), rows: excelize.TotalRows}
			if err := book.makeStyles(); err != nil {
				b.Fatal(err)
			}
			if err := book.addTable(findingsSheet, t); err != nil {
				b.Fatal(err)
			}
			if err := book.write(io.Discard); err != nil {
				b.Fatal(err)
			}
			book.file.Close()
		}
	})
}
