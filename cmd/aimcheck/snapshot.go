package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/snapfile"
	"github.com/aimcheck/aimcheck/report"
)

func (e *env) snapshotCommand() *cobra.Command {
	var s source
	var format outputFormat
	var out, since string
	var resume bool
	var maxAge time.Duration
	files := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "snapshot -o FILE",
		Short: "read both directories into one file",
		Long: "Snapshot reads the Okta org and the Databricks account into one file that audit and plan read later, anywhere.\n" +
			"Where this program may not connect, it makes the file from the vendors' own JSON instead (--okta-users FILE and so on):\n" +
			"Okta's list responses, and SCIM list responses or their Resources, several pages one after another in one file.",
		Example: "  aimcheck snapshot -o tenant.snapshot\n" +
			"  aimcheck snapshot -o tenant.snapshot --okta-users users.json --okta-groups groups.json --databricks-users u.json …",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("expected a file for the snapshot: give -o FILE")
			}
			for _, side := range s.only {
				if side != "okta" && side != "databricks" {
					return usagef("--only: %w", unknownWord("directory", side, []string{"okta", "databricks"}))
				}
			}
			if err := checkFile(out); err != nil {
				return err
			}
			if err := s.earlier(e, files, out, since, resume, maxAge); err != nil {
				return err
			}
			snap, err := s.take(cmd.Context(), e, files)
			if s.partial != nil {
				err = s.partial.close(cmd.Context(), out, err)
			}
			if err != nil {
				return err
			}
			digest := ""
			err = writeFile(cmd.Context(), out, func(w io.Writer) (err error) {
				digest, err = snapfile.Write(w, snap, version())
				return err
			})
			if err != nil {
				return err
			}
			unread := slices.DeleteFunc(snap.Incomplete(), func(r audit.Reading) bool { return !r.Asked })
			if err := e.printSnapshot(snap, out, digest, unread, format); err != nil {
				return fileError("write to", "standard output", err)
			}
			switch {
			case s.partial == nil || s.partial.kept == nil:
			case len(unread) == 0:
				s.partial.remove()
			default:
				fmt.Fprintf(e.stderr, "aimcheck: what was read is kept in %s: with --resume the rest alone is read again\n", s.partial.name)
			}
			return e.incomplete(unread)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&out, "out", "o", "", "write the snapshot to `FILE`")
	f.StringSliceVar(&s.only, "only", nil, "read okta or databricks alone")
	f.BoolVar(&resume, "resume", false, "carry on where an interrupted snapshot to the same file stopped")
	f.StringVar(&since, "since", "", "read of Okta what changed since the snapshot `FILE` alone; deletions are not seen")
	f.DurationVar(&maxAge, "max-age", 168*time.Hour, "with --since, the most that the last full reading may be ago")
	for _, i := range imports() {
		files[i.flag] = f.String(i.flag, "", "take "+i.what+" from `FILE`, the vendor's own JSON")
	}
	s.register(cmd, "okta-", "databricks-")
	format.flag(cmd)
	return cmd
}

// earlier makes ready what the snapshot goes on from: an earlier one, or what an
// interrupted reading left.
func (s *source) earlier(e *env, files map[string]*string, out, since string, resume bool, maxAge time.Duration) (err error) {
	fromFiles := slices.ContainsFunc(imports(), func(i imported) bool { return *files[i.flag] != "" })
	switch {
	case since != "" && resume:
		return usagef("--since and --resume: give one; what changed since is read again in little time")
	case s.flags.Changed("max-age") && since == "":
		return usagef("--max-age is of use with --since alone")
	case maxAge <= 0:
		return usagef("--max-age %v: expected a time above 0, such as 168h", maxAge)
	case fromFiles && (since != "" || resume):
		return usagef("--since and --resume go on with a reading of the directories: leave them out where files are given")
	case since != "" && !s.wants("okta"):
		return usagef("--since with --only databricks: Databricks does not list what changed, so that it is always read in full")
	case since != "":
		s.base, err = s.since(e, since, maxAge)
		return err
	case fromFiles:
		return nil
	}
	if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() {
		if resume {
			return usagef("--resume: %s is no regular file, so that nothing is kept beside it", out)
		}
		return nil
	}
	s.partial = &partial{name: out + ".partial", resume: resume, e: e}
	return nil
}

// take reads the snapshot from files where any is named, else from the directories.
func (s *source) take(ctx context.Context, e *env, files map[string]*string) (*audit.Snapshot, error) {
	named := ""
	for _, i := range imports() {
		if *files[i.flag] != "" {
			named = "--" + i.flag
		}
	}
	for _, flag := range []string{"only", "members", "apps", "workspace-details", config.OktaReserve, config.DatabricksRate} {
		if named != "" && s.flags.Changed(flag) {
			return nil, usagef("--%s and %s: give one, for nothing is read from a directory where files are given", flag, named)
		}
	}
	settings, err := s.settings(e)
	if err != nil {
		return nil, err
	}
	if named != "" {
		return importSnapshot(ctx, e, settings, files)
	}
	return s.fetch(ctx, e, settings)
}

// printSnapshot says what the snapshot holds.
func (e *env) printSnapshot(s *audit.Snapshot, file, digest string, unread []audit.Reading, format outputFormat) error {
	type read struct {
		Input    audit.Input `json:"input"`
		Received int         `json:"received"`
		Complete bool        `json:"complete"`
		Reason   string      `json:"reason,omitempty"`
	}
	var inputs []read
	for _, in := range audit.Inputs() {
		if r := s.Reading(in); r.Asked {
			inputs = append(inputs, read{in, r.Received, r.Complete, r.Reason})
		}
	}
	if format.json() {
		return printJSON(e.stdout, map[string]any{
			"file": file, "digest": digest, "complete": len(unread) == 0, "inputs": inputs,
			"notes": slices.Concat([]string{}, s.Okta.Notes, s.Databricks.Notes),
		})
	}
	for _, in := range inputs {
		state := ""
		if !in.Complete {
			state = "  not complete"
		}
		if _, err := fmt.Fprintf(e.stdout, "%-30s %9d%s\n", in.Input, in.Received, state); err != nil {
			return err
		}
	}
	for _, note := range slices.Concat(s.Okta.Notes, s.Databricks.Notes) {
		fmt.Fprintln(e.stderr, "aimcheck: note:", report.Visible(note))
	}
	_, err := fmt.Fprintf(e.stdout, "\n%s  %s\nNext        aimcheck audit --snapshot %s\n", quote(file), digest, quote(file))
	return err
}
