package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/report"
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
		fmt.Fprintln(e.stderr, "aimcheck:", shownLines(text))
	}
	return code
}

// shownLines makes what a server or a file put into a message visible, and leaves
// the ends of its lines, and how far these are indented.
func shownLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.ReplaceAll(line, "\t", "    ")
		said := strings.TrimLeft(line, " ")
		lines[i] = line[:len(line)-len(said)] + report.Visible(said)
	}
	return strings.Join(lines, "\n")
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
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return noBlanks(cmd.Flags()) },
		Version:           version(),
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetVersionTemplate(versionLine())
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand())
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

// helpCommand is help, which knows every other command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "explain a command and its flags",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = noArguments(about, rest)
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
			for _, c := range cmd.Root().Commands() {
				if len(args) == 0 && c.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// noBlanks refuses a flag whose value is blank: more often than not that of a
// variable which is not set, and to go on as if the flag were not there would do
// something else than was meant.
func noBlanks(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.Type() == "string" && f.Value.String() == "" {
			err = usagef("--%s is blank: give a value, or leave the flag out", f.Name)
		}
	})
	return err
}

// flagError says what a flag takes, or names the one that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	if lacks, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("--%s: a value is missing: see %s --help", lacks.GetFlag().Name, cmd.CommandPath())
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := wrong.GetFlag()
		expected := map[string]string{
			"int": "a whole number", "uint64": "a whole number, 0 or above", "bool": "true or false", "duration": "hours, such as 168h",
		}[f.Value.Type()]
		if expected == "" {
			return usagef("--%s: %q: %w", f.Name, wrong.GetValue(), wrong.Unwrap())
		}
		return usagef("--%s: %q: expected %s", f.Name, wrong.GetValue(), expected)
	}
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
