package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

const (
	org     = "https://example.okta.com"
	account = "acc-1"
)

var errCrash = errors.New("crashed")

// A fault is what goes wrong with one write.
type fault int

const (
	fine       fault = iota
	refuse           // a refusal for certain
	busyOnce         // refused for the moment
	lostBefore       // no answer, no effect
	lostAfter        // no answer, in effect
	deaf             // a success without effect
	errorAfter       // an error that says it was refused, in effect all the same
	stranger         // somebody else writes before the read-back
	blind            // no answer, and nothing can be read for a long while
	crashBefore
	crashAfter
	lastFault
)

type refusal struct{ again bool }

func (r refusal) Error() string { return "refused" }
func (r refusal) Refused() bool { return true }
func (r refusal) Again() bool   { return r.again }

// memory is a directory in memory with faults.
type memory struct {
	mu     sync.Mutex
	vals   map[slot]string
	faults map[slot][]fault // of the next writes to a slot
	unread map[slot]int     // how many reads of a slot fail
	lag    int              // how many reads show the value before a write
	old    map[slot]lagging
	blind  time.Time

	names  map[audit.Subject]string // of those that a plan names
	during func()                   // called while a write is under way; may be nil

	calls, crashAt int // crashed from the crashAt-th call on, if not 0
	crashed        bool

	sets   []string // in effect
	bad    []string // what must never happen
	proven map[slot]bool
	ops    map[slot]audit.Operation
}

type lagging struct {
	value string
	reads int
}

func newMemory(vals map[slot]string) *memory {
	return &memory{vals: maps.Clone(vals), faults: map[slot][]fault{}, unread: map[slot]int{}, old: map[slot]lagging{}, proven: map[slot]bool{}, ops: map[slot]audit.Operation{}}
}

// expect makes the directory complain of writes that the operations don't allow.
func (m *memory) expect(ops []audit.Operation) *memory {
	for _, op := range ops {
		m.ops[at(op)] = op
	}
	return m
}

func (m *memory) call() error {
	m.calls++
	if m.crashed || m.crashAt > 0 && m.calls >= m.crashAt {
		m.crashed = true
		return errCrash
	}
	return nil
}

func (m *memory) Read(_ context.Context, target audit.Subject, field string) (Live, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call(); err != nil {
		return Live{}, false, err
	}
	live := Live{Name: m.names[target], ExternalID: m.vals[slot{target, "externalId"}]}
	at := slot{target, field}
	if m.unread[at] > 0 {
		m.unread[at]--
		return Live{}, false, errors.New("502")
	}
	if time.Now().Before(m.blind) {
		return Live{}, false, errors.New("401")
	}
	var ok bool
	live.Value, ok = m.vals[at]
	if l := m.old[at]; l.reads > 0 {
		l.reads--
		m.old[at] = l
		live.Value = l.value
		return live, true, nil
	}
	m.proven[at] = true
	return live, ok, nil
}

func (m *memory) Set(ctx context.Context, target audit.Subject, field, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call(); err != nil {
		return err
	}
	if m.during != nil {
		m.during()
	}
	if ctx.Err() != nil {
		m.bad = append(m.bad, "a write can be cancelled")
	}
	at := slot{target, field}
	if !m.proven[at] {
		m.bad = append(m.bad, fmt.Sprintf("%v written without a read before", at))
	}
	m.proven[at] = false
	if op, ok := m.ops[at]; ok && (m.vals[at] != op.From || value != op.To) {
		m.bad = append(m.bad, fmt.Sprintf("%v overwrites %q with %q", at, m.vals[at], value))
	}
	var f fault
	if fs := m.faults[at]; len(fs) > 0 {
		f, m.faults[at] = fs[0], fs[1:]
	}
	effect := func() {
		if m.lag > 0 {
			m.old[at] = lagging{m.vals[at], m.lag}
		}
		m.vals[at] = value
		m.sets = append(m.sets, fmt.Sprintf("%s=%s", target.ID, value))
		if field == "externalId" && value != "" {
			for other, v := range m.vals {
				if other != at && other.field == field && v == value {
					m.bad = append(m.bad, fmt.Sprintf("%s is held by %s and %s", v, other.target, target))
				}
			}
		}
	}
	switch f {
	case fine:
		effect()
	case refuse:
		return refusal{}
	case busyOnce:
		return refusal{true}
	case lostBefore:
		return errors.New("connection reset")
	case lostAfter:
		effect()
		return errors.New("connection reset")
	case errorAfter:
		effect()
		return refusal{}
	case stranger:
		effect()
		m.vals[at] = "stranger"
	case blind:
		effect()
		m.blind = time.Now().Add(time.Minute)
		return errors.New("401")
	case crashBefore:
		m.crashed = true
		return errCrash
	case crashAfter:
		effect()
		m.crashed = true
		return errCrash
	}
	return nil
}

// disk is a journal file that keeps what was written, and may fill up.
type disk struct {
	bytes.Buffer
	m               *memory
	writes, synced  int
	fullAt, crashAt int // full from the fullAt-th write on, crashed at the crashAt-th; half of it is written
}

func (d *disk) Write(b []byte) (int, error) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.m.crashed {
		return 0, errCrash
	}
	if d.writes++; d.fullAt > 0 && d.writes >= d.fullAt {
		n, _ := d.Buffer.Write(b[:len(b)/2])
		return n, errors.New("no space left on device")
	}
	if d.writes == d.crashAt {
		d.m.crashed = true
		n, _ := d.Buffer.Write(b[:len(b)/2])
		return n, errCrash
	}
	return d.Buffer.Write(b)
}
func (d *disk) Sync() error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.synced = d.Len()
	return nil
}

func (d *disk) Close() error { return nil }

// journal carries on with the text of a journal, as [OpenJournal] does with a
// file; it is nil where that crashes.
func (d *disk) journal(t testing.TB, h Header) *Journal {
	t.Helper()
	story, whole, err := parse(d.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, d.Bytes())
	}
	d.Truncate(whole)
	j, err := newJournal(d, story, &h, time.Now)
	if errors.Is(err, errCrash) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A world is an Okta org and a Databricks account, as a test sets it up.
type world struct {
	records []any
	caller  string
	without []audit.Input // not complete
	org     string
}

// snapshot lists the world with the values of the directory in it.
func (w world) snapshot(t testing.TB, vals map[slot]string) *audit.Snapshot {
	t.Helper()
	var b audit.Builder
	b.Okta.Tenant, b.Databricks.Tenant, b.Databricks.Caller = org, account, w.caller
	if w.org != "" {
		b.Okta.Tenant = w.org
	}
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: !slices.Contains(w.without, in)})
	}
	for _, r := range w.records {
		s := subjectOf(r)
		if v, ok := vals[slot{s, "externalId"}]; vals != nil && s.Kind <= audit.DatabricksUserKind {
			if !ok {
				continue // gone
			}
			switch x := r.(type) {
			case audit.DatabricksUser:
				x.ExternalID, x.GivenName, x.FamilyName = v, vals[slot{s, "name.givenName"}], vals[slot{s, "name.familyName"}]
				x.Active = vals[slot{s, "active"}] == "true"
				r = x
			case audit.DatabricksGroup:
				x.ExternalID = v
				r = x
			case audit.DatabricksServicePrincipal:
				x.ExternalID = v
				r = x
			}
		}
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func subjectOf(r any) audit.Subject {
	switch x := r.(type) {
	case audit.DatabricksUser:
		return audit.Subject{Kind: audit.DatabricksUserKind, ID: x.ID}
	case audit.DatabricksGroup:
		return audit.Subject{Kind: audit.DatabricksGroupKind, ID: x.ID}
	case audit.DatabricksServicePrincipal:
		return audit.Subject{Kind: audit.DatabricksServicePrincipalKind, ID: x.ID}
	}
	return audit.Subject{Kind: audit.OktaUserKind}
}

// values is what the directory of the world holds.
func (w world) values() map[slot]string {
	vals := map[slot]string{}
	for _, r := range w.records {
		s := subjectOf(r)
		switch x := r.(type) {
		case audit.DatabricksUser:
			vals[slot{s, "externalId"}], vals[slot{s, "active"}] = x.ExternalID, strconv.FormatBool(x.Active)
			vals[slot{s, "name.givenName"}], vals[slot{s, "name.familyName"}] = x.GivenName, x.FamilyName
		case audit.DatabricksGroup:
			vals[slot{s, "externalId"}] = x.ExternalID
		case audit.DatabricksServicePrincipal:
			vals[slot{s, "externalId"}] = x.ExternalID
		}
	}
	return vals
}

// people returns n pairs of an Okta user, "00u1" and so on, and a Databricks
// user, "1" and so on, whose externalId is blank.
func people(n int) (records []any) {
	for i := 1; i <= n; i++ {
		records = append(records,
			audit.OktaUser{ID: fmt.Sprintf("00u%d", i), Status: "ACTIVE", Login: fmt.Sprintf("p%d@example.com", i)},
			audit.DatabricksUser{ID: strconv.Itoa(i), UserName: fmt.Sprintf("p%d@example.com", i), Active: true})
	}
	return records
}

func user(id string) audit.Subject  { return audit.Subject{Kind: audit.DatabricksUserKind, ID: id} }
func group(id string) audit.Subject { return audit.Subject{Kind: audit.DatabricksGroupKind, ID: id} }

// link is an operation that sets an externalId.
func link(target audit.Subject, from, to string) audit.Operation {
	return audit.Operation{Action: audit.SetExternalID, Target: target, Field: "externalId", From: from, To: to}
}

// plan seals approved operations.
func plan(t testing.TB, now time.Time, ops ...audit.Operation) *audit.Plan {
	t.Helper()
	p := &audit.Plan{Schema: audit.PlanSchema, OktaOrg: org, Databricks: account}
	for i, op := range ops {
		if op.ID == "" {
			op.ID = fmt.Sprintf("op-%04d", i+1)
		}
		op.Decision = audit.Approve
		p.Operations = append(p.Operations, op)
	}
	if err := p.Seal(now, time.Hour); err != nil {
		t.Fatal(err)
	}
	return p
}

// links links the first n people.
func links(n int) (ops []audit.Operation) {
	for i := 1; i <= n; i++ {
		ops = append(ops, link(user(strconv.Itoa(i)), "", fmt.Sprintf("00u%d", i)))
	}
	return ops
}

// phases tells a story, one operation after another: "op-0001 intent done".
func phases(s *Story) string {
	by := map[string][]string{}
	for _, e := range s.Entries {
		by[e.Op] = append(by[e.Op], string(e.Phase))
	}
	var lines []string
	for _, op := range slices.Sorted(maps.Keys(by)) {
		lines = append(lines, op+" "+strings.Join(by[op], " "))
	}
	return strings.Join(lines, "\n")
}
