package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/apply"
)

func (e *env) rollbackCommand() *cobra.Command {
	var w writing
	cmd := &cobra.Command{
		Use:   "rollback JOURNAL",
		Short: "undo what a journal says was done, as far as it can be undone",
		Long: "Rollback says first what can't be restored: Databricks does not clear the externalId of a user or service principal. The rest is written\n" +
			"back where the value is still the one that was written, through the same guards, journal and proof as apply.",
		Example: "  aimcheck rollback plan.journal.jsonl --dry-run",
		Args:    oneArgument("a journal", "plan.journal.jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) {
				return fileError("read", args[0], err)
			}
			story, err := apply.ReadJournal(args[0])
			if err != nil {
				return err
			}
			return w.run(cmd.Context(), e, job{
				kind:    "rollback",
				journal: args[0],
				open: func(_ apply.Header, now func() time.Time) (*apply.Journal, error) {
					return apply.ReopenJournal(args[0], now)
				},
				prepare: func(*audit.Snapshot, audit.Settings) (apply.Header, said, error) {
					return story.Header, said{}, nil
				},
				check: func(now *audit.Report, past *apply.Story, o apply.Options) (*apply.Work, error) {
					if past == nil {
						past = story
					}
					return apply.CheckUndo(past, now.Snapshot, o)
				},
			})
		},
	}
	cmd.Flags().SortFlags = false
	w.register(cmd)
	return cmd
}
