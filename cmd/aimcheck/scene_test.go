package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// A scene is a pair of directories, a plan for them, and what is about to go wrong.
type scene struct {
	t    testing.TB
	box  *sandbox.Running
	dir  string
	vars map[string]string

	mu      sync.Mutex
	before  func(r *http.Request)               // told of every request, several at a time
	fault   func(r *http.Request) sandbox.Fault // asked about every request, one at a time
	last    map[string]string                   // by path: the method of the last request
	unread  []string                            // PATCHes without a GET just before
	waiting time.Duration
}

// newScene serves the tenant, and nothing goes wrong yet.
func newScene(t testing.TB, tenant *sandbox.Tenant, o sandbox.Options) *scene {
	s := &scene{t: t, dir: t.TempDir(), last: map[string]string{}, waiting: 600 * time.Millisecond}
	o.Rates, o.Fault = sandbox.NoLimits(), s.meets
	s.box = sandbox.Start(t, tenant, o)
	s.vars = map[string]string{}
	for _, v := range s.box.Env() {
		name, value, _ := strings.Cut(v, "=")
		s.vars[name] = value
	}
	return s
}

func (s *scene) meets(r *http.Request) sandbox.Fault {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPatch && s.last[r.URL.Path] != http.MethodGet {
		s.unread = append(s.unread, r.URL.Path)
	}
	s.last[r.URL.Path] = r.Method
	if s.fault == nil {
		return sandbox.Fault{}
	}
	return s.fault(r)
}

// goesWrong sets what happens to requests from now on.
func (s *scene) goesWrong(fault func(r *http.Request) sandbox.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func (s *scene) file(name string) string { return filepath.Join(s.dir, name) }

// run runs a command of the program as main does.
func (s *scene) run(args ...string) (status int, output string) {
	var out bytes.Buffer
	e := &env{
		args: args, getenv: func(name string) string { return s.vars[name] }, readFile: os.ReadFile,
		stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now, forget: func(string) {}, patience: s.waiting,
	}
	status = run(s.t.Context(), e)
	return status, out.String()
}

func (s *scene) plan(args ...string) {
	status, out := s.run(append([]string{"plan", "-o", s.file("plan.json"), "--quiet"}, args...)...)
	if status != 0 {
		s.t.Errorf("plan: exit status %d\n%s", status, out)
	}
}

func (s *scene) apply(args ...string) (status int, output string) {
	return s.run(append([]string{"apply", s.file("plan.json"), "--journal", s.file("journal.jsonl"),
		"--yes", "--quiet", "--databricks-rate", "1000,1000,200"}, args...)...)
}

func (s *scene) rollback() (status int, output string) {
	return s.run("rollback", s.file("journal.jsonl"), "--yes", "--quiet", "--databricks-rate", "1000,1000,200")
}

// told returns what the journal says of each operation: its phases, and what was
// observed where it is not what was to be written or what was there before.
func (s *scene) told() map[string]string {
	told := map[string]string{}
	story, err := apply.ReadJournal(s.file("journal.jsonl"))
	if err != nil {
		s.t.Error(err)
		return nil
	}
	for _, e := range story.Entries {
		line := string(e.Phase)
		if e.Observed != e.From && e.Observed != e.To {
			line += "(" + e.Observed + ")"
		}
		told[e.Target.ID] = strings.TrimSpace(told[e.Target.ID] + " " + line)
	}
	return told
}

// values returns the externalIds of all that Databricks has.
func (s *scene) values() map[string]string {
	values := map[string]string{}
	t := s.box.Tenant()
	for _, raw := range slices.Concat(t.Databricks.Users, t.Databricks.Groups, t.Databricks.ServicePrincipals) {
		var o struct{ ID, ExternalID string }
		if err := json.Unmarshal(raw, &o); err != nil {
			s.t.Error(err)
		}
		values[o.ID] = o.ExternalID
	}
	return values
}

// wrote returns the writes that took effect, and complains of any that is twice
// or that had no read just before.
func (s *scene) wrote() map[string]string {
	wrote := map[string]string{}
	for _, w := range s.box.Writes() {
		id := w.Target.ID
		if _, twice := wrote[id]; twice {
			s.t.Errorf("%s was written twice", w.Target)
		}
		wrote[id] = w.From + "→" + w.To
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range s.unread {
		s.t.Errorf("%s was not read just before it was written", path)
	}
	return wrote
}
