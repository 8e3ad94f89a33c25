package audit

import (
	"iter"
	"slices"
	"time"
)

// A Verdict says whether AIM may be enabled.
type Verdict string

// The verdicts.
const (
	Ready      Verdict = "ready"      // everything required was read, and no blocker is left
	NotReady   Verdict = "not-ready"  // everything required was read, and a blocker is left
	Incomplete Verdict = "incomplete" // something needed was not read: nothing is proved
)

// An Outcome is what happens to an identity when AIM is switched on.
type Outcome string

// The outcomes, in the order reports show them.
const (
	WrongPerson Outcome = "wrong-person" // the id belongs to one person, the name to another
	Duplicate   Outcome = "duplicate"    // AIM creates a second identity beside it
	Ambiguous   Outcome = "ambiguous"    // two or more Okta users could be meant
	Blocked     Outcome = "blocked"      // the Okta group can't be provisioned, its name is taken
	Deactivate  Outcome = "deactivate"   // Okta doesn't know the id, or knows it as deprovisioned
	Unmanaged   Outcome = "unmanaged"    // stays local
	Linked      Outcome = "linked"       // AIM manages it, as it should
	Provision   Outcome = "provision"    // an Okta object created cleanly at first use
)

// Outcomes lists the outcomes in the order reports show them.
func Outcomes() []Outcome {
	return []Outcome{WrongPerson, Duplicate, Ambiguous, Blocked, Deactivate, Unmanaged, Linked, Provision}
}

// An Impact counts Databricks users and groups by outcome, and live Okta users
// and groups that would be provisioned.
type Impact struct {
	Users  map[Outcome]int `json:"users"`
	Groups map[Outcome]int `json:"groups"`
}

// A Skip says why a rule, or a part of one, was not run.
type Skip struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	About  string `json:"about,omitempty"` // what was not looked at, such as "groups"; blank: the whole rule
}

// Covers reports whether the finding is one that the skipped check would have
// seen: that it is not there then says nothing.
func (s Skip) Covers(f *Finding) bool {
	if s.Rule != f.Rule || s.About == "" {
		return s.Rule == f.Rule
	}
	// A rule of several checks speaks of one identity at a time.
	subject, err := ParseSubject(f.Key)
	return err != nil || slices.Contains(aboutKind[subject.Kind], s.About)
}

// aboutClaims is what is not looked at where it is not known what the SSO app sends.
const aboutClaims = "usernames that the SSO app sends"

// aboutKind says how checks call what they are about.
var aboutKind = map[Kind][]string{
	DatabricksUserKind:             {"users", "Databricks users", aboutClaims},
	DatabricksGroupKind:            {"groups"},
	DatabricksServicePrincipalKind: {"service principals"},
	OktaUserKind:                   {"Okta users"},
}

// A PastRun is an earlier audit of the same tenants with the same settings.
type PastRun struct {
	Time     time.Time        `json:"time"`
	Verdict  Verdict          `json:"verdict"`
	Counts   map[Severity]int `json:"counts"` // unwaived findings; every severity is there
	Waived   int              `json:"waived"`
	New      int              `json:"new"`
	Reopened int              `json:"reopened"`
	Resolved int              `json:"resolved"`
}

// A Gone is a finding that was looked for and is there no more.
type Gone struct {
	ID        string    `json:"id"`
	Rule      string    `json:"rule"`
	Severity  Severity  `json:"severity"`
	Key       string    `json:"key"`
	Message   string    `json:"message"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// A LinkState says what a Databricks identity's externalId is.
type LinkState string

// The link states. A service principal has none while Okta's apps are not read.
const (
	NoLinkState    LinkState = ""
	LinkedLive     LinkState = "linked"          // the id of a live Okta object of the same kind
	LinkedInactive LinkState = "linked-inactive" // the id of a DEPROVISIONED user
	Stale          LinkState = "stale"           // not blank, and neither of these
	Unlinked       LinkState = "unlinked"        // blank
)

// A CrosswalkRow is one Databricks identity beside its Okta counterpart, or one
// Okta object that would be provisioned.
type CrosswalkRow struct {
	Subject    Subject   `json:"subject"`
	Name       string    `json:"name"` // userName, displayName, or the Okta login or group name
	ExternalID string    `json:"external_id,omitzero"`
	LinkState  LinkState `json:"link_state,omitzero"`
	GivenName  string    `json:"given_name,omitzero"`  // of a Databricks user
	FamilyName string    `json:"family_name,omitzero"` // of a Databricks user
	Active     bool      `json:"active,omitzero"`      // of a Databricks identity; true for groups
	Admin      bool      `json:"admin,omitzero"`       // it has the role account_admin directly
	Groups     int       `json:"groups,omitzero"`      // Databricks groups it is in, where known

	Okta       Subject `json:"okta,omitzero"`       // the counterpart; zero if there is none
	OktaLogin  string  `json:"okta_login,omitzero"` // or the group's name, or the app's label
	OktaEmail  string  `json:"okta_email,omitzero"`
	OktaStatus string  `json:"okta_status,omitzero"`
	OktaFirst  string  `json:"okta_first_name,omitzero"`
	OktaLast   string  `json:"okta_last_name,omitzero"`

	MatchedBy string  `json:"matched_by,omitzero"` // "id", "login", "email", "name", "client_id" or blank
	Now       Outcome `json:"now,omitzero"`
	AfterPlan Outcome `json:"after_plan,omitzero"`
}

// A SubjectName is a subject and what people call it.
type SubjectName struct {
	Subject Subject `json:"subject"`
	Name    string  `json:"name"`
}

// A Head says which snapshot a report is about, when it was read, and how far.
type Head struct {
	Digest     string
	Okta       Source
	Databricks Source

	OktaUsers, OktaGroups                                          int
	DatabricksUsers, DatabricksGroups, DatabricksServicePrincipals int

	Undecoded  int       // objects that could not be decoded; the snapshot keeps them whole
	Incomplete []Reading // of what was required or asked for: why the verdict is incomplete
	Readings   []Reading // of every input that was asked for
}

// Head returns what reports say of s.
func (s *Snapshot) Head() Head {
	h := Head{
		Digest: s.Digest, Okta: s.Okta, Databricks: s.Databricks,
		OktaUsers: s.OktaUsers.Len(), OktaGroups: s.OktaGroups.Len(),
		DatabricksUsers: s.DatabricksUsers.Len(), DatabricksGroups: s.DatabricksGroups.Len(),
		DatabricksServicePrincipals: s.DatabricksServicePrincipals.Len(),
		Undecoded:                   len(s.Undecoded), Incomplete: s.Incomplete(),
	}
	for _, in := range s.readings {
		if in.Asked {
			h.Readings = append(h.Readings, in)
		}
	}
	return h
}

// Complete reports whether all that was required or asked for of the directory was read.
func (h Head) Complete(okta bool) bool {
	return !slices.ContainsFunc(h.Incomplete, func(in Reading) bool { return in.Input.Okta() == okta })
}

// A Report is everything that any format shows: the one value they are made
// from. It comes from [Run], or from a findings.json: then it has no snapshot.
type Report struct {
	Version  string // of this program
	Head     Head
	Settings Settings
	Verdict  Verdict
	Counts   map[Severity]int // unwaived findings
	Now      Impact
	After    Impact
	Skipped  []Skip   // in rule order
	Findings Findings // gravest first
	Plan     *Plan    // nil where it is not known; without times in a report that was read from its file
	Rules    []*Rule  // the rules that were asked, in catalogue order
	Redacted bool     // names, addresses and ids are pseudonyms, and free text is left out

	Snapshot *Snapshot // nil in a report that was read from its file: formats use none of it

	Waivers  []WaiverUse // what each waiver did, in the order of the file; nil without waivers
	Trend    []PastRun   // earlier runs, oldest first; nil without a history
	Resolved []Gone      // since the run before; nil without a history

	index *Index
	after *Index
	kept  *kept
}

// HasCrosswalk reports whether the crosswalk is known.
func (r *Report) HasCrosswalk() bool { return r.index != nil || r.kept != nil }

// Crosswalk yields a row for every Databricks identity, then one for every Okta
// object that would be provisioned, sorted by subject within each part.
func (r *Report) Crosswalk() iter.Seq[CrosswalkRow] {
	return func(yield func(CrosswalkRow) bool) {
		for rows := range Made(r.CrosswalkList(), copied) {
			for _, row := range rows {
				if !yield(row) {
					return
				}
			}
		}
	}
}

func copied(part iter.Seq[*CrosswalkRow]) []CrosswalkRow {
	rows := make([]CrosswalkRow, 0, listPart)
	for row := range part {
		rows = append(rows, *row)
	}
	return rows
}

// CrosswalkList lists what [Report.Crosswalk] yields.
func (r *Report) CrosswalkList() List[*CrosswalkRow] { return r.crosswalkList(true) }

// BriefCrosswalk is [Report.CrosswalkList] of which a user's first and last name,
// Active, Admin and Groups may be left out: as much again to fetch.
func (r *Report) BriefCrosswalk() List[*CrosswalkRow] { return r.crosswalkList(false) }

func (r *Report) crosswalkList(whole bool) List[*CrosswalkRow] {
	switch {
	case r.index != nil:
		return crosswalk(r.index, r.after, whole)
	case r.kept != nil:
		return r.kept.list()
	}
	return new(kept).list()
}

// Name returns what people call the subject of a finding or of the plan; blank if
// that is not known.
func (r *Report) Name(s Subject) string {
	switch {
	case r.index != nil:
		if ref, ok := r.index.find(s); ok {
			return r.index.Name(ref)
		}
	case r.kept != nil:
		return r.kept.name(s)
	}
	return ""
}

// OtherNames yields the subjects that findings and the plan speak of and that
// have no row in the crosswalk, with their names, in order.
func (r *Report) OtherNames() iter.Seq[SubjectName] {
	if r.kept != nil {
		return slices.Values(r.kept.names)
	}
	return func(yield func(SubjectName) bool) {
		if r.index == nil {
			return
		}
		spoken := r.spoken()
		for _, k := range Kinds() {
			if counterpart(k) != 0 {
				continue // every one has a row
			}
			for ref := range r.index.All(k) {
				if spoken[k][ref.n] && !r.index.provisioned(ref) && !yield(SubjectName{r.index.Subject(ref), r.index.Name(ref)}) {
					return
				}
			}
		}
	}
}

// spoken marks those objects without a row that findings and the plan speak of.
func (r *Report) spoken() (spoken [kindEnd][]bool) {
	for _, k := range Kinds() {
		if counterpart(k) == 0 {
			spoken[k] = make([]bool, r.index.Len(k))
		}
	}
	objects := func(part iter.Seq[*Finding]) (objects []Ref) {
		add := func(s Subject) {
			if counterpart(s.Kind) != 0 {
				return
			}
			if ref, ok := r.index.find(s); ok {
				objects = append(objects, ref)
			}
		}
		for f := range part {
			for _, s := range f.Subjects {
				add(s)
			}
			for i := range f.Evidence { // mostly about a subject
				about := f.Evidence[i].Subject
				if _, added := slices.BinarySearchFunc(f.Subjects, about, Subject.Compare); !added {
					add(about)
				}
			}
		}
		return objects
	}
	for some := range Made(r.Findings.List(), objects) {
		for _, ref := range some {
			spoken[ref.Kind][ref.n] = true
		}
	}
	if r.Plan != nil && r.Plan.Manual.findings != &r.Findings { // else their candidates are subjects
		for m := range r.Plan.Manual.All() {
			for _, s := range m.Candidates {
				if ref, ok := r.index.find(s); ok && counterpart(s.Kind) == 0 {
					spoken[ref.Kind][ref.n] = true
				}
			}
		}
	}
	return spoken
}
