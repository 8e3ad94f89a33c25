package report

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// nightly is the sample as a run that keeps a history and has waivers gives it.
func nightly(t testing.TB) *audit.Report {
	r := sample(t)
	states := []audit.State{audit.New, audit.Open, audit.Reopened}
	list := listed(r)
	for i := range list {
		f := &list[i]
		f.FirstSeen, f.LastSeen, f.State = readAt().AddDate(0, 0, -i), readAt(), states[i%3]
		if f.Waived {
			f.Waiver = &audit.WaivedBy{Owner: "data-platform", Reason: "a robot | of <b>ours</b>", Expires: "2026-12-31"}
		}
	}
	r.Findings = audit.NewFindings(list...)
	waiver := audit.Waiver{Rule: "missing-name", Subjects: []audit.Subject{oktaUser("00u4")}, Owner: "data-platform", Reason: "a robot", Expires: "2026-12-31", Where: "waivers.yaml:3"}
	old := waiver
	old.Expires, old.Subjects, old.Pattern, old.AcceptBlocker, old.Where = "2026-01-31", nil, "svc-*@example.com", true, "waivers.yaml:9"
	r.Waivers = []audit.WaiverUse{
		{Waiver: waiver, State: audit.WaiverUsed, Findings: []string{list[5].ID}},
		{Waiver: old, State: audit.WaiverExpired, Findings: []string{}, Left: []audit.Left{{Finding: list[1].ID, Why: "the waiver expired after 2026-01-31"}}},
	}
	for i := range 3 {
		r.Trend = append(r.Trend, audit.PastRun{Time: readAt().Add(time.Duration(i-3) * 24 * time.Hour), Verdict: audit.NotReady, Waived: 1, New: i, Resolved: 2 - i,
			Counts: map[audit.Severity]int{audit.Blocker: 5 - i, audit.Error: 0, audit.Warning: 2, audit.Info: 0}})
	}
	r.Resolved = []audit.Gone{{ID: audit.FindingID("shared-email", "x@example.com"), Rule: "shared-email", Severity: audit.Blocker, Key: "x@example.com",
		Message: "2 live Okta users share the email x@example.com", FirstSeen: readAt().AddDate(0, 0, -9), LastSeen: readAt().AddDate(0, 0, -1)}}
	return r
}

// Waivers and what is new stand where people look.
func TestNightly(t *testing.T) {
	r := nightly(t)
	golden(t, "nightly.md", write(t, File{Name: "", Write: summaryMarkdown}, r))
	golden(t, "nightly.csv", write(t, File{Write: csvOf(findingsTable)}, r))
	var b bytes.Buffer
	if err := Summary(&b, r, Terminal{Width: 100}); err != nil {
		t.Fatal(err)
	}
	golden(t, "terminal-nightly.txt", b.Bytes())
}

// The workbook tells how old each finding is, where that is known; findings.csv
// has the columns that it always has.
func TestWorkbookAges(t *testing.T) {
	r := nightly(t)
	rows := rowsOf(t, open(t, write(t, File{Write: workbookXLSX}, r)), findingsSheet)
	if head := rows[0][7:]; !slices.Equal(head, []string{"state", "first_seen"}) {
		t.Fatalf("the header ends with %q", head)
	}
	for i, row := range rows[1:] {
		f := r.Findings.At(i)
		if want := []string{string(f.State), f.FirstSeen.UTC().Format("2006-01-02 15:04")}; row[0] != f.ID || !slices.Equal(row[7:], want) {
			t.Errorf("%s ends with %q, want %q", row[0], row[7:], want)
		}
	}
	plain := rowsOf(t, open(t, write(t, File{Write: workbookXLSX}, sample(t))), findingsSheet)
	if len(plain[0]) != 7 {
		t.Errorf("without a history the header is %q", plain[0])
	}
}
