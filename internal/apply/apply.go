// Package apply carries out a plan, and undoes it: one field of one object at a
// time, each write guarded, journalled before it is sent, and proven by reading.
//
// [Check] and [CheckUndo] say what a run would do, and refuse what must not be
// done; they are pure, and a dry run ends with them. [Runner.Run] does it.
package apply

import (
	"context"

	"github.com/aimcheck/aimcheck/audit"
)

// A Directory is what a run needs of the directory that it writes to. It must be
// safe for concurrent use.
type Directory interface {
	// Read reads one field of one object, and whose it is, with one GET. found tells
	// whether the object is there; err is for everything that leaves that open.
	Read(ctx context.Context, target audit.Subject, field string) (live Live, found bool, err error)

	// Set writes one field of one object, with one PATCH that is never repeated.
	// An error that is no [Refusal] leaves open whether the write took effect.
	Set(ctx context.Context, target audit.Subject, field, value string) error
}

// Live is what one read shows of an object.
type Live struct {
	Value      string // of the field
	Name       string // userName or displayName
	ExternalID string
}

// A Refusal is an error of [Directory.Set] that may say more than that no answer
// was understood. One that also has a method Again() bool says with it whether
// the same write may be accepted soon, as after a 429; pacing is the directory's.
type Refusal interface {
	error
	Refused() bool // the directory answered, and its answer means that nothing was written
}

// A Phase is how far an operation got. Each line of a journal holds one.
type Phase string

// The phases. Those but NotTried stand in journals; Intent alone is no end.
const (
	Intent   Phase = "intent"    // about to be sent; as the last phase: what became of it is open
	Done     Phase = "done"      // written, and read back
	Already  Phase = "already"   // the target had the value; nothing was written
	Drifted  Phase = "drifted"   // the directory is not as the plan expects; nothing was written
	Failed   Phase = "failed"    // not in effect, as reading has shown, or never sent
	Unknown  Phase = "unknown"   // sent, and reading could not tell what became of it
	NotTried Phase = "not tried" // the run ended before
)

// Settled reports whether nothing is left to do after the phase.
func (p Phase) Settled() bool { return p == Done || p == Already }

// sent reports whether a write may be under way, or in effect, unseen.
func (p Phase) sent() bool { return p == Intent || p == Unknown }
