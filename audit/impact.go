package audit

import (
	"iter"
	"slices"
)

// A Fate is an outcome, and the line of the contract's tables that fits.
type Fate struct {
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why"`
}

const asItShould = "AIM manages it, as it should"

const notRead = "not known: a side was not read completely"

// Outcome returns what happens to a Databricks user or group if AIM is switched
// on: the first line of the contract's tables that fits. It is blank for service
// principals, which AIM leaves alone, and where a side was not read completely.
// Of an Okta user or group it is [Provision] or blank.
func (ix *Index) Outcome(d Ref) Outcome {
	if known := ix.outcomes[d.Kind]; known != nil {
		return outcomeOf[known[d.n]]
	}
	return ix.outcome(d)
}

func (ix *Index) outcome(r Ref) Outcome {
	if ix.provisioned(r) {
		return Provision
	}
	return ix.fate(r).Outcome
}

// outcomeOf are the outcomes by the number that an index keeps of each.
var outcomeOf = append([]Outcome{""}, Outcomes()...)

// foreseen are the kinds whose objects have an outcome; those of Okta have
// [Provision] or none.
var foreseen = [...]Kind{DatabricksUserKind, DatabricksGroupKind, OktaUserKind, OktaGroupKind}

// foresee works out the outcomes of all users and groups, once for all who ask for
// them.
func (ix *Index) foresee() {
	for _, k := range foreseen {
		ix.outcomes[k] = make([]uint8, ix.Len(k))
		inParts(ix.Len(k), fewObjects, func(from, to int) {
			for n := from; n < to; n++ {
				ix.foreseeOne(Ref{k, int32(n)})
			}
		})
	}
}

func (ix *Index) foreseeOne(r Ref) {
	if known := ix.outcomes[r.Kind]; known != nil {
		known[r.n] = uint8(slices.Index(outcomeOf, ix.outcome(r)))
	}
}

func (ix *Index) fate(d Ref) Fate {
	switch d.Kind {
	case DatabricksUserKind:
		if ix.Complete(OktaUsers) && ix.Complete(DatabricksUsers) {
			return ix.userFate(d)
		}
	case DatabricksGroupKind:
		if ix.Complete(OktaGroups) && ix.Complete(DatabricksGroups) {
			return ix.groupFate(d)
		}
	case DatabricksServicePrincipalKind:
		return Fate{"", "AIM leaves service principals alone"}
	}
	return Fate{"", notRead}
}

func (ix *Index) userFate(d Ref) Fate {
	if ix.is(d, settled) && !ix.shared(d) {
		return Fate{Linked, asItShould}
	}
	if _, ok := ix.Conflict(d); ok {
		return Fate{WrongPerson, "its id belongs to one person, its name to another"}
	}
	state := ix.LinkState(d)
	switch state {
	case LinkedInactive:
		return Fate{Deactivate, "it is linked to a DEPROVISIONED user"}
	case LinkedLive:
		if ix.shared(d) {
			return Fate{Duplicate, "it is linked, and another object holds its externalId too"}
		}
		switch ix.Drift(d) {
		case DriftRenamed:
			return Fate{Duplicate, "it is linked, and its Okta user has another name by now: the next sign-in creates a second user"}
		case DriftClaim:
			return Fate{Duplicate, "it is linked, and its Okta user signs in under another name: that creates a second user"}
		}
		return Fate{Linked, asItShould}
	}
	switch live := ix.LiveCandidates(d).Len(); {
	case live >= 2:
		return Fate{Ambiguous, "it is not linked, and two or more live Okta users have its name"}
	case live == 1:
		return Fate{Duplicate, "it is not linked, and one live Okta user has its name: AIM creates a second identity beside it"}
	case state == Stale:
		return Fate{Deactivate, "Okta doesn't know its id, and nobody live has its name"}
	}
	return Fate{Unmanaged, "it has no id, and nobody live has its name: it stays local"}
}

func (ix *Index) groupFate(g Ref) Fate {
	if !ix.Managed(g) {
		return Fate{Unmanaged, "a group of the system or of a workspace stays local"}
	}
	state := ix.LinkState(g)
	switch {
	case state == LinkedLive && ix.shared(g):
		return Fate{Duplicate, "it is linked, and another object holds its externalId too"}
	case state == LinkedLive:
		return Fate{Linked, asItShould}
	case ix.Candidates(g).Len() > 0:
		return Fate{Blocked, "it is not linked, and keeps its name from the Okta group, which can't be provisioned"}
	case state == Stale:
		return Fate{Deactivate, "Okta doesn't know its id: AIM treats it as removed in Okta"}
	}
	return Fate{Unmanaged, "it has no id, and no Okta group has its name: it stays local"}
}

// provisioned reports whether o is a live Okta user or group that AIM would create
// cleanly at first use: nobody is linked to it and it is nobody's candidate.
func (ix *Index) provisioned(o Ref) bool {
	switch o.Kind {
	case OktaUserKind:
		if !ix.Complete(OktaUsers) || !ix.Complete(DatabricksUsers) || !ix.Live(o) {
			return false
		}
		return ix.Reached(o).Len() == 0
	case OktaGroupKind:
		if !ix.Complete(OktaGroups) || !ix.Complete(DatabricksGroups) {
			return false
		}
		for d := range ix.Holders(o) {
			if d.Kind == DatabricksGroupKind {
				return false
			}
		}
		return len(ix.groups.local.of(ix.groups.oktaName[o.n])) == 0
	}
	return false
}

// impact counts the outcomes that [Index.foresee] worked out. Where a side is incomplete its counts are empty.
func (ix *Index) impact() Impact {
	count := func(kinds ...Kind) map[Outcome]int {
		n := map[Outcome]int{}
		counts := make([]int, len(outcomeOf))
		for _, k := range kinds {
			for _, o := range ix.outcomes[k] {
				counts[o]++
			}
		}
		for i, o := range outcomeOf {
			if counts[i] > 0 && o != "" {
				n[o] = counts[i]
			}
		}
		return n
	}
	return Impact{Users: count(DatabricksUserKind, OktaUserKind), Groups: count(DatabricksGroupKind, OktaGroupKind)}
}

// crosswalk lists the rows of [Report.Crosswalk]; those that are not whole lack what
// [Report.BriefCrosswalk] leaves out.
func crosswalk(now, after *Index, whole bool) List[*CrosswalkRow] {
	kinds := []Kind{DatabricksGroupKind, DatabricksServicePrincipalKind, DatabricksUserKind, OktaGroupKind, OktaUserKind}
	places := 0
	for _, k := range kinds {
		places += now.Len(k)
	}
	return List[*CrosswalkRow]{places, func(from, to int) iter.Seq[*CrosswalkRow] {
		return func(yield func(*CrosswalkRow) bool) {
			var row CrosswalkRow
			for _, k := range kinds {
				n := now.Len(k)
				for i := max(from, 0); i < min(to, n); i++ {
					if i%64 == 0 || i == from {
						now.fetchOwners(k, int32(i), 64-int32(i)%64)
					}
					if row.set(now, after, Ref{k, int32(i)}, whole) && !yield(&row) {
						return
					}
				}
				from, to = from-n, to-n
			}
		}
	}}
}

// set makes it the row of the object, if that has one.
func (row *CrosswalkRow) set(now, after *Index, r Ref, whole bool) bool {
	outcome := now.Outcome(r)
	if counterpart(r.Kind) == 0 && outcome != Provision {
		return false
	}
	*row = CrosswalkRow{Now: outcome, AfterPlan: Provision}
	if counterpart(r.Kind) == 0 {
		now.describe(row, r, whole)
		row.Subject, row.Name = row.Okta, row.OktaLogin
		return true
	}
	row.AfterPlan = after.Outcome(r)
	now.identify(row, r, whole)
	row.LinkState = now.LinkState(r)
	if o, ok := now.OktaOf(r); ok { // the one it is linked to or could only be
		now.describe(row, o, whole)
		row.MatchedBy = now.matchedBy(r, o)
	}
	return true
}

// identify sets what the row says of the Databricks identity d itself.
func (ix *Index) identify(row *CrosswalkRow, d Ref, whole bool) {
	row.Subject.Kind = d.Kind
	switch {
	case d.Kind != DatabricksUserKind:
		row.Subject, row.Name, row.ExternalID = ix.Subject(d), ix.Name(d), ix.ExternalID(d)
		row.Active, row.Admin, row.Groups = ix.Active(d), ix.AccountAdmin(d), ix.groupsOf(d)
	case whole:
		u := ix.DatabricksUser(d)
		row.Subject.ID, row.Name, row.ExternalID = u.ID, u.UserName, u.ExternalID
		row.GivenName, row.FamilyName, row.Active = u.GivenName, u.FamilyName, u.Active
		row.Admin, row.Groups = directAdmin(u.Roles), max(u.Groups.Len(), ix.directGroups(d).Len())
	default:
		ix.DatabricksUsers.begin(int(d.n), &row.Subject.ID, &row.Name, &row.ExternalID)
	}
}

// describe sets what the row says of the Okta object o.
func (ix *Index) describe(row *CrosswalkRow, o Ref, whole bool) {
	switch {
	case o.Kind != OktaUserKind:
		row.Okta, row.OktaLogin = ix.Subject(o), ix.Name(o)
		if o.Kind == OktaAppKind {
			row.OktaStatus = ix.OktaApp(o).Status
		}
	case whole:
		user := ix.OktaUser(o)
		row.Okta, row.OktaStatus, row.OktaLogin, row.OktaEmail = Subject{o.Kind, user.ID}, user.Status, user.Login, user.Email
		row.OktaFirst, row.OktaLast = user.FirstName, user.LastName
	default:
		row.Okta.Kind = o.Kind
		ix.OktaUsers.begin(int(o.n), &row.Okta.ID, &row.OktaStatus, &row.OktaLogin, &row.OktaEmail)
		row.OktaEmail = orLike(row.OktaEmail, row.OktaLogin)
	}
}

// matchedBy says why o is d's counterpart.
func (ix *Index) matchedBy(d, o Ref) string {
	if linked, ok := ix.LinkedTo(d); ok && linked == o {
		return "id"
	}
	switch d.Kind {
	case DatabricksUserKind:
		if ix.names.userName[d.n] == ix.names.okta[o.n].login {
			return "login"
		}
		return "email"
	case DatabricksServicePrincipalKind:
		if ix.OktaApp(o).ClientID == ix.DatabricksServicePrincipal(d).ApplicationID {
			return "client_id"
		}
	}
	return "name"
}
