package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// ruleNeeds is what each rule, or each part of it, concludes from: the
// catalogue's paragraph on completeness.
var ruleNeeds = map[string]string{
	"shared-email":          "okta_users",
	"login-email-collision": "okta_users",

	"malformed-username Okta users":       "okta_users",
	"malformed-username Databricks users": "databricks_users",
	"missing-name Okta users":             "okta_users",
	"missing-name Databricks users":       "okta_users databricks_users", // the remedy is for Okta's name
	"lookalike-username":                  "okta_users databricks_users",

	"missing-external-id users":              "okta_users databricks_users",
	"missing-external-id groups":             "okta_groups databricks_groups",
	"missing-external-id service principals": "okta_apps databricks_service_principals",
	"unknown-external-id users":              "okta_users databricks_users",
	"unknown-external-id groups":             "okta_groups databricks_groups",
	"unknown-external-id service principals": "okta_apps databricks_service_principals",
	"ambiguous-username":                     "okta_users databricks_users",
	"conflicting-external-id":                "okta_users databricks_users",
	"username-drift":                         "okta_users databricks_users",
	"duplicate-external-id":                  "databricks_users databricks_groups databricks_service_principals",
	"split-identity":                         "okta_users databricks_users",
	"case-variant-username":                  "databricks_users",
	"sso-claim-split":                        "okta_users databricks_users",
	"linked-to-deprovisioned":                "okta_users databricks_users",
	"name-mismatch":                          "okta_users databricks_users",
	"inactive-with-entitlements":             "databricks_users",
	"managed-token-owner":                    "okta_users databricks_users",
	"redundant-direct-grant":                 "databricks_users databricks_groups databricks_members",

	"ambiguous-group-name":         "okta_groups databricks_groups",
	"duplicate-group-name":         "databricks_groups",
	"group-name-drift":             "okta_groups databricks_groups",
	"reserved-group-name":          "okta_groups databricks_groups",
	"group-member-drift":           "okta_users okta_groups okta_members databricks_users databricks_groups databricks_service_principals databricks_members",
	"workspace-group-clash":        "okta_groups databricks_groups databricks_workspace_details",
	"identity-federation-disabled": "databricks_workspaces",
}

// A part of a rule is skipped exactly when an input is missing that it needs.
func TestRulesRunOnWhatIsComplete(t *testing.T) {
	for _, missing := range audit.Inputs() {
		report, err := audit.Run(without(t, missing, nil), rules.All(), audit.Options{Now: time.Unix(0, 0), Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		got := collect(report.Skipped, func(skip audit.Skip) string {
			about, _, several := strings.Cut(skip.Reason, ": ")
			if !several {
				return skip.Rule
			}
			return skip.Rule + " " + about
		})
		var want []string
		for part, needs := range ruleNeeds {
			if slices.Contains(strings.Fields(needs), missing.String()) {
				want = append(want, part)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("without %s these are skipped: (-want +got)\n%s", missing, diff)
		}
	}
}

// What must be so of all of Databricks is not so while a part of it is unread:
// anything there may hold the id.
func TestNothingIsAutomaticWhileIDsAreUnread(t *testing.T) {
	var tenant []any
	for id, u := range map[string]audit.DatabricksUser{
		"00u1": {ID: "1", UserName: "ana@example.com", ExternalID: "00u1", GivenName: "Other", FamilyName: "Reed"},
		"00u2": {ID: "2", UserName: "bo@example.com", ExternalID: "00u2", FamilyName: "Reed"},
		"00u3": {ID: "3", UserName: "cy@example.com", GivenName: "Sam", FamilyName: "Reed"},
	} {
		tenant = append(tenant, u, audit.OktaUser{ID: id, Status: "ACTIVE", Login: u.UserName, Email: u.UserName, FirstName: "Sam", LastName: "Reed"})
	}
	for missing, want := range map[audit.Input]int{audit.DatabricksGroups: 0, audit.DatabricksServicePrincipals: 0, audit.OktaGroups: 3} {
		r, err := audit.Run(without(t, missing, tenant), rules.All(), audit.Options{Now: time.Unix(0, 0), Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		automatic := 0
		for _, f := range unpacked(r) {
			if f.Remedy == audit.RemedyAutomatic {
				automatic++
			}
		}
		if automatic != want || len(r.Plan.Operations) != want {
			t.Errorf("without %s, %d findings are automatic and there are %d operations, want %d", missing, automatic, len(r.Plan.Operations), want)
		}
	}
}
