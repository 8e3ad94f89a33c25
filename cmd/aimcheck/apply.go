package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
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
	var touch []string
	var limit int
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "apply a plan: the approved operations, one by one, each proven",
		Long: "Apply reads both directories afresh, checks that the plan still holds, says what it would do, asks, and does it: each operation is\n" +
			"noted in the journal before it is sent and read back after. Run it again with the same plan to carry on where it stopped.\n" +
			"It ends with a full read as proof, and what the rules say before and after.\n\n" +
			"Account admins, the identity that runs this and the owner of the SCIM token are touched only by name: with --touch, or where the\n" +
			"decisions file says approve, link: or keep: of the operation. They are never deactivated.",
		Example: "  aimcheck apply plan.json --dry-run\n  aimcheck apply plan.json --limit 5\n  aimcheck apply plan.json --decisions report.xlsx --yes\n" +
			"  aimcheck apply plan.json --touch databricks:user:123",
		Args: oneArgument("a plan", "plan.json"),
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
			made := plan
			if now := e.now(); !now.Before(plan.Expires) {
				return fmt.Errorf("%s expired at %s: directories change; make a new plan", args[0], plan.Expires.Format(time.RFC3339))
			}
			answers, err := readDecisions(decided)
			if err != nil {
				return err
			}
			var unusable []audit.Unusable
			touched, err := targetsNamed(touch)
			if err != nil {
				return err
			}
			if journal == "" {
				journal = strings.TrimSuffix(args[0], ".json") + ".journal.jsonl"
			}
			w.apps = w.apps || needsApps(plan, decided != "")
			return w.run(cmd.Context(), e, job{
				kind:    "apply",
				answers: answers,
				journal: journal,
				open:    openJournal(journal),
				include: plan.Include,
				check: func(now *audit.Report, past *apply.Story, o apply.Options) (*apply.Work, error) {
					o.MaxChanges, o.Limit = ceiling, limit
					o.Evident = evident(made, now.Plan)
					said := audit.Named(answers, unusable)
					o.Named = func(op audit.Operation) bool { return touched[op.Target] || said(op) }
					if err := allIn(touched, plan); err != nil {
						return nil, err
					}
					return apply.Check(plan, now.Snapshot, past, o)
				},
				prepare: func(fresh *audit.Snapshot, set audit.Settings) (h apply.Header, s said, err error) {
					if decided != "" {
						plan, unusable, err = audit.Decide(plan, answers, audit.NewIndex(fresh, set))
					}
					if err != nil {
						return h, s, err
					}
					s.unusable, s.left, s.silent = unusable, leftBy(made, plan), unmentioned(plan, answers)
					s.others = len(plan.Operations)
					for range plan.Approved() {
						s.others--
					}
					return apply.Header{Schema: apply.JournalSchema, Plan: plan.Digest, OktaOrg: plan.OktaOrg, Databricks: plan.Databricks}, s, nil
				},
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&decided, "decisions", "", "take decisions from `FILE`: the workbook, or a CSV with the columns id and decision")
	f.StringVar(&journal, "journal", "", "keep the journal in `FILE` (default: beside the plan, PLAN.journal.jsonl)")
	f.StringVar(&most, "max-changes", "", "refuse to send more than `N|P%` operations (default 500 or 20%, whichever is more)")
	f.StringArrayVar(&touch, "touch", nil, "apply what is approved for `SUBJECT`, such as databricks:user:123, though it is an account admin,\n"+
		"the identity that runs this or the owner of the SCIM token; may be given several times")
	f.IntVar(&limit, "limit", 0, "send `N` operations at most, to try a few first")
	w.register(cmd)
	return cmd
}

// evident returns whether a plan made of the directories as they are now would
// have an operation too. What people chose was held against them when it was
// worked in.
func evident(made, now *audit.Plan) func(audit.Operation) bool {
	type write struct {
		target          audit.Subject
		field, from, to string
	}
	of := func(op audit.Operation) write { return write{op.Target, op.Field, op.From, op.To} }
	own, still := map[write]bool{}, map[write]bool{}
	for _, op := range made.Operations {
		own[of(op)] = true
	}
	for _, op := range now.Operations {
		still[of(op)] = true
	}
	return func(op audit.Operation) bool { return still[of(op)] || !own[of(op)] }
}

// targetsNamed reads the subjects of --touch.
func targetsNamed(texts []string) (map[audit.Subject]bool, error) {
	named := map[audit.Subject]bool{}
	for _, text := range texts {
		var s audit.Subject
		if err := s.UnmarshalText([]byte(text)); err != nil || !strings.HasPrefix(text, "databricks:") {
			return nil, usagef("--touch %q: expected the target of an operation, such as databricks:user:123", text)
		}
		named[s] = true
	}
	return named, nil
}

// allIn reports a named subject that no approved operation of the plan is about:
// it is misspelt, or nothing is to be done about it.
func allIn(named map[audit.Subject]bool, p *audit.Plan) error {
	there := map[audit.Subject]bool{}
	for _, op := range p.Operations {
		there[op.Target] = there[op.Target] || op.Decision == audit.Approve
	}
	for _, s := range slices.SortedFunc(maps.Keys(named), audit.Subject.Compare) {
		if !there[s] {
			return fmt.Errorf("--touch %s: no approved operation of the plan is about it", s)
		}
	}
	return nil
}

// oneArgument demands one file name.
func oneArgument(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || args[0] == "" {
			return usagef("expected %s: %s %s", what, cmd.CommandPath(), example)
		}
		if len(args) > 1 {
			return usagef("unexpected argument %q: %s takes %s, and flags", args[1], cmd.CommandPath(), what)
		}
		return nil
	}
}

func readPlan(name string) (*audit.Plan, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return audit.ReadPlan(f, name)
}

// readDecisions reads the answers of a file; none where no file is named.
func readDecisions(name string) ([]audit.Answer, error) {
	if name == "" {
		return nil, nil
	}
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return decisions.Read(f, name)
}

// leftBy lists what the decided plan leaves to people and the plan that it was
// made from did not.
func leftBy(made, decided *audit.Plan) []audit.Manual {
	type said struct{ finding, what string }
	before := map[said]bool{}
	for m := range made.Manual.All() {
		before[said{m.Finding, m.What}] = true
	}
	left := []audit.Manual{}
	for m := range decided.Manual.All() {
		if !before[said{m.Finding, m.What}] {
			left = append(left, *m)
		}
	}
	return left
}

// needsApps reports whether Okta's apps must be read: where service principals
// may be written to.
func needsApps(p *audit.Plan, decided bool) bool {
	for _, op := range p.Operations {
		if op.Target.Kind == audit.DatabricksServicePrincipalKind && (decided || op.Decision == audit.Approve) {
			return true
		}
	}
	for m := range p.Manual.All() {
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
		opened, err := apply.OpenJournal(name, h, now)
		if errors.As(err, new(*fs.PathError)) {
			return nil, fileError("write", name, err)
		}
		return opened, err
	}
}

// What people have said, as far as it is no operation to be applied.
type said struct {
	unusable []audit.Unusable
	left     []audit.Manual // what their choices leave to people
	others   int            // operations of the plan that are not approved
	silent   []string       // approved operations that no row of the file is about
}

// unmentioned lists the operations that are approved, though the answers leave
// them out: whoever deletes a row of the workbook may mean a rejection by it.
func unmentioned(plan *audit.Plan, answers []audit.Answer) (ids []string) {
	if len(answers) == 0 {
		return nil
	}
	named := map[string]bool{}
	for _, a := range answers {
		named[a.ID] = true
	}
	for op := range plan.Approved() {
		if !named[op.ID] && !slices.ContainsFunc(op.Because, func(f string) bool { return named[f] }) {
			ids = append(ids, op.ID)
		}
	}
	return ids
}

// A job is what apply and rollback have apart from each other.
type job struct {
	kind    string         // apply or rollback
	answers []audit.Answer // of people
	journal string
	open    func(apply.Header, func() time.Time) (*apply.Journal, error)

	// prepare says what the journal is to begin with, once the directories were read.
	prepare func(*audit.Snapshot, audit.Settings) (apply.Header, said, error)
	include []audit.Class // for the rules' plan of the directories as they are now
	check   func(now *audit.Report, past *apply.Story, o apply.Options) (*apply.Work, error)
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
