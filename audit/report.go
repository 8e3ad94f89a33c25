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

// aboutKind says how checks call what they are about.
var aboutKind = map[Kind][]string{
	DatabricksUserKind:             {"users", "Databricks users"},
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
	Subject    Subject
	Name       string // userName, displayName, or the Okta login or group name
	ExternalID string
	LinkState  LinkState
	Okta       Subject // the counterpart; zero if there is none
	OktaLogin  string  // or the group's name, or the app's label
	OktaEmail  string
	OktaStatus string
	MatchedBy  string // "id", "login", "email", "name", "client_id" or blank
	Now        Outcome
	AfterPlan  Outcome
}

// A Report is everything that any format shows: the one value they are made from.
type Report struct {
	Version  string // of this program
	Snapshot *Snapshot
	Settings Settings
	Verdict  Verdict
	Counts   map[Severity]int // unwaived findings
	Now      Impact
	After    Impact
	Skipped  []Skip    // in rule order
	Findings []Finding // gravest first
	Plan     *Plan
	Rules    []*Rule // the rules that were asked, in catalogue order

	Waivers  []WaiverUse // what each waiver did, in the order of the file; nil without waivers
	Trend    []PastRun   // earlier runs, oldest first; nil without a history
	Resolved []Gone      // since the run before; nil without a history

	index *Index
	after *Index
}

// Crosswalk yields a row for every Databricks identity, then one for every Okta
// object that would be provisioned, sorted by subject within each part.
func (r *Report) Crosswalk() iter.Seq[CrosswalkRow] { return crosswalk(r.index, r.after) }
