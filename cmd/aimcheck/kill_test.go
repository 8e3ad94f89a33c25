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

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// A process that is killed at any moment, again and again, leaves a journal from
// which the next run carries on: in the end the directories and the journal's
// story are those of a run that nothing disturbed, and each field was written
// once. Then the same of the rollback. The long form, AIMCHECK_SOAK=1, kills 200
// times each.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	plans, kills := 1, 3
	if os.Getenv("AIMCHECK_SOAK") != "" {
		plans, kills = 40, 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	want := killed(t, random, 0)
	for range plans {
		if diff := cmp.Diff(want, killed(t, random, kills)); diff != "" {
			t.Errorf("not as undisturbed:\n%s", diff)
		}
	}
}

// An afterwards is what a plan, and then its rollback, have come to.
type afterwards struct {
	Applied, Undone map[string]string // by object: what is there
	Story, Undoing  map[string]string // by operation: how it ended in the journal
}

// killed applies a plan and rolls it back, killing the process at random moments
// so many times before a run may end by itself.
func killed(t *testing.T, random *rand.Rand, kills int) (end afterwards) {
	const people, groups = 30, 20
	tenant := unlinked(people)
	for i := range groups {
		tenant.Okta.Groups = append(tenant.Okta.Groups, json.RawMessage(fmt.Sprintf(`{"id":"00g%d","type":"OKTA_GROUP","profile":{"name":"Team %d"}}`, i, i)))
		tenant.Databricks.Groups = append(tenant.Databricks.Groups, json.RawMessage(fmt.Sprintf(`{"id":"%d","displayName":"Team %d","meta":{"resourceType":"Group"}}`, 2000+i, i)))
	}
	s := newScene(t, tenant, sandbox.Options{})
	program := aimcheck(t, s.dir, s.box)
	s.plan()
	until := func(writes int, args ...string) (values, story map[string]string) {
		for run := range kills + 1 {
			cmd := program(append(args, "--yes", "--quiet", "--databricks-rate", "1000,1000,60")...)
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
		if n := len(s.box.Writes()); n != writes {
			t.Errorf("%d writes, want %d", n, writes)
		}
		return s.values(), s.ends()
	}
	end.Applied, end.Story = until(people+groups, "apply", s.file("plan.json"), "--journal", s.file("journal.jsonl"))
	s.wrote() // complains of what is written twice
	end.Undone, end.Undoing = until(people+2*groups, "rollback", s.file("journal.jsonl"))
	return end
}

// A disk that is full before a write means no write. What ended while it was full
// is read when there is room again.
func TestJournalOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := newScene(t, crowd(), sandbox.Options{})
	s.plan()
	cmd := aimcheck(t, s.dir, s.box)("apply", s.file("plan.json"), "--journal", s.file("journal.jsonl"), "--yes", "--quiet")
	shell := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `ulimit -f 2; exec "$@"`, "sh"}, cmd.Args...)...) // 1,024 bytes
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	out, err := shell.CombinedOutput()
	if status(err) != exitIncomplete || !strings.Contains(string(out), "file too large; the journal is ") {
		t.Errorf("%v\n%s", err, out)
	}
	story, err := apply.ReadJournal(s.file("journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	intents := map[string]bool{}
	for _, e := range story.Entries {
		intents[e.Target.ID] = intents[e.Target.ID] || e.Phase == apply.Intent
	}
	wrote := s.wrote()
	for id := range wrote {
		if !intents[id] {
			t.Errorf("%s was written, and the journal has no intent", id)
		}
	}
	if len(wrote) == 0 || len(wrote) == 5 {
		t.Errorf("%d were written: that proves little", len(wrote))
	}
	if status, out := s.apply(); status != 0 || len(s.wrote()) != 5 {
		t.Errorf("with room again: exit status %d, %v written\n%s", status, s.wrote(), out)
	}
	for id, told := range s.told() {
		if told != "intent done" {
			t.Errorf("the journal tells of %s %q", id, told)
		}
	}
}

// Two runs on one journal exclude each other.
func TestTwoRunsOnOneJournal(t *testing.T) {
	t.Parallel()
	s := newScene(t, crowd(), sandbox.Options{})
	s.plan()
	reached, goOn := make(chan string, 1), make(chan struct{})
	slow := s.firstPatch(reached, goOn)
	cmd := aimcheck(t, s.dir, s.box)("apply", s.file("plan.json"), "--journal", s.file("journal.jsonl"), "--yes", "--quiet", "--databricks-rate", "1000,1000,200")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	for _, run := range []func() (int, string){func() (int, string) { return s.apply() }, s.rollback} {
		if status, out := run(); status != 1 || !strings.Contains(out, "another run is at work on it") {
			t.Errorf("beside another run: exit status %d\n%s", status, out)
		}
	}
	close(goOn)
	slow()
	if err := cmd.Wait(); err != nil || len(s.wrote()) != 5 {
		t.Errorf("%v, %v written", err, s.wrote())
	}
}

// ends returns how each operation ended by the journal, which must hold the
// intent before, and no end twice.
func (s *scene) ends() map[string]string {
	story, err := apply.ReadJournal(s.file("journal.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	ends, intents := map[string]string{}, map[string]int{}
	for _, e := range story.Entries {
		if e.Phase == apply.Intent {
			intents[e.Op]++
			continue
		}
		if e.Phase == apply.Done && (ends[e.Op] != "" && !strings.HasPrefix(ends[e.Op], string(apply.Failed)) || intents[e.Op] == 0) {
			s.t.Errorf("%s is done after %d intents, and was %q", e.Op, intents[e.Op], ends[e.Op])
		}
		ends[e.Op] = fmt.Sprintf("%s %s %s %q to %q, found %q", e.Phase, e.Target, e.Field, e.From, e.To, e.Observed)
	}
	return ends
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
		cmd.Env = append(append(os.Environ(), box.Env()...), patienceInTests+"=1s")
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
