package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// A trial is a random plan, what others did since it was made, and what goes wrong.
type trial struct {
	ids      map[int]string // externalIds when the plan was made
	ops      []audit.Operation
	strange  map[int]string // what others have written since
	faults   map[int][]fault
	lag      int
	oldLists bool
	crashes  []crash

	undoCrashes []crash
}

// A crash ends a run at a call of the directory or at a write to the journal.
type crash struct{ call, write int }

func drawTrial(t *rapid.T) trial {
	n := rapid.IntRange(1, 7).Draw(t, "people")
	tr := trial{ids: map[int]string{}, strange: map[int]string{}, faults: map[int][]fault{}}
	anyID := rapid.SampledFrom(append([]string{"", "", "stale"}, ids(n)...))
	free := rapid.Permutation(ids(n)).Draw(t, "to")
	for i := range n {
		tr.ids[i] = anyID.Draw(t, "externalId")
		if to := free[i]; to != tr.ids[i] && rapid.IntRange(0, 3).Draw(t, "op") > 0 {
			tr.ops = append(tr.ops, link(user(fmt.Sprint(i+1)), tr.ids[i], to))
		}
		if rapid.IntRange(0, 9).Draw(t, "others") == 0 {
			tr.strange[i] = anyID.Draw(t, "strange")
		}
		tr.faults[i] = rapid.SliceOfN(rapid.SampledFrom([]fault{
			fine, refuse, busyOnce, lostBefore, lostAfter, deaf, errorAfter, blind, crashBefore, crashAfter,
		}), 0, 3).Draw(t, "faults")
	}
	tr.lag = rapid.IntRange(0, 4).Draw(t, "lag")
	tr.oldLists = rapid.Bool().Draw(t, "old lists")
	crashes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) crash {
		if rapid.Bool().Draw(t, "at a call") {
			return crash{call: rapid.IntRange(1, 40).Draw(t, "call")}
		}
		return crash{write: rapid.IntRange(1, 20).Draw(t, "write")}
	}), 0, 4)
	tr.crashes, tr.undoCrashes = crashes.Draw(t, "crashes"), crashes.Draw(t, "crashes of the rollback")
	return tr
}

func ids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("00u%d", i+1))
	}
	return all
}

// An end is what a run, or several, came to.
type end struct {
	Values map[string]string
	Phases map[string]Phase
	Proof  string // what others have done may stand against it
	story  string
}

// play applies the plan of the trial and rolls it back, with everything that goes
// wrong or without, each again and again until nothing goes wrong any more.
func (tr trial) play(t *testing.T, disturbed bool) (applied, undone end, err error) {
	w := world{records: people(len(tr.ids))}
	p := plan(t, time.Now(), tr.ops...)
	vals := w.values()
	of := func(i int) slot { return slot{user(fmt.Sprint(i + 1)), "externalId"} }
	for i, id := range tr.ids {
		vals[of(i)] = id
	}
	for i, id := range tr.strange {
		vals[of(i)] = id
	}
	m := newMemory(vals).expect(tr.ops)
	if disturbed {
		m.lag = tr.lag
	}
	fail := func() {
		for i, f := range tr.faults {
			m.faults[of(i)] = slices.Clone(f)
		}
	}
	d := &disk{m: m}
	fail()
	applied, err = tr.until(t, disturbed, tr.crashes, w, m, d, func(fresh *audit.Snapshot, past *Story) (*Work, error) {
		return Check(p, fresh, past, Options{Now: p.Created})
	}, Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: org, Databricks: account})
	if err != nil {
		return
	}
	m.ops = map[slot]audit.Operation{}
	for _, op := range tr.ops {
		op.From, op.To = op.To, op.From
		m.ops[at(op)] = op
	}
	fail()
	undone, err = tr.until(t, disturbed, tr.undoCrashes, w, m, d, func(fresh *audit.Snapshot, past *Story) (*Work, error) {
		return CheckUndo(past, fresh, Options{Now: p.Created})
	}, Header{})
	return
}

type check func(*audit.Snapshot, *Story) (*Work, error)

// until runs until nothing goes wrong any more.
func (tr trial) until(t *testing.T, disturbed bool, crashes []crash, w world, m *memory, d *disk, check check, h Header) (end, error) {
	if disturbed { // each run uses up a fault at least, or a crash
		crashes = append(slices.Clone(crashes), make([]crash, 4*len(tr.ids)+2)...)
	} else {
		crashes = make([]crash, 1)
		m.faults = map[slot][]fault{}
	}
	last := maps.Clone(m.vals)
	var rep *Report
	var err error
	for i, c := range crashes {
		listed := m.vals
		if disturbed && tr.oldLists && i < len(crashes)-1 {
			listed = last // lists show what was before the last run
		}
		listed, last = maps.Clone(listed), maps.Clone(m.vals)
		m.crashed, m.calls, m.crashAt = false, 0, c.call
		d.crashAt = 0
		if c.write > 0 {
			d.crashAt = d.writes + c.write
		}
		rep, err = once(t, w, m, d, listed, check, h)
		if m.bad != nil {
			return end{}, fmt.Errorf("%s", strings.Join(m.bad, "; "))
		}
		time.Sleep(2 * time.Minute) // a directory that was blind sees again
	}
	if err != nil && !errors.Is(err, errUnproven) {
		return end{}, fmt.Errorf("undisturbed in the end, and yet: %w", err)
	}
	story, err := ReadStory(strings.NewReader(d.String()))
	if err != nil {
		return end{}, err
	}
	e := end{map[string]string{}, map[string]Phase{}, fmt.Sprint(rep.Proof), phases(story)}
	for s, v := range m.vals {
		e.Values[s.target.String()+" "+s.field] = v
	}
	for op, entry := range story.last() {
		e.Phases[op] = entry.Phase
	}
	for _, row := range rep.Rows {
		if row.Phase != e.Phases[row.ID] {
			return end{}, fmt.Errorf("%s is %s in the report and %s in the journal", row.ID, row.Phase, e.Phases[row.ID])
		}
	}
	return e, nil
}

var errRefused = errors.New("refused")

func once(t *testing.T, w world, m *memory, d *disk, listed map[slot]string, check check, h Header) (*Report, error) {
	j := d.journal(t, h)
	if j == nil {
		return nil, errCrash
	}
	before := w.snapshot(t, listed)
	r := Runner{Directory: m, Journal: j, Fresh: func(context.Context) (*audit.Snapshot, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.crashed {
			return nil, errCrash
		}
		return w.snapshot(t, m.vals), nil
	}}
	if err := r.Settle(t.Context(), before); err != nil {
		return nil, err
	}
	work, err := check(before, j.Story())
	if err != nil {
		return nil, errors.Join(errRefused, err)
	}
	return r.Run(t.Context(), work)
}

// Whatever goes wrong: nothing is written twice without a read that proves it did
// not take effect, nothing is overwritten that the plan does not expect, no id is
// given to two, and in the end all is as if nothing had gone wrong.
func TestWhateverGoesWrong(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tr := drawTrial(rt)
		var want, got [2]end
		var clean, err error
		synctest.Test(t, func(t *testing.T) {
			if want[0], want[1], clean = tr.play(t, false); clean == nil {
				got[0], got[1], err = tr.play(t, true)
			}
		})
		switch {
		case errors.Is(clean, errRefused): // a cycle
		case clean != nil:
			rt.Fatalf("undisturbed: %v", clean)
		case err != nil:
			rt.Fatalf("disturbed: %v", err)
		default:
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(end{})); diff != "" {
				rt.Fatalf("not as undisturbed:\n%s\n%s", diff, got[1].story)
			}
		}
	})
}
