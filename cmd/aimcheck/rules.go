package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// ruleText is a rule as --output json shows it.
type ruleText struct {
	Name     string         `json:"name"`
	Title    string         `json:"title"`
	Family   audit.Family   `json:"family"`
	Severity audit.Severity `json:"severity"`
	Doc      string         `json:"doc,omitempty"`
}

func (e *env) rulesCommand() *cobra.Command {
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "rules [NAME]",
		Short: "list the rules, or explain one: what, why, how to fix",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return ruleNames(), cobra.ShellCompDirectiveNoFileComp
		},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("expected one rule at most, not %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			all := rules.All()
			if len(args) == 0 {
				return printed(e.listRules(all, format))
			}
			i := slices.IndexFunc(all, func(r *audit.Rule) bool { return r.Name == args[0] })
			if i < 0 {
				return usageError(unknownWord("rule", args[0], ruleNames()))
			}
			return printed(e.explainRule(all[i], format))
		},
	}
	format.flag(cmd)
	return cmd
}

func (e *env) listRules(all []*audit.Rule, format outputFormat) error {
	if format.json() {
		var texts []ruleText
		for _, r := range all {
			texts = append(texts, ruleText{r.Name, r.Title(), r.Family, r.Severity, ""})
		}
		return printJSON(e.stdout, texts)
	}
	for _, r := range all {
		line := fmt.Sprintf("%-30s %-8s %s", r.Name, r.Severity, r.Title())
		if e.outWidth > 0 { // a terminal: aimcheck rules NAME has the whole title
			line = ansi.Truncate(line, e.outWidth, "…")
		}
		if _, err := fmt.Fprintln(e.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) explainRule(r *audit.Rule, format outputFormat) error {
	if format.json() {
		return printJSON(e.stdout, ruleText{r.Name, r.Title(), r.Family, r.Severity, r.Doc})
	}
	return writeRule(e.stdout, r)
}

// writeRule writes a rule's doc with its first example that fires, in Markdown.
// docs/rules.md is made of it.
func writeRule(w io.Writer, r *audit.Rule) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s (usually)\n\n%s", r.Name, r.Severity, r.Doc)
	if i := slices.IndexFunc(r.Examples, func(x audit.Example) bool { return len(x.Want) > 0 }); i >= 0 {
		x := r.Examples[i]
		fmt.Fprintf(&b, "\n## Example: %s\n\n", x.Name)
		for _, record := range x.Tenant {
			fmt.Fprintf(&b, "    %s\n", exampleRecord(record))
		}
		fmt.Fprintln(&b)
		for _, want := range x.Want {
			fmt.Fprintf(&b, "    finds: %s\n", want)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// exampleRecord shows an example's record in a line.
func exampleRecord(record any) string {
	switch r := record.(type) {
	case audit.OktaUser:
		return fmt.Sprintf("Okta user %s: login %q, email %q, name %q %q, %s", r.ID, r.Login, r.Email, r.FirstName, r.LastName, r.Status)
	case audit.OktaGroup:
		return fmt.Sprintf("Okta group %s: name %q", r.ID, r.Name)
	case audit.DatabricksUser:
		return fmt.Sprintf("Databricks user %s: userName %q, externalId %q, name %q %q", r.ID, r.UserName, r.ExternalID, r.GivenName, r.FamilyName)
	case audit.DatabricksGroup:
		return fmt.Sprintf("Databricks group %s: displayName %q, externalId %q", r.ID, r.DisplayName, r.ExternalID)
	case audit.DatabricksServicePrincipal:
		return fmt.Sprintf("Databricks service principal %s: displayName %q, applicationId %q, externalId %q", r.ID, r.DisplayName, r.ApplicationID, r.ExternalID)
	case audit.OktaApp:
		return fmt.Sprintf("Okta app %s: label %q, client id %q, %s", r.ID, r.Label, r.ClientID, r.Status)
	case audit.OktaGroupMembers:
		return fmt.Sprintf("members of Okta group %s: %s", r.Group, memberIDs(r.Members))
	case audit.DatabricksGroupMembers:
		return fmt.Sprintf("members of Databricks group %s: %s", r.Group, memberIDs(r.Members))
	case audit.DatabricksWorkspace:
		return fmt.Sprintf("workspace %s: name %q, identity federation %q", r.ID, r.Name, r.Federation)
	}
	return fmt.Sprintf("%+v", record)
}

func memberIDs(members audit.Values) string {
	var ids []string
	for m := range members.All() {
		ids = append(ids, m.Value)
	}
	return cmp.Or(strings.Join(ids, " "), "nobody")
}
