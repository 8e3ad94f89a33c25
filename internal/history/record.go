package history

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// A Run says what a report is about, and how it is kept.
type Run struct {
	Org      string    // the Okta tenant
	Account  string    // the Databricks one
	Snapshot string    // digest
	Began    time.Time // to read the directories; zero: not known
	Read     time.Time
	Now      time.Time
	Old      bool // the directories were read before, into a file
	Alerts   bool // somebody is to be told what is new
	Keep     int  // runs to keep of the tenants with these settings; 0: all
}

// A Recorded is what recording a run brought to light.
type Recorded struct {
	Run  int64
	Mind []string // what the user must know, such as that the clock went back
	News News
}

// ErrOlder is the error of a snapshot that is older than the last one recorded:
// nothing is known from it about what came after.
var ErrOlder = errors.New("the snapshot was read before the last one in the history")

// trend is how many earlier runs a report shows.
const trend = 60

// Record adds a run to the history, and to the report what the history knows: of
// each finding its state and when it was first seen, earlier runs, and what is
// resolved. Where it fails, history and report are as they were.
//
// A finding is resolved when it was looked for and is not there. What a skipped
// check would have seen stays as it was.
func (s *Store) Record(ctx context.Context, r *audit.Report, run Run) (*Recorded, error) {
	run.Now = run.Now.Truncate(time.Microsecond) // as it is kept: the day that a finding was first seen stays the same
	rec := &recording{store: s, report: r, run: run, out: &Recorded{}}
	var err error
	if rec.settings, rec.stream, err = stream(run, r.Settings); err != nil {
		return nil, err
	}
	if err := s.write(ctx, func(tx *sql.Tx) error { return rec.record(ctx, tx) }); err != nil {
		if errors.Is(err, ErrOlder) {
			return nil, err
		}
		return nil, s.place.failed("write to", err)
	}
	rec.stamp()
	return rec.out, nil
}

// stream returns the settings that change what is found, and the digest of what
// runs must have in common to be compared.
func stream(run Run, set audit.Settings) (settings, digest string, err error) {
	set.Include, set.Exclude = nil, nil // these change the plan alone
	text, err := json.Marshal(set)
	sum := sha256.Sum256([]byte(run.Org + "\x00" + run.Account + "\x00" + string(text)))
	return string(text), hex.EncodeToString(sum[:8]), err
}

// A recording is a run on its way into the history.
type recording struct {
	store    *Store
	report   *audit.Report
	run      Run
	settings string
	stream   string

	last   *past // the run before; nil: none
	beside bool  // it was recorded while this one was reading
	known  map[string]*row
	write  []row // those that are not as they were
	events []event
	firsts []time.Time // when each finding of the report was first seen
	states []audit.State
	gone   []audit.Gone
	past   []audit.PastRun
	out    *Recorded
}

// A past is what matters of the last run.
type past struct {
	id       int64
	at, read time.Time
	snapshot string // digest
}

// A row is a finding as the history holds it.
type row struct {
	id, rule, key, message, subjects, remedy, waived string
	severity                                         audit.Severity
	open                                             bool
	first, last                                      time.Time
	lastRun, changed                                 int64

	seen bool // in this run
}

type event struct{ finding, what, note string }

// What can happen to a finding.
const (
	eventNew      = string(audit.New)
	eventReopened = string(audit.Reopened)
	eventResolved = string(audit.Resolved)
	eventWorse    = "worse" // of graver severity than before
	eventBetter   = "better"
	eventWaived   = "waived"
	eventUnwaived = "unwaived"
)

func (rec *recording) record(ctx context.Context, tx *sql.Tx) error {
	if err := rec.lookBack(ctx, tx); err != nil {
		return err
	}
	for _, f := range rec.report.Findings.All() {
		rec.see(f)
	}
	rec.miss()
	if err := rec.insertRun(ctx, tx); err != nil {
		return err
	}
	// Most of what is open is as it was, and seen again: one statement says so of
	// all, and those of which it is not true are written after it.
	if _, err := tx.ExecContext(ctx, rec.store.q("UPDATE aimcheck_findings SET last_seen = ?, last_run = ? WHERE stream = ? AND state = 'open'"),
		text(rec.run.Now), rec.out.Run, rec.stream); err != nil {
		return err
	}
	if err := rec.store.insert(ctx, tx, findingsInto, len(rec.write), func(i int) []any { return rec.write[i].values(rec.stream) }); err != nil {
		return err
	}
	if err := rec.store.insert(ctx, tx, eventsInto, len(rec.events), func(i int) []any {
		e := rec.events[i]
		return []any{rec.out.Run, e.finding, e.what, e.note}
	}); err != nil {
		return err
	}
	var err error
	if rec.out.News, err = rec.store.news(ctx, tx, rec.stream, rec.out.Run); err != nil {
		return err
	}
	return rec.prune(ctx, tx)
}

// lookBack reads what the history knows of the tenants.
func (rec *recording) lookBack(ctx context.Context, tx *sql.Tx) (err error) {
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM aimcheck_runs").Scan(&rec.out.Run); err != nil {
		return err
	}
	if rec.past, err = rec.store.trend(ctx, tx, rec.stream); err != nil {
		return err
	}
	var last past
	var at, read string
	from := rec.stream
	switch err := tx.QueryRowContext(ctx, rec.store.q("SELECT id, at, read_at, snapshot FROM aimcheck_runs WHERE stream = ? ORDER BY id DESC LIMIT 1"), rec.stream).Scan(&last.id, &at, &read, &last.snapshot); {
	case errors.Is(err, sql.ErrNoRows):
		// With other settings before, what was seen then is not new now.
		err := tx.QueryRowContext(ctx, rec.store.q("SELECT stream FROM aimcheck_runs WHERE org = ? AND account = ? ORDER BY id DESC LIMIT 1"),
			clean(rec.run.Org), clean(rec.run.Account)).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		rec.mind("this is the first run of these tenants with these settings (sso-claim, unified-login, scim-token-owner, okta-app): only what was not open with others is new")
	case err != nil:
		return err
	default:
		if last.at, err = moment(at); err != nil {
			return err
		}
		if last.read, err = moment(read); err != nil {
			return err
		}
		rec.last = &last
		if err := rec.clock(); err != nil {
			return err
		}
	}
	rec.known, err = rec.store.rows(ctx, tx, from)
	if rec.last == nil {
		for id, known := range rec.known {
			if !known.open {
				delete(rec.known, id)
			}
		}
	}
	return err
}

// clock compares the clock with the last run. Runs follow one another as they
// are recorded, whatever the clock says.
func (rec *recording) clock() error {
	now, last := rec.run.Now, rec.last
	if rec.run.Old && rec.run.Read.Before(last.read) && !last.read.After(now) {
		return fmt.Errorf("%w: it is of %s, the last of %s", ErrOlder, show(rec.run.Read), show(last.read))
	}
	same := rec.run.Snapshot != "" && rec.run.Snapshot == last.snapshot
	if rec.beside = !same && !rec.run.Began.IsZero() && rec.run.Began.Before(last.read) && !last.read.After(now); rec.beside {
		rec.mind("this run began to read at %s, before the last one in the history had ended, %s: what it does not find may have come since, and is not taken for resolved",
			show(rec.run.Began), show(last.read))
	}
	if now.Before(last.at) {
		rec.mind("the clock says %s, which is before the run before this one, %s: check the clock; the runs are kept in the order in which they came", show(now), show(last.at))
	}
	return nil
}

func (rec *recording) mind(format string, args ...any) {
	rec.out.Mind = append(rec.out.Mind, fmt.Sprintf(format, args...))
}

// see works a finding of the report in.
func (rec *recording) see(f *audit.Finding) {
	now, run := rec.run.Now, rec.out.Run
	r := row{
		id: f.ID, rule: f.Rule, key: clean(f.Key), message: clean(f.Message), subjects: subjects(f.Subjects), remedy: string(f.Remedy),
		waived: waived(f), severity: f.Severity, open: true, first: now, last: now, lastRun: run, changed: run,
	}
	state := audit.Open
	before := rec.known[f.ID]
	switch {
	case before == nil:
		state = audit.New
		rec.happened(f.ID, eventNew, f.Severity.String())
	case !before.open:
		state = audit.Reopened
		rec.happened(f.ID, eventReopened, f.Severity.String())
	case rec.last != nil:
		r.changed = before.changed
	}
	if before != nil {
		if before.first.Before(now) { // after a clock that was ahead, it was seen now at the latest
			r.first = before.first
		}
		if before.open && f.Severity < before.severity && rec.unsure(f) {
			r.severity = before.severity // what was not read may be what makes it grave
			if before.waived == "" {
				r.waived = "" // nor is it known that a waiver covers it as it is
			}
		} else if before.open && before.severity != f.Severity {
			what := eventWorse
			if f.Severity < before.severity {
				what = eventBetter
			}
			rec.happened(f.ID, what, before.severity.String()+" to "+f.Severity.String())
		}
	}
	switch wasWaived := before != nil && before.waived != ""; {
	case r.waived != "" && !wasWaived:
		rec.happened(f.ID, eventWaived, r.waived)
	case r.waived == "" && wasWaived:
		rec.happened(f.ID, eventUnwaived, before.waived)
	}
	rec.firsts = append(rec.firsts, r.first)
	rec.states = append(rec.states, state)
	if before != nil {
		before.seen = true
		same := *before
		same.last, same.lastRun, same.seen = r.last, r.lastRun, false
		if rec.last != nil && same == r {
			return
		}
	}
	rec.write = append(rec.write, r)
}

// skipped reports whether a check that was not run would have seen the finding.
func (rec *recording) skipped(f *audit.Finding) bool {
	return slices.ContainsFunc(rec.report.Skipped, func(s audit.Skip) bool { return s.Covers(f) })
}

// unsure reports whether the finding might be graver, had everything been read.
func (rec *recording) unsure(f *audit.Finding) bool {
	return rec.report.Verdict == audit.Incomplete || rec.skipped(f)
}

// miss resolves the findings that were open, were looked for, and are not there.
// What was open with other settings is theirs to resolve; what of it was not looked
// for may be there with these too.
func (rec *recording) miss() {
	asked := map[string]bool{}
	for _, rule := range rec.report.Rules {
		asked[rule.Name] = true
	}
	for _, r := range rec.known {
		if !r.open || r.seen {
			continue
		}
		if rec.beside || !asked[r.rule] || rec.skipped(&audit.Finding{Rule: r.rule, Key: r.key}) {
			rec.write = append(rec.write, *r) // as it was
			continue
		}
		if rec.last == nil {
			continue
		}
		r.open, r.changed = false, rec.out.Run
		rec.write = append(rec.write, *r)
		rec.happened(r.id, eventResolved, r.severity.String())
		rec.gone = append(rec.gone, audit.Gone{ID: r.id, Rule: r.rule, Severity: r.severity, Key: r.key, Message: r.message,
			FirstSeen: r.first, LastSeen: r.last})
	}
	slices.SortFunc(rec.gone, func(a, b audit.Gone) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
	})
}

func (rec *recording) happened(finding, what, note string) {
	rec.events = append(rec.events, event{finding, what, note})
}

// stamp tells the report. Nothing of it can fail.
func (rec *recording) stamp() {
	for i, first := range rec.firsts {
		rec.report.Findings.Stamp(i, first, rec.run.Now, rec.states[i])
	}
	rec.report.Trend = append([]audit.PastRun{}, rec.past...)
	rec.report.Resolved = append([]audit.Gone{}, rec.gone...)
}

func (rec *recording) count(what string) (n int) {
	for _, e := range rec.events {
		if e.what == what {
			n++
		}
	}
	return n
}

func (rec *recording) insertRun(ctx context.Context, tx *sql.Tx) error {
	skipped, err := json.Marshal(rec.report.Skipped)
	if err != nil {
		return err
	}
	nWaived := 0
	for _, head := range rec.report.Findings.Heads() {
		if head.Waived {
			nWaived++
		}
	}
	alert := alertNone
	if rec.run.Alerts {
		alert = alertPending
	}
	c := rec.report.Counts
	_, err = tx.ExecContext(ctx, rec.store.q("INSERT INTO aimcheck_runs (id, stream, org, account, settings, at, read_at, version, snapshot, verdict,"+
		" blockers, errors, warnings, infos, waived, news, reopened, resolved, skipped, alert) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		rec.out.Run, rec.stream, clean(rec.run.Org), clean(rec.run.Account), clean(rec.settings), text(rec.run.Now), text(rec.run.Read),
		clean(rec.report.Version), rec.run.Snapshot, string(rec.report.Verdict),
		c[audit.Blocker], c[audit.Error], c[audit.Warning], c[audit.Info], nWaived,
		rec.count(eventNew), rec.count(eventReopened), rec.count(eventResolved), clean(string(skipped)), alert)
	return err
}

// prune lets go of all but the newest runs of the stream, and of the findings
// that were resolved before these. What is open stays, and so do the runs that
// somebody is still to be told of, from the last that was told on.
func (rec *recording) prune(ctx context.Context, tx *sql.Tx) error {
	if rec.run.Keep <= 0 {
		return nil
	}
	var oldest int64
	err := tx.QueryRowContext(ctx, rec.store.q("SELECT id FROM aimcheck_runs WHERE stream = ? ORDER BY id DESC LIMIT 1 OFFSET ?"), rec.stream, rec.run.Keep-1).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if rec.run.Alerts { // this alert may not be delivered: the next one tells it too
		oldest = min(oldest, rec.out.News.from)
	}
	for _, query := range []string{
		"DELETE FROM aimcheck_findings WHERE stream = ? AND state = 'resolved' AND changed < ?",
		"DELETE FROM aimcheck_runs WHERE stream = ? AND id < ?", // and their events
	} {
		if err == nil {
			_, err = tx.ExecContext(ctx, rec.store.q(query), rec.stream, oldest)
		}
	}
	return err
}

func waived(f *audit.Finding) string {
	if !f.Waived {
		return ""
	}
	by, err := json.Marshal(f.Waiver)
	if err != nil {
		return "{}" // can't be: it is three texts
	}
	return clean(string(by))
}

func subjects(all []audit.Subject) string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = s.String()
	}
	return clean(strings.Join(texts, " "))
}

// clean returns the text as both databases can hold it: UTF-8 without NUL.
func clean(text string) string {
	if strings.IndexByte(text, 0) < 0 && utf8.ValidString(text) {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\u2400")
}

const layout = "2006-01-02T15:04:05.000000Z"

func text(t time.Time) string { return t.UTC().Format(layout) }

func moment(text string) (time.Time, error) { return time.Parse(layout, text) }

func show(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
