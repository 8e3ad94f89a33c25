package apply

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// Options are what the guards ask of the one who runs them.
type Options struct {
	Now        time.Time
	Settings   audit.Settings // who owns the SCIM token
	MaxChanges Ceiling
	Limit      int // how many operations are sent at most, as a canary; 0: all

	// Named reports whether an operation on the caller, an account admin or the
	// token's owner was asked for by name; one that was not is not tried. Where
	// Named is nil, all were.
	Named func(audit.Operation) bool
}

// A Step is an operation and what is to be expected of it.
type Step struct {
	audit.Operation

	// Expect is Intent for an operation that would be sent, the phase in the
	// journal for one that is settled there, and else where it would end.
	Expect   Phase
	Observed string // the value in the fresh read, or in the journal
	Why      string // for people, where Expect is neither Intent, Done nor Already

	settled bool // by the journal
}

// Work is what a run would do, in order, once all guards have let it pass.
type Work struct {
	Undo     bool
	Steps    []Step
	Lost     []audit.Operation // what a rollback can't restore, as it was done
	Warnings []string          // what the one who confirms should know

	header  Header
	entries int // in the journal, when the work was checked
	held    *holders
	fresh   *audit.Snapshot
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

// Irreversible lists the operations that would be sent and that no rollback can undo.
func (w *Work) Irreversible() []audit.Operation {
	var ops []audit.Operation
	for _, s := range w.Steps {
		if s.Expect == Intent && irreversible(s.Target.Kind, s.Field, s.From) {
			ops = append(ops, s.Operation)
		}
	}
	return ops
}

// Header returns how a journal of this work begins.
func (w *Work) Header() Header { return w.header }

// irreversible reports whether the value before a write can't be written again:
// Databricks does not clear the externalId of users and service principals.
func irreversible(k audit.Kind, field, from string) bool {
	return field == "externalId" && from == "" && k != audit.DatabricksGroupKind
}

// Check returns what applying the approved operations of p would do. fresh is a
// full read of both directories, made just now; past is what the journal holds
// already, nil if there is none. The error lists every reason to refuse.
func Check(p *audit.Plan, fresh *audit.Snapshot, past *Story, o Options) (*Work, error) {
	past = cmp.Or(past, &Story{})
	var ops []audit.Operation
	for _, op := range p.Operations {
		if op.Decision == audit.Approve {
			ops = append(ops, op)
		}
	}
	g := newGuard(fresh, past, o, ops)
	g.complete(slices.ContainsFunc(ops, func(op audit.Operation) bool {
		return op.Target.Kind == audit.DatabricksServicePrincipalKind
	}))
	if err := p.Verify(); err != nil {
		g.refuse("%w", err)
	}
	if !o.Now.Before(p.Expires) {
		g.refuse("the plan expired at %s: directories change; make a new plan", p.Expires.Format(time.RFC3339))
	}
	header := Header{Schema: JournalSchema, Plan: p.Digest, OktaOrg: p.OktaOrg, Databricks: p.Databricks}
	g.sameTenants(header)
	if past.Header != (Header{}) && past.Header != header {
		g.refuse("%w", past.Header.differs(header))
	}
	if past.undone() {
		g.refuse("the journal has been rolled back: apply with a new journal")
	}
	for _, op := range ops {
		g.shape(op)
		g.target(op)
		g.deactivation(op)
	}
	g.consistent(ops)
	return g.work(&Work{header: header, entries: len(past.Entries)}, ops, g.linkable)
}

// A guard collects reasons to refuse.
type guard struct {
	Options
	ix    *audit.Index
	past  map[string]Entry // by operation
	refs  map[audit.Subject]audit.Ref
	live  map[slot]string
	no    []error
	warns []string
}

func newGuard(fresh *audit.Snapshot, past *Story, o Options, ops []audit.Operation) *guard {
	g := &guard{
		Options: o, ix: audit.NewIndex(fresh, o.Settings), past: past.last(),
		refs: map[audit.Subject]audit.Ref{}, live: values(fresh, ops),
	}
	wanted := map[audit.Subject]bool{}
	for _, op := range ops {
		wanted[op.Target] = true
	}
	for _, k := range writable {
		for r := range g.ix.All(k) {
			if s := g.ix.Subject(r); wanted[s] {
				g.refs[s] = r
			}
		}
	}
	return g
}

// writable are the kinds of objects that operations may write to.
var writable = []audit.Kind{audit.DatabricksUserKind, audit.DatabricksGroupKind, audit.DatabricksServicePrincipalKind}

func (g *guard) refuse(format string, a ...any) { g.no = append(g.no, fmt.Errorf(format, a...)) }

// complete refuses a fresh read that can't prove who holds what.
func (g *guard) complete(apps bool) {
	needs := []audit.Input{audit.OktaUsers, audit.OktaGroups, audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals}
	if apps {
		needs = append(needs, audit.OktaApps)
	}
	for _, in := range needs {
		if r := g.ix.Reading(in); !r.Complete {
			g.refuse("%s could not be read completely (%s): nothing is written without knowing all of it; try again",
				in, cmp.Or(r.Reason, "it was not read"))
		}
	}
	if g.ix.Okta.Files || g.ix.Databricks.Files {
		g.refuse("the fresh read comes from files: it has to come from the directories themselves")
	}
}

func (g *guard) sameTenants(h Header) {
	if g.ix.Okta.Tenant != h.OktaOrg {
		g.refuse("this is for the Okta org %s, and the directory read is %s", h.OktaOrg, g.ix.Okta.Tenant)
	}
	if g.ix.Databricks.Tenant != h.Databricks {
		g.refuse("this is for the Databricks account %s, and the directory read is %s", h.Databricks, g.ix.Databricks.Tenant)
	}
}

// shape refuses an operation that no plan of this program has.
func (g *guard) shape(op audit.Operation) {
	user := op.Target.Kind == audit.DatabricksUserKind
	var ok bool
	switch op.Action {
	case audit.SetExternalID:
		ok = slices.Contains(writable, op.Target.Kind) && op.Field == "externalId" && op.To != ""
	case audit.ClearExternalID:
		ok = op.Target.Kind == audit.DatabricksGroupKind && op.Field == "externalId" && op.To == "" && op.From != ""
	case audit.SetName:
		ok = user && (op.Field == "name.givenName" || op.Field == "name.familyName") && op.To != ""
	case audit.DeactivateUser:
		ok = user && op.Field == "active" && op.From == "true" && op.To == "false"
	}
	if !ok || op.ID == "" || strings.HasPrefix(op.ID, undoPrefix) {
		g.refuse("%s: %s of %s on %s from %q to %q is no operation that may be applied", op.ID, op.Action, op.Field, op.Target, op.From, op.To)
	}
}

// target refuses groups that belong to the system or to a workspace.
func (g *guard) target(op audit.Operation) {
	r, ok := g.refs[op.Target]
	if ok && r.Kind == audit.DatabricksGroupKind && !g.ix.Managed(r) {
		g.refuse("%s: %s %q is a group of the system or of a workspace, which is never written to", op.ID, op.Target, g.ix.Name(r))
	}
}

// deactivation refuses to deactivate whom nobody may lose.
func (g *guard) deactivation(op audit.Operation) {
	r, ok := g.refs[op.Target]
	if !ok || op.Action != audit.DeactivateUser {
		return
	}
	switch who := g.guarded(r); {
	case who != "":
		g.refuse("%s: %s %q is %s, and never deactivated", op.ID, op.Target, g.ix.Name(r), who)
	case !g.ix.MayDeactivate(r):
		g.refuse("%s: somebody else works under the name of %s %q: it is never deactivated", op.ID, op.Target, g.ix.Name(r))
	}
}

// guarded says why an identity needs special care, "" if it does not.
func (g *guard) guarded(r audit.Ref) string {
	switch {
	case g.ix.IsCaller(r):
		return "the identity that runs this"
	case g.ix.IsTokenOwner(r):
		return "the owner of the SCIM token"
	case g.admin(r):
		return "an account admin"
	}
	return ""
}

// admin reports whether r is an account admin, through a group too.
func (g *guard) admin(r audit.Ref) bool {
	var roles, groups audit.Values
	switch r.Kind {
	case audit.DatabricksUserKind:
		roles, groups = g.ix.DatabricksUser(r).Roles, g.ix.DatabricksUser(r).Groups
	case audit.DatabricksServicePrincipalKind:
		roles, groups = g.ix.DatabricksServicePrincipal(r).Roles, g.ix.DatabricksServicePrincipal(r).Groups
	case audit.DatabricksGroupKind:
		roles, groups = g.ix.DatabricksGroup(r).Roles, g.ix.DatabricksGroup(r).Groups
	}
	makesAdmin := func(roles audit.Values) bool {
		for role := range roles.All() {
			if role.Value == "account_admin" {
				return true
			}
		}
		return false
	}
	for of := range groups.All() {
		if i, ok := g.ix.DatabricksGroups.Find(of.Value); ok && makesAdmin(g.ix.DatabricksGroups.At(i).Roles) {
			return true
		}
	}
	return makesAdmin(roles)
}

// consistent refuses operations that contradict each other.
func (g *guard) consistent(ops []audit.Operation) {
	ids, slots, takes := map[string]bool{}, map[slot]string{}, map[string]string{}
	for _, op := range ops {
		if ids[op.ID] {
			g.refuse("two operations are called %s", op.ID)
		}
		ids[op.ID] = true
		if other, ok := slots[at(op)]; ok {
			g.refuse("%s and %s write the same field, %s of %s", other, op.ID, op.Field, op.Target)
		}
		slots[at(op)] = op.ID
		if op.Field != "externalId" || op.To == "" {
			continue
		}
		if other, ok := takes[op.To]; ok {
			g.refuse("%s and %s give the same externalId %s to two objects", other, op.ID, op.To)
		}
		takes[op.To] = op.ID
	}
}

// linkable says why op may not link its target to the Okta object, "" if it may.
func (g *guard) linkable(op audit.Operation) string {
	if op.Action != audit.SetExternalID {
		return ""
	}
	there := false
	okta := audit.Subject{ID: op.To}
	switch op.Target.Kind {
	case audit.DatabricksUserKind:
		okta.Kind = audit.OktaUserKind
		var i int
		if i, there = g.ix.OktaUsers.Find(op.To); there && !g.ix.OktaUsers.At(i).Live() {
			return okta.String() + " is " + audit.StatusDeprovisioned + " by now"
		}
	case audit.DatabricksGroupKind:
		okta.Kind = audit.OktaGroupKind
		_, there = g.ix.OktaGroups.Find(op.To)
	case audit.DatabricksServicePrincipalKind:
		okta.Kind = audit.OktaAppKind
		_, there = g.ix.OktaApps.Find(op.To)
	}
	if !there {
		return okta.String() + " is not there any more"
	}
	return ""
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
	then := newHolders(w.fresh, ops)
	sends := 0
	for _, op := range ordered {
		s := g.step(op, then, linkable)
		if g.Limit > 0 && sends == g.Limit && !s.Expect.Settled() {
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
		if r, ok := g.refs[op.Target]; ok && s.Expect == Intent {
			if who := g.guarded(r); who != "" {
				g.warns = append(g.warns, fmt.Sprintf("%s touches %s %q, %s", op.ID, op.Target, g.ix.Name(r), who))
			}
		}
		w.Steps = append(w.Steps, s)
	}
	if g.ix.Databricks.Caller == "" && slices.ContainsFunc(ops, func(op audit.Operation) bool { return op.Action == audit.DeactivateUser }) {
		g.warns = append(g.warns, "it is not known which identity runs this: make sure that none of the deactivated is it")
	}
	w.Warnings = g.warns
	if err := g.MaxChanges.allows(w.Sends(), g.ix.Len); err != nil {
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
	if known && last.Phase.Settled() {
		s.Expect, s.Observed, s.settled = last.Phase, last.Observed, true
		return s
	}
	var there bool
	s.Observed, there = g.live[at(op)]
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
	case why != "":
		return end(Drifted, why)
	case g.Named != nil && g.guarded(g.refs[op.Target]) != "" && !g.Named(op):
		return end(NotTried, fmt.Sprintf("the target is %s: name the operation to have it applied", g.guarded(g.refs[op.Target])))
	}
	return s
}

// Words that tell people why nothing was written.
const (
	gone    = "the object is not there any more"
	changed = "the value is not the one that the plan expects"
)

func heldBy(id string, by audit.Subject) string {
	return fmt.Sprintf("the externalId %s is held by %s", id, by)
}

// kindName is how people call the objects of a kind.
func kindName(k audit.Kind) string {
	_, name, _ := strings.Cut(k.String(), ":")
	return strings.ReplaceAll(name, "_", " ") + "s"
}

// sorted returns the keys of counts in order.
func sorted(counts map[audit.Kind]int) []audit.Kind { return slices.Sorted(maps.Keys(counts)) }
