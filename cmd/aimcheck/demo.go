package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

func (e *env) demoCommand() *cobra.Command {
	var out string
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "show all of it on invented directories, without any credentials",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !format.json() {
				_, err := e.demo(cmd.Context(), out)
				return err
			}
			quiet := *e
			quiet.stdout = io.Discard
			shown, err := quiet.demo(cmd.Context(), out)
			if err != nil {
				return err
			}
			return printJSON(e.stdout, shown)
		},
	}
	cmd.Flags().StringVar(&out, "out", "aimcheck-demo", "`DIR` for what the demo writes")
	format.flag(cmd)
	return cmd
}

// A shown is a demo as JSON: what it ran, and what there is to look at.
type shown struct {
	Out   string      `json:"out"`
	Steps []shownStep `json:"steps"`
	Files []shownFile `json:"files"`
}

type shownStep struct {
	What    string   `json:"what"`
	Command []string `json:"command"`
	Exit    int      `json:"exit"`
}

type shownFile struct {
	File string `json:"file"`
	What string `json:"what"`
}

// demo serves the sandbox on loopback and runs the program's own commands
// against it, as a user would.
func (e *env) demo(ctx context.Context, out string) (*shown, error) {
	all := &shown{Out: out}
	if err := checkDemoFolder(out); err != nil {
		return nil, err
	}
	s, err := sandbox.New(sandbox.Demo(), sandbox.Options{Now: e.now, Rates: sandbox.NoLimits()}) // nobody wants to wait for invented people
	if err != nil {
		return nil, err
	}
	l, err := listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	defer server.Close()
	go server.Serve(l)
	url := "http://" + l.Addr().String()
	fmt.Fprintf(e.stdout, "An invented Okta org and Databricks account are served on %s.\n", url)

	snapshot, reports, plan := filepath.Join(out, "tenant.snapshot"), filepath.Join(out, "reports"), filepath.Join(out, "plan.json")
	// Another run has another sandbox: its journal would be of other directories.
	if err := os.Remove(filepath.Join(out, "plan.journal.jsonl")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fileError("remove", out, err)
	}
	sandboxed := e.against(s.Env(url))
	for _, step := range []struct {
		says string
		args []string
		ends int
	}{
		{"Read both directories over HTTP, through the vendors' SDKs:",
			[]string{"snapshot", "-o", snapshot, "--members", "--apps"}, 0},
		{"Find what AIM would get wrong, and write the reports:",
			[]string{"audit", "--snapshot", snapshot, "--out", reports}, exitFindings},
		{"What one of the rules says:",
			[]string{"rules", "shared-email"}, 0},
		{"The plan, with all that can be mended automatically approved:",
			[]string{"plan", "--snapshot", snapshot, "-o", plan, "--include", strings.Join(optional(), ",")}, 0},
		{"Apply it, and let the rules judge before and after:",
			[]string{"apply", plan, "--yes", "--databricks-rate", "500,50,100"}, 0},
		{"Audit again, what is left is for people to decide:",
			[]string{"audit", "--out", filepath.Join(out, "afterwards"), "--databricks-rate", "500,50,100"}, exitFindings},
	} {
		var words []string
		for _, arg := range step.args {
			words = append(words, quote(arg))
		}
		fmt.Fprintf(e.stdout, "\n%s\n\n$ aimcheck %s\n\n", step.says, strings.Join(words, " "))
		sandboxed.args = step.args
		all.Steps = append(all.Steps, shownStep{strings.TrimSuffix(step.says, ":"), append([]string{"aimcheck"}, step.args...), step.ends})
		if code := run(ctx, sandboxed); code != step.ends {
			return nil, &exitError{code, fmt.Errorf("the demo expected the exit status %d of aimcheck %s, and got %d", step.ends, step.args[0], code)}
		}
	}
	if refused := s.Refused(); len(refused) > 0 {
		return nil, fmt.Errorf("the sandbox refused %s %s: %s", refused[0].Method, refused[0].Path, refused[0].Why)
	}
	fmt.Fprintf(e.stdout, "\nTo look at:\n")
	for _, look := range []struct{ file, what string }{
		{"reports/report.html", "all of it, to look at and work from in a browser"},
		{"reports/report.xlsx", "all of it, as a workbook"},
		{"reports/summary.md", "the summary, to send on"},
		{"reports/support-ticket.md", "what to ask of Databricks Support"},
		{"plan.json", "what was to be changed, and why"},
		{"plan.journal.jsonl", "what was changed, write by write: aimcheck rollback undoes it"},
		{"afterwards/report.html", "what is left"},
	} {
		fmt.Fprintf(e.stdout, "  %-40s %s\n", filepath.Join(out, look.file), look.what)
		all.Files = append(all.Files, shownFile{filepath.Join(out, look.file), look.what})
	}
	fmt.Fprintf(e.stdout, "\nTo play with the same directories: aimcheck sandbox\n")
	return all, nil
}

// checkDemoFolder refuses a folder that has files of real directories under the
// names that the demo writes: a journal, say, without which nothing is undone.
func checkDemoFolder(dir string) error {
	for _, name := range []string{"plan.json", "plan.journal.jsonl", "tenant.snapshot", "reports/findings.json", "afterwards/findings.json"} {
		name = filepath.Join(dir, name)
		f, err := openFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		text, err := demoHead(f)
		f.Close()
		if err != nil || !bytes.Contains(text, []byte(sandbox.DatabricksAccountID)) {
			return usagef("%s is not of a demo, which would replace it: name another folder with --out", name)
		}
	}
	return nil
}

// demoHead returns how a file begins, which names the account it is of.
func demoHead(f *os.File) ([]byte, error) {
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if n > 0 && head[0] == '{' {
		return head[:n], err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	snap, err := snapfile.Read(f, f.Name())
	if err != nil {
		return nil, err
	}
	return []byte(snap.Databricks.Tenant), nil
}

// against returns e with the given variables as its whole environment: nothing
// of the user's own settings may reach a demo.
func (e *env) against(variables []string) *env {
	vars := map[string]string{}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	for _, name := range []string{"NO_COLOR", "TERM"} {
		vars[name] = e.getenv(name)
	}
	e.forget("DATABRICKS_")
	d := *e
	d.home = ""
	d.getenv = func(name string) string { return vars[name] }
	d.readFile = func(name string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &d
}
