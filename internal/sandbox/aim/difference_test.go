package aim

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// A difference is a named case in which the audit's forecast, which follows its own
// outcome tables, is not what the imitation of the vendor's page does. Each is
// written up in docs/aim-differences.md, and has an example.
type difference struct {
	name    string
	pairs   []pair
	applies func(w tenant, events []Event, s audit.Subject) bool
	example tenant
	want    map[string]pair // of the example: whose forecast differs, and how
}

// A pair is what the audit forecasts of an identity, and what happens. Blank is an
// Okta object that is not created, or was created beside others.
type pair struct{ forecast, happens Outcome }

// The Okta users of the examples, and the claims.
var (
	ana  = audit.OktaUser{ID: "00uana", Status: "ACTIVE", Login: "ana@example.com", Email: "a.reed@example.com"}
	bo   = audit.OktaUser{ID: "00ubo", Status: "ACTIVE", Login: "bo@example.com", Email: "bo@example.com"}
	left = audit.OktaUser{ID: "00uleft", Status: audit.StatusDeprovisioned, Login: "left@example.com", Email: "left@example.com"}

	loginSent  = audit.Settings{SSOClaim: audit.ClaimLogin}
	customSent = audit.Settings{SSOClaim: audit.ClaimOther}
)

func differences() []difference {
	return []difference{{
		name: "everybody of the name has a record already",
		pairs: []pair{{Duplicate, Unmanaged}, {Duplicate, Deactivate}, {Ambiguous, Unmanaged}, {Ambiguous, Deactivate},
			{WrongPerson, Deactivate}, {WrongPerson, Duplicate}},
		// All whose name it is sign in elsewhere: nobody gets a new entry beside it.
		applies: func(w tenant, events []Event, s audit.Subject) bool {
			return len(oktas(events, UserKind, Named, s.ID)) > 0 && len(oktas(events, UserKind, Beside, s.ID)) == 0
		},
		example: tenant{settings: loginSent, oktaUsers: []audit.OktaUser{ana, left}, users: []audit.DatabricksUser{
			{ID: "1", UserName: "ana@example.com", ExternalID: "00uana", Active: true},
			{ID: "2", UserName: "a.reed@example.com", Active: true},
			{ID: "3", UserName: "a.reed@example.com", ExternalID: "dead", Active: true},
			{ID: "4", UserName: "a.reed@example.com", ExternalID: "00uleft", Active: true},
		}},
		want: map[string]pair{"databricks:user:2": {Duplicate, Unmanaged}, "databricks:user:3": {Duplicate, Deactivate},
			"databricks:user:4": {WrongPerson, Deactivate}},
	}, {
		name:  "every Okta group of the name is linked already",
		pairs: []pair{{Blocked, Unmanaged}, {Blocked, Deactivate}},
		// None is left to be refused.
		applies: func(w tenant, events []Event, s audit.Subject) bool {
			name := w.groupName(s)
			return !slices.ContainsFunc(w.oktaGroups, func(o audit.OktaGroup) bool {
				return same(o.Name, name) && len(records(events, GroupKind, Known, o.ID)) == 0
			})
		},
		example: tenant{settings: loginSent, oktaGroups: []audit.OktaGroup{{ID: "00gteam", Name: "Team"}},
			groups: []audit.DatabricksGroup{{ID: "7", DisplayName: "Old", ExternalID: "00gteam"},
				{ID: "8", DisplayName: "Team"}, {ID: "9", DisplayName: "Team", ExternalID: "dead"}}},
		want: map[string]pair{"databricks:group:8": {Blocked, Unmanaged}, "databricks:group:9": {Blocked, Deactivate}},
	}, {
		name:  "an id is held by an object that AIM does not match by it",
		pairs: []pair{{Duplicate, Linked}},
		// That other is of another kind, or a group of the system or of a workspace.
		applies: func(w tenant, events []Event, s audit.Subject) bool {
			id := w.externalID(s)
			matched := len(records(events, UserKind, Known, id)) + len(records(events, GroupKind, Known, id))
			return w.holders(id) > 1 && matched == 1
		},
		example: tenant{settings: loginSent, oktaUsers: []audit.OktaUser{ana},
			users:  []audit.DatabricksUser{{ID: "1", UserName: "ana@example.com", ExternalID: "00uana", Active: true}},
			groups: []audit.DatabricksGroup{{ID: "7", DisplayName: "Team", ExternalID: "00uana"}}},
		want: map[string]pair{"databricks:user:1": {Duplicate, Linked}},
	}, {
		name: "a custom name is claimed that is neither login nor email",
		pairs: []pair{{Unmanaged, Duplicate}, {Unmanaged, Ambiguous}, {Deactivate, Duplicate}, {Deactivate, Ambiguous},
			{Deactivate, WrongPerson}, {Duplicate, Linked}, {Duplicate, Ambiguous}, {Duplicate, WrongPerson},
			{WrongPerson, Linked}, {WrongPerson, Duplicate}, {Provision, ""}},
		applies: func(w tenant, events []Event, s audit.Subject) bool { return w.customName(s) },
		example: tenant{settings: customSent, oktaUsers: []audit.OktaUser{ana, bo}, users: []audit.DatabricksUser{
			{ID: "1", UserName: "ana.x@example.com", ExternalID: "00uana", Active: true},
			{ID: "2", UserName: "bo.x@example.com", Active: true},
		}, appUsers: []audit.OktaAppUser{
			{App: ssoApp, User: "00uana", Status: "ACTIVE", UserName: "ana.x@example.com"},
			{App: ssoApp, User: "00ubo", Status: "ACTIVE", UserName: "bo.x@example.com"},
		}},
		want: map[string]pair{
			"databricks:user:1": {Duplicate, Linked}, "databricks:user:2": {Unmanaged, Duplicate}, "okta:user:00ubo": {Provision, ""}},
	}, {
		name:  "several Okta groups of one name",
		pairs: []pair{{Provision, ""}},
		// The first is created, and takes the name from the others.
		applies: func(w tenant, events []Event, s audit.Subject) bool {
			refusedFor := records(events, GroupKind, Refused, s.ID)
			return len(refusedFor) == 1 && slices.ContainsFunc(events, func(e Event) bool {
				return e.What == Created && e.Databricks == refusedFor[0]
			})
		},
		example: tenant{settings: loginSent,
			oktaGroups: []audit.OktaGroup{{ID: "00g1", Name: "Team"}, {ID: "00g2", Name: "team"}}},
		want: map[string]pair{"okta:group:00g2": {Provision, ""}},
	}, {
		name:  "a group of the system or of a workspace has an Okta group's id or name",
		pairs: []pair{{"", Provision}},
		applies: func(w tenant, events []Event, s audit.Subject) bool {
			return slices.ContainsFunc(w.groups, func(g audit.DatabricksGroup) bool {
				return !w.managed(g) && (g.ExternalID == s.ID || same(g.DisplayName, w.groupName(s)))
			})
		},
		example: tenant{settings: loginSent,
			oktaGroups: []audit.OktaGroup{{ID: "00gteam", Name: "Team"}},
			groups:     []audit.DatabricksGroup{{ID: "7", DisplayName: "Team", ResourceType: "WorkspaceGroup"}}},
		want: map[string]pair{"okta:group:00gteam": {"", Provision}},
	}}
}

// The forecast is what happens, now and once the approved operations were applied,
// but for the named differences. And what they linked is linked, without a but.
func TestForecastComesTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTenant(t)
		report := w.run(t)
		now, after := w.compare(report, false), w.apply(report.Plan.Operations).compare(report, true)
		for when, found := range map[string]comparison{"now": now, "after the plan": after} {
			for s, p := range found.differ() {
				if !slices.ContainsFunc(differences(), func(d difference) bool {
					return slices.Contains(d.pairs, p) && d.applies(found.tenant, found.events, s)
				}) {
					t.Fatalf("%s, %s is forecast %q, and %q happens\ntenant %+v\nevents %+v", when, s, p.forecast, p.happens, found.tenant, found.events)
				}
			}
		}
		for _, op := range report.Plan.Operations {
			if op.Decision == audit.Approve && op.Action == audit.SetExternalID && after.happens(op.Target) != Linked &&
				op.Target.Kind != audit.DatabricksServicePrincipalKind {
				t.Fatalf("%s was given the id %s, and is %q\ntenant %+v", op.Target, op.To, after.happens(op.Target), w)
			}
		}
		for s := range now.forecast {
			if now.happens(s) == Linked && after.happens(s) != Linked {
				t.Fatalf("%s was linked, and after the plan is %q\ntenant %+v", s, after.happens(s), w)
			}
		}
	})
}

func TestDifferences(t *testing.T) {
	for _, d := range differences() {
		t.Run(d.name, func(t *testing.T) {
			got := map[string]pair{}
			for s, p := range d.example.compare(d.example.run(t), false).differ() {
				got[s.String()] = p
			}
			if diff := cmp.Diff(d.want, got, cmp.AllowUnexported(pair{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
