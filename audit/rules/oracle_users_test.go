package rules_test

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// collisionSeverity is what both rules about shared addresses give a value.
func (r *oracleRun) collisionSeverity(value string, holders []audit.OktaUser) string {
	taken := slices.ContainsFunc(r.users, func(d audit.DatabricksUser) bool { return oracleFold(d.UserName) == value })
	switch live := len(those(holders, isLive)); {
	case live >= 2 && taken:
		return "blocker"
	case live >= 2:
		return "error"
	}
	return "warning"
}

func (r *oracleRun) emailHolders(value string) []audit.OktaUser {
	return those(r.oktaUsers, func(o audit.OktaUser) bool { return oracleFold(o.Email) == value })
}

func (r *oracleRun) loginHolders(value string) []audit.OktaUser {
	return those(r.oktaUsers, func(o audit.OktaUser) bool { return oracleFold(o.Login) == value })
}

// emails are all the folded emails of Okta, each once.
func (r *oracleRun) emails() []string {
	return distinct(collect(r.oktaUsers, func(o audit.OktaUser) string { return oracleFold(o.Email) }))
}

// userNames are all the folded userNames, each once.
func (r *oracleRun) userNames() []string {
	return distinct(collect(r.users, func(d audit.DatabricksUser) string { return oracleFold(d.UserName) }))
}

func (r *oracleRun) sharedEmail() {
	for _, email := range r.emails() {
		if holders := r.emailHolders(email); len(holders) >= 2 {
			r.find("shared-email", r.collisionSeverity(email, holders), "okta", email, subjects(oktaUser, holders)...)
		}
	}
}

func (r *oracleRun) loginEmailCollision() {
	for _, value := range r.emails() {
		logins, emails := r.loginHolders(value), r.emailHolders(value)
		holders := those(r.oktaUsers, func(o audit.OktaUser) bool {
			return slices.Contains(logins, o) || slices.Contains(emails, o)
		})
		if len(logins) > 0 && len(holders) >= 2 { // a login's holder and somebody else
			r.find("login-email-collision", r.collisionSeverity(value, holders), "okta", value, subjects(oktaUser, holders)...)
		}
	}
}

func (r *oracleRun) ambiguousUsername() {
	for _, d := range r.users {
		live := r.liveCandidates(d)
		if len(live) < 2 {
			continue
		}
		severity := "blocker"
		if r.linkState(d) == "linked" && slices.Contains(live, r.linkedTo(d)[0]) {
			severity = "error"
		}
		r.find("ambiguous-username", severity, "choose", dbUser(d), append(subjects(oktaUser, r.candidates(d)), dbUser(d))...)
	}
}

// conflicts reports whether the id of d belongs to one person and its name to another.
func (r *oracleRun) conflicts(d audit.DatabricksUser) bool {
	if len(r.linkedTo(d)) == 0 {
		return false
	}
	o := r.linkedTo(d)[0]
	others := those(r.liveCandidates(d), func(other audit.OktaUser) bool { return other != o })
	return len(others) > 0 && (!named(d, o) || !isLive(o))
}

func (r *oracleRun) conflictingExternalID() {
	var clusters [][]string
	for _, d := range r.users {
		if !r.conflicts(d) {
			continue
		}
		cluster := append(subjects(oktaUser, r.liveCandidates(d)), oktaUser(r.linkedTo(d)[0]), dbUser(d))
		var apart [][]string
		for _, c := range clusters {
			if slices.ContainsFunc(c, func(s string) bool {
				return strings.HasPrefix(s, "okta:") && slices.Contains(cluster, s)
			}) {
				cluster = append(cluster, c...)
			} else {
				apart = append(apart, c)
			}
		}
		clusters = append(apart, cluster)
	}
	for _, c := range clusters {
		r.find("conflicting-external-id", "blocker", "choose", first("databricks:", c), c...)
	}
}

func (r *oracleRun) duplicateExternalID() {
	ids := collect(r.users, func(d audit.DatabricksUser) string { return d.ExternalID })
	ids = append(ids, collect(r.groups, func(g audit.DatabricksGroup) string { return g.ExternalID })...)
	ids = append(ids, collect(r.principals, func(p audit.DatabricksServicePrincipal) string { return p.ExternalID })...)
	for _, id := range distinct(ids) {
		if holders := r.holders(id); len(holders) >= 2 {
			r.find("duplicate-external-id", "blocker", "choose", id, holders...)
		}
	}
}

func (r *oracleRun) splitIdentity() {
	for _, o := range those(r.oktaUsers, isLive) {
		reached := those(r.users, func(d audit.DatabricksUser) bool { return d.ExternalID == o.ID || named(d, o) })
		if len(reached) < 2 {
			continue
		}
		one := !slices.ContainsFunc(reached, func(d audit.DatabricksUser) bool { return d.ExternalID != reached[0].ExternalID })
		if !one || reached[0].ExternalID == "" {
			r.find("split-identity", "blocker", "choose", oktaUser(o), append(subjects(dbUser, reached), oktaUser(o))...)
		}
	}
}

func (r *oracleRun) caseVariantUsername() {
	for _, name := range r.userNames() {
		twins := those(r.users, func(d audit.DatabricksUser) bool { return oracleFold(d.UserName) == name })
		if len(twins) >= 2 {
			r.find("case-variant-username", "error", "choose", name, subjects(dbUser, twins)...)
		}
	}
}

func isMalformed(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool {
		return oracleData().whiteSpace[r] || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)
	})
}

func isAddress(name string) bool {
	local, domain, _ := strings.Cut(name, "@")
	return strings.Count(name, "@") == 1 && local != "" && domain != "" && strings.Contains(domain, ".")
}

func (r *oracleRun) malformedUsername() {
	for _, o := range r.oktaUsers {
		if isMalformed(o.Login) || isMalformed(o.Email) {
			r.find("malformed-username", "warning", "okta", oktaUser(o), oktaUser(o))
		}
	}
	for _, d := range r.users {
		if isMalformed(d.UserName) || !isAddress(d.UserName) {
			r.find("malformed-username", "warning", "support", dbUser(d), dbUser(d))
		}
	}
}

// lookalikeUsername looks at every name of every identity, which are few here.
func (r *oracleRun) lookalikeUsername() {
	type name struct{ subject, raw string }
	var names []name
	people := map[string][]string{} // each subject's ids and folded names
	for _, o := range r.oktaUsers {
		names = append(names, name{oktaUser(o), o.Login}, name{oktaUser(o), o.Email})
		people[oktaUser(o)] = append(people[oktaUser(o)], "id "+o.ID)
	}
	for _, d := range r.users {
		names = append(names, name{dbUser(d), d.UserName})
		if d.ExternalID != "" {
			people[dbUser(d)] = append(people[dbUser(d)], "id "+d.ExternalID)
		}
	}
	names = those(names, func(n name) bool { return oracleFold(n.raw) != "" })
	for _, n := range names {
		people[n.subject] = append(people[n.subject], "name "+oracleFold(n.raw))
	}
	names = those(names, func(n name) bool { return utf8.ValidString(n.raw) }) // bytes look like nothing
	// Whoever shares an id or a name with somebody is the same person, and so on.
	for changed := true; changed; {
		changed = false
		for a := range people {
			for b := range people {
				if slices.ContainsFunc(people[a], func(tie string) bool { return slices.Contains(people[b], tie) }) {
					all := distinct(slices.Concat(people[a], people[b]))
					changed = changed || len(all) != len(people[a]) || len(all) != len(people[b])
					people[a], people[b] = all, all
				}
			}
		}
	}
	alike := func(a, b name) bool {
		return !slices.Equal(people[a.subject], people[b.subject]) &&
			(oracleSkeleton(oracleFold(a.raw)) == oracleSkeleton(oracleFold(b.raw)) ||
				oracleFullFold(a.raw) == oracleFullFold(b.raw))
	}
	clustered := map[name]bool{}
	for _, start := range names {
		cluster := []name{start}
		for i := 0; i < len(cluster); i++ {
			for _, n := range names {
				// A name that several hold is one name: all of its holders belong.
				if !slices.Contains(cluster, n) && (alike(cluster[i], n) || oracleFold(cluster[i].raw) == oracleFold(n.raw)) {
					cluster = append(cluster, n)
				}
			}
		}
		if clustered[start] || !slices.ContainsFunc(cluster, func(n name) bool { return alike(start, n) }) {
			continue
		}
		for _, n := range cluster {
			clustered[n] = true
		}
		skeletons := collect(cluster, func(n name) string { return oracleSkeleton(oracleFold(n.raw)) })
		r.find("lookalike-username", "warning", "review", slices.Min(skeletons),
			collect(cluster, func(n name) string { return n.subject })...)
	}
}

// A namePart is one of the two names that both directories have.
type namePart struct{ field, databricks, okta string }

func nameParts(d audit.DatabricksUser, o audit.OktaUser) []namePart {
	return []namePart{{"name.givenName", d.GivenName, o.FirstName}, {"name.familyName", d.FamilyName, o.LastName}}
}

func (r *oracleRun) missingName() {
	for _, o := range those(r.oktaUsers, isLive) {
		if oracleBlank(o.FirstName) || oracleBlank(o.LastName) {
			r.find("missing-name", "warning", "okta", oktaUser(o), oktaUser(o))
		}
	}
	for _, d := range r.users {
		if !oracleBlank(d.GivenName) && !oracleBlank(d.FamilyName) {
			continue
		}
		remedy := "review"
		if o, ok := r.nameSource(d); ok {
			missing := those(nameParts(d, o), func(p namePart) bool { return oracleBlank(p.databricks) })
			if !slices.ContainsFunc(missing, func(p namePart) bool { return oracleBlank(p.okta) }) {
				remedy = "automatic"
				for _, p := range missing {
					r.change("missing-name", dbUser(d), "names", oracleOp{"set_name", dbUser(d), p.field, p.databricks, p.okta, ""})
				}
			}
		}
		r.find("missing-name", "warning", remedy, dbUser(d), dbUser(d))
	}
}

// nameSource is the Okta user from whom d may get its names without asking.
func (r *oracleRun) nameSource(d audit.DatabricksUser) (audit.OktaUser, bool) {
	o := r.of(d)
	if len(o) == 0 || r.collides(dbUser(d)) || r.collides(oktaUser(o[0])) {
		return audit.OktaUser{}, false
	}
	switch r.linkState(d) {
	case "linked":
		return o[0], true
	case "unlinked", "stale":
		_, automatic := r.isAutomatic(d)
		return o[0], automatic
	}
	return audit.OktaUser{}, false
}

// userExternalID is missing-external-id and unknown-external-id of users.
func (r *oracleRun) userExternalID() {
	for _, d := range r.users {
		rule, class := "missing-external-id", "users"
		switch r.linkState(d) {
		case "stale":
			rule, class = "unknown-external-id", "overwrite"
		case "linked", "linked-inactive":
			continue
		}
		live := r.liveCandidates(d)
		severity := "warning"
		if len(live) > 0 {
			severity = "blocker"
		} else if rule == "unknown-external-id" && (isAdmin(d.Roles) || r.isCaller(d)) {
			severity = "error"
		}
		o, automatic := r.isAutomatic(d)
		if automatic {
			r.change(rule, dbUser(d), class, oracleOp{"set_external_id", dbUser(d), "externalId", d.ExternalID, o.ID, ""})
		}
		r.find(rule, severity, remedyFor(automatic, len(live)), dbUser(d), append(subjects(oktaUser, live), dbUser(d))...)
	}
}

// drift is the reason for username-drift, or blank.
func (r *oracleRun) drift(d audit.DatabricksUser) string {
	if r.linkState(d) != "linked" {
		return ""
	}
	o := r.linkedTo(d)[0]
	claim, known := r.claimed(o)
	spellings := []string{o.Login, o.Email}
	if known {
		spellings = []string{claim}
	}
	name := oracleFold(d.UserName)
	same := func(s string) bool { return name != "" && oracleFold(s) == name }
	switch {
	case !named(d, o) && len(r.liveCandidates(d)) == 0:
		return "renamed"
	case known && named(d, o) && name != oracleFold(claim):
		return "claim"
	case slices.ContainsFunc(spellings, same) && !slices.Contains(spellings, d.UserName):
		return "case"
	}
	return ""
}

func (r *oracleRun) usernameDrift() {
	for _, d := range r.users {
		reason := r.drift(d)
		if reason == "" {
			continue
		}
		severity, remedy := "blocker", "support"
		if reason == "case" {
			severity = "warning"
		}
		if reason == "claim" {
			remedy = "review"
		}
		r.find("username-drift", severity, remedy, dbUser(d), dbUser(d), oktaUser(r.linkedTo(d)[0]))
	}
}

func (r *oracleRun) ssoClaimSplit() {
	account, workspace := r.settings.SSOClaim, r.settings.WorkspaceSSOClaim
	differ := r.settings.UnifiedLogin == "false" && account != "unknown" && workspace != "unknown" && account != workspace
	if account != "unknown" && !differ && !(r.settings.UnifiedLogin == "false" && workspace == "unknown") {
		return
	}
	severity := "warning"
	if differ {
		severity = "blocker"
	}
	for _, d := range r.users {
		if o := r.of(d); len(o) == 1 && len(oktaNames(o[0])) == 2 {
			r.find("sso-claim-split", severity, "review", dbUser(d), dbUser(d), oktaUser(o[0]))
		}
	}
}

func (r *oracleRun) linkedToDeprovisioned() {
	for _, d := range r.users {
		if !d.Active {
			continue
		}
		var left []audit.OktaUser
		switch state := r.linkState(d); {
		case state == "linked-inactive":
			left = r.linkedTo(d)
		case state != "linked" && len(r.liveCandidates(d)) == 0 && len(r.candidates(d)) > 0:
			left = r.candidates(d)
		default:
			left = those(r.of(d), func(o audit.OktaUser) bool { return o.Status == "SUSPENDED" })
		}
		if len(left) == 0 {
			continue
		}
		r.find("linked-to-deprovisioned", "error", "review", dbUser(d), append(subjects(oktaUser, left), dbUser(d))...)
		// Under a conflict the record may be a live person's by now: that is for people.
		if slices.Contains(r.settings.Include, "deactivate") && !r.conflicts(d) {
			r.change("linked-to-deprovisioned", dbUser(d), "deactivate", oracleOp{"deactivate_user", dbUser(d), "active", "true", "false", ""})
		}
	}
}

func (r *oracleRun) nameMismatch() {
	for _, d := range r.users {
		if r.linkState(d) != "linked" {
			continue
		}
		o := r.linkedTo(d)[0]
		differ := those(nameParts(d, o), func(p namePart) bool {
			return !oracleBlank(p.databricks) && !oracleBlank(p.okta) && oracleFold(p.databricks) != oracleFold(p.okta)
		})
		if len(differ) == 0 {
			continue
		}
		remedy := "review"
		if !r.collides(dbUser(d)) && !r.collides(oktaUser(o)) {
			remedy = "automatic"
			for _, p := range differ {
				r.change("name-mismatch", dbUser(d), "names", oracleOp{"set_name", dbUser(d), p.field, p.databricks, p.okta, ""})
			}
		}
		r.find("name-mismatch", "info", remedy, dbUser(d), dbUser(d), oktaUser(o))
	}
}

func (r *oracleRun) inactiveWithEntitlements() {
	for _, d := range r.users {
		if !d.Active && d.Roles.Len()+d.Entitlements.Len() > 0 {
			r.find("inactive-with-entitlements", "warning", "review", dbUser(d), dbUser(d))
		}
	}
}

func (r *oracleRun) managedTokenOwner() {
	owner := r.settings.SCIMTokenOwner
	if owner == "" {
		owner = r.caller
	}
	for _, d := range r.usersNamed(owner) {
		if o := r.of(d); len(o) == 1 {
			r.find("managed-token-owner", "error", "review", dbUser(d), dbUser(d), oktaUser(o[0]))
		}
	}
}

// groupsOf are the groups that the identity is in, directly or through others.
func (r *oracleRun) groupsOf(id string) []audit.DatabricksGroup {
	in := []string{id}
	for i := 0; i < len(in); i++ {
		for _, g := range r.groups {
			if slices.Contains(r.members[g.ID], in[i]) && !slices.Contains(in, g.ID) {
				in = append(in, g.ID)
			}
		}
	}
	return those(r.groups, func(g audit.DatabricksGroup) bool { return slices.Contains(in[1:], g.ID) })
}

func (r *oracleRun) redundantDirectGrant() {
	both := func(direct, group audit.Values) bool {
		for v := range direct.All() {
			for w := range group.All() {
				if isDirect(v) && v.Value == w.Value { // however the group came by it
					return true
				}
			}
		}
		return false
	}
	for _, d := range r.users {
		granting := those(r.groupsOf(d.ID), func(g audit.DatabricksGroup) bool {
			return both(d.Roles, g.Roles) || both(d.Entitlements, g.Entitlements)
		})
		if len(granting) > 0 {
			r.find("redundant-direct-grant", "info", "review", dbUser(d), append(subjects(dbGroup, granting), dbUser(d))...)
		}
	}
}
