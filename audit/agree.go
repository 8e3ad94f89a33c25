package audit

import (
	"fmt"
	"slices"
)

// agree drops choices until those that are left fit the plan and each other.
// Each drop may free another from what it waits for, or take that away: so all
// is looked at again.
func (d *deciding) agree() {
	for {
		why := d.misfits()
		if len(why) == 0 {
			return
		}
		kept := d.choices[:0]
		for _, c := range d.choices {
			if reason, bad := why[c]; bad {
				d.refuse(c.answer, "%s", reason)
			} else {
				kept = append(kept, c)
			}
		}
		d.choices = kept
	}
}

// A wish is an operation that somebody wants: a choice, or the plan.
type wish struct {
	Operation
	by *choice // nil: the plan's own
}

func (w wish) String() string {
	if w.by != nil {
		return w.by.answer.Where
	}
	return w.ID
}

// wishes lists what would be applied: the plan's approved operations, and what
// the choices add.
func (d *deciding) wishes() []wish {
	var all []wish
	for _, op := range d.plan.Operations {
		if op.Decision == Approve {
			all = append(all, wish{op, nil})
		}
	}
	for _, c := range d.choices {
		for _, op := range c.add {
			all = append(all, wish{op, c})
		}
	}
	return all
}

// misfits returns the choices that can't stay, and why. The plan's own operations
// that those or each other are against are approved no more.
func (d *deciding) misfits() map[*choice]string {
	why := map[*choice]string{}
	bad := func(w wish, format string, args ...any) {
		if w.by == nil {
			if op := &d.plan.Operations[d.operation[w.ID]]; op.Decision == Approve {
				op.Decision, d.lost[w.ID] = Undecided, fmt.Sprintf(format, args...)
			}
		} else if why[w.by] == "" {
			why[w.by] = fmt.Sprintf(format, args...)
		}
	}
	wishes := d.wishes()
	writes, takes := map[slot][]wish{}, map[string][]wish{}
	for _, w := range wishes {
		if i, ok := d.slots[w.slot()]; ok && w.by != nil {
			own := d.plan.Operations[i]
			if a, said := d.heard[own.ID]; said && own.Decision != Approve || own.To != w.To {
				bad(w, "%s would set %s of %s to %q, which is not what this says%s", own.ID, own.Field, own.Target, own.To, at(a))
			}
		}
		for _, other := range writes[w.slot()] {
			if other.To != w.To {
				bad(w, "%s wants another value of %s of %s", other, w.Field, w.Target)
				bad(other, "%s wants another value of %s of %s", w, w.Field, w.Target)
			}
		}
		writes[w.slot()] = append(writes[w.slot()], w)
		if w.Field != "externalId" || w.To == "" {
			continue
		}
		for _, other := range takes[w.To] {
			if other.Target != w.Target {
				bad(w, "%s gives %s to %s already", other, w.To, other.Target)
				bad(other, "%s gives %s to %s too", w, w.To, w.Target)
			}
		}
		takes[w.To] = append(takes[w.To], w)
	}
	for _, c := range d.choices {
		for _, named := range append([]Subject{c.keep}, targets(c.add, SetExternalID)...) {
			for _, w := range writes[slot{named, "active"}] {
				bad(wish{by: c}, "%s deactivates %s, which this keeps", w, named)
				bad(w, "%s keeps %s, which this deactivates", c.answer.Where, named)
			}
		}
		for _, op := range c.add {
			if op.Action == SetExternalID {
				if reason := d.held(op, writes); reason != "" {
					bad(wish{by: c}, "%s", reason)
				}
			}
		}
	}
	return why
}

func at(a Answer) string {
	if a.Where == "" {
		return ""
	}
	return " (" + a.Where + ")"
}

func targets(ops []Operation, action Action) []Subject {
	var all []Subject
	for _, op := range ops {
		if op.Action == action {
			all = append(all, op.Target)
		}
	}
	return all
}

// held says why the operation's id is not free when it is its turn: someone
// holds it who does not give it up, or gives it up only after it has got one in
// a circle that comes back to the operation.
func (d *deciding) held(op Operation, writes map[slot][]wish) string {
	seen := map[slot]bool{op.slot(): true}
	for wanted := []string{op.To}; len(wanted) > 0; wanted = wanted[1:] {
		for h := range d.now.holdersOf(d.now.knownID(wanted[0])) {
			holder := slot{d.now.Subject(h), "externalId"}
			if holder == op.slot() && wanted[0] == op.To {
				continue // it is applied already
			}
			moves := writes[holder] // those that differ can't stay
			switch {
			case len(moves) == 0 || moves[0].From != wanted[0] || moves[0].To == wanted[0]:
				return fmt.Sprintf("%s holds the id %s: decide about that one first", holder.target, wanted[0])
			case seen[holder]:
				return fmt.Sprintf("%s and others would swap their ids, which can't be done one by one: a person must, with Databricks Support", holder.target)
			}
			seen[holder] = true
			wanted = append(wanted, moves[0].To)
		}
	}
	return ""
}

// finish puts the choices into the plan and seals it.
func (d *deciding) finish(old *Plan) error {
	var added []Operation
	chosen := map[string][]Manual{}
	for _, c := range d.choices {
		chosen[c.finding] = append(chosen[c.finding], c.manual...)
		if chosen[c.finding] == nil {
			chosen[c.finding] = []Manual{}
		}
		for _, op := range c.add {
			if i, ok := d.slots[op.slot()]; ok {
				own := &d.plan.Operations[i]
				own.Decision = Approve
				own.Because = union(own.Because, op.Because)
				continue
			}
			if i := slices.IndexFunc(added, func(o Operation) bool { return o.slot() == op.slot() }); i >= 0 {
				added[i].Because = union(added[i].Because, op.Because)
				continue
			}
			added = append(added, op)
		}
	}
	slices.SortFunc(added, bySlot)
	added = inOrder(added)
	for i := range added {
		added[i].ID = operationID(len(old.Operations) + i + 1)
	}
	d.plan.Operations = inOrder(append(d.plan.Operations, added...))
	left := []Manual{}
	for m := range old.Manual.All() {
		if instead, ok := chosen[m.Finding]; ok {
			left = append(left, instead...)
		} else {
			left = append(left, *m)
		}
	}
	d.plan.Manual = Manuals{list: left}
	digest, err := d.plan.digest()
	d.plan.Digest = digest
	return err
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// inOrder returns the operations so that whoever gives up an id comes before
// whoever takes it, and otherwise as they were. There is no circle among them.
func inOrder(ops []Operation) []Operation {
	gives := map[string][]int{} // by id
	for i, op := range ops {
		if op.Field == "externalId" && op.From != "" {
			gives[op.From] = append(gives[op.From], i)
		}
	}
	ordered := make([]Operation, 0, len(ops))
	placed := make([]bool, len(ops))
	var place func(i int)
	place = func(i int) {
		if placed[i] {
			return
		}
		placed[i] = true
		if ops[i].Field == "externalId" && ops[i].To != "" {
			for _, before := range gives[ops[i].To] {
				place(before)
			}
		}
		ordered = append(ordered, ops[i])
	}
	for i := range ops {
		place(i)
	}
	return ordered
}
