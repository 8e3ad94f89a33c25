package rules_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// An oracleChange is an operation that a finding asks for.
type oracleChange struct {
	op               oracleOp
	rule, key, class string
}

func (r *oracleRun) change(rule, key, class string, op oracleOp) {
	r.changes = append(r.changes, oracleChange{op, rule, key, class})
}

// plan is the operations, sorted, those to be applied approved. What an
// exclusion takes out is not in it.
func (r *oracleRun) plan() []oracleOp {
	var ops []oracleOp
	for _, c := range r.changes {
		if c.excluded(r.settings) {
			continue
		}
		if slices.Contains([]string{"users", "groups", "service-principals"}, c.class) || slices.Contains(r.settings.Include, c.class) {
			c.op.decision = "approve"
		}
		ops = append(ops, c.op)
	}
	for i, op := range ops { // after the plan no id is held twice
		for j, other := range ops {
			if i != j && op.field == "externalId" && op.to != "" && op.to == other.to {
				ops[i].decision = ""
			}
		}
	}
	slices.SortFunc(ops, compareOps)
	return ops
}

func (c oracleChange) excluded(s audit.Settings) bool {
	sum := sha256.Sum256([]byte(c.rule + "\x00" + c.key))
	id := c.rule + "-" + hex.EncodeToString(sum[:])[:12]
	return slices.ContainsFunc(s.Exclude, func(x string) bool { return x == c.class || x == c.rule || x == id })
}

func compareOps(a, b oracleOp) int {
	return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.field, b.field), cmp.Compare(a.action, b.action),
		cmp.Compare(a.to, b.to))
}

// apply is the world after the operations, or after the approved ones alone.
func (w world) apply(ops []oracleOp, approved bool) world {
	w.users, w.groups, w.principals = slices.Clone(w.users), slices.Clone(w.groups), slices.Clone(w.principals)
	for _, op := range ops {
		if approved && op.decision != "approve" {
			continue
		}
		for i, d := range w.users {
			if dbUser(d) == op.target {
				switch op.field {
				case "externalId":
					w.users[i].ExternalID = op.to
				case "name.givenName":
					w.users[i].GivenName = op.to
				case "name.familyName":
					w.users[i].FamilyName = op.to
				case "active":
					w.users[i].Active = op.to == "true"
				}
			}
		}
		for i, g := range w.groups {
			if dbGroup(g) == op.target {
				w.groups[i].ExternalID = op.to
			}
		}
		for i, p := range w.principals {
			if dbSP(p) == op.target {
				w.principals[i].ExternalID = op.to
			}
		}
	}
	return w
}

// outcomes is what enabling AIM does to each Databricks user and group, and
// which Okta users and groups it provisions.
func (r *oracleRun) outcomes() map[string]string {
	all := map[string]string{}
	for _, d := range r.users {
		all[dbUser(d)] = r.userOutcome(d)
	}
	for _, g := range r.groups {
		all[dbGroup(g)] = r.groupOutcome(g)
	}
	for _, o := range those(r.oktaUsers, isLive) {
		if !slices.ContainsFunc(r.users, func(d audit.DatabricksUser) bool { return d.ExternalID == o.ID || named(d, o) }) {
			all[oktaUser(o)] = "provision"
		}
	}
	for _, o := range r.oktaGroups {
		if !slices.ContainsFunc(r.groups, func(g audit.DatabricksGroup) bool {
			return g.ExternalID == o.ID || slices.Contains(r.groupCandidates(g), o)
		}) {
			all[oktaGroup(o)] = "provision"
		}
	}
	return all
}

func (r *oracleRun) userOutcome(d audit.DatabricksUser) string {
	state, live, drift := r.linkState(d), len(r.liveCandidates(d)), r.drift(d)
	switch {
	case r.conflicts(d):
		return "wrong-person"
	case state == "linked-inactive":
		return "deactivate"
	case state == "linked" && (len(r.holders(d.ExternalID)) > 1 || drift == "renamed" || drift == "claim"):
		return "duplicate"
	case state == "linked":
		return "linked"
	case live >= 2:
		return "ambiguous"
	case live == 1:
		return "duplicate"
	case state == "stale":
		return "deactivate"
	}
	return "unmanaged"
}

func (r *oracleRun) groupOutcome(g audit.DatabricksGroup) string {
	switch state := r.groupLinkState(g); {
	case isReserved(g.DisplayName) || isLocal(g):
		return "unmanaged"
	case state == "linked" && len(r.holders(g.ExternalID)) > 1:
		return "duplicate"
	case state == "linked":
		return "linked"
	case len(r.groupCandidates(g)) > 0:
		return "blocked"
	case state == "stale":
		return "deactivate"
	}
	return "unmanaged"
}
