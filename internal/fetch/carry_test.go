package fetch_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/fetch"
)

// What ended is kept, what says how far it was is carried on, the rest begins anew.
func TestAnInterruptedReadingIsCarriedOn(t *testing.T) {
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var kept []audit.Step
	ctx, cancel := context.WithCancel(t.Context())
	var o fetch.Options
	marked := func(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading {
		_ = emit(audit.Page{Records: []any{audit.OktaUser{ID: "void"}}, Mark: "void"})
		_ = emit(audit.Page{Restart: true})
		_ = emit(audit.Page{Records: []any{audit.OktaUser{ID: "00u1"}}, Mark: "one"})
		_ = emit(audit.Page{Records: []any{audit.OktaUser{ID: "00u2"}}, Mark: "two"})
		<-ctx.Done()
		return audit.Reading{Reason: "interrupted"}
	}
	members := func(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading {
		_ = emit(audit.Page{Records: []any{audit.OktaGroupMembers{Group: "00g1", Members: audit.NewValues(audit.Value{Value: "00u1"})}}})
		cancel()
		<-ctx.Done()
		return audit.Reading{Reason: "interrupted"}
	}
	okta := &directory{tenant: "https://example.okta.com", lists: map[audit.Input]list{
		audit.OktaUsers: marked, audit.OktaMembers: members, audit.OktaGroups: gives(0, audit.OktaGroup{ID: "00g1"}, audit.OktaGroup{ID: "00g2"})}}
	o = fetch.Options{Okta: okta, Members: true, Now: func() time.Time { return began }, Log: func(s audit.Step) error {
		if s.Page != nil {
			p := *s.Page
			s.Page = &p
		}
		kept = append(kept, s)
		return nil
	}}
	if _, err := fetch.Snapshot(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}

	steps := func(visit func(audit.Step) error) error {
		for _, s := range kept {
			if err := visit(s); err != nil {
				return err
			}
		}
		return nil
	}
	carried, err := fetch.Carry(began, steps)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"okta_users: carried on after 2", "okta_groups: kept, 2 were read", "okta_members: carried on after 1"}
	if diff := cmp.Diff(want, carried.Say()); diff != "" {
		t.Errorf("said (-want +got)\n%s", diff)
	}
	okta = &directory{tenant: "https://example.okta.com", lists: map[audit.Input]list{
		audit.OktaUsers:   pages(complete(3), audit.Page{Records: []any{audit.OktaUser{ID: "00u3"}}}),
		audit.OktaMembers: pages(complete(2), audit.Page{Records: []any{audit.OktaGroupMembers{Group: "00g2"}}}),
	}}
	s := snapshot(t, fetch.Options{Okta: okta, Members: true, Carried: carried})
	if !slices.Equal(oktaUserIDs(s), []string{"00u1", "00u2", "00u3"}) || s.OktaGroups.Len() != 2 || s.OktaMembers.Len() != 2 {
		t.Errorf("users %v, %d groups, %d members", oktaUserIDs(s), s.OktaGroups.Len(), s.OktaMembers.Len())
	}
	if in := okta.inputs(); !slices.Equal(in, []audit.Input{audit.OktaUsers, audit.OktaMembers}) {
		t.Errorf("asked for %v", in)
	}
	users := okta.asked[audit.OktaUsers][0]
	if diff := cmp.Diff(audit.Request{Input: audit.OktaUsers, Held: []string{"00u1", "00u2"}, HeldAsOf: began, Marks: []string{"one", "two"}}, users); diff != "" {
		t.Errorf("request (-want +got)\n%s", diff)
	}
	if r := okta.asked[audit.OktaMembers][0]; !slices.Equal(r.Held, []string{"00g1"}) || !r.HeldAsOf.Equal(began) {
		t.Errorf("members were asked for with %+v", r)
	}
	if !s.Okta.Started.Equal(began) || !strings.Contains(strings.Join(s.Okta.Notes, ""), "interrupted and carried on") {
		t.Errorf("%+v", s.Okta)
	}
}

// Where parts could not be read, the list that told of them is read anew: they may
// be gone, and with it as it was they would be asked for for ever.
func TestAListOfPartsThatAreGoneIsNotCarriedOn(t *testing.T) {
	lost := pages(audit.Reading{Expected: 2, Received: 1, Reason: "00g2 is gone"}, audit.Page{Records: []any{audit.OktaGroupMembers{Group: "00g1"}}})
	okta := &directory{lists: map[audit.Input]list{
		audit.OktaGroups: gives(0, audit.OktaGroup{ID: "00g1"}, audit.OktaGroup{ID: "00g2"}), audit.OktaMembers: lost}}
	var kept []audit.Step
	snapshot(t, fetch.Options{Okta: okta, Members: true, Log: func(s audit.Step) error {
		kept = append(kept, s)
		return nil
	}})
	carried, err := fetch.Carry(time.Now(), func(visit func(audit.Step) error) error {
		for _, s := range kept {
			if err := visit(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"okta_users: kept, 0 were read", "okta_groups: read anew, for parts of them could not be read", "okta_members: carried on after 1"}
	if diff := cmp.Diff(want, carried.Say()); diff != "" {
		t.Errorf("said (-want +got)\n%s", diff)
	}
	okta = &directory{lists: map[audit.Input]list{audit.OktaGroups: gives(0, audit.OktaGroup{ID: "00g1"}), audit.OktaMembers: pages(complete(1))}}
	s := snapshot(t, fetch.Options{Okta: okta, Members: true, Carried: carried})
	if s.OktaGroups.Len() != 1 || s.OktaMembers.Len() != 1 || !s.Complete(audit.OktaMembers) {
		t.Errorf("%d groups, %d with members, %+v", s.OktaGroups.Len(), s.OktaMembers.Len(), s.Reading(audit.OktaMembers))
	}
	if r := okta.asked[audit.OktaMembers][0]; !slices.Equal(r.Of, []string{"00g1"}) {
		t.Errorf("members of %v were asked for", r.Of)
	}
}

// A workspace's own groups, read before, are not asked for by the account, and stay
// where the account's groups are read anew.
func TestGroupsOfWorkspacesAreCarriedOn(t *testing.T) {
	account := gives(0, audit.DatabricksGroup{ID: "1"}, audit.DatabricksGroup{ID: "2"})
	local := audit.Page{Update: true, Records: []any{audit.DatabricksGroup{ID: "2", Workspace: "w"}, audit.DatabricksGroup{ID: "3", Workspace: "w"}}}
	lists := map[audit.Input]list{
		audit.DatabricksGroups:           account,
		audit.DatabricksWorkspaces:       gives(0, audit.DatabricksWorkspace{ID: "w"}),
		audit.DatabricksWorkspaceDetails: pages(complete(1), local),
	}
	for _, test := range []struct {
		name   string
		ended  bool          // the members, in the first run
		groups list          // of the second run
		again  []audit.Input // that it asks for
	}{
		{"members had not ended", false, account, []audit.Input{audit.DatabricksMembers}},
		{"a group is gone", true, pages(complete(2),
			audit.Page{Records: []any{audit.DatabricksGroup{ID: "0"}}},
			audit.Page{Restart: true, Records: []any{audit.DatabricksGroup{ID: "1"}, audit.DatabricksGroup{ID: "2"}}}),
			[]audit.Input{audit.DatabricksGroups, audit.DatabricksMembers, audit.DatabricksWorkspaceDetails}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var kept []audit.Step
			lists[audit.DatabricksMembers] = pages(audit.Reading{Expected: 2, Received: 1, Reason: "1 of 2 are gone"})
			o := fetch.Options{Databricks: &directory{lists: lists}, Members: true, WorkspaceDetails: true, Log: func(s audit.Step) error {
				if s.Done == nil || s.Input != audit.DatabricksMembers || test.ended {
					kept = append(kept, s)
				}
				return nil
			}}
			snapshot(t, o)
			carried, err := fetch.Carry(time.Now(), func(visit func(audit.Step) error) error {
				for _, s := range kept {
					if err := visit(s); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			second := maps.Clone(lists)
			second[audit.DatabricksGroups], second[audit.DatabricksMembers] = test.groups, pages(complete(2))
			databricks := &directory{lists: second}
			o.Databricks, o.Carried, o.Log = databricks, carried, nil
			s := snapshot(t, o)
			if in := databricks.inputs(); !slices.Equal(in, test.again) {
				t.Errorf("asked for %v, want %v", in, test.again)
			}
			if of := databricks.asked[audit.DatabricksMembers][0].Of; !slices.Equal(of, []string{"1", "2"}) {
				t.Errorf("asked for the members of %v", of)
			}
			var of []string
			for _, g := range s.DatabricksGroups.All() {
				of = append(of, g.ID+g.Workspace)
			}
			if !slices.Equal(of, []string{"1", "2w", "3w"}) || len(s.Incomplete()) > 0 && s.Incomplete()[0].Asked {
				t.Errorf("groups %v, %+v", of, s.Incomplete())
			}
		})
	}
}

// From a base, what changed alone is asked for, and the source says what that means.
func TestWhatChangedSinceABase(t *testing.T) {
	full := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	asOf := full.Add(time.Second)
	var b audit.Builder
	b.Okta = audit.Source{Tenant: "https://example.okta.com", Started: full}
	for _, in := range []audit.Input{audit.OktaUsers, audit.OktaGroups, audit.OktaMembers} {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: in != audit.OktaGroups, AsOf: asOf})
	}
	for _, record := range []any{audit.OktaUser{ID: "00u1", Login: "old"}, audit.OktaUser{ID: "00u2"}, audit.OktaGroup{ID: "00g1"},
		audit.OktaGroupMembers{Group: "00g1"}, audit.OktaGroupMembers{Group: "gone"}} {
		if err := b.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	base, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	base.Digest = "sha256:base"
	okta := &directory{tenant: "https://example.okta.com", lists: map[audit.Input]list{
		audit.OktaUsers:  pages(complete(3), audit.Page{Update: true, Records: []any{audit.OktaUser{ID: "00u1", Login: "new"}, audit.OktaUser{ID: "00u3"}}}),
		audit.OktaGroups: pages(audit.Reading{Complete: true, Expected: 2, Received: 2, AsOf: asOf}, audit.Page{Records: []any{audit.OktaGroup{ID: "00g1"}, audit.OktaGroup{ID: "00g2"}}}),
	}}
	now := full.Add(48 * time.Hour)
	s := snapshot(t, fetch.Options{Okta: okta, Members: true, Base: base, Now: func() time.Time { return now }})
	if !slices.Equal(oktaUserIDs(s), []string{"00u1", "00u2", "00u3"}) || s.OktaUsers.At(0).Login != "new" {
		t.Errorf("users %v, %+v", oktaUserIDs(s), s.OktaUsers.At(0))
	}
	if s.OktaMembers.Len() != 1 || s.OktaGroups.Len() != 2 {
		t.Errorf("%d members, %d groups", s.OktaMembers.Len(), s.OktaGroups.Len())
	}
	if r := okta.asked[audit.OktaUsers][0]; !slices.Equal(r.Held, []string{"00u1", "00u2"}) || !r.HeldAsOf.Equal(asOf) {
		t.Errorf("users were asked for with %+v", r)
	}
	if r := okta.asked[audit.OktaGroups][0]; r.Held != nil { // the base does not hold all of them
		t.Errorf("groups were asked for with %+v", r)
	}
	if r := okta.asked[audit.OktaMembers][0]; !slices.Equal(r.Held, []string{"00g1"}) || !slices.Equal(r.Of, []string{"00g1", "00g2"}) {
		t.Errorf("members were asked for with %+v", r)
	}
	if s.Okta.Base != base.Digest || !s.Okta.Full.Equal(full) || !strings.Contains(strings.Join(s.Okta.Notes, ""), "The last full reading began at 2026-03-01 00:00 UTC, 48h0m0s before") {
		t.Errorf("%+v", s.Okta)
	}
	lost := &directory{lists: map[audit.Input]list{audit.OktaMembers: pages(audit.Reading{Reason: "00g2 is not there"})}}
	if r := snapshot(t, fetch.Options{Okta: lost, Members: true, Base: s}).Reading(audit.OktaMembers); !strings.HasPrefix(r.Reason, "00g2 is not there; ") || !strings.Contains(r.Reason, "take a full snapshot") {
		t.Errorf("members that can't be read: %q", r.Reason)
	}
	if again := snapshot(t, fetch.Options{Okta: &directory{tenant: "https://example.okta.com"}, Base: s, Now: func() time.Time { return now }}); !again.Okta.Full.Equal(full) {
		t.Errorf("the age of the last full reading was lost: %v", again.Okta.Full)
	}
}

// A clock that was ahead when all was read makes the reading no younger.
func TestLastFullByWhicheverClockIsBehind(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct{ started, asOf, full, want time.Time }{
		"Okta's is not known":        {started: noon, want: noon},
		"this computer's was ahead":  {started: noon.Add(120 * time.Hour), asOf: noon, want: noon},
		"this computer's was behind": {started: noon.Add(-time.Hour), asOf: noon, want: noon.Add(-time.Hour)},
		"an increment":               {started: noon, asOf: noon.Add(-time.Hour), full: noon.Add(-48 * time.Hour), want: noon.Add(-48 * time.Hour)},
	} {
		b := audit.Builder{Okta: audit.Source{Started: tt.started, Full: tt.full}}
		b.Read(audit.Reading{Input: audit.OktaUsers, Asked: true, Complete: true, AsOf: tt.asOf})
		s, err := b.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if got := fetch.LastFull(s); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
