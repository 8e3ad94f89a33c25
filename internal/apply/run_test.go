package apply

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// apply runs a plan as cmd does: read, settle, check, run.
func applyAll(ctx context.Context, t testing.TB, w world, p *audit.Plan, m *memory, d *disk, each func(Row), o Options) (*Report, error) {
	t.Helper()
	h := Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: org, Databricks: account}
	j := d.journal(t, h)
	return runWork(ctx, t, w, m, j, each, func(fresh *audit.Snapshot) (*Work, error) {
		o.Now = p.Created
		return Check(p, fresh, j.Story(), o)
	})
}

func runWork(ctx context.Context, t testing.TB, w world, m *memory, j *Journal, each func(Row), check func(*audit.Snapshot) (*Work, error)) (*Report, error) {
	t.Helper()
	fresh := func(context.Context) (*audit.Snapshot, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.crashed {
			return nil, errCrash
		}
		return w.snapshot(t, m.vals), nil
	}
	before, err := fresh(ctx)
	if err != nil {
		return nil, err
	}
	r := Runner{Directory: m, Journal: j, Fresh: fresh, Each: each}
	if err := r.Settle(ctx, before); err != nil {
		return nil, err
	}
	work, err := check(before)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, work)
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []fault
		lag    int
		unread int
		story  string
		value  string
		writes int
		err    error
	}{
		{name: "clean", story: "intent done", value: "00u1", writes: 1},
		{name: "reads lag", lag: 6, story: "intent done", value: "00u1", writes: 1},
		{name: "refused", faults: []fault{refuse}, story: "intent failed"},
		{name: "busy", faults: []fault{busyOnce}, story: "intent failed intent done", value: "00u1", writes: 1},
		{name: "busy for ever", faults: slices.Repeat([]fault{busyOnce}, attempts+1), story: strings.TrimSpace(strings.Repeat("intent failed ", attempts))},
		{name: "lost before", faults: []fault{lostBefore}, story: "intent failed"},
		{name: "lost after", faults: []fault{lostAfter}, story: "intent done", value: "00u1", writes: 1},
		{name: "lost after, reads lag", faults: []fault{lostAfter}, lag: 6, story: "intent done", value: "00u1", writes: 1},
		{name: "success without effect", faults: []fault{deaf}, story: "intent failed"},
		{name: "refused, in effect", faults: []fault{errorAfter}, story: "intent done", value: "00u1", writes: 1},
		{name: "overwritten by a stranger", faults: []fault{stranger}, story: "intent failed", value: "stranger", writes: 1},
		{name: "token expired", faults: []fault{blind}, story: "intent unknown", value: "00u1", writes: 1, err: ErrUnknown},
		{name: "unreadable", unread: 1, story: "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := world{records: people(2)}
				ops := links(1)
				p := plan(t, time.Now(), ops...)
				m := newMemory(w.values()).expect(ops)
				of := at(ops[0])
				m.faults[of], m.lag, m.unread[of] = tt.faults, tt.lag, tt.unread
				d := &disk{m: m}
				rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
				if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				story, _ := ReadStory(&d.Buffer)
				if got := phases(story); got != "op-0001 "+tt.story {
					t.Errorf("story %q, want %q", got, tt.story)
				}
				if m.vals[of] != tt.value || len(m.sets) != tt.writes || m.bad != nil {
					t.Errorf("value %q after %q; %q", m.vals[of], m.sets, m.bad)
				}
				if settled := strings.HasSuffix(tt.story, "done"); rep.Settled() != settled {
					t.Errorf("settled: %v, want %v; %+v", rep.Settled(), settled, rep.Rows)
				}
			})
		})
	}
}

func TestDriftedBeforeTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: append(people(6), audit.DatabricksGroup{ID: "g", DisplayName: "g"})}
		ops := links(6)
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		m.vals[at(ops[0])] = "00u1"                     // already
		m.vals[at(ops[1])] = "00u99"                    // changed
		delete(m.vals, at(ops[2]))                      // gone
		m.vals[slot{group("g"), "externalId"}] = "00u4" // taken
		w.records[8] = audit.OktaUser{ID: "00u5", Status: audit.StatusDeprovisioned}
		d := &disk{m: m}
		rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rep.Rows {
			got = append(got, string(r.Phase)+": "+r.Why)
		}
		want := []string{"already: ", "drifted: " + changed, "failed: " + gone,
			"drifted: the externalId 00u4 is held by databricks:group:g", "drifted: okta:user:00u5 is DEPROVISIONED by now", "done: "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if len(m.sets) != 1 || m.bad != nil {
			t.Errorf("wrote %q; %q", m.sets, m.bad)
		}
	})
}

// raced changes the directory when the run reads an object, after the list.
type raced struct {
	*memory
	race func(m *memory)
}

func (r *raced) Read(ctx context.Context, s audit.Subject, field string) (Live, bool, error) {
	r.mu.Lock()
	if r.race != nil {
		r.race(r.memory)
		r.race = nil
	}
	r.mu.Unlock()
	return r.memory.Read(ctx, s, field)
}

func TestChangedAfterTheList(t *testing.T) {
	name := audit.Operation{Action: audit.SetName, Target: user("1"), Field: "name.givenName", To: "Pat"}
	relinked := func(m *memory, s slot) { m.vals[slot{s.target, "externalId"}] = "00u99" }
	for _, tt := range []struct {
		name, story string
		race        func(*memory, slot)
		ops         []audit.Operation
	}{
		{"changed", "op-0001 drifted", func(m *memory, s slot) { m.vals[s] = "x" }, links(1)},
		{"gone", "op-0001 failed", func(m *memory, s slot) { delete(m.vals, s) }, links(1)},
		{"already", "op-0001 already", func(m *memory, s slot) { m.vals[s] = "00u1" }, links(1)},
		{"renamed", "op-0001 drifted", func(m *memory, s slot) { m.names[s.target] = "x@example.com" }, links(1)},
		{"linked to another", "op-0001 drifted", relinked, []audit.Operation{name}},
		{"linked to another, and what follows", "op-0001 drifted\nop-0002 drifted", relinked, append(links(1), name)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := world{records: people(1)}
				ops := tt.ops
				ops[0].Name = "p1@example.com"
				p := plan(t, time.Now(), ops...)
				m := newMemory(w.values()).expect(ops)
				m.names = map[audit.Subject]string{user("1"): "p1@example.com"}
				d := &disk{m: m}
				h := Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: org, Databricks: account}
				work, err := Check(p, w.snapshot(t, m.vals), nil, Options{Now: p.Created})
				if err != nil {
					t.Fatal(err)
				}
				r := Runner{Journal: d.journal(t, h), Directory: &raced{m, func(m *memory) { tt.race(m, at(ops[0])) }},
					Fresh: func(context.Context) (*audit.Snapshot, error) { return w.snapshot(t, m.vals), nil }}
				rep, _ := r.Run(t.Context(), work)
				story, _ := ReadStory(&d.Buffer)
				if got := phases(story); got != tt.story || len(m.sets) > 0 {
					t.Errorf("story %q, want %q; %+v", got, tt.story, rep.Rows)
				}
			})
		})
	}
}

func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(4)}
		ops := []audit.Operation{link(user("1"), "", "00u1"), link(user("2"), "00u1", "00u2"), link(user("3"), "00u2", "00u3"), link(user("4"), "", "00u4")}
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		m.vals[at(ops[1])], m.vals[at(ops[2])] = "00u1", "00u2"
		m.lag = 3
		rep, err := applyAll(t.Context(), t, w, p, m, &disk{m: m}, nil, Options{})
		if err != nil || !rep.Settled() || m.bad != nil {
			t.Errorf("%v, %q, %+v", err, m.bad, rep)
		}
		// If its head fails, the rest of the chain must not go on.
		m = newMemory(w.values()).expect(ops)
		m.vals[at(ops[1])], m.vals[at(ops[2])] = "00u1", "00u2"
		m.faults[at(ops[2])] = []fault{refuse}
		rep, err = applyAll(t.Context(), t, w, p, m, &disk{m: m}, nil, Options{})
		if diff := cmp.Diff(map[Phase]int{Failed: 1, Drifted: 2, Done: 1}, rep.Counts()); err != nil || diff != "" || m.bad != nil {
			t.Errorf("%v, %q, %s", err, m.bad, diff)
		}
	})
}

func TestStopsAfterFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(40)}
		ops := links(40)
		m := newMemory(w.values())
		for _, op := range ops {
			m.faults[at(op)] = []fault{refuse}
		}
		rep, err := applyAll(t.Context(), t, w, plan(t, time.Now(), ops...), m, &disk{m: m}, nil, Options{})
		n := rep.Counts()
		if !errors.Is(err, ErrFailures) || n[Failed] < 5 || n[Failed] > 8 || n[NotTried] != 40-n[Failed] {
			t.Errorf("%v, %v", err, n)
		}
	})
}

func TestUnknownStopsAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(40)}
		ops := links(40)
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		for _, op := range ops {
			m.faults[at(op)] = []fault{blind}
		}
		d := &disk{m: m}
		rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
		if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrFailures) || rep.Counts()[NotTried] == 0 {
			t.Errorf("%v, %v", err, rep.Counts())
		}
		m.faults = map[slot][]fault{}
		time.Sleep(time.Hour / 2)
		rep, err = applyAll(t.Context(), t, w, p, m, d, nil, Options{})
		if err != nil || !rep.Settled() || m.bad != nil || len(m.sets) != 40 {
			t.Errorf("%v, %v, %q", err, rep.Counts(), m.bad)
		}
	})
}

// Writes that can't be read back are waited for side by side, not one after another.
func TestManyUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(8)}
		ops := links(4)
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		for _, op := range ops {
			m.faults[at(op)] = []fault{lostBefore}
		}
		under := 0
		m.during = func() {
			if under++; under == len(ops) {
				m.blind = time.Now().Add(time.Hour)
			}
		}
		began := time.Now()
		rep, err := applyAll(t.Context(), t, w, p, m, &disk{m: m}, nil, Options{})
		if !errors.Is(err, ErrUnknown) || rep.Counts()[Unknown] != len(ops) || m.bad != nil {
			t.Fatalf("error %v, %v; %q", err, rep.Counts(), m.bad)
		}
		// Patience when they are sent, and patience once more at the end.
		if took := time.Since(began); took > 2*17*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(40)}
		ops := links(40)
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		m.lag = 3
		ctx, cancel := context.WithCancel(t.Context())
		m.during = cancel
		d := &disk{m: m}
		rep, err := applyAll(ctx, t, w, p, m, d, nil, Options{})
		n := rep.Counts()
		if !errors.Is(err, context.Canceled) || n[Done] == 0 || n[Done] > 8 || n[Done]+n[NotTried] != 40 || m.bad != nil {
			t.Errorf("%v, %v, %q", err, n, m.bad)
		}
		if story, _ := ReadStory(&d.Buffer); len(story.open()) > 0 || len(story.Entries) != 2*n[Done] {
			t.Errorf("the journal says %s", phases(story))
		}
	})
}

// A list that is older than the journal must not make the run forget what it wrote;
// but what somebody else has written since counts.
func TestResumeWithOldList(t *testing.T) {
	for _, tt := range []struct {
		name, live string
		want       map[Phase]int
	}{
		{"the list lags", "00u2", map[Phase]int{Done: 2}},
		{"somebody wrote it back", "00u1", map[Phase]int{Done: 1, Drifted: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := world{records: people(2)}
				ops := []audit.Operation{link(user("2"), "00u1", "00u2"), link(user("1"), "", "00u1")}
				p := plan(t, time.Now(), ops...)
				m := newMemory(w.values()).expect(ops)
				m.vals[at(ops[0])] = "00u1"
				old := w.snapshot(t, m.vals)
				m.vals[at(ops[0])] = tt.live
				d := &disk{m: m}
				h := Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: org, Databricks: account}
				j := d.journal(t, h)
				for _, phase := range []Phase{Intent, Done} {
					if err := j.append(entry(Row{Operation: p.Operations[0]}, phase)); err != nil {
						t.Fatal(err)
					}
				}
				j = d.journal(t, h)
				work, err := Check(p, old, j.Story(), Options{Now: p.Created})
				if err != nil || work.Steps[1].Expect != Intent {
					t.Fatal(err, work)
				}
				r := Runner{Journal: j, Directory: m, Fresh: func(context.Context) (*audit.Snapshot, error) { return w.snapshot(t, m.vals), nil }}
				rep, err := r.Run(t.Context(), work)
				if diff := cmp.Diff(tt.want, rep.Counts()); diff != "" || m.bad != nil {
					t.Errorf("%v %q %s", err, m.bad, diff)
				}
				if wrong := len(rep.Proof.Wrong) > 0; wrong != (tt.live == "00u1") || wrong != errors.Is(err, errUnproven) {
					t.Errorf("%v, %+v", err, rep.Proof)
				}
			})
		})
	}
}

// Somebody wrote back all that was done. That takes one look at the lists, and no
// waiting for each, where nobody else is to get what they show.
func TestAllWrittenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		w := world{records: people(n + 1)}
		p := plan(t, time.Now(), links(n+1)...)
		m := newMemory(w.values())
		d := &disk{m: m}
		if rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{Limit: n}); err != nil || rep.Counts()[Done] != n {
			t.Fatalf("%v, %v", err, rep.Counts())
		}
		m.vals = w.values()
		began := time.Now()
		rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
		if !errors.Is(err, errUnproven) || len(rep.Proof.Wrong) != n || rep.Counts()[Done] != n+1 {
			t.Errorf("%v, %v, %d are wrong", err, rep.Counts(), len(rep.Proof.Wrong))
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

// What was so already when it was to be done, and is no longer, is done now; what
// was done and undone by somebody is not done again.
func TestNoLongerSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(3)}
		ops := links(3)
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values())
		m.vals[at(ops[0])], m.vals[at(ops[1])] = "00u1", "00u2"
		d := &disk{m: m}
		if rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{}); err != nil || rep.Counts()[Already] != 2 || !rep.Settled() {
			t.Fatalf("%v, %v", err, rep.Counts())
		}
		m.vals[at(ops[0])], m.vals[at(ops[2])] = "", ""
		rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
		if diff := cmp.Diff(map[Phase]int{Done: 2, Already: 1}, rep.Counts()); diff != "" || !errors.Is(err, errUnproven) {
			t.Errorf("%v %s", err, diff)
		}
		if m.vals[at(ops[0])] != "00u1" || m.vals[at(ops[2])] != "" {
			t.Errorf("wrote %q", m.sets)
		}
		story, err := ReadStory(&d.Buffer)
		if want := "op-0001 already intent done\nop-0002 already\nop-0003 intent done"; err != nil || phases(story) != want {
			t.Errorf("%v, story %q, want %q", err, phases(story), want)
		}
	})
}

// When a write is sent, the intent is on disk; before a report is made, the end is.
func TestIntentIsOnDiskFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(10)}
		ops := links(10)
		m := newMemory(w.values()).expect(ops)
		d := &disk{m: m}
		writes := 0
		m.during = func() {
			writes++
			if n := bytes.Count(d.Bytes()[:d.synced], []byte(`"intent"`)); n < writes {
				t.Errorf("%d writes, %d intents on disk", writes, n)
			}
		}
		rep, err := applyAll(t.Context(), t, w, plan(t, time.Now(), ops...), m, d, nil, Options{})
		if err != nil || !rep.Settled() || d.synced != d.Len() {
			t.Errorf("%v; %d of %d bytes are on disk", err, d.synced, d.Len())
		}
	})
}

// What others do while a run goes on can't be prevented, but the proof shows it.
func TestProofShowsAnIDHeldTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: append(people(1), audit.DatabricksGroup{ID: "g"},
			audit.DatabricksGroup{ID: "h", ExternalID: "x"}, audit.DatabricksGroup{ID: "i", ExternalID: "x"})}
		ops := links(1)
		m := newMemory(w.values())
		m.during = func() { m.vals[slot{group("g"), "externalId"}] = "00u1" }
		rep, err := applyAll(t.Context(), t, w, plan(t, time.Now(), ops...), m, &disk{m: m}, nil, Options{})
		want := Proof{Read: true, Twice: []Twice{{"00u1", []audit.Subject{group("g"), user("1")}}}, Other: []Twice{{"x", []audit.Subject{group("h"), group("i")}}}}
		if diff := cmp.Diff(want, rep.Proof); diff != "" || !errors.Is(err, errUnproven) || rep.Settled() {
			t.Errorf("%v %s", err, diff)
		}
	})
}

// Work is good for the journal it was checked against, as it was.
func TestStaleWork(t *testing.T) {
	w := world{records: people(1)}
	p := plan(t, noon, links(1)...)
	m := newMemory(w.values())
	j := (&disk{m: m}).journal(t, Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: org, Databricks: account})
	work, err := Check(p, w.snapshot(t, nil), j.Story(), Options{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.append(entry(Row{Operation: p.Operations[0]}, Intent)); err != nil {
		t.Fatal(err)
	}
	if _, err := (Runner{Journal: j, Directory: m}).Run(t.Context(), work); err == nil || len(m.sets) > 0 {
		t.Errorf("ran: %v, %q", err, m.sets)
	}
	other := world{records: w.records, org: "https://other.okta.com"}
	if err := (Runner{Journal: j, Directory: m}).Settle(t.Context(), other.snapshot(t, nil)); err == nil || m.calls > 0 {
		t.Errorf("settled in another org: %v", err)
	}
}

// The directory is never written to faster, and never later, than the pace lets.
func TestPaceAndWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(20)}
		ops := links(20)
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		m.vals[at(ops[0])] = "00u1" // already: takes no turn
		turns := make(chan struct{})
		go func() {
			for range 19 {
				time.Sleep(500 * time.Millisecond)
				turns <- struct{}{}
			}
		}()
		work, err := Check(p, w.snapshot(t, m.vals), nil, Options{Now: p.Created})
		if err != nil {
			t.Fatal(err)
		}
		h := Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: org, Databricks: account}
		began, last := time.Now(), time.Time{}
		r := Runner{Journal: (&disk{m: m}).journal(t, h), Directory: m,
			Each:  func(Row) { last = time.Now() },
			Pace:  func(context.Context) error { <-turns; return nil },
			Fresh: func(context.Context) (*audit.Snapshot, error) { return w.snapshot(t, m.vals), nil }}
		rep, err := r.Run(t.Context(), work)
		if took := last.Sub(began); err != nil || !rep.Settled() || took != 9500*time.Millisecond {
			t.Errorf("%v, took %v", err, took)
		}
	})
}

func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(10)}
		ops := links(10)
		p := plan(t, time.Now(), ops...)
		for full := 2; full < 22; full++ {
			m := newMemory(w.values()).expect(ops)
			d := &disk{m: m, fullAt: full}
			_, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
			if err == nil || !strings.Contains(err.Error(), "no space left") {
				t.Fatalf("full at %d: %v", full, err)
			}
			intents := 0
			story, _ := ReadStory(strings.NewReader(d.String()))
			for _, e := range story.Entries {
				if e.Phase == Intent {
					intents++
				}
			}
			if len(m.sets) > intents {
				t.Errorf("full at %d: %d writes, %d intents", full, len(m.sets), intents)
			}
			d.fullAt = 0
			rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
			if err != nil || !rep.Settled() || m.bad != nil || len(m.sets) != 10 {
				t.Errorf("full at %d, resumed: %v, %v, %q", full, err, rep.Counts(), m.bad)
			}
		}
	})
}

func TestRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: append(people(4),
			audit.OktaGroup{ID: "00g1", Name: "eng"}, audit.DatabricksGroup{ID: "9", DisplayName: "eng"},
			audit.DatabricksGroup{ID: "8", DisplayName: "old", ExternalID: "stale"})}
		ops := []audit.Operation{
			link(user("1"), "", "00u1"),
			link(user("2"), "00u1", "00u2"), // a chain: 2 gives up what 1 takes
			link(group("9"), "", "00g1"),
			{Action: audit.ClearExternalID, Target: group("8"), Field: "externalId", From: "stale"},
			{Action: audit.DeactivateUser, Target: user("3"), Field: "active", From: "true", To: "false"},
			{Action: audit.SetName, Target: user("4"), Field: "name.givenName", From: "", To: "Pat"},
		}
		p := plan(t, time.Now(), ops...)
		m := newMemory(w.values()).expect(ops)
		m.vals[at(ops[1])] = "00u1"
		d := &disk{m: m}
		rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{})
		if err != nil || !rep.Settled() {
			t.Fatalf("%v, %+v", err, rep)
		}
		m.ops = map[slot]audit.Operation{}
		m.vals[at(ops[4])] = "true" // somebody reactivated the user
		undo := func() (*Work, *Report, error) {
			j := d.journal(t, Header{})
			var work *Work
			rep, err := runWork(t.Context(), t, w, m, j, nil, func(fresh *audit.Snapshot) (w *Work, err error) {
				work, err = CheckUndo(j.Story(), fresh, Options{Now: time.Now()})
				return work, err
			})
			return work, rep, err
		}
		work, rep, err := undo()
		if err != nil || len(work.Lost) != 1 || work.Lost[0].Target != user("1") || work.Lost[0].Name != "p1@example.com" {
			t.Fatalf("%v, %+v", err, work)
		}
		// 2 can't have its id back, since 1 can't lose it; the user is as it should be.
		if diff := cmp.Diff(map[Phase]int{Done: 3, Drifted: 1, Already: 1}, rep.Counts()); diff != "" || m.bad != nil {
			t.Errorf("%s %q", diff, m.bad)
		}
		for of, want := range map[slot]string{at(ops[0]): "00u1", at(ops[1]): "00u2", at(ops[2]): "", at(ops[3]): "stale", at(ops[4]): "true", at(ops[5]): ""} {
			if m.vals[of] != want {
				t.Errorf("%v is %q, want %q", of, m.vals[of], want)
			}
		}
		n := len(m.sets)
		if _, _, err := undo(); err != nil || len(m.sets) != n {
			t.Errorf("a second rollback wrote %q: %v", m.sets[n:], err)
		}
		if _, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{}); err == nil || !strings.Contains(err.Error(), "rolled back") {
			t.Errorf("the plan is applied again with the journal of a rollback: %v", err)
		}
	})
}

// What two held before, one alone gets back, and that keeps nobody else from being
// restored; and however many operations an object had, all may be undone.
func TestRollbackOfWhatWasHeldTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world{records: people(2)}
		ops := []audit.Operation{
			link(user("1"), "dead", "00u1"),
			link(user("2"), "dead", "00u2"),
			{Action: audit.SetName, Target: user("1"), Field: "name.givenName", From: "", To: "Pat"},
			{Action: audit.SetName, Target: user("1"), Field: "name.familyName", From: "", To: "Quill"},
			{Action: audit.SetName, Target: user("2"), Field: "name.givenName", From: "", To: "Pat"},
		}
		vals := w.values()
		vals[at(ops[0])], vals[at(ops[1])] = "dead", "dead"
		m := newMemory(vals).expect(ops)
		d := &disk{m: m}
		all, err := ParseCeiling("100%")
		if err != nil {
			t.Fatal(err)
		}
		p := plan(t, time.Now(), ops...)
		work, err := Check(p, w.snapshot(t, vals), nil, Options{Now: p.Created, MaxChanges: all})
		if err != nil || !strings.Contains(strings.Join(work.Warnings, "\n"), "2 of the externalIds that are replaced have several holders, that of op-0001 first") {
			t.Fatalf("%v, warned of %q", err, work.Warnings)
		}
		rep, err := applyAll(t.Context(), t, w, p, m, d, nil, Options{MaxChanges: all})
		if err != nil || !rep.Settled() {
			t.Fatalf("%v, %+v", err, rep)
		}
		m.ops = map[slot]audit.Operation{}
		j := d.journal(t, Header{})
		rep, err = runWork(t.Context(), t, w, m, j, nil, func(fresh *audit.Snapshot) (*Work, error) {
			return CheckUndo(j.Story(), fresh, Options{Now: time.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[Phase]int{Done: 4, Drifted: 1}, rep.Counts()); diff != "" || m.bad != nil {
			t.Errorf("%s %q", diff, m.bad)
		}
		if a, b := m.vals[at(ops[0])], m.vals[at(ops[1])]; (a == "dead") == (b == "dead") {
			t.Errorf("they have %q and %q: one of them had to get it back", a, b)
		}
		if why := rep.In(Drifted)[0].Why; !strings.Contains(why, "the externalId dead is held by") {
			t.Errorf("it says %q", why)
		}
	})
}
