package aim

import "slices"

// A Kind tells users from groups.
type Kind string

// The kinds.
const (
	UserKind  Kind = "user"
	GroupKind Kind = "group"
)

// A What is what happened in an [Event].
type What string

// What may happen.
const (
	Known         What = "known"         // the record holds the id of the Okta object
	Named         What = "named"         // the record has a name of the Okta user, who is live
	Created       What = "created"       // a new entry was made for the Okta object
	Beside        What = "beside"        // the new entry of the Okta user stands beside the record
	Refused       What = "refused"       // the Okta group was not made: the record has its name
	Reserved      What = "reserved"      // the same, and the record is the system's
	Deprovisioned What = "deprovisioned" // the record was deactivated: Okta says its person left
	Unknown       What = "unknown"       // the record was deactivated: Okta doesn't know its id
)

// An Event is one thing that happened while AIM was enabled.
type Event struct {
	Kind       Kind
	What       What
	Okta       string // id of the Okta object; blank if Okta knows none
	Databricks string // id of the record
}

// An Outcome is what became of an identity, in the words of the audit's reports.
type Outcome string

// The outcomes.
const (
	WrongPerson Outcome = "wrong-person" // a new entry beside it: it has one person's id, and the name of others
	Duplicate   Outcome = "duplicate"    // its person has another record
	Ambiguous   Outcome = "ambiguous"    // a new entry beside it, and several people have its name
	Blocked     Outcome = "blocked"      // an Okta group was refused for it
	Deactivate  Outcome = "deactivate"
	Unmanaged   Outcome = "unmanaged" // untouched, and not linked
	Linked      Outcome = "linked"    // untouched, and linked
	Provision   Outcome = "provision" // an Okta object, created with no counterpart
)

// Outcomes reads from the events of [Enable] what became of every record that was
// there before, and which Okta objects were created with no counterpart. The keys
// are subjects, such as "databricks:user:123" and "okta:group:00g1". Of several
// outcomes a record has the first in the order of the audit's outcome table.
func Outcomes(before State, events []Event) map[string]Outcome {
	outcomes := map[string]Outcome{}
	for _, d := range before.Users {
		outcomes["databricks:user:"+d.ID] = userOutcome(d.ID, events)
	}
	for _, g := range before.Groups {
		outcomes["databricks:group:"+g.ID] = groupOutcome(g.ID, events)
	}
	for _, e := range events {
		if e.What == Created && len(records(events, e.Kind, Beside, e.Okta)) == 0 {
			outcomes["okta:"+string(e.Kind)+":"+e.Okta] = Provision
		}
	}
	return outcomes
}

func userOutcome(record string, events []Event) Outcome {
	var (
		known  = oktas(events, UserKind, Known, record)
		left   = oktas(events, UserKind, Deprovisioned, record)
		named  = oktas(events, UserKind, Named, record)
		beside = oktas(events, UserKind, Beside, record)
		dead   = oktas(events, UserKind, Unknown, record)
	)
	switch owner := slices.Concat(known, left); {
	case len(beside) > 0 && len(owner) > 0 && len(named) > 0 && !slices.Contains(named, owner[0]):
		return WrongPerson
	case len(left) > 0:
		return Deactivate
	case len(known) > 0 && (slices.Contains(beside, known[0]) || len(records(events, UserKind, Known, known[0])) > 1):
		return Duplicate
	case len(known) > 0:
		return Linked
	case len(beside) > 0 && len(named) > 1:
		return Ambiguous
	case len(beside) > 0:
		return Duplicate
	case len(dead) > 0:
		return Deactivate
	}
	return Unmanaged
}

func groupOutcome(record string, events []Event) Outcome {
	known := oktas(events, GroupKind, Known, record)
	switch {
	case len(known) > 0 && len(records(events, GroupKind, Known, known[0])) > 1:
		return Duplicate
	case len(known) > 0:
		return Linked
	case len(oktas(events, GroupKind, Refused, record)) > 0:
		return Blocked
	case len(oktas(events, GroupKind, Unknown, record)) > 0:
		return Deactivate
	}
	return Unmanaged
}

// oktas are the Okta objects with which something happened to the record.
func oktas(events []Event, kind Kind, what What, record string) []string {
	var ids []string
	for _, e := range events {
		if e.Kind == kind && e.What == what && e.Databricks == record {
			ids = append(ids, e.Okta)
		}
	}
	return ids
}

// records are the records to which something happened with the Okta object.
func records(events []Event, kind Kind, what What, okta string) []string {
	var ids []string
	for _, e := range events {
		if e.Kind == kind && e.What == what && e.Okta == okta {
			ids = append(ids, e.Databricks)
		}
	}
	return ids
}
