package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/fetch"
)

// A list is how a fake directory answers one request.
type list func(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading

// A directory is a fake. It knows how to answer some inputs and answers others
// with nothing, completely.
type directory struct {
	tenant string
	lists  map[audit.Input]list

	mu    sync.Mutex
	asked map[audit.Input][]audit.Request
}

func (d *directory) Source() audit.Source {
	d.mu.Lock()
	defer d.mu.Unlock()
	return audit.Source{Tenant: d.tenant, Requests: len(d.asked)}
}

func (d *directory) List(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading {
	d.mu.Lock()
	if d.asked == nil {
		d.asked = map[audit.Input][]audit.Request{}
	}
	d.asked[req.Input] = append(d.asked[req.Input], req)
	d.mu.Unlock()
	if l := d.lists[req.Input]; l != nil {
		return l(ctx, req, emit)
	}
	return audit.Reading{Complete: true, Expected: -1}
}

// inputs lists what the directory was asked for.
func (d *directory) inputs() []audit.Input { return slices.Sorted(maps.Keys(d.asked)) }

// gives answers with the records, a page each, the given time apart.
func gives(apart time.Duration, records ...any) list {
	return func(ctx context.Context, _ audit.Request, emit func(audit.Page) error) audit.Reading {
		for i, record := range records {
			select {
			case <-time.After(apart):
			case <-ctx.Done():
				return audit.Reading{Reason: "interrupted", Received: i}
			}
			if err := emit(audit.Page{Records: []any{record}, Expected: len(records)}); err != nil {
				return audit.Reading{Reason: err.Error(), Received: i}
			}
		}
		return audit.Reading{Complete: true, Expected: len(records), Received: len(records)}
	}
}

// pages answers with the pages.
func pages(reading audit.Reading, pages ...audit.Page) list {
	return func(_ context.Context, _ audit.Request, emit func(audit.Page) error) audit.Reading {
		for _, p := range pages {
			if err := emit(p); err != nil {
				break // and a careless adapter says all the same that it is complete
			}
		}
		return reading
	}
}

func complete(n int) audit.Reading {
	return audit.Reading{Complete: true, Expected: n, Received: n}
}

func snapshot(t *testing.T, o fetch.Options) *audit.Snapshot {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	s, err := fetch.Snapshot(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ids[R any](n int, at func(int) R, id func(R) string) []string {
	var list []string
	for i := range n {
		list = append(list, id(at(i)))
	}
	return list
}

func oktaUserIDs(s *audit.Snapshot) []string {
	return ids(s.OktaUsers.Len(), s.OktaUsers.At, func(u audit.OktaUser) string { return u.ID })
}

func TestSnapshotReadsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		okta := &directory{tenant: "https://example.okta.com", lists: map[audit.Input]list{
			audit.OktaUsers:  gives(time.Second, audit.OktaUser{ID: "00u3"}, audit.OktaUser{ID: "00u1"}, audit.OktaUser{ID: "00u2"}),
			audit.OktaGroups: gives(time.Second, audit.OktaGroup{ID: "00g1"}),
		}}
		databricks := &directory{tenant: "d1", lists: map[audit.Input]list{
			audit.DatabricksUsers:             gives(time.Second, audit.DatabricksUser{ID: "2"}, audit.DatabricksUser{ID: "1"}),
			audit.DatabricksGroups:            gives(time.Second, audit.DatabricksGroup{ID: "3"}),
			audit.DatabricksServicePrincipals: gives(2*time.Second, audit.DatabricksServicePrincipal{ID: "4"}),
			audit.DatabricksWorkspaces:        gives(time.Second, audit.DatabricksWorkspace{ID: "5"}),
		}}
		start := time.Now()
		s := snapshot(t, fetch.Options{Okta: okta, Databricks: databricks})

		if got, want := time.Since(start), 3*time.Second; got != want {
			t.Errorf("it takes %v, want %v: the time of the longest listing", got, want)
		}
		want := []audit.Source{
			{Tenant: "https://example.okta.com", Requests: 2, Started: start.UTC(), Finished: start.Add(3 * time.Second).UTC()},
			{Tenant: "d1", Requests: 4, Started: start.UTC(), Finished: start.Add(2 * time.Second).UTC()},
		}
		if diff := cmp.Diff(want, []audit.Source{s.Okta, s.Databricks}); diff != "" {
			t.Errorf("sources (-want +got):\n%s", diff)
		}
		if got := oktaUserIDs(s); !slices.Equal(got, []string{"00u1", "00u2", "00u3"}) {
			t.Errorf("Okta users are %q", got)
		}
		if s.DatabricksUsers.Len() != 2 || s.OktaGroups.Len() != 1 || s.DatabricksGroups.Len() != 1 ||
			s.DatabricksServicePrincipals.Len() != 1 || s.DatabricksWorkspaces.Len() != 1 {
			t.Error("something is missing")
		}
		for _, in := range audit.Inputs() {
			asked := in.Required() || in == audit.DatabricksWorkspaces
			if r := s.Reading(in); r.Asked != asked || r.Complete != asked {
				t.Errorf("%s: asked %t, complete %t, want both %t", in, r.Asked, r.Complete, asked)
			}
		}
	})
}

func TestOneDirectoryAlone(t *testing.T) {
	okta := &directory{tenant: "https://example.okta.com", lists: map[audit.Input]list{
		audit.OktaGroups: gives(0, audit.OktaGroup{ID: "00g2"}, audit.OktaGroup{ID: "00g1"}),
	}}
	s := snapshot(t, fetch.Options{Okta: okta, Members: true})
	if s.Databricks.Tenant != "" || !s.Databricks.Started.IsZero() || s.Reading(audit.DatabricksUsers).Asked {
		t.Error("something is said of Databricks")
	}
	if got, want := okta.asked[audit.OktaMembers][0].Of, []string{"00g1", "00g2"}; !slices.Equal(got, want) {
		t.Errorf("members of %q, want of all groups", got)
	}
}

func TestUnaskedIsNotRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     fetch.Options
		extra []audit.Input
	}{
		{"nothing more", fetch.Options{OktaApp: "0oa1"}, nil},
		{"members", fetch.Options{Members: true}, []audit.Input{audit.OktaMembers, audit.DatabricksMembers}},
		{"apps", fetch.Options{Apps: true}, []audit.Input{audit.OktaApps}},
		{"app users", fetch.Options{Apps: true, OktaApp: "0oa1"}, []audit.Input{audit.OktaApps, audit.OktaAppUsers}},
		{"details", fetch.Options{WorkspaceDetails: true}, []audit.Input{audit.DatabricksWorkspaceDetails}},
	} {
		t.Run(c.name, func(t *testing.T) {
			okta := &directory{lists: map[audit.Input]list{audit.OktaGroups: gives(0, audit.OktaGroup{ID: "00g1", Name: "A"})}}
			databricks := &directory{lists: map[audit.Input]list{
				audit.DatabricksGroups:     gives(0, audit.DatabricksGroup{ID: "1", DisplayName: "a "}),
				audit.DatabricksWorkspaces: gives(0, audit.DatabricksWorkspace{ID: "5"}),
			}}
			c.o.Okta, c.o.Databricks = okta, databricks
			s := snapshot(t, c.o)
			want := append([]audit.Input{audit.OktaUsers, audit.OktaGroups, audit.DatabricksUsers, audit.DatabricksGroups,
				audit.DatabricksServicePrincipals, audit.DatabricksWorkspaces}, c.extra...)
			slices.Sort(want)
			got := slices.Sorted(slices.Values(slices.Concat(okta.inputs(), databricks.inputs())))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("inputs (-want +got):\n%s", diff)
			}
			for _, in := range audit.Inputs() {
				if asked := slices.Contains(want, in); s.Reading(in).Asked != asked {
					t.Errorf("%s: asked is not %t", in, asked)
				}
			}
		})
	}
}

func TestNothingToAskFor(t *testing.T) {
	okta, databricks := &directory{}, &directory{}
	s := snapshot(t, fetch.Options{Okta: okta, Databricks: databricks, Members: true, WorkspaceDetails: true})
	for _, in := range []audit.Input{audit.OktaMembers, audit.DatabricksMembers, audit.DatabricksWorkspaceDetails} {
		if r := s.Reading(in); !r.Asked || !r.Complete {
			t.Errorf("%s: %+v, want complete: there is none", in, r)
		}
		if len(okta.asked[in])+len(databricks.asked[in]) > 0 {
			t.Errorf("%s were asked for", in)
		}
	}
}

func TestSecondLists(t *testing.T) {
	grant := audit.NewValues(audit.Value{Value: "account_admin"})
	in := func(group string) audit.Values { return audit.NewValues(audit.Value{Value: group, Type: "direct"}) }
	okta := &directory{lists: map[audit.Input]list{audit.OktaGroups: gives(0,
		audit.OktaGroup{ID: "00g1", Name: "elsewhere"}, audit.OktaGroup{ID: "00g2", Name: " Straße"},
		audit.OktaGroup{ID: "00g3", Name: "Nobody's"})}}
	databricks := &directory{lists: map[audit.Input]list{
		audit.DatabricksGroups: gives(0,
			audit.DatabricksGroup{ID: "1", DisplayName: "linked", ExternalID: "00g1"},
			audit.DatabricksGroup{ID: "2", DisplayName: "STRAßE"},
			audit.DatabricksGroup{ID: "3", DisplayName: "stale", ExternalID: "gone"},
			audit.DatabricksGroup{ID: "4", DisplayName: "local"},
			audit.DatabricksGroup{ID: "5", DisplayName: "with a role", Roles: grant},
			audit.DatabricksGroup{ID: "6", DisplayName: "with an entitlement", Entitlements: grant, Groups: in("8")},
			audit.DatabricksGroup{ID: "7", DisplayName: "in one that is in one with a role", Groups: in("8")},
			audit.DatabricksGroup{ID: "8", DisplayName: "in a ring", Groups: audit.NewValues(audit.Value{Value: "7"}, audit.Value{Value: "5"})}),
		audit.DatabricksWorkspaces: gives(0, audit.DatabricksWorkspace{ID: "w2"}, audit.DatabricksWorkspace{ID: "w1"}),
	}}
	snapshot(t, fetch.Options{Okta: okta, Databricks: databricks, Members: true, WorkspaceDetails: true, Apps: true, OktaApp: "0oa1"})
	for _, c := range []struct {
		d    *directory
		in   audit.Input
		want []string
	}{
		{okta, audit.OktaMembers, []string{"00g1", "00g2"}},
		{okta, audit.OktaAppUsers, []string{"0oa1"}},
		{databricks, audit.DatabricksMembers, []string{"1", "2", "3", "5", "6", "7", "8"}},
		{databricks, audit.DatabricksWorkspaceDetails, []string{"w1", "w2"}},
	} {
		want := []audit.Request{{Input: c.in, Of: c.want}}
		if diff := cmp.Diff(want, c.d.asked[c.in]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, diff)
		}
	}
}

// Where a group's record does not list what it is in, the members of those groups
// tell, and theirs, down to the last one, in a ring too.
func TestMembersOfNestedGroups(t *testing.T) {
	grant := audit.NewValues(audit.Value{Value: "account_admin"})
	groups := gives(0, audit.DatabricksGroup{ID: "1", DisplayName: "with a role", Roles: grant}, audit.DatabricksGroup{ID: "2", DisplayName: "in it"},
		audit.DatabricksGroup{ID: "3", DisplayName: "in that"}, audit.DatabricksGroup{ID: "4", DisplayName: "linked", ExternalID: "00g1"},
		audit.DatabricksGroup{ID: "5", DisplayName: "in one without a role"})
	inside := map[string]string{"1": "2", "2": "3", "3": "1", "4": "5"}
	for lost, want := range map[string][][]string{"": {{"1", "4"}, {"2"}, {"3"}}, "2": {{"1", "4"}, {"2"}}} {
		databricks := &directory{lists: map[audit.Input]list{
			audit.DatabricksGroups: groups,
			audit.DatabricksMembers: func(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading {
				if slices.Contains(req.Of, lost) {
					return audit.Reading{Reason: "refused", Expected: len(req.Of)}
				}
				for _, id := range req.Of {
					members := audit.NewValues(audit.Value{Value: inside[id]}, audit.Value{Value: "user"})
					if err := emit(audit.Page{Records: []any{audit.DatabricksGroupMembers{Group: id, Members: members}}}); err != nil {
						t.Error(err)
					}
				}
				r := complete(len(req.Of))
				r.Requests, r.Proof = len(req.Of), &audit.Proof{Pages: len(req.Of)}
				return r
			},
		}}
		s := snapshot(t, fetch.Options{Okta: &directory{}, Databricks: databricks, Members: true})
		var asked [][]string
		for _, req := range databricks.asked[audit.DatabricksMembers] {
			asked = append(asked, req.Of)
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("asked for (-want +got):\n%s", diff)
		}
		r := s.Reading(audit.DatabricksMembers)
		if r.Complete != (lost == "") || lost == "" && (r.Received != 4 || r.Requests != 4 || r.Proof.Pages != 4 || s.DatabricksMembers.Len() != 4) || lost != "" && r.Reason != "refused" {
			t.Errorf("%d groups' members, reading %+v", s.DatabricksMembers.Len(), r)
		}
	}
}

// A group that both the account and a workspace list is one group, which
// belongs to the workspace, however long the account's list takes.
func TestDetailsOfAListedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local := audit.DatabricksGroup{ID: "1", DisplayName: "local", Workspace: "w"}
		databricks := &directory{lists: map[audit.Input]list{
			audit.DatabricksGroups:           gives(time.Hour, audit.DatabricksGroup{ID: "1", DisplayName: "local"}),
			audit.DatabricksWorkspaces:       gives(time.Second, audit.DatabricksWorkspace{ID: "w"}),
			audit.DatabricksWorkspaceDetails: pages(complete(1), audit.Page{Records: []any{local}, Update: true}),
		}}
		s := snapshot(t, fetch.Options{Databricks: databricks, WorkspaceDetails: true})
		if s.DatabricksGroups.Len() != 1 || s.DatabricksGroups.At(0) != local || !s.Complete(audit.DatabricksGroups) {
			t.Errorf("%d groups, reading %+v", s.DatabricksGroups.Len(), s.Reading(audit.DatabricksGroups))
		}
	})
}

// The members of groups don't wait for the users.
func TestMembersStartEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := make([]any, 100)
		for i := range users {
			users[i] = audit.OktaUser{ID: fmt.Sprint(i)}
		}
		okta := &directory{lists: map[audit.Input]list{
			audit.OktaUsers:   gives(time.Second, users...),
			audit.OktaGroups:  gives(time.Second, audit.OktaGroup{ID: "00g1"}),
			audit.OktaMembers: gives(50*time.Second, audit.OktaGroupMembers{Group: "00g1"}),
		}}
		databricks := &directory{lists: map[audit.Input]list{
			audit.DatabricksGroups: gives(time.Second, audit.DatabricksGroup{ID: "1", ExternalID: "00g1"}),
		}}
		start := time.Now()
		snapshot(t, fetch.Options{Okta: okta, Databricks: databricks, Members: true})
		if got := time.Since(start); got != 100*time.Second {
			t.Errorf("it takes %v, want 100s", got)
		}
	})
}

func TestRestartAndUpdate(t *testing.T) {
	okta := &directory{lists: map[audit.Input]list{
		audit.OktaUsers: pages(complete(2),
			audit.Page{Records: []any{audit.OktaUser{ID: "gone"}, audit.OktaUser{ID: "00u1"}}},
			audit.Page{Restart: true},
			audit.Page{Records: []any{audit.OktaUser{ID: "00u1", Login: "old"}}},
			audit.Page{Records: []any{audit.OktaUser{ID: "00u2"}}},
			audit.Page{Records: []any{audit.OktaUser{ID: "00u1", Login: "new"}}, Update: true}),
		audit.OktaGroups: pages(complete(1), audit.Page{Records: []any{audit.OktaGroup{ID: "00g1", Name: "a"}}},
			audit.Page{Restart: true, Records: []any{audit.OktaGroup{ID: "00g2", Name: "b"}}}),
	}}
	// The details of workspaces hold groups too, and are read while others may be.
	databricks := &directory{lists: map[audit.Input]list{
		audit.DatabricksGroups: pages(complete(2),
			audit.Page{Records: []any{audit.DatabricksGroup{ID: "1", DisplayName: "a"}}},
			audit.Page{Restart: true, Records: []any{audit.DatabricksGroup{ID: "2", DisplayName: "b"}, audit.DatabricksGroup{ID: "3"}}}),
		audit.DatabricksWorkspaces: pages(complete(1), audit.Page{Records: []any{audit.DatabricksWorkspace{ID: "w"}}}),
		audit.DatabricksWorkspaceDetails: pages(complete(2),
			audit.Page{Records: []any{audit.DatabricksGroup{ID: "8", Workspace: "w"}, audit.DatabricksAssignment{Principal: "1", Workspace: "w"}}, Update: true},
			audit.Page{Restart: true, Records: []any{audit.DatabricksGroup{ID: "9", Workspace: "w"}}, Update: true},
			audit.Page{Records: []any{audit.DatabricksAssignment{Principal: "2", Workspace: "v"}}, Update: true},
			audit.Page{Records: []any{audit.DatabricksAssignment{Principal: "2", Workspace: "w"}}, Update: true}),
	}}
	s := snapshot(t, fetch.Options{Okta: okta, Databricks: databricks, Members: true, WorkspaceDetails: true})
	if bad := s.Incomplete(); len(bad) > 0 {
		t.Errorf("incomplete: %+v", bad)
	}
	if got := oktaUserIDs(s); !slices.Equal(got, []string{"00u1", "00u2"}) {
		t.Errorf("Okta users are %q", got)
	}
	if got := s.OktaUsers.At(0).Login; got != "new" {
		t.Errorf("login is %q, want the updated one", got)
	}
	groups := ids(s.DatabricksGroups.Len(), s.DatabricksGroups.At, func(g audit.DatabricksGroup) string { return g.ID })
	if want := []string{"2", "3", "9"}; !slices.Equal(groups, want) {
		t.Errorf("groups are %q, want %q", groups, want)
	}
	assignments := ids(s.DatabricksAssignments.Len(), s.DatabricksAssignments.At,
		func(a audit.DatabricksAssignment) string { return a.Principal + a.Workspace })
	if want := []string{"2v", "2w"}; !slices.Equal(assignments, want) {
		t.Errorf("assignments are %q, want %q", assignments, want)
	}
	if got := okta.asked[audit.OktaMembers][0].Of; !slices.Equal(got, []string{"00g2"}) {
		t.Errorf("members of %q, want those of the groups after the restart", got)
	}
}

func TestWhatIsNotCompleteSaysSo(t *testing.T) {
	user, group := audit.OktaUser{ID: "00u1"}, audit.OktaGroup{ID: "00g1"}
	for _, c := range []struct {
		name string
		in   audit.Input
		list list
		want string // in the reason
	}{
		{"failed", audit.OktaUsers, pages(audit.Reading{Reason: "GET /api/v1/users: 500"}, audit.Page{Records: []any{user}}), "GET /api/v1/users: 500"},
		{"ended without a word", audit.OktaUsers, pages(audit.Reading{}), "ended early"},
		{"fewer than announced", audit.OktaUsers, pages(audit.Reading{Complete: true, Expected: 3, Received: 2, Proof: &audit.Proof{}}), "3 objects were announced and 2 received"},
		{"twice the same id", audit.OktaUsers, pages(complete(2), audit.Page{Records: []any{user, user}}), `two objects have the id "00u1"`},
		{"no id", audit.OktaUsers, pages(complete(1), audit.Page{Records: []any{audit.OktaUser{}}}), "no id"},
		{"no record", audit.OktaUsers, pages(complete(1), audit.Page{Records: []any{"x"}}), "string is no record"},
		{"undecoded", audit.OktaUsers, pages(complete(1), audit.Page{Records: []any{audit.Undecoded{Raw: []byte("{}"), Error: "no id in it"}}}), "no id in it"},
		{"list of workspaces", audit.DatabricksWorkspaces, pages(audit.Reading{Reason: "403"}, audit.Page{Records: []any{audit.DatabricksWorkspace{ID: "w"}}}), "403"},
		{"list of groups", audit.OktaGroups, pages(audit.Reading{Reason: "403"}, audit.Page{Records: []any{group}}), "403"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lists := map[audit.Input]list{
				audit.DatabricksUsers: gives(0, audit.DatabricksUser{ID: "1"}),
				c.in:                  c.list,
			}
			s := snapshot(t, fetch.Options{Okta: &directory{lists: lists}, Databricks: &directory{lists: lists},
				Members: true, WorkspaceDetails: true})
			if r := s.Reading(c.in); !r.Asked || r.Complete || r.Proof != nil || !strings.Contains(r.Reason, c.want) {
				t.Errorf("reading is %+v, want it not complete because of %q", r, c.want)
			}
			if !s.Complete(audit.DatabricksUsers) || s.DatabricksUsers.Len() != 1 {
				t.Error("another listing is lost")
			}
			based := map[audit.Input][]audit.Input{
				audit.DatabricksWorkspaces: {audit.DatabricksWorkspaceDetails},
				audit.OktaGroups:           {audit.OktaMembers, audit.DatabricksMembers},
			}[c.in]
			for _, in := range []audit.Input{audit.DatabricksWorkspaceDetails, audit.OktaMembers, audit.DatabricksMembers} {
				r := s.Reading(in)
				if r.Complete == slices.Contains(based, in) {
					t.Errorf("%s: %+v", in, r)
				}
				if !r.Complete && !strings.Contains(r.Reason, c.in.String()) {
					t.Errorf("%s: the reason %q does not name %s", in, r.Reason, c.in)
				}
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		okta := &directory{lists: map[audit.Input]list{audit.OktaUsers: gives(time.Hour, audit.OktaUser{ID: "00u1"})}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		s, err := fetch.Snapshot(ctx, fetch.Options{Okta: okta, Databricks: &directory{}, Members: true, Now: time.Now})
		if s != nil || !errors.Is(err, context.Canceled) || time.Since(start) != time.Minute {
			t.Errorf("after %v: snapshot %v, error %v", time.Since(start), s, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := fetch.Snapshot(ctx, fetch.Options{Okta: okta, Now: time.Now}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("past its deadline the error is %v", err)
		}
	})
}

func TestEvents(t *testing.T) {
	okta := &directory{lists: map[audit.Input]list{
		audit.OktaUsers: pages(audit.Reading{Reason: "cut"},
			audit.Page{Records: []any{audit.OktaUser{ID: "00u1"}}, Expected: 3},
			audit.Page{Restart: true},
			audit.Page{Records: []any{audit.OktaUser{ID: "00u1"}, audit.OktaUser{ID: "00u2"}}},
			audit.Page{Records: []any{audit.OktaUser{ID: "00u1"}}, Update: true}),
		audit.OktaGroups:  pages(complete(1), audit.Page{Records: []any{audit.OktaGroup{ID: "00g1"}}}),
		audit.OktaMembers: pages(complete(1), audit.Page{Records: []any{audit.OktaGroupMembers{Group: "00g1"}}}),
	}}
	databricks := &directory{lists: map[audit.Input]list{
		audit.DatabricksWorkspaces: pages(complete(2), audit.Page{Records: []any{audit.DatabricksWorkspace{ID: "v"}, audit.DatabricksWorkspace{ID: "w"}}}),
		audit.DatabricksWorkspaceDetails: pages(complete(2),
			audit.Page{Update: true}, audit.Page{Records: []any{audit.DatabricksAssignment{Principal: "1"}, audit.DatabricksAssignment{Principal: "2"}}, Update: true}),
		audit.DatabricksGroups: pages(complete(1), audit.Page{Records: []any{audit.DatabricksGroup{ID: "1", ExternalID: "00g1"}}}),
	}}
	got := map[audit.Input][]fetch.Event{} // no lock: events come one at a time
	snapshot(t, fetch.Options{Okta: okta, Databricks: databricks, Members: true, WorkspaceDetails: true,
		Event: func(e fetch.Event) { got[e.Input] = append(got[e.Input], e) }})
	for in, want := range map[audit.Input][]fetch.Event{
		audit.OktaUsers: {{Received: 1, Expected: 3}, {Expected: 3}, {Received: 2, Expected: 3}, {Received: 2, Expected: 3},
			{Received: 2, Expected: 3, Done: true, Reason: "cut"}},
		audit.OktaGroups:                 {{Received: 1}, {Received: 1, Done: true}},
		audit.OktaMembers:                {{Expected: 1, Requests: 1}, {Received: 1, Expected: 1}, {Received: 1, Expected: 1, Done: true}},
		audit.DatabricksWorkspaceDetails: {{Expected: 2, Requests: 2}, {Received: 1, Expected: 2}, {Received: 2, Expected: 2}, {Received: 2, Expected: 2, Done: true}},
		audit.DatabricksUsers:            {{Done: true}},
	} {
		for i := range want {
			want[i].Input = in
		}
		if diff := cmp.Diff(want, got[in]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}
