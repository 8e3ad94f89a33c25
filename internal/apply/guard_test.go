package apply

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func deactivate(id string) audit.Operation {
	return audit.Operation{Action: audit.DeactivateUser, Target: user(id), Field: "active", From: "true", To: "false"}
}

func TestGuards(t *testing.T) {
	admin := audit.NewValues(audit.Value{Value: "account_admin", Type: "indirect"})
	special := append(people(3),
		audit.OktaGroup{ID: "00g1", Name: "users"},
		audit.DatabricksGroup{ID: "g1", DisplayName: "users"},
		audit.DatabricksGroup{ID: "g2", DisplayName: "local", ResourceType: "WorkspaceGroup"},
		audit.DatabricksGroup{ID: "g3", DisplayName: "power", Roles: admin},
		audit.DatabricksUser{ID: "a", UserName: "a@example.com", Active: true, Roles: admin},
		audit.DatabricksUser{ID: "b", UserName: "b@example.com", Active: true, Groups: audit.NewValues(audit.Value{Value: "g3"})},
		audit.DatabricksUser{ID: "me", UserName: "me@example.com", Active: true},
		audit.DatabricksUser{ID: "owner", UserName: "owner@example.com", Active: true},
		audit.DatabricksServicePrincipal{ID: "s", ApplicationID: "app", Active: true})
	sp := audit.Subject{Kind: audit.DatabricksServicePrincipalKind, ID: "s"}
	for _, tt := range []struct {
		name  string
		ops   []audit.Operation
		world world
		tweak func(*audit.Plan, *Options)
		past  *Story
		want  string // in the error; blank: none
	}{
		{name: "fine", ops: links(3)},
		{name: "nothing", ops: nil},
		{name: "edited", ops: links(1), tweak: func(p *audit.Plan, _ *Options) { p.Operations[0].To = "00u2" }, want: "changed after it was made"},
		{name: "decision edited", ops: links(2), tweak: func(p *audit.Plan, _ *Options) { p.Operations[0].Decision = audit.Reject }, want: "changed after it was made"},
		{name: "expired", ops: links(1), tweak: func(p *audit.Plan, o *Options) { o.Now = p.Expires }, want: "the plan expired at"},
		{name: "another org", ops: links(1), world: world{org: "https://other.okta.com"}, want: "the directory read is https://other.okta.com"},
		{name: "another account", ops: links(1), tweak: func(p *audit.Plan, _ *Options) {
			p.Databricks = "acc-2"
			p.Seal(p.Created, time.Hour)
		}, want: "for the Databricks account acc-2"},
		{name: "users incomplete", ops: links(1), world: world{without: []audit.Input{audit.DatabricksUsers}}, want: "databricks_users could not be read completely"},
		{name: "okta incomplete", ops: links(1), world: world{without: []audit.Input{audit.OktaUsers}}, want: "okta_users could not be read completely"},
		{name: "apps incomplete", ops: links(1), world: world{without: []audit.Input{audit.OktaApps}}},
		{name: "apps needed", ops: []audit.Operation{link(sp, "", "0oa1")}, world: world{without: []audit.Input{audit.OktaApps}}, want: "okta_apps could not be read completely"},
		{name: "system group", ops: []audit.Operation{link(group("g1"), "", "00g1")}, want: "a group of the system"},
		{name: "local group", ops: []audit.Operation{link(group("g2"), "", "00g1")}, want: "or of a workspace"},
		{name: "caller", ops: []audit.Operation{deactivate("me")}, want: "is the identity that runs this"},
		{name: "token owner", ops: []audit.Operation{deactivate("owner")}, want: "is the owner of the SCIM token"},
		{name: "admin", ops: []audit.Operation{deactivate("a")}, want: "is an account admin"},
		{name: "admin through a group", ops: []audit.Operation{deactivate("b")}, want: "is an account admin"},
		{name: "deactivation", ops: []audit.Operation{deactivate("1")}},
		{name: "blank a user", ops: []audit.Operation{{Action: audit.ClearExternalID, Target: user("1"), Field: "externalId", From: "x"}}, want: "no operation that may be applied"},
		{name: "set nothing", ops: []audit.Operation{link(user("1"), "x", "")}, want: "no operation that may be applied"},
		{name: "userName", ops: []audit.Operation{{Action: audit.SetName, Target: user("1"), Field: "userName", To: "x"}}, want: "no operation that may be applied"},
		{name: "reactivate", ops: []audit.Operation{{Action: audit.DeactivateUser, Target: user("1"), Field: "active", From: "false", To: "true"}}, want: "no operation that may be applied"},
		{name: "write to Okta", ops: []audit.Operation{link(audit.Subject{Kind: audit.OktaUserKind, ID: "00u1"}, "", "x")}, want: "no operation that may be applied"},
		{name: "one field twice", ops: []audit.Operation{link(user("1"), "", "00u1"), link(user("1"), "", "00u2")}, want: "write the same field"},
		{name: "one id twice", ops: []audit.Operation{link(user("1"), "", "00u1"), link(user("2"), "", "00u1")}, want: "give the same externalId 00u1"},
		{name: "swap", ops: []audit.Operation{link(user("1"), "00u2", "00u1"), link(user("2"), "00u1", "00u2")}, want: "in a circle"},
		{name: "another plan's journal", ops: links(1), past: &Story{Header: Header{JournalSchema, "sha256:x", org, account}}, want: "the journal is of another plan"},
		{name: "rolled back", ops: links(1), past: &Story{Entries: []Entry{{Op: "undo-op-0001", Phase: Intent}}}, want: "rolled back"},
		{name: "too many", ops: links(2), tweak: func(_ *audit.Plan, o *Options) { o.MaxChanges, _ = ParseCeiling("1") }, want: "2 operations would be sent, which is more than 1"},
		{name: "limited", ops: links(2), tweak: func(_ *audit.Plan, o *Options) { o.MaxChanges, _ = ParseCeiling("1"); o.Limit = 1 }},
		{name: "per cent", ops: links(2), tweak: func(_ *audit.Plan, o *Options) { o.MaxChanges, _ = ParseCeiling("20%") }, want: "2 operations would be sent on 7 users"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.world
			w.records, w.caller = special, "me@example.com"
			p := plan(t, noon, tt.ops...)
			o := Options{Now: noon, Settings: audit.Settings{SCIMTokenOwner: "owner@example.com"}}
			if tt.tweak != nil {
				tt.tweak(p, &o)
			}
			work, err := Check(p, w.snapshot(t, nil), tt.past, o)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || work != nil):
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestUndecidedIsNotApplied(t *testing.T) {
	p := plan(t, noon, links(2)...)
	p.Operations[0].Decision = audit.Undecided
	p.Operations[1].Decision = audit.Reject
	p.Seal(noon, time.Hour)
	work, err := Check(p, world{records: people(2)}.snapshot(t, nil), nil, Options{Now: noon})
	if err != nil || len(work.Steps) != 0 {
		t.Errorf("%v, %+v", err, work)
	}
}

func TestDefaultCeiling(t *testing.T) {
	users := func(n int) map[audit.Kind]int { return map[audit.Kind]int{audit.DatabricksUserKind: n} }
	for _, tt := range []struct {
		ceiling     string
		sends, size int
		ok          bool
	}{
		{"", 500, 500, true}, {"", 501, 501, false}, {"", 501, 2505, true}, {"", 501, 2504, false},
		{"0", 0, 9, true}, {"0", 1, 9, false}, {"12.5%", 1, 8, true}, {"12.5%", 1, 7, false}, {"100%", 9, 9, true}, {"100%", 10, 9, true}, {"99%", 9, 9, false},
	} {
		c, err := ParseCeiling(tt.ceiling)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.allows(users(tt.sends), func(audit.Kind) int { return tt.size }); (err == nil) != tt.ok {
			t.Errorf("%q lets %d of %d pass: %v", tt.ceiling, tt.sends, tt.size, err)
		}
	}
	for _, text := range []string{"x", "-1", "1.5", "101%", "-1%", "%", "NaN%"} {
		if c, err := ParseCeiling(text); err == nil {
			t.Errorf("%q is %v", text, c)
		}
	}
}

func TestLimitKeepsTheHeadOfAChain(t *testing.T) {
	w := world{records: people(3)}
	ops := []audit.Operation{link(user("1"), "", "00u1"), link(user("2"), "00u1", "00u2"), link(user("3"), "", "00u3")}
	vals := w.values()
	vals[at(ops[1])] = "00u1"
	work, err := Check(plan(t, noon, ops...), w.snapshot(t, vals), nil, Options{Now: noon, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range work.Steps {
		got = append(got, s.Target.ID+" "+string(s.Expect))
	}
	if diff := cmp.Diff([]string{"2 intent", "1 not tried", "3 not tried"}, got); diff != "" {
		t.Error(diff)
	}
}

// Whoever is protected is touched only by name, and the others are touched all the same.
func TestUnnamed(t *testing.T) {
	w := world{caller: "p1@example.com", records: append(people(3),
		audit.DatabricksGroup{ID: "g1", DisplayName: "inner", Groups: audit.NewValues(audit.Value{Value: "g2"})},
		audit.DatabricksGroup{ID: "g2", DisplayName: "outer", Groups: audit.NewValues(audit.Value{Value: "g1"}), Roles: audit.NewValues(audit.Value{Value: "account_admin"})})}
	admin := w.records[5].(audit.DatabricksUser) // the third
	admin.Groups = audit.NewValues(audit.Value{Value: "g1"})
	w.records[5] = admin
	for named, want := range map[string][]Phase{
		"":        {NotTried, Intent, NotTried},
		"op-0001": {Intent, Intent, NotTried},
		"op-0003": {NotTried, Intent, Intent},
	} {
		o := Options{Now: noon, Named: func(op audit.Operation) bool { return op.ID == named }}
		work, err := Check(plan(t, noon, links(3)...), w.snapshot(t, nil), nil, o)
		if err != nil {
			t.Fatal(err)
		}
		var got []Phase
		for i, s := range work.Steps {
			got = append(got, s.Expect)
			if touch := "--touch databricks:user:" + fmt.Sprint(i+1); s.Unnamed != (s.Expect == NotTried) || s.Unnamed && !strings.Contains(s.Why, touch) {
				t.Errorf("%q named: %+v", named, s)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q named: %s", named, diff)
		}
		if n := work.Sends()[audit.DatabricksUserKind]; len(work.Irreversible()) != n || len(work.Warnings) != n-1+2 {
			t.Errorf("%q named: %v", named, work.Warnings)
		}
	}
}

// An operation is about the object that the plan saw, and for the reason that it had.
func TestNotAsThePlanSawIt(t *testing.T) {
	w := world{records: people(3)}
	ops := links(3)
	ops[0].Name, ops[1].Name, ops[2].Name = "p1@example.com", "P2@example.com", "p3@example.com"
	o := Options{Now: noon, Evident: func(op audit.Operation) bool { return op.Target != user("3") }}
	work, err := Check(plan(t, noon, ops...), w.snapshot(t, nil), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range work.Steps {
		got = append(got, string(s.Expect)+" "+s.Why)
	}
	if diff := cmp.Diff([]string{"intent ", `drifted its name is "p2@example.com" now`, "drifted " + outdated}, got); diff != "" {
		t.Error(diff)
	}
}

func TestOrder(t *testing.T) {
	var ops []audit.Operation
	const n = 100_000 // a chain as long as a plan, written head last
	for i := range n {
		op := link(user(fmt.Sprint(i)), fmt.Sprint("id", i+1), fmt.Sprint("id", i))
		ops = append(ops, op)
	}
	// op i takes what op i-1 gives up... from the first on: nothing to reorder.
	slices.Reverse(ops)
	ordered, err := inOrder(ops)
	if err != nil || len(ordered) != n {
		t.Fatal(err, len(ordered))
	}
	free := map[string]bool{"id0": true}
	for _, op := range ordered {
		if !free[op.To] {
			t.Fatalf("%v takes %s before it is given up", op.Target, op.To)
		}
		free[op.From] = true
	}
	steps := make([]Step, n)
	for i, op := range ordered {
		steps[i].Operation = op
	}
	if s := strands(steps); len(s) != 1 || !slices.IsSorted(s[0]) {
		t.Errorf("%d strands", len(s))
	}
}
