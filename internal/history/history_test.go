package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/history/pgtest"
)

// server is the PostgreSQL server of all tests.
var server = sync.OnceValues(pgtest.New)

func TestMain(m *testing.M) {
	if os.Getenv("AIMCHECK_TEST_KILLED") != "" {
		killed()
	}
	code := m.Run()
	if s, err := server(); err == nil {
		s.Close()
	}
	os.Exit(code)
}

// postgres returns a new database.
func postgres(t *testing.T) Place {
	t.Helper()
	s, err := server()
	if errors.Is(err, pgtest.ErrNotThere) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return place(t, s.URL(t, strings.NewReplacer("/", "_", ".", "_").Replace(strings.ToLower(t.Name()))))
}

// databases runs the test with a SQLite file and with a PostgreSQL database.
func databases(t *testing.T, test func(t *testing.T, p Place)) {
	t.Run("sqlite", func(t *testing.T) { test(t, place(t, filepath.Join(t.TempDir(), "a folder", "a b?#%.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, postgres(t)) })
}

func place(t *testing.T, text string) Place {
	t.Helper()
	p, err := ParsePlace(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func create(t *testing.T, p Place) *Store {
	t.Helper()
	s, err := Create(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func day(n int) time.Time { return time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

// say makes a report of findings, each "severity rule key", with a ! behind it if
// it is waived.
func say(findings ...string) *audit.Report {
	r := &audit.Report{Version: "1", Verdict: audit.Ready, Counts: map[audit.Severity]int{},
		Rules: []*audit.Rule{{Name: "a"}, {Name: "b"}, {Name: "missing-external-id"}}}
	for _, text := range findings {
		text, isWaived := strings.CutSuffix(text, "!")
		severity, rest, _ := strings.Cut(text, " ")
		rule, key, _ := strings.Cut(rest, " ")
		f := audit.Finding{ID: audit.FindingID(rule, key), Rule: rule, Key: key, Message: key + " is wrong", Remedy: audit.RemedyReview,
			Subjects: []audit.Subject{{Kind: audit.OktaUserKind, ID: "00u1"}}, Waived: isWaived}
		if err := f.Severity.UnmarshalText([]byte(severity)); err != nil {
			panic(err)
		}
		if isWaived {
			f.Waiver = &audit.WaivedBy{Owner: "me", Reason: "so", Expires: "2026-12-31"}
		} else {
			r.Counts[f.Severity]++
		}
		r.Findings.Add(&f)
	}
	if r.Counts[audit.Blocker] > 0 {
		r.Verdict = audit.NotReady
	}
	return r
}

func record(t *testing.T, s *Store, r *audit.Report, now time.Time, change ...func(*Run)) *Recorded {
	t.Helper()
	run := Run{Org: "https://o.example.com", Account: "a", Now: now, Read: now}
	for _, c := range change {
		c(&run)
	}
	rec, err := s.Record(t.Context(), r, run)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// lives says of each finding its state and days.
func lives(r *audit.Report) (got []string) {
	date := func(t time.Time) string { return t.Format("01-02") }
	for _, f := range r.Findings.All() {
		got = append(got, fmt.Sprintf("%s %s %s..%s", f.Key, f.State, date(f.FirstSeen), date(f.LastSeen)))
	}
	for _, g := range r.Resolved {
		got = append(got, fmt.Sprintf("%s resolved %s..%s", g.Key, date(g.FirstSeen), date(g.LastSeen)))
	}
	return got
}

func want(t *testing.T, r *audit.Report, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, lives(r)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLife(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		r := say("blocker a x", "info b y")
		record(t, s, r, day(0))
		want(t, r, "x new 11-01..11-01", "y new 11-01..11-01")
		if len(r.Trend) != 0 || r.Trend == nil || r.Resolved == nil {
			t.Errorf("trend %v, resolved %v", r.Trend, r.Resolved)
		}

		r = say("blocker a x", "error a z")
		record(t, s, r, day(1))
		want(t, r, "x open 11-01..11-02", "z new 11-02..11-02", "y resolved 11-01..11-01")

		// What a skipped rule would have said is not resolved, and not seen.
		r = say()
		r.Skipped = []audit.Skip{{Rule: "a", Reason: "okta_users are incomplete"}}
		r.Verdict = audit.Incomplete
		record(t, s, r, day(2))
		want(t, r)

		r = say("blocker a x", "info b y")
		record(t, s, r, day(3))
		want(t, r, "x open 11-01..11-04", "y reopened 11-01..11-04", "z resolved 11-02..11-02")
		trend := []audit.PastRun{
			{Time: day(0), Verdict: audit.NotReady, Counts: map[audit.Severity]int{4: 1, 3: 0, 2: 0, 1: 1}, New: 2},
			{Time: day(1), Verdict: audit.NotReady, Counts: map[audit.Severity]int{4: 1, 3: 1, 2: 0, 1: 0}, New: 1, Resolved: 1},
			{Time: day(2), Verdict: audit.Incomplete, Counts: map[audit.Severity]int{4: 0, 3: 0, 2: 0, 1: 0}},
		}
		if diff := cmp.Diff(trend, r.Trend); diff != "" {
			t.Errorf("trend (-want +got)\n%s", diff)
		}

		// A rule that this version does not have was not looked for.
		r = say("info b y")
		r.Rules = r.Rules[1:]
		record(t, s, r, day(4))
		want(t, r, "y open 11-01..11-05")

		life, err := s.Finding(t.Context(), audit.FindingID("b", "y"))
		if err != nil {
			t.Fatal(err)
		}
		events := []Event{{day(0), 1, "new", "info"}, {day(1), 2, "resolved", "info"}, {day(3), 4, "reopened", "info"}}
		if diff := cmp.Diff(events, life[0].Events); diff != "" || life[0].State != audit.Open || len(life) != 1 || life[0].Message != "y is wrong" {
			t.Errorf("%+v (-want +got)\n%s", life, diff)
		}
		if _, err := s.Finding(t.Context(), "a-000000000000"); !errors.Is(err, ErrUnknown) {
			t.Errorf("an unknown finding gives %v", err)
		}
		runs, err := s.Runs(t.Context())
		if err != nil || len(runs) != 5 || runs[0].Run != 5 || runs[4].New != 2 || runs[4].Org != "https://o.example.com" {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

// When a finding was first seen is the same on the first night and on the next.
func TestFirstSeenStaysTheSame(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		first := say("info a x")
		record(t, s, first, day(0).Add(123456789*time.Nanosecond))
		then := say("info a x")
		record(t, s, then, day(1))
		if a, b := first.Findings.At(0).FirstSeen, then.Findings.At(0).FirstSeen; !a.Equal(b) {
			t.Errorf("%v, and the next night %v", a, b)
		}
	})
}

// A rule of several checks: those that ran resolve theirs.
func TestPartlySkipped(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		record(t, s, say("info missing-external-id databricks:user:1", "info missing-external-id databricks:group:1"), day(0))
		r := say()
		r.Skipped = []audit.Skip{{Rule: "missing-external-id", About: "groups"}}
		record(t, s, r, day(1))
		want(t, r, "databricks:user:1 resolved 11-01..11-01")
	})
}

// What was not looked at may be what makes a finding grave, so that it is neither
// better nor waived by a waiver that does not cover it as it was.
func TestLessGraveForWantOfInput(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		events := func() (all []string) {
			lives, err := s.Finding(t.Context(), audit.FindingID("missing-external-id", "databricks:user:1"))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range lives[0].Events {
				all = append(all, e.What)
			}
			return append(all, lives[0].Severity.String())
		}
		record(t, s, say("blocker missing-external-id databricks:user:1"), day(0))
		for n, half := range []func(*audit.Report){
			func(r *audit.Report) { r.Verdict = audit.Incomplete },
			func(r *audit.Report) {
				r.Skipped = []audit.Skip{{Rule: "missing-external-id", About: "users"}}
			},
		} {
			r := say("warning missing-external-id databricks:user:1!")
			half(r)
			record(t, s, r, day(1+n))
			if diff := cmp.Diff([]string{"new", "blocker"}, events()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
		r := say("warning missing-external-id databricks:user:1!")
		r.Skipped = []audit.Skip{{Rule: "missing-external-id", About: "groups"}}
		record(t, s, r, day(3))
		if diff := cmp.Diff([]string{"new", "better", "waived", "warning"}, events()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// Other tenants, and other settings, have lives of their own; with other settings
// what was open is not new.
func TestStreams(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		record(t, s, say("info a x", "info a y"), day(0))
		other := func(r *Run) { r.Account = "b" }
		r := say("info a x")
		record(t, s, r, day(1), other)
		want(t, r, "x new 11-02..11-02")

		r = say("info a x", "info a z")
		r.Settings.SSOClaim = audit.ClaimLogin
		rec := record(t, s, r, day(2))
		want(t, r, "x open 11-01..11-03", "z new 11-03..11-03")
		if len(rec.Mind) != 1 || !strings.Contains(rec.Mind[0], "first run of these tenants with these settings") {
			t.Errorf("%q", rec.Mind)
		}
		r = say("info a x")
		r.Settings.Include = []string{"names"} // changes the plan alone
		record(t, s, r, day(3))
		want(t, r, "x open 11-01..11-04", "y resolved 11-01..11-01")

		// Nor is what could not be looked for on the night of the change.
		r = say("info a x")
		r.Settings.SSOClaim = audit.ClaimEmail
		r.Skipped = []audit.Skip{{Rule: "b"}}
		record(t, s, say("info a x", "info b v", "info a u"), day(4))
		record(t, s, r, day(5))
		want(t, r, "x open 11-01..11-06")
		r = say("info b v", "info a u")
		r.Settings.SSOClaim = audit.ClaimEmail
		record(t, s, r, day(6))
		want(t, r, "v open 11-05..11-07", "u new 11-07..11-07", "x resolved 11-01..11-06")
	})
}

func TestClockJumps(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		record(t, s, say("info a x"), day(9))
		ahead := say("info a x", "info a y")
		record(t, s, ahead, day(9000)) // a clock that is years ahead
		want(t, ahead, "x open 11-10..06-23", "y new 06-23..06-23")
		r := say("info a x", "info a y")
		rec := record(t, s, r, day(10)) // and right again
		want(t, r, "x open 11-10..11-11", "y open 11-11..11-11")
		if len(rec.Mind) != 1 || !strings.Contains(rec.Mind[0], "the clock says 2026-11-11 02:00 UTC, which is before the run before this one") {
			t.Errorf("%q", rec.Mind)
		}
		r = say("info a x")
		if rec := record(t, s, r, day(11)); len(rec.Mind) != 0 {
			t.Errorf("%q", rec.Mind)
		}
		want(t, r, "x open 11-10..11-12", "y resolved 11-11..11-11")

		// A snapshot from before the last run knows nothing of what came after.
		old := func(r *Run) { r.Old, r.Read = true, day(10) }
		r = say()
		_, err := s.Record(t.Context(), r, Run{Org: "https://o.example.com", Account: "a", Now: day(12), Read: day(10), Old: true})
		if !errors.Is(err, ErrOlder) || r.Resolved != nil {
			t.Errorf("%v", err)
		}
		r = say("info a x")
		record(t, s, r, day(12), old, func(r *Run) { r.Read = day(11) })
		want(t, r, "x open 11-10..11-13")
	})
}

// Of two runs at once, the one that is recorded last may have read first: what it
// does not find may have come since.
func TestBesideAnother(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		record(t, s, say("info a x"), day(0))
		record(t, s, say("info a x", "info a y"), day(1))
		began := func(r *Run) { r.Began = day(1).Add(-time.Minute) }
		r := say("info a z")
		rec := record(t, s, r, day(1).Add(time.Minute), began)
		want(t, r, "z new 11-02..11-02")
		if len(rec.Mind) != 1 || !strings.Contains(rec.Mind[0], "is not taken for resolved") {
			t.Errorf("%q", rec.Mind)
		}
		r = say("info a y")
		record(t, s, r, day(2), func(r *Run) { r.Began = day(2).Add(-time.Minute) })
		want(t, r, "y open 11-02..11-03", "x resolved 11-01..11-02", "z resolved 11-02..11-02")

		// One snapshot judged again is not beside itself.
		record(t, s, say("info a y", "info a w"), day(4), func(r *Run) { r.Began, r.Snapshot = day(4).Add(-time.Minute), "sha256:4" })
		r = say("info a y")
		rec = record(t, s, r, day(4), func(r *Run) { r.Began, r.Snapshot, r.Old = day(4).Add(-time.Minute), "sha256:4", true })
		want(t, r, "y open 11-02..11-05", "w resolved 11-05..11-05")
		if len(rec.Mind) != 0 {
			t.Errorf("%q", rec.Mind)
		}

		// A clock that was ahead makes no run beside another.
		record(t, s, say("info a y"), day(9))
		r = say()
		record(t, s, r, day(5), func(r *Run) { r.Began = day(5) })
		want(t, r, "y resolved 11-02..11-10")
	})
}

func TestRetention(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		keep := func(r *Run) { r.Keep = 3 }
		record(t, s, say("info a old", "info a open", "info b gone"), day(0), keep)
		record(t, s, say("info a old"), day(0), func(r *Run) { r.Account = "b" })
		record(t, s, say("info a old", "info a open"), day(1), keep) // b is resolved here
		record(t, s, say("info a open"), day(2), keep)               // old is resolved here
		record(t, s, say("info a open"), day(3), keep)
		record(t, s, say("info a open"), day(4), keep)
		runs, err := s.Runs(t.Context())
		if err != nil || len(runs) != 4 || !runs[2].Time.Equal(day(2)) || runs[3].Account != "b" {
			t.Errorf("%+v, %v", runs, err)
		}
		if _, err := s.Finding(t.Context(), audit.FindingID("b", "gone")); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v", err)
		}
		life, err := s.Finding(t.Context(), audit.FindingID("a", "open"))
		if err != nil || !life[0].FirstSeen.Equal(day(0)) || len(life[0].Events) != 0 {
			t.Errorf("%+v, %v", life, err)
		}
		if life, err = s.Finding(t.Context(), audit.FindingID("a", "old")); err != nil || len(life) != 2 || life[0].State != audit.Resolved || life[1].State != audit.Open {
			t.Errorf("%+v, %v", life, err)
		}
	})
}

// Texts that no database holds as they are.
func TestStrangeTexts(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		for i := range 2 {
			r := say("info a x\x00y", "info a \xff\u202e'; DROP TABLE aimcheck_runs; --", "info a ?$1")
			record(t, s, r, day(i))
			if state := []audit.State{audit.New, audit.Open}[i]; r.Findings.Head(0).State != state || r.Findings.Head(1).State != state || len(r.Resolved) != 0 {
				t.Errorf("%+v", lives(r))
			}
		}
	})
}

// More findings than one statement takes.
func TestMany(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		var texts []string
		for i := range 1201 {
			texts = append(texts, fmt.Sprintf("info a key%d", i))
		}
		record(t, s, say(texts...), day(0))
		r := say(texts[:1]...)
		record(t, s, r, day(1))
		if len(r.Resolved) != 1200 || r.Findings.Head(0).State != audit.Open {
			t.Errorf("%d resolved", len(r.Resolved))
		}
	})
}

func TestNews(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		alerts := func(r *Run) { r.Alerts = true }
		news := func(n int, findings ...string) string {
			t.Helper()
			rec := record(t, s, say(findings...), day(n), alerts)
			var got []string
			resolved := 0
			for _, what := range []string{"new", "reopened", "worse", "unwaived", "resolved"} {
				for _, key := range []string{"x", "y", "z", "w"} {
					if !slices.ContainsFunc(rec.News.Changes, func(c Change) bool { return c.What == what && c.Finding == audit.FindingID("a", key) }) {
						continue
					}
					if what == "resolved" {
						resolved++
					} else {
						got = append(got, what+" "+key)
					}
				}
			}
			return fmt.Sprintf("%s; %d resolved; was %q", strings.Join(got, ", "), resolved, rec.News.Before)
		}
		told := func(run int64) {
			t.Helper()
			if err := s.Told(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
		same := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		record(t, s, say("info a w"), day(0)) // nobody wanted to be told
		same(news(1, "info a w", "info a x", "info a y!"), `new x; 0 resolved; was ""`)
		// The alert could not be sent: the next one tells it too.
		same(news(2, "info a w", "info a x", "info a y!", "info a z"), `new x, new z; 0 resolved; was ""`)
		told(3)
		same(news(3, "info a w", "info a x", "info a y!", "info a z"), `; 0 resolved; was "ready"`)
		told(4)
		same(news(4, "blocker a w", "info a y"), `worse w, unwaived y; 2 resolved; was "ready"`)
		same(news(5, "blocker a w", "info a y", "info a z"), `worse w, unwaived y; 1 resolved; was "ready"`) // z has not changed
		told(6)
		same(news(6, "info a w", "info a x"), `reopened x; 2 resolved; was "not-ready"`)
		told(7)
		// Gone and back, before anybody was told that it went: it is as grave as it was, or not.
		same(news(7, "info a w"), `; 1 resolved; was "ready"`)
		same(news(8, "error a w", "info a x"), `worse w; 0 resolved; was "ready"`)
		same(news(9), `; 2 resolved; was "ready"`)
		same(news(10, "info a w", "blocker a x"), `worse x; 0 resolved; was "ready"`)
		same(news(11, "info a w", "info a x"), `; 0 resolved; was "ready"`)
	})
}

// What somebody is still to be told of outlives the runs that are kept.
func TestRetentionOfWhatNobodyWasToldOf(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		keep := func(r *Run) { r.Keep, r.Alerts = 2, true }
		kept := func() int {
			runs, err := s.Runs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(runs)
		}
		for range 3 { // nobody was ever told
			record(t, s, say("info a x"), day(0), keep, func(r *Run) { r.Account = "b" })
		}
		if kept() != 3 {
			t.Errorf("%d runs are kept", kept())
		}
		record(t, s, say("info a x", "blocker a y"), day(0), keep)
		if err := s.Told(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		var rec *Recorded
		for n := 1; n < 5; n++ {
			rec = record(t, s, say("info a x", "info a z"), day(n), keep)
		}
		if n := rec.News; n.Before != audit.NotReady || len(n.Changes) != 2 || n.Changes[0].What != eventResolved || n.Changes[1].What != eventNew || kept() != 3+5 {
			t.Errorf("%+v, %d runs", n, kept())
		}
		if err := s.Told(t.Context(), rec.Run); err != nil {
			t.Fatal(err)
		}
		if record(t, s, say("info a x", "info a z"), day(5), keep); kept() != 3+2 {
			t.Errorf("%d runs are kept once they are told", kept())
		}
	})
}

func TestPlaces(t *testing.T) {
	for text, wanted := range map[string]string{
		"history.db":                             "history.db",
		"postgres://pat:hush@db.example.com/aim": "postgres://pat@db.example.com/aim",
		"postgresql://pat:hush@db.example.com/aim?sslmode=require": "postgresql://pat@db.example.com/aim",
		"postgres://pat:hush@localhost/aim?sslmode=disable":        "postgres://pat@localhost/aim",
		"postgres:///aim?host=/var/run/postgresql&password=hush":   "postgres:///aim",
		"":                           "error: expected the path",
		"mysql://pat:hush@h/aim":     "error: mysql:// is no database that is known",
		"postgres://pat:hu sh@h/aim": "error: not a URL",
		"postgres://pat:hush@h:x/a":  "error: not a URL",
		"postgres://pat:hush@db.example.com/aim?sslmode=disable": "error: postgres://pat@db.example.com/aim would be talked to in the clear",
		"postgres://pat:hush@h/aim?sslmode=hush":                 "error: not a URL",
	} {
		p, err := ParsePlace(text)
		got := p.String()
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, wanted) || strings.Contains(got, "hush") && !strings.Contains(wanted, "hush") {
			t.Errorf("%s: %s", text, got)
		}
		if err == nil && p.postgres != nil && strings.Contains(text, "example.com") {
			for _, f := range p.postgres.Fallbacks {
				if f.TLSConfig == nil {
					t.Errorf("%s falls back to the clear", text)
				}
			}
		}
	}
}

// Two runs at once come one after the other.
func TestAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		const runs = 8
		failed := make(chan error, runs)
		for i := range runs {
			go func() {
				s, err := Create(context.Background(), p)
				if err == nil {
					defer s.Close()
					_, err = s.Record(context.Background(), say("info a x", fmt.Sprintf("info a y%d", i)), Run{Org: "o", Account: "a", Now: day(i), Read: day(i)})
				}
				failed <- err
			}()
		}
		for range runs {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		s := create(t, p)
		all, err := s.Runs(t.Context())
		if err != nil || len(all) != runs {
			t.Fatalf("%d runs, %v", len(all), err)
		}
		for i, r := range all {
			first := i == runs-1
			if r.Run != int64(runs-i) || first != (r.New == 2) || first == (r.New == 1) || first == (r.Resolved == 1) {
				t.Errorf("%+v", r)
			}
		}
	})
}
