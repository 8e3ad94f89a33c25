package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// What is missing is asked for, a wrong answer again; the secret is tried, and
// neither shown nor written.
func TestInitAsks(t *testing.T) {
	box := sandbox.Start(t, sandbox.Demo(), sandbox.Options{})
	dir := t.TempDir()
	key, file := filepath.Join(dir, "key.pem"), filepath.Join(dir, "aimcheck.yaml")
	if err := os.WriteFile(key, []byte(box.OktaPrivateKeyPEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	answers := []string{
		"nonsense", box.URL + "/", sandbox.OktaClientID, filepath.Join(dir, "none.pem"), key,
		box.URL, "42", sandbox.DatabricksAccountID, sandbox.DatabricksClientID, "mail", "email", "", "",
	}
	var stdout, stderr bytes.Buffer
	e := &env{readFile: os.ReadFile, getenv: func(string) string { return "" }, now: time.Now}
	e.args, e.stdout, e.stderr, e.asks = []string{"init", "-o", file}, &stdout, &stderr, true
	e.stdin = strings.NewReader(strings.Join(answers, "\n") + "\n")
	e.readSecret = func(context.Context) ([]byte, error) { return []byte(sandbox.DatabricksClientSecret), nil }
	if code := run(t.Context(), e); code != 0 {
		t.Fatalf("exit status %d\n%s%s", code, &stdout, &stderr)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`okta-org-url: "` + box.URL, `okta-private-key: "` + key + `"`, `databricks-account-id: "` + sandbox.DatabricksAccountID, `    sso-claim: "email"`, `    # unified-login: `} {
		if !strings.Contains(string(written), want) {
			t.Errorf("%q is not written:\n%s", want, written)
		}
	}
	for _, want := range []string{"is no URL of a server", "cannot read", `"42" is no account id`, "expected login, email or other"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is not said:\n%s", want, &stderr)
		}
	}
	if !strings.Contains(stdout.String(), "set DATABRICKS_CLIENT_SECRET before the next command") {
		t.Errorf("where the secret goes is not said:\n%s", &stdout)
	}
	for _, text := range []string{stdout.String(), stderr.String(), string(written)} {
		if strings.Contains(text, sandbox.DatabricksClientSecret) || strings.Contains(text, "BEGIN") {
			t.Errorf("a secret is shown:\n%s", text)
		}
	}
}

// Ctrl-D leaves out all that is not asked yet.
func TestInitLeavesOutTheRest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "aimcheck.yaml")
	var stdout, stderr bytes.Buffer
	e := &env{readFile: os.ReadFile, getenv: func(string) string { return "" }, now: time.Now}
	e.args, e.stdout, e.stderr, e.asks = []string{"init", "-o", file}, &stdout, &stderr, true
	e.stdin = strings.NewReader("\n0oa1\n")
	if code := run(t.Context(), e); code != 0 {
		t.Errorf("exit status %d\n%s", code, &stderr)
	}
	if asked := strings.Count(stderr.String(), ": "); asked != 3 {
		t.Errorf("%d questions were asked, not 3:\n%s", asked, &stderr)
	}
	if written, err := os.ReadFile(file); err != nil || !strings.Contains(string(written), `okta-client-id: "0oa1"`) {
		t.Errorf("%v: written is\n%s", err, written)
	}
}

// Ctrl-C at a question ends it, and nothing is written.
func TestInitInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "aimcheck.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	e := &env{readFile: os.ReadFile, getenv: func(string) string { return "" }, now: time.Now}
	e.args, e.stdout, e.stderr, e.asks, e.stdin = []string{"init", "-o", file}, &stdout, &stderr, true, interrupting{cancel}
	if code := run(ctx, e); code != exitInterrupted {
		t.Errorf("exit status %d\n%s", code, &stderr)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written")
	}
}

// interrupting is who presses Ctrl-C when asked.
type interrupting struct{ press func() }

func (i interrupting) Read([]byte) (int, error) {
	i.press()
	select {}
}
