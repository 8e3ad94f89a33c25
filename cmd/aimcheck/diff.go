package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
	"github.com/aimcheck/aimcheck/internal/snapfile"
	"github.com/aimcheck/aimcheck/report"
)

func (e *env) diffCommand() *cobra.Command {
	var a auditing
	var format outputFormat
	var failOn string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "what changed between two snapshots or two findings files",
		Long: "Diff compares the findings of two snapshots, or two findings.json: what is new, worse, resolved, and still there. What one of them\n" +
			"did not look for is told apart: nothing is known of it. It ends in 3 if something is new or worse, in 4 if one of them is incomplete.",
		Example: "  aimcheck diff monday.snapshot tuesday.snapshot --sso-claim login\n  aimcheck diff old/findings.json new/findings.json --output json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] == "" || args[1] == "" {
				return usagef("expected two snapshots or two findings files: %s old/findings.json new/findings.json", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			threshold, err := parseFailOn(failOn)
			if err != nil {
				return usageError(err)
			}
			old, err := a.reportOf(cmd.Context(), e, args[0])
			if err != nil {
				return err
			}
			new, err := a.reportOf(cmd.Context(), e, args[1])
			if err != nil {
				return err
			}
			if o, n := tenants(old), tenants(new); o != n {
				return usagef("%s is of %s, %s of %s: compare what is of the same tenants", args[0], o, args[1], n)
			}
			d := differ(old, new)
			if format.json() {
				err = printJSON(e.stdout, d)
			} else {
				err = d.show(e.stdout)
			}
			if err := printed(err); err != nil {
				return err
			}
			if !sameSettings(old.Settings, new.Settings) {
				fmt.Fprintf(e.stderr, "aimcheck: the two were made with different settings (sso-claim, unified-login, scim-token-owner or okta-app): not every difference is one of the tenants\n")
			}
			if old.Verdict == audit.Incomplete || new.Verdict == audit.Incomplete {
				return &exitError{exitIncomplete, fmt.Errorf("incomplete: %s was not read to the end: what was not looked for is not compared (exit status 4)", incompleteOf(old, args))}
			}
			return d.judge(threshold)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&failOn, "fail-on", audit.Info.String(), "exit with 3 if something of this `SEVERITY` or graver is new or worse; never: don't")
	a.judging(cmd)
	format.flag(cmd)
	return cmd
}

func incompleteOf(old *audit.Report, args []string) string {
	if old.Verdict == audit.Incomplete {
		return args[0]
	}
	return args[1]
}

func tenants(r *audit.Report) string { return r.Head.Okta.Tenant + " and " + r.Head.Databricks.Tenant }

func sameSettings(a, b audit.Settings) bool {
	return a.SSOClaim == b.SSOClaim && a.WorkspaceSSOClaim == b.WorkspaceSSOClaim && a.UnifiedLogin == b.UnifiedLogin &&
		a.SCIMTokenOwner == b.SCIMTokenOwner && a.OktaApp == b.OktaApp
}

// reportOf reads a findings.json, or audits a snapshot.
func (a *auditing) reportOf(ctx context.Context, e *env, name string) (*audit.Report, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(f) // which may be a pipe: it is read once
	head, err := in.Peek(64)
	if err != nil && err != io.EOF {
		return nil, fileError("read", name, err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return report.ReadFindings(in, name, rules.All())
	}
	settings, err := a.load(e)
	if err != nil {
		return nil, err
	}
	snap, err := snapfile.Read(in, name)
	if err != nil {
		return nil, err
	}
	return a.judge(ctx, e, settings, snap)
}

// A difference is what changed from one report to the next.
type difference struct {
	Schema      string           `json:"schema"`
	From        differenceOf     `json:"from"`
	To          differenceOf     `json:"to"`
	New         []audit.Finding  `json:"new"`
	Worse       []graver         `json:"worse"` // of graver severity, or no longer waived
	Resolved    []audit.Finding  `json:"resolved"`
	Persisting  []string         `json:"persisting"`   // ids; those that are worse too
	NotCompared []notComparedRow `json:"not_compared"` // in one, and not looked for in the other
}

type differenceOf struct {
	Snapshot string        `json:"snapshot"`
	Verdict  audit.Verdict `json:"verdict"`
	Findings int           `json:"findings"`
}

type graver struct {
	audit.Finding
	Was       audit.Severity `json:"was"`
	WasWaived bool           `json:"was_waived"`
}

type notComparedRow struct {
	ID string `json:"id"`
	In string `json:"in"` // from or to
}

// differ works out the difference. Findings stand in the order of their report.
func differ(old, new *audit.Report) *difference {
	d := &difference{
		Schema: "aimcheck.diff/v1",
		From:   differenceOf{old.Head.Digest, old.Verdict, old.Findings.Len()},
		To:     differenceOf{new.Head.Digest, new.Verdict, new.Findings.Len()},
		New:    []audit.Finding{}, Worse: []graver{}, Resolved: []audit.Finding{}, Persisting: []string{}, NotCompared: []notComparedRow{},
	}
	before, after := map[string]audit.FindingHead{}, map[string]bool{}
	for _, f := range old.Findings.All() {
		before[f.ID] = f.Head()
	}
	for i, f := range new.Findings.All() {
		after[f.ID] = true
		b, there := before[f.ID]
		switch {
		case !there && !lookedFor(old, f):
			d.NotCompared = append(d.NotCompared, notComparedRow{f.ID, "to"})
		case !there:
			d.New = append(d.New, new.Findings.At(i))
		default:
			d.Persisting = append(d.Persisting, f.ID)
			if !f.Waived && (b.Waived || f.Severity > b.Severity) {
				d.Worse = append(d.Worse, graver{new.Findings.At(i), b.Severity, b.Waived})
			}
		}
	}
	for i, f := range old.Findings.All() {
		switch {
		case after[f.ID]:
		case lookedFor(new, f):
			d.Resolved = append(d.Resolved, old.Findings.At(i))
		default:
			d.NotCompared = append(d.NotCompared, notComparedRow{f.ID, "from"})
		}
	}
	return d
}

// lookedFor reports whether the report would have the finding if it were there.
func lookedFor(r *audit.Report, f *audit.Finding) bool {
	return slices.ContainsFunc(r.Rules, func(rule *audit.Rule) bool { return rule.Name == f.Rule }) &&
		!slices.ContainsFunc(r.Skipped, func(s audit.Skip) bool { return s.Covers(f) })
}

func (d *difference) show(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d new, %d worse, %d resolved, %d still there", len(d.New), len(d.Worse), len(d.Resolved), len(d.Persisting))
	if n := len(d.NotCompared); n > 0 {
		fmt.Fprintf(&b, ", %d not compared: one of the two did not look for them", n)
	}
	fmt.Fprintf(&b, "; verdict %s, was %s\n", d.To.Verdict, d.From.Verdict)
	line := func(what string, f *audit.Finding, more string) {
		if f.Waived {
			more += " (waived)"
		}
		fmt.Fprintf(&b, "%-8s  %-7s  %s  %s%s\n", what, f.Severity, f.ID, report.Visible(f.Message), more)
	}
	for i := range d.New {
		line("new", &d.New[i], "")
	}
	for _, g := range d.Worse {
		more := " (was " + g.Was.String() + ")"
		if g.WasWaived {
			more = " (was waived)"
		}
		line("worse", &g.Finding, more)
	}
	for i := range d.Resolved {
		line("resolved", &d.Resolved[i], "")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// judge returns the error of a difference with something new or worse.
func (d *difference) judge(t failOn) error {
	n := 0
	for i := range d.New {
		if f := &d.New[i]; t != 0 && f.Severity >= audit.Severity(t) && !f.Waived {
			n++
		}
	}
	for i := range d.Worse {
		if t != 0 && d.Worse[i].Severity >= audit.Severity(t) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &exitError{exitFindings, fmt.Errorf("%d of severity %s or graver new or worse (exit status 3; --fail-on says which count)", n, audit.Severity(t))}
}
