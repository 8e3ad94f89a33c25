package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/history"
	"github.com/aimcheck/aimcheck/report"
)

// historyKept is how many runs are kept by default: a year of nights, and some.
const historyKept = 400

// slowest is how long the history may take for one run.
const slowest = 5 * time.Minute

// A keeping is the history of a run; the zero keeping keeps nothing. What goes
// wrong with it never costs the run its reports: it is told at once, and fails
// the run when all else is done.
type keeping struct {
	store  *history.Store
	failed error
}

// keep opens the history that the settings name.
func (e *env) keep(ctx context.Context, settings *config.Settings) (*keeping, error) {
	k := &keeping{}
	if settings.History == (config.Secret{}) {
		return k, nil
	}
	place, err := history.ParsePlace(settings.History.Reveal())
	if err != nil {
		return nil, usagef("--%s: %w", config.History, err)
	}
	if k.store, err = history.Create(ctx, place); err != nil && ctx.Err() == nil {
		k.fail(e, err)
	}
	return k, ctx.Err()
}

func (k *keeping) fail(e *env, err error) {
	k.failed = err
	fmt.Fprintf(e.stderr, "aimcheck: %v; the run goes on, and is not kept\n", report.Visible(err.Error()))
}

func (k *keeping) close() { k.store.Close() }

// record adds the run to the history, and what the history knows to the report.
// It is nil where there is nothing to tell.
func (k *keeping) record(ctx context.Context, e *env, r *audit.Report, run history.Run) *history.Recorded {
	if k.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	run.Org, run.Account, run.Snapshot = r.Head.Okta.Tenant, r.Head.Databricks.Tenant, r.Head.Digest
	run.Now = e.now()
	for _, source := range []audit.Source{r.Head.Okta, r.Head.Databricks} {
		if !source.Started.IsZero() && (run.Began.IsZero() || source.Started.Before(run.Began)) {
			run.Began = source.Started
		}
		if run.Read.Before(source.Finished) {
			run.Read = source.Finished
		}
	}
	rec, err := k.store.Record(ctx, r, run)
	if errors.Is(err, history.ErrOlder) {
		fmt.Fprintf(e.stderr, "aimcheck: history: not recorded: %v\n", err)
		return nil
	}
	if err != nil {
		k.fail(e, err)
		return nil
	}
	for _, m := range rec.Mind {
		fmt.Fprintln(e.stderr, "aimcheck: history:", m)
	}
	return rec
}

// applied adds what was written to the history, an interrupted run's too.
func (k *keeping) applied(ctx context.Context, e *env, j job, h apply.Header, rep *apply.Report, people said) {
	if k.store == nil || rep == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), slowest)
	defer cancel()
	a := history.Apply{
		Org: h.OktaOrg, Account: h.Databricks, Now: e.now(), Version: version(), Kind: j.kind, Plan: h.Plan, Journal: j.journal, Settled: rep.Settled(),
	}
	for _, row := range rep.Rows {
		a.Operations = append(a.Operations, history.Operation{Operation: row.Operation, Phase: string(row.Phase)})
	}
	unused := map[string]string{}
	for _, u := range people.unusable {
		unused[u.Where] = u.Why
	}
	for _, answer := range j.answers {
		if answer.Decision != "" {
			a.Decisions = append(a.Decisions, history.Decision{Item: answer.ID, Decision: answer.Decision, Place: answer.Where, Unused: unused[answer.Where]})
		}
	}
	if err := k.store.RecordApply(ctx, a); err != nil {
		k.fail(e, err)
	}
}
