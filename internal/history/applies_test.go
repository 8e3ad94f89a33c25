package history

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

func TestApplies(t *testing.T) {
	databases(t, func(t *testing.T, p Place) {
		s := create(t, p)
		record(t, s, say("blocker a x", "blocker a y"), day(0))
		x, y := audit.FindingID("a", "x"), audit.FindingID("a", "y")
		target := audit.Subject{Kind: audit.DatabricksUserKind, ID: "1"}
		op := func(id, phase string, because ...string) Operation {
			return Operation{audit.Operation{ID: id, Action: audit.SetExternalID, Target: target, Field: "externalId", Because: because}, phase}
		}
		a := Apply{Org: "https://o.example.com", Account: "a", Now: day(1), Version: "1", Kind: "apply", Plan: "sha256:0", Journal: "plan.journal.jsonl", Settled: true,
			Operations: []Operation{op("op-0001", "done", x, y), op("op-0002", "drifted", y)},
			Decisions:  []Decision{{x, "link:00u1", "decisions.csv:2", ""}, {"op-0002", "approve", "decisions.csv:3", ""}, {"op-0009", "approve", "decisions.csv:4", "there is none"}}}
		if err := s.RecordApply(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		a.Kind, a.Now, a.Decisions, a.Operations = "rollback", day(2), nil, []Operation{op("undo-op-0001", "done")}
		if err := s.RecordApply(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		a.Account, a.Now = "b", day(3)
		if err := s.RecordApply(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string][]Deed{
			x: {{day(1), "decision", "link:00u1", "decisions.csv:2", ""}, {day(1), "apply", "op-0001", "set_external_id databricks:user:1", "done"},
				{day(2), "rollback", "undo-op-0001", "set_external_id databricks:user:1", "done"}},
			y: {{day(1), "decision", "approve", "decisions.csv:3", ""}, {day(1), "apply", "op-0001", "set_external_id databricks:user:1", "done"},
				{day(1), "apply", "op-0002", "set_external_id databricks:user:1", "drifted"},
				{day(2), "rollback", "undo-op-0001", "set_external_id databricks:user:1", "done"}},
		} {
			life, err := s.Finding(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, life[0].Deeds); diff != "" {
				t.Errorf("%s (-want +got)\n%s", id, diff)
			}
		}
	})
}
