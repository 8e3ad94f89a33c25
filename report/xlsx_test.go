package report

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
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

// tabs are the sheets of the sample's workbook.
var tabs = []string{"Summary", "Plan", "Databricks admin", "Okta admin", "Support", "Group owners",
	"Uniqueness", "Links", "Names", "Groups", "Access", "Findings", "Subjects", "Crosswalk", "Legend", "Lists"}

func TestWorkbook(t *testing.T) {
	data := write(t, File{Name: "report.xlsx", Write: workbookXLSX}, sample(t))
	f := open(t, data)
	if diff := gocmp.Diff(tabs, f.GetSheetList()); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	for _, sheet := range tabs {
		if visible, err := f.GetSheetVisible(sheet); visible != (sheet != "Lists") || err != nil {
			t.Errorf("%s can be seen: %t, %v", sheet, visible, err)
		}
		if sheet != "Summary" {
			if panes, err := f.GetPanes(sheet); err != nil || !panes.Freeze || panes.YSplit != 1 {
				t.Errorf("%s: the header is not frozen: %+v, %v", sheet, panes, err)
			}
		}
		for i, row := range rowsOf(t, f, sheet) {
			for j, cell := range row {
				at, _ := excelize.CoordinatesToCellName(j+1, i+1)
				if formula, _ := f.GetCellFormula(sheet, at); formula != "" || isFormula(cell) {
					t.Errorf("%s!%s: %q is a formula", sheet, at, cell)
				}
			}
		}
	}
	filters := map[string]bool{}
	for _, name := range f.GetDefinedName() {
		filters[name.Scope] = filters[name.Scope] || strings.Contains(name.RefersTo, "$A$1:")
	}
	for _, sheet := range tabs[1:] {
		if !filters[sheet] {
			t.Errorf("%s has no filter", sheet)
		}
	}
	summary := rowsOf(t, f, "Summary")
	if summary[0][0] != "aimcheck: NOT READY" || !strings.Contains(summary[1][0], "3 blockers") {
		t.Errorf("the summary begins with %q", summary[:2])
	}
	if kind, err := f.GetCellType("Summary", "C2"); err != nil || summary[1][2] != "3" || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
		t.Errorf("the count of blockers is %q of type %v, %v", summary[1][2], kind, err)
	}
}

// A link leads to the row that is about the cell that has it.
func TestWorkbookLinks(t *testing.T) {
	for _, rows := range []int{3, excelize.TotalRows} {
		r := sample(t)
		var b bytes.Buffer
		if err := writeWorkbook(&b, r, r.Crosswalk(), rows); err != nil {
			t.Fatal(err)
		}
		f := open(t, b.Bytes())
		links := 0
		for _, sheet := range f.GetSheetList() {
			cells, err := f.GetHyperLinkCells(sheet, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range cells {
				links++
				text, _ := f.GetCellValue(sheet, at)
				_, place, err := f.GetCellHyperLink(sheet, at)
				to, cell, _ := strings.Cut(strings.ReplaceAll(place, "'", ""), "!")
				if i, _ := f.GetSheetIndex(to); i < 0 || err != nil {
					t.Errorf("%s!%s leads to %q, %v", sheet, at, place, err)
					continue
				}
				_, row, err := excelize.CellNameToCoordinates(cell)
				if err != nil {
					t.Fatal(err)
				}
				if row == 1 { // the sheet itself
					continue
				}
				there := rowsOf(t, f, to)[row-1]
				about := func(cell string) bool { return leadsTo(text, cell) }
				if text == "choose" { // the finding is the row's last cell
					id, _ := f.GetCellValue(sheet, lastCell(t, f, sheet, at))
					about = func(cell string) bool { return cell == id }
				}
				if !slices.ContainsFunc(there, about) {
					t.Errorf("%s!%s, %q, leads to %s, which is %q", sheet, at, text, place, there)
				}
			}
		}
		if links < 40 {
			t.Errorf("there are only %d links", links)
		}
	}
}

// leadsTo reports whether a link's text names what stands in the cell.
func leadsTo(text, cell string) bool {
	kind, id, found := strings.Cut(text, " ")
	return cell == text || strings.HasSuffix(cell, ":"+text) || strings.Contains(text, cell) && strings.Contains(cell, ":") || found && cell == "databricks:"+kind+":"+id
}

// lastCell returns the name of the last cell in the row of the cell.
func lastCell(t testing.TB, f *excelize.File, sheet, at string) string {
	_, row, err := excelize.CellNameToCoordinates(at)
	if err != nil {
		t.Fatal(err)
	}
	name, err := excelize.CoordinatesToCellName(len(rowsOf(t, f, sheet)[row-1]), row)
	if err != nil {
		t.Fatal(err)
	}
	return name
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
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	lists, err := f.GetDataValidations("Plan")
	if err != nil || len(lists) != 2 || lists[0].Sqref != "B2:B3" || lists[0].Formula1 != `"approve,reject"` ||
		lists[1].Sqref != "B4:B4" || lists[1].Formula1 != "Lists!$A$2:$A$3" {
		t.Errorf("the lists are %+v, %v", lists, err)
	}
	if diff := gocmp.Diff([][]string{{"choices"}, {"link:00u1"}, {"link:00u2"}}, rowsOf(t, f, "Lists")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
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
	list := listed(large)
	for i := range list {
		list[i].Message = strings.Repeat("long ", 6000)
	}
	large.Findings = audit.NewFindings(list...)
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
		cells := table{columns: []column{{name: "name", width: 9}}, rows: func(line *row, yield func() bool) {
			for _, n := range names {
				line.set(n + ".") // blank rows are not read back
				if !yield() {
					return
				}
			}
		}}
		var b bytes.Buffer
		if err := writeTables(&b, cells); err != nil {
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

// writeTables writes a workbook of the one table.
func writeTables(w io.Writer, t table) error {
	book, err := newWorkbook(w, &audit.Report{}, excelize.TotalRows)
	if err != nil {
		return err
	}
	defer book.file.Close()
	return cmp.Or(book.add(sheet{name: findingsSheet, table: t}), book.tie(), book.close())
}
