package rules

import (
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// IdentityFederationDisabled finds workspaces that AIM can't reach.
var IdentityFederationDisabled = &audit.Rule{
	Name:     "identity-federation-disabled",
	Family:   audit.AccessFamily,
	Severity: audit.Warning,
	Checks:   []audit.Check{{Needs: []audit.Input{audit.DatabricksWorkspaces}, Run: identityFederationDisabled}},
	Quiet:    quietIdentityFederationDisabled,
	Doc: `A workspace has no identity federation

## What
A workspace says that identity federation is off. Workspaces that don't say are one
finding together, for information.

## Why
Without identity federation a workspace keeps users and groups of its own: what AIM
brings to the account doesn't reach it.

## How to fix
Enable identity federation for the workspace in the account console.
`,
	Examples: []audit.Example{{
		Name:   "enabled",
		Tenant: []any{audit.DatabricksWorkspace{ID: "1", Name: "main", Federation: "true"}},
	}, {
		Name:   "disabled",
		Tenant: []any{audit.DatabricksWorkspace{ID: "1", Name: "old", Federation: "false"}},
		Want:   []string{"warning review databricks:workspace:1: databricks:workspace:1"},
	}, {
		Name:   "silent",
		Tenant: []any{audit.DatabricksWorkspace{ID: "2", Name: "b"}, audit.DatabricksWorkspace{ID: "1", Name: "a"}},
		Want:   []string{"info review databricks:workspace:1: databricks:workspace:1 databricks:workspace:2"},
	}},
}

func identityFederationDisabled(p *audit.Pass) {
	var silent []audit.Ref
	says := func(w audit.Ref) audit.Evidence {
		return audit.Evidence{Subject: p.Subject(w), Role: "identity federation of",
			Field: "identity_federation_info.enable_identity_federation", Value: p.DatabricksWorkspace(w).Federation}
	}
	for w := range p.All(audit.DatabricksWorkspaceKind) {
		switch p.DatabricksWorkspace(w).Federation {
		case "false":
			p.Report(audit.Finding{
				Key: p.Subject(w).String(), Remedy: audit.RemedyReview, Subjects: p.Subjects(one(w)),
				Evidence: []audit.Evidence{says(w)},
				Message:  fmt.Sprintf("workspace %s has no identity federation", p.DatabricksWorkspace(w).Name),
			})
		case "":
			silent = append(silent, w)
		}
	}
	if len(silent) == 0 {
		return
	}
	f := audit.Finding{
		Key: p.Subject(silent[0]).String(), Severity: audit.Info, Remedy: audit.RemedyReview,
		Subjects: p.Subjects(slices.Values(silent)),
		Message:  fmt.Sprintf("%s not say whether identity federation is on", plural(len(silent), "workspace")+do(len(silent))),
	}
	for _, w := range silent {
		f.Evidence = append(f.Evidence, says(w))
	}
	p.Report(f)
}

func do(n int) string {
	if n == 1 {
		return " does"
	}
	return " do"
}

// quietIdentityFederationDisabled says why the rule is silent about r.
func quietIdentityFederationDisabled(_ *audit.Index, r audit.Ref) string {
	if r.Kind == audit.DatabricksWorkspaceKind {
		return "it says that it has identity federation"
	}
	return ""
}
