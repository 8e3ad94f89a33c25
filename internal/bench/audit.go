package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
)

// What the audit's figures should reach.
var (
	toDuckDB   = bound{goal: 1. / 4, stretch: 1. / 8}
	allDuckDB  = bound{goal: 1, stretch: 1. / 2}
	toFloor    = bound{goal: 6, stretch: 3}
	toMemory   = bound{goal: 250, stretch: 120}
	toExponent = bound{goal: 1.05, stretch: 1.02}
	toDisk     = bound{goal: 45, stretch: 38}
	toLimit    = bound{goal: 6}
)

// audit measures an audit from a snapshot beside its peers: what each takes from
// the start of its process to its end, but DuckDB from its first byte read.
func (b *bench) audit() error {
	dir, size, err := b.company(b.extent.main, true)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	snapshot, okta, databricks := filepath.Join(dir, snapshotFile), filepath.Join(dir, oktaFile), filepath.Join(dir, databricksFile)
	identities := float64(2 * b.extent.main)

	var six, alone, sixPlan, all, toFloors, simple, asMaps, command series
	duck, why := b.duckDB(okta, databricks)
	for range b.extent.pairs {
		if why == "" {
			if duck, why = b.duckDB(okta, databricks); why != "" {
				return fmt.Errorf("DuckDB: %s", why)
			}
		}
		ours, err := b.job("six", snapshot)
		if err != nil {
			return err
		}
		if why == "" {
			var found told
			if err := json.Unmarshal(ours.out, &found); err != nil {
				return err
			}
			if !reflect.DeepEqual(found, duck.told) {
				return fmt.Errorf("the six rules find %v, and in DuckDB %v", found, duck.told)
			}
			six, alone = append(six, ours.wall/duck.SecondsWithSuggestions), append(alone, ours.wall/duck.Seconds)
		}
		planned, err := b.job("sixplan", snapshot)
		if err != nil {
			return err
		}
		if why == "" {
			sixPlan = append(sixPlan, planned.wall/duck.SecondsWithSuggestions)
		}
		every, err := b.job("all", snapshot)
		if err != nil {
			return err
		}
		if why == "" {
			all = append(all, every.wall/duck.Seconds)
		}
		floor, err := b.job("floor", snapshot)
		if err != nil {
			return err
		}
		work, err := b.job("work", snapshot, dir)
		if err != nil {
			return err
		}
		toFloors = append(toFloors, work.cpu/floor.cpu)
		simple = append(simple, ours.cpu/floor.cpu)
	}
	maps, err := b.job("maps", okta, databricks)
	if err != nil {
		return err
	}
	ours, err := b.job("six", snapshot)
	if err != nil {
		return err
	}
	asMaps = append(asMaps, ours.wall/maps.wall)
	whole, err := b.audited(dir)
	if err != nil {
		return err
	}
	floor, err := b.job("floor", snapshot)
	if err != nil {
		return err
	}
	command = append(command, whole.cpu/floor.cpu)

	const cmd = "`go run ./internal/bench audit`"
	const sixRow = "six core rules with suggestions ÷ DuckDB's with the same suggestions, wall"
	const aloneRow = "six core rules, ours with suggestions ÷ DuckDB's without, wall"
	const planRow = "six core rules with suggestions, ours with both impacts and a sealed plan besides ÷ DuckDB's with suggestions, wall"
	if why != "" {
		b.missing("audit", sixRow, toDuckDB, why)
		b.missing("audit", aloneRow, toDuckDB, why)
		b.missing("audit", planRow, toDuckDB, why)
		b.missing("audit", "all rules, impact and crosswalk ÷ DuckDB's six, wall", allDuckDB, why)
	} else {
		b.add("audit", sixRow, toDuckDB, six, cmd)
		b.add("audit", aloneRow, toDuckDB, alone, cmd)
		b.add("audit", planRow, toDuckDB, sixPlan, cmd)
		b.add("audit", "all rules, impact and crosswalk ÷ DuckDB's six, wall", allDuckDB, all, cmd)
	}
	b.add("audit", "read + all rules + CSV + plan ÷ reading and hashing alone, CPU", toFloor, toFloors, cmd)
	b.add("audit", "the whole command `audit --format csv`, findings.json with its crosswalk included ÷ reading and hashing alone, CPU", bound{}, command, cmd)
	b.add("audit", "read + six core rules ÷ reading and hashing alone, CPU", bound{}, simple, cmd)
	b.add("audit", "six core rules ÷ the same with encoding/json and maps, wall", bound{}, asMaps, cmd)
	b.add("audit", "snapshot on disk, bytes for each identity", toDisk, series{float64(size) / identities}, cmd)
	return nil
}

// duckDB runs the six rules there. why says that it can't.
func (b *bench) duckDB(okta, databricks string) (found struct {
	told
	Seconds, SecondsWithSuggestions float64
}, why string) {
	peers := os.Getenv("AIMCHECK_PEERS")
	if peers == "" {
		return found, "DuckDB is not there: run `make bench`, which installs it, or set AIMCHECK_PEERS"
	}
	c, err := b.command("node", filepath.Join(peers, "duckdb.mjs"), okta, databricks)
	if err == nil {
		err = json.Unmarshal(c.out, &found)
	}
	if err != nil {
		return found, err.Error()
	}
	return found, ""
}

// audited runs the program itself on the snapshot in the folder.
func (b *bench) audited(dir string) (cost, error) {
	out := filepath.Join(dir, "out")
	defer os.RemoveAll(out)
	return b.command(b.aimcheck, "audit", "--snapshot", filepath.Join(dir, snapshotFile), "--out", out, "--format", "csv", "--fail-on", "never")
}

// growth measures how time and memory grow with the company, and with its groups.
func (b *bench) growth() error {
	var users, cpu series
	for _, n := range b.extent.sizes {
		dir, _, err := b.company(n, false)
		if err != nil {
			return err
		}
		runs := min(b.extent.pairs, max(1, 3_000_000/n)) // of millions fewer
		var times, memory series
		for range runs {
			work, err := b.job("work", filepath.Join(dir, snapshotFile), dir)
			if err != nil {
				return err
			}
			whole, err := b.audited(dir)
			if err != nil {
				return err
			}
			times, memory = append(times, work.cpu), append(memory, whole.rss)
		}
		os.RemoveAll(dir)
		users, cpu = append(users, float64(n)), append(cpu, times.median())
		each, gib := make(series, runs), make(series, runs)
		for i, m := range memory {
			each[i], gib[i] = m/float64(2*n), m/(1<<30)
		}
		const cmd = "`go run ./internal/bench growth`"
		to := bound{}
		if n == b.extent.main {
			to = toMemory
		}
		b.add("growth", fmt.Sprintf("resident memory of `audit --format csv` for each identity, %s + %s users, bytes", short(n), short(n)), to, each, cmd)
		if n == b.extent.largest() {
			b.add("growth", fmt.Sprintf("the same in all, GiB, %s + %s users", short(n), short(n)), toLimit, gib, cmd)
		}
	}
	b.add("growth", fmt.Sprintf("growth of CPU (read + all rules + CSV + plan) from %s to %s, exponent", short(b.extent.sizes[0]), short(b.extent.largest())),
		toExponent, series{exponent(users, cpu)}, "`go run ./internal/bench growth`")
	return b.members()
}

// exponent is that of the power of x with which y grows, by least squares.
func exponent(x, y series) float64 {
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func short(n int) string {
	if n%1_000_000 == 0 {
		return fmt.Sprintf("%dM", n/1_000_000)
	}
	return fmt.Sprintf("%dk", n/1000)
}
