package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

func join(texts []string) (all string) {
	for _, text := range texts {
		all += text + " "
	}
	return all
}
