package sandbox

import (
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A scimKind is one kind of SCIM resource and what Databricks lets be done to it.
type scimKind struct {
	path      string // the last part of the list's path
	resource  string // what errors call one
	subject   audit.Kind
	filters   []string
	listsOmit string // attribute that lists leave out
	// clearable says that externalId can be made blank again.
	clearable  bool
	attributes []attribute
}

// An attribute is one that PATCH knows.
type attribute struct {
	name string
	form form
	rule rule
}

// A form is the kind of value that an attribute has.
type form int

const (
	textForm    form = iota
	truthForm        // true or false
	complexForm      // an object of texts
	listForm         // an array of objects
)

// A rule is what PATCH may do to an attribute.
type rule int

const (
	writable rule = iota
	required      // may be replaced, not removed
	ignored       // answers 200 and stays as it is
	readOnly
)

// The kinds. What may be filtered by besides userName is what the vendor's
// Terraform provider filters by.
var (
	usersKind = scimKind{
		path: "Users", resource: "User", subject: audit.DatabricksUserKind, filters: []string{"userName"},
		attributes: withCommon(
			attribute{"userName", textForm, ignored},
			attribute{"emails", listForm, ignored},
			attribute{"name", complexForm, writable},
			attribute{"displayName", textForm, writable},
			attribute{"active", truthForm, writable},
		),
	}
	groupsKind = scimKind{
		path: "Groups", resource: "Group", subject: audit.DatabricksGroupKind, filters: []string{"displayName"},
		listsOmit: "members", clearable: true,
		attributes: withCommon(
			attribute{"displayName", textForm, required},
			attribute{"members", listForm, writable},
		),
	}
	servicePrincipalsKind = scimKind{
		path: "ServicePrincipals", resource: "ServicePrincipal", subject: audit.DatabricksServicePrincipalKind,
		filters: []string{"applicationId", "displayName"},
		attributes: withCommon(
			attribute{"applicationId", textForm, readOnly},
			attribute{"displayName", textForm, writable},
			attribute{"active", truthForm, writable},
		),
	}
	// workspaceGroupsKind are groups in a workspace's own SCIM API, which are
	// only read.
	workspaceGroupsKind = scimKind{path: "Groups", resource: "Group", filters: []string{"displayName"}}
)

// withCommon adds what all kinds have.
func withCommon(own ...attribute) []attribute {
	return append(own,
		attribute{"externalId", textForm, writable},
		attribute{"roles", listForm, writable},
		attribute{"entitlements", listForm, writable},
		attribute{"id", textForm, readOnly},
		attribute{"schemas", listForm, readOnly},
		attribute{"meta", complexForm, readOnly},
		attribute{"groups", listForm, readOnly},
	)
}

// attribute returns the attribute of that name, in any letter case.
func (k scimKind) attribute(name string) (attribute, bool) {
	for _, a := range k.attributes {
		if strings.EqualFold(a.name, name) {
			return a, true
		}
	}
	return attribute{}, false
}
