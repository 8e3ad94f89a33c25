package history

import (
	"context"
	"database/sql"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// An Apply is a run that wrote to Databricks.
type Apply struct {
	Org        string
	Account    string
	Now        time.Time
	Version    string
	Kind       string // apply or rollback
	Plan       string // digest
	Journal    string
	Settled    bool // everything was carried out
	Operations []Operation
	Decisions  []Decision
}

// An Operation is what became of an operation of a plan.
type Operation struct {
	audit.Operation
	Phase string
}

// A Decision is what somebody had decided.
type Decision struct {
	Item     string // id of an operation or finding
	Decision string
	Place    string // file and row
	Unused   string // why it was not used; blank if it was
}

var (
	operationsInto = into{head: "INSERT INTO aimcheck_operations (apply, id, action, target, field, phase) VALUES ", columns: 6}
	becauseInto    = into{head: "INSERT INTO aimcheck_because (apply, operation, finding) VALUES ", columns: 3}
	decisionsInto  = into{head: "INSERT INTO aimcheck_decisions (apply, n, item, decision, place, unused) VALUES ", columns: 6}
)

// RecordApply adds what was written to the history. It is kept for as long as the
// history is: it is evidence.
func (s *Store) RecordApply(ctx context.Context, a Apply) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return s.recordApply(ctx, tx, a) })
	if err != nil {
		return s.place.failed("write to", err)
	}
	return nil
}

func (s *Store) recordApply(ctx context.Context, tx *sql.Tx, a Apply) error {
	var id int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM aimcheck_applies").Scan(&id); err != nil {
		return err
	}
	settled := 0
	if a.Settled {
		settled = 1
	}
	if _, err := tx.ExecContext(ctx, s.q("INSERT INTO aimcheck_applies (id, org, account, at, version, kind, plan, journal, settled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		id, clean(a.Org), clean(a.Account), text(a.Now), clean(a.Version), a.Kind, a.Plan, clean(a.Journal), settled); err != nil {
		return err
	}
	if err := s.insert(ctx, tx, operationsInto, len(a.Operations), func(i int) []any {
		op := a.Operations[i]
		return []any{id, op.ID, string(op.Action), clean(op.Target.String()), op.Field, op.Phase}
	}); err != nil {
		return err
	}
	type because struct{ operation, finding string }
	var all []because
	for _, op := range a.Operations {
		for _, f := range op.Because {
			all = append(all, because{op.ID, f})
		}
	}
	if err := s.insert(ctx, tx, becauseInto, len(all), func(i int) []any { return []any{id, all[i].operation, all[i].finding} }); err != nil {
		return err
	}
	return s.insert(ctx, tx, decisionsInto, len(a.Decisions), func(i int) []any {
		d := a.Decisions[i]
		return []any{id, i, clean(d.Item), clean(d.Decision), clean(d.Place), clean(d.Unused)}
	})
}

// A Deed is something that was done about a finding, or decided.
type Deed struct {
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"` // apply, rollback or decision
	Item  string    `json:"item"` // id of the operation, or the decision
	What  string    `json:"what"` // action and target, or where it was decided
	Phase string    `json:"phase,omitempty"`
}

// deeds lists what was done about the finding in the tenants, oldest first.
func (s *Store) deeds(ctx context.Context, org, account, finding string) ([]Deed, error) {
	found, err := s.db.QueryContext(ctx, s.q("SELECT a.at, 'decision', d.decision, d.place, CASE WHEN d.unused = '' THEN '' ELSE 'not used: ' || d.unused END, a.id, d.n"+
		" FROM aimcheck_decisions d JOIN aimcheck_applies a ON a.id = d.apply WHERE a.org = ? AND a.account = ? AND (d.item = ? OR d.item IN"+
		" (SELECT b.operation FROM aimcheck_because b WHERE b.apply = d.apply AND b.finding = ?))"+
		" UNION ALL SELECT a.at, a.kind, o.id, o.action || ' ' || o.target, o.phase, a.id, 1000000000"+
		" FROM aimcheck_because b JOIN aimcheck_operations o ON o.apply = b.apply AND o.id = b.operation JOIN aimcheck_applies a ON a.id = b.apply"+
		" WHERE a.org = ? AND a.account = ? AND b.finding = ?"+
		// What is undone was done because of something: the plan says of what.
		" UNION SELECT u.at, u.kind, o.id, o.action || ' ' || o.target, o.phase, u.id, 1000000000"+
		" FROM aimcheck_because b JOIN aimcheck_applies a ON a.id = b.apply JOIN aimcheck_applies u ON u.plan = a.plan AND u.id > a.id AND u.kind = 'rollback'"+
		" AND u.org = a.org AND u.account = a.account JOIN aimcheck_operations o ON o.apply = u.id AND o.id = 'undo-' || b.operation"+
		" WHERE a.org = ? AND a.account = ? AND b.finding = ? ORDER BY 6, 7, 3"), org, account, finding, finding, org, account, finding, org, account, finding)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	deeds := []Deed{}
	for found.Next() {
		var d Deed
		var at string
		var apply, n int64
		if err := found.Scan(&at, &d.Kind, &d.Item, &d.What, &d.Phase, &apply, &n); err != nil {
			return nil, err
		}
		if d.Time, err = moment(at); err != nil {
			return nil, err
		}
		deeds = append(deeds, d)
	}
	return deeds, found.Err()
}
