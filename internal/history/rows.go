package history

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// q writes a query's ? as the database wants them.
func (s *Store) q(query string) string {
	if s.place.file != "" {
		return query
	}
	var b strings.Builder
	for n, part := range strings.Split(query, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
	}
	return b.String()
}

// An into is where rows go: a table and its columns, and what becomes of a row
// that is there.
type into struct {
	head    string
	columns int
	tail    string
}

var (
	findingsInto = into{
		head: "INSERT INTO aimcheck_findings (stream, id, rule, severity, key, message, subjects, remedy, waived, state, first_seen, last_seen, last_run, changed) VALUES ",
		tail: " ON CONFLICT (stream, id) DO UPDATE SET severity = excluded.severity, key = excluded.key, message = excluded.message, subjects = excluded.subjects," +
			" remedy = excluded.remedy, waived = excluded.waived, state = excluded.state, first_seen = excluded.first_seen, last_seen = excluded.last_seen," +
			" last_run = excluded.last_run, changed = excluded.changed",
		columns: 14,
	}
	eventsInto = into{head: "INSERT INTO aimcheck_events (run, finding, what, note) VALUES ", columns: 4}
)

// insert adds n rows, many at a time: a database may be far away.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, to into, n int, values func(int) []any) error {
	const batch = 500 // rows; SQLite takes 32,766 values
	marks := "(" + strings.Repeat("?, ", to.columns-1) + "?)"
	var stmt *sql.Stmt
	for start := 0; start < n; start += batch {
		size := min(batch, n-start)
		args := make([]any, 0, size*to.columns)
		for i := range size {
			args = append(args, values(start+i)...)
		}
		query := s.q(to.head + strings.Repeat(marks+", ", size-1) + marks + to.tail)
		if size < batch {
			if _, err := tx.ExecContext(ctx, query, args...); err != nil {
				return err
			}
			continue
		}
		if stmt == nil {
			var err error
			if stmt, err = tx.PrepareContext(ctx, query); err != nil {
				return err
			}
			defer stmt.Close()
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (r *row) values(stream string) []any {
	state := audit.Open
	if !r.open {
		state = audit.Resolved
	}
	return []any{stream, r.id, r.rule, r.severity.String(), r.key, r.message, r.subjects, r.remedy, r.waived, string(state),
		text(r.first), text(r.last), r.lastRun, r.changed}
}

// rows returns the findings of the stream by id.
func (s *Store) rows(ctx context.Context, q querier, stream string) (map[string]*row, error) {
	found, err := q.QueryContext(ctx, s.q("SELECT id, rule, severity, key, message, subjects, remedy, waived, state, first_seen, last_seen, last_run, changed"+
		" FROM aimcheck_findings WHERE stream = ?"), stream)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := map[string]*row{}
	for found.Next() {
		var r row
		var severity, state, first, last string
		if err := found.Scan(&r.id, &r.rule, &severity, &r.key, &r.message, &r.subjects, &r.remedy, &r.waived, &state, &first, &last, &r.lastRun, &r.changed); err != nil {
			return nil, err
		}
		r.open = state == string(audit.Open)
		if r.severity, err = audit.ParseSeverity(severity); err != nil {
			return nil, err
		}
		if r.first, err = moment(first); err != nil {
			return nil, err
		}
		if r.last, err = moment(last); err != nil {
			return nil, err
		}
		all[r.id] = &r
	}
	return all, found.Err()
}

// trend returns the last runs of the stream, oldest first.
func (s *Store) trend(ctx context.Context, q querier, stream string) ([]audit.PastRun, error) {
	runs, err := s.runs(ctx, q, "WHERE stream = ?", trend, stream)
	var past []audit.PastRun
	for _, r := range slices.Backward(runs) {
		past = append(past, r.PastRun)
	}
	return past, err
}

// runs returns runs, newest first; all of them where most is 0.
func (s *Store) runs(ctx context.Context, q querier, where string, most int, args ...any) ([]PastRun, error) {
	limit := ""
	if most > 0 {
		limit = fmt.Sprintf(" LIMIT %d", most)
	}
	found, err := q.QueryContext(ctx, s.q("SELECT id, org, account, settings, at, version, snapshot, verdict, blockers, errors, warnings, infos, waived, news, reopened, resolved, alert"+
		" FROM aimcheck_runs "+where+" ORDER BY id DESC"+limit), args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var runs []PastRun
	for found.Next() {
		var r PastRun
		var at, settings string
		var blockers, errs, warnings, infos int
		if err := found.Scan(&r.Run, &r.Org, &r.Account, &settings, &at, &r.Version, &r.Snapshot, &r.Verdict, &blockers, &errs, &warnings, &infos,
			&r.Waived, &r.New, &r.Reopened, &r.Resolved, &r.Alert); err != nil {
			return nil, err
		}
		if r.Time, err = moment(at); err != nil {
			return nil, err
		}
		r.Settings = []byte(settings)
		r.Counts = map[audit.Severity]int{audit.Blocker: blockers, audit.Error: errs, audit.Warning: warnings, audit.Info: infos}
		runs = append(runs, r)
	}
	return runs, found.Err()
}
