package history

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// A history of each older version of the schema, as it was kept then, goes on.
func TestUpgrade(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/v*.sql")
	if err != nil || len(fixtures) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	all, err := steps()
	if err != nil || len(fixtures) != max(1, len(all)-1) {
		t.Fatalf("%d versions and %d fixtures, %v: keep one of each version that was released", len(all), len(fixtures), err)
	}
	for _, name := range fixtures {
		t.Run(filepath.Base(name), func(t *testing.T) {
			dump, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			databases(t, func(t *testing.T, p Place) {
				if p.file != "" {
					if err := makeFile(p.file); err != nil {
						t.Fatal(err)
					}
				}
				old, err := open(p)
				if err != nil {
					t.Fatal(err)
				}
				defer old.Close()
				if _, err := old.db.Exec(string(dump)); err != nil {
					t.Fatal(err)
				}
				old.Close()
				s := create(t, p)
				if v, err := s.version(t.Context(), s.db); err != nil || v != len(all) {
					t.Errorf("version %d, %v", v, err)
				}
				r := say("error a x", "info b z", "info missing-external-id databricks:user:1")
				rec := record(t, s, r, day(3), func(r *Run) { r.Alerts = true })
				want(t, r, "x open 11-01..11-04", "z new 11-04..11-04", "databricks:user:1 reopened 11-01..11-04", "y resolved 11-01..11-02")
				if len(r.Trend) != 2 || r.Trend[0].Counts[audit.Blocker] != 1 || rec.News.Before != audit.NotReady || len(rec.News.Changes) != 2 {
					t.Errorf("%+v, %+v", r.Trend, rec.News)
				}
				life, err := s.Finding(t.Context(), audit.FindingID("b", "y"))
				if err != nil || len(life) != 1 {
					t.Fatalf("%v, %v", life, err)
				}
				var events []string
				for _, e := range life[0].Events {
					events = append(events, e.What)
				}
				if diff := cmp.Diff([]string{"new", "waived", "unwaived", "resolved"}, events); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}
