package rules_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aimcheck/aimcheck/audit"
)

// oracleExample is a worked tenant of testdata/examples as its file has it.
type oracleExample struct {
	Settings struct {
		SSOClaim         string `json:"sso_claim"`
		WorkspaceClaim   string `json:"workspace_sso_claim"`
		UnifiedLogin     any    `json:"unified_login"`
		TokenOwner       string `json:"scim_token_owner"`
		Members          bool
		Apps             bool
		WorkspaceDetails bool `json:"workspace_details"`
	}
	Tenant struct {
		Okta struct {
			Users []struct {
				ID, Status string
				Profile    struct{ Login, Email, FirstName, LastName string }
			}
			Groups []struct {
				ID, Type string
				Profile  struct{ Name string }
			}
			Members map[string][]string `json:"group_members"`
			Apps    []struct {
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
				Roles, Entitlements      []audit.Value
			}
			Groups []struct {
				ID, DisplayName, ExternalID string
				Roles, Entitlements         []audit.Value
				Members                     []struct{ Value string }
				Meta                        struct{ ResourceType string }
			}
			Principals []struct {
				ID, DisplayName, ApplicationID, ExternalID string
				Active                                     bool
				Roles, Entitlements                        []audit.Value
			} `json:"service_principals"`
			Workspaces []struct {
				ID         json.Number `json:"workspace_id"`
				Name       string      `json:"workspace_name"`
				Status     string      `json:"workspace_status"`
				Federation struct {
					Enabled *bool `json:"enable_identity_federation"`
				} `json:"identity_federation_info"`
			}
		}
	}
	Expected struct {
		Verdict  string
		Findings []struct {
			Rule, Severity, Remedy, Key string
			Subjects                    []string
		}
		Now        map[string]string `json:"outcomes_now"`
		After      map[string]string `json:"outcomes_after_plan"`
		Operations []struct{ Action, Target, Field, From, To, Decision string }
	}
}

// oracleExamples reads every worked tenant, by file name.
func oracleExamples(t *testing.T) map[string]oracleExample {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "examples", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples found: %v", err)
	}
	all := map[string]oracleExample{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var e oracleExample
		if err := json.Unmarshal(data, &e); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = e
	}
	return all
}

// world is the example's tenant and settings.
func (e oracleExample) world() (world, audit.Settings) {
	okta, db := e.Tenant.Okta, e.Tenant.Databricks
	w := world{
		oktaMembers: okta.Members, members: map[string][]string{},
		membersRead: e.Settings.Members, appsRead: e.Settings.Apps, detailsRead: e.Settings.WorkspaceDetails,
		workspacesRead: true,
	}
	for _, u := range okta.Users {
		w.oktaUsers = append(w.oktaUsers, audit.OktaUser{ID: u.ID, Status: u.Status,
			Login: u.Profile.Login, Email: u.Profile.Email, FirstName: u.Profile.FirstName, LastName: u.Profile.LastName})
	}
	for _, g := range okta.Groups {
		w.oktaGroups = append(w.oktaGroups, audit.OktaGroup{ID: g.ID, Type: g.Type, Name: g.Profile.Name})
	}
	for _, a := range okta.Apps {
		w.apps = append(w.apps, audit.OktaApp{ID: a.ID, Label: a.Label, Status: a.Status, ClientID: a.Credentials.OAuthClient.ClientID})
	}
	for _, app := range slices.Sorted(maps.Keys(okta.AppUsers)) {
		for _, u := range okta.AppUsers[app] {
			w.appUsers = append(w.appUsers, audit.OktaAppUser{App: app, User: u.ID, Status: u.Status, UserName: u.Credentials.UserName})
		}
	}
	for _, u := range db.Users {
		w.users = append(w.users, audit.DatabricksUser{ID: u.ID, UserName: u.UserName, ExternalID: u.ExternalID,
			GivenName: u.Name.GivenName, FamilyName: u.Name.FamilyName, Active: u.Active,
			Roles: audit.NewValues(u.Roles...), Entitlements: audit.NewValues(u.Entitlements...)})
	}
	for _, g := range db.Groups {
		w.groups = append(w.groups, audit.DatabricksGroup{ID: g.ID, DisplayName: g.DisplayName, ExternalID: g.ExternalID,
			ResourceType: g.Meta.ResourceType, Roles: audit.NewValues(g.Roles...), Entitlements: audit.NewValues(g.Entitlements...)})
		for _, m := range g.Members {
			w.members[g.ID] = append(w.members[g.ID], m.Value)
		}
	}
	for _, p := range db.Principals {
		w.principals = append(w.principals, audit.DatabricksServicePrincipal{ID: p.ID, ApplicationID: p.ApplicationID,
			DisplayName: p.DisplayName, ExternalID: p.ExternalID, Active: p.Active,
			Roles: audit.NewValues(p.Roles...), Entitlements: audit.NewValues(p.Entitlements...)})
	}
	for _, ws := range db.Workspaces {
		federation := ""
		if on := ws.Federation.Enabled; on != nil {
			federation = map[bool]string{true: "true", false: "false"}[*on]
		}
		w.workspaces = append(w.workspaces, audit.DatabricksWorkspace{ID: ws.ID.String(), Name: ws.Name, Status: ws.Status, Federation: federation})
	}

	s := audit.Settings{
		SSOClaim:          audit.Claim(e.Settings.SSOClaim),
		WorkspaceSSOClaim: audit.Claim(e.Settings.WorkspaceClaim),
		SCIMTokenOwner:    e.Settings.TokenOwner,
	}
	if on, ok := e.Settings.UnifiedLogin.(bool); ok {
		s.UnifiedLogin = map[bool]audit.Switch{true: audit.On, false: audit.Off}[on]
	}
	return w, s
}

// want is what the example expects.
func (e oracleExample) want() oracleResult {
	want := oracleResult{verdict: e.Expected.Verdict, outcomesNow: e.Expected.Now, outcomesAfter: e.Expected.After}
	for _, f := range e.Expected.Findings {
		want.findings = append(want.findings, oracleFinding{f.Rule, f.Severity, f.Remedy, f.Key, f.Subjects})
	}
	for _, op := range e.Expected.Operations {
		want.operations = append(want.operations, oracleOp{op.Action, op.Target, op.Field, op.From, op.To, op.Decision})
	}
	slices.SortFunc(want.operations, compareOps)
	return want
}

// diffResults compares results; the empty text says that they are the same.
func diffResults(want, got oracleResult) string {
	return gocmp.Diff(want, got, cmpopts.EquateEmpty(), gocmp.AllowUnexported(oracleResult{}, oracleFinding{}, oracleOp{}))
}

func TestOracleOnExamples(t *testing.T) {
	for name, e := range oracleExamples(t) {
		t.Run(name, func(t *testing.T) {
			w, s := e.world()
			if diff := diffResults(e.want(), oracle(w, s)); diff != "" {
				t.Errorf("(-example +oracle)\n%s", diff)
			}
		})
	}
}
