package report

import (
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// said returns what the finding says, with who took it on where it is waived.
func said(f *audit.Finding) string {
	if by := waivedBy(f); by != "" {
		return f.Message + " (" + by + ")"
	}
	return f.Message
}

// waivedBy says who waived the finding, until when and why; blank if nobody did.
func waivedBy(f *audit.Finding) string {
	switch {
	case !f.Waived:
		return ""
	case f.Waiver == nil:
		return "waived"
	}
	return fmt.Sprintf("waived until %s by %s: %s", f.Waiver.Expires, f.Waiver.Owner, f.Waiver.Reason)
}

// waiversOf says in a line what the waivers did, and where those are that should
// be looked at; blank without waivers.
func waiversOf(r *audit.Report) string {
	counts, where := map[audit.WaiverState]int{}, map[audit.WaiverState][]string{}
	for _, u := range r.Waivers {
		counts[u.State]++
		where[u.State] = append(where[u.State], u.Where)
	}
	var parts []string
	for _, s := range []audit.WaiverState{audit.WaiverUsed, audit.WaiverExpired, audit.WaiverUnused, audit.WaiverUnchecked} {
		if counts[s] == 0 {
			continue
		}
		part := thousands(counts[s]) + " " + string(s)
		if s == audit.WaiverExpired || s == audit.WaiverUnused {
			part += " (" + shortList(where[s]) + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// shortList joins a few of the texts and counts the rest.
func shortList(texts []string) string {
	const most = 3
	if n := len(texts); n > most {
		return strings.Join(texts[:most], ", ") + " and " + thousands(n-most) + " more"
	}
	return strings.Join(texts, ", ")
}

// sinceLast says in a line what is different from the run before; blank without
// a history, or where this is the first run.
func sinceLast(r *audit.Report) string {
	if len(r.Trend) == 0 {
		return ""
	}
	counts := map[audit.State]int{}
	for _, head := range r.Findings.Heads() {
		counts[head.State]++
	}
	return fmt.Sprintf("%s new, %s reopened, %s resolved since %s; blockers %s", thousands(counts[audit.New]), thousands(counts[audit.Reopened]),
		thousands(len(r.Resolved)), moment(r.Trend[len(r.Trend)-1].Time), blockersOf(r))
}

// blockersOf lists the unwaived blockers of the last runs and of this one.
func blockersOf(r *audit.Report) string {
	const most = 7
	past := r.Trend[max(0, len(r.Trend)-most):]
	var counts []string
	for _, p := range past {
		counts = append(counts, thousands(p.Counts[audit.Blocker]))
	}
	return strings.Join(append(counts, thousands(r.Counts[audit.Blocker])), " → ")
}

// waiversMarkdown lists what each waiver did.
func waiversMarkdown(line func(string, ...any), r *audit.Report) {
	if len(r.Waivers) == 0 {
		return
	}
	line("\n## Waivers\n\n| | waiver | rule | owner | until | findings | reason |\n|---|---|---|---|---|---|---|")
	for _, u := range r.Waivers {
		findings := shortList(u.Findings)
		for _, l := range u.Left {
			findings += " not " + l.Finding + ": " + l.Why + ";"
		}
		if findings = strings.Trim(findings, " ;"); findings != "" {
			findings = code(findings)
		}
		line("| %s | %s | %s | %s | %s | %s | %s |", u.State, code(u.Where), u.Rule, code(u.Owner), u.Expires, findings, code(u.Reason))
	}
}
