package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// A process that is killed at any moment, again and again, leaves a journal from
// which the next run carries on: in the end everything is written, each field
// once, and the journal tells of every write. The long form, AIMCHECK_SOAK=1,
// kills 200 times.
func TestKilledAgainAndAgain(t *testing.T) {
	plans, kills := 1, 3
	if os.Getenv("AIMCHECK_SOAK") != "" {
		plans, kills = 40, 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range plans {
		applyKilled(t, random, kills)
	}
}

// applyKilled applies one plan, killing the process at random moments so many
// times before a run may end by itself.
func applyKilled(t *testing.T, random *rand.Rand, kills int) {
	const people = 40
	box := sandbox.Start(t, unlinked(people), sandbox.Options{Rates: sandbox.NoLimits()})
	dir := t.TempDir()
	plan, journal := filepath.Join(dir, "plan.json"), filepath.Join(dir, "plan.journal.jsonl")
	program := aimcheck(t, dir, box)
	if out, err := program("plan", "-o", plan, "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for run := range kills + 1 {
		cmd := program("apply", plan, "--journal", journal, "--yes", "--quiet", "--databricks-rate", "1000,1000,60")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if run < kills {
			time.AfterFunc(time.Duration(random.IntN(900))*time.Millisecond, func() { cmd.Process.Kill() })
			_ = cmd.Wait() // killed, or done before it was
		} else if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	written := map[string]int{}
	for _, w := range box.Writes() {
		written[fmt.Sprint(w.Target, " ", w.Field)]++
	}
	for what, n := range written {
		if n != 1 {
			t.Errorf("%s was written %d times", what, n)
		}
	}
	if len(written) != people {
		t.Errorf("%d of %d were written", len(written), people)
	}
	told := map[string]int{}
	data, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var e struct{ Phase, Target string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if e.Phase == "done" {
			told[e.Target]++
		}
	}
	if len(told) != people {
		t.Errorf("the journal tells of %d writes, want %d\n%s", len(told), people, data)
	}
}

// aimcheck returns how to run this very program, in a process of its own, on the
// directories of box.
func aimcheck(t *testing.T, dir string, box *sandbox.Running) func(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "aimcheck") // TestMain goes by the name
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), box.Env()...)
		return cmd
	}
}

// unlinked are people who lack nothing but the link.
func unlinked(n int) *sandbox.Tenant {
	var t sandbox.Tenant
	for i := range n {
		t.Okta.Users = append(t.Okta.Users, json.RawMessage(fmt.Sprintf(
			`{"id":"00u%d","status":"ACTIVE","profile":{"login":"u%d@example.com","email":"u%d@example.com","firstName":"A","lastName":"B"}}`, i, i, i)))
		t.Databricks.Users = append(t.Databricks.Users, json.RawMessage(fmt.Sprintf(
			`{"id":"%d","userName":"u%d@example.com","name":{"givenName":"A","familyName":"B"},"active":true}`, 1000+i, i)))
	}
	return &t
}
