package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/aimcheck/aimcheck/audit"
)

func summaryText(t *testing.T, r *audit.Report, o Terminal) string {
	t.Helper()
	var b bytes.Buffer
	if err := Summary(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSummaryGolden(t *testing.T) {
	o := Terminal{Width: 80, Out: "aimcheck-report", Next: "aimcheck apply aimcheck-report/plan.json --dry-run"}
	golden(t, "terminal.txt", []byte(summaryText(t, sample(t), o)))
	golden(t, "terminal-incomplete.txt", []byte(summaryText(t, incomplete(t), o)))
	o.Color = true
	golden(t, "terminal-color.txt", []byte(summaryText(t, sample(t), o)))
}

// busy is a report with more rules, outcomes and notes than a screen has room for.
func busy(t *testing.T) *audit.Report {
	r := sample(t)
	r.Now.Users, r.Now.Groups = map[audit.Outcome]int{}, map[audit.Outcome]int{}
	for i, o := range audit.Outcomes() {
		r.Now.Users[o] = 1234567 * (i + 1)
		r.Now.Groups[o] = i
	}
	for i := range 30 {
		f := r.Findings.At(i % 5)
		f.Rule = fmt.Sprintf("%s-%c", f.Rule, 'a'+i)
		r.Findings.Add(&f)
	}
	return r
}

func TestSummaryFitsOneScreen(t *testing.T) {
	o := Terminal{Width: 80, Out: "out", Next: "aimcheck apply out/plan.json"}
	for name, r := range map[string]*audit.Report{"sample": sample(t), "incomplete": incomplete(t), "busy": busy(t)} {
		text := summaryText(t, r, o)
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) > screen {
			t.Errorf("%s: %d lines\n%s", name, len(lines), text)
		}
		for _, line := range lines {
			if w := ansi.StringWidth(line); w > 80 {
				t.Errorf("%s: %d columns: %s", name, w, line)
			}
		}
	}
	text := summaryText(t, busy(t), o)
	if !strings.Contains(text, "more, of") {
		t.Errorf("the rules that are left out are not counted:\n%s", text)
	}
	for _, want := range []string{"NOT READY", "Automatic", "Reports     out", "Next        aimcheck apply out/plan.json"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}

func TestSummaryColorSaysNothingMore(t *testing.T) {
	for _, width := range []int{0, 10, 60, 80, 200} {
		with := summaryText(t, busy(t), Terminal{Width: width, Color: true})
		without := summaryText(t, busy(t), Terminal{Width: width})
		if ansi.Strip(with) != without {
			t.Errorf("width %d: words differ with colour:\n%s\n%s", width, with, without)
		}
		if with == without {
			t.Errorf("width %d: no colour", width)
		}
		if strings.Contains(without, "\x1b") {
			t.Errorf("width %d: colour where none is wanted", width)
		}
	}
}

func TestSummaryIsSafeToPrint(t *testing.T) {
	r := incomplete(t)
	r.Head.Okta.Tenant = "https://x\x1b]0;owned\a\u202e\r\n.example.com"
	r.Head.Okta.Notes = []string{"\u009b2J"}
	text := summaryText(t, r, Terminal{Width: 120, Out: "a\x1bb", Next: "x\u2066"})
	for _, c := range text {
		if c != '\n' && c != ' ' && !shown(c) {
			t.Errorf("the summary prints %U:\n%q", c, text)
		}
	}
}

// The next command is there to be copied: it is never cut.
func TestSummaryKeepsCommandWhole(t *testing.T) {
	next := "aimcheck apply " + strings.Repeat("folder/", 30) + "plan.json"
	if text := summaryText(t, sample(t), Terminal{Width: 60, Next: next}); !strings.Contains(text, next+"\n") {
		t.Errorf("the command was cut:\n%s", text)
	}
}
