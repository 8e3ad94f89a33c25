package audit

import "time"

// An Action is what an operation does to its target.
type Action string

// The actions.
const (
	SetExternalID   Action = "set_external_id"   // user, group, service principal
	ClearExternalID Action = "clear_external_id" // group
	SetName         Action = "set_name"          // user, one part
	DeactivateUser  Action = "deactivate_user"
)

// A Class is a set of operations that a plan includes or not.
type Class string

// The classes. The first three are included by default.
const (
	ClassUsers             Class = "users" // a blank externalId becomes an id
	ClassGroups            Class = "groups"
	ClassServicePrincipals Class = "service-principals"
	ClassOverwrite         Class = "overwrite" // a non-blank externalId is replaced
	ClassNames             Class = "names"
	ClassDeactivate        Class = "deactivate"
	ClassClear             Class = "clear"
)

// A Decision is what was said about an operation.
type Decision string

// The decisions. An operation without one is not applied.
const (
	Undecided Decision = ""
	Approve   Decision = "approve"
	Reject    Decision = "reject"
)

// An Operation is one write to one field of one object. It is data, so that a
// plan can be read, reviewed, digested, replayed and undone.
type Operation struct {
	ID         string   `json:"id"` // "op-0001"
	Action     Action   `json:"action"`
	Target     Subject  `json:"target"`
	Name       string   `json:"name"`     // of the target, for people
	Field      string   `json:"field"`    // "externalId", "name.givenName", "name.familyName", "active"
	From       string   `json:"from"`     // the value that must still be there
	To         string   `json:"to"`       //
	Because    []string `json:"because"`  // ids of findings
	Evidence   string   `json:"evidence"` // one sentence
	Reversible bool     `json:"reversible"`
	Risk       string   `json:"risk"` // "low", "medium" or "high"
	Decision   Decision `json:"decision"`

	class Class
}

// Class returns the class the operation belongs to.
func (op Operation) Class() Class { return op.class }

// A Manual is a finding that a person must see to, elsewhere or by a decision.
type Manual struct {
	Finding    string    `json:"finding"`
	Remedy     Remedy    `json:"remedy"`
	What       string    `json:"what"`
	Candidates []Subject `json:"candidates"` // Okta objects to choose from
}

// A Rename is a username that only Databricks Support can change.
type Rename struct {
	User    Subject // the Databricks user
	Current string
	Target  string // blank while the SSO claim is unknown and two names fit
	Finding string
}

// A Plan is a set of operations against the tenants and the snapshot that it was
// made from; it may be applied to no other.
type Plan struct {
	Schema     string      `json:"schema"` // [PlanSchema]
	Created    time.Time   `json:"created"`
	Expires    time.Time   `json:"expires"`
	Snapshot   string      `json:"snapshot"` // digest
	OktaOrg    string      `json:"okta_org"`
	Databricks string      `json:"databricks_account"`
	Digest     string      `json:"digest"` // of the operations
	Operations []Operation `json:"operations"`
	Manual     []Manual    `json:"manual"`
}

// PlanSchema is the version of plan.json.
const PlanSchema = "aimcheck.plan/v1"
