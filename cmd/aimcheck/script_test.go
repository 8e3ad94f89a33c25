package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aimcheck": func() {
		e := osEnv()
		if d, err := time.ParseDuration(os.Getenv(patienceInTests)); err == nil {
			e.patience = d
		}
		os.Exit(start(e))
	}})
}

// patienceInTests is the variable that tells a process that a test starts how
// long reads may lag behind a write.
const patienceInTests = "AIMCHECK_TEST_PATIENCE"

// TestScripts runs the scripts in testdata/script. Besides testscript's own
// commands they have:
//
//	sandbox [tenant FILE] [users N] [dpop] [clock DURATION] [scopes LIST] [wrong LIST] [hang PATH] [fail PATH] [cut PATH] [stall PATH]
//		serves imitations of both APIs and sets the environment to them;
//		at the end of the script no request may have been refused
//	exits STATUS COMMAND…
//		runs the command and demands the exit status
//	reached
//		waits until the sandbox hangs
//	newkey FILE
//		writes a private key that nobody knows
//	webhook FILE [STATUS]
//		serves a webhook, sets WEBHOOK to its address, and writes what it gets
//		to the file, one body a line
//	valid NAME FILE
//		demands that every JSON value of the file, a snapshot's too, is as docs/schema/NAME.json says
//	mode BITS FILE…
//		demands the files' permissions
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in testdata/script: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files:              scripts,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "SCRIPT="+env.WorkDir)
			env.Values[hanging{}] = make(chan struct{})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sandbox": startSandbox,
			"exits":   exits,
			"reached": func(ts *testscript.TestScript, _ bool, _ []string) { <-ts.Value(hanging{}).(chan struct{}) },
			"newkey":  newKey,
			"mode":    mode,
			"valid":   valid,
			"webhook": webhook,
		},
	})
}

// hanging is the key of the channel that is closed when the sandbox hangs.
type hanging struct{}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func newKey(ts *testscript.TestScript, _ bool, args []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

func webhook(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: webhook FILE [STATUS]")
	}
	status := http.StatusOK
	if len(args) > 1 {
		var err error
		status, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	name := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(name, nil, 0o600))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		f, e := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil && e == nil {
			_, err = fmt.Fprintf(f, "%s signed:%t\n", body, r.Header.Get("Aimcheck-Signature") != "")
			f.Close()
		}
		if err != nil || e != nil {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
	}))
	ts.Defer(server.Close)
	ts.Setenv("WEBHOOK", server.URL+"/hush")
}

func mode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if info.Mode().Perm() != os.FileMode(want) {
			ts.Fatalf("%s has mode %v, want %v", name, info.Mode().Perm(), os.FileMode(want))
		}
	}
}

func startSandbox(ts *testscript.TestScript, _ bool, args []string) {
	tenant, o := sandbox.Demo(), sandbox.Options{}
	hangs := sync.OnceFunc(func() { close(ts.Value(hanging{}).(chan struct{})) })
	for len(args) > 0 {
		what, value := args[0], ""
		args = args[1:]
		if what != "dpop" {
			if len(args) == 0 {
				ts.Fatalf("sandbox: %s what?", what)
			}
			value, args = args[0], args[1:]
		}
		switch what {
		case "dpop":
			o.DPoP = true
		case "tenant":
			t, err := sandbox.ReadTenant(strings.NewReader(ts.ReadFile(value)), value)
			ts.Check(err)
			tenant = t
		case "users":
			n, err := strconv.Atoi(value)
			ts.Check(err)
			tenant = sandbox.Generate(1, n)
		case "clock":
			d, err := time.ParseDuration(value)
			ts.Check(err)
			o.Now = func() time.Time { return time.Now().Add(d) }
		case "scopes":
			o.OktaScopes = strings.Split(value, ",")
		case "wrong":
			for _, name := range strings.Split(value, ",") {
				w, err := sandbox.ParseWrong(name)
				ts.Check(err)
				o.Wrong = append(o.Wrong, w)
			}
		case "hang":
			o.Fault = at(value, func(r *http.Request) sandbox.Fault {
				hangs()
				<-r.Context().Done()
				return sandbox.Fault{Reset: true}
			})
		case "hang-once": // the first request below it is never answered
			var met atomic.Bool
			o.Fault = func(r *http.Request) sandbox.Fault {
				if !strings.Contains(r.URL.Path, value) || met.Swap(true) {
					return sandbox.Fault{}
				}
				hangs()
				<-r.Context().Done()
				return sandbox.Fault{Reset: true}
			}
		case "stall": // the first PATCH of it takes effect when its sender has gone
			stalls := true
			o.Fault = at(value, func(r *http.Request) sandbox.Fault {
				if r.Method == http.MethodPatch && stalls {
					stalls = false
					body, err := io.ReadAll(r.Body)
					ts.Check(err)
					hangs()
					<-r.Context().Done()
					r.Body = io.NopCloser(bytes.NewReader(body))
				}
				return sandbox.Fault{}
			})
		case "fail":
			o.Fault = at(value, func(*http.Request) sandbox.Fault { return sandbox.Fault{Status: http.StatusForbidden, Body: "{}"} })
		case "cut":
			o.Fault = at(value, func(*http.Request) sandbox.Fault { return sandbox.Fault{Cut: true, CutAfter: 100} })
		default:
			ts.Fatalf("sandbox: unknown %q", what)
		}
	}
	s := sandbox.Start(tester{ts}, tenant, o)
	for _, v := range s.Env() {
		name, value, _ := strings.Cut(v, "=")
		ts.Setenv(name, value)
	}
	ts.Setenv("SANDBOX", s.URL)
}

func at(path string, f func(*http.Request) sandbox.Fault) func(*http.Request) sandbox.Fault {
	return func(r *http.Request) sandbox.Fault {
		if !strings.HasSuffix(r.URL.Path, path) {
			return sandbox.Fault{}
		}
		return f(r)
	}
}

// tester lets a sandbox serve a script as it serves a test.
type tester struct{ *testscript.TestScript }

func (t tester) Helper()                           {}
func (t tester) Cleanup(f func())                  { t.Defer(f) }
func (t tester) Errorf(format string, args ...any) { t.Fatalf(format, args...) }
