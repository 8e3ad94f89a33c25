package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/databricks"
)

// A writing is what apply and rollback have in common.
type writing struct {
	source
	dry    bool
	yes    bool
	format outputFormat
}

func (w *writing) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&w.dry, "dry-run", false, "go through the guards, say what would be done, and write nothing")
	f.BoolVar(&w.yes, "yes", false, "don't ask; needed where there is no terminal")
	w.source.register(cmd, "")
	w.also(config.History)
	w.format.flag(cmd)
}

// run reads the directories, lets the guards judge, asks, and does the work.
func (w *writing) run(ctx context.Context, e *env, j job) error {
	if !w.dry && !w.yes && !e.asks {
		return errors.New("nothing was written: there is no terminal to ask at; look at it with --dry-run, then say --yes")
	}
	settings, err := w.settings(e)
	if err != nil {
		return err
	}
	kept := &keeping{}
	if !w.dry {
		if kept, err = e.keep(ctx, settings); err != nil {
			return err
		}
		defer kept.close()
	}
	if !w.dry {
		if err := checkFile(j.journal); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Dir(j.journal)); err != nil { // it is not made: it would be where nobody looks for it
			return fileError("write", j.journal, err)
		}
	}
	d, err := w.open(ctx, e, settings, !w.dry)
	if err != nil {
		return err
	}
	fresh, err := w.snap(ctx, e, settings, d)
	if err != nil {
		return err
	}
	header, people, err := j.prepare(fresh, settings.Audit)
	if err != nil {
		return err
	}
	for _, u := range people.unusable {
		fmt.Fprintf(e.stderr, "aimcheck: not used: %s: id %q, decision %q: %s\n", u.Where, u.ID, u.Decision, u.Why)
	}
	if n := len(people.silent); n > 0 {
		fmt.Fprintf(e.stderr, "aimcheck: approved in the plan and not in the decisions file: %d, %s first; what is left out stays approved: "+
			"to leave one alone, give it a row that says reject\n", n, people.silent[0])
	}
	journal, past, err := j.past(header, w.dry, e.now)
	if err != nil {
		return err
	}
	defer func() {
		if journal != nil {
			journal.Close()
		}
	}()
	runner := w.runner(e, settings, d)
	if journal != nil {
		runner.Journal = journal
		if err := runner.Settle(ctx, fresh); err != nil {
			return unsettled(err)
		}
	}
	judging := settings.Audit
	for _, c := range j.include {
		judging.Include = append(judging.Include, string(c))
	}
	before, err := e.judged(fresh, judging)
	if err != nil {
		return err
	}
	work, err := j.check(before, past, apply.Options{Now: e.now(), Settings: settings.Audit})
	if err != nil {
		return fmt.Errorf("refused, nothing was written: %s", strings.ReplaceAll(err.Error(), "\n", "\naimcheck: refused: "))
	}
	if w.dry {
		return w.rehearsed(e, work, people)
	}
	if err := preview(e.stderr, work, people); err != nil {
		return err
	}
	if total(work.Sends()) > 0 && !w.yes && !e.confirm(ctx) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errors.New("nothing was written: the answer was not yes")
	}
	if journal == nil {
		if journal, err = j.open(work.Header(), e.now); err != nil {
			return err
		}
		runner.Journal = journal
	}
	told := context.AfterFunc(ctx, func() {
		fmt.Fprintln(e.stderr, "aimcheck: interrupted: the writes under way are seen through; Ctrl-C again ends at once")
	})
	defer told()
	if !w.quiet {
		p := e.lines()
		defer p.close()
		d.shown.Store(p)
		runner.Each = p.counting(work)
	}
	rep, failed := runner.Run(ctx, work)
	kept.applied(ctx, e, j, header, rep, people)
	shown := w.show(e, rep, before, people)
	switch stopped := interrupted(ctx, j.journal); {
	case stopped != nil:
		return stopped
	case shown != nil:
		return fileError("write to", "standard output", shown)
	case failed != nil:
		return &exitError{exitIncomplete, fmt.Errorf("%w; the journal is %s", failed, j.journal)}
	case !rep.Settled() || len(people.unusable) > 0:
		return &exitError{exitIncomplete, fmt.Errorf("not everything was carried out (exit status 4): the above says what and why; the journal is %s", j.journal)}
	case kept.failed != nil:
		return fmt.Errorf("everything was carried out, but it was not kept in the history: see above; the journal %s has it", j.journal)
	}
	return nil
}

func unsettled(err error) error {
	if errors.Is(err, apply.ErrUnknown) {
		return &exitError{exitIncomplete, err}
	}
	return err
}

// runner returns what writes, at the pace that the settings give.
func (w *writing) runner(e *env, settings *config.Settings, d *directories) apply.Runner {
	pace := newPace(settings.Databricks.WriteRate)
	return apply.Runner{
		Directory: writer{d.databricks, pace},
		Fresh: func(ctx context.Context) (*audit.Snapshot, error) {
			return w.snap(ctx, e, settings, d)
		},
		Pace: func(ctx context.Context) error {
			if err := pace.limiter.Wait(ctx); err != nil {
				return err
			}
			return d.databricks.Turn(ctx)
		},
		Patience: e.patience,
		// Most of an operation is waiting for answers, and for reads to show it. So
		// many keep up the rate while each takes a second; few, where it is low,
		// since as many writes may be under way when the first is known to fail.
		Workers: min(max(8, int(settings.Databricks.WriteRate)), 256),
	}
}

// counting returns what tells now and then how far the work is.
func (p *progress) counting(work *apply.Work) func(apply.Row) {
	sent, all, n, began := map[string]bool{}, total(work.Sends()), 0, p.now()
	for _, s := range work.Steps {
		sent[s.ID] = s.Expect == apply.Intent
	}
	return func(row apply.Row) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !sent[row.ID] { // whatever ended, others may still wait
			return
		}
		if n++; p.due() {
			each := p.now().Sub(began) / time.Duration(n)
			fmt.Fprintf(p.w, "aimcheck: %d of %d operations ended, %.1f a second, %v left; the last: %s %s\n",
				n, all, 1/each.Seconds(), (time.Duration(all-n) * each).Round(time.Second), row.ID, row.Phase)
		}
	}
}

// confirm asks whether to go on. Ctrl-C is a no.
func (e *env) confirm(ctx context.Context) bool {
	fmt.Fprint(e.stderr, "\nWrite this to Databricks? Type yes to go on: ")
	yes := make(chan bool, 1)
	go func() { // a read of a terminal can't be ended
		line, err := bufio.NewReader(e.stdin).ReadString('\n')
		yes <- (err == nil || err == io.EOF) && strings.TrimSpace(line) == "yes"
	}()
	select {
	case ok := <-yes:
		return ok && ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// A writer is the account as a run wants it.
type writer struct {
	*databricks.Client
	pace *pace
}

// Read implements [apply.Directory].
func (w writer) Read(ctx context.Context, target audit.Subject, field string) (apply.Live, bool, error) {
	v, found, err := w.Client.Value(ctx, target, field)
	return apply.Live(v), found, err
}

// Set implements [apply.Directory].
func (w writer) Set(ctx context.Context, target audit.Subject, field, value string) error {
	err := w.Client.Set(ctx, target, field, value)
	refused, ok := errors.AsType[*databricks.Refused](err)
	w.pace.answered(ok && refused.Status == http.StatusTooManyRequests)
	return err
}

// A pace is how fast a run writes: half as fast after each answer that it was
// too fast, and step by step faster again after others, up to what was set.
type pace struct {
	full rate.Limit

	mu      sync.Mutex
	limiter *rate.Limiter
}

func newPace(full float64) *pace {
	return &pace{full: rate.Limit(full), limiter: rate.NewLimiter(rate.Limit(full), 1)}
}

func (p *pace) answered(tooFast bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tooFast {
		p.limiter.SetLimit(max(p.limiter.Limit()/2, p.full/64, min(p.full, 0.25)))
	} else {
		p.limiter.SetLimit(min(p.limiter.Limit()+p.full/256, p.full))
	}
}

// judged runs the rules over what a run read before or after it.
func (e *env) judged(s *audit.Snapshot, set audit.Settings) (*audit.Report, error) {
	return audit.Run(s, rules.All(), audit.Options{Settings: set, Version: version(), Now: e.now(), Expires: time.Hour})
}

func total[K comparable](counts map[K]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
