package snapfile_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// partialSteps are steps with a record of every kind.
func partialSteps(t testing.TB) []audit.Step {
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	page := func(in audit.Input, p audit.Page) audit.Step { return audit.Step{Input: in, Page: &p} }
	members := audit.NewValues(audit.Value{Value: "00u1"}, audit.Value{Value: "7", Type: "Users/7"})
	return []audit.Step{
		{Input: audit.OktaUsers, Begun: begun},
		page(audit.OktaUsers, audit.Page{Records: []any{
			audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "a\"b\n\xff", Email: "é"},
			audit.Undecoded{Input: audit.OktaUsers, Raw: []byte(`{"id":1}`), Error: "id: expected a string"}}, Mark: `{"from":"x"}`}),
		page(audit.OktaUsers, audit.Page{Restart: true}),
		page(audit.OktaUsers, audit.Page{Records: []any{audit.OktaUser{ID: "00u1"}}, Update: true}),
		page(audit.OktaGroups, audit.Page{Records: []any{audit.OktaGroup{ID: "00g1", Name: "G"}}}),
		page(audit.OktaMembers, audit.Page{Records: []any{audit.OktaGroupMembers{Group: "00g1", Members: members}}}),
		page(audit.OktaApps, audit.Page{Records: []any{audit.OktaApp{ID: "0oa1"}}}),
		page(audit.OktaAppUsers, audit.Page{Records: []any{audit.OktaAppUser{App: "0oa1", User: "00u1"}}}),
		page(audit.DatabricksUsers, audit.Page{Records: []any{audit.DatabricksUser{ID: "7", Active: true, Emails: members}}}),
		page(audit.DatabricksGroups, audit.Page{Records: []any{audit.DatabricksGroup{ID: "8", DisplayName: "G"},
			audit.Undecoded{Input: audit.DatabricksGroups, Raw: []byte("{}"), Error: "id is missing"}}}),
		page(audit.DatabricksMembers, audit.Page{Records: []any{audit.DatabricksGroupMembers{Group: "8", Members: members}}}),
		page(audit.DatabricksServicePrincipals, audit.Page{Records: []any{audit.DatabricksServicePrincipal{ID: "9"}}}),
		page(audit.DatabricksWorkspaces, audit.Page{Records: []any{audit.DatabricksWorkspace{ID: "10"}}}),
		page(audit.DatabricksWorkspaceDetails, audit.Page{Records: []any{audit.DatabricksAssignment{Workspace: "10", Principal: "7"}}}),
		{Input: audit.OktaUsers, Done: &audit.Reading{Input: audit.OktaUsers, Asked: true, Complete: true, Received: 1,
			AsOf: begun, Proof: &audit.Proof{Pages: 1, End: "e", Windows: []audit.Window{{To: "t", Pages: 1, Rows: 1, End: "e"}}}}},
	}
}

func writePartial(t testing.TB) (file []byte, frames []int) {
	var b bytes.Buffer
	p, err := snapfile.NewPartial(&b, &snapfile.PartialHead{Okta: "https://o", Databricks: "d", Options: "{}", Started: time.Unix(1, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range partialSteps(t) {
		frames = append(frames, b.Len())
		if err := p.Step(s); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes(), append(frames, b.Len())
}

func readPartial(file []byte) (steps []audit.Step, whole int64, err error) {
	_, whole, err = snapfile.ReadPartial(bytes.NewReader(file), "p", func(s audit.Step) error {
		steps = append(steps, s)
		return nil
	})
	return steps, whole, err
}

func TestPartial(t *testing.T) {
	file, frames := writePartial(t)
	steps, whole, err := readPartial(file)
	if err != nil || whole != int64(len(file)) {
		t.Fatalf("%d of %d bytes: %v", whole, len(file), err)
	}
	if diff := cmp.Diff(partialSteps(t), steps); diff != "" {
		t.Errorf("steps (-want +got)\n%s", diff)
	}
	// Cut anywhere, it holds the steps whose frames are whole.
	for cut := frames[0]; cut < len(file); cut++ {
		steps, whole, err := readPartial(file[:cut])
		want := 0
		for want+1 < len(frames) && frames[want+1] <= cut {
			want++
		}
		if err != nil || len(steps) != want || whole != int64(frames[want]) {
			t.Fatalf("cut at %d: %d steps in %d bytes, %v; want %d", cut, len(steps), whole, err, want)
		}
	}
	// Changed anywhere, it is refused, or what was changed is as if it was cut off.
	for at := range file {
		changed := bytes.Clone(file)
		changed[at] ^= 0x10
		steps, _, err := readPartial(changed)
		if all := partialSteps(t); err == nil && !cmp.Equal(steps, all[:len(steps)]) {
			t.Fatalf("changed at %d, and read", at)
		}
		if err != nil && !strings.Contains(err.Error(), "p is damaged") {
			t.Fatal(err)
		}
	}
	if _, _, err := readPartial(nil); err == nil {
		t.Error("a blank file was read")
	}
}

func FuzzReadPartial(f *testing.F) {
	file, _ := writePartial(f)
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		_, whole, err := readPartial(file)
		if whole > int64(len(file)) || err == nil && whole == 0 {
			t.Errorf("%d of %d bytes are whole: %v", whole, len(file), err)
		}
	})
}
