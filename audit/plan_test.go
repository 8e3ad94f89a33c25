package audit

import (
	"encoding/json"
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
