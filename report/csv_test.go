package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// nasty draws texts that spreadsheets and parsers stumble over.
func nasty() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringOf(rapid.SampledFrom([]rune("=+-@\t\r\n'\",;|` a\\1é\u202e\u00a0\u2028\U0001f600\x00\x1b"))),
		rapid.String(),
	)
}

// parseRFC4180 reads quoted and bare fields as RFC 4180 says, keeping every
// carriage return inside quotes, unlike encoding/csv.
func parseRFC4180(t *rapid.T, s string) (records [][]string) {
	var record []string
	for s != "" {
		var field strings.Builder
		if strings.HasPrefix(s, `"`) {
			for s = s[1:]; ; {
				i := strings.IndexByte(s, '"')
				if i < 0 {
					t.Fatalf("a quoted field has no end")
				}
				field.WriteString(s[:i])
				if s = s[i+1:]; !strings.HasPrefix(s, `"`) {
					break
				}
				field.WriteByte('"')
				s = s[1:]
			}
		} else {
			i := strings.IndexAny(s, ",\n\r\"")
			field.WriteString(s[:i])
			s = s[i:]
		}
		record = append(record, field.String())
		switch {
		case strings.HasPrefix(s, ","):
			s = s[1:]
		case strings.HasPrefix(s, "\n"):
			s = s[1:]
			records = append(records, record)
			record = nil
		default:
			t.Fatalf("a field is followed by %.10q", s)
		}
	}
	return records
}

// linesOf makes rows of the cells.
func linesOf(rows [][]string) func(line *row, yield func() bool) {
	return func(line *row, yield func() bool) {
		for _, cells := range rows {
			line.set(cells...)
			if !yield() {
				return
			}
		}
	}
}

func isFormula(cell string) bool {
	return cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0]))
}

func TestCSVIsSafeAndLossless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 3
		rows := rapid.SliceOf(rapid.SliceOfN(nasty(), n, n)).Draw(t, "rows")
		var b bytes.Buffer
		if err := writeCSV(&b, table{columns: []column{{name: "a"}, {name: "b"}, {name: "c"}}, rows: linesOf(rows)}); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b.Bytes()) {
			t.Fatal("not UTF-8")
		}
		got := parseRFC4180(t, b.String())
		if len(got) != len(rows)+1 || !slices.Equal(got[0], []string{"a", "b", "c"}) {
			t.Fatalf("%d records for %d rows, header %v", len(got), len(rows), got[0])
		}
		for i, row := range rows {
			for j, want := range row {
				cell := got[i+1][j]
				if isFormula(cell) {
					t.Fatalf("cell %q is a formula", cell)
				}
				if back := strings.TrimPrefix(cell, "'"); back != want {
					t.Fatalf("%q came back as %q", want, back)
				}
			}
		}
	})
}

// Bytes that are no UTF-8 look the same in every file: one character for each.
func TestBytesThatAreNoUTF8(t *testing.T) {
	for text, want := range map[string]string{
		"g\xff\xc3(\x80": "g\ufffd\ufffd(\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd", "\xf0\x9f\x98": "\ufffd\ufffd\ufffd", "é\xe9": "é\ufffd",
	} {
		var line row
		line.set(text)
		if got := strings.TrimSuffix(string(line.appendCSV(nil)), "\n"); got != want {
			t.Errorf("CSV has %q as %q, want %q", text, got, want)
		}
		if got := string(appendText(nil, text)); got != `"`+want+`"` {
			t.Errorf("the page has %q as %s, want %q", text, got, want)
		}
		if got := cellText(text, false); got != want {
			t.Errorf("the workbook has %q as %q, want %q", text, got, want)
		}
		var b bytes.Buffer
		o := newObject(&b)
		if o.member("text", text); o.close() != nil || b.String() != "{\n\"text\": \""+want+"\"\n}\n" {
			t.Errorf("JSON has %q as %q, want %q", text, b.String(), want)
		}
	}
}

func TestGuarded(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a=1": "a=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "'x": "''x", " =1": " =1",
	} {
		if got := guarded(in); got != want {
			t.Errorf("guarded(%q) = %q, want %q", in, got, want)
		}
	}
}

// A file has its header whatever was found.
func TestCSVHeaders(t *testing.T) {
	empty := &audit.Report{}
	for name, c := range map[string]struct {
		table table
		want  string
	}{
		"findings.csv":      {findingsTable(empty), "id,rule,severity,remedy,key,message,subjects"},
		"subjects.csv":      {subjectsTable(empty), "finding,rule,severity,subject,name,role,field,value"},
		"crosswalk.csv":     {crosswalkOf(slices.Values([]*audit.CrosswalkRow{})), "subject,name,external_id,link_state,okta_id,okta_login,okta_email,okta_status,matched_by,outcome_now,outcome_after_plan"},
		"plan.csv":          {planTable(empty), "id,action,target,name,field,from,to,because,evidence,reversible,risk,decision"},
		"group-members.csv": {groupMembers(empty), "finding,databricks_group,okta_group,name,member,member_name,change"},
		"okta-changes.csv":  {oktaChanges(empty), "finding,rule,severity,okta_id,field,current,what"},
	} {
		var b bytes.Buffer
		if err := writeCSV(&b, c.table); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != c.want+"\n" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What is made in parts, side by side, is what is made at once.
func TestLongFilesAreMadeInParts(t *testing.T) {
	r := many(3000)
	odd := sampleFindings()[0]
	odd.Message = "no \xff UTF-8"
	r.Findings.Add(&odd)
	var rows audit.Crosswalk
	for i := range 3000 {
		if err := rows.Add(&audit.CrosswalkRow{Subject: databricksUser(fmt.Sprintf("%04d", i)), Name: "a, b"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Keep(&rows, nil); err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if err := writeCSV(&whole, crosswalkOf(r.CrosswalkList().All())); err != nil {
		t.Fatal(err)
	}
	if got := write(t, File{Write: crosswalkCSV}, r); !bytes.Equal(got, whole.Bytes()) {
		t.Errorf("crosswalk.csv of %d bytes is not the one of %d bytes", len(got), whole.Len())
	}
	made := func(fill func(*object)) string {
		var b bytes.Buffer
		o := newObject(&b)
		o.exact = true
		if fill(o); o.close() != nil {
			t.Fatal(o.err)
		}
		return b.String()
	}
	got := made(func(o *object) { long(o, "findings", r.Findings.List()) })
	if want := made(func(o *object) { array(o, "findings", r.Findings.List().All(), "\n") }); got != want || !strings.Contains(got, `"bytes"`) {
		t.Errorf("findings.json of %d bytes is not the one of %d bytes", len(got), len(want))
	}
}

func TestCrosswalkRow(t *testing.T) {
	row := audit.CrosswalkRow{Subject: databricksUser("1"), Name: "n", ExternalID: "x", LinkState: audit.Stale, Okta: oktaUser("2"),
		OktaLogin: "l", OktaEmail: "e", OktaStatus: "s", MatchedBy: "m", Now: audit.Duplicate, AfterPlan: audit.Linked}
	var b bytes.Buffer
	if err := writeCSV(&b, crosswalkOf(slices.Values([]*audit.CrosswalkRow{&row}))); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"databricks:user:1", "n", "x", "stale", "2", "l", "e", "s", "m", "duplicate", "linked"}
	if diff := cmp.Diff(want, records[1]); diff != "" {
		t.Error(diff)
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a b": "a b", " a ": `\u0020a\u0020`, "  ": `\u0020\u0020`, "a\u00a0b": `a\u00a0b`, "a\nb\x1b": `a\u000ab\u001b`,
		"\u202ex": `\u202ex`, "é日😀": "é日😀", "\xffa": `\xffa`, "a\U000e0041": `a\U000e0041`, "a\ufffdb": "a\ufffdb",
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"": "(blank)", "a": "`a`", "a|b": "`a\\|b`", "`": "`` ` ``", "a``b`c": "```a``b`c```", "<b>*x*": "`<b>*x*`", "a\nb": "`a\\u000ab`",
	} {
		if got := code(in); got != want {
			t.Errorf("code(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	for in, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1048576: "1,048,576", -1000: "-1,000", -100: "-100"} {
		if got := thousands(in); got != want {
			t.Errorf("thousands(%d) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkCSV(b *testing.B) {
	r := many(100_000)
	rows := cellsOfTable(findingsTable(r))
	b.Run("encoding", func(b *testing.B) {
		for b.Loop() {
			w := csv.NewWriter(io.Discard)
			for _, row := range rows {
				w.Write(row)
			}
			w.Flush()
		}
	})
	b.Run("findings", func(b *testing.B) {
		for b.Loop() {
			writeCSV(io.Discard, findingsTable(r))
		}
	})
	b.Run("subjects", func(b *testing.B) {
		for b.Loop() {
			writeCSV(io.Discard, subjectsTable(r))
		}
	})
}
