package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// What the invariants do to worlds and results.

// describe is the world as text, a record a line.
func (w world) describe(s audit.Settings) string {
	var b strings.Builder
	line := func(v any) { fmt.Fprintf(&b, "%+q\n", v) }
	for _, v := range w.oktaUsers {
		line(v)
	}
	for _, v := range w.oktaGroups {
		line(v)
	}
	for _, v := range w.apps {
		line(v)
	}
	for _, v := range w.appUsers {
		line(v)
	}
	for _, v := range w.users {
		line(v)
	}
	for _, v := range w.groups {
		line(v)
	}
	for _, v := range w.principals {
		line(v)
	}
	for _, v := range w.workspaces {
		line(v)
	}
	fmt.Fprintf(&b, "members: okta %v, databricks %v\ncaller: %q\nread: members %v, apps %v, details %v, workspaces %v\nsettings: %+v\n",
		w.oktaMembers, w.members, w.caller, w.membersRead, w.appsRead, w.detailsRead, w.workspacesRead, s)
	return b.String()
}

// diffReports compares reports as far as they can depend on the order of a listing.
func diffReports(a, b *audit.Report) string {
	unexported := gocmp.FilterPath(func(p gocmp.Path) bool {
		field, ok := p.Last().(gocmp.StructField)
		return ok && strings.ToLower(field.Name()[:1]) == field.Name()[:1]
	}, gocmp.Ignore())
	left := func(r *audit.Report) (list []audit.Manual) {
		for m := range r.Plan.Manual.All() {
			list = append(list, *m)
		}
		return list
	}
	return gocmp.Diff(unpacked(a), unpacked(b)) + gocmp.Diff(a.Plan, b.Plan, unexported) + gocmp.Diff(left(a), left(b)) +
		gocmp.Diff(a.Now, b.Now) + gocmp.Diff(a.After, b.After) + gocmp.Diff(a.Skipped, b.Skipped) +
		gocmp.Diff(slices.Collect(a.Crosswalk()), slices.Collect(b.Crosswalk()))
}

// shuffled is the world, each listing in another order.
func (w world) shuffled(t *rapid.T) world {
	w.oktaUsers = shuffle(t, w.oktaUsers)
	w.oktaGroups = shuffle(t, w.oktaGroups)
	w.apps = shuffle(t, w.apps)
	w.appUsers = shuffle(t, w.appUsers)
	w.users = shuffle(t, w.users)
	w.groups = shuffle(t, w.groups)
	w.principals = shuffle(t, w.principals)
	w.workspaces = shuffle(t, w.workspaces)
	w.oktaMembers, w.members = maps.Clone(w.oktaMembers), maps.Clone(w.members)
	for _, members := range []map[string][]string{w.oktaMembers, w.members} {
		for _, group := range slices.Sorted(maps.Keys(members)) {
			members[group] = shuffle(t, members[group])
		}
	}
	return w
}

func shuffle[T any](t *rapid.T, s []T) []T {
	if len(s) < 2 {
		return s
	}
	return rapid.Permutation(s).Draw(t, "order")
}

// A renaming gives every id of a world another; what is no id stays.
type renaming map[string]string

// drawRenaming draws other ids, in another order.
func (w world) drawRenaming(t *rapid.T) renaming {
	var all []string
	all = append(all, collect(w.oktaUsers, func(r audit.OktaUser) string { return r.ID })...)
	all = append(all, collect(w.oktaGroups, func(r audit.OktaGroup) string { return r.ID })...)
	all = append(all, collect(w.apps, func(r audit.OktaApp) string { return r.ID })...)
	all = append(all, collect(w.users, func(r audit.DatabricksUser) string { return r.ID })...)
	all = append(all, collect(w.groups, func(r audit.DatabricksGroup) string { return r.ID })...)
	all = append(all, collect(w.principals, func(r audit.DatabricksServicePrincipal) string { return r.ID })...)
	all = append(all, collect(w.workspaces, func(r audit.DatabricksWorkspace) string { return r.ID })...)
	to := renaming{}
	for i, id := range shuffle(t, all) {
		to[id] = fmt.Sprintf("new%d", i)
	}
	return to
}

func (to renaming) id(id string) string {
	if other, ok := to[id]; ok {
		return other
	}
	return id
}

// subject renames the id in a subject.
func (to renaming) subject(s string) string {
	i := strings.LastIndex(s, ":") + 1
	return s[:i] + to.id(s[i:])
}

func (to renaming) ids(ids []string) []string { return collect(ids, to.id) }

// world is the world under its new ids.
func (to renaming) world(w world) world {
	w.oktaUsers = collect(w.oktaUsers, func(r audit.OktaUser) audit.OktaUser { r.ID = to.id(r.ID); return r })
	w.oktaGroups = collect(w.oktaGroups, func(r audit.OktaGroup) audit.OktaGroup { r.ID = to.id(r.ID); return r })
	w.apps = collect(w.apps, func(r audit.OktaApp) audit.OktaApp { r.ID = to.id(r.ID); return r })
	w.appUsers = collect(w.appUsers, func(r audit.OktaAppUser) audit.OktaAppUser {
		r.App, r.User = to.id(r.App), to.id(r.User)
		return r
	})
	w.users = collect(w.users, func(r audit.DatabricksUser) audit.DatabricksUser {
		r.ID, r.ExternalID = to.id(r.ID), to.id(r.ExternalID)
		return r
	})
	w.groups = collect(w.groups, func(r audit.DatabricksGroup) audit.DatabricksGroup {
		r.ID, r.ExternalID, r.Workspace = to.id(r.ID), to.id(r.ExternalID), to.id(r.Workspace)
		return r
	})
	w.principals = collect(w.principals, func(r audit.DatabricksServicePrincipal) audit.DatabricksServicePrincipal {
		r.ID, r.ExternalID = to.id(r.ID), to.id(r.ExternalID)
		return r
	})
	w.workspaces = collect(w.workspaces, func(r audit.DatabricksWorkspace) audit.DatabricksWorkspace {
		r.ID = to.id(r.ID)
		return r
	})
	w.oktaMembers, w.members = to.members(w.oktaMembers), to.members(w.members)
	return w
}

func (to renaming) members(of map[string][]string) map[string][]string {
	renamed := map[string][]string{}
	for group, members := range of {
		renamed[to.id(group)] = to.ids(members)
	}
	return renamed
}

// result is the result with its ids renamed and sorted anew.
func (to renaming) result(r oracleResult) oracleResult {
	r.findings = collect(r.findings, func(f oracleFinding) oracleFinding {
		f.subjects = collect(f.subjects, to.subject)
		slices.Sort(f.subjects)
		switch f.rule {
		case "duplicate-external-id":
			f.key = to.id(f.key)
		case "shared-email", "login-email-collision", "case-variant-username", "duplicate-group-name", "lookalike-username":
		case "conflicting-external-id", "identity-federation-disabled": // the first of its Databricks subjects
			f.key = first("databricks:", f.subjects)
		default:
			f.key = to.subject(f.key)
		}
		return f
	})
	slices.SortFunc(r.findings, compareOracleFindings)
	r.operations = collect(r.operations, func(op oracleOp) oracleOp {
		op.target = to.subject(op.target)
		if op.field == "externalId" {
			op.from, op.to = to.id(op.from), to.id(op.to)
		}
		return op
	})
	slices.SortFunc(r.operations, compareOps)
	r.outcomesNow, r.outcomesAfter = to.outcomes(r.outcomesNow), to.outcomes(r.outcomesAfter)
	return r
}

func (to renaming) outcomes(of map[string]string) map[string]string {
	renamed := map[string]string{}
	for subject, outcome := range of {
		renamed[to.subject(subject)] = outcome
	}
	return renamed
}
