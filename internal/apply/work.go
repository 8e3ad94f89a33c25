package apply

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// A Step is an operation and what is to be expected of it.
type Step struct {
	audit.Operation

	// Expect is Intent for an operation that would be sent, the phase in the
	// journal for one that is settled there, and else where it would end.
	Expect   Phase
	Observed string // the value in the fresh read, or in the journal
	Why      string // for people, where Expect is neither Intent, Done nor Already
	Touches  string // what the target is, where that is protected
	Unnamed  bool   // not tried, since the target is protected and nobody named it

	settled bool // by the journal
}

// Work is what a run would do, in order, once all guards have let it pass.
type Work struct {
	Undo     bool
	Steps    []Step
	Lost     []audit.Operation // what a rollback can't restore, as it was done
	Warnings []string          // what the one who confirms should know or do first

	header  Header
	entries int // in the journal, when the work was checked
	held    *holders
	fresh   *audit.Snapshot
	linked  map[audit.Subject]string // the externalId that an object is to get
}

// Sends counts the operations that would be sent, by the kind of their target.
func (w *Work) Sends() map[audit.Kind]int {
	n := map[audit.Kind]int{}
	for _, s := range w.Steps {
		if s.Expect == Intent {
			n[s.Target.Kind]++
		}
	}
	return n
}

// sent lists the operations that would be sent.
func (w *Work) sent() (ops []audit.Operation) {
	for _, s := range w.Steps {
		if s.Expect == Intent {
			ops = append(ops, s.Operation)
		}
	}
	return ops
}

// Irreversible lists the operations that would be sent and that no rollback can undo.
func (w *Work) Irreversible() []audit.Operation {
	return slices.DeleteFunc(w.sent(), func(op audit.Operation) bool { return !irreversible(op.Target.Kind, op.Field, op.From) })
}

// shared counts the operations that would be sent and take an externalId from one
// of several holders, and returns the first.
func (w *Work) shared() (n int, first string) {
	for _, op := range w.sent() {
		if op.Field != "externalId" {
			continue
		}
		if _, shared := w.held.other(op.From, op.Target); shared {
			n, first = n+1, cmp.Or(first, op.ID)
		}
	}
	return n, first
}

// Header returns how a journal of this work begins.
func (w *Work) Header() Header { return w.header }

// irreversible reports whether the value before a write can't be written again:
// Databricks does not clear the externalId of users and service principals.
func irreversible(k audit.Kind, field, from string) bool {
	return field == "externalId" && from == "" && k != audit.DatabricksGroupKind
}

// work plays the operations through on the fresh read, fills in w, and refuses
// what is too much. linkable says why an operation may not be sent.
func (g *guard) work(w *Work, ops []audit.Operation, linkable func(audit.Operation) string) (*Work, error) {
	ordered, err := inOrder(ops)
	if err != nil {
		g.refuse("%w", err)
	}
	w.fresh = g.ix.Snapshot
	w.held = newHolders(w.fresh, ops)
	w.linked = map[audit.Subject]string{}
	for _, op := range ops {
		if op.Field == "externalId" {
			w.linked[op.Target] = op.To
		}
	}
	then := newHolders(w.fresh, ops)
	sends := 0
	for _, op := range ordered {
		s := g.step(op, then, linkable)
		if g.Limit > 0 && sends == g.Limit && !s.Expect.Settled() && !s.Unnamed {
			s.Expect, s.Observed, s.Why = NotTried, "", fmt.Sprintf("beyond the limit of %d", g.Limit)
		}
		if s.Expect == Intent {
			sends++
		}
		if op.Field == "externalId" && (s.Expect == Intent || s.settled) {
			then.set(op.Target, op.To)
			if s.settled { // a list may lag behind what the journal says was written
				w.held.set(op.Target, op.To)
			}
		}
		if s.Expect == Intent && s.Touches != "" {
			g.warns = append(g.warns, fmt.Sprintf("%s touches %s %q, %s", op.ID, op.Target, op.Name, s.Touches))
		}
		w.Steps = append(w.Steps, s)
	}
	if g.ix.Databricks.Caller == "" && slices.ContainsFunc(ops, func(op audit.Operation) bool { return op.Action == audit.DeactivateUser }) {
		g.warns = append(g.warns, "it is not known which identity runs this: make sure that none of the deactivated is it")
	}
	if n, first := w.shared(); n > 0 && !w.Undo {
		g.warns = append(g.warns, fmt.Sprintf("%d of the externalIds that are replaced have several holders, that of %s first: a rollback gives one back only where nobody else holds it by then", n, first))
	}
	w.Warnings = append(g.warns, audit.Cautions(slices.Values(w.sent()))...)
	if err := g.MaxChanges.allows(w.Sends(), g.ix.Len); err != nil && !w.Undo { // what was done, may be undone
		g.refuse("%w", err)
	}
	if len(g.no) > 0 {
		return nil, errors.Join(g.no...)
	}
	return w, nil
}

// step says what is to be expected of an operation, held being who holds what
// when its turn comes.
func (g *guard) step(op audit.Operation, held *holders, linkable func(audit.Operation) string) Step {
	s := Step{Operation: op, Expect: Intent}
	last, known := g.past[op.ID]
	listed, there := g.live[at(op)]
	// What was so already, and is no longer, nobody here has written: do it now.
	lapsed := last.Phase == Already && there && listed == op.From
	if known && last.Phase.Settled() && !lapsed {
		s.Expect, s.Observed, s.settled = last.Phase, last.Observed, true
		return s
	}
	s.Observed = listed
	name := ""
	if r, ok := g.refs[op.Target]; ok {
		s.Touches, name = g.ix.Protected(r), g.ix.Name(r)
	}
	end := func(p Phase, why string) Step { s.Expect, s.Why = p, why; return s }
	other, taken := audit.Subject{}, false
	if op.Field == "externalId" {
		other, taken = held.other(op.To, op.Target)
	}
	switch why := linkable(op); {
	case known && last.Phase.sent(): // only reading can tell: count it as sent
	case !there:
		return end(Failed, gone)
	case s.Observed == op.To:
		return end(Already, "")
	case s.Observed != op.From:
		return end(Drifted, changed)
	case taken:
		return end(Drifted, heldBy(op.To, other))
	case renamed(op, name):
		return end(Drifted, renamedTo(name))
	case why != "":
		return end(Drifted, why)
	case g.Evident != nil && !g.Evident(op):
		return end(Drifted, outdated)
	case s.Touches != "" && g.Named != nil && !g.Named(op):
		s.Unnamed = true
		return end(NotTried, fmt.Sprintf("it is %s, which is touched only by name: say approve for %s in the decisions file, or --touch %s", s.Touches, op.ID, op.Target))
	}
	return s
}

// renamed reports whether the target has another name than in the plan. That of a
// service principal says nothing: its applicationId can't change.
func renamed(op audit.Operation, name string) bool {
	return op.Name != "" && op.Target.Kind != audit.DatabricksServicePrincipalKind && inJSON(name) != inJSON(op.Name)
}

func renamedTo(name string) string { return fmt.Sprintf("its name is %q now", inJSON(name)) }

// inJSON returns a text as it is after it has stood in JSON, which has no way to
// write a byte that is no UTF-8.
func inJSON(text string) string { return string([]rune(text)) }

// Words that tell people why nothing was written.
const (
	gone     = "the object is not there any more"
	changed  = "the value is not the one that the plan expects"
	outdated = "the directories have changed, and the rules don't ask for it any more: make a new plan"
)

func heldBy(id string, by audit.Subject) string {
	return fmt.Sprintf("the externalId %s is held by %s", id, by)
}
