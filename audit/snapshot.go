package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// An Input is one listing that rules conclude from.
type Input uint8

// The inputs. The first five are required: without them there is no verdict.
const (
	OktaUsers Input = iota
	OktaGroups
	DatabricksUsers
	DatabricksGroups
	DatabricksServicePrincipals
	DatabricksWorkspaces // always tried; if it fails, only its rule is skipped
	OktaMembers          // the members of Okta groups
	OktaApps
	OktaAppUsers // the users of the SSO app
	DatabricksMembers
	DatabricksWorkspaceDetails // workspace-local groups and assignments
	inputEnd
)

var inputTexts = [inputEnd]string{
	OktaUsers: "okta_users", OktaGroups: "okta_groups", OktaMembers: "okta_members",
	OktaApps: "okta_apps", OktaAppUsers: "okta_app_users",
	DatabricksUsers: "databricks_users", DatabricksGroups: "databricks_groups",
	DatabricksServicePrincipals: "databricks_service_principals",
	DatabricksWorkspaces:        "databricks_workspaces", DatabricksMembers: "databricks_members",
	DatabricksWorkspaceDetails: "databricks_workspace_details",
}

// Inputs lists every input in order.
func Inputs() []Input {
	in := make([]Input, inputEnd)
	for i := range in {
		in[i] = Input(i)
	}
	return in
}

// String returns the input's name in files, such as "okta_users".
func (in Input) String() string {
	if in >= inputEnd {
		return fmt.Sprintf("Input(%d)", uint8(in))
	}
	return inputTexts[in]
}

// MarshalText implements [encoding.TextMarshaler].
func (in Input) MarshalText() ([]byte, error) { return []byte(in.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (in *Input) UnmarshalText(b []byte) error {
	for i, text := range inputTexts {
		if text == string(b) {
			*in = Input(i)
			return nil
		}
	}
	return fmt.Errorf("unknown input %q", b)
}

// Required reports whether the verdict needs the input complete.
func (in Input) Required() bool { return in <= DatabricksServicePrincipals }

// Okta reports whether the input comes from Okta rather than Databricks.
func (in Input) Okta() bool {
	switch in {
	case OktaUsers, OktaGroups, OktaMembers, OktaApps, OktaAppUsers:
		return true
	}
	return false
}

// A Reading says how one input was read. The zero Reading was not asked for.
type Reading struct {
	Input    Input  `json:"input"`
	Asked    bool   `json:"asked"`
	Complete bool   `json:"complete"`         // every object was read, and that is known
	Reason   string `json:"reason,omitempty"` // why not Complete, and what to do
	API      string `json:"api,omitempty"`    // what was asked, such as "GET /api/v1/users"
	Expected int    `json:"expected"`         // objects the directory announced; -1 if it announces none
	Received int    `json:"received"`
	Requests int    `json:"requests"`

	// AsOf is when the listing began, by the directory's own clock, where that is
	// known: it shows every change made before.
	AsOf  time.Time `json:"as_of,omitzero"`
	Proof *Proof    `json:"proof,omitempty"`
}

// A Source says which directory was read, and when.
type Source struct {
	Tenant   string    `json:"tenant"` // Okta org URL, Databricks account id
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Requests int       `json:"requests"`         // sent, retries and sign-in included
	Caller   string    `json:"caller,omitempty"` // who signed in: a userName or applicationId
	Files    bool      `json:"files,omitempty"`  // imported from files: completeness is the giver's word
	Notes    []string  `json:"notes,omitempty"`  // what the reader should know, such as that DPoP is on

	// Full is when the last full reading began that this one goes on from; zero
	// if this one is full. Base is the digest of the snapshot it goes on from.
	Full time.Time `json:"full,omitzero"`
	Base string    `json:"base,omitempty"`
}

// An Undecoded is an object that could not be read as what it should be. It is
// kept whole; the input it belongs to is not complete.
type Undecoded struct {
	Input Input  `json:"input"`
	Raw   []byte `json:"raw"`   // the vendor's bytes
	Error string `json:"error"` // what was expected
}

// A Snapshot is what both directories held during one reading. It does not
// change once built. Every table is sorted by id.
type Snapshot struct {
	Digest     string // "sha256:…" of the content, set by whoever stored or read it
	Okta       Source
	Databricks Source

	OktaUsers                   Table[OktaUser, *OktaUser]
	OktaGroups                  Table[OktaGroup, *OktaGroup]
	OktaMembers                 Table[OktaGroupMembers, *OktaGroupMembers] // by group
	OktaApps                    Table[OktaApp, *OktaApp]
	OktaAppUsers                Table[OktaAppUser, *OktaAppUser] // by user
	DatabricksUsers             Table[DatabricksUser, *DatabricksUser]
	DatabricksGroups            Table[DatabricksGroup, *DatabricksGroup]
	DatabricksMembers           Table[DatabricksGroupMembers, *DatabricksGroupMembers] // by group
	DatabricksServicePrincipals Table[DatabricksServicePrincipal, *DatabricksServicePrincipal]
	DatabricksWorkspaces        Table[DatabricksWorkspace, *DatabricksWorkspace]
	DatabricksAssignments       Table[DatabricksAssignment, *DatabricksAssignment] // by principal
	Undecoded                   []Undecoded

	readings [inputEnd]Reading
}

// Reading returns how the input was read.
func (s *Snapshot) Reading(in Input) Reading { return s.readings[in] }

// Complete reports whether all of the input was read.
func (s *Snapshot) Complete(in Input) bool { return s.readings[in].Complete }

// Incomplete lists the readings that make a verdict impossible: required inputs
// and inputs asked for that were not read to the end. Workspaces never do.
func (s *Snapshot) Incomplete() []Reading {
	var rs []Reading
	for _, r := range s.readings {
		if !r.Complete && (r.Asked || r.Input.Required()) && r.Input != DatabricksWorkspaces {
			rs = append(rs, r)
		}
	}
	return rs
}

// A Page is a part of a listing, as an adapter hands it over.
type Page struct {
	Records  []any // record types and [Undecoded]
	Expected int   // objects the directory announces for the whole listing; 0 if it announces none
	Restart  bool  // forget what this listing gave before: it moved while it was read
	Update   bool  // the records replace those of the same id, where there are such

	// Mark, unless blank, says how far the listing is once the page is kept, in
	// the adapter's own words: [Request.Marks] brings it back.
	Mark string
}

// A Step is one step of a reading, kept so that an interrupted one can be carried
// on: one of Begun, Page and Done is set.
type Step struct {
	Input Input
	Begun time.Time // a listing began, by the directory's clock: what was listed before is void
	Page  *Page     // a page was kept
	Done  *Reading  // the listing ended
}

// A Request says what an adapter is to list.
type Request struct {
	Input Input

	// Of lists the ids of the objects whose parts are listed: groups for
	// members, the app for app users, workspaces for their details.
	Of []string

	// Held lists the ids of what the caller holds of this input already, from an
	// earlier listing that began at HeldAsOf by the directory's clock. With Marks
	// that listing was interrupted, and is to be carried on; without, it was
	// complete, and only what changed since is listed, as updates.
	Held     []string
	HeldAsOf time.Time
	Marks    []string
}

// A Builder collects what was read, in any order, into a [Snapshot]. It is not
// safe for concurrent use.
type Builder struct {
	Okta       Source
	Databricks Source

	readings    [inputEnd]Reading
	undecoded   tableBuilder[Undecoded, *Undecoded]
	oktaUsers   tableBuilder[OktaUser, *OktaUser]
	oktaGroups  tableBuilder[OktaGroup, *OktaGroup]
	oktaMembers tableBuilder[OktaGroupMembers, *OktaGroupMembers]
	apps        tableBuilder[OktaApp, *OktaApp]
	appUsers    tableBuilder[OktaAppUser, *OktaAppUser]
	users       tableBuilder[DatabricksUser, *DatabricksUser]
	groups      tableBuilder[DatabricksGroup, *DatabricksGroup]
	members     tableBuilder[DatabricksGroupMembers, *DatabricksGroupMembers]
	principals  tableBuilder[DatabricksServicePrincipal, *DatabricksServicePrincipal]
	workspaces  tableBuilder[DatabricksWorkspace, *DatabricksWorkspace]
	assignments tableBuilder[DatabricksAssignment, *DatabricksAssignment]
}

// Read records how an input was read.
func (b *Builder) Read(r Reading) { b.readings[r.Input] = r }

// Add adds one record: any of the record types, or an [Undecoded], or a pointer
// to one, of which it keeps a copy.
func (b *Builder) Add(record any) error { return b.add(record, false) }

// Update adds one record in place of those with its id, where there are such.
// An assignment has no id: it replaces none.
func (b *Builder) Update(record any) error { return b.add(record, true) }

func (b *Builder) add(record any, update bool) error {
	switch r := record.(type) {
	case OktaUser:
		return b.oktaUsers.add(&r, update)
	case *OktaUser:
		return b.oktaUsers.add(r, update)
	case OktaGroup:
		return b.oktaGroups.add(&r, update)
	case *OktaGroup:
		return b.oktaGroups.add(r, update)
	case OktaGroupMembers:
		return b.oktaMembers.add(&r, update)
	case *OktaGroupMembers:
		return b.oktaMembers.add(r, update)
	case OktaApp:
		return b.apps.add(&r, update)
	case *OktaApp:
		return b.apps.add(r, update)
	case OktaAppUser:
		return b.appUsers.add(&r, update)
	case *OktaAppUser:
		return b.appUsers.add(r, update)
	case DatabricksUser:
		return b.users.add(&r, update)
	case *DatabricksUser:
		return b.users.add(r, update)
	case DatabricksGroup:
		return b.groups.add(&r, update)
	case *DatabricksGroup:
		return b.groups.add(r, update)
	case DatabricksGroupMembers:
		return b.members.add(&r, update)
	case *DatabricksGroupMembers:
		return b.members.add(r, update)
	case DatabricksServicePrincipal:
		return b.principals.add(&r, update)
	case *DatabricksServicePrincipal:
		return b.principals.add(r, update)
	case DatabricksWorkspace:
		return b.workspaces.add(&r, update)
	case *DatabricksWorkspace:
		return b.workspaces.add(r, update)
	case DatabricksAssignment:
		return b.assignments.add(&r, false)
	case *DatabricksAssignment:
		return b.assignments.add(r, false) // an update of a principal's access to one workspace leaves the others
	case Undecoded:
		return b.undecoded.add(&r, false)
	case *Undecoded:
		return b.undecoded.add(r, false)
	}
	return fmt.Errorf("%T is no record", record)
}

// Packed returns where b keeps the records of the type of the given one.
func (b *Builder) Packed(record any) *Packed {
	switch record.(type) {
	case OktaUser:
		return &b.oktaUsers.Packed
	case OktaGroup:
		return &b.oktaGroups.Packed
	case OktaGroupMembers:
		return &b.oktaMembers.Packed
	case OktaApp:
		return &b.apps.Packed
	case OktaAppUser:
		return &b.appUsers.Packed
	case DatabricksUser:
		return &b.users.Packed
	case DatabricksGroup:
		return &b.groups.Packed
	case DatabricksGroupMembers:
		return &b.members.Packed
	case DatabricksServicePrincipal:
		return &b.principals.Packed
	case DatabricksWorkspace:
		return &b.workspaces.Packed
	case DatabricksAssignment:
		return &b.assignments.Packed
	case Undecoded:
		return &b.undecoded.Packed
	}
	panic(fmt.Sprintf("%T is no record", record))
}

// Move adds the records of c behind those of b, as if they had been added one
// after another, and empties c, which can be used again. What c says of sources
// and readings is not looked at. After an error neither can be used.
func (b *Builder) Move(c *Builder) error {
	return cmp.Or(
		b.undecoded.move(&c.undecoded),
		b.oktaUsers.move(&c.oktaUsers),
		b.oktaGroups.move(&c.oktaGroups),
		b.oktaMembers.move(&c.oktaMembers),
		b.apps.move(&c.apps),
		b.appUsers.move(&c.appUsers),
		b.users.move(&c.users),
		b.groups.move(&c.groups),
		b.members.move(&c.members),
		b.principals.move(&c.principals),
		b.workspaces.move(&c.workspaces),
		b.assignments.move(&c.assignments))
}

// Forget drops everything that was added of one input. A group belongs to the
// workspace details if it names a workspace, else to the groups.
func (b *Builder) Forget(in Input) {
	b.undecoded.keep(func(u Undecoded) bool { return u.Input != in })
	switch in {
	case OktaUsers:
		b.oktaUsers = tableBuilder[OktaUser, *OktaUser]{}
	case OktaGroups:
		b.oktaGroups = tableBuilder[OktaGroup, *OktaGroup]{}
	case OktaMembers:
		b.oktaMembers = tableBuilder[OktaGroupMembers, *OktaGroupMembers]{}
	case OktaApps:
		b.apps = tableBuilder[OktaApp, *OktaApp]{}
	case OktaAppUsers:
		b.appUsers = tableBuilder[OktaAppUser, *OktaAppUser]{}
	case DatabricksUsers:
		b.users = tableBuilder[DatabricksUser, *DatabricksUser]{}
	case DatabricksGroups:
		b.groups.keep(func(g DatabricksGroup) bool { return g.Workspace != "" })
	case DatabricksMembers:
		b.members = tableBuilder[DatabricksGroupMembers, *DatabricksGroupMembers]{}
	case DatabricksServicePrincipals:
		b.principals = tableBuilder[DatabricksServicePrincipal, *DatabricksServicePrincipal]{}
	case DatabricksWorkspaces:
		b.workspaces = tableBuilder[DatabricksWorkspace, *DatabricksWorkspace]{}
	case DatabricksWorkspaceDetails:
		b.assignments = tableBuilder[DatabricksAssignment, *DatabricksAssignment]{}
		b.groups.keep(func(g DatabricksGroup) bool { return g.Workspace == "" })
	}
}

// Snapshot returns what was collected. A blank id, or one that two records of
// one kind share, is an error: a directory that says so contradicts itself.
// The snapshot that comes with the error is sound: it holds one of the
// records, and their reading is not complete. The builder must not be used
// afterwards.
func (b *Builder) Snapshot() (*Snapshot, error) {
	s := &Snapshot{Okta: b.Okta, Databricks: b.Databricks, readings: b.readings}
	for i := range s.readings {
		s.readings[i].Input = Input(i)
	}
	undecoded := b.undecoded.table()
	for _, u := range undecoded.All() {
		s.Undecoded = append(s.Undecoded, u)
	}
	slices.SortFunc(s.Undecoded, func(u, v Undecoded) int {
		return cmp.Or(cmp.Compare(u.Input, v.Input), bytes.Compare(u.Raw, v.Raw), cmp.Compare(u.Error, v.Error))
	})
	for _, u := range s.Undecoded {
		if r := &s.readings[u.Input]; r.Complete {
			r.Complete = false
			r.Reason = fmt.Sprintf("an object could not be decoded: %s", u.Error)
		}
	}
	s.OktaUsers = b.oktaUsers.table()
	s.OktaGroups = b.oktaGroups.table()
	s.OktaMembers = b.oktaMembers.table()
	s.OktaApps = b.apps.table()
	s.OktaAppUsers = b.appUsers.table()
	s.DatabricksUsers = b.users.table()
	s.DatabricksGroups = b.groups.table()
	s.DatabricksMembers = b.members.table()
	s.DatabricksServicePrincipals = b.principals.table()
	s.DatabricksWorkspaces = b.workspaces.table()
	s.DatabricksAssignments = b.assignments.table()
	return s, errors.Join(
		s.contradiction(OktaUsers, distinct(OktaUserKind, &s.OktaUsers)),
		s.contradiction(OktaGroups, distinct(OktaGroupKind, &s.OktaGroups)),
		s.contradiction(OktaApps, distinct(OktaAppKind, &s.OktaApps)),
		s.contradiction(DatabricksUsers, distinct(DatabricksUserKind, &s.DatabricksUsers)),
		s.contradiction(DatabricksGroups, distinct(DatabricksGroupKind, &s.DatabricksGroups)),
		s.contradiction(DatabricksServicePrincipals, distinct(DatabricksServicePrincipalKind, &s.DatabricksServicePrincipals)),
		s.contradiction(DatabricksWorkspaces, distinct(DatabricksWorkspaceKind, &s.DatabricksWorkspaces)))
}

// contradiction marks the input as not complete because of err, if there is one.
func (s *Snapshot) contradiction(in Input, err error) error {
	if r := &s.readings[in]; err != nil && r.Complete {
		r.Complete, r.Reason = false, err.Error()
	}
	return err
}

// distinct drops records without an id, and all but one of those that share
// one, and says what it dropped first.
func distinct[R any, P record[R]](k Kind, t *Table[R, P]) (err error) {
	drop := func(i int) bool {
		return t.Key(i) == "" || i > 0 && t.Key(i) == t.Key(i-1)
	}
	first := 0
	if !t.unordered && t.Len() > 0 && !drop(0) {
		return nil
	}
	for first < t.Len() && !drop(first) {
		first++
	}
	if first == t.Len() {
		return nil
	}
	if id := t.Key(first); id == "" {
		err = fmt.Errorf("%s: an object has no id", k)
	} else {
		err = fmt.Errorf("%s: two objects have the id %q", k, id)
	}
	kept := slices.Clone(t.at[:first])
	for i := first; i < t.Len(); i++ {
		if !drop(i) {
			kept = append(kept, t.at[i])
		}
	}
	t.at = kept
	return err
}
