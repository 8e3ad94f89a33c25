package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/history"
	"github.com/aimcheck/aimcheck/report"
)

func (e *env) historyCommand() *cobra.Command {
	var s source
	var format outputFormat
	var finding string
	cmd := &cobra.Command{
		Use:   "history",
		Short: "show the runs that are kept, or the life of a finding",
		Example: "  aimcheck history --history aimcheck.db\n" +
			"  aimcheck history --history aimcheck.db --finding missing-external-id-3f9c1a2b4d5e",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := s.settings(e)
			if err != nil {
				return err
			}
			if settings.History == (config.Secret{}) {
				return usagef("expected where the runs are kept: give --%s FILE or set AIMCHECK_HISTORY", config.History)
			}
			place, err := history.ParsePlace(settings.History.Reveal())
			if err != nil {
				return usagef("--%s: %w", config.History, err)
			}
			store, err := history.Open(cmd.Context(), place)
			if err != nil {
				return err
			}
			defer store.Close()
			if finding != "" {
				err = e.showLife(cmd.Context(), store, finding, format)
			} else {
				err = e.showRuns(cmd.Context(), store, format)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&finding, "finding", "", "tell the life of the finding of this `ID`")
	s.flags = f
	s.also(config.History)
	s.files()
	format.flag(cmd)
	return cmd
}

func (e *env) showRuns(ctx context.Context, store *history.Store, format outputFormat) error {
	runs, err := store.Runs(ctx)
	if err != nil {
		return err
	}
	if format.json() {
		return printed(printJSON(e.stdout, struct {
			Schema string            `json:"schema"`
			Runs   []history.PastRun `json:"runs"`
		}{"aimcheck.history/v1", append([]history.PastRun{}, runs...)}))
	}
	rows := [][]string{{"RUN", "WHEN", "VERDICT", "BLOCKERS", "ERRORS", "WARNINGS", "INFO", "WAIVED", "NEW", "REOPENED", "RESOLVED", "TENANTS"}}
	n := func(i int) string { return fmt.Sprint(i) }
	for _, r := range runs {
		rows = append(rows, []string{n(int(r.Run)), minute(r.Time), string(r.Verdict),
			n(r.Counts[audit.Blocker]), n(r.Counts[audit.Error]), n(r.Counts[audit.Warning]), n(r.Counts[audit.Info]),
			n(r.Waived), n(r.New), n(r.Reopened), n(r.Resolved), strings.TrimPrefix(r.Org, "https://") + " " + r.Account})
	}
	if len(runs) == 0 {
		_, err := fmt.Fprintf(e.stdout, "no runs are kept in %s yet: aimcheck audit --history adds one\n", store)
		return printed(err)
	}
	return printed(columnsOf(e.stdout, rows))
}

func (e *env) showLife(ctx context.Context, store *history.Store, id string, format outputFormat) error {
	lives, err := store.Finding(ctx, id)
	if err != nil {
		return err
	}
	if format.json() {
		return printed(printJSON(e.stdout, struct {
			Schema string         `json:"schema"`
			Lives  []history.Life `json:"lives"`
		}{"aimcheck.history/v1", lives}))
	}
	var b strings.Builder
	for i, l := range lives {
		if i > 0 {
			b.WriteByte('\n')
		}
		state := string(l.State)
		if l.Waived != nil {
			state += ", waived"
		}
		fmt.Fprintf(&b, "%s  %s, %s\n%s\n%s\n", l.ID, l.Severity, state, report.Visible(l.Message), report.Visible(l.Subjects))
		fmt.Fprintf(&b, "%s, Databricks %s, settings %s\n", report.Visible(l.Org), report.Visible(l.Account), report.Visible(string(l.Settings)))
		fmt.Fprintf(&b, "first seen %s, last seen %s: %s\n", minute(l.FirstSeen), minute(l.LastSeen), days(l.FirstSeen, l.LastSeen))
		for _, ev := range l.Events {
			fmt.Fprintf(&b, "  %s  run %-5d %-9s %s\n", minute(ev.Time), ev.Run, ev.What, report.Visible(note(ev.Note)))
		}
		for _, d := range l.Deeds {
			fmt.Fprintf(&b, "  %s  %-9s %-14s %s %s\n", minute(d.Time), d.Kind, report.Visible(d.Item), report.Visible(d.What), report.Visible(d.Phase))
		}
	}
	_, err = io.WriteString(e.stdout, b.String())
	return printed(err)
}

// note shows who waived a finding as people read it.
func note(text string) string {
	var by audit.WaivedBy
	if json.Unmarshal([]byte(text), &by) != nil {
		return text
	}
	return fmt.Sprintf("until %s by %s: %s", by.Expires, by.Owner, by.Reason)
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// days says how long it is from one time to another.
func days(from, to time.Time) string {
	n := int(max(0, to.Sub(from)).Hours() / 24)
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// columnsOf writes the rows in columns: numbers to the right.
func columnsOf(w io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if cell != "" && strings.Trim(rows[len(rows)-1][i], "0123456789") == "" {
				fmt.Fprintf(&line, "%*s  ", widths[i], cell)
			} else {
				fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printed is the error of what was written to standard output.
func printed(err error) error {
	if err != nil {
		return fileError("write to", "standard output", err)
	}
	return nil
}
