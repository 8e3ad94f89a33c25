package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// An org is Okta's side over many nights, each object with the time at which it changed.
type org struct {
	rand    *rand.Rand
	now     time.Time
	n       int
	users   map[string][]string // by id: status, login, lastUpdated
	groups  map[string][]string // by id: name, lastUpdated, lastMembershipUpdated
	members map[string][]string
}

func (o *org) stamp() string { return o.now.UTC().Format("2006-01-02T15:04:05.000Z") }

func pick[V any](r *rand.Rand, m map[string]V) string {
	return slices.Sorted(maps.Keys(m))[r.IntN(len(m))]
}

// day lets people and groups come, change and go for good.
func (o *org) day() {
	for range 2 + o.rand.IntN(5) {
		o.now = o.now.Add(time.Hour)
		o.n++
		user, group := pick(o.rand, o.users), pick(o.rand, o.groups)
		switch o.rand.IntN(9) {
		case 0, 1:
			o.users[fmt.Sprintf("00u%d", o.n)] = []string{"ACTIVE", fmt.Sprintf("p%d@example.com", o.n), o.stamp()}
		case 2:
			o.users[user] = []string{"DEPROVISIONED", o.users[user][1], o.stamp()}
		case 3:
			o.users[user] = []string{"ACTIVE", fmt.Sprintf("q%d@example.com", o.n), o.stamp()}
		case 4:
			if len(o.users) > 4 {
				delete(o.users, user) // its groups do not say that they changed
			}
		case 5:
			id := fmt.Sprintf("00g%d", o.n)
			o.groups[id] = []string{fmt.Sprintf("team %d", o.n), o.stamp(), o.stamp()}
		case 6:
			o.groups[group] = []string{fmt.Sprintf("crew %d", o.n), o.stamp(), o.groups[group][2]}
		default:
			o.members[group] = slices.Compact(slices.Sorted(slices.Values(append(o.members[group], user))))
			o.groups[group][2] = o.stamp()
		}
	}
}

// tenant is the org, with an account whose groups are linked to all of its groups.
func (o *org) tenant() *sandbox.Tenant {
	t := &sandbox.Tenant{}
	t.Okta.GroupMembers = map[string][]string{}
	for id, u := range o.users {
		t.Okta.Users = append(t.Okta.Users, fmt.Appendf(nil, `{"id":%q,"status":%q,"created":"2026-01-01T00:00:00.000Z","lastUpdated":%q,"profile":{"login":%q,"email":%[4]q,"firstName":"Kim","lastName":"Reed"}}`, id, u[0], u[2], u[1]))
	}
	for id, g := range o.groups {
		t.Okta.Groups = append(t.Okta.Groups, fmt.Appendf(nil, `{"id":%q,"type":"OKTA_GROUP","created":"2026-01-01T00:00:00.000Z","lastUpdated":%q,"lastMembershipUpdated":%q,"profile":{"name":%q}}`, id, g[1], g[2], g[0]))
		t.Databricks.Groups = append(t.Databricks.Groups, fmt.Appendf(nil, `{"id":%q,"displayName":%q,"externalId":%q}`, "9"+id[3:], g[0], id))
		for _, user := range o.members[id] {
			if _, there := o.users[user]; there {
				t.Okta.GroupMembers[id] = append(t.Okta.GroupMembers[id], user)
			}
		}
	}
	return t
}

// TestIncrementsOverNights takes each night a full snapshot and one of what changed
// since an earlier one, often an increment itself: both hold the same, but for what
// was deleted. The short form has six nights; AIMCHECK_SOAK=1 has a hundred.
func TestIncrementsOverNights(t *testing.T) {
	nights := 6
	if os.Getenv("AIMCHECK_SOAK") != "" {
		nights = 100
	}
	const seed = 11
	o := &org{rand: rand.New(rand.NewPCG(seed, seed)), now: time.Date(2028, 2, 20, 2, 0, 0, 0, time.UTC), members: map[string][]string{}}
	o.users = map[string][]string{"00ua": {"ACTIVE", "a@example.com", o.stamp()}, "00ub": {"ACTIVE", "b@example.com", o.stamp()}}
	o.groups = map[string][]string{"00ga": {"Alpha", o.stamp(), o.stamp()}}
	var tonight atomic.Pointer[sandbox.Sandbox] // the directories keep their address
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tonight.Load().ServeHTTP(w, r) }))
	defer box.Close()
	dir := t.TempDir()
	var off time.Duration // of this computer's clock
	take := func(name string, more ...string) *audit.Snapshot {
		vars := map[string]string{}
		for _, v := range tonight.Load().Env(box.URL) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		var out bytes.Buffer
		status := run(t.Context(), &env{
			args:   append([]string{"snapshot", "-o", filepath.Join(dir, name), "--members", "--quiet", "--databricks-rate", "1000,1000,1000"}, more...),
			getenv: func(name string) string { return vars[name] }, readFile: os.ReadFile, stdin: strings.NewReader(""),
			stdout: &out, stderr: &out, now: func() time.Time { return o.now.Add(off) }, forget: func(string) {},
		})
		f, err := os.Open(filepath.Join(dir, name))
		if status != 0 || err != nil {
			t.Fatalf("%s: exit status %d, %v\n%s", name, status, err, out.String())
		}
		defer f.Close()
		s, err := snapfile.Read(f, name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// lines are the users, groups and members of a snapshot by id.
	lines := func(s *audit.Snapshot) map[string]string {
		all := map[string]string{}
		for _, u := range s.OktaUsers.All() {
			all["user "+u.ID] = u.Status + " " + u.Login
		}
		for _, g := range s.OktaGroups.All() {
			all["group "+g.ID] = g.Name
		}
		for _, m := range s.OktaMembers.All() {
			for user := range m.Members.All() {
				all["member "+m.Group+" "+user.Value] = "in"
			}
		}
		return all
	}
	type kept struct {
		name  string
		lines map[string]string
		full  time.Time
	}
	var earlier []kept
	for night := range nights {
		o.day()
		o.now = o.now.Truncate(24 * time.Hour).Add(26 * time.Hour)
		off = []time.Duration{0, 40 * time.Minute, -40 * time.Minute}[o.rand.IntN(3)]
		box, err := sandbox.New(o.tenant(), sandbox.Options{Rates: sandbox.NoLimits(), Now: func() time.Time { return o.now }})
		if err != nil {
			t.Fatal(err)
		}
		tonight.Store(box)
		whole := kept{name: fmt.Sprintf("full%d", night), full: o.now.Add(min(off, 0))}
		whole.lines = lines(take(whole.name))
		if night > 0 {
			base := earlier[max(0, len(earlier)-1-o.rand.IntN(3))]
			s := take(fmt.Sprintf("since%d", night), "--since", filepath.Join(dir, base.name), "--max-age", "10000h")
			want, got := maps.Clone(whole.lines), lines(s)
			for line, says := range base.lines {
				words := strings.Fields(line)
				if _, there := o.users[words[len(words)-1]]; there || words[0] == "group" {
					continue
				}
				want[line] = says // who was deleted is still there,
				if _, in := got[line]; !in && words[0] == "member" {
					delete(want, line) // but not in a group that was read again
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("night %d, since %s (-want +got)\n%s", night, base.name, diff)
			}
			if d := s.Okta.Full.Sub(base.full); d < -time.Second || d > time.Second {
				t.Errorf("night %d, since %s: the last full reading began at %v, want %v", night, base.name, s.Okta.Full, base.full)
			}
			earlier = append(earlier, kept{fmt.Sprintf("since%d", night), lines(s), base.full})
		}
		if night%4 == 0 {
			earlier = append(earlier, whole)
		}
	}
}
