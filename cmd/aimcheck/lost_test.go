package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/history/pgtest"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// The database goes while the directories are read: the reports are written, the
// run ends in 1, nobody is told what cannot be known to be new, and the next run
// carries on.
func TestDatabaseLostWhileReading(t *testing.T) {
	server := pgtest.Start(t)
	vars := map[string]string{"AIMCHECK_HISTORY": server.URL(t, "lost"), "AIMCHECK_NOTIFY": "http://127.0.0.1:1/nobody"}
	var gone sync.Once
	lose := func() {}
	box := sandbox.Start(t, (&company{people: []*person{{n: 1}, {n: 2, linked: true}}}).tenant(), sandbox.Options{Rates: sandbox.NoLimits(), Fault: func(r *http.Request) sandbox.Fault {
		if strings.HasSuffix(r.URL.Path, "/scim/v2/Users") {
			gone.Do(lose)
		}
		return sandbox.Fault{}
	}})
	for _, v := range box.Env() {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	out := filepath.Join(t.TempDir(), "out")
	audit := func() (int, string) {
		var said bytes.Buffer
		status := run(t.Context(), &env{args: []string{"audit", "--quiet", "--out", out, "--format", "json", "--sso-claim", "login", "--databricks-rate", "1000,1000,1000"},
			getenv: func(name string) string { return vars[name] }, readFile: os.ReadFile, stdin: strings.NewReader(""), stdout: &said, stderr: &said, now: time.Now, forget: func(string) {}})
		return status, said.String()
	}
	lose = server.Stop
	status, said := audit()
	if status != 1 || !strings.Contains(said, "the run goes on, and is not kept") || !strings.Contains(said, "the reports are written, but the run was not kept in the history") ||
		!strings.Contains(said, "no alert is sent") || !strings.Contains(said, "NOT READY") {
		t.Errorf("exit status %d\n%s", status, said)
	}
	text, err := os.ReadFile(filepath.Join(out, "findings.json"))
	if err != nil || !bytes.Contains(text, []byte(`"missing-external-id"`)) || bytes.Contains(text, []byte("first_seen")) {
		t.Errorf("%v\n%s", err, text)
	}
	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	delete(vars, "AIMCHECK_NOTIFY")
	if status, said = audit(); status != 3 {
		t.Errorf("exit status %d\n%s", status, said)
	}
	if text, err = os.ReadFile(filepath.Join(out, "findings.json")); err != nil || !bytes.Contains(text, []byte(`"state":"new"`)) {
		t.Errorf("%v\n%s", err, text)
	}
}
