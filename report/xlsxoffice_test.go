package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// upToNoGood is the sample with texts in it that are up to no good.
func upToNoGood(t testing.TB) *audit.Report {
	r := sample(t)
	texts := []string{`=HYPERLINK("http://x.example.com";"hi")`, "+1+1", "-2", "@SUM(A1)", "\tx", "\rx", "'=1", "' ", "<script>alert(1)</script>", "]]>&amp;&#0;",
		"\u202egnp.exe", "\x00\x01\x1b[31m\x7f", "\xff\xfe broken", "\xed\xa0\x80 half a character", "😀👩‍👩‍👧 e\u0301", "_x0041_ _x005F_ _xD800_", "a\r\nb\nc\td",
		" spaces  within and at the end  ", strings.Repeat("long ", 2000), strings.Repeat("é", 40_000), "1e5", "00123", "2026-01-01", "TRUE", "#N/A", "\ufffe\uffff", "\u2028\u0085"}
	var manual []audit.Manual
	for m := range r.Plan.Manual.All() {
		manual = append(manual, *m)
	}
	for i, text := range texts {
		f := sampleFindings()[i%5]
		f.Key = text
		f.ID = audit.FindingID(f.Rule, text)
		f.Message += " " + text
		f.Evidence = append([]audit.Evidence{{Subject: f.Subjects[0], Role: text, Field: text, Value: text}}, f.Evidence...)
		r.Findings.Add(&f)
		r.Plan.Operations[1].From, r.Plan.Operations[1].Name = text, text
		manual = append(manual, audit.Manual{Finding: f.ID, Remedy: audit.RemedyChoose, What: text, Candidates: f.Subjects})
	}
	r.Plan.Manual = audit.NewManuals(manual...)
	r.Head.Okta.Tenant, r.Head.Okta.Notes, r.Version = texts[0], texts, texts[1]
	return r
}

// LibreOffice opens, recalculates and saves the workbook, and all that comes back is the same.
func TestWorkbookThroughLibreOffice(t *testing.T) {
	soffice, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("needs LibreOffice (soffice): install it to run this test")
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "r.xlsx")
	before := write(t, File{Write: workbookXLSX}, upToNoGood(t))
	if err := os.WriteFile(in, before, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), soffice, "-env:UserInstallation=file://"+dir+"/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", filepath.Join(dir, "out"), in)
	cmd.WaitDelay = time.Minute
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	after, err := os.ReadFile(filepath.Join(dir, "out", "r.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := open(t, before), open(t, after)
	if diff := cmp.Diff(a.GetSheetList(), b.GetSheetList()); diff != "" {
		t.Fatalf("sheets (-before +after)\n%s", diff)
	}
	for _, sheet := range a.GetSheetList() {
		// LibreOffice knows one way to end a line.
		lines := cmp.Transformer("lines", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") })
		if diff := cmp.Diff(rowsOf(t, a, sheet), rowsOf(t, b, sheet), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.String }, lines)); diff != "" {
			t.Errorf("%s (-before +after)\n%s", sheet, diff)
		}
		if diff := cmp.Diff(linksOf(t, a, sheet), linksOf(t, b, sheet)); diff != "" {
			t.Errorf("links of %s (-before +after)\n%s", sheet, diff)
		}
		is, err := a.GetSheetVisible(sheet)
		if was, err2 := b.GetSheetVisible(sheet); is != was || err != nil || err2 != nil {
			t.Errorf("%s can be seen: %t before, %t after", sheet, is, was)
		}
	}
	lists, err := b.GetDataValidations(planSheet)
	if err != nil || len(lists) < 3 {
		t.Errorf("the plan's lists are %v, %v", lists, err)
	}
	if !bytes.Contains([]byte(xmlPart(t, after, "xl/charts/chart1.xml")), []byte("Summary")) {
		t.Error("the first chart does not show the summary's cells")
	}
}

func linksOf(t testing.TB, f *excelize.File, sheet string) map[string]string {
	t.Helper()
	cells, err := f.GetHyperLinkCells(sheet, "")
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{}
	for _, at := range cells {
		_, place, err := f.GetCellHyperLink(sheet, at)
		if err != nil {
			t.Fatal(err)
		}
		links[at] = strings.NewReplacer("'", "", "#", "", "$", "").Replace(place)
	}
	return links
}
