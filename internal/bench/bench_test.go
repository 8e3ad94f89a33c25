package main

import (
	"encoding/json"
	"errors"
	"hash/maphash"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestMain lets the harness start this binary for its jobs, as it does itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && jobs()[os.Args[1]] != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// The harness measures a small company: no figure of it matters, each must be there.
func TestQuick(t *testing.T) {
	peers := os.Getenv("AIMCHECK_PEERS")
	b := &bench{ctx: t.Context(), extent: quick}
	b.extent.main, b.extent.sizes = 2000, []int{1000, 2000} // make bench-quick has the real quick form
	if err := b.prepare(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := b.audit(); err != nil { // which holds our findings to DuckDB's
		t.Fatal(err)
	}
	if err := b.growth(); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.rows {
		if r.figure == "not measured" && (peers != "" || !strings.Contains(r.what, "DuckDB")) {
			t.Errorf("%s: %s", r.what, r.spread)
		}
	}
	var page strings.Builder
	if err := b.write(&page); err != nil || !strings.Contains(page.String(), "exponent") {
		t.Errorf("the page is %s, error %v", page.String(), err)
	}
	left, err := filepath.Glob(filepath.Join(b.dir, "*"))
	if err != nil || len(left) != 1 { // the program
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// The six rules written down plainly find what ours do.
func TestMapsFindTheSame(t *testing.T) {
	b := &bench{ctx: t.Context(), extent: quick}
	if err := b.prepare(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	dir, _, err := b.company(5000, true)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := b.job("six", filepath.Join(dir, snapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	maps, err := b.job("maps", filepath.Join(dir, oktaFile), filepath.Join(dir, databricksFile))
	if err != nil {
		t.Fatal(err)
	}
	var found, mapped told
	if err := errors.Join(json.Unmarshal(ours.out, &found), json.Unmarshal(maps.out, &mapped)); err != nil || len(found.Findings) != 6 || !reflect.DeepEqual(found.Findings, mapped.Findings) {
		t.Errorf("ours: %s maps: %s %v", ours.out, maps.out, err)
	}
}

// The floor hashes each key once, and nothing else.
func TestKeySums(t *testing.T) {
	seed := maphash.MakeSeed()
	for line, keys := range map[string][]string{
		`{"okta_user":{"id":"00u1","status":"ACTIVE","login":"a@x.com","email":"b@x.com","first_name":"email"}}`: {"00u1", "a@x.com", "b@x.com"},
		`{"databricks_user":{"id":"7","user_name":"a@x.com","external_id":"00u1","active":true}}`:                {"7", "a@x.com", "00u1"},
		`{"databricks_group":{"id":"8","external_id":"id"}}`:                                                     {"8", "id"},
	} {
		var want uint64
		for _, key := range keys {
			want += maphash.String(seed, key)
		}
		if keySums([]byte(line), seed) != want {
			t.Errorf("of %s other texts are hashed than %q", line, keys)
		}
	}
}

func TestMetrics(t *testing.T) {
	got := metrics("goos: linux\nBenchmarkGoalX-2   \t       1\t 123 ns/op\t 0.95 of-bound\nBenchmarkGoalX-2 \t 1\t 124 ns/op\t 0.97 of-bound\nPASS\n")
	if s := got["of-bound"]; len(s) != 2 || s.median() != 0.96 {
		t.Errorf("got %v", got)
	}
	if why := skipped("BenchmarkGoalHTML\n    html_test.go:12: there is no Chromium\n--- SKIP: BenchmarkGoalHTML\nPASS\n"); why != "there is no Chromium" {
		t.Errorf("skipped because %q", why)
	}
}

func TestExponent(t *testing.T) {
	if e := exponent(series{100, 1000, 5000}, series{3, 30, 150}); math.Abs(e-1) > 1e-9 {
		t.Errorf("linear growth has the exponent %v", e)
	}
	if e := exponent(series{100, 1000, 5000}, series{1e4, 1e6, 25e6}); math.Abs(e-2) > 1e-9 {
		t.Errorf("growth with the square has the exponent %v", e)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		bound bound
		v     float64
		want  string
	}{
		{bound{goal: 1, stretch: 0.5}, 1.1, "no"}, {bound{goal: 1, stretch: 0.5}, 1, "yes"}, {bound{goal: 1, stretch: 0.5}, 0.5, "stretch"},
		{bound{goal: 0.9, stretch: 0.95, atLeast: true}, 0.8, "no"}, {bound{goal: 0.9, stretch: 0.95, atLeast: true}, 0.96, "stretch"},
		{bound{goal: 2}, 0.1, "yes"}, {bound{}, 5, ""},
	} {
		if got := c.bound.reached(c.v); got != c.want {
			t.Errorf("%v of %+v: %q, want %q", c.v, c.bound, got, c.want)
		}
	}
}
