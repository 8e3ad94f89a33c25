package rules_test

import (
	"slices"

	"github.com/aimcheck/aimcheck/audit"
)

func (r *oracleRun) groupExternalID() {
	for _, g := range r.accountGroups() {
		candidates := r.groupCandidates(g)
		rule, class, severity := "missing-external-id", "groups", "blocker"
		switch r.groupLinkState(g) {
		case "linked":
			continue
		case "unlinked":
			if len(candidates) == 0 {
				continue
			}
		case "stale":
			rule, class = "unknown-external-id", "overwrite"
			if len(candidates) == 0 {
				severity = "warning"
				if isAdmin(g.Roles) {
					severity = "error"
				}
				r.change(rule, dbGroup(g), "clear", oracleOp{"clear_external_id", dbGroup(g), "externalId", g.ExternalID, "", ""})
			}
		}
		o, automatic := r.isGroupAutomatic(g)
		if automatic {
			r.change(rule, dbGroup(g), class, oracleOp{"set_external_id", dbGroup(g), "externalId", g.ExternalID, o.ID, ""})
		}
		r.find(rule, severity, remedyFor(automatic, len(candidates)), dbGroup(g), append(subjects(oktaGroup, candidates), dbGroup(g))...)
	}
}

func (r *oracleRun) principalExternalID() {
	for _, p := range r.principals {
		candidates := r.principalCandidates(p)
		rule, class, severity := "missing-external-id", "service-principals", "blocker"
		switch r.principalLinkState(p) {
		case "linked":
			continue
		case "unlinked":
			if len(candidates) == 0 {
				continue
			}
		case "stale":
			rule, class = "unknown-external-id", "overwrite"
			if len(candidates) == 0 {
				severity = "warning"
				if isAdmin(p.Roles) || isCallerPrincipal(p, r.caller) {
					severity = "error"
				}
			}
		}
		a, automatic := r.isPrincipalAutomatic(p)
		if automatic {
			r.change(rule, dbSP(p), class, oracleOp{"set_external_id", dbSP(p), "externalId", p.ExternalID, a.ID, ""})
		}
		found := collect(candidates, func(a audit.OktaApp) string { return "okta:app:" + a.ID })
		r.find(rule, severity, remedyFor(automatic, len(candidates)), dbSP(p), append(found, dbSP(p))...)
	}
}

func (r *oracleRun) ambiguousGroupName() {
	for _, g := range r.accountGroups() {
		if candidates := r.groupCandidates(g); r.groupLinkState(g) != "linked" && len(candidates) >= 2 {
			r.find("ambiguous-group-name", "blocker", "choose", dbGroup(g), append(subjects(oktaGroup, candidates), dbGroup(g))...)
		}
	}
}

func (r *oracleRun) duplicateGroupName() {
	groups := r.accountGroups()
	for _, name := range distinct(collect(groups, func(g audit.DatabricksGroup) string { return oracleFold(g.DisplayName) })) {
		twins := those(groups, func(g audit.DatabricksGroup) bool { return oracleFold(g.DisplayName) == name })
		if len(twins) >= 2 {
			r.find("duplicate-group-name", "error", "choose", name, subjects(dbGroup, twins)...)
		}
	}
}

func (r *oracleRun) groupNameDrift() {
	for _, g := range r.accountGroups() {
		if r.groupLinkState(g) != "linked" {
			continue
		}
		o := r.groupLinkedTo(g)[0]
		if oracleFold(o.Name) == oracleFold(g.DisplayName) {
			continue
		}
		severity := "warning"
		others := r.groupCandidates(g)
		if len(others) > 0 {
			severity = "error"
		}
		r.find("group-name-drift", severity, "review", dbGroup(g), append(subjects(oktaGroup, others), oktaGroup(o), dbGroup(g))...)
	}
}

func (r *oracleRun) reservedGroupName() {
	for _, o := range r.oktaGroups {
		if isReserved(o.Name) {
			r.find("reserved-group-name", "warning", "okta", oktaGroup(o), oktaGroup(o))
		}
	}
}

func (r *oracleRun) groupMemberDrift() {
	for _, g := range r.accountGroups() {
		counterpart := r.groupLinkedTo(g)
		if len(counterpart) == 0 {
			if o, automatic := r.isGroupAutomatic(g); automatic {
				counterpart = append(counterpart, o)
			}
		}
		if len(counterpart) == 0 {
			continue
		}
		okta := r.oktaMembers[counterpart[0].ID]
		var kept []string // ids of Okta users who are members on both sides
		loses, gains, unknown := false, false, false
		for _, id := range r.members[g.ID] {
			found := those(r.users, func(d audit.DatabricksUser) bool { return d.ID == id })
			switch {
			case len(found) == 0 || len(r.of(found[0])) == 0: // a group, a service principal, a stranger
				unknown = true
			case slices.Contains(okta, r.of(found[0])[0].ID):
				kept = append(kept, r.of(found[0])[0].ID)
			default:
				loses = true
			}
		}
		for _, o := range those(r.oktaUsers, isLive) {
			gains = gains || slices.Contains(okta, o.ID) && !slices.Contains(kept, o.ID)
		}
		severity := "warning"
		if loses {
			severity = "error"
		}
		if loses || gains || unknown {
			r.find("group-member-drift", severity, "review", dbGroup(g), dbGroup(g), oktaGroup(counterpart[0]))
		}
	}
}

func (r *oracleRun) workspaceGroupClash() {
	for _, g := range those(r.groups, isLocal) {
		account := those(r.groups, func(other audit.DatabricksGroup) bool {
			return !isLocal(other) && !oracleBlank(g.DisplayName) && oracleFold(other.DisplayName) == oracleFold(g.DisplayName)
		})
		clash := append(subjects(dbGroup, account), subjects(oktaGroup, r.groupCandidates(g))...)
		if len(clash) > 0 {
			r.find("workspace-group-clash", "warning", "review", dbGroup(g), append(clash, dbGroup(g))...)
		}
	}
}

func (r *oracleRun) identityFederationDisabled() {
	for _, ws := range r.workspaces {
		if ws.Federation == "false" {
			r.find("identity-federation-disabled", "warning", "review", dbWorkspace(ws), dbWorkspace(ws))
		}
	}
	silent := subjects(dbWorkspace, those(r.workspaces, func(ws audit.DatabricksWorkspace) bool { return ws.Federation == "" }))
	if len(silent) > 0 {
		r.find("identity-federation-disabled", "info", "review", slices.Min(silent), silent...)
	}
}
