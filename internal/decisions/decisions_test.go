package decisions

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/report"
)

func TestCSV(t *testing.T) {
	op := audit.Answer{ID: "op-0001", Decision: "approve", Where: "d.csv:2"}
	for _, c := range []struct {
		name, text string
		want       []audit.Answer
		fails      string
	}{
		{"plain", "id,decision\nop-0001,approve\n", []audit.Answer{op}, ""},
		{"from a spreadsheet", "\ufeffDecision ; ID\r\napprove;op-0001\r\n;\r\n", []audit.Answer{op}, ""},
		{"an id in capitals", "ID,DECISION\nOP-0001,approve\n", []audit.Answer{op}, ""},
		{"tabs", "id\tdecision\nop-0001\tapprove", []audit.Answer{op}, ""},
		{"the plan's CSV", "id,action,target,to,decision\nop-0001,a,databricks:user:1,'-x,approve\n",
			[]audit.Answer{{ID: "op-0001", Decision: "approve", Target: "databricks:user:1", To: "-x", Where: "d.csv:2"}}, ""},
		{"a short row and one without id", "decision,id\nreject\napprove,op-0001", []audit.Answer{{Decision: "reject", Where: "d.csv:2"}, {ID: "op-0001", Decision: "approve", Where: "d.csv:3"}}, ""},
		{"lines within cells", "id,note,decision\nx,\"a\nb\",\nop-0001,,reject\n", []audit.Answer{{ID: "x", Where: "d.csv:2"}, {ID: "op-0001", Decision: "reject", Where: "d.csv:4"}}, ""},
		{"blank cells beyond the header", "id,decision\nop-0001,approve,, \n", []audit.Answer{op}, ""},
		{"a comma without quotes", "id,note,decision\nop-0001,fine, approve,reject\n", nil, "line 2 has 4 cells, the header 3"},
		{"another separator than the header's", "id,decision\nop-0001,approve\nop-0002;reject\n", nil, `line 3: "op-0002;reject" is more than an id`},
		{"a whole row in one cell", "id,decision\n\"ambiguous-username-0123456789ab,link:00u2\"\n", nil, "more than an id"},
		{"a note in the id's column", "id,decision\n\"a note, by Ana\",\nop-0001,approve\n", []audit.Answer{{ID: "a note, by ana", Where: "d.csv:2"}, {ID: "op-0001", Decision: "approve", Where: "d.csv:3"}}, ""},
		{"no row", "id,decision\n", nil, ""},
		{"nothing", "", nil, "d.csv: expected a header"},
		{"no header", "op-0001,approve\n", nil, "expected a header with the columns id and decision"},
		{"two of a name", "id,decision,Decision\n", nil, "two columns are named decision"},
		{"no UTF-8", "id,decision\n\xff\xfe", nil, "CSV file in UTF-8"},
		{"an open quote", "id,decision\n\"op-0001,approve\n", nil, "quote"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(c.text), "d.csv")
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got the error %v, want one with %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// workbookOf is the report's workbook of a plan with an operation and a choice.
func workbookOf(t testing.TB) []byte {
	t.Helper()
	r, err := audit.Run(new(audit.Snapshot), nil, audit.Options{Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	user := audit.Subject{Kind: audit.DatabricksUserKind, ID: "7"}
	r.Plan = &audit.Plan{Schema: audit.PlanSchema,
		Operations: []audit.Operation{
			{ID: "op-0001", Action: audit.SetExternalID, Target: user, Field: "externalId", To: "-00u1", Decision: audit.Approve},
			{ID: "op-0002", Action: audit.SetName, Target: user, Field: "name.givenName", From: "A", To: "=B"},
		},
		Manual: audit.NewManuals(audit.Manual{Finding: "ambiguous-username-0123456789ab", Remedy: audit.RemedyChoose, Candidates: []audit.Subject{{Kind: audit.OktaUserKind, ID: "00u2"}}}),
	}
	files, err := report.Files([]string{"xlsx"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := files[len(files)-1].Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// written is what the workbook says before anybody touches it, without places.
var written = []audit.Answer{
	{ID: "op-0001", Decision: "approve", Target: "databricks:user:7", To: "-00u1"},
	{ID: "op-0002", Target: "databricks:user:7", To: "=B"},
	{ID: "ambiguous-username-0123456789ab"},
}

func withoutPlaces(answers []audit.Answer) []audit.Answer {
	for i := range answers {
		answers[i].Where = ""
	}
	return answers
}

func TestWorkbook(t *testing.T) {
	text := workbookOf(t)
	got, err := Read(bytes.NewReader(text), "report.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Where != "report.xlsx, sheet Plan, row 2" {
		t.Errorf("the first stands in %q", got[0].Where)
	}
	if diff := cmp.Diff(written, withoutPlaces(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// edited is the workbook as people leave it: sheet renamed, rows in another
// order and one of them hidden, a title above, a second sheet that goes on.
func edited(t *testing.T) []byte {
	t.Helper()
	text := workbookOf(t)
	f, err := excelize.OpenReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.SetSheetName("Plan", "Ours, März"))
	must(f.SetCellValue("Ours, März", "B4", "link:00u2"))
	must(f.SetCellValue("Ours, März", "B3", "Approve"))
	must(f.RemoveRow("Ours, März", 2))
	must(f.InsertRows("Ours, März", 1, 1))
	must(f.SetCellValue("Ours, März", "A1", "decided on Monday"))
	must(f.SetRowVisible("Ours, März", 3, false))
	_, err = f.NewSheet("Plan (2)")
	must(err)
	must(f.SetSheetRow("Plan (2)", "A1", &[]any{"Decision", "x", "ID"}))
	must(f.SetSheetRow("Plan (2)", "A2", &[]any{"reject", 1, "op-0001"}))
	must(f.SetSheetRow("Plan (2)", "A4", &[]any{true, 2, 17}))
	b, err := f.WriteToBuffer()
	must(err)
	return b.Bytes()
}

var left = []audit.Answer{
	{ID: "op-0002", Decision: "Approve", Target: "databricks:user:7", To: "=B", Where: "r.xlsx, sheet Ours, März, row 3"},
	{ID: "ambiguous-username-0123456789ab", Decision: "link:00u2", Where: "r.xlsx, sheet Ours, März, row 4"},
	{ID: "op-0001", Decision: "reject", Where: "r.xlsx, sheet Plan (2), row 2"},
	{ID: "17", Decision: "1", Where: "r.xlsx, sheet Plan (2), row 4"},
}

func TestWorkbookEdited(t *testing.T) {
	got, err := Read(bytes.NewReader(edited(t)), "r.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(left, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// LibreOffice saves the same decisions in its own way.
func TestWorkbookFromLibreOffice(t *testing.T) {
	soffice, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("needs LibreOffice (soffice): install it to run this test")
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "r.xlsx")
	if err := os.WriteFile(in, edited(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), soffice, "-env:UserInstallation=file://"+dir+"/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", filepath.Join(dir, "out"), in)
	cmd.WaitDelay = time.Minute
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Open(filepath.Join(dir, "out", "r.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := Read(f, "r.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(left, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWorkbookRefused(t *testing.T) {
	f := excelize.NewFile()
	if err := f.SetCellValue("Sheet1", "A1", "id"); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"another workbook": {b.String(), "no sheet has a row with the columns id and decision"},
		"a damaged one":    {b.String()[:b.Len()/2], "expected a workbook as .xlsx"},
		"another archive":  {"PK\x03\x04", "expected a workbook as .xlsx"},
	} {
		if _, err := Read(strings.NewReader(c.text), "r.xlsx"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got the error %v, want one with %q", name, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	text := workbookOf(f)
	f.Add(text)
	f.Add([]byte("id,decision\nop-0001,approve\n"))
	f.Add([]byte("\ufeffdecision;id\r\n\"a\"\"b\";x\r\n"))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, text []byte) {
		answers, err := Read(bytes.NewReader(text), "f")
		for _, a := range answers {
			if err != nil || a.ID == "" && a.Decision == "" || a.Where == "" {
				t.Errorf("%+v, %v", a, err)
			}
		}
	})
}
