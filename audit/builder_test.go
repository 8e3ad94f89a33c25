package audit_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

func build(t *testing.T, records ...any) *audit.Builder {
	t.Helper()
	var b audit.Builder
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func TestBuilderOrderLeavesNoTrace(t *testing.T) {
	records := []any{
		audit.DatabricksAssignment{Principal: "2", Workspace: "w2"},
		audit.DatabricksAssignment{Principal: "1", Workspace: "w3"},
		audit.DatabricksAssignment{Principal: "1", Workspace: "w10"},
		audit.Undecoded{Raw: []byte("x"), Error: "b"},
		audit.Undecoded{Raw: []byte("x"), Error: "a"},
	}
	s, err := build(t, records...).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(records)
	r, err := build(t, records...).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range s.DatabricksAssignments.All() {
		if b := r.DatabricksAssignments.At(i); a != b {
			t.Errorf("assignment %d is %v in one order and %v in the other", i, a, b)
		}
	}
	if s.Undecoded[0].Error != r.Undecoded[0].Error {
		t.Errorf("undecoded objects stand in the order in which they came")
	}
}

func TestBuilderContradiction(t *testing.T) {
	b := build(t, audit.OktaUser{ID: "u2"}, audit.OktaUser{ID: "u1", Login: "z"}, audit.OktaUser{},
		audit.OktaUser{ID: "u1", Login: "a"}, audit.OktaGroup{ID: "g1"})
	b.Read(audit.Reading{Input: audit.OktaUsers, Asked: true, Complete: true})
	b.Read(audit.Reading{Input: audit.OktaGroups, Asked: true, Complete: true})
	s, err := b.Snapshot()
	if err == nil {
		t.Fatal("two users with one id are no error")
	}
	if r := s.Reading(audit.OktaUsers); r.Complete || !strings.Contains(r.Reason, "no id") {
		t.Errorf("reading is %+v", r)
	}
	if !s.Complete(audit.OktaGroups) {
		t.Error("groups are incomplete because of users")
	}
	var got []string
	for _, u := range s.OktaUsers.All() {
		got = append(got, u.ID+u.Login)
	}
	if want := []string{"u1a", "u2"}; !slices.Equal(got, want) {
		t.Errorf("users are %q, want %q", got, want)
	}
}

func TestBuilderForgetsGroupsByListing(t *testing.T) {
	account, local := audit.DatabricksGroup{ID: "1"}, audit.DatabricksGroup{ID: "2", Workspace: "w"}
	for in, want := range map[audit.Input]audit.DatabricksGroup{
		audit.DatabricksGroups:           local,
		audit.DatabricksWorkspaceDetails: account,
	} {
		b := build(t, account, local)
		b.Forget(in)
		s, err := b.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if n := s.DatabricksGroups.Len(); n != 1 || s.DatabricksGroups.At(0) != want {
			t.Errorf("after Forget(%s) there are %d groups, want %v alone", in, n, want)
		}
	}
}

func TestBuilderMove(t *testing.T) {
	records := []any{
		audit.OktaUser{ID: "u3", Login: "c"}, &audit.OktaUser{ID: "u1", Login: "a"}, audit.DatabricksAssignment{Principal: "2", Workspace: "w2"},
		&audit.Undecoded{Raw: []byte("x"), Error: "a"}, audit.OktaUser{ID: "u2"}, audit.OktaGroup{ID: "g1"}, audit.OktaUser{ID: "u0"},
	}
	want, err := build(t, records...).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b := build(t, records[0])
	part := build(t)
	for i := 1; i < len(records); i += 2 { // the same part each time
		for _, r := range records[i : i+2] {
			if err := part.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Move(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := part.Update(audit.OktaUser{ID: "u3", Login: "new"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Move(part); err != nil {
		t.Fatal(err)
	}
	got, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if got.OktaUsers.Len() != want.OktaUsers.Len() || got.OktaGroups.Len() != 1 || got.DatabricksAssignments.Len() != 1 || len(got.Undecoded) != 1 {
		t.Fatalf("%d users, %d groups, %d assignments, %d undecoded", got.OktaUsers.Len(), got.OktaGroups.Len(), got.DatabricksAssignments.Len(), len(got.Undecoded))
	}
	for i, u := range want.OktaUsers.All() {
		if u.ID == "u3" {
			u.Login = "new"
		}
		if got.OktaUsers.At(i) != u {
			t.Errorf("user %d is %v, want %v", i, got.OktaUsers.At(i), u)
		}
	}
	if empty, err := part.Snapshot(); err != nil || empty.OktaUsers.Len() != 0 || len(empty.Undecoded) != 0 {
		t.Errorf("what was moved is still there, or %v", err)
	}
}

// An email that is the login is not kept a second time; no email may be taken for one.
func TestEmailBesideLogin(t *testing.T) {
	texts := []string{"", "\x00", "\x00\x00", "\x00a", "a", "A"}
	var b audit.Builder
	want := map[string]audit.OktaUser{}
	for i, login := range texts {
		for j, email := range texts {
			u := audit.OktaUser{ID: string(rune('a'+i)) + string(rune('a'+j)), Status: "ACTIVE", Login: login, Email: email, LastName: "L"}
			want[u.ID] = u
			if err := b.Add(u); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	ix := audit.NewIndex(s, audit.Settings{})
	for o := range ix.All(audit.OktaUserKind) {
		u := ix.OktaUser(o)
		if u != want[u.ID] {
			t.Errorf("%q came back as %q", want[u.ID], u)
		}
		if two := u.Login != "" && u.Email != "" && audit.Fold(u.Login) != audit.Fold(u.Email); ix.TwoNames(o) != two {
			t.Errorf("%q: that it has two names is %v by the index", u, !two)
		}
	}
}

// Records stand in blocks of memory, some of which are smaller than an address step,
// some larger.
func TestRecordsOfAnySize(t *testing.T) {
	var want []audit.OktaGroup
	for i, size := range []int{1, 100, 127, 128, 70_000, 3, 1 << 16, 3 << 20, 5, 1<<16 - 9, 1 << 20, 1, 2 << 16, 17} {
		want = append(want, audit.OktaGroup{ID: fmt.Sprintf("%02d", i), Name: strings.Repeat(string(rune('a'+i)), size), Updated: "u"})
	}
	var whole, moved, part audit.Builder
	for i, g := range want {
		if err := errors.Join(whole.Add(g), part.Add(g)); err != nil {
			t.Fatal(err)
		}
		if i%3 != 0 {
			if err := moved.Move(&part); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := moved.Move(&part); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*audit.Builder{&whole, &moved} {
		s, err := b.Snapshot()
		if err != nil || s.OktaGroups.Len() != len(want) {
			t.Fatalf("%d groups, %v", s.OktaGroups.Len(), err)
		}
		for i, g := range s.OktaGroups.All() {
			if at, found := s.OktaGroups.Find(g.ID); g != want[i] || at != i || !found {
				t.Errorf("group %d is not what it was", i)
			}
		}
	}
}

// However records come - in which order, side by side or one after another, in place
// of others or not, large or small - those of a table are the ones that came last.
func TestBuilderAnyWay(t *testing.T) {
	few := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "9", "10", "100", "a"}), 0, 40)
	ascending := rapid.Map(few, func(ids []string) []string { return slices.Sorted(slices.Values(ids)) }) // as directories list them
	sizes := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 3, 100, 127, 128, 300, 1000, 1 << 16, 70_000, 1 << 20})
	rapid.Check(t, func(t *rapid.T) {
		var b, part audit.Builder
		b.Read(audit.Reading{Input: audit.OktaGroups, Asked: true, Complete: true})
		want := map[string][]audit.OktaGroup{}
		move := func() {
			if err := b.Move(&part); err != nil {
				t.Fatal(err)
			}
		}
		for i, id := range rapid.OneOf(few, ascending).Draw(t, "ids") {
			g := audit.OktaGroup{ID: id, Name: strings.Repeat(string(rune('A'+i)), sizes.Draw(t, "size"))}
			add, update := part.Add, rapid.IntRange(0, 3).Draw(t, "update") > 0
			if update {
				add = part.Update
			}
			if rapid.Bool().Draw(t, "at once") {
				move()
				if add = b.Add; update {
					add = b.Update
				}
			}
			if err := add(g); err != nil {
				t.Fatal(err)
			}
			if update {
				want[g.ID] = nil
			}
			want[g.ID] = append(want[g.ID], g)
			if rapid.IntRange(0, 4).Draw(t, "move") == 0 {
				move()
			}
		}
		move()
		s, err := b.Snapshot()
		several := false
		for i, id := range slices.Sorted(maps.Keys(want)) {
			several = several || len(want[id]) > 1
			if at, found := s.OktaGroups.Find(id); !found || at != i {
				t.Fatalf("group %s is at %d, %v, want %d", id, at, found, i)
			}
			if got := s.OktaGroups.At(i); !slices.Contains(want[id], got) {
				t.Fatalf("group %s is %.9q of %d bytes", id, got.Name, len(got.Name))
			}
		}
		if s.OktaGroups.Len() != len(want) || several != (err != nil) || s.Complete(audit.OktaGroups) == several {
			t.Fatalf("%d groups, want %d; an id is that of several: %v, and it is said: %v", s.OktaGroups.Len(), len(want), several, err)
		}
	})
}

// The first record of a block is compared with the last one of the block before.
func TestOrderAcrossBlocks(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	s, err := build(t, audit.OktaGroup{ID: "2", Name: large}, audit.OktaGroup{ID: "1"}).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if s.OktaGroups.Key(0) != "1" || s.OktaGroups.Key(1) != "2" {
		t.Errorf("groups are %q and %q", s.OktaGroups.Key(0), s.OktaGroups.Key(1))
	}
	if _, err := build(t, audit.OktaGroup{ID: "1", Name: large}, audit.OktaGroup{ID: "1"}).Snapshot(); err == nil {
		t.Error("two groups with one id are no error")
	}
}
