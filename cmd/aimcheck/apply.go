package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/decisions"
)

func (e *env) applyCommand() *cobra.Command {
	var w writing
	var decided, journal, most string
	var limit int
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "apply a plan: the approved operations, one by one, each proven",
		Long: "Apply reads both directories afresh, checks that the plan still holds, says what it would do, asks, and does it: each operation is\n" +
			"noted in the journal before it is sent and read back after. Run it again with the same plan to carry on where it stopped.\n" +
			"It ends with a full read as proof, and what the rules say before and after.",
		Example: "  aimcheck apply plan.json --dry-run\n  aimcheck apply plan.json --limit 5\n  aimcheck apply plan.json --decisions report.xlsx --yes",
		Args:    oneArgument("a plan", "plan.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ceiling, err := apply.ParseCeiling(most)
			if err != nil {
				return usagef("--max-changes: %w", err)
			}
			if limit < 0 || cmd.Flags().Changed("limit") && limit == 0 {
				return usagef("--limit %d: expected a number above 0", limit)
			}
			plan, err := readPlan(args[0])
			if err != nil {
				return err
			}
			if now := e.now(); !now.Before(plan.Expires) {
				return fmt.Errorf("%s expired at %s: directories change; make a new plan", args[0], plan.Expires.Format(time.RFC3339))
			}
			answers, err := readDecisions(decided)
			if err != nil {
				return err
			}
			if journal == "" {
				journal = strings.TrimSuffix(args[0], ".json") + ".journal.jsonl"
			}
			w.apps = w.apps || needsApps(plan, decided != "")
			return w.run(cmd.Context(), e, job{
				journal: journal,
				open:    openJournal(journal),
				check: func(fresh *audit.Snapshot, past *apply.Story, o apply.Options) (*apply.Work, error) {
					o.MaxChanges, o.Limit = ceiling, limit
					return apply.Check(plan, fresh, past, o)
				},
				prepare: func(fresh *audit.Snapshot, set audit.Settings) (h apply.Header, unusable []audit.Unusable, err error) {
					if decided != "" {
						plan, unusable, err = audit.Decide(plan, answers, audit.NewIndex(fresh, set))
					}
					if err != nil {
						return h, nil, err
					}
					return apply.Header{Schema: apply.JournalSchema, Plan: plan.Digest, OktaOrg: plan.OktaOrg, Databricks: plan.Databricks}, unusable, nil
				},
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&decided, "decisions", "", "take decisions from `FILE`: the workbook, or a CSV with the columns id and decision")
	f.StringVar(&journal, "journal", "", "keep the journal in `FILE` (default: beside the plan, PLAN.journal.jsonl)")
	f.StringVar(&most, "max-changes", "", "refuse to send more than `N|P%` operations (default 500 or 20%, whichever is more)")
	f.IntVar(&limit, "limit", 0, "send `N` operations at most, to try a few first")
	w.register(cmd)
	return cmd
}

// oneArgument demands one file name.
func oneArgument(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usagef("expected %s: %s %s", what, cmd.CommandPath(), example)
		}
		return nil
	}
}

func readPlan(name string) (*audit.Plan, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError("read", name, err)
	}
	defer f.Close()
	return audit.ReadPlan(f, name)
}

// readDecisions reads the answers of a file; none where no file is named.
func readDecisions(name string) ([]audit.Answer, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError("read", name, err)
	}
	defer f.Close()
	return decisions.Read(f, name)
}

// needsApps reports whether Okta's apps must be read: where service principals
// may be written to.
func needsApps(p *audit.Plan, decided bool) bool {
	for _, op := range p.Operations {
		if op.Target.Kind == audit.DatabricksServicePrincipalKind && (decided || op.Decision == audit.Approve) {
			return true
		}
	}
	for _, m := range p.Manual {
		for _, r := range m.Records {
			if decided && r.Subject.Kind == audit.DatabricksServicePrincipalKind {
				return true
			}
		}
	}
	return false
}

// openJournal returns what opens the journal of that name.
func openJournal(name string) func(h apply.Header, now func() time.Time) (*apply.Journal, error) {
	return func(h apply.Header, now func() time.Time) (*apply.Journal, error) {
		return apply.OpenJournal(name, h, now)
	}
}

// A job is what apply and rollback have apart from each other.
type job struct {
	journal string
	open    func(apply.Header, func() time.Time) (*apply.Journal, error)

	// prepare says what the journal is to begin with, once the directories were read.
	prepare func(*audit.Snapshot, audit.Settings) (apply.Header, []audit.Unusable, error)
	check   func(*audit.Snapshot, *apply.Story, apply.Options) (*apply.Work, error)
}

// past returns the journal's story, nil where there is no journal yet. It is
// opened for writing unless the run is dry.
func (j job) past(h apply.Header, dry bool, now func() time.Time) (*apply.Journal, *apply.Story, error) {
	info, err := os.Stat(j.journal)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.Size() == 0:
		return nil, nil, nil
	case err != nil:
		return nil, nil, fileError("read", j.journal, err)
	case dry:
		story, err := apply.ReadJournal(j.journal)
		return nil, story, err
	}
	opened, err := j.open(h, now)
	if err != nil {
		return nil, nil, err
	}
	return opened, opened.Story(), nil
}

// interrupted is the error of a run that Ctrl-C ended.
func interrupted(ctx context.Context, journal string) error {
	if ctx.Err() == nil {
		return nil
	}
	return &exitError{exitInterrupted, fmt.Errorf("interrupted: what was done stands in %s; run again to carry on", journal)}
}
