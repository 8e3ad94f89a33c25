package audit

import (
	"slices"
	"testing"
)

// Why a check was not run says what to do: the flag that brings an optional input,
// or what the reading says went wrong.
func TestWhatIsMissing(t *testing.T) {
	for in, want := range map[Input]string{
		OktaUsers:                  "okta_users were not read completely",
		DatabricksWorkspaces:       "databricks_workspaces were not read: read the directory again",
		OktaMembers:                "okta_members were not read: add --members",
		DatabricksMembers:          "databricks_members were not read: add --members",
		OktaApps:                   "okta_apps were not read: add --apps",
		OktaAppUsers:               "okta_app_users were not read: add --apps",
		DatabricksWorkspaceDetails: "databricks_workspace_details were not read: add --workspace-details",
	} {
		if got := NewIndex(snapshotOf(t), Settings{}).missing(in); !slices.Equal(got, []string{want}) {
			t.Errorf("%s, not asked for: %q, want %q", in, got, want)
		}
	}
	ix := NewIndex(snapshotOf(t,
		Reading{Input: OktaUsers, Asked: true, Complete: true}, Reading{Input: OktaMembers, Asked: true, Reason: "a page was cut"},
		Reading{Input: OktaApps, Asked: true}, Reading{Input: OktaGroups, Reason: "the token may not"}), Settings{})
	want := []string{"okta_members are incomplete: a page was cut", "okta_apps were not read completely", "okta_groups are incomplete: the token may not"}
	if got := ix.missing(OktaUsers, OktaMembers, OktaApps, OktaGroups); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
