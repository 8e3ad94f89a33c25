package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/notify"
	"github.com/aimcheck/aimcheck/report"
)

// offerValues lets a shell complete the values of flags that take few, and the
// names of files where a command takes some.
func offerValues(cmd *cobra.Command) {
	claims := []string{string(audit.ClaimLogin), string(audit.ClaimEmail), string(audit.ClaimOther)}
	var severities, forms []string
	for _, s := range audit.Severities() {
		severities = append(severities, s.String())
	}
	for _, f := range notify.Forms() {
		forms = append(forms, string(f))
	}
	offer := func(flag string, values cobra.CompletionFunc) {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, values) // there is no other
		}
	}
	for name, values := range map[string][]string{
		"output": {"text", "json"}, "fail-on": append([]string{"never"}, severities...), "notify-on": severities, "notify-form": forms,
		config.SSOClaim: claims, config.WorkspaceSSOClaim: claims, config.UnifiedLogin: {"true", "false"}, config.DatabricksSCIM: {"2.1", "2.0"},
	} {
		offer(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	for name, values := range map[string][]string{
		"format": report.Formats(), "only": {"okta", "databricks"}, "include": optional(), "exclude": append(classes(), ruleNames()...),
	} {
		offer(name, oneMoreOf(values))
	}
	files := map[string]int{"apply": 1, "rollback": 1, "report": 1, "diff": 2}[cmd.Name()]
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) < files {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, c := range cmd.Commands() {
		offerValues(c)
	}
}

// oneMoreOf completes the last value of a list by one that is not in it yet.
func oneMoreOf(values []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) (lists []cobra.Completion, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		said := strings.Split(before, ",")
		for _, v := range values {
			if !slices.Contains(said, v) {
				lists = append(lists, before+v)
			}
		}
		return lists, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
