// Package aim imitates what happens to a Databricks account when automatic
// identity management (AIM) with Okta is switched on and everybody signs in once.
//
// It is written from the vendor's page "Configure Okta for automatic identity
// management", quoted where it is followed, and shares nothing with the audit's
// own forecast, so that the two can be held against each other. Where they differ,
// and what the page leaves open, stands in docs/aim-differences.md.
package aim

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A State is what both directories hold: of Databricks the account, not what a
// workspace keeps for itself.
type State struct {
	OktaUsers  []OktaUser
	OktaGroups []OktaGroup
	Users      []User
	Groups     []Group
}

// An OktaUser is a user of the Okta org.
type OktaUser struct {
	ID, Login, Email string
	Deprovisioned    bool
}

// An OktaGroup is a group of the Okta org.
type OktaGroup struct{ ID, Name string }

// A User is a user of the Databricks account.
type User struct {
	ID, UserName, ExternalID string
	Deactivated              bool
}

// A Group is a group of the Databricks account.
type Group struct {
	ID, Name, ExternalID string
	System               bool // one that Databricks makes itself, such as admins
	Deactivated          bool
}

// A Claim says under which username an Okta user signs in to Databricks: the SSO
// username claim. It must know a name for everybody who is not deprovisioned.
type Claim func(OktaUser) string

// Enable switches AIM on and has everybody sign in once. It returns the state
// afterwards and what happened, in order. It leaves before as it is.
func Enable(before State, claim Claim) (after State, events []Event) {
	r := run{before: before, after: before}
	r.after.Users = slices.Clone(before.Users)
	r.after.Groups = slices.Clone(before.Groups)
	for _, o := range before.OktaUsers {
		if !o.Deprovisioned {
			r.signIn(o, claim(o))
		}
	}
	for _, o := range before.OktaGroups {
		r.provision(o)
	}
	r.deactivateUsers()
	r.deactivateGroups()
	return r.after, r.events
}

type run struct {
	before, after State
	events        []Event
}

func (r *run) happens(kind Kind, what What, okta, databricks string) {
	r.events = append(r.events, Event{kind, what, okta, databricks})
}

// signIn has an Okta user sign in under the name that is claimed.
//
// "Databricks matches identities by comparing the Okta user ID or group ID against
// the externalId field […]. If an existing identity does not have an Okta ID set as
// its externalId, automatic identity management creates a new entry." And: it
// "provisions a new Databricks user based on the SSO username claim at login. If
// that claim changes […] creates a new Databricks user instead of updating the
// existing one." So only a record that has the id and the name takes the sign-in.
func (r *run) signIn(o OktaUser, name string) {
	taken := false
	var beside []string
	for _, d := range r.before.Users {
		known, named := d.ExternalID == o.ID, isNamed(d, o, name)
		if known {
			r.happens(UserKind, Known, o.ID, d.ID)
		}
		if named {
			r.happens(UserKind, Named, o.ID, d.ID)
		}
		if known || named {
			beside = append(beside, d.ID)
		}
		taken = taken || known && same(d.UserName, name)
	}
	if taken {
		return
	}
	entry := User{ID: "new-" + o.ID, UserName: name, ExternalID: o.ID}
	r.after.Users = append(r.after.Users, entry)
	r.happens(UserKind, Created, o.ID, entry.ID)
	for _, id := range beside {
		r.happens(UserKind, Beside, o.ID, id)
	}
}

// isNamed reports whether the record has the Okta user's name: "Databricks uses the
// username to match Databricks identities to Okta identities, comparing against both
// the Okta login field and email". A new entry has the name that is claimed.
func isNamed(d User, o OktaUser, claimed string) bool {
	return same(d.UserName, o.Login) || same(d.UserName, o.Email) || same(d.UserName, claimed)
}

// provision links an Okta group by its id, else creates it, unless its name is
// taken: that is known from the field, not from the page. Groups of the system are Databricks' own ("the admins group is a reserved
// group"): an Okta group of such a name is refused, and nothing is done to them.
func (r *run) provision(o OktaGroup) {
	known := false
	for _, g := range r.before.Groups {
		if g.ExternalID == o.ID && !g.System {
			r.happens(GroupKind, Known, o.ID, g.ID)
			known = true
		}
	}
	if known {
		return
	}
	refused := false
	for _, g := range r.after.Groups { // those just created take names too
		if !same(g.Name, o.Name) {
			continue
		}
		refused = true
		if g.System {
			r.happens(GroupKind, Reserved, o.ID, g.ID)
		} else {
			r.happens(GroupKind, Refused, o.ID, g.ID)
		}
	}
	if !refused {
		group := Group{ID: "new-" + o.ID, Name: o.Name, ExternalID: o.ID}
		r.after.Groups = append(r.after.Groups, group)
		r.happens(GroupKind, Created, o.ID, group.ID)
	}
}

// deactivateUsers deactivates users whose externalId Okta does not know, or knows as
// deprovisioned. The page on SCIM says: "Removing a user from the Okta application
// deactivates the user in Databricks, rather than deleting the user"; that on AIM
// says nothing of them.
func (r *run) deactivateUsers() {
	for i, d := range r.after.Users {
		okta := slices.IndexFunc(r.before.OktaUsers, func(o OktaUser) bool { return o.ID == d.ExternalID })
		if d.ExternalID == "" || okta >= 0 && !r.before.OktaUsers[okta].Deprovisioned {
			continue
		}
		r.after.Users[i].Deactivated = true
		if okta >= 0 {
			r.happens(UserKind, Deprovisioned, d.ExternalID, d.ID)
		} else {
			r.happens(UserKind, Unknown, "", d.ID)
		}
	}
}

// deactivateGroups does the same for groups. Okta's have no status.
func (r *run) deactivateGroups() {
	for i, g := range r.after.Groups {
		known := slices.ContainsFunc(r.before.OktaGroups, func(o OktaGroup) bool { return o.ID == g.ExternalID })
		if g.ExternalID != "" && !known && !g.System {
			r.after.Groups[i].Deactivated = true
			r.happens(GroupKind, Unknown, "", g.ID)
		}
	}
}

// same reports whether two names are one. Letter case does not count, as the API's
// own error text says; nor, and nobody says so, do white space around a name and the
// way its accents are composed. A blank name is nobody's, and one that is not valid
// UTF-8 is compared byte by byte.
func same(a, b string) bool {
	if !utf8.ValidString(a) || !utf8.ValidString(b) {
		return a == b
	}
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a != "" && strings.EqualFold(norm.NFC.String(a), norm.NFC.String(b))
}
