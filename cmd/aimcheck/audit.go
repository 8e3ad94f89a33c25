package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/history"
	"github.com/aimcheck/aimcheck/report"
)

func (e *env) auditCommand() *cobra.Command {
	var a auditing
	var p reporting
	var failOn, explain string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "read both directories, find what AIM would get wrong, write reports and a plan",
		Long: "Audit reads the Okta org and the Databricks account, or a snapshot of them, applies every rule, works out what enabling AIM would do,\n" +
			"and writes the reports and the plan into a folder. It changes nothing in either directory.",
		Example: "  aimcheck audit\n  aimcheck audit --snapshot tenant.snapshot --out reports --format csv,json --fail-on error\n" +
			"  aimcheck audit --snapshot tenant.snapshot --explain ana@example.com\n" +
			"  aimcheck audit --out reports --dated --keep 30 --history aimcheck.db --waivers waivers.yaml   # every night",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if p.threshold, err = parseFailOn(failOn); err != nil {
				return usageError(err)
			}
			asked := cmd.Flags().Changed("explain")
			if asked {
				err = checkExplain(cmd)
			} else {
				err = p.check(e)
			}
			if err != nil {
				return err
			}
			settings, err := a.load(e)
			if err != nil {
				return err
			}
			if !asked {
				return p.run(cmd.Context(), e, &a, settings)
			}
			r, err := a.run(cmd.Context(), e, settings)
			if err != nil {
				return err
			}
			return e.explain(r, explain, p.output)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	p.folder.register(f)
	f.StringSliceVar(&p.formats, "format", report.DefaultFormats(), "`LIST` of formats to write besides findings.json and plan.json: "+strings.Join(report.Formats(), ", "))
	f.StringVar(&failOn, "fail-on", audit.Blocker.String(), "exit with 3 if there are findings of this `SEVERITY` or graver; never: don't")
	f.BoolVar(&p.failOnStale, "fail-on-stale-waivers", false, "exit with 3 if a waiver has expired or waives nothing")
	f.StringVar(&explain, "explain", "", "write no reports, but tell all about one `SUBJECT|NAME`, such as databricks:user:123 or ana@example.com")
	p.redacting.register(f)
	a.register(cmd)
	a.also(config.History)
	f.IntVar(&p.runs, "history-keep", historyKept, "keep the last `N` runs of these tenants in the history; 0: all")
	a.also(config.Notify)
	p.tell.register(f)
	p.output.flag(cmd)
	return cmd
}

// A reporting is what an audit does with its report.
type reporting struct {
	folder
	redacting
	formats     []string
	threshold   failOn
	failOnStale bool
	runs        int // to keep in the history
	tell        alerting
	output      outputFormat
}

func (p *reporting) check(e *env) error {
	if p.runs < 0 {
		return usagef("--history-keep %d: expected a number of runs, or 0 for all", p.runs)
	}
	if err := checkFormats(p.formats); err != nil {
		return err
	}
	if err := p.folder.check(); err != nil {
		return err
	}
	return p.prepare(e, p.dir)
}

// run audits, keeps the run, writes the reports, tells who is to be told, and
// judges. What goes wrong with the history or the alert costs nobody the reports.
func (p *reporting) run(ctx context.Context, e *env, a *auditing, settings *config.Settings) error {
	if err := p.tell.open(e, settings); err != nil {
		return err
	}
	if err := checkFolder(p.dir); err != nil {
		return err
	}
	kept, err := e.keep(ctx, settings)
	if err != nil {
		return err
	}
	defer kept.close()
	r, err := a.run(ctx, e, settings)
	if err != nil {
		return err
	}
	rec := kept.record(ctx, e, r, history.Run{Old: a.snapshot != "", Keep: p.runs, Alerts: p.tell.hook != nil})
	shown, err := p.redact(r)
	if err != nil {
		return err
	}
	out, err := p.folder.write(ctx, e, p.formats, shown)
	if err != nil {
		return err
	}
	unsent := p.tell.tell(ctx, e, r, kept, rec)
	if p.output.json() {
		err = writeOne(e.stdout, "findings.json", shown)
	} else {
		err = report.Summary(e.stdout, shown, report.Terminal{
			Width: e.outWidth, Color: e.color(), Out: out, Next: next(r, out),
		})
	}
	if err := printed(err); err != nil {
		return err
	}
	result := e.incomplete(r.Head.Incomplete)
	if result == nil {
		result = p.threshold.judge(r)
	}
	if result == nil && p.failOnStale {
		result = judgeWaivers(r)
	}
	switch {
	case kept.failed != nil:
		return fmt.Errorf("the reports are written, but the run was not kept in the history: see above; run again when it can be%s", otherwise(result))
	case unsent != nil:
		return fmt.Errorf("the reports are written, but %w%s", unsent, otherwise(result))
	}
	return result
}

// otherwise says how a run would have ended, but for what goes before it.
func otherwise(result error) string {
	if result == nil {
		return ""
	}
	return "; but for that: " + result.Error()
}

// checkFormats names the format that was probably meant.
func checkFormats(formats []string) error {
	for _, f := range formats {
		if !slices.Contains(report.Formats(), f) {
			return usagef("--format: %w", unknownWord("format", f, report.Formats()))
		}
	}
	return nil
}

// writeReports writes all files of the formats, or none, and removes those of an
// earlier run.
func writeReports(ctx context.Context, dir string, formats []string, r *audit.Report) error {
	files, err := report.Files(formats)
	if err != nil {
		return usageError(err)
	}
	files = slices.DeleteFunc(files, func(f report.File) bool { return f.Lacks(r) })
	return writeFiles(ctx, dir, files, r, removeStale)
}

// writeFiles writes all of the files, or none, and goes on with what follows while
// no other run writes to the folder.
func writeFiles(ctx context.Context, dir string, files []report.File, r *audit.Report, then func(dir string, written []report.File) error) error {
	o, err := newOutput(dir)
	if err != nil {
		return err
	}
	defer o.discard()
	writing, stop := errgroup.WithContext(ctx)
	writing.SetLimit(min(runtime.GOMAXPROCS(0), 4)) // a workbook takes memory while it is written
	for _, f := range files {
		write, err := o.add(f.Name)
		if err != nil {
			return errors.Join(err, writing.Wait())
		}
		writing.Go(func() error {
			return write(stop, func(w io.Writer) error { return f.Write(w, r) })
		})
	}
	if err := writing.Wait(); err != nil {
		return err
	}
	unlock := lockFolder(dir)
	defer unlock()
	if err := o.commit(ctx); err != nil {
		return err
	}
	return then(dir, files)
}

// removeStale removes the reports of an earlier run that this one did not write,
// so that no folder tells of two runs.
func removeStale(dir string, written []report.File) error {
	all, err := report.Files(report.Formats())
	if err != nil {
		return err
	}
	for _, f := range all {
		if slices.ContainsFunc(written, func(w report.File) bool { return w.Name == f.Name }) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fileError("remove", filepath.Join(dir, f.Name), err)
		}
	}
	return nil
}

// writeOne writes the report's file of that name, one of those that are always
// written.
func writeOne(w io.Writer, name string, r *audit.Report) error {
	files, err := report.Files(nil)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(files, func(f report.File) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("no report is named %s", name)
	}
	return files[i].Write(w, r)
}

// A failOn is the mildest severity that ends in exit status 3; 0 is none.
type failOn audit.Severity

func parseFailOn(text string) (failOn, error) {
	if text == "never" {
		return 0, nil
	}
	s, err := audit.ParseSeverity(text)
	if err != nil {
		known := []string{"never"}
		for _, s := range audit.Severities() {
			known = append(known, s.String())
		}
		return 0, fmt.Errorf("--fail-on: %w", unknownWord("severity", text, known))
	}
	return failOn(s), nil
}

// judge returns the error of a report that has findings of that severity.
func (t failOn) judge(r *audit.Report) error {
	if t == 0 {
		return nil
	}
	n := 0
	for s, count := range r.Counts {
		if s >= audit.Severity(t) {
			n += count
		}
	}
	if n == 0 {
		return nil
	}
	what := "findings"
	if n == 1 {
		what = "finding"
	}
	return &exitError{exitFindings, fmt.Errorf("%d %s of severity %s or graver (exit status 3; --fail-on says which count)", n, what, audit.Severity(t))}
}

// judgeWaivers returns the error of a report with waivers to look at.
func judgeWaivers(r *audit.Report) error {
	n := 0
	for i := range r.Waivers {
		if r.Waivers[i].Stale() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &exitError{exitFindings, fmt.Errorf("%d of %d waivers expired or waive nothing: renew or remove them, summary.md lists them (exit status 3 because of --fail-on-stale-waivers)", n, len(r.Waivers))}
}

// next returns the command to run after an audit.
func next(r *audit.Report, out string) string {
	switch {
	case r.Verdict == audit.Incomplete:
		return "aimcheck audit, when what was not read can be read"
	case r.Counts[audit.Blocker] > 0:
		return "aimcheck rules " + commonest(r)
	}
	return "less " + quote(filepath.Join(out, "summary.md"))
}

// commonest returns the rule with the most blockers, the first by name of several.
func commonest(r *audit.Report) (rule string) {
	count := map[string]int{}
	for _, head := range r.Findings.Heads() {
		if head.Severity == audit.Blocker && !head.Waived {
			count[head.Rule]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if count[name] > count[rule] {
			rule = name
		}
	}
	return rule
}

// quote returns the text as one word of a shell.
func quote(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
