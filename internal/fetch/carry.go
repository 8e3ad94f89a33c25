package fetch

import (
	"fmt"
	"slices"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// Steps calls visit for each step of an interrupted reading, in order. It can be
// called more than once.
type Steps func(visit func(audit.Step) error) error

// Carried is what of an interrupted reading is carried on.
type Carried struct {
	Started time.Time // when it began

	steps Steps
	parts [audit.DatabricksWorkspaceDetails + 1]part
}

// A part is what one input's listing left.
type part struct {
	begun  time.Time
	void   int // times that what was listed before became void
	marks  []string
	done   *audit.Reading
	number int // of records
	held   []string
	anew   string // why it is read anew though it ended; blank: it is not
}

// listed is which list tells of what parts are read.
var listed = map[audit.Input]audit.Input{
	audit.OktaMembers:                audit.OktaGroups,
	audit.DatabricksMembers:          audit.DatabricksGroups,
	audit.DatabricksWorkspaceDetails: audit.DatabricksWorkspaces,
}

// Carry looks through an interrupted reading. A listing that was read completely
// is kept, unless parts of what it lists could not be read, or the list that it adds
// to is not kept; one that says how far it was is carried on; any other begins anew.
func Carry(started time.Time, steps Steps) (*Carried, error) {
	c := &Carried{Started: started, steps: steps}
	err := steps(func(s audit.Step) error {
		p := &c.parts[s.Input]
		switch {
		case !s.Begun.IsZero():
			*p = part{begun: s.Begun, void: p.void + 1}
		case s.Done != nil:
			p.done = s.Done
		case s.Page != nil:
			if s.Page.Restart {
				*p = part{begun: p.begun, void: p.void + 1}
			}
			p.number += len(s.Page.Records)
			if s.Page.Mark != "" {
				p.marks = append(p.marks, s.Page.Mark)
			}
		}
		return nil
	})
	for parts, list := range listed {
		if done := c.parts[parts].done; done != nil && !done.Complete {
			c.parts[list].anew = "parts of them could not be read" // some may be gone by now
		}
	}
	if !c.whole(audit.DatabricksGroups) {
		// What it says of groups replaces what that list says, which comes first.
		c.parts[audit.DatabricksWorkspaceDetails].anew = audit.DatabricksGroups.String() + " are"
	}
	return c, err
}

// whole reports whether the listing is kept as it is.
func (c *Carried) whole(in audit.Input) bool {
	return c != nil && c.parts[in].done != nil && c.parts[in].done.Complete && c.parts[in].anew == ""
}

// goesOn reports whether the listing is carried on.
func (c *Carried) goesOn(in audit.Input) bool {
	return c != nil && !c.whole(in) && c.parts[in].number > 0 && (len(c.parts[in].marks) > 0 || in == audit.OktaMembers)
}

// Say tells what is kept, what is carried on and what is read anew.
func (c *Carried) Say() []string {
	var lines []string
	for _, in := range audit.Inputs() {
		p := c.parts[in]
		switch {
		case c.whole(in):
			lines = append(lines, fmt.Sprintf("%s: kept, %d were read", in, p.done.Received))
		case c.goesOn(in):
			lines = append(lines, fmt.Sprintf("%s: carried on after %d", in, p.number))
		case p.void > 0 && p.done != nil && p.anew != "":
			lines = append(lines, fmt.Sprintf("%s: read anew, for %s", in, p.anew))
		case p.void > 0:
			lines = append(lines, fmt.Sprintf("%s: read anew, for it had not ended", in))
		}
	}
	return lines
}

// replay keeps the pages again that are not void.
func (r *run) replay(c *Carried) error {
	var void [audit.DatabricksWorkspaceDetails + 1]int
	err := c.steps(func(s audit.Step) error {
		in := s.Input
		if !s.Begun.IsZero() || s.Page != nil && s.Page.Restart {
			void[in]++
		}
		p := &c.parts[in]
		if s.Page == nil || void[in] != p.void || !c.whole(in) && !c.goesOn(in) {
			return nil
		}
		for _, record := range s.Page.Records {
			if !c.whole(in) {
				p.held = append(p.held, idOf(record))
			}
			if err := r.keep(record, s.Page.Update); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range c.parts {
		slices.Sort(c.parts[i].held)
		c.parts[i].held = slices.Compact(c.parts[i].held)
		if c.whole(audit.Input(i)) {
			r.done[i] = true
			r.builder.Read(*c.parts[i].done)
		}
	}
	return nil
}

// idOf returns the id by which a listing tells the record from others.
func idOf(record any) string {
	switch record := record.(type) {
	case audit.OktaUser:
		return record.ID
	case audit.OktaGroup:
		return record.ID
	case audit.OktaGroupMembers:
		return record.Group
	}
	return ""
}
