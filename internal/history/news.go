package history

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// Whether somebody was told what a run found.
const (
	alertNone    = "none"    // nobody wanted to be
	alertPending = "pending" // not yet: the next run tells it too
	alertDone    = "done"
)

// News is what happened since somebody was last told.
type News struct {
	Before  audit.Verdict // of the run that was told last; blank: none was
	Changes []Change      // one for a finding, gravest first

	from int64 // the run that was told last
}

// A Change is something that somebody should know of a finding: that it is new,
// reopened, worse or no longer waived, or that it is resolved.
type Change struct {
	Finding  string
	Rule     string
	Severity audit.Severity
	Message  string
	What     string
}

// news collects what happened since the last run that was told. Runs that nobody
// was to be told of are told with the next one, but for a first one.
func (s *Store) news(ctx context.Context, tx *sql.Tx, stream string, run int64) (News, error) {
	var n News
	var told int64
	switch err := tx.QueryRowContext(ctx, s.q("SELECT id, verdict FROM aimcheck_runs WHERE stream = ? AND id < ? AND alert = 'done' ORDER BY id DESC LIMIT 1"), stream, run).Scan(&told, &n.Before); {
	case errors.Is(err, sql.ErrNoRows):
		// Nobody was ever told: of what went before, only what could not be.
		err := tx.QueryRowContext(ctx, s.q("SELECT COALESCE(MIN(id), ?) - 1 FROM aimcheck_runs WHERE stream = ? AND alert = 'pending'"), run, stream).Scan(&told)
		if err != nil {
			return n, err
		}
		told = min(told, run-1)
	case err != nil:
		return n, err
	}
	n.from = told
	found, err := tx.QueryContext(ctx, s.q("SELECT e.finding, e.what, e.note, f.state, f.waived, f.rule, f.severity, f.message FROM aimcheck_events e"+
		" JOIN aimcheck_runs r ON r.id = e.run JOIN aimcheck_findings f ON f.stream = r.stream AND f.id = e.finding"+
		" WHERE r.stream = ? AND e.run > ? ORDER BY e.finding, e.run, e.what"), stream, told)
	if err != nil {
		return n, err
	}
	defer found.Close()
	var of then
	add := func() {
		if of.What = of.what(); of.What != "" {
			n.Changes = append(n.Changes, of.Change)
		}
	}
	for found.Next() {
		var c Change
		var what, note, state, waived, severity string
		if err := found.Scan(&c.Finding, &what, &note, &state, &waived, &c.Rule, &severity, &c.Message); err != nil {
			return n, err
		}
		if c.Severity, err = audit.ParseSeverity(severity); err != nil {
			return n, err
		}
		if c.Finding != of.Finding {
			add()
			of = then{Change: c, open: state == string(audit.Open), waived: waived != "", severity: c.Severity}
		}
		if err := of.happened(what, note); err != nil {
			return n, err
		}
	}
	add()
	slices.SortStableFunc(n.Changes, func(a, b Change) int { return cmp.Compare(b.Severity, a.Severity) })
	return n, found.Err()
}

// A then is a finding as it is, and as it was when somebody was last told: the
// first event of each kind since tells.
type then struct {
	Change
	open, waived bool // now

	came      string         // new, reopened or resolved; blank: neither came nor went
	wasWaived bool           // as the first such event says
	waiver    bool           // there was one
	severity  audit.Severity // as it was
	changed   bool           // the severity did
}

func (t *then) happened(what, note string) (err error) {
	switch what {
	case eventNew, eventReopened, eventResolved:
		t.came = cmp.Or(t.came, what)
		if what == eventResolved && !t.changed { // it may come back graver, or milder
			t.changed = true
			t.severity, err = audit.ParseSeverity(note)
		}
	case eventWaived, eventUnwaived:
		if !t.waiver {
			t.waiver, t.wasWaived = true, what == eventUnwaived
		}
	case eventWorse, eventBetter:
		if !t.changed {
			from, _, _ := strings.Cut(note, " ")
			t.changed = true
			t.severity, err = audit.ParseSeverity(from)
		}
	}
	return err
}

// what is the difference between then and now; blank if nobody needs to know.
func (t *then) what() string {
	there := t.came == "" || t.came == eventResolved // then
	switch {
	case t.Finding == "", t.open && t.waived:
		return "" // taken on by somebody
	case t.open && there && t.wasWaived:
		return eventUnwaived
	case t.open && there && t.Severity > t.severity:
		return eventWorse
	case t.open && there:
		return ""
	case t.open:
		return t.came
	case there:
		return eventResolved
	}
	return "" // come and gone in between
}

// Told notes that somebody was told of the run and of all before it.
func (s *Store) Told(ctx context.Context, run int64) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.q("UPDATE aimcheck_runs SET alert = 'done' WHERE id = ?"), run)
		return err
	})
	if err != nil {
		return s.place.failed("write to", err)
	}
	return nil
}
