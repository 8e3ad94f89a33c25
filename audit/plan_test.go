package audit

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestPlanDigestSurvivesItsFile(t *testing.T) {
	for _, name := range []string{"ana@example.com", "bad \xff byte", "\ufffd", `\ufffd`, "<&>\u2028"} {
		p := &Plan{Schema: PlanSchema, Operations: []Operation{{ID: "op-0001", Name: name, Target: Subject{DatabricksUserKind, "1"}}}, Manual: NewManuals()}
		if err := p.Seal(time.Unix(1_700_000_000, 5), time.Hour); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Plan
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if err := back.Verify(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		back.Operations[0].To = "00u1"
		if back.Verify() == nil {
			t.Errorf("%q: an edited plan was accepted", name)
		}
	}
}

// The digest is that of the plan's whole JSON, made in pieces: with lists, with
// empty ones, and with none.
func TestDigestIsOfTheWholePlan(t *testing.T) {
	op, m := Operation{ID: "op-0001", Name: "<&>\u2028\xff", Target: Subject{DatabricksUserKind, "1"}}, Manual{Finding: "a-1", What: "é"}
	for _, p := range []Plan{
		{},
		{Operations: []Operation{}, Manual: NewManuals()},
		{Operations: []Operation{op, op}, Manual: NewManuals(slices.Repeat([]Manual{m}, 3000)...)},
	} {
		if err := p.Seal(time.Unix(1_700_000_000, 0), time.Hour); err != nil {
			t.Fatal(err)
		}
		bare := p
		bare.Digest = ""
		text, err := json.Marshal(bare)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("sha256:%x", sha256.Sum256(legible(text))); p.Digest != want {
			t.Errorf("%d operations: %s, want %s", len(p.Operations), p.Digest, want)
		}
	}
}
