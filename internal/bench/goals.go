package main

import (
	"strconv"
	"strings"
)

// A goal is a row that a Go benchmark feeds: it measures both sides of the pair
// in one iteration, and reports the figure as a metric.
type goal struct {
	part, what string
	to         bound
	pkg        string // in this module
	benchmark  string
	metric     string
}

var goals = []goal{
	{"audit", "reading the snapshot ÷ reading plain NDJSON", bound{goal: 1.7, stretch: 1.3}, "internal/snapfile", "BenchmarkGoalRead", "time/plain"},

	{"reading", "fraction of the bound, 1M Okta users, 8 or more readers, virtual time", bound{goal: 0.97, stretch: 0.985, atLeast: true}, "internal/okta", "BenchmarkGoalReading", "of-bound"},
	{"reading", "429 answers caused when alone on the bucket", bound{}, "internal/okta", "BenchmarkGoalReading", "429s"},
	{"reading", "share of the bucket left to the org's other clients", bound{}, "internal/okta", "BenchmarkGoalReading", "reserve-left"},
	{"reading", "requests ÷ fewest pages", bound{goal: 1.02, stretch: 1.005}, "internal/okta", "BenchmarkGoalReading", "requests/fewest"},
	{"reading", "memory while fetching 1M users, bytes for each", bound{goal: 300, stretch: 200}, "internal/okta", "BenchmarkGoalReading", "B/user"},
	{"reading", "CPU for each Okta user ÷ the SDK's own decoding", bound{goal: 0.1, stretch: 0.05}, "internal/okta", "BenchmarkGoalDecoding", "CPU/SDK"},
	{"reading", "requests of one audit at the vendor's sample size, without members", bound{goal: 60, stretch: 50}, "cmd/aimcheck", "BenchmarkGoalRequests", "requests"},

	{"reports", "XLSX of 1M findings ÷ excelize's StreamWriter alone on the same cells, CPU", bound{goal: 1.15}, "report", "BenchmarkGoalXLSX", "CPU/StreamWriter"},
	{"reports", "memory of the whole workbook at most, besides the report, MiB", bound{goal: 300}, "report", "BenchmarkGoalXLSX", "peak-MiB"},
	{"reports", "`findings.csv` of 1M findings ÷ encoding/csv alone", bound{goal: 1.2}, "report", "BenchmarkGoalCSV", "time/encoding-csv"},
	{"reports", "`subjects.csv` of the same ÷ encoding/csv alone", bound{goal: 1.2}, "report", "BenchmarkGoalSubjectsCSV", "time/encoding-csv"},
	{"reports", "HTML report of 100k findings in Chromium: first paint, seconds", bound{goal: 2}, "report", "BenchmarkGoalHTML", "first-paint-s"},
	{"reports", "filtering it, milliseconds", bound{goal: 200}, "report", "BenchmarkGoalHTML", "filter-ms"},
	{"reports", "apply: fraction of the write-rate bound, reads included", bound{goal: 0.95, atLeast: true}, "cmd/aimcheck", "BenchmarkGoalApply", "of-bound"},
}

// goBenchmarks runs the benchmarks of the part, each once.
func (b *bench) goBenchmarks(part string) error {
	type key struct{ pkg, benchmark string }
	measured, said := map[key]map[string]series{}, map[key]string{}
	for _, g := range goals {
		if g.part != part {
			continue
		}
		k := key{g.pkg, g.benchmark}
		if _, done := measured[k]; !done {
			args := []string{"test", "-run", "^$", "-bench", "^" + g.benchmark + "$", "-v", "-benchtime", "1x", "-timeout", "20m", "-count", strconv.Itoa(b.extent.pairs)}
			if b.extent.short {
				args = append(args, "-short")
			}
			c, err := b.command("go", append(args, "github.com/aimcheck/aimcheck/"+g.pkg)...)
			if err != nil {
				return err
			}
			measured[k], said[k] = metrics(string(c.out)), skipped(string(c.out))
		}
		s := measured[k][g.metric]
		if len(s) == 0 {
			why := said[k]
			if why == "" {
				why = "there is no " + g.benchmark + " in " + g.pkg + " that reports " + g.metric
			}
			b.missing(g.part, g.what, g.to, why)
			continue
		}
		b.add(g.part, g.what, g.to, s, "`go test ./"+g.pkg+" -run '^$' -bench "+g.benchmark+" -benchtime 1x -count 5`")
	}
	return nil
}

// metrics reads the figures of the benchmarks' output, by their units.
func metrics(out string) map[string]series {
	all := map[string]series{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			if v, err := strconv.ParseFloat(words[i], 64); err == nil {
				all[words[i+1]] = append(all[words[i+1]], v)
			}
		}
	}
	return all
}

// skipped returns why a benchmark was skipped, if one was: what "go test -v" says on
// the line before.
func skipped(out string) string {
	before, _, found := strings.Cut(out, "\n--- SKIP: ")
	if !found {
		return ""
	}
	why := before[strings.LastIndexByte(before, '\n')+1:]
	if _, reason, ok := strings.Cut(why, ".go:"); ok { // behind the file comes the line
		_, why, _ = strings.Cut(reason, ": ")
	}
	return why
}
