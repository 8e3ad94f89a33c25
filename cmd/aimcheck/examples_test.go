package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// The worked examples, each served over HTTP and read through both SDKs by the
// command itself, give what they expect.
func TestWorkedExamples(t *testing.T) {
	files, err := filepath.Glob("../../testdata/examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			var example struct {
				Settings map[string]any
				Tenant   json.RawMessage
				Expected workedAudit
			}
			readJSON(t, file, &example)
			tenant, err := sandbox.ReadTenant(bytes.NewReader(example.Tenant), file)
			if err != nil {
				t.Fatal(err)
			}
			box, err := sandbox.New(tenant, sandbox.Options{Rates: sandbox.NoLimits()})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(box)
			defer server.Close()
			vars := map[string]string{}
			for _, v := range box.Env(server.URL) {
				name, value, _ := strings.Cut(v, "=")
				vars[name] = value
			}
			out := t.TempDir()
			args := []string{"audit", "--quiet", "--out", out, "--format", "json", "--databricks-rate", "1000,1000,1000"}
			for name, value := range example.Settings {
				if value != "unknown" && value != "" {
					args = append(args, fmt.Sprintf("--%s=%v", strings.ReplaceAll(name, "_", "-"), value))
				}
			}
			for app := range tenant.Okta.AppUsers { // one at most
				args = append(args, "--okta-app", app)
			}
			var said bytes.Buffer
			status := run(t.Context(), &env{
				args: args, getenv: func(name string) string { return vars[name] }, readFile: os.ReadFile, stdin: strings.NewReader(""),
				stdout: &said, stderr: &said, now: time.Now, forget: func(string) {},
			})
			if want := map[string]int{"ready": 0, "not-ready": exitFindings}[example.Expected.Verdict]; status != want {
				t.Fatalf("exit status %d, want %d\n%s", status, want, said.String())
			}
			var findings struct {
				workedAudit
				Operations []workedOperation
				Crosswalk  []struct {
					Subject   string
					Now       string
					AfterPlan string `json:"after_plan"`
				}
			}
			readJSON(t, filepath.Join(out, "findings.json"), &findings)
			got := findings.workedAudit
			got.Operations, got.Now, got.After = findings.Operations, map[string]string{}, map[string]string{}
			for _, row := range findings.Crosswalk {
				if row.Now != "" {
					got.Now[row.Subject], got.After[row.Subject] = row.Now, row.AfterPlan
				}
			}
			if diff := cmp.Diff(example.Expected, got, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b workedFinding) bool {
				return a.Rule+" "+a.Key < b.Rule+" "+b.Key
			}), cmpopts.SortSlices(func(a, b workedOperation) bool { return a.Target+a.Field < b.Target+b.Field })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// workedAudit is what an example says of an audit.
type workedAudit struct {
	Verdict    string
	Findings   []workedFinding
	Now        map[string]string `json:"outcomes_now"`
	After      map[string]string `json:"outcomes_after_plan"`
	Operations []workedOperation
}

type workedFinding struct {
	Rule, Severity, Remedy, Key string
	Subjects                    []string
}

type workedOperation struct{ Action, Target, Field, From, To, Decision string }

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
