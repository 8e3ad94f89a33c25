package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A cost is what one process took, as the operating system saw it.
type cost struct {
	wall, cpu float64 // seconds
	rss       float64 // bytes at most
	out       []byte
}

// command runs a program to its end.
func (b *bench) command(name string, args ...string) (cost, error) {
	cmd := exec.CommandContext(b.ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	started := time.Now()
	err := cmd.Run()
	c := cost{wall: time.Since(started).Seconds(), out: out.Bytes()}
	if err != nil {
		return c, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, errs.String())
	}
	c.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.rss = float64(usage.Maxrss) * 1024 // Linux counts in KiB
	}
	return c, nil
}

// job runs one of [jobs] in a process of its own.
func (b *bench) job(args ...string) (cost, error) { return b.command(b.self, args...) }

// company makes the tenant of so many users on each side, and returns its folder
// and the size of its snapshot.
func (b *bench) company(users int, ndjson bool) (dir string, snapshot int64, err error) {
	dir = filepath.Join(b.dir, fmt.Sprint(users))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", 0, err
	}
	say("making a company of %d users on each side", users)
	if _, err := b.job("tenant", dir, fmt.Sprint(users), fmt.Sprint(ndjson)); err != nil {
		return "", 0, err
	}
	info, err := os.Stat(filepath.Join(dir, snapshotFile))
	if err != nil {
		return "", 0, err
	}
	return dir, info.Size(), nil
}

// A series is one figure, measured several times.
type series []float64

func (s series) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread says within what the measurements were.
func (s series) spread(format func(float64) string) string {
	if len(s) < 2 {
		return "one run"
	}
	return fmt.Sprintf("%s to %s, %d runs", format(slices.Min(s)), format(slices.Max(s)), len(s))
}

// A row is a line of the page.
type row struct {
	part          string
	what          string
	goal, stretch string
	figure        string
	spread        string
	reached       string // of a goal: "yes", "no", "stretch" or blank
	command       string
}

// number writes a figure with as many digits as mean something.
func number(v float64) string {
	switch {
	case v >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case 1 < v && v < 1.1: // such as what is asked for beyond what is needed
		return fmt.Sprintf("%.4g", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// A bound is what a figure should reach: at most, or at least, two values.
type bound struct {
	goal, stretch float64
	atLeast       bool
}

func (b bound) reached(v float64) string {
	no := func(limit float64) bool { return !b.atLeast && v > limit || b.atLeast && v < limit }
	switch {
	case b == bound{}:
		return ""
	case no(b.goal):
		return "no"
	case b.stretch != 0 && !no(b.stretch):
		return "stretch"
	}
	return "yes"
}

func (b bound) texts() (goal, stretch string) {
	sign := "≤ "
	if b.atLeast {
		sign = "≥ "
	}
	if b == (bound{}) {
		return "", ""
	}
	if b.stretch != 0 {
		stretch = sign + number(b.stretch)
	}
	return sign + number(b.goal), stretch
}

// add adds the row of a figure.
func (b *bench) add(part, what string, to bound, s series, command string) {
	r := row{part: part, what: what, figure: number(s.median()), spread: s.spread(number), reached: to.reached(s.median()), command: command}
	r.goal, r.stretch = to.texts()
	say("%s: %s (%s)", what, r.figure, r.spread)
	b.rows = append(b.rows, r)
}

// missing adds the row of a figure that could not be had.
func (b *bench) missing(part, what string, to bound, why string) {
	r := row{part: part, what: what, figure: "not measured", spread: cmp.Or(why, "it said nothing")}
	r.goal, r.stretch = to.texts()
	say("%s: not measured: %s", what, why)
	b.rows = append(b.rows, r)
}
