package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/aimcheck/aimcheck/internal/sandbox/aim"
)

// Whatever tenant and whatever goes wrong: in the end all that was approved and
// named is written, once, and nothing else; AIM then makes no second identity
// beside what was applied; and a rollback, with as much going wrong, brings back
// what can be brought back. The long form, AIMCHECK_SOAK=1, plays 60 tenants.
func TestRandomTenantsUnderFaults(t *testing.T) {
	tenants := 2
	if os.Getenv("AIMCHECK_SOAK") != "" {
		tenants = 60
	}
	seed := uint64(time.Now().UnixNano())
	for i := range tenants {
		t.Run(fmt.Sprint(seed+uint64(i)), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed+uint64(i), 0))
			s := newScene(t, sandbox.Generate(random.Uint64(), 40+random.IntN(60)), randomLag(random))
			playRandom(s, random)
		})
	}
}

func randomLag(random *rand.Rand) sandbox.Options {
	if random.IntN(2) == 0 {
		return sandbox.Options{}
	}
	return sandbox.Options{GetLag: 100 * time.Millisecond, ListLag: 300 * time.Millisecond}
}

// bad returns what goes wrong with one request in five that write, and with few that read.
func bad(random *rand.Rand) func(*http.Request) sandbox.Fault {
	faults := []sandbox.Fault{
		scimError(429), with(scimError(429), "Retry-After", "1"), scimError(500), scimError(502), after(scimError(503)), after(scimError(500)),
		{Reset: true}, {Reset: true, After: true}, {Cut: true, CutAfter: 10}, html, after(html), {Lost: true}, scimError(404), scimError(409), after(scimError(409)), {Revoke: true},
	}
	return func(r *http.Request) sandbox.Fault {
		switch {
		case r.Method == http.MethodPatch && random.IntN(5) == 0:
			return faults[random.IntN(len(faults))]
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/scim/v2/") && random.IntN(100) == 0:
			return []sandbox.Fault{scimError(503), {Revoke: true}, {Cut: true, CutAfter: 10}}[random.IntN(3)]
		}
		return sandbox.Fault{}
	}
}

func playRandom(s *scene, random *rand.Rand) {
	t := s.t
	s.plan("--include", "overwrite,names,deactivate,clear", "--sso-claim", "login")
	p := s.readPlan()
	want, wantUndone, args := s.fields(), s.fields(), []string{"--sso-claim", "login", "--max-changes", "1000"}
	named := map[audit.Subject]bool{}
	approved := 0
	for _, op := range p.Operations {
		if op.Decision != audit.Approve {
			continue
		}
		if op.Touches != "" && !named[op.Target] {
			if random.IntN(2) == 0 {
				continue
			}
			named[op.Target] = true
			args = append(args, "--touch", op.Target.String())
		}
		approved++
		want[place{op.Target, op.Field}] = op.To
		if !op.Reversible || op.Field == "externalId" && op.From != "" && s.holders(op.From) > 1 { // nothing gives an id to two
			wantUndone[place{op.Target, op.Field}] = op.To
		}
	}
	if approved < 3 {
		t.Fatalf("a plan of %d operations proves little", approved)
	}
	out := s.until(random, func() (int, string) { return s.apply(args...) })
	s.same(want, out)
	once := map[place]int{}
	for _, w := range s.box.Writes() {
		if once[place{w.Target, w.Field}]++; once[place{w.Target, w.Field}] > 1 {
			t.Errorf("%s of %s was written again: %q to %q", w.Field, w.Target, w.From, w.To)
		}
	}
	if len(once) != approved {
		t.Errorf("%d of %d were written", len(once), approved)
	}
	s.endsWell(p)
	out = s.until(random, s.rollback)
	s.same(wantUndone, out)
	if n := len(s.box.Writes()); n > 2*approved {
		t.Errorf("%d writes for %d operations and their rollback", n, approved)
	}
}

// until runs again and again while things go wrong, and once more when nothing
// does any longer. It returns what the last run said.
func (s *scene) until(random *rand.Rand, run func() (int, string)) string {
	var status int
	var out string
	for n := range 6 {
		s.goesWrong(nil)
		if n < 5 {
			s.goesWrong(bad(random))
		}
		if status, out = run(); status != 0 && status != exitIncomplete {
			s.t.Fatalf("exit status %d\n%s", status, out)
		}
	}
	if strings.Contains(out, "NOT PROVEN") || strings.Contains(out, "Not proven") {
		s.t.Errorf("not proven:\n%s", out)
	}
	return out
}

// endsWell has AIM enabled and everybody sign in: nobody whose externalId the
// plan set may have a second identity, or another's.
func (s *scene) endsWell(p *audit.Plan) {
	story, err := apply.ReadJournal(s.file("journal.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	state := s.state()
	_, events := aim.Enable(state, func(o aim.OktaUser) string { return o.Login })
	outcomes := aim.Outcomes(state, events)
	linked := 0
	for _, e := range story.Entries {
		if e.Phase != apply.Done || e.Field != "externalId" || e.To == "" || e.Target.Kind == audit.DatabricksServicePrincipalKind {
			continue
		}
		linked++
		if o := outcomes[e.Target.String()]; o != aim.Linked {
			s.t.Errorf("%s was linked to %s, and AIM ends in %q", e.Target, e.To, o)
		}
	}
	if linked == 0 {
		s.t.Error("nobody was linked: that proves little")
	}
}

// state returns the directories as AIM sees them.
func (s *scene) state() aim.State {
	var state aim.State
	t := s.box.Tenant()
	each := func(list []json.RawMessage, into any, add func()) {
		for _, raw := range list {
			if err := json.Unmarshal(raw, into); err != nil {
				s.t.Fatal(err)
			}
			add()
		}
	}
	type okta struct {
		ID, Status string
		Profile    struct{ Login, Email, Name string }
	}
	var o okta
	each(t.Okta.Users, &o, func() {
		state.OktaUsers = append(state.OktaUsers, aim.OktaUser{ID: o.ID, Login: o.Profile.Login, Email: o.Profile.Email, Deprovisioned: o.Status == audit.StatusDeprovisioned})
		o = okta{}
	})
	each(t.Okta.Groups, &o, func() {
		state.OktaGroups = append(state.OktaGroups, aim.OktaGroup{ID: o.ID, Name: o.Profile.Name})
		o = okta{}
	})
	type databricks struct {
		ID, UserName, DisplayName, ExternalID string
		Active                                *bool
		Meta                                  struct{ ResourceType string }
	}
	var d databricks
	each(t.Databricks.Users, &d, func() {
		state.Users = append(state.Users, aim.User{ID: d.ID, UserName: d.UserName, ExternalID: d.ExternalID, Deactivated: d.Active != nil && !*d.Active})
		d = databricks{}
	})
	each(t.Databricks.Groups, &d, func() {
		if d.Meta.ResourceType != "WorkspaceGroup" {
			state.Groups = append(state.Groups, aim.Group{ID: d.ID, Name: d.DisplayName, ExternalID: d.ExternalID, System: audit.ReservedGroup(d.DisplayName)})
		}
		d = databricks{}
	})
	return state
}

// A place is one field of one object.
type place struct {
	target audit.Subject
	field  string
}

// fields returns every field that a plan may write.
func (s *scene) fields() map[place]string {
	fields := map[place]string{}
	t := s.box.Tenant()
	for kind, list := range map[audit.Kind][]json.RawMessage{
		audit.DatabricksUserKind: t.Databricks.Users, audit.DatabricksGroupKind: t.Databricks.Groups, audit.DatabricksServicePrincipalKind: t.Databricks.ServicePrincipals,
	} {
		for _, raw := range list {
			var o struct {
				ID, ExternalID string
				Name           struct{ GivenName, FamilyName string }
				Active         *bool
			}
			if err := json.Unmarshal(raw, &o); err != nil {
				s.t.Fatal(err)
			}
			of := audit.Subject{Kind: kind, ID: o.ID}
			fields[place{of, "externalId"}] = o.ExternalID
			if kind == audit.DatabricksUserKind {
				fields[place{of, "name.givenName"}], fields[place{of, "name.familyName"}] = o.Name.GivenName, o.Name.FamilyName
				fields[place{of, "active"}] = fmt.Sprint(o.Active == nil || *o.Active)
			}
		}
	}
	return fields
}

// holders counts who has the externalId.
func (s *scene) holders(id string) (n int) {
	for where, value := range s.fields() {
		if where.field == "externalId" && value == id {
			n++
		}
	}
	return n
}

// same demands that the fields are so.
func (s *scene) same(want map[place]string, out string) {
	got := s.fields()
	for where, value := range want {
		if got[where] != value {
			s.t.Errorf("%s of %s is %q, want %q; the journal tells of it: %s\n%s", where.field, where.target, got[where], value, s.told()[where.target.ID], out)
		}
	}
	if len(got) != len(want) {
		s.t.Errorf("%d fields, want %d", len(got), len(want))
	}
}

func (s *scene) readPlan() *audit.Plan {
	p, err := readPlan(s.file("plan.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}
