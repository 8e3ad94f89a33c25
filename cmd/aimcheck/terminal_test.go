package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// A terminal that does not say how wide it is, as some have that no window shows, gets
// lines: bars would be drawn none wide.
func TestTerminalOfNoWidth(t *testing.T) {
	_, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	e := &env{outWidth: columns(terminal, 80), errWidth: columns(terminal, 0), getenv: func(string) string { return "" }}
	if e.redraws() || e.outWidth != 80 {
		t.Errorf("redraws: %v, stdout %d wide", e.redraws(), e.outWidth)
	}
}

// At a terminal apply shows what it would do and what can't be undone, and asks.
// Whatever but yes, and Ctrl-C too, leaves everything as it is.
func TestConfirmationAtATerminal(t *testing.T) {
	t.Parallel()
	s := newScene(t, crowd(), sandbox.Options{})
	s.plan()
	for _, c := range []struct {
		answer string
		status int
		says   string
		writes int
	}{
		{"no\r", 1, "nothing was written: the answer was not yes", 0},
		{"\x03", exitInterrupted, "interrupted: nothing was written", 0},
		{"\x04", 1, "nothing was written: the answer was not yes", 0}, // the end of the input
		{"yes\r", 0, `done +5\r\n`, 5},
	} {
		cmd := aimcheck(t, t.TempDir(), s.box)("apply", s.file("plan.json"), "--journal", s.file("journal.jsonl"), "--databricks-rate", "1000,1000,200")
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		shown := until(t, terminal, "Type yes to go on: ")
		for _, want := range []string{"To be sent: 5\r\n", "databricks:group +set_external_id +1\r\n", "databricks:user +set_external_id +4\r\n",
			"Can't be undone: 4 of them", `op-0002  databricks:user:1000 "u0@example.com" gets externalId "00u0"`, "WARNING: pause SCIM provisioning", "databricks_group.external_id"} {
			if !matches(shown, want) && !strings.Contains(shown, want) {
				t.Errorf("before it asks it does not show %q:\n%s", want, shown)
			}
		}
		if _, err := io.WriteString(terminal, c.answer); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(terminal) // fails when the program has gone
		if got := status(cmd.Wait()); got != c.status || !matches(string(rest), c.says) || len(s.box.Writes()) != c.writes {
			t.Errorf("%q ends in %d after %d writes, want %d and %d; it says\n%s", c.answer, got, len(s.box.Writes()), c.status, c.writes, rest)
		}
		terminal.Close()
	}
}

// Ctrl-C ends a run after the write under way, and twice at once. Either way the
// next run carries on, and nothing is written twice.
func TestCtrlC(t *testing.T) {
	for _, c := range []struct {
		name   string
		twice  bool
		status int
		told   string
	}{
		{"once", false, exitInterrupted, "intent done"},
		{"twice", true, -1, "intent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, crowd(), sandbox.Options{})
			s.plan()
			reached, goOn := make(chan string, 1), make(chan struct{})
			slow := s.firstPatch(reached, goOn)
			cmd := aimcheck(t, s.dir, s.box)("apply", s.file("plan.json"), "--journal", s.file("journal.jsonl"), "--yes", "--quiet", "--databricks-rate", "1000,1000,0.5")
			said, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			cmd.Stdout = &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			under := <-reached
			interrupt(t, cmd)
			until(t, said, "seen through; Ctrl-C again ends at once")
			if c.twice {
				interrupt(t, cmd)
				_, _ = io.ReadAll(said)
				if err := cmd.Wait(); !killedBy(err, syscall.SIGINT) {
					t.Errorf("it ended with %v", err)
				}
				close(goOn)
			} else {
				close(goOn)
				rest, _ := io.ReadAll(said)
				if got := status(cmd.Wait()); got != c.status || !strings.Contains(string(rest), "interrupted: what was done stands in") {
					t.Errorf("it ended with %d and said\n%s", got, rest)
				}
				if !matches(out.String(), `done +1\n.*\n.*\n.*\n.*\nnot tried +4\n`) {
					t.Errorf("it reported\n%s", out.String())
				}
			}
			slow()
			if told := s.told(); told[under] != c.told || len(told) != 1 {
				t.Errorf("the journal tells %v", told)
			}
			if status, out := s.apply(); status != 0 {
				t.Errorf("exit status %d\n%s", status, out)
			}
			if told, wrote := s.told(), s.wrote(); told[under] != "intent done" || len(told) != 5 || len(wrote) != 5 {
				t.Errorf("then it tells %v, and %v were written", told, wrote)
			}
		})
	}
}

// A terminal that is closed ends a run as Ctrl-C does, with nothing half-written
// left behind; under nohup it goes on.
func TestHangUp(t *testing.T) {
	for _, c := range []struct {
		name, shell string
		status      int
	}{
		{"closed", `exec "$@"`, exitInterrupted},
		{"nohup", `trap "" HUP; exec "$@"`, exitFindings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(syscall.SIGHUP) {
				t.Skip("these tests run under nohup: so does all that they start")
			}
			s := newScene(t, crowd(), sandbox.Options{})
			reached, goOn := make(chan struct{}), make(chan struct{})
			var met atomic.Bool
			s.mu.Lock()
			s.before = func(r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/Users") && !met.Swap(true) {
					close(reached)
					select {
					case <-goOn:
					case <-r.Context().Done():
					}
				}
			}
			s.mu.Unlock()
			cmd := aimcheck(t, s.dir, s.box)("audit", "--out", "reports", "--quiet")
			cmd.Args = append([]string{"sh", "-c", c.shell, "sh", cmd.Path}, cmd.Args[1:]...)
			cmd.Path = "/bin/sh"
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-reached
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			if c.status == exitFindings {
				close(goOn)
			}
			if got := status(cmd.Wait()); got != c.status {
				t.Errorf("exit status %d, want %d", got, c.status)
			}
			if _, err := os.Stat(s.file("reports")); (err == nil) != (c.status == exitFindings) {
				t.Errorf("it left reports: %t", err == nil)
			}
		})
	}
}

// What a server says can't drive the terminal that its errors are shown at.
func TestErrorsOfAServerAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1/token", "/Users", "/groups"} {
		s := newScene(t, crowd(), sandbox.Options{})
		s.goesWrong(func(r *http.Request) sandbox.Fault {
			if !strings.HasSuffix(r.URL.Path, path) {
				return sandbox.Fault{}
			}
			const said = `no\u001b[31m\u202eway`
			return sandbox.Fault{Status: http.StatusForbidden, Body: `{"error":"` + said + `","error_description":"` + said + `","errorCode":"E1","errorSummary":"` + said + `","detail":"` + said + `"}`}
		})
		status, out := s.run("snapshot", "-o", s.file("x.snapshot"), "--quiet")
		if status == 0 || !strings.Contains(out, "way") || strings.ContainsAny(out, "\x1b\u202e") {
			t.Errorf("%s: exit status %d, and it says %q", path, status, out)
		}
	}
}

// firstPatch holds the first PATCH back, telling reached whom it is about, until
// goOn is closed; it then takes effect, whether or not its sender is still there.
// What it returns waits for that.
func (s *scene) firstPatch(reached chan<- string, goOn <-chan struct{}) (done func()) {
	ended := make(chan struct{})
	var held atomic.Bool
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = func(r *http.Request) {
		if r.Method != http.MethodPatch || held.Swap(true) {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		reached <- r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		<-goOn
		close(ended)
	}
	return func() { <-ended }
}

func interrupt(t *testing.T, cmd *exec.Cmd) {
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

func status(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}

func killedBy(err error, s syscall.Signal) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.Sys().(syscall.WaitStatus).Signaled() && exit.Sys().(syscall.WaitStatus).Signal() == s
}

// until reads up to the end of what is waited for, and returns all of it.
func until(t *testing.T, r io.Reader, what string) string {
	t.Helper()
	var read []byte
	for next := make([]byte, 1); !bytes.HasSuffix(read, []byte(what)); read = append(read, next...) {
		if _, err := r.Read(next); err != nil {
			t.Fatalf("%v before %q; it said\n%s", err, what, read)
		}
	}
	return string(read)
}
