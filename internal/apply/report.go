package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aimcheck/aimcheck/audit"
)

// A Row says where one operation ended.
type Row struct {
	audit.Operation
	Phase    Phase
	Observed string // the value last read
	Why      string // for people; blank for what is done or was already

	listed bool // known from the fresh read or the journal, without a call
}

// A Report is what became of a run.
type Report struct {
	Undo  bool
	Rows  []Row // one for each step of the work, in its order
	Proof Proof
	After *audit.Snapshot // nil if it could not be read, or the run was interrupted
}

func newReport(w *Work) *Report {
	rep := &Report{Undo: w.Undo, Rows: make([]Row, len(w.Steps))}
	for i, s := range w.Steps {
		rep.Rows[i] = Row{Operation: s.Operation, Phase: NotTried, Why: s.Why, listed: true}
		if s.settled {
			rep.Rows[i].Phase, rep.Rows[i].Observed = s.Expect, s.Observed
		}
	}
	return rep
}

// Counts counts the rows by phase.
func (r *Report) Counts() map[Phase]int {
	n := map[Phase]int{}
	for _, row := range r.Rows {
		n[row.Phase]++
	}
	return n
}

// In returns the rows of a phase.
func (r *Report) In(p Phase) []Row {
	var rows []Row
	for _, row := range r.Rows {
		if row.Phase == p {
			rows = append(rows, row)
		}
	}
	return rows
}

// Settled reports whether every operation is done or was already, and proven so.
func (r *Report) Settled() bool {
	return r.Proof.OK() && !slices.ContainsFunc(r.Rows, func(row Row) bool { return !row.Phase.Settled() })
}

// A Proof is what a full read after the run says about it.
type Proof struct {
	Read  bool    // there was one, and it was complete
	Wrong []Row   // done or already, and yet another value stands there: Observed
	Twice []Twice // externalIds held twice that the run wrote
	Other []Twice // externalIds held twice that the run has nothing to do with
}

// OK reports whether the run is proven.
func (p Proof) OK() bool { return p.Read && len(p.Wrong) == 0 && len(p.Twice) == 0 }

// Twice is an externalId that several objects hold.
type Twice struct {
	ExternalID string
	Holders    []audit.Subject
}

// reread tries once more to read what became of writes that are unknown.
func (x *run) reread(ctx context.Context, rep *Report) {
	var g errgroup.Group
	for i := range rep.Rows {
		row := &rep.Rows[i]
		if row.Phase != Unknown {
			continue
		}
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			p, observed, why := x.outcome(ctx, at(row.Operation), row.From, row.To, nil)
			if p != Unknown && ctx.Err() == nil {
				row.Phase, row.Observed, row.Why = p, observed, why
				*row = x.end(*row)
			}
			return nil
		})
	}
	g.Wait()
}

// readings bounds how often a list is read that does not show what was written.
const readings = 3

// prove reads both directories in full and holds the rows against them. Lists
// lag: one that shows something else is read again, a few times.
func (x *run) prove(ctx context.Context, rep *Report) error {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("interrupted before the proof: run again to have it: %w", err)
		}
		after, err := x.Fresh(ctx)
		if err != nil {
			return fmt.Errorf("nothing is proven, since the directories could not be read: %w", err)
		}
		rep.After, rep.Proof = after, proof(after, rep.Rows)
		for _, in := range []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals} {
			if r := after.Reading(in); !r.Complete {
				rep.Proof.Read = false
				return fmt.Errorf("nothing is proven, since %s could not be read completely: %s", in, r.Reason)
			}
		}
		if rep.Proof.OK() {
			return nil
		}
		if n == readings || sleep(ctx, cmp.Or(x.Patience, 15*time.Second)/2) != nil {
			return errUnproven
		}
	}
}

var errUnproven = errors.New("the directory is not as the run left it: somebody else writes to it; look at what is wrong before going on")

func proof(after *audit.Snapshot, rows []Row) Proof {
	p := Proof{Read: true}
	ours := map[audit.Subject]bool{}
	for _, row := range rows {
		if !row.Phase.Settled() {
			continue
		}
		if row.Field == "externalId" {
			ours[row.Target] = true
		}
		switch v, there := value(after, row.Target, row.Field); {
		case !there:
			row.Observed, row.Why = "", gone
			p.Wrong = append(p.Wrong, row)
		case v != row.To:
			row.Observed, row.Why = v, "the list shows another value"
			p.Wrong = append(p.Wrong, row)
		}
	}
	by := map[string][]audit.Subject{}
	holdings(after, func(id string, of audit.Subject) { by[id] = append(by[id], of) })
	for id, holders := range by {
		if len(holders) < 2 {
			continue
		}
		slices.SortFunc(holders, audit.Subject.Compare)
		if slices.ContainsFunc(holders, func(s audit.Subject) bool { return ours[s] }) {
			p.Twice = append(p.Twice, Twice{id, holders})
		} else {
			p.Other = append(p.Other, Twice{id, holders})
		}
	}
	byID := func(a, b Twice) int { return cmp.Compare(a.ExternalID, b.ExternalID) }
	slices.SortFunc(p.Twice, byID)
	slices.SortFunc(p.Other, byID)
	return p
}
