package audit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// smallPlan is a plan with one of everything, as its file has it.
func smallPlan(t testing.TB) (*audit.Plan, []byte) {
	t.Helper()
	user := audit.Subject{Kind: audit.DatabricksUserKind, ID: "1"}
	p := &audit.Plan{Schema: audit.PlanSchema, OktaOrg: "https://example.okta.com", Databricks: "acc-1", Include: []audit.Class{audit.ClassNames},
		Operations: []audit.Operation{
			{ID: "op-0001", Action: audit.SetExternalID, Target: user, Name: "Zo\u00eb \u0001\x1f<>&\u2028", Field: "externalId", To: "00u1",
				Because: []string{"missing-external-id-0123456789ab"}, Evidence: "e", Risk: "low", Decision: audit.Approve},
			{ID: "op-0002", Action: audit.SetName, Target: user, Field: "name.givenName", From: "A", To: "B", Because: []string{}, Reversible: true},
		},
		Manual: audit.NewManuals(audit.Manual{Finding: "f-0123456789ab", Remedy: audit.RemedyChoose, What: "w", Candidates: []audit.Subject{{Kind: audit.OktaUserKind, ID: "00u1"}},
			Records: []audit.Record{{Subject: user, Name: "n", ExternalID: "x", Active: true}}}),
	}
	if err := p.Seal(time.Unix(1_700_000_000, 0), time.Hour); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return p, text
}

// manual returns the plan's list.
func manual(p *audit.Plan) []audit.Manual {
	var list []audit.Manual
	for m := range p.Manual.All() {
		list = append(list, *m)
	}
	return list
}

// listed compares what is left to people as a list.
var listed = cmp.Transformer("list", func(m audit.Manuals) []audit.Manual { return manual(&audit.Plan{Manual: m}) })

func TestReadPlan(t *testing.T) {
	p, text := smallPlan(t)
	got, err := audit.ReadPlan(bytes.NewReader(text), "plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got, listed); diff != "" {
		t.Errorf("(-sealed +read)\n%s", diff)
	}
}

// Whatever happens to one byte, the plan is refused; but for a change that JSON
// gives no meaning, white space for white space or the case of a hexadecimal
// digit in an escape, which leaves every value what it was.
func TestReadPlanFlipped(t *testing.T) {
	p, text := smallPlan(t)
	accepted := 0
	for i := range text {
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255, ' ' ^ '\n', ' ' ^ '\t'} {
			damaged := bytes.Clone(text)
			damaged[i] ^= flip
			got, err := audit.ReadPlan(bytes.NewReader(damaged), "plan.json")
			if err != nil {
				continue
			}
			accepted++
			const space = " \t\r\n"
			meaningless := strings.IndexByte(space, text[i]) >= 0 && strings.IndexByte(space, damaged[i]) >= 0 ||
				flip == 'a'^'A' && bytes.EqualFold(text[i:i+1], damaged[i:i+1])
			if !meaningless || !cmp.Equal(p, got, listed) {
				t.Fatalf("byte %d: %q became %q and was accepted", i, text[max(0, i-20):i+1], damaged[max(0, i-20):i+1])
			}
		}
	}
	if accepted == 0 {
		t.Error("white space for white space was refused: is it tested at all?")
	}
}

func TestReadPlanRefuses(t *testing.T) {
	resealed := func(change func(*audit.Plan)) string {
		p, _ := smallPlan(t)
		change(p)
		if err := p.Seal(p.Created, time.Hour); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	op := func(change func(*audit.Operation)) string {
		return resealed(func(p *audit.Plan) { change(&p.Operations[0]) })
	}
	_, text := smallPlan(t)
	edited := func(old, new string) string {
		if !bytes.Contains(text, []byte(old)) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(string(text), old, new, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "EOF"},
		{"findings", `{"schema":"aimcheck.findings/v1"}`, `its schema is "aimcheck.findings/v1"`},
		{"a later version", edited("plan/v1", "plan/v2"), `"aimcheck.plan/v2", expected "aimcheck.plan/v1"`},
		{"an edited value", edited(`"00u1"`, `"00u2"`), "changed after it was made"},
		{"an edited decision", edited(`"approve"`, `""`), "changed after it was made"},
		{"a lengthened life", edited(`"expires": "2023`, `"expires": "2033`), "changed after it was made"},
		{"another account", edited(`acc-1`, `acc-2`), "changed after it was made"},
		{"an unknown key", edited(`"digest"`, `"note": "", "digest"`), "note"},
		{"a key twice", edited(`"okta_org"`, `"okta_org": "", "okta_org"`), "okta_org"},
		{"a key in other letters", edited(`"okta_org"`, `"Okta_org"`), "Okta_org"},
		{"two plans", string(text) + "{}", "after top-level value"},
		{"no UTF-8", edited("Zo", "Zo\xff"), "UTF-8"},
		{"a cut file", string(text[:len(text)-3]), "EOF"},
		{"a strange subject", edited("databricks:user:1", "user 1"), "expected a directory, a kind and an id"},
		{"a blank account", resealed(func(p *audit.Plan) { p.Databricks = "" }), "for which account"},
		{"two operations of one id", resealed(func(p *audit.Plan) { p.Operations[1].ID = "op-0001" }), "two of that id"},
		{"a field twice", resealed(func(p *audit.Plan) { p.Operations[1] = p.Operations[0]; p.Operations[1].ID = "op-0003" }), "writes externalId of databricks:user:1 too"},
		{"a strange id", op(func(o *audit.Operation) { o.ID = "1" }), "such as op-0001"},
		{"a strange decision", op(func(o *audit.Operation) { o.Decision = "yes" }), `unknown decision "yes"`},
		{"a strange field", op(func(o *audit.Operation) { o.Field = "userName" }), "nothing that a plan may do"},
		{"a strange action", op(func(o *audit.Operation) { o.Action = "delete" }), "nothing that a plan may do"},
		{"an Okta target", op(func(o *audit.Operation) { o.Target.Kind = audit.OktaUserKind }), "nothing that a plan may do"},
		{"a blank id", op(func(o *audit.Operation) { o.To = "" }), "nothing that a plan may do"},
		{"a user's id cleared", op(func(o *audit.Operation) { o.Action, o.From, o.To = audit.ClearExternalID, "x", "" }), "nothing that a plan may do"},
		{"a user made active", op(func(o *audit.Operation) {
			o.Action, o.Field, o.From, o.To = audit.DeactivateUser, "active", "false", "true"
		}), "nothing that a plan may do"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := audit.ReadPlan(strings.NewReader(c.text), "plan.json")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "plan.json is not a plan that can be used: ") {
				t.Errorf("got the error %v, want one with %q", err, c.want)
			}
		})
	}
}

// What a plan may do, and nothing else, even where the seal fits.
func TestReadPlanOperations(t *testing.T) {
	const (
		user      = audit.DatabricksUserKind
		group     = audit.DatabricksGroupKind
		principal = audit.DatabricksServicePrincipalKind
	)
	for _, c := range []struct {
		action          audit.Action
		kind            audit.Kind
		field, from, to string
		ok              bool
	}{
		{audit.SetExternalID, user, "externalId", "", "00u1", true},
		{audit.SetExternalID, group, "externalId", "", "00g1", true},
		{audit.SetExternalID, principal, "externalId", "", "0oa1", true},
		{audit.SetExternalID, user, "externalId", "00u2", "00u1", true},
		{audit.SetExternalID, user, "externalId", "00u2", "", false},
		{audit.SetExternalID, user, "externalId", "00u2", "00u2", false},
		{audit.SetExternalID, user, "userName", "a", "b", false},
		{audit.SetExternalID, audit.OktaUserKind, "externalId", "", "00u1", false},
		{audit.SetExternalID, audit.DatabricksWorkspaceKind, "externalId", "", "00u1", false},
		{audit.ClearExternalID, group, "externalId", "00g1", "", true},
		{audit.ClearExternalID, user, "externalId", "00u1", "", false},
		{audit.ClearExternalID, principal, "externalId", "0oa1", "", false},
		{audit.ClearExternalID, group, "displayName", "One", "", false},
		{audit.ClearExternalID, group, "externalId", "", "", false},
		{audit.ClearExternalID, group, "externalId", "00g1", "00g2", false},
		{audit.SetName, user, "name.givenName", "", "Ana", true},
		{audit.SetName, user, "name.familyName", "Red", "Reed", true},
		{audit.SetName, user, "name.formatted", "", "Ana Reed", false},
		{audit.SetName, user, "name.givenName", "Ana", "", false},
		{audit.SetName, user, "name.familyName", "Reed", " \t", false},
		{audit.SetName, group, "name.givenName", "", "Ana", false},
		{audit.SetName, principal, "name.familyName", "", "Reed", false},
		{audit.DeactivateUser, user, "active", "true", "false", true},
		{audit.DeactivateUser, group, "active", "true", "false", false},
		{audit.DeactivateUser, principal, "active", "true", "false", false},
		{audit.DeactivateUser, user, "userName", "true", "false", false},
		{audit.DeactivateUser, user, "active", "", "false", false},
		{audit.DeactivateUser, user, "active", "true", "", false},
	} {
		for _, decision := range []audit.Decision{audit.Undecided, audit.Approve, audit.Reject} {
			p, _ := smallPlan(t)
			p.Operations = []audit.Operation{{ID: "op-0001", Action: c.action, Target: audit.Subject{Kind: c.kind, ID: "1"},
				Field: c.field, From: c.from, To: c.to, Because: []string{}, Decision: decision}}
			_, err := readSealed(t, p, p.Created, time.Hour)
			if c.ok && err != nil || !c.ok && (err == nil || !strings.Contains(err.Error(), "nothing that a plan may do")) {
				t.Errorf("%s of %s of a %s from %q to %q, decision %q: %v", c.action, c.field, c.kind, c.from, c.to, decision, err)
			}
		}
	}
}

func TestReadPlanRefusesTimeless(t *testing.T) {
	p, _ := smallPlan(t)
	for _, created := range []time.Time{{}, time.Time{}.Add(time.Hour)} { // and expires an hour later, or at no time
		lasts := time.Hour
		if !created.IsZero() {
			lasts = -time.Hour
		}
		if _, err := readSealed(t, p, created, lasts); err == nil || !strings.Contains(err.Error(), "when it was made") {
			t.Errorf("made at %s, expires at %s: %v", p.Created, p.Expires, err)
		}
	}
}

func readSealed(t *testing.T, p *audit.Plan, created time.Time, lasts time.Duration) (*audit.Plan, error) {
	t.Helper()
	if err := p.Seal(created, lasts); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return audit.ReadPlan(bytes.NewReader(text), "plan.json")
}

func TestClass(t *testing.T) {
	for _, c := range []struct {
		action audit.Action
		kind   audit.Kind
		from   string
		want   audit.Class
	}{
		{audit.SetExternalID, audit.DatabricksUserKind, "", audit.ClassUsers},
		{audit.SetExternalID, audit.DatabricksGroupKind, "", audit.ClassGroups},
		{audit.SetExternalID, audit.DatabricksServicePrincipalKind, "", audit.ClassServicePrincipals},
		{audit.SetExternalID, audit.DatabricksUserKind, "00u9", audit.ClassOverwrite},
		{audit.SetExternalID, audit.OktaUserKind, "", ""},
		{audit.ClearExternalID, audit.DatabricksGroupKind, "00g9", audit.ClassClear},
		{audit.SetName, audit.DatabricksUserKind, "", audit.ClassNames},
		{audit.DeactivateUser, audit.DatabricksUserKind, "true", audit.ClassDeactivate},
		{"delete", audit.DatabricksUserKind, "", ""},
	} {
		op := audit.Operation{Action: c.action, Target: audit.Subject{Kind: c.kind, ID: "1"}, From: c.from}
		if got := op.Class(); got != c.want {
			t.Errorf("%s of a %v from %q is of class %q, want %q", c.action, c.kind, c.from, got, c.want)
		}
	}
}

func FuzzReadPlan(f *testing.F) {
	_, text := smallPlan(f)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add([]byte(`{"schema":"aimcheck.plan/v1","operations":null}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := audit.ReadPlan(bytes.NewReader(text), "plan.json")
		if err != nil {
			return
		}
		if err := p.Verify(); err != nil {
			t.Error(err)
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := audit.ReadPlan(bytes.NewReader(again), "plan.json")
		if err != nil || !cmp.Equal(p, q, listed) {
			t.Errorf("read again it is another plan: %v", err)
		}
	})
}
