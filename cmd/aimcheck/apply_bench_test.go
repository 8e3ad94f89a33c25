package main

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// BenchmarkGoalApply applies 5,000 operations at 200 writes a second.
// Of-bound is what is reached of that rate from the first write to the last, and
// whole-of-bound of the whole command, its two full reads and its proof included.
func BenchmarkGoalApply(b *testing.B) {
	const rate = 200
	operations := 5000
	if testing.Short() {
		operations = 200
	}
	s := newScene(b, unlinked(operations), sandbox.Options{})
	var mu sync.Mutex
	var first, last time.Time
	s.before = func(r *http.Request) {
		if r.Method == http.MethodPatch {
			mu.Lock()
			defer mu.Unlock()
			if last = time.Now(); first.IsZero() {
				first = last
			}
		}
	}
	s.waiting = 0
	s.plan()
	began := time.Now()
	status, out := s.run("apply", s.file("plan.json"), "--yes", "--quiet", "--max-changes", "100%", "--databricks-rate", "1000,100,200")
	took := time.Since(began)
	if n := len(s.wrote()); status != 0 || n != operations {
		b.Fatalf("exit status %d, %d written\n%s", status, n, out)
	}
	bound := time.Duration(operations) * time.Second / rate
	b.ReportMetric(float64(bound)/float64(last.Sub(first)), "of-bound")
	b.ReportMetric(float64(bound)/float64(took), "whole-of-bound")
	b.ReportMetric(float64(operations)/took.Seconds(), "operations/s")
	b.ReportMetric(0, "ns/op") // one run, whatever b.N asks for
}
