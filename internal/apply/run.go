package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aimcheck/aimcheck/audit"
)

// A Runner does work: for each operation it reads, compares, notes what it is
// about to do, looks once more, writes, and reads back until it knows what became
// of the write. Databricks has no conditional writes: what somebody else writes
// between the last look and the write is overwritten, and nothing shows it.
type Runner struct {
	Directory Directory
	Journal   *Journal

	// Fresh reads both directories in full; with it a run proves what it did.
	Fresh func(context.Context) (*audit.Snapshot, error)

	// Pace waits for the turn to write, before the object is read: so the time
	// between reading and writing, in which others may write, stays short. Nil
	// waits for nothing.
	Pace func(context.Context) error

	Each     func(Row)     // told of each operation when it has ended, one at a time; may be nil
	Workers  int           // operations under way at once; 0: 4
	Patience time.Duration // how long reads may lag behind a write; 0: 15 s
	Failures int           // failures in a row after which a run stops by itself; 0: 5
}

// ErrUnknown is why a run stopped that could not tell what became of a write.
var ErrUnknown = errors.New("what became of a write could not be read: see to it that the directory can be read, and run again with the same journal")

// ErrFailures is why a run stopped after too many failures in a row.
var ErrFailures = errors.New("too many operations failed one after another: see why, and run again with the same journal")

// Settle reads what became of the writes whose end the journal does not know,
// and notes it. It comes before [Check] and [CheckUndo], to which it gives the
// journal's story; fresh shows that the journal is of the directories at hand.
func (r Runner) Settle(ctx context.Context, fresh *audit.Snapshot) error {
	j := r.Journal
	if h := j.story.Header; h.OktaOrg != fresh.Okta.Tenant || h.Databricks != fresh.Databricks.Tenant {
		return h.differs(Header{OktaOrg: fresh.Okta.Tenant, Databricks: fresh.Databricks.Tenant})
	}
	open := j.story.open()
	ends := make([]Entry, len(open))
	var g errgroup.Group // all at once: each waits for reads to show it
	for i, e := range open {
		g.Go(func() error {
			e.Phase, e.Observed, e.Error = r.outcome(ctx, slot{e.Target, e.Field}, e.From, e.To, nil)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			err := j.append(&e)
			ends[i] = e
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.SortFunc(ends, func(a, b Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	j.story.Entries = append(j.story.Entries, ends...)
	for _, e := range ends {
		if e.Phase == Unknown {
			return fmt.Errorf("%s on %s: %w (%s)", e.Op, e.Target, ErrUnknown, e.Error)
		}
	}
	return nil
}

// A run is one [Runner.Run] under way.
type run struct {
	Runner
	work *Work
	stop context.CancelCauseFunc

	mu     sync.Mutex // guards failed and calls of Each
	failed int        // in a row
}

// Run does the work, which was checked against the story that the journal holds.
// Cancelling ctx ends it after the writes under way. The report is there
// whatever happens; the error says why the run ended before its end, or why
// nothing is proven.
func (r Runner) Run(ctx context.Context, w *Work) (*Report, error) {
	rep := newReport(w)
	if r.Journal.story.Header != w.header || r.Journal.entries() != w.entries {
		return rep, errors.New("the work was checked against another journal, or the journal has gone on since: check again")
	}
	if open := r.Journal.story.open(); len(open) > 0 {
		return rep, fmt.Errorf("what became of %s is not known: settle the journal first", open[0].Op)
	}
	r.Workers, r.Failures = cmp.Or(r.Workers, 4), cmp.Or(r.Failures, 5)
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x := &run{Runner: r, work: w, stop: stop}
	x.refresh(working)
	var g errgroup.Group
	g.SetLimit(r.Workers)
	for _, strand := range strands(w.Steps) {
		g.Go(func() error {
			for _, i := range strand {
				if working.Err() != nil {
					break // the rest stays as newReport has it: not tried
				}
				rep.Rows[i] = x.step(working, w.Steps[i])
				x.ended(rep.Rows[i])
			}
			return nil
		})
	}
	g.Wait()
	err := context.Cause(working)
	x.reread(ctx, rep)
	return rep, errors.Join(err, x.prove(ctx, rep))
}

// refresh reads again what the journal says was written where the list shows an id
// instead that is yet to be given to another: whether the list lags or somebody
// wrote since, who holds it must be right.
func (x *run) refresh(ctx context.Context) {
	given := map[string]bool{}
	for _, s := range x.work.Steps {
		if s.Expect == Intent && s.Field == "externalId" && s.To != "" {
			given[s.To] = true
		}
	}
	var g errgroup.Group
	for _, s := range x.work.Steps {
		listed, there := value(x.work.fresh, s.Target, s.Field)
		if s.settled && s.Field == "externalId" && there && listed != s.To && given[listed] {
			g.Go(func() error {
				switch phase, now, _ := x.outcome(ctx, at(s.Operation), s.From, s.To, nil); phase {
				case Failed:
					x.work.held.set(s.Target, now)
				case Unknown:
					x.work.held.set(s.Target, listed)
				}
				return nil
			})
		}
	}
	g.Wait()
}

// ended counts failures, and tells of the row.
func (x *run) ended(row Row) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case row.Phase == Unknown:
		x.stop(fmt.Errorf("%s on %s: %w (%s)", row.ID, row.Target, ErrUnknown, row.Why))
	case row.Phase == Done:
		x.failed = 0
	case row.Phase == Failed && !row.listed:
		if x.failed++; x.failed >= x.Failures {
			x.stop(fmt.Errorf("%w; the last: %s on %s: %s", ErrFailures, row.ID, row.Target, row.Why))
		}
	}
	if x.Each != nil && row.Phase != NotTried {
		x.Each(row)
	}
}

// attempts bounds how often an operation is sent that is refused for the moment.
const attempts = 6

// step does one operation and returns where it ended.
func (x *run) step(ctx context.Context, s Step) Row {
	row := Row{Operation: s.Operation, Phase: s.Expect, Observed: s.Observed, Why: s.Why, listed: true}
	if s.settled || s.Expect == NotTried {
		return row
	}
	if s.Expect != Intent {
		return x.end(row)
	}
	for n := 1; ; n++ {
		row, again := x.try(ctx, s.Operation)
		if !again || n == attempts || sleep(ctx, time.Duration(n)*time.Second) != nil {
			return row
		}
	}
}

// try sends an operation once, if all is as the plan expects. again asks to try
// once more: the directory refused for the moment, and a read has shown that
// nothing was written.
func (x *run) try(ctx context.Context, op audit.Operation) (row Row, again bool) {
	row = Row{Operation: op, Phase: NotTried}
	if x.Pace != nil {
		if err := x.Pace(ctx); err != nil {
			if ctx.Err() == nil {
				x.stop(fmt.Errorf("waiting for the turn to write: %w", err))
			}
			return row, false
		}
	}
	row = x.look(ctx, op)
	switch {
	case ctx.Err() != nil:
		return Row{Operation: op, Phase: NotTried}, false
	case row.Phase != NotTried:
		return x.end(row), false
	}
	if err := x.Journal.append(entry(row, Intent)); err != nil { // no journal, no write
		x.stop(err)
		row.Why = "not sent, since the journal could not be written"
		return row, false
	}
	ctx = context.WithoutCancel(ctx) // from here on the operation is seen through
	// Somebody may have written while the intent was brought to the disk: nothing
	// but a round trip may lie between the last look and the write.
	if row = x.look(ctx, op); row.Phase != NotTried {
		return x.end(row), false
	}
	sent := x.Directory.Set(ctx, op.Target, op.Field, op.To)
	row.Phase, row.Observed, row.Why = x.outcome(ctx, at(op), op.From, op.To, sent)
	if row.Phase != Unknown {
		x.holds(op, row.Observed)
	}
	return x.end(row), row.Phase == Failed && passing(sent)
}

// look reads the object of an operation. The row that it returns is not tried
// where all is as the plan expects, and else says where the operation ends.
func (x *run) look(ctx context.Context, op audit.Operation) Row {
	row := Row{Operation: op, Phase: NotTried}
	read, found, err := x.Directory.Read(ctx, op.Target, op.Field)
	live := read.Value
	row.Observed = live
	other, taken := x.other(op)
	switch {
	case err != nil:
		row.Phase, row.Why = Failed, "not sent, since the object could not be read: "+err.Error()
	case !found:
		row.Phase, row.Why = Failed, gone
	case live == op.To:
		row.Phase = Already
	case live != op.From:
		row.Phase, row.Why = Drifted, changed
	case taken:
		row.Phase, row.Why = Drifted, heldBy(op.To, other)
	default:
		if why := x.another(op, read); why != "" {
			row.Phase, row.Why = Drifted, why
		}
	}
	if row.Phase != NotTried && err == nil {
		x.holds(op, live)
	}
	return row
}

// another says why the object is no longer the one that the plan is about: it
// was renamed, or linked to somebody else, since the list. What is undone is
// undone whoever it has become.
func (x *run) another(op audit.Operation, live Live) string {
	listed, _ := value(x.work.fresh, op.Target, "externalId")
	switch {
	case x.work.Undo:
		return ""
	case renamed(op, live.Name):
		return renamedTo(live.Name)
	case op.Field != "externalId" && live.ExternalID != listed && live.ExternalID != x.work.linked[op.Target]:
		return fmt.Sprintf("its externalId is %q now", live.ExternalID)
	}
	return ""
}

func refused(err error) bool {
	r, ok := errors.AsType[Refusal](err)
	return ok && r.Refused()
}

// passing reports whether err is a refusal for the moment.
func passing(err error) bool {
	r, ok := errors.AsType[interface {
		Refusal
		Again() bool
	}](err)
	return ok && r.Refused() && r.Again()
}

// other returns who else holds the externalId that op is to set.
func (x *run) other(op audit.Operation) (audit.Subject, bool) {
	if op.Field != "externalId" {
		return audit.Subject{}, false
	}
	return x.work.held.other(op.To, op.Target)
}

// holds keeps the collision index current.
func (x *run) holds(op audit.Operation, value string) {
	if op.Field == "externalId" {
		x.work.held.set(op.Target, value)
	}
}

// end notes where an operation ended. The run stops where that can't be noted.
func (x *run) end(row Row) Row {
	if err := x.Journal.append(entry(row, row.Phase)); err != nil {
		x.stop(err)
	}
	return row
}

func entry(row Row, p Phase) *Entry {
	return &Entry{
		Op: row.ID, Phase: p, Target: row.Target, Field: row.Field, From: row.From, To: row.To,
		Observed: row.Observed, Error: row.Why,
	}
}

// outcome reads until it is known what became of a write that was answered with
// sent, nil for a success or where the answer is not known: Done once the new
// value shows, Failed if for as long as patience lasts all reads show another,
// Unknown if it can't be read. A refusal takes less patience: some are known to
// be stored all the same. One for the moment takes none, since the next attempt
// reads first.
func (r Runner) outcome(ctx context.Context, of slot, from, to string, sent error) (p Phase, observed, why string) {
	patience := cmp.Or(r.Patience, 15*time.Second)
	if refused(sent) {
		patience /= 3
	}
	began := time.Now()
	since, readable := began, true // since when reads succeed, or don't
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		read, found, err := r.Directory.Read(ctx, of.target, of.field)
		live := read.Value
		if err == nil && found && live == to {
			return Done, live, ""
		}
		if err == nil && !readable {
			since = time.Now() // a first look after a while may be an old one
		}
		readable = err == nil
		endless := time.Since(began) >= 4*patience // now readable, now not
		late := endless || time.Since(since) >= patience
		if !late && !(readable && found && live == from && passing(sent)) && sleep(ctx, wait) == nil {
			continue
		}
		answer := "the answer was a success, or is not known"
		if sent != nil {
			answer = "the answer was: " + sent.Error()
		}
		switch {
		case endless && err == nil:
			return Unknown, live, answer + "; reading back fails now and then"
		case err != nil:
			return Unknown, live, fmt.Sprintf("%s; reading back: %v", answer, err)
		case !found:
			return Failed, live, gone + "; " + answer
		case live == from:
			return Failed, live, "the old value stays; " + answer
		}
		return Failed, live, "another value stands there: somebody else writes to the object; " + answer
	}
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
