package databricks

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/rawjson"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A kind is a kind of object that an account lists.
type kind struct {
	input    audit.Input
	singular string
	plural   string
	id       string // name of the field that holds the id
	name     string // name of a field that every object of the kind has, and few others have
	resource string // last part of the SCIM path; blank for kinds that are no part of SCIM

	// attributes is the projection asked for: what records need and no more.
	attributes string

	// decode turns one object into its id and its records.
	decode func(raw jsontext.Value) (id string, records []any, err error)
}

// Group lists leave members out for newer accounts, so that they are read
// group by group and not asked for here.
var (
	users = kind{
		input: audit.DatabricksUsers, singular: "user", plural: "users",
		id: "id", name: "userName", resource: "Users",
		attributes: "id,userName,externalId,displayName,name,emails,active,roles,entitlements,groups,meta",
		decode:     decodeUser,
	}
	groups = kind{
		input: audit.DatabricksGroups, singular: "group", plural: "groups",
		id: "id", name: "displayName", resource: "Groups",
		attributes: "id,displayName,externalId,roles,entitlements,groups,meta",
		decode:     decodeGroup,
	}
	servicePrincipals = kind{
		input: audit.DatabricksServicePrincipals, singular: "service principal", plural: "service principals",
		id: "id", name: "applicationId", resource: "ServicePrincipals",
		attributes: "id,applicationId,displayName,externalId,active,roles,entitlements,groups,meta",
		decode:     decodeServicePrincipal,
	}
	workspaces = kind{
		input: audit.DatabricksWorkspaces, singular: "workspace", plural: "workspaces",
		id: "workspace_id", name: "workspace_id",
		decode: decodeWorkspace,
	}
)

// An object is one element of a listing.
type object struct {
	key     string // its id; its bytes where the id can't be read
	records []any  // what it decodes to, or one [audit.Undecoded]
}

// object decodes raw. It never fails: what can't be decoded is kept whole.
func (k kind) object(raw jsontext.Value) object {
	id, records, err := k.decode(raw)
	if err == nil && id == "" {
		err = errAbsent(k.id)
	}
	if err == nil {
		return object{key: id, records: records}
	}
	name, key := k.singular+" without an id", string(raw)
	if id = textOf(raw, k.id); id != "" {
		name, key = k.singular+" "+id, id
	}
	return object{key: key, records: []any{audit.Undecoded{
		Input: k.input,
		Raw:   bytes.Clone(raw),
		Error: name + ": " + where(err),
	}}}
}

type meta struct {
	Created      text `json:"created"`
	ResourceType text `json:"resourceType"`
}

func decodeUser(raw jsontext.Value) (string, []any, error) {
	var u struct {
		ID          text `json:"id"`
		UserName    text `json:"userName"`
		ExternalID  text `json:"externalId"`
		DisplayName text `json:"displayName"`
		Name        struct {
			Given  text `json:"givenName"`
			Family text `json:"familyName"`
		} `json:"name"`
		Active       truth `json:"active"`
		Emails       list  `json:"emails"`
		Roles        list  `json:"roles"`
		Entitlements list  `json:"entitlements"`
		Groups       list  `json:"groups"`
		Meta         meta  `json:"meta"`
	}
	if err := decode(raw, &u); err != nil {
		return "", nil, err
	}
	if u.UserName == "" && !has(raw, "userName") {
		return "", nil, errAbsent("userName")
	}
	return string(u.ID), []any{audit.DatabricksUser{
		ID:           string(u.ID),
		UserName:     string(u.UserName),
		ExternalID:   string(u.ExternalID),
		DisplayName:  string(u.DisplayName),
		GivenName:    string(u.Name.Given),
		FamilyName:   string(u.Name.Family),
		Active:       u.Active != no,
		Emails:       u.Emails.values(),
		Roles:        u.Roles.values(),
		Entitlements: u.Entitlements.values(),
		Groups:       u.Groups.values(),
		Created:      string(u.Meta.Created),
	}}, nil
}

func decodeGroup(raw jsontext.Value) (string, []any, error) {
	var g struct {
		ID           text `json:"id"`
		DisplayName  text `json:"displayName"`
		ExternalID   text `json:"externalId"`
		Roles        list `json:"roles"`
		Entitlements list `json:"entitlements"`
		Groups       list `json:"groups"`
		Meta         meta `json:"meta"`
	}
	if err := decode(raw, &g); err != nil {
		return "", nil, err
	}
	if g.DisplayName == "" && !has(raw, "displayName") {
		return "", nil, errAbsent("displayName")
	}
	return string(g.ID), []any{audit.DatabricksGroup{
		ID:           string(g.ID),
		DisplayName:  string(g.DisplayName),
		ExternalID:   string(g.ExternalID),
		ResourceType: string(g.Meta.ResourceType),
		Roles:        g.Roles.values(),
		Entitlements: g.Entitlements.values(),
		Groups:       g.Groups.values(),
		Created:      string(g.Meta.Created),
	}}, nil
}

// decodeMembers reads the members of a group; a group without any may leave
// the field out.
func decodeMembers(raw jsontext.Value) (string, []any, error) {
	var g struct {
		ID      text `json:"id"`
		Members list `json:"members"`
	}
	if err := decode(raw, &g); err != nil {
		return "", nil, err
	}
	if len(g.Members) == 0 && !has(raw, "displayName") {
		return "", nil, errAbsent("displayName")
	}
	return string(g.ID), []any{audit.DatabricksGroupMembers{Group: string(g.ID), Members: g.Members.members()}}, nil
}

func decodeServicePrincipal(raw jsontext.Value) (string, []any, error) {
	var p struct {
		ID            text  `json:"id"`
		ApplicationID text  `json:"applicationId"`
		DisplayName   text  `json:"displayName"`
		ExternalID    text  `json:"externalId"`
		Active        truth `json:"active"`
		Roles         list  `json:"roles"`
		Entitlements  list  `json:"entitlements"`
		Groups        list  `json:"groups"`
		Meta          meta  `json:"meta"`
	}
	if err := decode(raw, &p); err != nil {
		return "", nil, err
	}
	if p.ApplicationID == "" && !has(raw, "applicationId") {
		return "", nil, errAbsent("applicationId")
	}
	return string(p.ID), []any{audit.DatabricksServicePrincipal{
		ID:            string(p.ID),
		ApplicationID: string(p.ApplicationID),
		DisplayName:   string(p.DisplayName),
		ExternalID:    string(p.ExternalID),
		Active:        p.Active != no,
		Roles:         p.Roles.values(),
		Entitlements:  p.Entitlements.values(),
		Groups:        p.Groups.values(),
		Created:       string(p.Meta.Created),
	}}, nil
}

// decodeWorkspace reads a workspace of the accounts API. One that does not say
// whether it has identity federation is not one without it.
func decodeWorkspace(raw jsontext.Value) (string, []any, error) {
	var w struct {
		ID         text `json:"workspace_id"`
		Name       text `json:"workspace_name"`
		Status     text `json:"workspace_status"`
		Federation struct {
			Enabled truth `json:"enable_identity_federation"`
		} `json:"identity_federation_info"`
	}
	if err := decode(raw, &w); err != nil {
		return "", nil, err
	}
	return string(w.ID), []any{audit.DatabricksWorkspace{
		ID:         string(w.ID),
		Name:       string(w.Name),
		Status:     string(w.Status),
		Federation: w.Federation.Enabled.String(),
	}}, nil
}

// errAbsent says that an object leaves out a field that every object of its kind
// has: a part of it was given, and what else is not there is not known to be blank.
func errAbsent(field string) error {
	return fmt.Errorf("field %s: expected text, found nothing", field)
}

// decode reads one object strictly: a name that stands twice is an error, since a
// guess could name the wrong person. Names of attributes are the same in any
// letter case (RFC 7643, section 2.1). Texts are kept byte for byte.
func decode(raw jsontext.Value, into any) error {
	if k := raw.Kind(); k != '{' {
		return fmt.Errorf("expected an object, found %s", noun(k))
	}
	return json.Unmarshal(raw, into, rawjson.Strict(), json.MatchCaseInsensitiveNames(true))
}

// lenient are the options to find an object's bounds and its id with, whatever
// else is wrong with it.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// errFound ends a search of [fields].
var errFound = errors.New("found")

// fields calls read with the name of each field of the object raw and with the
// decoder, which stands before its value.
func fields(raw jsontext.Value, read func(name string, dec *jsontext.Decoder) error) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), lenient)
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() != '{' {
		return fmt.Errorf("expected an object, found %s", noun(tok.Kind()))
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String(), dec); err != nil {
			return err
		}
	}
	return nil
}

// textOf returns the object's first field of that name in any letter case, blank
// if it has none or if that is no text.
func textOf(raw jsontext.Value, field string) string {
	var t text
	_ = fields(raw, func(name string, dec *jsontext.Decoder) error {
		if !strings.EqualFold(name, field) {
			return dec.SkipValue()
		}
		if t.UnmarshalJSONFrom(dec) != nil {
			t = ""
		}
		return errFound
	})
	return string(t)
}

// has reports whether raw is an object with a field of that name, in any letter case.
func has(raw jsontext.Value, field string) bool {
	return fields(raw, func(name string, dec *jsontext.Decoder) error {
		if strings.EqualFold(name, field) {
			return errFound
		}
		return dec.SkipValue()
	}) == errFound
}
