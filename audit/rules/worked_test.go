package rules_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// A worked tenant is one of testdata/examples, see the README there.
type worked struct {
	Settings struct {
		SSOClaim          audit.Claim `json:"sso_claim"`
		WorkspaceSSOClaim audit.Claim `json:"workspace_sso_claim"`
		UnifiedLogin      any         `json:"unified_login"` // a truth, or "unknown"
		SCIMTokenOwner    string      `json:"scim_token_owner"`
		Members           bool        `json:"members"`
		Apps              bool        `json:"apps"`
		WorkspaceDetails  bool        `json:"workspace_details"`
	}
	Tenant   json.RawMessage
	Expected struct {
		Verdict       audit.Verdict
		Findings      []workedFinding
		OutcomesNow   map[string]audit.Outcome `json:"outcomes_now"`
		OutcomesAfter map[string]audit.Outcome `json:"outcomes_after_plan"`
		Operations    []workedOperation
	}
}

type workedFinding struct {
	Rule     string
	Severity audit.Severity
	Remedy   audit.Remedy
	Key      string
	Subjects []string
}

type workedOperation struct {
	Action   audit.Action
	Target   string
	Field    string
	From, To string
	Decision audit.Decision
}

func TestWorkedTenants(t *testing.T) {
	files, err := filepath.Glob("../../testdata/examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no worked tenants: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var w worked
			if err := json.Unmarshal(data, &w); err != nil {
				t.Fatal(err)
			}
			check(t, w)
		})
	}
}

func check(t *testing.T, w worked) {
	set := audit.Settings{
		SSOClaim: w.Settings.SSOClaim, WorkspaceSSOClaim: w.Settings.WorkspaceSSOClaim, SCIMTokenOwner: w.Settings.SCIMTokenOwner,
	}
	if on, said := w.Settings.UnifiedLogin.(bool); said && on {
		set.UnifiedLogin = audit.On
	} else if said {
		set.UnifiedLogin = audit.Off
	}
	report, err := audit.Run(workedSnapshot(t, w), rules.All(), audit.Options{Settings: set, Now: time.Unix(0, 0), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict != w.Expected.Verdict {
		t.Errorf("verdict %s, want %s", report.Verdict, w.Expected.Verdict)
	}
	var got []workedFinding
	for _, f := range report.Findings {
		g := workedFinding{Rule: f.Rule, Severity: f.Severity, Remedy: f.Remedy, Key: f.Key}
		for _, s := range f.Subjects {
			g.Subjects = append(g.Subjects, s.String())
		}
		got = append(got, g)
	}
	inOrder := cmpopts.SortSlices(func(a, b workedFinding) bool { return a.Rule+a.Key < b.Rule+b.Key })
	if diff := cmp.Diff(w.Expected.Findings, got, inOrder, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}

	now, after := map[string]audit.Outcome{}, map[string]audit.Outcome{}
	for row := range report.Crosswalk() {
		if row.Now != "" {
			now[row.Subject.String()], after[row.Subject.String()] = row.Now, row.AfterPlan
		}
	}
	if diff := cmp.Diff(w.Expected.OutcomesNow, now); diff != "" {
		t.Errorf("outcomes now (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(w.Expected.OutcomesAfter, after); diff != "" {
		t.Errorf("outcomes after the plan (-want +got)\n%s", diff)
	}

	var ops []workedOperation
	for _, op := range report.Plan.Operations {
		ops = append(ops, workedOperation{op.Action, op.Target.String(), op.Field, op.From, op.To, op.Decision})
	}
	byField := cmpopts.SortSlices(func(a, b workedOperation) bool { return a.Target+a.Field < b.Target+b.Field })
	if diff := cmp.Diff(w.Expected.Operations, ops, byField, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("operations (-want +got)\n%s", diff)
	}
}

type scimValues []struct{ Value, Type string }

func (vs scimValues) values() audit.Values {
	var out []audit.Value
	for _, v := range vs {
		out = append(out, audit.Value{Value: v.Value, Type: v.Type})
	}
	return audit.NewValues(out...)
}

// workedSnapshot reads the vendors' objects of a worked tenant.
func workedSnapshot(t *testing.T, w worked) *audit.Snapshot {
	var tenant struct {
		Okta struct {
			Users []struct {
				ID, Status string
				Profile    struct{ Login, Email, FirstName, LastName string }
			}
			Groups []struct {
				ID, Type string
				Profile  struct{ Name string }
			}
			GroupMembers map[string][]string `json:"group_members"`
			Apps         []struct {
				ID, Label, Status string
				Credentials       struct {
					OAuthClient struct {
						ClientID string `json:"client_id"`
					}
				}
			}
			AppUsers map[string][]struct {
				ID, Status  string
				Credentials struct{ UserName string }
			} `json:"app_users"`
		}
		Databricks struct {
			Users []struct {
				ID, UserName, ExternalID string
				Name                     struct{ GivenName, FamilyName string }
				Active                   bool
				Roles, Entitlements      scimValues
			}
			Groups []struct {
				ID, DisplayName, ExternalID string
				Members, Roles              scimValues
				Meta                        struct{ ResourceType string }
			}
			ServicePrincipals []struct {
				ID, DisplayName, ApplicationID, ExternalID string
				Active                                     bool
				Roles                                      scimValues
			} `json:"service_principals"`
			Workspaces []struct {
				ID         json.Number `json:"workspace_id"`
				Name       string      `json:"workspace_name"`
				Federation *struct {
					Enabled *bool `json:"enable_identity_federation"`
				} `json:"identity_federation_info"`
			}
		}
	}
	if err := json.Unmarshal(w.Tenant, &tenant); err != nil {
		t.Fatal(err)
	}
	var records []any
	for _, u := range tenant.Okta.Users {
		records = append(records, audit.OktaUser{ID: u.ID, Status: u.Status, Login: u.Profile.Login, Email: u.Profile.Email,
			FirstName: u.Profile.FirstName, LastName: u.Profile.LastName})
	}
	for _, g := range tenant.Okta.Groups {
		records = append(records, audit.OktaGroup{ID: g.ID, Type: g.Type, Name: g.Profile.Name})
	}
	for group, users := range tenant.Okta.GroupMembers {
		var members []audit.Value
		for _, u := range users {
			members = append(members, audit.Value{Value: u})
		}
		records = append(records, audit.OktaGroupMembers{Group: group, Members: audit.NewValues(members...)})
	}
	for _, a := range tenant.Okta.Apps {
		records = append(records, audit.OktaApp{ID: a.ID, Label: a.Label, Status: a.Status, ClientID: a.Credentials.OAuthClient.ClientID})
	}
	for app, users := range tenant.Okta.AppUsers {
		for _, u := range users {
			records = append(records, audit.OktaAppUser{App: app, User: u.ID, Status: u.Status, UserName: u.Credentials.UserName})
		}
	}
	for _, u := range tenant.Databricks.Users {
		records = append(records, audit.DatabricksUser{ID: u.ID, UserName: u.UserName, ExternalID: u.ExternalID, GivenName: u.Name.GivenName,
			FamilyName: u.Name.FamilyName, Active: u.Active, Roles: u.Roles.values(), Entitlements: u.Entitlements.values()})
	}
	for _, g := range tenant.Databricks.Groups {
		records = append(records,
			audit.DatabricksGroup{ID: g.ID, DisplayName: g.DisplayName, ExternalID: g.ExternalID, ResourceType: g.Meta.ResourceType, Roles: g.Roles.values()},
			audit.DatabricksGroupMembers{Group: g.ID, Members: g.Members.values()})
	}
	for _, p := range tenant.Databricks.ServicePrincipals {
		records = append(records, audit.DatabricksServicePrincipal{ID: p.ID, DisplayName: p.DisplayName, ApplicationID: p.ApplicationID,
			ExternalID: p.ExternalID, Active: p.Active, Roles: p.Roles.values()})
	}
	for _, ws := range tenant.Databricks.Workspaces {
		r := audit.DatabricksWorkspace{ID: ws.ID.String(), Name: ws.Name}
		if ws.Federation != nil && ws.Federation.Enabled != nil {
			r.Federation = map[bool]string{true: "true", false: "false"}[*ws.Federation.Enabled]
		}
		records = append(records, r)
	}

	var b audit.Builder
	read := map[audit.Input]bool{
		audit.OktaMembers: w.Settings.Members, audit.DatabricksMembers: w.Settings.Members,
		audit.OktaApps: w.Settings.Apps, audit.OktaAppUsers: w.Settings.Apps,
		audit.DatabricksWorkspaceDetails: w.Settings.WorkspaceDetails,
	}
	for _, in := range audit.Inputs() {
		asked, optional := read[in]
		b.Read(audit.Reading{Input: in, Asked: asked || !optional, Complete: asked || !optional})
	}
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
