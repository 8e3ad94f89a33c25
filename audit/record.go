package audit

import "iter"

// The records below are objects as their directory listed them: nothing is
// trimmed, folded or normalized, absent and null texts are blank, and times are
// the vendor's own texts. Records are comparable.

// An OktaUser is a user of the Okta org, of any status.
type OktaUser struct {
	ID        string
	Status    string // Okta's word; StatusDeprovisioned and StatusSuspended matter to rules
	Login     string // profile.login, unique in the org
	Email     string // profile.email, not unique
	FirstName string // profile.firstName
	LastName  string // profile.lastName
	Created   string
	Updated   string // lastUpdated
}

// The Okta statuses that rules tell apart; every other one is live.
const (
	StatusDeprovisioned = "DEPROVISIONED"
	StatusSuspended     = "SUSPENDED"
)

// Live reports whether the user is anything but DEPROVISIONED.
func (u OktaUser) Live() bool { return u.Status != StatusDeprovisioned }

// An OktaGroup is a group of the Okta org, of any type.
type OktaGroup struct {
	ID      string
	Type    string // OKTA_GROUP, APP_GROUP or BUILT_IN
	Name    string // profile.name
	Created string
	Updated string // lastUpdated
}

// OktaGroupMembers are the members of one Okta group.
type OktaGroupMembers struct {
	Group   string // id
	Members Values // ids of users of any status
}

// An OktaApp is an application integration of the Okta org.
type OktaApp struct {
	ID       string
	Label    string
	Status   string // ACTIVE or INACTIVE
	ClientID string // credentials.oauthClient.client_id
}

// Active reports whether the app's status is ACTIVE.
func (a OktaApp) Active() bool { return a.Status == "ACTIVE" }

// An OktaAppUser is what an Okta app calls a user: the username it sends.
type OktaAppUser struct {
	App      string // id of the app
	User     string // id of the user
	Status   string
	UserName string // credentials.userName
}

// A DatabricksUser is a user of the Databricks account.
type DatabricksUser struct {
	ID           string
	UserName     string
	ExternalID   string
	DisplayName  string
	GivenName    string // name.givenName
	FamilyName   string // name.familyName
	Active       bool   // true when the directory did not say
	Emails       Values
	Roles        Values
	Entitlements Values
	Groups       Values // ids of the groups it is in, where listed
	Created      string // meta.created, where listed
}

// A DatabricksGroup is a group of the account, or of one workspace.
type DatabricksGroup struct {
	ID           string
	DisplayName  string
	ExternalID   string
	ResourceType string // meta.resourceType: "Group" or "WorkspaceGroup"
	Workspace    string // id of the workspace whose own listing has it; blank for the account's listing
	Roles        Values
	Entitlements Values
	Groups       Values // ids of the groups it is in, where listed
	Created      string
}

// DatabricksGroupMembers are the direct members of one Databricks group.
type DatabricksGroupMembers struct {
	Group   string // id
	Members Values // ids of members of any kind; Type holds "$ref", where given
}

// WorkspaceLocal reports whether the group belongs to a workspace, not the account.
func (g DatabricksGroup) WorkspaceLocal() bool {
	return g.Workspace != "" || g.ResourceType == "WorkspaceGroup"
}

// A DatabricksServicePrincipal is a service principal of the account.
type DatabricksServicePrincipal struct {
	ID            string
	ApplicationID string
	DisplayName   string
	ExternalID    string
	Active        bool // true when the directory did not say
	Roles         Values
	Entitlements  Values
	Groups        Values
	Created       string
}

// A DatabricksWorkspace is a workspace of the account.
type DatabricksWorkspace struct {
	ID         string
	Name       string
	Status     string
	Federation string // "true", "false", or "" when the workspace does not say
}

// A DatabricksAssignment gives a principal of the account access to a workspace.
type DatabricksAssignment struct {
	Workspace   string // id
	Principal   string // id of a user, group or service principal
	Permissions Values
}

// A Value is one element of a multi-valued attribute (RFC 7643, section 2.4).
type Value struct {
	Value   string
	Type    string // such as "direct", "work"
	Primary bool
}

// Values is a list of [Value] in the order the directory gave, packed into one
// comparable string so that millions of records need no slice each.
type Values string

// NewValues packs vs.
func NewValues(vs ...Value) Values {
	var b []byte
	for _, v := range vs {
		b = appendTexts(b, v.Value, v.Type, truth(v.Primary))
	}
	return Values(b)
}

// All yields the values in order.
func (l Values) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for s := string(l); s != ""; {
			var v Value
			var primary string
			s = cutTexts(s, &v.Value, &v.Type, &primary)
			v.Primary = primary != ""
			if !yield(v) {
				return
			}
		}
	}
}

// Len returns the number of values.
func (l Values) Len() int {
	n := 0
	for range l.All() {
		n++
	}
	return n
}
