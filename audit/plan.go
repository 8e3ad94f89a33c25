package audit

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"
)

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
	Risk       string   `json:"risk"`              // "low", "medium" or "high"
	Touches    string   `json:"touches,omitempty"` // what the target is that must be named before it is touched, see [Index.Protected]
	Decision   Decision `json:"decision"`
}

// Class returns the class the operation belongs to; blank if it is none that a
// plan may hold.
func (op Operation) Class() Class {
	switch op.Action {
	case SetExternalID:
		if op.From != "" {
			return ClassOverwrite
		}
		return map[Kind]Class{DatabricksUserKind: ClassUsers, DatabricksGroupKind: ClassGroups,
			DatabricksServicePrincipalKind: ClassServicePrincipals}[op.Target.Kind]
	case ClearExternalID:
		return ClassClear
	case SetName:
		return ClassNames
	case DeactivateUser:
		return ClassDeactivate
	}
	return ""
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
	Digest     string      `json:"digest"`            // of all the rest
	Include    []Class     `json:"include,omitempty"` // the classes that were included besides the default ones
	Operations []Operation `json:"operations"`
	Manual     Manuals     `json:"manual"`
}

// PlanSchema is the version of plan.json.
const PlanSchema = "aimcheck.plan/v1"

// defaultClasses are included unless they are excluded.
var defaultClasses = []Class{ClassUsers, ClassGroups, ClassServicePrincipals}

// Classes lists every class, those included by default first.
func Classes() []Class {
	return append(slices.Clone(defaultClasses), ClassOverwrite, ClassNames, ClassDeactivate, ClassClear)
}

// A slot is one field of one object. No two operations write one.
type slot struct {
	target Subject
	field  string
}

func (op Operation) slot() slot { return slot{op.Target, op.Field} }

// newPlan makes the plan of what the findings ask for, and sets their
// Operations. A waived finding asks for nothing, of nobody. No order is needed: an
// automatic operation gives an id that nobody holds, so that none waits for another.
func newPlan(ix *Index, findings *Findings, asks []asking) *Plan {
	p := &Plan{
		Schema: PlanSchema, Snapshot: ix.Digest, OktaOrg: ix.Okta.Tenant, Databricks: ix.Databricks.Tenant,
		Manual: leftToPeople(ix, findings),
	}
	for _, c := range Classes() {
		if slices.Contains(ix.Settings.Include, string(c)) {
			p.Include = append(p.Include, c)
		}
	}
	requests := make([]request, 0, len(asks))
	for _, a := range asks {
		if findings.Head(a.finding).Waived {
			continue
		}
		for i := range a.changes {
			c := &a.changes[i]
			if !ix.Settings.excludes(c.Class, findings, a.finding) && (c.Class != ClassDeactivate || ix.Settings.includes(c.Class)) {
				requests = append(requests, request{c, a.finding})
			}
		}
	}
	slices.SortFunc(requests, func(a, b request) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Field, b.Field), cmp.Compare(a.finding, b.finding))
	})
	var first []int // request for each slot
	for i := range requests {
		if i == 0 || requests[i].slot() != requests[i-1].slot() {
			first = append(first, i)
		}
	}
	first = append(first, len(requests))
	p.Operations = make([]Operation, len(first)-1)
	inParts(len(p.Operations), fewObjects, func(from, to int) {
		var f unpacked
		for i := from; i < to; i++ {
			p.Operations[i] = ix.requested(operationID(i+1), requests[first[i]:first[i+1]], findings, &f)
		}
	})
	leaveSharedIDs(p.Operations)
	for i, op := range p.Operations {
		for _, r := range requests[first[i]:first[i+1]] {
			findings.ask(r.finding, op.ID)
		}
	}
	return p
}

// leaveSharedIDs leaves to people who gets an id that several operations give:
// the id of Okta objects of several kinds. No two of one kind are given one. The
// operations are sorted: users come last.
func leaveSharedIDs(ops []Operation) {
	gives := map[string]int{} // the first operation that gives it
	said := map[int]bool{}
	for i, op := range ops {
		if op.Action != SetExternalID {
			continue
		}
		first, given := gives[op.To]
		switch {
		case given:
			for _, n := range []int{first, i} {
				if !said[n] {
					said[n] = true
					ops[n].Decision = Undecided
					ops[n].Evidence += "; another operation gives the same id: people decide"
				}
			}
		case op.Target.Kind != DatabricksUserKind:
			gives[op.To] = i
		}
	}
}

// A request is a change that a finding asks for.
type request struct {
	*Change
	finding int
}

func (r request) slot() slot { return slot{r.Target, r.Field} }

// requested returns the operation of the requests, which are for one slot in the
// order of their findings. f is room to unpack one.
func (ix *Index) requested(id string, requests []request, findings *Findings, f *unpacked) Operation {
	op := ix.operation(*requests[0].Change, findings.Head(requests[0].finding).Remedy)
	op.ID = id
	for _, r := range requests {
		if r.To != op.To {
			op.Decision = Undecided // two findings disagree: people decide
			op.Evidence += "; another finding asks for a different value"
		}
		findings.unpack(r.finding, f, false)
		op.Because = append(op.Because, f.ID)
	}
	slices.Sort(op.Because)
	return op
}

func bySlot(a, b Operation) int {
	return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Field, b.Field))
}

func operationID(n int) string { return fmt.Sprintf("op-%04d", n) }

// operation returns the change as an operation with its decision: approved when
// it is automatic and its class included, or of a class that only inclusion brings.
func (ix *Index) operation(c Change, remedy Remedy) Operation {
	op := Operation{
		Action: c.Action, Target: c.Target, Field: c.Field, From: c.From, To: c.To, Evidence: c.Why,
		Reversible: true, Risk: "low",
	}
	switch c.Class {
	case ClassUsers, ClassServicePrincipals:
		op.Reversible = false // Databricks refuses to clear the externalId of these
	case ClassOverwrite, ClassClear:
		op.Risk = "medium"
	case ClassDeactivate:
		op.Risk = "high"
	}
	if c.Target.Kind == DatabricksGroupKind {
		op.Evidence += "; if Terraform manages the group, its external_id must say the same"
	}
	if d, ok := ix.find(c.Target); ok {
		op.Name = ix.Name(d)
		ix.protect(&op, d)
	}
	byInclusion := c.Class == ClassDeactivate || c.Class == ClassClear
	switch {
	case remedy != RemedyAutomatic && !byInclusion:
	case ix.Settings.includes(c.Class):
		op.Decision = Approve
	default:
		op.Evidence += "; --include=" + string(c.Class) + " approves it"
	}
	return op
}

// protect marks an operation whose target d must be named.
func (ix *Index) protect(op *Operation, d Ref) {
	if who := ix.Protected(d); who != "" {
		op.Evidence += "; it is " + who + ", and touched only by name"
		op.Risk, op.Touches = "high", who
	}
}

func (s Settings) includes(c Class) bool {
	return slices.Contains(defaultClasses, c) || slices.Contains(s.Include, string(c))
}

// excludes reports whether an operation of the class is left out that finding i asks for.
func (s Settings) excludes(c Class, findings *Findings, i int) bool {
	return slices.ContainsFunc(s.Exclude, func(what string) bool {
		return what == string(c) || what == findings.Head(i).Rule || what == findings.At(i).ID
	})
}

// Approved yields the operations that are to be applied.
func (p *Plan) Approved() iter.Seq[Operation] {
	return func(yield func(Operation) bool) {
		for _, op := range p.Operations {
			if op.Decision == Approve && !yield(op) {
				return
			}
		}
	}
}

// A Waiting class is one that was not included, and how many operations wait for it.
type Waiting struct {
	Class      Class
	Operations int
}

// NotIncluded lists the classes that were not included and that undecided
// operations wait for.
func (p *Plan) NotIncluded() (all []Waiting) {
	for _, c := range Classes()[len(defaultClasses):] {
		n := 0
		for _, op := range p.Operations {
			if op.Decision == Undecided && op.Class() == c {
				n++
			}
		}
		if n > 0 && !slices.Contains(p.Include, c) {
			all = append(all, Waiting{c, n})
		}
	}
	return all
}

// Cautions lists what to beware of before the operations are applied.
func Cautions(ops iter.Seq[Operation]) (all []string) {
	for op := range ops {
		if all == nil {
			all = []string{
				"pause SCIM provisioning from Okta while the plan is applied: it writes the same fields",
				"once AIM is on, it deactivates identities whose externalId Okta doesn't know",
			}
		}
		if op.Target.Kind == DatabricksGroupKind {
			return append(all, "if Terraform manages a group, its databricks_group.external_id must say the same: another value destroys and recreates the group")
		}
	}
	return all
}
