package sandbox

import "encoding/json"

// A Tenant is the content of both directories. Objects have the vendors' own
// field names and are served byte for byte, so that they may be as odd as the
// directories' own: "active" a text, an id a number, a key twice, bad UTF-8.
// What Okta's objects lack of what Okta always sends is filled in when served.
type Tenant struct {
	Okta       OktaTenant       `json:"okta"`
	Databricks DatabricksTenant `json:"databricks"`
}

// An OktaTenant is the content of an Okta org.
type OktaTenant struct {
	Users  []json.RawMessage `json:"users"`
	Groups []json.RawMessage `json:"groups"`
	Apps   []json.RawMessage `json:"apps,omitempty"`
	// GroupMembers maps the id of a group to the ids of its users.
	GroupMembers map[string][]string `json:"group_members,omitempty"`
	// AppUsers maps the id of an app to its app users.
	AppUsers map[string][]json.RawMessage `json:"app_users,omitempty"`
}

// A DatabricksTenant is the content of a Databricks account.
type DatabricksTenant struct {
	Users             []json.RawMessage `json:"users"`
	Groups            []json.RawMessage `json:"groups"`
	ServicePrincipals []json.RawMessage `json:"service_principals"`
	Workspaces        []json.RawMessage `json:"workspaces"`
	// WorkspaceGroups maps the id of a workspace to the SCIM groups of its own.
	WorkspaceGroups map[string][]json.RawMessage `json:"workspace_groups,omitempty"`
	// Assignments maps the id of a workspace to its permission assignments.
	Assignments map[string][]json.RawMessage `json:"assignments,omitempty"`
}
