package history

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

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
	found, err := tx.QueryContext(ctx, s.q("SELECT e.finding, e.what, f.state, f.waived, f.rule, f.severity, f.message FROM aimcheck_events e"+
		" JOIN aimcheck_runs r ON r.id = e.run JOIN aimcheck_findings f ON f.stream = r.stream AND f.id = e.finding"+
		" WHERE r.stream = ? AND e.run > ? AND e.what IN ('new', 'reopened', 'resolved', 'worse', 'unwaived') ORDER BY e.finding, e.run, e.what"), stream, told)
	if err != nil {
		return n, err
	}
	defer found.Close()
	seen := "" // the finding whose first event was taken
	for found.Next() {
		var c Change
		var state, waived, severity string
		if err := found.Scan(&c.Finding, &c.What, &state, &waived, &c.Rule, &severity, &c.Message); err != nil {
			return n, err
		}
		if c.Finding == seen {
			continue
		}
		seen = c.Finding
		if c.Severity, err = audit.ParseSeverity(severity); err != nil {
			return n, err
		}
		open := state == string(audit.Open)
		came := c.What == eventNew || c.What == eventReopened
		switch {
		case open && (waived != "" || c.What == eventResolved), !open && came:
			continue // taken on by somebody; or gone and back, or come and gone, in between
		case !open:
			c.What = eventResolved
		}
		n.Changes = append(n.Changes, c)
	}
	slices.SortStableFunc(n.Changes, func(a, b Change) int { return cmp.Compare(b.Severity, a.Severity) })
	return n, found.Err()
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
