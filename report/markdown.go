package report

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// summaryMarkdown writes the summary for a ticket, a pull request or a job's
// page. Texts from the directories stand in code spans alone.
func summaryMarkdown(w io.Writer, r *audit.Report) error {
	const gravest = 20 // findings that are shown one by one
	b := bufio.NewWriter(w)
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	items := func(title string, texts []string) {
		if len(texts) == 0 {
			return
		}
		line("\n## %s\n", title)
		for _, t := range texts {
			line("- %s", code(t))
		}
	}
	s := r.Head

	line("# aimcheck: %s\n", headline(r.Verdict))
	line("%s.\n", because(r))
	line("| | |\n|---|---|")
	if neverRead(s.Okta) {
		line("| Okta org | not read |")
	} else {
		line("| Okta org | %s: %s, %s, read %s |", code(s.Okta.Tenant),
			counted(s.OktaUsers, "user"), counted(s.OktaGroups, "group"), moment(s.Okta.Finished))
	}
	if neverRead(s.Databricks) {
		line("| Databricks account | not read |")
	} else {
		line("| Databricks account | %s: %s, %s, %s, read %s |", code(s.Databricks.Tenant),
			counted(s.DatabricksUsers, "user"), counted(s.DatabricksGroups, "group"),
			counted(s.DatabricksServicePrincipals, "service principal"), moment(s.Databricks.Finished))
	}
	line("| Snapshot | %s |", code(s.Digest))
	line("| Settings | SSO claim %s, unified login %s |", code(string(r.Settings.SSOClaim)), code(string(r.Settings.UnifiedLogin)))
	line("| Plan | %s |", automatic(r))
	line("| People | %s |", byHand(r))
	if text := sinceLast(r); text != "" {
		line("| History | %s |", text)
	}

	var unread []string
	for _, in := range s.Incomplete {
		unread = append(unread, howFar(in))
	}
	items("Not read to the end", unread)
	items("Mind", cautions(r))

	line("\n## What enabling AIM would do%s\n", ofWhatWasRead(r))
	if es := effects(r); len(es) == 0 {
		line("Nothing is known of any identity.")
	} else {
		line("| outcome | | users now | after the plan | groups now | after the plan |\n|---|---|--:|--:|--:|--:|")
		for _, e := range es {
			line("| %s | %s | %s | %s | %s | %s |", e.outcome, meaning(e.outcome),
				known(e.usersNow), known(e.usersAfter), known(e.groupsNow), known(e.groupsAfter))
		}
	}

	line("\n## Findings%s\n", ofWhatWasRead(r))
	ts, waived := tallies(r)
	line("%s, %s, %s and %d for information; %s waived.", counted(r.Counts[audit.Blocker], "blocker"),
		counted(r.Counts[audit.Error], "error"), counted(r.Counts[audit.Warning], "warning"), r.Counts[audit.Info], thousands(waived))
	if len(ts) > 0 {
		line("\n| severity | rule | findings | |\n|---|---|--:|---|")
		for _, t := range ts {
			line("| %s | %s | %s | %s |", t.severity, t.rule, thousands(t.findings), code(t.title))
		}
		line("\n## The gravest\n\n| severity | finding | |\n|---|---|---|")
		shown, all := 0, 0
		for i, head := range r.Findings.Heads() {
			if head.Waived {
				continue
			}
			if all++; shown < gravest {
				shown++
				f := r.Findings.At(i)
				line("| %s | %s | %s |", f.Severity, f.ID, code(f.Message))
			}
		}
		if all > shown {
			line("\nand %s more, in `findings.json`", thousands(all-shown))
		}
	}

	items("Before the plan is applied", audit.Cautions(planOf(r).Approved()))
	waiversMarkdown(line, r)

	var skipped []string
	for _, skip := range r.Skipped {
		skipped = append(skipped, skip.Rule+": "+skip.Reason)
	}
	items("Rules that were not run", skipped)
	line("\nMade by aimcheck %s.", code(r.Version))
	return b.Flush()
}

// moment returns the time as people read it, in UTC; times are the snapshot's.
func moment(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
