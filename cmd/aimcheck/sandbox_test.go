package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSandboxCommand serves a sandbox and reads it by the lines it prints, as a
// shell would.
func TestSandboxCommand(t *testing.T) {
	read, write := io.Pipe()
	var log bytes.Buffer
	e := &env{
		args: []string{"sandbox", "--users", "120", "--seed", "3"}, stdout: write, stderr: &log, now: time.Now,
		getenv: func(string) string { return "" }, readFile: os.ReadFile, forget: func(string) {},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- run(ctx, e) }()

	var variables []string
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		out, err := exec.Command("sh", "-c", lines.Text()+"; env").Output()
		if err != nil {
			t.Fatalf("a shell can't read %q: %v", lines.Text(), err)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		for v := range strings.Lines(string(out)) {
			if strings.HasPrefix(v, name+"=") {
				variables = append(variables, strings.TrimSuffix(v, "\n"))
			}
		}
		if name == "DATABRICKS_CLIENT_SECRET" { // the last line
			break
		}
	}

	var stdout, stderr bytes.Buffer
	client := e.against(variables)
	client.args = []string{"snapshot", "-o", filepath.Join(t.TempDir(), "s")}
	client.stdout, client.stderr = &stdout, &stderr
	if code := run(t.Context(), client); code != 0 || !strings.Contains(stdout.String(), "okta_users                           120") {
		t.Errorf("exit status %d\n%s%s", code, &stdout, &stderr)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("sandbox: exit status %d: %s", code, &log)
	}
	if strings.Contains(log.String(), "refused") {
		t.Error(log.String())
	}
}

func TestQuote(t *testing.T) {
	for _, word := range []string{"", "plain-1.txt", "a b", "it's", `\n$x"`, "-----BEGIN\nX"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q comes out of a shell as %q, %v", word, out, err)
		}
	}
}

// A file of faults is read before anything is served, and its faults are met.
func TestFaultOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`{"faults": [{"method": "PATCH", "reset": true}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := faultOptions(file)
	if err != nil || !o.Fault(httptest.NewRequest("PATCH", "/", nil)).Reset {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := faultOptions(""); err != nil || o.Fault != nil {
		t.Errorf("without a file: %+v, %v", o, err)
	}
	var stderr bytes.Buffer
	e := &env{
		args: []string{"sandbox", "--faults", file + ".none"}, stdout: io.Discard, stderr: &stderr, now: time.Now,
		getenv: func(string) string { return "" }, readFile: os.ReadFile, forget: func(string) {},
	}
	if code := run(t.Context(), e); code == 0 || !strings.Contains(stderr.String(), "faults.json.none") {
		t.Errorf("exit status %d: %s", code, &stderr)
	}
	if err := os.WriteFile(file, []byte(`{"faults": [{"method": "PATCH"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	stderr.Reset()
	e.args[2] = file
	if code := run(t.Context(), e); code == 0 || !strings.Contains(stderr.String(), "expected what is wrong") {
		t.Errorf("exit status %d: %s", code, &stderr)
	}
}

// As JSON the sandbox prints the same variables.
func TestSandboxCommandJSON(t *testing.T) {
	read, write := io.Pipe()
	e := &env{
		args: []string{"sandbox", "--users", "20", "--output", "json"}, stdout: write, stderr: io.Discard, now: time.Now,
		getenv: func(string) string { return "" }, readFile: os.ReadFile, forget: func(string) {},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- run(ctx, e) }()
	var got struct {
		URL string
		Env map[string]string
	}
	if err := json.NewDecoder(read).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Env["OKTA_CLIENT_ORGURL"] == "" || !strings.HasPrefix(got.Env["DATABRICKS_HOST"], got.URL) || got.Env["DATABRICKS_CLIENT_SECRET"] == "" {
		t.Errorf("it prints %+v", got)
	}
	go io.Copy(io.Discard, read)
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit status %d", code)
	}
}
