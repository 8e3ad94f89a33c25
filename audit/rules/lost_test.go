package rules_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// Of what was not read to the end, some was not seen: whatever then is not found is
// not taken for mended, because a skip covers it, and nothing is found for want of it.
func TestWhatWasNotReadIsNotMended(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		w, set := drawWorld(t)
		whole := runEngine(outer, w, set)
		lost := rapid.SampledFrom(audit.Inputs()).Draw(t, "lost")
		part := runEngine(outer, w.without(t, lost), set)
		severities := map[string]audit.Severity{}
		for _, f := range unpacked(part) {
			severities[f.ID] = f.Severity
		}
		for _, f := range unpacked(whole) {
			covered := slices.ContainsFunc(part.Skipped, func(s audit.Skip) bool { return s.Covers(&f) })
			s, there := severities[f.ID]
			switch {
			case covered:
			case !there:
				t.Errorf("without all %v, %s about %s is not found, and no skip says why", lost, f.Rule, f.Key)
			case s < f.Severity && part.Verdict != audit.Incomplete:
				t.Errorf("without all %v, %s about %s is %s, and was %s", lost, f.Rule, f.Key, s, f.Severity)
			}
			delete(severities, f.ID)
		}
		if lost == audit.OktaAppUsers {
			return // that the claim is unknown is something to find
		}
		for id := range severities {
			t.Errorf("without all %v, there is %s, and with them there is not", lost, id)
		}
	})
}

// without is the world with an input of which a part alone was read.
func (w world) without(t *rapid.T, in audit.Input) world {
	w.lost = map[audit.Input]bool{in: true}
	some := func(n int) func(int) bool {
		keep := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "kept")
		return func(i int) bool { return keep[i] }
	}
	switch in {
	case audit.OktaUsers:
		w.oktaUsers = kept(w.oktaUsers, some(len(w.oktaUsers)))
	case audit.OktaGroups:
		w.oktaGroups = kept(w.oktaGroups, some(len(w.oktaGroups)))
	case audit.OktaApps:
		w.apps = kept(w.apps, some(len(w.apps)))
	case audit.OktaAppUsers:
		w.appUsers = kept(w.appUsers, some(len(w.appUsers)))
	case audit.OktaMembers:
		w.oktaMembers = nil
	case audit.DatabricksMembers:
		w.members = nil
	case audit.DatabricksUsers:
		w.users = kept(w.users, some(len(w.users)))
	case audit.DatabricksGroups:
		w.groups = kept(w.groups, some(len(w.groups)))
	case audit.DatabricksServicePrincipals:
		w.principals = kept(w.principals, some(len(w.principals)))
	case audit.DatabricksWorkspaces:
		w.workspaces = kept(w.workspaces, some(len(w.workspaces)))
	case audit.DatabricksWorkspaceDetails:
	}
	return w
}

func kept[R any](all []R, keep func(int) bool) (some []R) {
	for i, r := range all {
		if keep(i) {
			some = append(some, r)
		}
	}
	return some
}
