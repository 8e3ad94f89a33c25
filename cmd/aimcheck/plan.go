package main

import (
	"fmt"
	"io"

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
	approved := 0
	for _, op := range p.Operations {
		if op.Decision == audit.Approve {
			approved++
		}
	}
	_, err := fmt.Fprintf(w, "%s: %d operations, %d of them approved; %d findings for people; it holds until %s\n",
		name, len(p.Operations), approved, len(p.Manual), p.Expires.UTC().Format("2006-01-02 15:04 MST"))
	return err
}
