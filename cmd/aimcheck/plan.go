package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
)

func (e *env) planCommand() *cobra.Command {
	var a auditing
	var format outputFormat
	var out string
	cmd := &cobra.Command{
		Use:     "plan -o FILE",
		Short:   "write the remediation plan alone",
		Example: "  aimcheck plan --snapshot tenant.snapshot -o plan.json --include overwrite,names",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("expected a file for the plan: give -o plan.json")
			}
			settings, err := a.load(e)
			if err != nil {
				return err
			}
			if err := checkFile(out); err != nil {
				return err
			}
			r, err := a.run(cmd.Context(), e, settings)
			if err != nil {
				return err
			}
			err = writeFile(cmd.Context(), out, func(w io.Writer) error { return writeOne(w, "plan.json", r) })
			if err != nil {
				return err
			}
			if format.json() {
				err = writeOne(e.stdout, "plan.json", r)
			} else {
				err = planSummary(e.stdout, r.Plan, out)
			}
			if err != nil {
				return fileError("write to", "standard output", err)
			}
			return e.incomplete(r.Head.Incomplete)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&out, "out", "o", "", "write the plan to `FILE`")
	a.register(cmd)
	format.flag(cmd)
	return cmd
}

func planSummary(w io.Writer, p *audit.Plan, name string) error {
	var b strings.Builder
	approved, touches := 0, 0
	for op := range p.Approved() {
		approved++
		if op.Touches != "" {
			touches++
		}
	}
	fmt.Fprintf(&b, "%s: %d operations, %d of them approved; %d findings for people; it holds until %s\n",
		name, len(p.Operations), approved, p.Manual.Len(), p.Expires.UTC().Format("2006-01-02 15:04 MST"))
	for _, c := range p.NotIncluded() {
		fmt.Fprintf(&b, "--include %s would approve %d more\n", c.Class, c.Operations)
	}
	if touches > 0 {
		fmt.Fprintf(&b, "%d are on account admins, the caller or the SCIM token's owner, and wait to be named (aimcheck apply --help)\n", touches)
	}
	for _, c := range audit.Cautions(p.Approved()) {
		fmt.Fprintf(&b, "WARNING: %s\n", c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
