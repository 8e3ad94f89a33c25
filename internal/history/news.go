package history

import (
	"context"
	"database/sql"
	"errors"

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
	Before audit.Verdict // of the run that was told last; blank: none was

	New, Reopened, Worse, Unwaived map[string]bool // ids of findings that are open and not waived
	Resolved                       []string        // ids of findings that were open before and are resolved, in order
}

// news collects what happened since the last run that was told. Runs that nobody
// was to be told of are told with the next one, but for a first one.
func (s *Store) news(ctx context.Context, tx *sql.Tx, stream string, run int64) (News, error) {
	n := News{New: map[string]bool{}, Reopened: map[string]bool{}, Worse: map[string]bool{}, Unwaived: map[string]bool{}}
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
	found, err := tx.QueryContext(ctx, s.q("SELECT e.finding, e.what, f.state, f.waived FROM aimcheck_events e"+
		" JOIN aimcheck_runs r ON r.id = e.run JOIN aimcheck_findings f ON f.stream = r.stream AND f.id = e.finding"+
		" WHERE r.stream = ? AND e.run > ? AND e.what IN ('new', 'reopened', 'resolved', 'worse', 'unwaived') ORDER BY e.finding, e.run, e.what"), stream, told)
	if err != nil {
		return n, err
	}
	defer found.Close()
	seen := "" // the finding whose first event was taken
	for found.Next() {
		var id, what, state, waived string
		if err := found.Scan(&id, &what, &state, &waived); err != nil {
			return n, err
		}
		if id == seen {
			continue
		}
		seen = id
		open := state == string(audit.Open)
		switch {
		case open && waived != "", !open && what != eventResolved && what != eventWorse && what != eventUnwaived:
			// Taken on by somebody; or come and gone in between.
		case !open:
			n.Resolved = append(n.Resolved, id)
		case what == eventNew:
			n.New[id] = true
		case what == eventReopened:
			n.Reopened[id] = true
		case what == eventWorse:
			n.Worse[id] = true
		case what == eventUnwaived:
			n.Unwaived[id] = true
		}
	}
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
