package snapfile

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A line is what is told the fields of a record. Each kind names its fields once, in
// the order in which they are packed; an [encoder] writes them, and a [decoder]
// takes what their [schema] says.
type line interface {
	text(name string, v *string)         // left out if blank
	again(name string, v *string)        // the same, of a text that nearly always is the one before
	values(name string, v *audit.Values) // left out if blank
	flag(name string, v *bool)
	input(name string, v *audit.Input)
	raw(name string, v *[]byte) // left out if blank
}

// A kind is a kind of record: how it is called, and how it is written and read.
type kind struct {
	tag    string
	begin  string // how its lines begin: `{"okta_user":{`
	fields schema
	okta   bool // it is Okta's, and counts for Okta's digest
	unique bool // no two records have one key

	// write appends the records of s to e, and after each calls next, which
	// says whether to go on.
	write func(s *audit.Snapshot, e *encoder, next func() bool)

	// one appends the record to e, if it is of the kind.
	one func(record any, e *encoder) bool

	// packed is where b keeps the records.
	packed func(b *audit.Builder) *audit.Packed

	// unpack is the record that is packed so.
	unpack func(packed string) (record any)
}

// kinds lists the kinds in the order of the file. The list is for one reader or
// writer: the kinds hold the record being read.
func kinds() []kind {
	type snapshot = audit.Snapshot
	return []kind{
		of("okta_user", true, oktaUser, func(s *snapshot) iter.Seq2[int, audit.OktaUser] { return s.OktaUsers.All() }),
		of("okta_group", true, oktaGroup, func(s *snapshot) iter.Seq2[int, audit.OktaGroup] { return s.OktaGroups.All() }),
		of("okta_members", false, oktaMembers, func(s *snapshot) iter.Seq2[int, audit.OktaGroupMembers] { return s.OktaMembers.All() }),
		of("okta_app", true, oktaApp, func(s *snapshot) iter.Seq2[int, audit.OktaApp] { return s.OktaApps.All() }),
		of("okta_app_user", false, oktaAppUser, func(s *snapshot) iter.Seq2[int, audit.OktaAppUser] { return s.OktaAppUsers.All() }),
		of("okta_undecoded", false, undecoded, undecodedOf(true)),
		of("databricks_user", true, user, func(s *snapshot) iter.Seq2[int, audit.DatabricksUser] { return s.DatabricksUsers.All() }),
		of("databricks_group", true, group, func(s *snapshot) iter.Seq2[int, audit.DatabricksGroup] { return s.DatabricksGroups.All() }),
		of("databricks_members", false, members, func(s *snapshot) iter.Seq2[int, audit.DatabricksGroupMembers] { return s.DatabricksMembers.All() }),
		of("databricks_service_principal", true, principal, func(s *snapshot) iter.Seq2[int, audit.DatabricksServicePrincipal] {
			return s.DatabricksServicePrincipals.All()
		}),
		of("databricks_workspace", true, workspace, func(s *snapshot) iter.Seq2[int, audit.DatabricksWorkspace] { return s.DatabricksWorkspaces.All() }),
		of("databricks_assignment", false, assignment, func(s *snapshot) iter.Seq2[int, audit.DatabricksAssignment] { return s.DatabricksAssignments.All() }),
		of("databricks_undecoded", false, undecoded, undecodedOf(false)),
	}
}

// kindOf is the kind of the line that text begins with, or -1.
func kindOf(text []byte, kinds []kind) int {
	return slices.IndexFunc(kinds, func(k kind) bool { return bytes.HasPrefix(text, []byte(k.begin)) })
}

func of[R any](tag string, unique bool, fields func(line, *R), all func(*audit.Snapshot) iter.Seq2[int, R]) kind {
	record := new(R) // one for all lines: a record given to a line escapes
	var s schema
	fields(&s, record)
	return kind{
		tag: tag, begin: `{"` + tag + `":{`, fields: s, okta: strings.HasPrefix(tag, "okta_"), unique: unique,
		write: func(s *audit.Snapshot, e *encoder, next func() bool) {
			for _, *record = range all(s) {
				e.begin(tag)
				fields(e, record)
				e.end()
				if !next() {
					return
				}
			}
		},
		one: func(a any, e *encoder) (is bool) {
			if *record, is = a.(R); is {
				e.begin(tag)
				fields(e, record)
				e.end()
			}
			return is
		},
		packed: func(b *audit.Builder) *audit.Packed { return b.Packed(*record) },
		unpack: func(packed string) any {
			audit.Unpack(packed, record)
			return *record
		},
	}
}

func undecodedOf(okta bool) func(*audit.Snapshot) iter.Seq2[int, audit.Undecoded] {
	return func(s *audit.Snapshot) iter.Seq2[int, audit.Undecoded] {
		return func(yield func(int, audit.Undecoded) bool) {
			for i, u := range s.Undecoded {
				if u.Input.Okta() == okta && !yield(i, u) {
					return
				}
			}
		}
	}
}

func oktaUser(l line, u *audit.OktaUser) {
	l.text("id", &u.ID)
	l.text("status", &u.Status)
	l.text("login", &u.Login)
	l.again("email", &u.Email)
	l.text("first_name", &u.FirstName)
	l.text("last_name", &u.LastName)
	l.text("created", &u.Created)
	l.text("updated", &u.Updated)
}

func oktaGroup(l line, g *audit.OktaGroup) {
	l.text("id", &g.ID)
	l.text("type", &g.Type)
	l.text("name", &g.Name)
	l.text("created", &g.Created)
	l.text("updated", &g.Updated)
}

func oktaMembers(l line, m *audit.OktaGroupMembers) {
	l.text("group", &m.Group)
	l.values("members", &m.Members)
}

func oktaApp(l line, a *audit.OktaApp) {
	l.text("id", &a.ID)
	l.text("label", &a.Label)
	l.text("status", &a.Status)
	l.text("client_id", &a.ClientID)
}

func oktaAppUser(l line, u *audit.OktaAppUser) {
	l.text("user", &u.User)
	l.text("app", &u.App)
	l.text("status", &u.Status)
	l.text("user_name", &u.UserName)
}

func user(l line, u *audit.DatabricksUser) {
	l.text("id", &u.ID)
	l.text("user_name", &u.UserName)
	l.text("external_id", &u.ExternalID)
	l.text("display_name", &u.DisplayName)
	l.text("given_name", &u.GivenName)
	l.text("family_name", &u.FamilyName)
	l.flag("active", &u.Active)
	l.values("emails", &u.Emails)
	l.values("roles", &u.Roles)
	l.values("entitlements", &u.Entitlements)
	l.values("groups", &u.Groups)
	l.text("created", &u.Created)
}

func group(l line, g *audit.DatabricksGroup) {
	l.text("id", &g.ID)
	l.text("display_name", &g.DisplayName)
	l.text("external_id", &g.ExternalID)
	l.text("resource_type", &g.ResourceType)
	l.text("workspace", &g.Workspace)
	l.values("roles", &g.Roles)
	l.values("entitlements", &g.Entitlements)
	l.values("groups", &g.Groups)
	l.text("created", &g.Created)
}

func members(l line, m *audit.DatabricksGroupMembers) {
	l.text("group", &m.Group)
	l.values("members", &m.Members)
}

func principal(l line, p *audit.DatabricksServicePrincipal) {
	l.text("id", &p.ID)
	l.text("application_id", &p.ApplicationID)
	l.text("display_name", &p.DisplayName)
	l.text("external_id", &p.ExternalID)
	l.flag("active", &p.Active)
	l.values("roles", &p.Roles)
	l.values("entitlements", &p.Entitlements)
	l.values("groups", &p.Groups)
	l.text("created", &p.Created)
}

func workspace(l line, w *audit.DatabricksWorkspace) {
	l.text("id", &w.ID)
	l.text("name", &w.Name)
	l.text("status", &w.Status)
	l.text("federation", &w.Federation)
}

func assignment(l line, a *audit.DatabricksAssignment) {
	l.text("principal", &a.Principal)
	l.text("workspace", &a.Workspace)
	l.values("permissions", &a.Permissions)
}

func undecoded(l line, u *audit.Undecoded) {
	l.input("input", &u.Input)
	l.text("error", &u.Error)
	l.raw("raw", &u.Raw)
}
