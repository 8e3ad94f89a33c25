package fetch

import (
	"maps"
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

// found is what the first listings gave that tells what to list next, by id.
type found struct {
	oktaGroups map[string]audit.OktaGroup
	groups     map[string]audit.DatabricksGroup
	workspaces map[string]bool
	inside     map[string][]string // by Databricks group: those of its members, where they were read, that are groups
}

func newFound() found {
	return found{map[string]audit.OktaGroup{}, map[string]audit.DatabricksGroup{}, map[string]bool{}, map[string][]string{}}
}

func (f *found) add(record any) {
	switch r := record.(type) {
	case audit.OktaGroup:
		f.oktaGroups[r.ID] = r
	case audit.DatabricksGroup:
		if r.Workspace == "" { // the account has no members of the others to tell
			f.groups[r.ID] = r
		}
	case audit.DatabricksGroupMembers:
		for m := range r.Members.All() {
			if _, ok := f.groups[m.Value]; ok {
				f.inside[r.Group] = append(f.inside[r.Group], m.Value)
			}
		}
	case audit.DatabricksWorkspace:
		f.workspaces[r.ID] = true
	}
}

func (f *found) forget(in audit.Input) {
	switch in {
	case audit.OktaGroups:
		clear(f.oktaGroups)
	case audit.DatabricksGroups:
		clear(f.groups)
	case audit.DatabricksWorkspaces:
		clear(f.workspaces)
	}
}

func (f *found) workspaceIDs() []string { return slices.Sorted(maps.Keys(f.workspaces)) }

// groupsThatMatter returns the ids of the groups whose members rules ask for:
// groups of both directories that are linked or have one name, and those of
// Databricks through which somebody has a role or an entitlement.
func (f *found) groupsThatMatter() (okta, databricks []string) {
	names, ids := map[string]bool{}, map[string]bool{} // of Okta groups
	for _, g := range f.oktaGroups {
		names[audit.Fold(g.Name)] = true
	}
	grants := f.granting()
	taken := map[string]bool{} // names of Databricks groups
	for id, g := range f.groups {
		name := audit.Fold(g.DisplayName)
		taken[name] = true
		if g.ExternalID != "" {
			ids[g.ExternalID] = true
		}
		if g.ExternalID != "" || names[name] || grants[id] {
			databricks = append(databricks, id)
		}
	}
	for id, g := range f.oktaGroups {
		if ids[id] || taken[audit.Fold(g.Name)] {
			okta = append(okta, id)
		}
	}
	slices.Sort(okta)
	slices.Sort(databricks)
	return okta, databricks
}

// nested returns the ids of the Databricks groups that are not asked for yet, and
// are members, as far as those were read, of one whose members have something
// through it.
func (f *found) nested(asked map[string]bool) (more []string) {
	grants := f.granting()
	for id, groups := range f.inside {
		for _, group := range groups {
			if grants[id] && !asked[group] {
				more = append(more, group)
			}
		}
	}
	slices.Sort(more)
	return slices.Compact(more)
}

// allGroups returns the ids of all groups: with one directory alone there is no
// telling which of them matter.
func (f *found) allGroups() (okta, databricks []string) {
	return slices.Sorted(maps.Keys(f.oktaGroups)), slices.Sorted(maps.Keys(f.groups))
}

// granting returns the ids of the Databricks groups whose members have a role or
// an entitlement through the group, or through one that it is in. Which one that
// is, its own record says, or what was read of the other's members.
func (f *found) granting() map[string]bool {
	inside := map[string][]string{}
	for id, groups := range f.inside {
		inside[id] = slices.Clone(groups)
	}
	var reached []string
	for id, g := range f.groups {
		for above := range g.Groups.All() {
			inside[above.Value] = append(inside[above.Value], id)
		}
		if g.Roles != "" || g.Entitlements != "" {
			reached = append(reached, id)
		}
	}
	grants := map[string]bool{}
	for len(reached) > 0 {
		id := reached[0]
		reached = reached[1:]
		if !grants[id] {
			grants[id] = true
			reached = append(reached, inside[id]...)
		}
	}
	return grants
}
