package main

import (
	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/report"
)

// offerValues lets a shell complete the values of flags that take few.
func offerValues(cmd *cobra.Command) {
	claims := []string{string(audit.ClaimLogin), string(audit.ClaimEmail), string(audit.ClaimOther)}
	severities := []string{"never"}
	for _, s := range []audit.Severity{audit.Blocker, audit.Error, audit.Warning, audit.Info} {
		severities = append(severities, s.String())
	}
	for name, values := range map[string][]string{
		"output": {"text", "json"}, "format": report.Formats(), "fail-on": severities, "only": {"okta", "databricks"},
		config.SSOClaim: claims, config.WorkspaceSSOClaim: claims, config.UnifiedLogin: {"true", "false"}, config.DatabricksSCIM: {"2.1", "2.0"},
	} {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // there is no other
		}
	}
	for _, c := range cmd.Commands() {
		offerValues(c)
	}
}
