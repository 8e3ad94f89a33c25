package audit

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
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

// What is sealed is what package json writes, whatever the texts and lists.
func TestSealedIsJSON(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "ana@example.com", "\xff", "\ufffd", `\ufffd`, `"\`, "<&>", "\u2028é", "\x00\n\x7f"}), rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		draw := func() string { return text.Draw(t, "text") }
		subject := rapid.Custom(func(t *rapid.T) Subject { return Subject{Kind(rapid.Byte().Draw(t, "kind")), text.Draw(t, "id")} })
		op := &Operation{ID: draw(), Action: Action(draw()), Target: subject.Draw(t, "target"), Name: draw(), Field: draw(), From: draw(), To: draw(),
			Evidence: draw(), Reversible: rapid.Bool().Draw(t, "reversible"), Risk: draw(), Touches: draw(), Decision: Decision(draw())}
		m := &Manual{Finding: draw(), Remedy: Remedy(draw()), What: draw()}
		if rapid.Bool().Draw(t, "lists") {
			op.Because, m.Candidates = rapid.SliceOfN(text, 0, 3).Draw(t, "because"), rapid.SliceOfN(subject, 0, 3).Draw(t, "candidates")
			for _, s := range rapid.SliceOfN(subject, 0, 3).Draw(t, "records") {
				m.Records = append(m.Records, Record{s, draw(), draw(), rapid.Bool().Draw(t, "active")})
			}
		}
		same := func(v any, write func(*sealed)) {
			want, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			var got sealed
			if write(&got); string(got) != string(legible(want)) {
				t.Errorf("%s\nis sealed as\n%s", want, got)
			}
		}
		same(op, func(s *sealed) { s.operation(op) })
		same(m, func(s *sealed) { s.manual(m) })
	})
}
