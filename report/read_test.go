package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// tester is what tests, benchmarks and properties have in common.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// readBack returns the report that is read from what the report writes.
func readBack(t tester, r *audit.Report) (*audit.Report, []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := findingsJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	back, err := ReadFindings(bytes.NewReader(b.Bytes()), "findings.json", r.Rules)
	if err != nil {
		t.Fatal(err)
	}
	return back, b.Bytes()
}

// same fails if a format made of the report read back differs from the one made
// of the report itself. A plan's times are in plan.json alone.
func same(t tester, r *audit.Report, files []File) {
	t.Helper()
	back, _ := readBack(t, r)
	back.Plan.Created, back.Plan.Expires, back.Plan.Digest = r.Plan.Created, r.Plan.Expires, r.Plan.Digest
	for _, f := range files {
		var direct, again bytes.Buffer
		if err := f.Write(&direct, r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if err := f.Write(&again, back); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if !bytes.Equal(direct.Bytes(), again.Bytes()) {
			if strings.HasSuffix(f.Name, ".xlsx") {
				t.Fatalf("%s differs after reading back", f.Name)
			}
			t.Fatalf("%s differs after reading back:\n%s", f.Name, cmp.Diff(direct.String(), again.String()))
		}
	}
}

// slow reports whether a file takes too long to be made hundreds of times.
func slow(f File) bool {
	return strings.HasSuffix(f.Name, ".xlsx") || strings.HasSuffix(f.Name, ".html")
}

// everyFormat is all files and what is printed.
func everyFormat(t testing.TB) []File {
	return append(allFiles(t),
		File{Name: "terminal", Write: func(w io.Writer, r *audit.Report) error { return Summary(w, r, Terminal{Width: 80, Color: true}) }})
}

func TestReadBack(t *testing.T) {
	files := everyFormat(t)
	for name, r := range map[string]*audit.Report{"sample": sample(t), "incomplete": incomplete(t), "nightly": nightly(t)} {
		t.Run(name, func(t *testing.T) { same(t, r, files) })
	}
	for seed := range 5 { // workbooks take their time
		same(t, rapid.Custom(drawReport).Example(seed), files)
	}
	files = slices.DeleteFunc(files, slow)
	rapid.Check(t, func(t *rapid.T) { same(t, drawReport(t), files) })
}

// hostile are texts that something may trip over.
var hostile = []string{
	"pat@example.com", "PAT@example.com", "", " ", "=cmd|' /C calc'!A0", "'quoted", "a\"b,c\nd\re\tf", "<script>alert(1)</script>", "</title><b>",
	"\u202emoc.elpmaxe@live", "\xff", "ab\xc3", "\xed\xa0\x80", "a\x00b", "\ufffd", "\ufffd\xff", "\x1b[31mred", "😀👩‍👩‍👧@example.com", "|`*_[x](y)", "\u2028\u2029",
	"{\"base64\":\"/w==\"}", "/bytes", "bytes", strings.Repeat("x", 10_000), "a~b/c", "\\ud800", "\ufffe\uffff",
}

// drawReport audits a small tenant of hostile texts with every rule.
func drawReport(t *rapid.T) *audit.Report {
	words := rapid.SliceOfN(rapid.SampledFrom(hostile), 1, 5).Draw(t, "words")
	word := rapid.OneOf(rapid.SampledFrom(words), rapid.SampledFrom(hostile))
	id := func(prefix string, i int) string {
		if i == 3 {
			return prefix + "\xfe" + fmt.Sprint(i)
		}
		return prefix + fmt.Sprint(i)
	}
	b := &audit.Builder{
		Okta:       audit.Source{Tenant: "https://" + word.Draw(t, "org"), Started: readAt().Add(-time.Hour), Finished: readAt(), Requests: 7, Caller: word.Draw(t, "caller")},
		Databricks: audit.Source{Tenant: word.Draw(t, "account"), Finished: readAt().Add(time.Millisecond), Files: true, Notes: []string{word.Draw(t, "note")}},
	}
	add := func(record any) {
		if err := b.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	status := rapid.SampledFrom([]string{"ACTIVE", "DEPROVISIONED", "SUSPENDED"})
	external := rapid.SampledFrom([]string{"", "", "00u0", "00u1", "00g1", "0oa1", "00u\xfe3", "gone"})
	for i := range rapid.IntRange(0, 5).Draw(t, "oktaUsers") {
		add(audit.OktaUser{ID: id("00u", i), Status: status.Draw(t, "status"), Login: word.Draw(t, "login"), Email: word.Draw(t, "email"), FirstName: word.Draw(t, "first"), LastName: word.Draw(t, "last")})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "oktaGroups") {
		add(audit.OktaGroup{ID: id("00g", i), Type: "OKTA_GROUP", Name: word.Draw(t, "group")})
		add(audit.OktaGroupMembers{Group: id("00g", i), Members: audit.NewValues(audit.Value{Value: "00u0"}, audit.Value{Value: "00u1"})})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "apps") {
		add(audit.OktaApp{ID: id("0oa", i), Label: word.Draw(t, "label"), Status: "ACTIVE", ClientID: word.Draw(t, "client")})
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "users") {
		roles := audit.NewValues()
		if rapid.Bool().Draw(t, "admin") {
			roles = audit.NewValues(audit.Value{Value: "account_admin"})
		}
		add(audit.DatabricksUser{ID: id("1", i), UserName: word.Draw(t, "userName"), ExternalID: external.Draw(t, "externalID"), GivenName: word.Draw(t, "given"),
			FamilyName: word.Draw(t, "family"), Active: rapid.Bool().Draw(t, "active"), Roles: roles})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "groups") {
		add(audit.DatabricksGroup{ID: id("2", i), DisplayName: word.Draw(t, "displayName"), ExternalID: external.Draw(t, "externalID"), ResourceType: "Group"})
		add(audit.DatabricksGroupMembers{Group: id("2", i), Members: audit.NewValues(audit.Value{Value: "10"}, audit.Value{Value: "9\xff"})})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "principals") {
		add(audit.DatabricksServicePrincipal{ID: id("3", i), ApplicationID: word.Draw(t, "application"), DisplayName: word.Draw(t, "principal"), ExternalID: external.Draw(t, "externalID")})
	}
	missing := rapid.SampledFrom(append(audit.Inputs(), audit.Inputs()...)).Draw(t, "missing")
	whole := rapid.Bool().Draw(t, "whole")
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: whole || in != missing, Reason: word.Draw(t, "reason"), API: "GET /x", Expected: -1, Received: 3, Requests: 1})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s.Digest = "sha256:" + strings.Repeat("0123456789abcdef", 4)
	set := audit.Settings{SSOClaim: rapid.SampledFrom([]audit.Claim{"", audit.ClaimLogin, audit.ClaimEmail}).Draw(t, "claim"), UnifiedLogin: audit.On,
		SCIMTokenOwner: word.Draw(t, "owner"), Include: rapid.SampledFrom([][]string{nil, {"names", "overwrite", "clear"}}).Draw(t, "include")}
	r, err := audit.Run(s, rules.All(), audit.Options{Settings: set, Version: "1.2.3", Now: readAt(), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What a newer version says of a rule is shown; of a rule that is known here, the
// doc that is known here.
func TestReadUnknownRule(t *testing.T) {
	_, text := readBack(t, sample(t))
	back, err := ReadFindings(bytes.NewReader(text), "f", sampleRules()[1:2])
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Rules) != len(sampleRules()) || back.Rules[0].Title() != "What shared-email says" || back.Rules[0].Severity != audit.Warning {
		t.Errorf("the rules are %+v", back.Rules)
	}
	if !strings.Contains(back.Rules[1].Doc, "## How to fix") || strings.Contains(back.Rules[0].Doc, "##") {
		t.Errorf("docs are %q and %q", back.Rules[1].Doc, back.Rules[0].Doc)
	}
}

// oldFile is findings.json as versions before the crosswalk was in it wrote it.
func oldFile(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/findings.json")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte(",\n\"operations\""))
	if at < 0 {
		t.Fatal("findings.json has no operations")
	}
	return append(text[:at:at], "\n}\n"...)
}

func TestReadOldFile(t *testing.T) {
	r, err := ReadFindings(bytes.NewReader(oldFile(t)), "f", sampleRules())
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan != nil || r.HasCrosswalk() || r.Findings.Len() != 6 || len(r.Rules) != len(sampleRules()) || !r.Head.Okta.Finished.IsZero() {
		t.Errorf("an old file gives %+v", r)
	}
	if _, again := readBack(t, r); bytes.Contains(again, []byte(`"crosswalk"`)) || bytes.Contains(again, []byte("\n\"operations\"")) {
		t.Error("what is not known is written as if it were")
	}
}

func TestReadRefuses(t *testing.T) {
	_, good := readBack(t, sample(t))
	replaced := func(old, new string) []byte {
		t.Helper()
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the file has no %s", old)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	for name, c := range map[string]struct {
		text []byte
		want []string
	}{
		"nothing":    {nil, []string{"f: line 1", "ends early", "run the audit again"}},
		"no object":  {[]byte(`[1]`), []string{"f: this is no findings.json"}},
		"no JSON":    {[]byte("PK\x03\x04 workbook"), []string{"f: line 1 (byte 0): this is no JSON"}},
		"cut":        {good[:len(good)/2], []string{"ends early", "line "}},
		"cut at end": {bytes.TrimRight(good, "}\n"), []string{"ends early"}},
		"two":        {slices.Concat(good, []byte("{}")), []string{"something follows the end", "line 4"}},
		"version 2":  {replaced("aimcheck.findings/v1", "aimcheck.findings/v2"), []string{`its schema is "aimcheck.findings/v2"`, "use the version that wrote it"}},
		"version 2, and strange": {slices.Concat([]byte(`{"counts":[7],"new":{},"schema":"aimcheck.findings/v2"}`)),
			[]string{`its schema is "aimcheck.findings/v2"`}},
		"a plan":         {[]byte(`{"schema":"aimcheck.plan/v1","created":"x"}`), []string{"expected \"aimcheck.findings/v1\"", "give the findings.json of an audit"}},
		"no findings":    {replaced(`"findings": [`, `"manual": [`), []string{"line "}},
		"half":           {[]byte(`{"schema":"aimcheck.findings/v1"}`), []string{`it has no "tool"`}},
		"unknown member": {replaced(`"key":"databricks:user:103"`, `"key":"databricks:user:103","kay":1`), []string{"line 13 (byte ", "unknown object member name", "at /kay", "use the one that wrote the file (1.2.3-test)"}},
		"unknown list":   {replaced(`"operations": [`, `"apparitions": [`), []string{`"apparitions"`, "use the one"}},
		"a severity":     {replaced(`"severity":"blocker"`, `"severity":"dire"`), []string{"line 12", "dire", "at /severity: take"}},
		"a subject":      {replaced(`"okta:user:00u1"`, `"okta:person:00u1"`), []string{"line 12", "okta:person"}},
		"no UTF-8":       {replaced("Eva", "E\xffa"), []string{"this is no JSON"}},
		"twice":          {replaced(`"waived":false`, `"waived":false,"waived":true`), []string{"line 12", "/0/waived"}},
		"counts":         {replaced(`"blocker":3`, `"blocker":2`), []string{"contradicts itself", "2 findings of severity blocker, and has 3"}},
		"verdict":        {replaced(`"not-ready"`, `"ready"`), []string{`its verdict is "ready"`}},
		"complete":       {replaced(`"complete":true`, `"complete":false`), []string{"completeness"}},
		"no plan":        {replaced(`"manual": [`, `"names": [`), []string{"line "}},
		"order":          {replaced(`{"subject":"databricks:user:101"`, `{"subject":"databricks:user:999"`), []string{"out of order"}},
		"bytes":          {replaced(`"key":"databricks:user:103"`, `"key":"databricks:user:103","bytes":{"/key":"/w=="}`), []string{"line 13", "not the same"}},
		"bytes nowhere":  {replaced(`"key":"databricks:user:103"`, `"key":"databricks:user:103","bytes":{"/kay":"/w=="}`), []string{"line 13", "its bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadFindings(bytes.NewReader(c.text), "f", sampleRules())
			if err == nil {
				t.Fatal("it was read")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if _, err := ReadFindings(io.MultiReader(bytes.NewReader(c.text)), "f", sampleRules()); err == nil {
				t.Error("it was read from a pipe")
			}
		})
	}
}

// What is read is written, and read, the same.
func FuzzReadFindings(f *testing.F) {
	text, err := os.ReadFile("testdata/findings.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(oldFile(f))
	rapid.Custom(func(t *rapid.T) []byte {
		_, text := readBack(t, drawReport(t))
		return text
	}).Filter(func(b []byte) bool { f.Add(b); return true }).Example(1)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadFindings(bytes.NewReader(text), "f", nil)
		if err != nil {
			return
		}
		back, first := readBack(t, r)
		var second bytes.Buffer
		if err := findingsJSON(&second, back); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second.Bytes()) {
			t.Errorf("written again:\n%s", cmp.Diff(string(first), second.String()))
		}
		for _, file := range allFiles(t) {
			if file.Name != "report.xlsx" {
				write(t, file, r)
			}
		}
	})
}
