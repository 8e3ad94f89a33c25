package audit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
)

// Whatever people say about whatever tenant, the plan holds together, the same
// words give the same plan, and no answer is lost: it is used, or told.
func TestDecideAnything(t *testing.T) {
	used, refused := 0, 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 4))
		r := audited(t, tangled(rng), audit.Settings{Include: []string{"deactivate", "overwrite"}[:rng.IntN(3)]})
		var as []audit.Answer
		for _, op := range r.Plan.Operations {
			for range 1 + rng.IntN(5)/4 {
				as = append(as, audit.Answer{ID: op.ID, Decision: []string{"approve", "approve", "reject", "", "no"}[rng.IntN(5)]})
			}
		}
		for m := range r.Plan.Manual.All() {
			choices := []string{"approve", "link:00u9", "keep:databricks:user:99"}
			for _, c := range m.Candidates {
				choices = append(choices, "link:"+c.ID, "link:"+c.ID)
			}
			for _, c := range m.Records {
				choices = append(choices, "keep:"+c.Subject.String())
			}
			for range 1 + rng.IntN(2) {
				as = append(as, audit.Answer{ID: m.Finding, Decision: choices[rng.IntN(len(choices))]})
			}
		}
		rng.Shuffle(len(as), func(i, j int) { as[i], as[j] = as[j], as[i] })
		for i := range as {
			as[i].Where = fmt.Sprintf("row %d", i+1)
		}
		lines := decided(t, r, as)
		if again := decided(t, r, as); !slices.Equal(lines, again) {
			t.Errorf("seed %d: the same words gave\n%q\nand then\n%q", seed, lines, again)
		}
		p, unusable, err := audit.Decide(r.Plan, as, audit.NewIndex(r.Snapshot, r.Settings))
		if err != nil {
			t.Fatal(err)
		}
		told, approved := map[audit.Answer]bool{}, map[string]bool{}
		for _, u := range unusable {
			if told[u.Answer] = true; u.Why == "" {
				t.Errorf("%+v is not used, and nobody knows why", u.Answer)
			}
		}
		for op := range p.Approved() {
			approved[op.ID] = true
		}
		for _, a := range as {
			if a.Decision == "approve" && !approved[a.ID] && !told[a] {
				t.Errorf("%+v comes to nothing, and is not told", a)
			}
		}
		used, refused = used+len(p.Operations)-len(r.Plan.Operations), refused+len(unusable)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if used < 100 || refused < 100 {
		t.Errorf("%d choices were used and %d answers refused: that proves little", used, refused)
	}
}

// tangled is a tenant of few names and ids, so that they meet.
func tangled(rng *rand.Rand) []any {
	names := []string{"ana@example.com", "bo@example.com", "BO@example.com", "cy@example.com", "dee@example.com", "eve@example.com"}
	name := func() string { return names[rng.IntN(len(names))] }
	var all []any
	for i := range 5 {
		u := okta(fmt.Sprintf("00u%d", i), name(), name())
		if rng.IntN(6) == 0 {
			u.Status = audit.StatusDeprovisioned
		}
		all = append(all, u)
	}
	for i := range 6 {
		id := ""
		switch rng.IntN(4) {
		case 0, 1:
			id = fmt.Sprintf("00u%d", rng.IntN(6))
		}
		u := user(fmt.Sprint(i), name(), id)
		if rng.IntN(5) == 0 {
			u.Roles = audit.NewValues(audit.Value{Value: "account_admin"})
		}
		all = append(all, u)
	}
	return append(all,
		audit.OktaGroup{ID: "00g1", Name: "Odd"}, audit.OktaGroup{ID: "00g2", Name: "odd"},
		audit.DatabricksGroup{ID: "50", DisplayName: "Odd", ExternalID: []string{"", "00u1", "00g1"}[rng.IntN(3)]})
}
