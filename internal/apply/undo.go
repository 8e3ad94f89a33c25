package apply

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// ReactivateUser is what a rollback does where a plan deactivated a user.
const ReactivateUser audit.Action = "reactivate_user"

// CheckUndo returns what a rollback of the journal would do: what was done,
// backwards, from the journal alone. Its entries go into the same journal, under
// ids that begin with "undo-": so a run and its rollback exclude each other, and
// a rollback that was interrupted carries on. fresh is a full read of both
// directories, made just now. The error lists every reason to refuse.
func CheckUndo(past *Story, fresh *audit.Snapshot, o Options) (*Work, error) {
	w := &Work{Undo: true, header: past.Header, entries: len(past.Entries)}
	var ops []audit.Operation
	done := slices.DeleteFunc(slices.Clone(past.Entries), func(e Entry) bool { return e.Phase != Done || strings.HasPrefix(e.Op, undoPrefix) })
	// Backwards as the plan has them, not as they ended: whatever went wrong
	// meanwhile, the same is restored.
	slices.SortFunc(done, func(a, b Entry) int { return cmp.Or(cmp.Compare(len(b.Op), len(a.Op)), cmp.Compare(b.Op, a.Op)) })
	for _, e := range done {
		switch {
		case irreversible(e.Target.Kind, e.Field, e.From):
			w.Lost = append(w.Lost, operation(e.Op, e.Target, e.Field, e.From, e.To))
		default:
			ops = append(ops, operation(undoPrefix+e.Op, e.Target, e.Field, e.To, e.From))
		}
	}
	g := newGuard(fresh, past, o, ops)
	g.complete(false)
	g.sameTenants(past.Header)
	for i := range ops {
		ops[i].Name = nameOf(fresh, ops[i].Target)
		g.undoable(ops[i])
		g.target(ops[i])
	}
	for i := range w.Lost {
		w.Lost[i].Name = nameOf(fresh, w.Lost[i].Target)
	}
	g.consistent(ops)
	for _, e := range past.open() {
		g.warns = append(g.warns, "what became of "+e.Op+" is not known yet: reading settles it first")
	}
	return g.work(w, ops, func(audit.Operation) string { return "" })
}

// operation returns a write as an operation, as far as a journal knows it.
func operation(id string, target audit.Subject, field, from, to string) audit.Operation {
	op := audit.Operation{
		ID: id, Action: audit.SetExternalID, Target: target, Field: field, From: from, To: to, Because: []string{},
		Evidence: "the journal", Reversible: !irreversible(target.Kind, field, from), Risk: "medium", Decision: audit.Approve,
	}
	switch {
	case field == "active" && to == "true":
		op.Action = ReactivateUser
	case field == "active":
		op.Action = audit.DeactivateUser
	case strings.HasPrefix(field, "name."):
		op.Action = audit.SetName
	case to == "":
		op.Action = audit.ClearExternalID
	}
	return op
}

// undoable refuses what no journal of this program leads to.
func (g *guard) undoable(op audit.Operation) {
	user := op.Target.Kind == audit.DatabricksUserKind
	var ok bool
	switch op.Field {
	case "externalId":
		ok = slices.Contains(writable, op.Target.Kind) && (op.To != "" || op.Target.Kind == audit.DatabricksGroupKind)
	case "name.givenName", "name.familyName":
		ok = user
	case "active":
		ok = user && op.From == "false" && op.To == "true"
	}
	if !ok {
		g.refuse("%s: the journal has a write of %s on %s that no plan asks for", op.ID, op.Field, op.Target)
	}
}

// nameOf is what people call an object that may be written to.
func nameOf(s *audit.Snapshot, target audit.Subject) string {
	switch target.Kind {
	case audit.DatabricksUserKind:
		if i, ok := s.DatabricksUsers.Find(target.ID); ok {
			return s.DatabricksUsers.At(i).UserName
		}
	case audit.DatabricksGroupKind:
		if i, ok := s.DatabricksGroups.Find(target.ID); ok {
			return s.DatabricksGroups.At(i).DisplayName
		}
	case audit.DatabricksServicePrincipalKind:
		if i, ok := s.DatabricksServicePrincipals.Find(target.ID); ok {
			return s.DatabricksServicePrincipals.At(i).DisplayName
		}
	}
	return ""
}
