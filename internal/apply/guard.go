package apply

import (
	"cmp"
	"fmt"
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

	// Named reports whether somebody asked by name for an operation on a target
	// that is [audit.Index.Protected]; one that nobody did is not tried. Where
	// Named is nil, all were.
	Named func(audit.Operation) bool

	// Evident reports whether the fresh read still gives the reason for an
	// operation; one that it does not is not sent. Where Evident is nil, all do.
	Evident func(audit.Operation) bool
}

// Check returns what applying the approved operations of p would do. fresh is a
// full read of both directories, made just now; past is what the journal holds
// already, nil if there is none. The error lists every reason to refuse.
func Check(p *audit.Plan, fresh *audit.Snapshot, past *Story, o Options) (*Work, error) {
	past = cmp.Or(past, &Story{})
	ops := slices.Collect(p.Approved())
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
	g.apart(ops)
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
	switch who := g.ix.Protected(r); {
	case who != "":
		g.refuse("%s: %s %q is %s, and never deactivated", op.ID, op.Target, g.ix.Name(r), who)
	case !g.ix.MayDeactivate(r):
		g.refuse("%s: somebody else works under the name of %s %q: it is never deactivated", op.ID, op.Target, g.ix.Name(r))
	}
}

// consistent refuses operations that contradict each other.
func (g *guard) consistent(ops []audit.Operation) {
	ids, slots := map[string]bool{}, map[slot]string{}
	for _, op := range ops {
		if ids[op.ID] {
			g.refuse("two operations are called %s", op.ID)
		}
		ids[op.ID] = true
		if other, ok := slots[at(op)]; ok {
			g.refuse("%s and %s write the same field, %s of %s", other, op.ID, op.Field, op.Target)
		}
		slots[at(op)] = op.ID
	}
}

// apart refuses operations that give one id to two objects. What is undone may
// have been held twice before: there the first gets it, and the others drift.
func (g *guard) apart(ops []audit.Operation) {
	takes := map[string]string{}
	for _, op := range ops {
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
