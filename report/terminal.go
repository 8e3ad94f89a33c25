package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/aimcheck/aimcheck/audit"
)

// A Terminal says where the summary is shown and what follows.
type Terminal struct {
	Width int    // in columns; 0 if unknown
	Color bool   // colours stress what words say, never more
	Out   string // folder of the reports; blank if none were written
	Next  string // command to run next
}

const (
	screen     = 24  // lines that the summary tries to keep to
	wide       = 100 // columns where the width is unknown
	narrow     = 40  // columns that are taken in any case
	labelWidth = 12
)

// Summary writes the one-screen summary: the verdict with its reason, what AIM
// would do now and after the plan, the findings by rule and severity, what is
// mended automatically, what was not read, where the reports are, what to run next.
func Summary(w io.Writer, r *audit.Report, t Terminal) error {
	p := &page{width: t.Width, color: t.Color}
	if p.width <= 0 {
		p.width = wide
	}
	p.width = max(p.width, narrow)

	p.verdict(r)
	p.impact(r)
	tail := &page{width: p.width, color: p.color}
	tail.work(r, t)
	// The rules get what is left of the screen.
	p.findings(r, screen-len(p.lines)-len(tail.lines))

	b := bufio.NewWriter(w)
	for _, line := range append(p.lines, tail.lines...) {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.Flush()
}

// A page collects lines.
type page struct {
	width int
	color bool
	lines []string
}

// line adds a line, cut at the width.
func (p *page) line(format string, args ...any) {
	line := ansi.Truncate(fmt.Sprintf(format, args...), p.width, "…")
	p.lines = append(p.lines, strings.TrimRight(line, " "))
}

// whole adds a text behind a label on one line, however long: it is there to
// be copied.
func (p *page) whole(label, text string) {
	p.lines = append(p.lines, fmt.Sprintf("%-*s%s", labelWidth, label, visible(text)))
}

// labelled adds a text behind a label, on as many lines as it needs, three at
// most: the files have the whole.
func (p *page) labelled(label, text string) {
	lines := Wrap(visible(text), p.width-labelWidth)
	if len(lines) > 3 {
		lines = append(lines[:2], lines[2]+" …")
	}
	for _, line := range lines {
		p.line("%-*s%s", labelWidth, label, line)
		label = ""
	}
}

func (p *page) verdict(r *audit.Report) {
	head := headline(r.Verdict)
	for i, line := range Wrap(because(r), p.width-len(head)-2) {
		if i == 0 {
			p.line("%s  %s", p.paint(head, gravity(r)), line)
		} else {
			p.line("%*s  %s", len(head), "", line)
		}
	}
	okta, databricks := "Okta was not read", "Databricks was not read"
	if s := r.Head; !neverRead(s.Okta) {
		okta = fmt.Sprintf("%s: %s", strings.TrimPrefix(s.Okta.Tenant, "https://"), counted(s.OktaUsers, "user"))
	}
	if s := r.Head; !neverRead(s.Databricks) {
		databricks = fmt.Sprintf("Databricks %s: %s", s.Databricks.Tenant, counted(s.DatabricksUsers, "user"))
	}
	p.line("%s", visible(okta+", "+databricks))
}

// neverRead reports whether nothing at all was asked of a directory.
func neverRead(s audit.Source) bool { return s.Tenant == "" && s.Finished.IsZero() && !s.Files }

func (p *page) impact(r *audit.Report) {
	es := effects(r)
	p.line("")
	if len(es) == 0 {
		p.line("What enabling AIM would do is not known")
		return
	}
	heads := []string{"users", "with plan", "groups", "with plan"}
	rows := make([][]string, len(es))
	for i, e := range es {
		rows[i] = []string{known(e.usersNow), known(e.usersAfter), known(e.groupsNow), known(e.groupsAfter)}
	}
	widths := make([]int, len(heads))
	for i := range widths {
		for _, row := range append(rows, heads) {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	cells := func(row []string) (line string) {
		for i, cell := range row {
			line += strings.Repeat(" ", 2+widths[i]-ansi.StringWidth(cell)) + cell
		}
		return line
	}
	p.line("%-12s%s %s", "With AIM on", cells(heads), ofWhatWasRead(r))
	for i, e := range es {
		p.line("%s%s  %s", p.paint(fmt.Sprintf("%-12s", e.outcome), harm(e.outcome)), cells(rows[i]), meaning(e.outcome))
	}
}

func (p *page) findings(r *audit.Report, room int) {
	ts, waived := tallies(r)
	head := fmt.Sprintf("%s, %s, %s, %s for information", counted(r.Counts[audit.Blocker], "blocker"),
		counted(r.Counts[audit.Error], "error"), counted(r.Counts[audit.Warning], "warning"), thousands(r.Counts[audit.Info]))
	if waived > 0 {
		head += ", " + thousands(waived) + " waived"
	}
	p.line("")
	p.labelled("Findings", head)
	room = max(room-2, 2)
	for i, t := range ts {
		if i == room-1 && len(ts) > room {
			rest := 0
			for _, t := range ts[i:] {
				rest += t.findings
			}
			p.line("%20s  more, of %s", thousands(rest), counted(len(ts)-i, "other rule"))
			return
		}
		p.line("  %s%10s  %-24s  %s", p.paint(fmt.Sprintf("%-8s", t.severity), t.severity), thousands(t.findings), t.rule, t.title)
	}
}

func (p *page) work(r *audit.Report, t Terminal) {
	const most = 3 // inputs that are explained here
	p.line("")
	p.labelled("Automatic", automatic(r))
	p.labelled("By people", byHand(r))
	if text := waiversOf(r); text != "" {
		p.labelled("Waivers", text)
	}
	if text := sinceLast(r); text != "" {
		p.labelled("History", text)
	}
	unread := r.Head.Incomplete
	for i, in := range unread {
		if i == most {
			p.labelled("", "and "+counted(len(unread)-i, "more input"))
			break
		}
		p.labelled("Not read", howFar(in))
	}
	for _, c := range cautions(r) {
		p.labelled("Mind", c)
	}
	if n := len(r.Skipped); n > 0 {
		p.labelled("Skipped", counted(n, "check")+" for want of input: see summary.md")
	}
	if t.Out != "" {
		p.whole("Reports", t.Out)
	}
	if t.Next != "" {
		p.whole("Next", t.Next)
	}
}

// gravity is the severity in whose colour the verdict is shown; 0 is well.
func gravity(r *audit.Report) audit.Severity {
	switch r.Verdict {
	case audit.Ready:
		return 0
	case audit.NotReady:
		return audit.Blocker
	}
	return audit.Warning
}

// harm is the severity in whose colour the outcome is shown; 0 is well.
func harm(o audit.Outcome) audit.Severity {
	switch o {
	case audit.Linked, audit.Provision:
		return 0
	case audit.Unmanaged:
		return audit.Info
	case audit.Deactivate:
		return audit.Warning
	}
	return audit.Blocker
}

// paint colours a word by severity where colours are wanted.
func (p *page) paint(word string, s audit.Severity) string {
	if !p.color {
		return word
	}
	style := lipgloss.NewStyle().Bold(true)
	switch s {
	case audit.Blocker, audit.Error:
		style = style.Foreground(lipgloss.Red)
	case audit.Warning:
		style = style.Foreground(lipgloss.Yellow)
	case audit.Info:
		style = style.Foreground(lipgloss.Blue)
	default:
		style = style.Foreground(lipgloss.Green)
	}
	return style.Render(word)
}
