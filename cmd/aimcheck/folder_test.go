package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// Two runs at once leave the whole of one of them, whatever they write.
func TestTwoRunsAtOnce(t *testing.T) {
	of := func(version string) *audit.Report {
		r, err := audit.Run(&audit.Snapshot{}, nil, audit.Options{Version: version, Now: time.Unix(0, 0), Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	dir := t.TempDir()
	runs := []struct {
		version string
		formats []string
	}{{"one", []string{"csv"}}, {"two", nil}, {"three", []string{"csv", "xlsx"}}}
	for range 20 {
		var wg sync.WaitGroup
		for _, run := range runs {
			wg.Go(func() {
				if err := writeReports(t.Context(), dir, run.formats, of(run.version)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		findings, err := os.ReadFile(filepath.Join(dir, "findings.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs {
			if !bytes.Contains(findings, []byte(`"version":"`+run.version+`"`)) {
				continue
			}
			summary, err := os.ReadFile(filepath.Join(dir, "summary.md"))
			if err != nil || !bytes.Contains(summary, []byte("`"+run.version+"`")) {
				t.Errorf("findings.json is of %s, summary.md of another: %v", run.version, err)
			}
			for format, name := range map[string]string{"csv": "findings.csv", "xlsx": "report.xlsx"} {
				_, err := os.Stat(filepath.Join(dir, name))
				if there, wanted := !errors.Is(err, fs.ErrNotExist), bytes.Contains([]byte(join(run.formats)), []byte(format)); there != wanted {
					t.Errorf("findings.json is of %s, and %s is there: %t", run.version, name, there)
				}
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// A run that died while it wrote left a folder without a name: rotation takes it
// away, and no other run's.
func TestRotationTakesWhatDiedAway(t *testing.T) {
	r, err := audit.Run(&audit.Snapshot{}, nil, audit.Options{Now: time.Unix(0, 0), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{".aimcheck-1": 48 * time.Hour, ".aimcheck-2": time.Hour, ".aimcheck-notes": 48 * time.Hour} {
		left := filepath.Join(dir, name)
		if err := os.Mkdir(left, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(left, ".findings.json.7"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(left, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	o := folder{dir: dir, dated: true, keep: 3}
	if _, err := o.write(t.Context(), &env{now: time.Now, stderr: io.Discard}, nil, r); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if want := []string{filepath.Join(dir, ".aimcheck-2"), filepath.Join(dir, ".aimcheck-notes")}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left: %q, %v, want %q", left, err, want)
	}
}

func join(texts []string) (all string) {
	for _, text := range texts {
		all += text + " "
	}
	return all
}
