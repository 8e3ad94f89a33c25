package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// answers reads lines "id decision" as the rows of a file. An id may be a rule
// and a key, "rule/key", for the finding's id.
func answers(lines ...string) []audit.Answer {
	var as []audit.Answer
	for i, line := range lines {
		id, decision, _ := strings.Cut(line, " ")
		if rule, key, ok := strings.Cut(id, "/"); ok {
			id = audit.FindingID(rule, key)
		}
		as = append(as, audit.Answer{ID: id, Decision: decision, Where: fmt.Sprintf("row %d", i+1)})
	}
	return as
}

// decided returns what is to be applied, what is refused and what is left to
// people besides the findings, a line each.
func decided(t *testing.T, r *audit.Report, as []audit.Answer) []string {
	t.Helper()
	before := *r.Plan
	p, unusable, err := audit.Decide(r.Plan, as, audit.NewIndex(r.Snapshot, r.Settings))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(); err != nil {
		t.Error(err)
	}
	if err := before.Verify(); err != nil || !cmp.Equal(before, *r.Plan, listed) {
		t.Errorf("the plan it was given is not as it was: %v", err)
	}
	var lines []string
	for _, op := range p.Operations {
		if op.Decision == audit.Approve {
			lines = append(lines, strings.Join([]string{op.ID, op.Target.String(), op.Field, op.From, "→", op.To}, " "))
		}
	}
	for _, u := range unusable {
		lines = append(lines, u.Where+": "+u.Why)
	}
	chosen, refused := map[string]bool{}, map[string]bool{}
	for _, a := range as {
		chosen[a.ID] = chosen[a.ID] || strings.Contains(a.Decision, ":")
	}
	for _, u := range unusable {
		refused[u.ID] = true
	}
	old, left := map[string]bool{}, map[string]bool{}
	for m := range r.Plan.Manual.All() {
		old[m.Finding+m.What] = true
	}
	for m := range p.Manual.All() {
		left[m.Finding+m.What] = true
		if !old[m.Finding+m.What] {
			lines = append(lines, m.What)
		}
	}
	for m := range r.Plan.Manual.All() {
		if told := left[m.Finding+m.What]; told && chosen[m.Finding] && !refused[m.Finding] || !told && !chosen[m.Finding] {
			t.Errorf("%s is left to people: %v", m.Finding, told)
		}
	}
	holdsTogether(t, r, p)
	return lines
}

// holdsTogether demands what the contract says of a plan as a whole.
func holdsTogether(t *testing.T, r *audit.Report, p *audit.Plan) {
	t.Helper()
	held := map[audit.Subject]string{}
	for _, u := range r.Snapshot.DatabricksUsers.All() {
		held[audit.Subject{Kind: audit.DatabricksUserKind, ID: u.ID}] = u.ExternalID
	}
	for _, g := range r.Snapshot.DatabricksGroups.All() {
		held[audit.Subject{Kind: audit.DatabricksGroupKind, ID: g.ID}] = g.ExternalID
	}
	written := map[string]bool{}
	for _, op := range p.Operations {
		at := op.Target.String() + " " + op.Field
		if written[at] {
			t.Errorf("%s is written twice", at)
		}
		written[at] = true
		if undone := op.Field != "externalId" || op.From != "" || op.Target.Kind == audit.DatabricksGroupKind; op.Reversible != undone {
			t.Errorf("%s from %q to %q: reversible: %v", at, op.From, op.To, op.Reversible) // Databricks clears the id of a group alone
		}
		if op.Decision != audit.Approve || op.Field != "externalId" {
			continue
		}
		for s, id := range held {
			if id == op.To && id != "" && s != op.Target {
				t.Errorf("%s gets %s while %s holds it", op.Target, id, s)
			}
		}
		held[op.Target] = op.To
	}
}

func TestDecide(t *testing.T) {
	ana, bo := okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "bo.reed@example.com")
	gone := bo
	gone.Status = audit.StatusDeprovisioned
	admin := user("3", "bo.reed@example.com", "")
	admin.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
	odd := audit.DatabricksGroup{ID: "5", DisplayName: "Odd"}
	inactive := user("3", "bo.reed@example.com", "")
	inactive.Active = false
	linked := user("1", "ana@example.com", "")
	shared := []any{okta("00u1", "x@example.com", "a@example.com"), okta("00u2", "b@example.com", "x@example.com"), user("1", "x@example.com", "")}
	twice := []any{bo, user("2", "bo@example.com", ""), user("3", "bo.reed@example.com", "")}
	names := []any{ana, audit.DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "00u1", GivenName: "Other", FamilyName: "Reed", Active: true}}
	oneID := []any{ana, linked, audit.OktaGroup{ID: "00u1", Name: "Odd"}, audit.DatabricksGroup{ID: "7", DisplayName: "Odd"}}
	deactivate := audit.Settings{Include: []string{"deactivate"}}

	for _, c := range []struct {
		name    string
		tenant  []any
		set     audit.Settings
		answers []audit.Answer
		want    []string
	}{
		{name: "without answers", tenant: []any{ana, linked}, want: []string{"op-0001 databricks:user:1 externalId  → 00u1"}},
		{name: "rejected", tenant: []any{ana, linked}, answers: answers("op-0001 Reject ")},
		{name: "taken back", tenant: []any{ana, linked}, answers: answers("op-0001 ")},
		{name: "twice the same", tenant: []any{ana, linked}, answers: answers("op-0001 approve", "op-0001 Approve"),
			want: []string{"op-0001 databricks:user:1 externalId  → 00u1"}},
		{name: "approved without inclusion", tenant: names, answers: answers("op-0001 approve"),
			want: []string{"op-0001 databricks:user:1 name.givenName Other → F00u1"}},
		{name: "one id for two", tenant: oneID, answers: answers("op-0002 approve"),
			want: []string{"op-0002 databricks:user:1 externalId  → 00u1"}},
		{name: "one id for two, both approved", tenant: oneID, answers: answers("op-0001 approve", "op-0002 approve"),
			want: []string{"row 1: op-0002 gives 00u1 to databricks:user:1 too", "row 2: op-0001 gives 00u1 to databricks:group:7 already"}},
		{name: "contradictory", tenant: []any{ana, linked}, answers: answers("op-0001 approve", "op-0001 reject"),
			want: []string{"row 1: row 1 and row 2 say different things", "row 2: row 1 and row 2 say different things"}},
		{name: "misspelt: not applied", tenant: []any{ana, linked}, answers: answers("op-0001 rejct"),
			want: []string{"row 1: expected approve or reject for an operation"}},
		{name: "unknown", tenant: []any{ana, linked}, answers: answers("op-0009 approve", " approve", "op-0008 "),
			want: []string{"op-0001 databricks:user:1 externalId  → 00u1",
				"row 1: the plan has no operation or finding of this id: was the file made with another plan?",
				"row 2: its id is blank: nobody knows what is decided"}},
		{name: "another plan's", tenant: []any{ana, linked},
			answers: []audit.Answer{{ID: "op-0001", Decision: "approve", Target: "databricks:user:7", Where: "row 1"}},
			want:    []string{`row 1: it is about databricks:user:7 and the value "", in this plan op-0001 is about databricks:user:1 and "00u1": the file was made with another plan`}},
		{name: "also another plan's", tenant: []any{ana, linked},
			answers: []audit.Answer{{ID: "op-0001", Decision: "approve", Where: "row 1"}, {ID: "op-0001", Decision: "approve", To: "00u7", Where: "row 2"},
				{ID: "op-0001", Decision: "approve", To: "00u1", Where: "row 3"}},
			want: []string{"row 1: row 2 is about the same, and can't be used",
				`row 2: it is about  and the value "00u7", in this plan op-0001 is about databricks:user:1 and "00u1": the file was made with another plan`,
				"row 3: row 2 is about the same, and can't be used"}},
		{name: "a finding with operations", tenant: []any{ana, linked}, answers: answers("missing-external-id/databricks:user:1 approve"),
			want: []string{"op-0001 databricks:user:1 externalId  → 00u1", "row 1: this finding needs no choice: decide op-0001"}},
		{name: "a finding with operations, rejected", tenant: []any{ana, linked},
			answers: answers("missing-external-id/databricks:user:1 reject", "op-0001 approve"),
			want:    []string{"row 1: this finding needs no choice: decide op-0001", "row 2: row 1 is about the same, and can't be used"}},
		{name: "twice what can't be used", tenant: []any{user("1", "nobody@example.com", "")},
			answers: answers("missing-external-id/databricks:user:1 keep:databricks:user:1", "missing-external-id/databricks:user:1 keep:databricks:user:1"),
			want: []string{"row 1: nothing can be chosen here (remedy review): look at it and decide what is right",
				"row 2: nothing can be chosen here (remedy review): look at it and decide what is right"}},
		{name: "not to choose", tenant: []any{user("1", "nobody@example.com", "")}, answers: answers("missing-external-id/databricks:user:1 link:00u1"),
			want: []string{"row 1: nothing can be chosen here (remedy review): look at it and decide what is right"}},

		{name: "link", tenant: shared, answers: answers("ambiguous-username/databricks:user:1 link:00u2"),
			want: []string{"op-0001 databricks:user:1 externalId  → 00u2"}},
		{name: "link, said of two findings", tenant: shared,
			answers: answers("ambiguous-username/databricks:user:1 link:00u2", "missing-external-id/databricks:user:1 link:00u2"),
			want:    []string{"op-0001 databricks:user:1 externalId  → 00u2"}},
		{name: "link, said differently of two findings", tenant: shared,
			answers: answers("ambiguous-username/databricks:user:1 link:00u2", "missing-external-id/databricks:user:1 link:00u1"),
			want: []string{"row 1: row 2 wants another value of externalId of databricks:user:1",
				"row 2: row 1 wants another value of externalId of databricks:user:1"}},
		{name: "link, said of three findings, of one differently", tenant: append([]any{user("2", "X@example.com", "")}, shared...),
			answers: answers("ambiguous-username/databricks:user:1 link:00u2", "missing-external-id/databricks:user:1 link:00u2",
				"split-identity/okta:user:00u1 keep:databricks:user:1"),
			want: []string{"row 1: row 3 wants another value of externalId of databricks:user:1",
				"row 2: row 3 wants another value of externalId of databricks:user:1",
				"row 3: row 1 wants another value of externalId of databricks:user:1"}},
		{name: "a finding, contradictory", tenant: shared, answers: answers("ambiguous-username/databricks:user:1 link:00u2", "ambiguous-username/databricks:user:1 reject"),
			want: []string{"row 1: row 1 and row 2 say different things", "row 2: row 1 and row 2 say different things"}},
		{name: "rejected finding", tenant: shared, answers: answers("ambiguous-username/databricks:user:1 reject")},
		{name: "link to nobody of the finding", tenant: shared, answers: answers("ambiguous-username/databricks:user:1 link:00u7"),
			want: []string{`row 1: "00u7" is the id of none of the finding's Okta objects`}},
		{name: "neither link nor keep", tenant: shared, answers: answers("ambiguous-username/databricks:user:1 approve"),
			want: []string{"row 1: expected one of link:00u1, link:00u2"}},
		{name: "keep of one", tenant: shared, answers: answers("ambiguous-username/databricks:user:1 keep:databricks:user:1"),
			want: []string{"row 1: the finding is about one Databricks identity: say link: and to whom"}},
		{name: "link to one who left", tenant: append([]any{okta("00u8", "c@example.com", "x@example.com")}, hired(shared)...),
			answers: answers("ambiguous-username/databricks:user:1 link:00u2"),
			want:    []string{"row 1: Okta has no live object with the id 00u2"}},
		{name: "the id is held by a group", tenant: append([]any{audit.DatabricksGroup{ID: "5", DisplayName: "Odd", ExternalID: "00u2", ResourceType: "Group"}}, shared...),
			answers: answers("ambiguous-username/databricks:user:1 link:00u2"),
			want:    []string{"row 1: databricks:group:5 holds the id 00u2: decide about that one first"}},

		{name: "keep", tenant: twice, answers: answers("split-identity/okta:user:00u2 keep:databricks:user:2"),
			want: []string{"op-0001 databricks:user:2 externalId  → 00u2",
				"bo.reed@example.com (databricks:user:3) is not kept: move what it owns and may do to databricks:user:2, then deactivate or remove it"}},
		{name: "keep and deactivate", tenant: twice, set: deactivate, answers: answers("split-identity/okta:user:00u2 keep:databricks:user:3"),
			want: []string{"op-0001 databricks:user:2 active true → false", "op-0002 databricks:user:3 externalId  → 00u2"}},
		{name: "an account admin is never deactivated", tenant: []any{bo, user("2", "bo@example.com", ""), admin}, set: deactivate,
			answers: answers("split-identity/okta:user:00u2 keep:databricks:user:2"),
			want: []string{"op-0001 databricks:user:2 externalId  → 00u2",
				"bo.reed@example.com (databricks:user:3) is not kept: move what it owns and may do to databricks:user:2, then deactivate or remove it"}},
		{name: "keep the one whose id another holds", tenant: []any{bo, user("2", "bo@example.com", ""), user("3", "bo.reed@example.com", "00u2")},
			answers: answers("split-identity/okta:user:00u2 keep:databricks:user:2"),
			want:    []string{"row 1: databricks:user:3 holds the id 00u2: decide about that one first"}},
		{name: "keep the one that is linked", tenant: []any{bo, user("2", "bo@example.com", ""), user("3", "bo.reed@example.com", "00u2")}, set: deactivate,
			answers: answers("split-identity/okta:user:00u2 keep:databricks:user:3"),
			want:    []string{"op-0001 databricks:user:2 active true → false"}},
		{name: "keep two of one another", tenant: []any{bo, user("2", "bo@example.com", ""), user("3", "BO@example.com", "")}, set: deactivate,
			answers: answers("split-identity/okta:user:00u2 keep:databricks:user:3", "case-variant-username/bo@example.com keep:databricks:user:2"),
			want:    []string{"row 1: row 2 gives 00u2 to databricks:user:2 too", "row 2: row 1 gives 00u2 to databricks:user:3 already"}},
		{name: "keep what is not there", tenant: twice, answers: answers("split-identity/okta:user:00u2 keep:databricks:user:7"),
			want: []string{`row 1: "databricks:user:7" is none of the finding's Databricks identities`}},
		{name: "keep twins without anybody in Okta", tenant: []any{user("2", "bo@example.com", ""), user("3", "BO@example.com", "")}, set: deactivate,
			answers: answers("case-variant-username/bo@example.com keep:databricks:user:3"),
			want:    []string{"op-0001 databricks:user:2 active true → false"}},

		{name: "a chain", tenant: entangled("bo", "00u3", "ana", "00u2"),
			answers: answers("conflicting-external-id/databricks:user:1 link:00u2", "conflicting-external-id/databricks:user:1 link:00u1"),
			want:    []string{"op-0001 databricks:user:2 externalId 00u2 → 00u1", "op-0002 databricks:user:1 externalId 00u3 → 00u2"}},
		{name: "half a chain", tenant: entangled("bo", "00u3", "ana", "00u2"),
			answers: answers("conflicting-external-id/databricks:user:1 link:00u2"),
			want:    []string{"row 1: databricks:user:2 holds the id 00u2: decide about that one first"}},
		{name: "half a chain, and what has no part in it", tenant: append(entangled("bo", "00u3", "ana", "00u2"), okta("00u4", "dee@example.com", "d@example.com"),
			user("4", "dee@example.com", ""), user("5", "d@example.com", "")),
			answers: answers("conflicting-external-id/databricks:user:1 link:00u2", "op-0001 approve", "split-identity/okta:user:00u4 keep:databricks:user:5"),
			want: []string{"op-0001 databricks:user:5 externalId  → 00u4",
				"row 1: databricks:user:2 holds the id 00u2: decide about that one first",
				"row 2: the plan has no operation or finding of this id: was the file made with another plan?",
				"dee@example.com (databricks:user:4) is not kept: move what it owns and may do to databricks:user:5, then deactivate or remove it"}},
		{name: "a swap, and one who waits for it", tenant: []any{ana, bo, user("1", "bo@example.com", "00u1"), user("2", "ana@example.com", "00u2"), user("3", "bo.reed@example.com", "")},
			answers: answers("conflicting-external-id/databricks:user:1 link:00u1", "conflicting-external-id/databricks:user:1 link:00u2", "missing-external-id/databricks:user:3 link:00u2"),
			want: []string{"row 1: databricks:user:2 and others would swap their ids, which can't be done one by one: a person must, with Databricks Support",
				"row 2: row 3 gives 00u2 to databricks:user:3 too", "row 3: row 2 gives 00u2 to databricks:user:1 already"}},
		{name: "a swap", tenant: entangled("bo", "00u1", "ana", "00u2"),
			answers: answers("conflicting-external-id/databricks:user:1 link:00u2", "conflicting-external-id/databricks:user:1 link:00u1"),
			want: []string{"row 1: databricks:user:1 and others would swap their ids, which can't be done one by one: a person must, with Databricks Support",
				"row 2: databricks:user:2 and others would swap their ids, which can't be done one by one: a person must, with Databricks Support"}},
		{name: "keep one, deactivate the other", tenant: []any{user("2", "bo@example.com", ""), user("3", "BO@example.com", "00x"), user("4", "z@example.com", "00x")}, set: deactivate,
			answers: answers("case-variant-username/bo@example.com keep:databricks:user:3", "duplicate-external-id/00x keep:databricks:user:4"),
			want:    []string{"row 1: row 2 deactivates databricks:user:3, which this keeps", "row 2: row 1 keeps databricks:user:3, which this deactivates"}},
		{name: "misspelt twice", tenant: []any{ana, linked}, answers: answers("op-0001 link:00u1", "op-0001 link:00u2"),
			want: []string{"row 1: expected approve or reject for an operation", "row 2: expected approve or reject for an operation"}},
		{name: "link one, deactivate it", tenant: []any{bo, user("2", "bo@example.com", "00x"), user("3", "BO@example.com", "00y"), user("4", "z@example.com", "00x")}, set: deactivate,
			answers: answers("case-variant-username/bo@example.com keep:databricks:user:3", "unknown-external-id/databricks:user:2 link:00u2"),
			want:    []string{"row 1: row 2 keeps databricks:user:2, which this deactivates", "row 2: row 1 deactivates databricks:user:2, which this keeps"}},
		{name: "link to whom it is linked", tenant: []any{ana, bo, user("1", "bo@example.com", "00u1")}, answers: answers("conflicting-external-id/databricks:user:1 link:00u1")},
		{name: "link or keep", tenant: twice, answers: answers("split-identity/okta:user:00u2 approve"),
			want: []string{"row 1: expected one of link:00u2, keep:databricks:user:2, keep:databricks:user:3"}},
		{name: "link a group", tenant: []any{odd, audit.OktaGroup{ID: "00g1", Name: "Odd"}, audit.OktaGroup{ID: "00g2", Name: "odd"}},
			answers: answers("ambiguous-group-name/databricks:group:5 link:00g2"), want: []string{"op-0001 databricks:group:5 externalId  → 00g2"}},
		{name: "keep one of two groups", set: deactivate, tenant: []any{audit.DatabricksGroup{ID: "5", DisplayName: "One"}, audit.DatabricksGroup{ID: "6", DisplayName: "ONE"}},
			answers: answers("duplicate-group-name/one keep:databricks:group:5"),
			want:    []string{"ONE (databricks:group:6) is not kept: move what it owns and may do to databricks:group:5, then deactivate or remove it"}},
		{name: "keep one, the other is inactive", tenant: []any{bo, user("2", "bo@example.com", ""), inactive}, set: deactivate,
			answers: answers("split-identity/okta:user:00u2 keep:databricks:user:2"),
			want: []string{"op-0001 databricks:user:2 externalId  → 00u2",
				"bo.reed@example.com (databricks:user:3) is not kept: move what it owns and may do to databricks:user:2, then deactivate or remove it"}},
		{name: "keep one, deactivate it twice", set: deactivate,
			tenant: []any{user("2", "bo@example.com", ""), user("3", "BO@example.com", "00x"), user("4", "z@example.com", "00x"), bo},
			answers: answers("case-variant-username/bo@example.com keep:databricks:user:3", "duplicate-external-id/00x keep:databricks:user:4",
				"split-identity/okta:user:00u2 keep:databricks:user:2"),
			want: []string{"row 1: row 2 deactivates databricks:user:3, which this keeps",
				"row 2: row 1 keeps databricks:user:3, which this deactivates", "row 3: row 1 keeps databricks:user:3, which this deactivates"}},
		{name: "keep whom the plan deactivates", set: deactivate,
			tenant:  []any{gone, user("2", "bo@example.com", ""), user("3", "BO@example.com", "00u2")},
			answers: answers("case-variant-username/bo@example.com keep:databricks:user:2"),
			want:    []string{"op-0002 databricks:user:3 active true → false", "row 1: op-0001 deactivates databricks:user:2, which this keeps"}},
		{name: "a misspelt rejection, and a choice for it", set: deactivate,
			tenant:  []any{gone, user("2", "bo@example.com", ""), user("3", "BO@example.com", "00u2")},
			answers: answers("op-0001 reject", "op-0002 rejct", "case-variant-username/bo@example.com keep:databricks:user:2"),
			want: []string{"row 2: expected approve or reject for an operation",
				`row 3: op-0002 would set active of databricks:user:3 to "false", which is not what this says (row 2)`}},
		{name: "a contradiction, and a choice for it", set: deactivate,
			tenant:  []any{gone, user("2", "bo@example.com", ""), user("3", "BO@example.com", "00u2")},
			answers: answers("op-0001 reject", "op-0002 approve", "op-0002 reject", "case-variant-username/bo@example.com keep:databricks:user:2"),
			want: []string{"row 2: row 2 and row 3 say different things", "row 3: row 2 and row 3 say different things",
				`row 4: op-0002 would set active of databricks:user:3 to "false", which is not what this says (row 3)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decided(t, audited(t, c.tenant, c.set), c.answers)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// An operation that must be named is named by an answer that is used, alone.
func TestNamed(t *testing.T) {
	admin := user("1", "ana@example.com", "")
	admin.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
	ana := okta("00u1", "ana@example.com", "ana@example.com")
	for _, c := range []struct {
		answers  []audit.Answer
		decision audit.Decision
		applied  bool // approved and named
	}{
		{answers(), audit.Approve, false},
		{answers("op-0001 "), audit.Approve, false},
		{answers("op-0001 Approve "), audit.Approve, true},
		{answers("op-0001 reject"), audit.Reject, false},
		{answers("op-0001 rejct"), audit.Undecided, false},
		{answers("op-0002 approve"), audit.Approve, false},
		{answers("op-0001 approve", "op-0001 reject"), audit.Undecided, false},
		{answers("missing-external-id/databricks:user:1 approve"), audit.Approve, false},
		{answers("missing-external-id/databricks:user:1 link:00u7"), audit.Undecided, false},
		{answers("missing-external-id/databricks:user:1 keep:databricks:user:1"), audit.Undecided, false},
	} {
		r := audited(t, []any{ana, admin}, audit.Settings{})
		p, unusable, err := audit.Decide(r.Plan, c.answers, audit.NewIndex(r.Snapshot, r.Settings))
		if err != nil {
			t.Fatal(err)
		}
		op := p.Operations[0]
		if op.Touches != "an account admin" {
			t.Fatalf("the operation touches %q", op.Touches)
		}
		if applied := op.Decision == audit.Approve && audit.Named(c.answers, unusable)(op); applied != c.applied || op.Decision != c.decision {
			t.Errorf("%+v: decision %q, applied: %v", c.answers, op.Decision, applied)
		}
	}

	shared := []any{okta("00u1", "x@example.com", "a@example.com"), okta("00u2", "ana@example.com", "x@example.com"), user("1", "x@example.com", "")}
	chosen := answers("ambiguous-username/databricks:user:1 link:00u2")
	r := audited(t, shared, audit.Settings{})
	p, unusable, err := audit.Decide(r.Plan, chosen, audit.NewIndex(r.Snapshot, r.Settings))
	if err != nil || len(p.Operations) != 1 || !audit.Named(chosen, unusable)(p.Operations[0]) {
		t.Errorf("what was chosen is not named: %+v, %v", p.Operations, err)
	}
}

// A choice approves the plan's own operation that does the same, unless somebody
// said otherwise of it; one that does something else is not approved then.
func TestDecideBesideAnOperation(t *testing.T) {
	shared := []any{okta("00u1", "x@example.com", "a@example.com"), okta("00u2", "b@example.com", "x@example.com"), user("1", "x@example.com", "")}
	const choice = "ambiguous-username/databricks:user:1 link:00u2"
	same := []string{"op-0001 databricks:user:1 externalId  → 00u2"}
	for _, c := range []struct {
		to       string
		decision audit.Decision
		answers  []audit.Answer
		want     []string
	}{
		{"00u2", audit.Undecided, answers(choice), same},
		{"00u2", audit.Approve, answers(choice), same},
		{"00u2", audit.Undecided, answers(choice, "op-0001 approve"), same},
		{"00u2", audit.Approve, answers(choice, "op-0001 reject"),
			[]string{`row 1: op-0001 would set externalId of databricks:user:1 to "00u2", which is not what this says (row 2)`}},
		{"00u2", audit.Approve, answers(choice, "op-0001 "),
			[]string{`row 1: op-0001 would set externalId of databricks:user:1 to "00u2", which is not what this says (row 2)`}},
		{"00u1", audit.Undecided, answers(choice), []string{`row 1: op-0001 would set externalId of databricks:user:1 to "00u1", which is not what this says`}},
		{"00u1", audit.Approve, answers(choice), []string{`row 1: op-0001 would set externalId of databricks:user:1 to "00u1", which is not what this says`}},
		{"00u1", audit.Undecided, answers(choice, "op-0001 approve"),
			[]string{`row 1: op-0001 would set externalId of databricks:user:1 to "00u1", which is not what this says (row 2)`,
				"row 2: row 1 wants another value of externalId of databricks:user:1"}},
	} {
		r := audited(t, shared, audit.Settings{})
		r.Plan.Operations = []audit.Operation{{ID: "op-0001", Action: audit.SetExternalID, Target: audit.Subject{Kind: audit.DatabricksUserKind, ID: "1"},
			Field: "externalId", To: c.to, Because: []string{"odd-0123456789ab"}, Decision: c.decision}}
		if err := r.Plan.Seal(r.Plan.Created, time.Hour); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, decided(t, r, c.answers)); diff != "" {
			t.Errorf("%s %q, %v: (-want +got)\n%s", c.to, c.decision, c.answers, diff)
		}
	}
}

// What was rejected stays so when another row about it can't be used.
func TestRejectedStaysRejected(t *testing.T) {
	r := audited(t, []any{okta("00u1", "ana@example.com", "ana@example.com"), user("1", "ana@example.com", "")}, audit.Settings{})
	as := answers("op-0001 reject", "missing-external-id/databricks:user:1 reject")
	p, unusable, err := audit.Decide(r.Plan, as, audit.NewIndex(r.Snapshot, r.Settings))
	if err != nil || len(unusable) != 1 || p.Operations[0].Decision != audit.Reject {
		t.Errorf("decision %q, not used %v, error %v", p.Operations[0].Decision, unusable, err)
	}
}

// The directories may have changed since the plan was made.
func TestDecideLater(t *testing.T) {
	bo := okta("00u2", "bo@example.com", "bo.reed@example.com")
	gone := bo
	gone.Status = audit.StatusDeprovisioned
	two, three := user("2", "bo@example.com", ""), user("3", "bo.reed@example.com", "")
	promoted := three
	promoted.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
	deactivate := audit.Settings{Include: []string{"deactivate"}}
	r := audited(t, []any{bo, two, three}, deactivate)
	keep, link := answers("split-identity/okta:user:00u2 keep:databricks:user:2"), answers("split-identity/okta:user:00u2 link:00u2")
	for _, c := range []struct {
		name     string
		now      []any
		answers  []audit.Answer
		writes   []string
		unusable string
	}{
		{"unchanged", []any{bo, two, three}, keep, []string{"2 externalId", "3 active"}, ""},
		{"the kept one is not there", []any{bo, three}, keep, nil, "databricks:user:2 is no longer there"},
		{"the other one is not there", []any{bo, two}, keep, []string{"2 externalId"}, ""},
		{"the other one was made an admin", []any{bo, two, promoted}, keep, []string{"2 externalId"}, ""},
		{"the kept one's person left", []any{gone, two, three}, keep, nil, "none of the finding's Okta objects is live any more: make a new plan"},
		{"the kept one's person is not there", []any{two, three}, keep, nil, "none of the finding's Okta objects is live any more: make a new plan"},
		{"one record is left", []any{bo, two}, link, []string{"2 externalId"}, ""},
		{"the person left", []any{gone, two}, link, nil, "Okta has no live object with the id 00u2"},
		{"the person is not there", []any{two}, link, nil, "Okta has no live object with the id 00u2"},
	} {
		now := audited(t, c.now, deactivate)
		p, unusable, err := audit.Decide(r.Plan, c.answers, audit.NewIndex(now.Snapshot, now.Settings))
		if err != nil {
			t.Fatal(err)
		}
		var writes []string
		for op := range p.Approved() {
			writes = append(writes, op.Target.ID+" "+op.Field)
			if op.Reversible != (op.Action == audit.DeactivateUser) {
				t.Errorf("%s: reversible: %v", op.Action, op.Reversible)
			}
		}
		why := ""
		for _, u := range unusable {
			why += u.Why
		}
		if !slices.Equal(writes, c.writes) || why != c.unusable {
			t.Errorf("%s: writes %q, unusable: %q", c.name, writes, why)
		}
	}
}

// Whoever got another id since the plan was made does not give that one up: the
// operation that would take it away is for the one it had.
func TestDecideLaterWhoHoldsAnID(t *testing.T) {
	people := []any{okta("00u1", "x@example.com", "a@example.com"), okta("00u2", "b@example.com", "x@example.com"),
		okta("00u3", "y@example.com", "c@example.com"), okta("00u4", "d@example.com", "y@example.com"), user("1", "x@example.com", "")}
	r := audited(t, append(slices.Clone(people), user("2", "y@example.com", "00u9")), audit.Settings{})
	now := audited(t, append(slices.Clone(people), user("2", "y@example.com", "00u2")), audit.Settings{})
	as := answers("ambiguous-username/databricks:user:1 link:00u2", "ambiguous-username/databricks:user:2 link:00u3")
	p, unusable, err := audit.Decide(r.Plan, as, audit.NewIndex(now.Snapshot, now.Settings))
	if err != nil || len(unusable) != 1 || unusable[0].Why != "databricks:user:2 holds the id 00u2: decide about that one first" {
		t.Errorf("not used %v, error %v", unusable, err)
	}
	for op := range p.Approved() {
		if op.To != "00u3" {
			t.Errorf("%+v", op)
		}
	}
}

func TestDecideLaterAboutAGroup(t *testing.T) {
	tenant := []any{audit.OktaGroup{ID: "00g1", Name: "Odd"}, audit.OktaGroup{ID: "00g2", Name: "odd"}, audit.DatabricksGroup{ID: "5", DisplayName: "Odd"}}
	r := audited(t, tenant, audit.Settings{})
	tenant[2] = audit.DatabricksGroup{ID: "5", DisplayName: "Users"}
	now := audited(t, tenant, audit.Settings{})
	p, unusable, err := audit.Decide(r.Plan, answers("ambiguous-group-name/databricks:group:5 link:00g2"), audit.NewIndex(now.Snapshot, now.Settings))
	if err != nil || len(p.Operations) > 0 || len(unusable) != 1 || !strings.Contains(unusable[0].Why, "never linked") {
		t.Errorf("%+v, %v, %v", p.Operations, unusable, err)
	}
}

// What was decided is decided alike when a part of it was applied already.
func TestDecideAgain(t *testing.T) {
	shared := []any{okta("00u1", "x@example.com", "a@example.com"), okta("00u2", "b@example.com", "x@example.com"), user("1", "x@example.com", "")}
	r := audited(t, shared, audit.Settings{})
	shared[2] = user("1", "x@example.com", "00u2")
	for _, now := range []*audit.Report{r, audited(t, shared, audit.Settings{})} {
		p, unusable, err := audit.Decide(r.Plan, answers("missing-external-id/databricks:user:1 link:00u2", "ambiguous-username/databricks:user:1 link:00u2"),
			audit.NewIndex(now.Snapshot, now.Settings))
		if err != nil || len(unusable) > 0 || len(p.Operations) != 1 {
			t.Fatalf("%+v, %v, %v", p.Operations, unusable, err)
		}
		because := []string{audit.FindingID("ambiguous-username", "databricks:user:1"), audit.FindingID("missing-external-id", "databricks:user:1")}
		if op := p.Operations[0]; op.To != "00u2" || !slices.Equal(op.Because, because) {
			t.Errorf("%+v", op)
		}
	}
}

// hired is the tenant whose second Okta user has left.
func hired(tenant []any) []any {
	tenant = slices.Clone(tenant)
	u := tenant[1].(audit.OktaUser)
	u.Status = audit.StatusDeprovisioned
	tenant[1] = u
	return tenant
}

// entangled is a tenant in which two users have names and ids of three people.
func entangled(name1, id1, name2, id2 string) []any {
	return []any{okta("00u1", "ana@example.com", "ana@example.com"), okta("00u2", "bo@example.com", "bo@example.com"), okta("00u3", "cy@example.com", "cy@example.com"),
		user("1", name1+"@example.com", id1), user("2", name2+"@example.com", id2)}
}
