package history

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
)

// killed is a run that dies while it writes.
func killed() {
	ctx := context.Background()
	p, err := ParsePlace(os.Getenv("AIMCHECK_TEST_KILLED"))
	if err != nil {
		panic(err)
	}
	s, err := Create(ctx, p)
	if err != nil {
		panic(err)
	}
	r := say("info a y")
	rec := &recording{store: s, report: r, run: Run{Org: "https://o.example.com", Account: "a", Now: day(1), Read: day(1)}, out: &Recorded{}}
	if rec.settings, rec.stream, err = stream(rec.run, r.Settings); err != nil {
		panic(err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := rec.record(ctx, tx); err != nil {
			return err
		}
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
	panic(err)
}

func TestKilledWhileWriting(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		record(t, s, say("info a x"), day(0))
		where := p.file
		if where == "" {
			where = p.postgres.ConnString()
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "AIMCHECK_TEST_KILLED="+where)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%v\n%s", err, out)
		}
		r := say("info a x")
		record(t, s, r, day(2))
		want(t, r, "x open 11-01..11-03")
		if runs, err := s.Runs(t.Context()); err != nil || len(runs) != 2 || runs[0].Run != 2 {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

// A server that goes away, between runs and in the middle of one.
func TestLostServer(t *testing.T) {
	p := postgres(t)
	db, err := server()
	if err != nil {
		t.Fatal(err)
	}
	s := create(t, p)
	record(t, s, say("info a x"), day(0))
	lost := func(when string, r *audit.Report, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "the history postgres://aimcheck@/") || !strings.Contains(err.Error(), "check that the server is up") {
			t.Errorf("%s: %v", when, err)
		}
		if r.Trend != nil || r.Findings.Head(0).State != "" {
			t.Errorf("%s: the report was told what is not kept", when)
		}
	}
	r := say("info a x", "info a y")
	run := Run{Org: "https://o.example.com", Account: "a", Now: day(1), Read: day(1)}
	err = s.write(t.Context(), func(tx *sql.Tx) error {
		db.Stop()
		rec := &recording{store: s, report: r, run: run, out: &Recorded{}}
		return rec.record(t.Context(), tx)
	})
	lost("in the middle", r, p.failed("write to", err))
	_, err = s.Record(t.Context(), r, run)
	lost("before", r, err)
	_, err = Create(t.Context(), p)
	lost("at the start", r, err)
	if err := db.Run(); err != nil {
		t.Fatal(err)
	}
	record(t, s, r, day(1))
	want(t, r, "x open 11-01..11-02", "y new 11-02..11-02")
}

func TestFileTrouble(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "h.db")
	if _, err := Open(t.Context(), place(t, name)); err == nil || !strings.Contains(err.Error(), "no such file or directory: check the path; aimcheck audit --history makes it") {
		t.Errorf("not there: %v", err)
	}
	s := create(t, place(t, name))
	record(t, s, say("info a x"), day(0))
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Create(t.Context(), place(t, dir)); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Create(t.Context(), place(t, filepath.Join(name, "h.db"))); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("below a file: %v", err)
	}
	text := filepath.Join(dir, "note.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("these are notes\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), place(t, text)); err == nil || !strings.Contains(err.Error(), "it is no history, or damaged") {
		t.Errorf("a text: %v", err)
	}

	// A newer program's.
	if _, err := s.db.Exec("INSERT INTO aimcheck_schema (version) VALUES (99)"); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), place(t, name)); err == nil || !strings.Contains(err.Error(), "schema version 99 is newer than this program knows") {
		t.Errorf("newer: %v", err)
	}
}
