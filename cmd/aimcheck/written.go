package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/apply"
)

// several is how many rows of one kind are shown; the rest is in the journal.
const several = 20

// preview says what a run would do, what can't be undone, and what to beware of.
// Names are quoted: they come from directories that many can write to.
func preview(w io.Writer, work *apply.Work, people said) error {
	var b strings.Builder
	type group struct {
		action audit.Action
		kind   audit.Kind
	}
	sends, others := map[group]int{}, map[apply.Phase][]apply.Step{}
	var unnamed []apply.Step
	for _, s := range work.Steps {
		if s.Unnamed {
			unnamed = append(unnamed, s)
			continue
		}
		if s.Expect != apply.Intent {
			others[s.Expect] = append(others[s.Expect], s)
			continue
		}
		sends[group{s.Action, s.Target.Kind}]++
	}
	if len(work.Lost) > 0 {
		fmt.Fprintf(&b, "Can't be restored: %d, for Databricks does not clear the externalId of users and service principals\n", len(work.Lost))
		list(&b, work.Lost, func(op audit.Operation) string {
			return fmt.Sprintf("%s  %s %q keeps %s %q", op.ID, op.Target, op.Name, op.Field, op.To)
		})
	}
	fmt.Fprintf(&b, "To be sent: %d\n", total(sends))
	keys := make([]group, 0, len(sends))
	for g := range sends {
		keys = append(keys, g)
	}
	slices.SortFunc(keys, func(a, b group) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.action, b.action)) })
	for _, g := range keys {
		fmt.Fprintf(&b, "  %-28s %-18s %d\n", g.kind, g.action, sends[g])
	}
	if ops := work.Irreversible(); len(ops) > 0 {
		fmt.Fprintf(&b, "Can't be undone: %d of them, for Databricks does not clear the externalId of users and service principals\n", len(ops))
		list(&b, ops, func(op audit.Operation) string {
			return fmt.Sprintf("%s  %s %q gets %s %q", op.ID, op.Target, op.Name, op.Field, op.To)
		})
	}
	for _, p := range []apply.Phase{apply.Done, apply.Already, apply.Drifted, apply.Failed, apply.NotTried} {
		steps := others[p]
		if len(steps) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s: %d\n", map[apply.Phase]string{apply.Done: "Done before", apply.Already: "So already", apply.Drifted: "Drifted, will not be written",
			apply.Failed: "Gone, will not be written", apply.NotTried: "Not this time"}[p], len(steps))
		if p == apply.Drifted || p == apply.Failed || p == apply.NotTried {
			list(&b, steps, func(s apply.Step) string { return notWritten(s.Operation, p, s.Observed, s.Why) })
		}
	}
	if len(unnamed) > 0 {
		fmt.Fprintf(&b, "Touched only by name, will not be written: %d\n", len(unnamed))
		list(&b, unnamed, func(s apply.Step) string { return notWritten(s.Operation, s.Expect, s.Observed, s.Why) })
	}
	if people.others > 0 {
		fmt.Fprintf(&b, "Not approved, left alone: %d\n", people.others)
	}
	if len(people.left) > 0 {
		fmt.Fprintf(&b, "Left to people: %d\n", len(people.left))
		list(&b, people.left, func(m audit.Manual) string { return fmt.Sprintf("%s  %q", m.Finding, m.What) })
	}
	for _, warning := range work.Warnings {
		fmt.Fprintf(&b, "WARNING: %s\n", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func list[T any](w io.Writer, all []T, line func(T) string) {
	for i, v := range all {
		if i == several {
			fmt.Fprintf(w, "  and %d more (--output json shows all)\n", len(all)-several)
			return
		}
		fmt.Fprintf(w, "  %s\n", line(v))
	}
}

// notWritten says what was found and why that is the end of it.
func notWritten(op audit.Operation, p apply.Phase, observed, why string) string {
	line := fmt.Sprintf("%s  %s %q %s", op.ID, op.Target, op.Name, op.Field)
	switch {
	case p == apply.Drifted && observed == op.From:
		line += ": nothing was written"
	case p == apply.Drifted:
		line += fmt.Sprintf(": expected %q, found %q; nothing was written", op.From, observed)
	case p == apply.Failed, p == apply.Unknown:
		line += fmt.Sprintf(" to %q", op.To)
	}
	if why != "" {
		line += ": " + strings.Join(strings.Fields(why), " ")
	}
	return line
}

// rehearsed shows what a dry run found.
func (w *writing) rehearsed(e *env, work *apply.Work, people said) error {
	var err error
	if w.format.json() {
		out := outcome{DryRun: true, Undo: work.Undo, Unusable: unusableJSON(people.unusable), Left: people.left, Warnings: append([]string{}, work.Warnings...), Phases: map[apply.Phase]int{}, Operations: []operationJSON{}}
		for _, s := range work.Steps {
			out.Phases[s.Expect]++
			out.Operations = append(out.Operations, operationOf(s.Operation, s.Expect, s.Observed, s.Why))
		}
		err = printJSON(e.stdout, out)
	} else if err = preview(e.stdout, work, people); err == nil {
		_, err = fmt.Fprintln(e.stdout, "Nothing was written: this was a dry run")
	}
	if err != nil {
		return fileError("write to", "standard output", err)
	}
	bad := func(s apply.Step) bool { return s.Expect == apply.Drifted || s.Expect == apply.Failed || s.Unnamed }
	if slices.ContainsFunc(work.Steps, bad) || len(people.unusable) > 0 {
		return &exitError{exitIncomplete, fmt.Errorf("not everything could be carried out (exit status 4): the above says what and why")}
	}
	return nil
}

// An outcome is a run as JSON.
type outcome struct {
	DryRun     bool                `json:"dry_run"`
	Undo       bool                `json:"undo"`
	Phases     map[apply.Phase]int `json:"phases"`
	Operations []operationJSON     `json:"operations"`
	Unusable   []unusedJSON        `json:"unusable_decisions"`
	Left       []audit.Manual      `json:"left_to_people,omitempty"`
	Warnings   []string            `json:"warnings,omitempty"`
	Proven     bool                `json:"proven"`
	Wrong      []operationJSON     `json:"wrong,omitempty"` // done or already, and the last full read shows something else
	Twice      []apply.Twice       `json:"held_twice,omitempty"`
	Before     *stateJSON          `json:"before,omitempty"`
	After      *stateJSON          `json:"after,omitempty"`
}

type operationJSON struct {
	ID         string        `json:"id"`
	Phase      apply.Phase   `json:"phase"`
	Action     audit.Action  `json:"action"`
	Target     audit.Subject `json:"target"`
	Name       string        `json:"name"`
	Field      string        `json:"field"`
	From       string        `json:"from"`
	To         string        `json:"to"`
	Observed   string        `json:"observed"`
	Reversible bool          `json:"reversible"`
	Touches    string        `json:"touches,omitempty"`
	Why        string        `json:"why,omitempty"`
}

func operationOf(op audit.Operation, p apply.Phase, observed, why string) operationJSON {
	return operationJSON{op.ID, p, op.Action, op.Target, op.Name, op.Field, op.From, op.To, observed, op.Reversible, op.Touches, why}
}

func operationsOf(rows []apply.Row) []operationJSON {
	ops := []operationJSON{}
	for _, r := range rows {
		ops = append(ops, operationOf(r.Operation, r.Phase, r.Observed, r.Why))
	}
	return ops
}

type unusedJSON struct {
	Where    string `json:"where"`
	ID       string `json:"id"`
	Decision string `json:"decision"`
	Why      string `json:"why"`
}

func unusableJSON(all []audit.Unusable) []unusedJSON {
	out := []unusedJSON{}
	for _, u := range all {
		out = append(out, unusedJSON{u.Where, u.ID, u.Decision, u.Why})
	}
	return out
}

type stateJSON struct {
	Verdict  audit.Verdict  `json:"verdict"`
	Findings map[string]int `json:"findings"`
	Impact   audit.Impact   `json:"impact"`
}

// show tells what became of a run, and what the rules say before and after it.
func (w *writing) show(e *env, rep *apply.Report, before *audit.Report, people said) (err error) {
	var after *audit.Report
	if rep.After != nil {
		if after, err = e.judged(rep.After, before.Settings); err != nil {
			return err
		}
	}
	if w.format.json() {
		return printJSON(e.stdout, outcome{
			Undo: rep.Undo, Phases: rep.Counts(), Operations: operationsOf(rep.Rows), Unusable: unusableJSON(people.unusable), Left: people.left,
			Proven: rep.Proof.OK(), Wrong: operationsOf(rep.Proof.Wrong), Twice: rep.Proof.Twice, Before: stateOf(before), After: stateOf(after),
		})
	}
	var b strings.Builder
	counts := rep.Counts()
	phases := []apply.Phase{apply.Done, apply.Already, apply.Drifted, apply.Failed, apply.Unknown, apply.NotTried}
	for _, p := range phases {
		fmt.Fprintf(&b, "%-10s %d\n", p, counts[p])
	}
	for _, p := range phases[2:] {
		if rows := rep.In(p); len(rows) > 0 {
			fmt.Fprintf(&b, "\n%s:\n", p)
			list(&b, rows, func(r apply.Row) string { return notWritten(r.Operation, p, r.Observed, r.Why) })
		}
	}
	prove(&b, rep)
	if after != nil {
		fmt.Fprint(&b, "\n")
		compare(&b, before, after)
	}
	_, err = io.WriteString(e.stdout, b.String())
	return err
}

// prove says what the full read at the end shows.
func prove(w io.Writer, rep *apply.Report) {
	switch p := rep.Proof; {
	case p.OK() && len(rep.In(apply.Done))+len(rep.In(apply.Already)) == 0:
		fmt.Fprint(w, "\nNothing was done: there is nothing to prove\n")
	case p.OK():
		fmt.Fprintf(w, "\nProof: a full read of both directories shows all that is done or was already, and none of these ids held twice\n")
	case !p.Read:
		fmt.Fprintf(w, "\nNot proven: the directories were not read in full afterwards\n")
	default:
		fmt.Fprintf(w, "\nNOT PROVEN: a full read shows something else\n")
		list(w, p.Wrong, func(r apply.Row) string {
			return fmt.Sprintf("%s  %s %s is %q, written was %q", r.ID, r.Target, r.Field, r.Observed, r.To)
		})
		list(w, p.Twice, func(t apply.Twice) string { return fmt.Sprintf("%q is held by %v", t.ExternalID, t.Holders) })
	}
}

func stateOf(r *audit.Report) *stateJSON {
	if r == nil {
		return nil
	}
	s := &stateJSON{r.Verdict, map[string]int{}, r.Now}
	for _, severity := range audit.Severities() {
		s.Findings[severity.String()] = r.Counts[severity]
	}
	return s
}

// compare shows what the rules say before and after, side by side.
func compare(w io.Writer, before, after *audit.Report) {
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	row := func(what string, a, b any) { fmt.Fprintf(t, "%s\t%v\t%v\n", what, a, b) }
	row("", "before", "after")
	row("verdict", before.Verdict, after.Verdict)
	for _, s := range audit.Severities() {
		row("findings: "+s.String(), before.Counts[s], after.Counts[s])
	}
	for _, kind := range []struct {
		name string
		of   func(audit.Impact) map[audit.Outcome]int
	}{
		{"users", func(i audit.Impact) map[audit.Outcome]int { return i.Users }},
		{"groups", func(i audit.Impact) map[audit.Outcome]int { return i.Groups }},
	} {
		for _, o := range audit.Outcomes() {
			if a, b := kind.of(before.Now)[o], kind.of(after.Now)[o]; a+b > 0 {
				row(kind.name+": "+string(o), a, b)
			}
		}
	}
	t.Flush()
}
