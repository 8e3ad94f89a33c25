package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// nightly is the sample as a run that keeps a history and has waivers gives it.
func nightly(t testing.TB) *audit.Report {
	r := sample(t)
	states := []audit.State{audit.New, audit.Open, audit.Reopened}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.FirstSeen, f.LastSeen, f.State = readAt().AddDate(0, 0, -i), readAt(), states[i%3]
		if f.Waived {
			f.Waiver = &audit.WaivedBy{Owner: "data-platform", Reason: "a robot | of <b>ours</b>", Expires: "2026-12-31"}
		}
	}
	waiver := audit.Waiver{Rule: "missing-name", Subjects: []audit.Subject{oktaUser("00u4")}, Owner: "data-platform", Reason: "a robot", Expires: "2026-12-31", Where: "waivers.yaml:3"}
	old := waiver
	old.Expires, old.Subjects, old.Pattern, old.AcceptBlocker, old.Where = "2026-01-31", nil, "svc-*@example.com", true, "waivers.yaml:9"
	r.Waivers = []audit.WaiverUse{
		{Waiver: waiver, State: audit.WaiverUsed, Findings: []string{r.Findings[5].ID}},
		{Waiver: old, State: audit.WaiverExpired, Findings: []string{}, Left: []audit.Left{{Finding: r.Findings[1].ID, Why: "the waiver expired after 2026-01-31"}}},
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
