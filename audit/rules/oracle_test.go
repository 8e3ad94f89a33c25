package rules_test

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// The oracle is the catalogue a second time: every question is answered by
// going through all the records, as the contract puts it, with no index and no
// code of the engine. It is slow, and is there to be compared with.

// A world is what both directories said, and which optional listings were read.
type world struct {
	oktaUsers   []audit.OktaUser
	oktaGroups  []audit.OktaGroup
	oktaMembers map[string][]string // group id to user ids
	apps        []audit.OktaApp
	appUsers    []audit.OktaAppUser

	users      []audit.DatabricksUser
	groups     []audit.DatabricksGroup
	members    map[string][]string // group id to ids of any kind
	principals []audit.DatabricksServicePrincipal
	workspaces []audit.DatabricksWorkspace
	caller     string // userName or applicationId

	membersRead, appsRead, detailsRead, workspacesRead bool

	lost map[audit.Input]bool // inputs that were not read to the end
}

// An oracleFinding is a finding without its texts.
type oracleFinding struct {
	rule, severity, remedy, key string
	subjects                    []string
}

// An oracleOp is an operation without its texts.
type oracleOp struct {
	action, target, field, from, to, decision string
}

// An oracleResult is what the catalogue says about a world.
type oracleResult struct {
	verdict                    string
	findings                   []oracleFinding
	outcomesNow, outcomesAfter map[string]string
	operations                 []oracleOp
}

// An oracleRun holds a world and what was found so far.
type oracleRun struct {
	world
	settings audit.Settings
	findings []oracleFinding
	changes  []oracleChange
}

// The collision rules: whom they speak of is never linked automatically.
var oracleCollisions = []string{
	"shared-email", "login-email-collision", "ambiguous-username", "conflicting-external-id",
	"duplicate-external-id", "split-identity", "case-variant-username",
}

// oracle says everything that the catalogue says of the world, but for what the
// rules named in without would find and change.
func oracle(w world, s audit.Settings, without ...string) oracleResult {
	// What is left blank is unknown.
	s.SSOClaim = cmp.Or(s.SSOClaim, "unknown")
	s.WorkspaceSSOClaim = cmp.Or(s.WorkspaceSSOClaim, "unknown")
	s.UnifiedLogin = cmp.Or(s.UnifiedLogin, "unknown")
	r := &oracleRun{world: w, settings: s}
	r.sharedEmail()
	r.loginEmailCollision()
	r.ambiguousUsername()
	r.conflictingExternalID()
	r.duplicateExternalID()
	r.splitIdentity()
	r.caseVariantUsername()
	// From here on "automatic" can be told.
	r.malformedUsername()
	r.lookalikeUsername()
	r.missingName()
	r.userExternalID()
	r.usernameDrift()
	r.ssoClaimSplit()
	r.linkedToDeprovisioned()
	r.nameMismatch()
	r.inactiveWithEntitlements()
	r.managedTokenOwner()
	r.groupExternalID()
	r.ambiguousGroupName()
	r.duplicateGroupName()
	r.groupNameDrift()
	r.reservedGroupName()
	if w.appsRead {
		r.principalExternalID()
	}
	if w.membersRead {
		r.redundantDirectGrant()
		r.groupMemberDrift()
	}
	if w.detailsRead {
		r.workspaceGroupClash()
	}
	if w.workspacesRead {
		r.identityFederationDisabled()
	}

	r.findings = those(r.findings, func(f oracleFinding) bool { return !slices.Contains(without, f.rule) })
	r.changes = those(r.changes, func(c oracleChange) bool { return !slices.Contains(without, c.rule) })
	result := oracleResult{verdict: "ready", findings: r.findings}
	slices.SortFunc(result.findings, compareOracleFindings)
	for _, f := range result.findings {
		if f.severity == "blocker" {
			result.verdict = "not-ready"
		}
	}
	result.operations = r.plan()
	result.outcomesNow = r.outcomes()
	after := &oracleRun{world: w.apply(result.operations, true), settings: s}
	result.outcomesAfter = after.outcomes()
	return result
}

func compareOracleFindings(a, b oracleFinding) int {
	return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.key, b.key), slices.Compare(a.subjects, b.subjects))
}

// find records a finding about the subjects.
func (r *oracleRun) find(rule, severity, remedy, key string, subjects ...string) {
	slices.Sort(subjects)
	r.findings = append(r.findings, oracleFinding{rule, severity, remedy, key, slices.Compact(subjects)})
}

// collides reports whether a collision rule has the subject.
func (r *oracleRun) collides(subject string) bool {
	for _, f := range r.findings {
		if slices.Contains(oracleCollisions, f.rule) && slices.Contains(f.subjects, subject) {
			return true
		}
	}
	return false
}

func oktaUser(o audit.OktaUser) string                { return "okta:user:" + o.ID }
func oktaGroup(g audit.OktaGroup) string              { return "okta:group:" + g.ID }
func dbUser(d audit.DatabricksUser) string            { return "databricks:user:" + d.ID }
func dbGroup(g audit.DatabricksGroup) string          { return "databricks:group:" + g.ID }
func dbSP(p audit.DatabricksServicePrincipal) string  { return "databricks:service_principal:" + p.ID }
func dbWorkspace(ws audit.DatabricksWorkspace) string { return "databricks:workspace:" + ws.ID }
func isLive(o audit.OktaUser) bool                    { return o.Status != "DEPROVISIONED" }
func isReserved(name string) bool                     { return slices.Contains(reservedNames, oracleFold(name)) }
func isLocal(g audit.DatabricksGroup) bool {
	return g.ResourceType == "WorkspaceGroup" || g.Workspace != ""
}
func subjects[T any](of func(T) string, s []T) []string { return collect(s, of) }

var reservedNames = []string{"admins", "users", "account users"}

// collect applies f to every element.
func collect[T, U any](s []T, f func(T) U) []U {
	var out []U
	for _, v := range s {
		out = append(out, f(v))
	}
	return out
}

// those are the elements for which keep holds.
func those[T any](s []T, keep func(T) bool) []T {
	var out []T
	for _, v := range s {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// distinct are the values in order, each once, blanks left out.
func distinct(values []string) []string {
	values = those(values, func(v string) bool { return v != "" })
	slices.Sort(values)
	return slices.Compact(values)
}

// oktaNames is names(o).
func oktaNames(o audit.OktaUser) []string {
	return distinct([]string{oracleFold(o.Login), oracleFold(o.Email)})
}

// named reports whether the userName is one of o's names.
func named(d audit.DatabricksUser, o audit.OktaUser) bool {
	return slices.Contains(oktaNames(o), oracleFold(d.UserName))
}

// candidates are the Okta users of the name of d, of any status.
func (r *oracleRun) candidates(d audit.DatabricksUser) []audit.OktaUser {
	return those(r.oktaUsers, func(o audit.OktaUser) bool { return named(d, o) })
}

func (r *oracleRun) liveCandidates(d audit.DatabricksUser) []audit.OktaUser {
	return those(r.candidates(d), isLive)
}

// linkedTo are the Okta users, one or none, whose id d holds, live or not.
func (r *oracleRun) linkedTo(d audit.DatabricksUser) []audit.OktaUser {
	return those(r.oktaUsers, func(o audit.OktaUser) bool { return o.ID == d.ExternalID })
}

// linkState is the link state of a user.
func (r *oracleRun) linkState(d audit.DatabricksUser) string {
	switch o := r.linkedTo(d); {
	case d.ExternalID == "":
		return "unlinked"
	case len(o) == 0:
		return "stale"
	case isLive(o[0]):
		return "linked"
	}
	return "linked-inactive"
}

// of is o(d), one Okta user or none.
func (r *oracleRun) of(d audit.DatabricksUser) []audit.OktaUser {
	if o := r.linkedTo(d); len(o) == 1 {
		return o
	}
	if live := r.liveCandidates(d); len(live) == 1 {
		return live
	}
	return nil
}

// groupCandidates are the Okta groups of the name of g.
func (r *oracleRun) groupCandidates(g audit.DatabricksGroup) []audit.OktaGroup {
	return those(r.oktaGroups, func(o audit.OktaGroup) bool {
		return !oracleBlank(g.DisplayName) && oracleFold(o.Name) == oracleFold(g.DisplayName)
	})
}

func (r *oracleRun) groupLinkedTo(g audit.DatabricksGroup) []audit.OktaGroup {
	return those(r.oktaGroups, func(o audit.OktaGroup) bool { return o.ID == g.ExternalID })
}

func (r *oracleRun) groupLinkState(g audit.DatabricksGroup) string {
	switch {
	case g.ExternalID == "":
		return "unlinked"
	case len(r.groupLinkedTo(g)) == 0:
		return "stale"
	}
	return "linked"
}

// accountGroups are the groups that the rules about groups speak of.
func (r *oracleRun) accountGroups() []audit.DatabricksGroup {
	return those(r.groups, func(g audit.DatabricksGroup) bool { return !isReserved(g.DisplayName) && !isLocal(g) })
}

// principalCandidates are the active apps of the client id, else of the label.
func (r *oracleRun) principalCandidates(p audit.DatabricksServicePrincipal) []audit.OktaApp {
	active := those(r.apps, func(a audit.OktaApp) bool { return a.Status == "ACTIVE" })
	byClient := those(active, func(a audit.OktaApp) bool { return a.ClientID != "" && a.ClientID == p.ApplicationID })
	if len(byClient) > 0 {
		return byClient
	}
	return those(active, func(a audit.OktaApp) bool {
		return !oracleBlank(p.DisplayName) && oracleFold(a.Label) == oracleFold(p.DisplayName)
	})
}

func (r *oracleRun) principalLinkState(p audit.DatabricksServicePrincipal) string {
	switch {
	case p.ExternalID == "":
		return "unlinked"
	case slices.ContainsFunc(r.apps, func(a audit.OktaApp) bool { return a.ID == p.ExternalID }):
		return "linked"
	}
	return "stale"
}

// holders are the Databricks objects of any kind that hold the id.
func (r *oracleRun) holders(externalID string) []string {
	all := subjects(dbUser, those(r.users, func(d audit.DatabricksUser) bool { return d.ExternalID == externalID }))
	all = append(all, subjects(dbGroup, those(r.groups, func(g audit.DatabricksGroup) bool { return g.ExternalID == externalID }))...)
	return append(all, subjects(dbSP, those(r.principals, func(p audit.DatabricksServicePrincipal) bool { return p.ExternalID == externalID }))...)
}

// claimed is the name under which o signs in, and whether that is known of o.
func (r *oracleRun) claimed(o audit.OktaUser) (name string, known bool) {
	switch r.settings.SSOClaim {
	case "login":
		return o.Login, true
	case "email":
		return o.Email, true
	case "other":
		if !r.appsRead {
			return "", false
		}
		app := r.settings.OktaApp
		apps := distinct(collect(r.appUsers, func(u audit.OktaAppUser) string { return u.App }))
		if app == "" && len(apps) == 1 {
			app = apps[0]
		}
		for _, u := range r.appUsers {
			if u.App == app && u.User == o.ID && !oracleBlank(u.UserName) {
				return u.UserName, true
			}
		}
	}
	return "", false
}

// isAutomatic is "Automatic" for a user, with the candidate that is meant.
func (r *oracleRun) isAutomatic(d audit.DatabricksUser) (audit.OktaUser, bool) {
	live := r.liveCandidates(d)
	if len(live) != 1 {
		return audit.OktaUser{}, false
	}
	o := live[0]
	claim, known := r.claimed(o)
	return o, !r.collides(dbUser(d)) && !r.collides(oktaUser(o)) && len(r.holders(o.ID)) == 0 &&
		(!known || oracleFold(claim) == oracleFold(d.UserName))
}

// isGroupAutomatic is "Automatic" for a group that is not linked.
func (r *oracleRun) isGroupAutomatic(g audit.DatabricksGroup) (audit.OktaGroup, bool) {
	candidates := r.groupCandidates(g)
	if len(candidates) != 1 {
		return audit.OktaGroup{}, false
	}
	namesakes := those(r.groups, func(other audit.DatabricksGroup) bool {
		return oracleFold(other.DisplayName) == oracleFold(g.DisplayName)
	})
	return candidates[0], len(namesakes) == 1 && len(r.holders(candidates[0].ID)) == 0 && !isReserved(g.DisplayName)
}

// isPrincipalAutomatic is "Automatic" for a service principal that is not linked.
func (r *oracleRun) isPrincipalAutomatic(p audit.DatabricksServicePrincipal) (audit.OktaApp, bool) {
	candidates := r.principalCandidates(p)
	if len(candidates) != 1 {
		return audit.OktaApp{}, false
	}
	rivals := those(r.principals, func(other audit.DatabricksServicePrincipal) bool {
		return slices.Contains(r.principalCandidates(other), candidates[0])
	})
	return candidates[0], len(rivals) == 1 && len(r.holders(candidates[0].ID)) == 0
}

// remedyFor is automatic, else choose with candidates and review without.
func remedyFor(automatic bool, candidates int) string {
	switch {
	case automatic:
		return "automatic"
	case candidates > 0:
		return "choose"
	}
	return "review"
}

// isAdmin reports a direct account_admin role.
func isAdmin(roles audit.Values) bool {
	for role := range roles.All() {
		if role.Value == "account_admin" && isDirect(role) {
			return true
		}
	}
	return false
}

func isDirect(v audit.Value) bool { return v.Type != "indirect" }

// usersNamed are the users meant by a name given as a setting: fold says which
// names are the same.
func (r *oracleRun) usersNamed(name string) []audit.DatabricksUser {
	return those(r.users, func(d audit.DatabricksUser) bool {
		return !oracleBlank(name) && oracleFold(d.UserName) == oracleFold(name)
	})
}

// isCaller reports whether d is the identity that runs the tool.
func (r *oracleRun) isCaller(d audit.DatabricksUser) bool {
	return slices.Contains(r.usersNamed(r.caller), d)
}

// isCallerPrincipal is the same for a service principal. Its applicationId is a
// UUID, which is written in either letter case.
func isCallerPrincipal(p audit.DatabricksServicePrincipal, caller string) bool {
	return !oracleBlank(caller) && oracleFold(p.ApplicationID) == oracleFold(caller)
}

// first is the smallest of the subjects that begin with the prefix.
func first(prefix string, subjects []string) string {
	return slices.Min(those(subjects, func(s string) bool { return strings.HasPrefix(s, prefix) }))
}
