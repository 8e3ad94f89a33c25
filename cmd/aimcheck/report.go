package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
	"github.com/aimcheck/aimcheck/report"
)

func (e *env) reportCommand() *cobra.Command {
	var d redacting
	var format outputFormat
	var out string
	var formats []string
	cmd := &cobra.Command{
		Use:   "report FINDINGS",
		Short: "make reports again from a findings.json",
		Long: "Report makes any format again from the findings.json of an audit, without the directories or their snapshot.\n" +
			"What it makes is what the audit made, byte for byte. A plan's times and seal are in plan.json alone: it is\n" +
			"taken over where it lies beside findings.json, and not made otherwise.",
		Example: "  aimcheck report aimcheck-report/findings.json --format junit,sarif\n  aimcheck report findings.json --out elsewhere --format csv,xlsx\n" +
			"  aimcheck report aimcheck-report/findings.json --redact --out for-the-vendor",
		Args: oneArgument("a findings.json", "aimcheck-report/findings.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormats(formats); err != nil {
				return err
			}
			home := filepath.Dir(args[0])
			if !cmd.Flags().Changed("out") {
				out = home
			}
			stays := sameFolder(home, out)
			if d.on && stays {
				return usagef("--redact: redacted reports would lie beside the others in %s: name another folder with --out", out)
			}
			r, err := readFindings(args[0])
			if err != nil {
				return err
			}
			if d.on && r.Redacted {
				return usagef("--redact: %s is redacted already: leave it out", args[0])
			}
			if err := d.prepare(e, out); err != nil {
				return err
			}
			if r, err = d.redact(r); err != nil {
				return err
			}
			made, err := e.remake(cmd.Context(), r, args[0], out, formats, stays)
			if err != nil {
				return err
			}
			if format.json() {
				return printJSON(e.stdout, map[string]any{"out": out, "files": made})
			}
			for _, name := range made {
				if _, err := fmt.Fprintln(e.stdout, filepath.Join(out, name)); err != nil {
					return fileError("write to", "standard output", err)
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&formats, "format", report.DefaultFormats(), "`LIST` of formats: "+strings.Join(report.Formats(), ", "))
	f.StringVar(&out, "out", "", "`DIR` for the reports, made if it is missing (default the folder of FINDINGS)")
	d.register(f)
	format.flag(cmd)
	return cmd
}

func readFindings(name string) (*audit.Report, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.ReadFindings(f, name, rules.All())
}

// remake writes the files of the formats and returns their names. At home, where
// findings.json lies, that file and its plan stay as they are.
func (e *env) remake(ctx context.Context, r *audit.Report, findings, out string, formats []string, home bool) ([]string, error) {
	files, err := report.Files(formats)
	if err != nil {
		return nil, usageError(err)
	}
	if r.Redacted {
		files = slices.DeleteFunc(files, func(f report.File) bool { return f.Name == "plan.json" })
	}
	var poor, formatsOf []string
	files = slices.DeleteFunc(files, func(f report.File) bool {
		if !f.Lacks(r) {
			return false
		}
		poor = append(poor, f.Name)
		if f.Format != "" {
			formatsOf = append(formatsOf, f.Format)
		}
		return true
	})
	const old = "%s was written by a version of aimcheck that left the plan and the crosswalk out: %s can't be made of it"
	if len(formatsOf) > 0 {
		return nil, fmt.Errorf(old+": run the audit again, or leave the format %s out", findings, strings.Join(poor, ", "), strings.Join(slices.Compact(formatsOf), ", "))
	}
	if len(poor) > 0 {
		e.note(old+"; run the audit again for them", findings, strings.Join(poor, ", "))
	}
	keep := map[string]bool{"findings.json": !home || filepath.Base(findings) != "findings.json", "plan.json": !home}
	if r.Plan != nil && !r.Redacted { // report.html tells the plan's times too
		why, err := adoptPlan(r.Plan, filepath.Join(filepath.Dir(findings), "plan.json"))
		if err != nil {
			return nil, err
		}
		if why != "" && !home {
			keep["plan.json"] = false
			e.note("plan.json is not made: %s; aimcheck plan makes a new one", why)
		}
	}
	files = slices.DeleteFunc(files, func(f report.File) bool { k, listed := keep[f.Name]; return listed && !k })
	then := removeStale
	if home {
		then = func(string, []report.File) error { return nil }
	}
	if err := writeFiles(ctx, out, files, r, then); err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names, nil
}

// adoptPlan gives the plan the times and the seal of the one in the file, if that
// is the same plan, and says why not else.
func adoptPlan(p *audit.Plan, name string) (string, error) {
	sealed, err := readPlan(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "its times and its seal are in the audit's plan.json, which is not beside findings.json", nil
	case err != nil:
		return err.Error(), nil
	}
	same := *p
	if err := same.Seal(sealed.Created, sealed.Expires.Sub(sealed.Created)); err != nil {
		return "", err
	}
	if same.Digest != sealed.Digest {
		return name + " is another plan", nil
	}
	*p = same
	return "", nil
}

// sameFolder reports whether both names are of one folder.
func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// note tells what the reader should know and that is no failure.
func (e *env) note(format string, args ...any) {
	fmt.Fprintf(e.stderr, "aimcheck: "+format+"\n", args...)
}
