package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/aimcheck/aimcheck/audit"
)

var update = flag.Bool("update", false, "write the golden files again")

// write returns what the file's writer makes of the report.
func write(t testing.TB, f File, r *audit.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, r); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.Bytes()
}

func allFiles(t testing.TB) []File {
	t.Helper()
	files, err := Files(Formats())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), run with -update if it is right:\n%s", name, diff)
	}
}

func TestGolden(t *testing.T) {
	names := map[string]bool{}
	for _, f := range allFiles(t) {
		got := write(t, f, sample(t))
		if again := write(t, f, sample(t)); !bytes.Equal(got, again) {
			t.Errorf("%s differs from one run to the next", f.Name)
		}
		if f.Name == "report.xlsx" {
			golden(t, "workbook.txt", dump(t, got))
			continue
		}
		if f.Name == "report.html" {
			got = []byte(openedPage(t, got))
		}
		names[f.Name] = true
		golden(t, f.Name, got)
	}
	golden(t, "incomplete.json", write(t, File{Name: "", Write: findingsJSON}, incomplete(t)))
	golden(t, "incomplete.md", write(t, File{Name: "", Write: summaryMarkdown}, incomplete(t)))
	for name, f := range map[string]File{"redacted.json": {Write: findingsJSON}, "redacted.md": {Write: summaryMarkdown}, "redacted.csv": {Write: csvOf(subjectsTable)}} {
		golden(t, name, write(t, f, redacted(t, nightly(t), testKey)))
	}
	// A file in testdata that nothing makes proves nothing.
	found, err := filepath.Glob("testdata/*.*")
	if err != nil || len(found) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range found {
		name := filepath.Base(path)
		if !names[name] && !strings.HasPrefix(name, "incomplete.") && !strings.HasPrefix(name, "nightly.") && !strings.HasPrefix(name, "redacted.") && !strings.HasPrefix(name, "terminal") && name != "explain.txt" && name != "workbook.txt" {
			t.Errorf("%s is no longer made", path)
		}
	}
}

func TestFiles(t *testing.T) {
	always := []string{"findings.json", "plan.json", "summary.md", "support-ticket.md", "okta-changes.csv"}
	for _, test := range []struct {
		formats []string
		also    []string
	}{
		{nil, nil},
		{[]string{"json"}, nil},
		{[]string{"csv", "csv"}, []string{"findings.csv", "subjects.csv", "crosswalk.csv", "plan.csv", "group-members.csv"}},
		{[]string{"xlsx"}, []string{"report.xlsx"}},
		{[]string{"html"}, []string{"report.html"}},
	} {
		files, err := Files(test.formats)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
		}
		if diff := cmp.Diff(slices.Concat(always, test.also), names); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", test.formats, diff)
		}
	}
	if _, err := Files([]string{"csv", "pdf"}); err == nil || !strings.Contains(err.Error(), `"pdf"`) || !strings.Contains(err.Error(), "csv, xlsx, html, json") {
		t.Errorf("an unknown format gives %v", err)
	}
}

// full is a disk without room.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errors.New("disk full")
	}
	f.room -= len(p)
	return len(p), nil
}

func TestWriteErrorsAreReported(t *testing.T) {
	r := many(600)
	r.Findings = audit.NewFindings(append(listed(r), sampleFindings()...)...)
	files := slices.DeleteFunc(allFiles(t), func(f File) bool { return f.Name == "crosswalk.csv" || f.Name == "report.xlsx" })
	files = append(files,
		File{Name: "crosswalk.csv", Write: func(w io.Writer, r *audit.Report) error {
			return writeCSV(w, crosswalkOf(slices.Values([]*audit.CrosswalkRow{{}})))
		}},
		File{Name: "report.xlsx", Write: func(w io.Writer, r *audit.Report) error {
			return writeWorkbook(w, r, slices.Values([]audit.CrosswalkRow{{}}), 1000)
		}},
		File{Name: "summary", Write: func(w io.Writer, r *audit.Report) error { return Summary(w, r, Terminal{}) }})
	for _, f := range files {
		whole := len(write(t, f, r))
		for _, room := range []int{0, whole / 2, whole - 1} {
			if err := f.Write(&full{room}, r); err == nil {
				t.Errorf("%s: no error when only %d of %d bytes can be written", f.Name, room, whole)
			}
		}
	}
}

func TestSchemas(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files := map[string]string{"findings.v1.json": "findings.json", "plan.v1.json": "plan.json"}
	schemas := os.DirFS("../docs/schema")
	empty := &audit.Report{Settings: audit.Settings{SSOClaim: audit.ClaimUnknown, WorkspaceSSOClaim: audit.ClaimUnknown, UnifiedLogin: audit.Unknown}, Verdict: audit.Incomplete}
	for _, name := range []string{"findings.v1.json", "plan.v1.json"} {
		text, err := fs.ReadFile(schemas, name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
		schema, err := c.Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(allFiles(t), func(f File) bool { return f.Name == files[name] })
		for about, r := range map[string]*audit.Report{"sample": sample(t), "incomplete": incomplete(t), "empty": empty, "nightly": nightly(t), "redacted": redacted(t, nightly(t), testKey)} {
			if allFiles(t)[i].Lacks(r) && r.Redacted {
				continue
			}
			got := write(t, allFiles(t)[i], r)
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s, %s: %v", about, name, err)
			}
			delete(value.(map[string]any), "schema")
			if schema.Validate(value) == nil {
				t.Errorf("%s, %s: a file without schema is accepted", about, name)
			}
		}
	}
}

// The plan's digest is checked by whoever reads it back.
func TestPlanReadBack(t *testing.T) {
	r := sample(t)
	r.Plan.Operations[0].Name = "a<b>&\u2028\"'\\ grün 😀"
	if err := r.Plan.Seal(readAt(), 1); err != nil {
		t.Fatal(err)
	}
	var p audit.Plan
	if err := json.Unmarshal(write(t, File{Name: "plan.json", Write: planJSON}, r), &p); err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(); err != nil {
		t.Error(err)
	}
}

func TestFindingsReadBack(t *testing.T) {
	r := sample(t)
	var got struct {
		Counts   map[string]int
		Impact   map[string]audit.Impact
		Findings []audit.Finding
	}
	if err := json.Unmarshal(write(t, File{Name: "", Write: findingsJSON}, r), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != r.Findings.Len() || got.Findings[4].Message != r.Findings.At(4).Message || got.Findings[4].Evidence == nil {
		t.Errorf("findings are %+v", got.Findings)
	}
	if got.Counts["blocker"] != 3 || got.Impact["now"].Users[audit.Linked] != r.Now.Users[audit.Linked] {
		t.Errorf("counts %v, impact %v", got.Counts, got.Impact)
	}
	if _, ok := got.Impact["now"].Users[audit.Blocked]; !ok {
		t.Error("an outcome that does not occur is missing instead of 0")
	}
}

func TestWhatJSONCannotHoldIsAnError(t *testing.T) {
	r := sample(t)
	r.Plan.Expires = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := planJSON(io.Discard, r); err == nil {
		t.Error("a year of five digits was written")
	}
}

func TestWaivedFindingsAskNobody(t *testing.T) {
	r := sample(t)
	list := listed(r)
	for i := range list {
		list[i].Waived = true
	}
	r.Findings = audit.NewFindings(list...)
	if list := renames(r); len(list) > 0 {
		t.Errorf("support is asked for %+v", list)
	}
	var line row
	for range oktaChanges(r).each(&line) {
		t.Errorf("an Okta admin is asked for %q", line.cells(nil))
	}
	if got := string(write(t, File{Name: "", Write: supportTicket}, r)); !strings.Contains(got, "nothing to send") {
		t.Errorf("the ticket says %q", got)
	}
}
