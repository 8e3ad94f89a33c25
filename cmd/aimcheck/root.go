package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimcheck/aimcheck/internal/config"
)

// run does what the arguments say and returns the exit status. Results go to
// stdout or files, everything else to stderr. What fails says so in one message
// without capitals or a final period, and what to do next.
func run(ctx context.Context, e *env) int {
	root := e.root()
	root.SetArgs(e.args)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	code, text := exitStatus(ctx, root.ExecuteContext(ctx))
	if text != "" {
		fmt.Fprintln(e.stderr, "aimcheck:", text)
	}
	return code
}

func (e *env) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "aimcheck COMMAND",
		Short: "find the identities that Databricks' automatic identity management would get wrong",
		Example: "  aimcheck demo                                   see all of it on invented directories\n" +
			"  aimcheck init                                   say where yours are, and try it\n" +
			"  aimcheck doctor                                 see what is missing, and what to do about it\n" +
			"  aimcheck snapshot -o tenants.snapshot           read both directories\n" +
			"  aimcheck audit --snapshot tenants.snapshot      see what AIM would get wrong, and how to mend it",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(e.stderr)
			cmd.Help()
			return usagef("expected a command, such as aimcheck demo")
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(flagError)
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"start", "To begin with:", []*cobra.Command{e.demoCommand(), e.initCommand(), e.doctorCommand()}},
		{"look", "To see what is wrong:", []*cobra.Command{e.snapshotCommand(), e.auditCommand(), e.planCommand(), e.reportCommand(), e.rulesCommand(), e.historyCommand(), e.diffCommand()}},
		{"mend", "To mend it:", []*cobra.Command{e.applyCommand(), e.rollbackCommand()}},
		{"else", "Besides:", []*cobra.Command{e.sandboxCommand(), e.versionCommand(), e.completionCommand(root)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.SetHelpCommandGroupID("else")
	offerValues(root)
	return root
}

// noArguments refuses arguments, naming the command that was probably meant.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usagef("unexpected argument %q: %s takes flags alone, see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return usageError(unknownWord("command", args[0], names))
}

// flagError names the flag that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	if near := config.Nearest("--"+missing.GetSpecifiedName(), names); near != "" && missing.GetSpecifiedShortnames() == "" {
		return usagef("unknown flag --%s: did you mean %s?", missing.GetSpecifiedName(), near)
	}
	return usagef("%w: see %s --help", err, cmd.CommandPath())
}

// unknownWord names the nearest of the known words, or all of them.
func unknownWord(what, word string, known []string) error {
	if near := config.Nearest(word, known); near != "" {
		return fmt.Errorf("unknown %s %q: did you mean %s?", what, word, near)
	}
	return fmt.Errorf("unknown %s %q: expected one of %s", what, word, strings.Join(known, ", "))
}
