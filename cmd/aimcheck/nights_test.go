package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	"github.com/aimcheck/aimcheck/internal/history/pgtest"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// A person is in both directories.
type person struct {
	n        int
	linked   bool
	left     bool // DEPROVISIONED in Okta
	renamed  bool // Okta has another name by now
	twin     bool // another Okta user has the address as email
	waiver   string
	accepted bool // the waiver accepts a blocker
}

func (p *person) old() string  { return fmt.Sprintf("person%d@example.com", p.n) }
func (p *person) okta() string { return fmt.Sprintf("00u%d", p.n) }
func (p *person) user() string { return fmt.Sprintf("databricks:user:%d", 1000+p.n) }

// A company is a pair of directories over many nights, and what a slow and
// obvious reader of the rules expects of them.
type company struct {
	rand   *rand.Rand
	people []*person
}

// day lets people join and leave, be renamed and mended.
func (c *company) day() {
	for range 1 + c.rand.IntN(3) {
		c.people = append(c.people, &person{n: len(c.people) + 1, linked: c.rand.IntN(3) > 0})
	}
	for range 3 + c.rand.IntN(4) {
		p := c.people[c.rand.IntN(len(c.people))]
		switch c.rand.IntN(8) {
		case 0, 1:
			p.linked = p.linked || !p.left && !p.twin
		case 2:
			p.left = !p.renamed && !p.twin
		case 3:
			p.left = false // back again
		case 4:
			p.renamed = p.linked && !p.left && !p.twin
		case 5:
			p.renamed = false
		case 6:
			p.twin = !p.left && !p.renamed
		case 7:
			p.twin = false
		}
	}
}

func (c *company) tenant() *sandbox.Tenant {
	t := &sandbox.Tenant{}
	okta := func(id, status, login, email, last string) {
		t.Okta.Users = append(t.Okta.Users, fmt.Appendf(nil, `{"id":%q,"status":%q,"profile":{"login":%q,"email":%q,"firstName":"Kim","lastName":%q}}`, id, status, login, email, last))
	}
	for _, p := range c.people {
		name, status, id := p.old(), "ACTIVE", ""
		if p.renamed {
			name = fmt.Sprintf("person%d.married@example.com", p.n)
		}
		if p.left {
			status = "DEPROVISIONED"
		}
		okta(p.okta(), status, name, name, "Reed")
		if p.twin {
			okta(p.okta()+"twin", "ACTIVE", fmt.Sprintf("other%d@example.com", p.n), p.old(), "Cole")
		}
		if p.linked {
			id = p.okta()
		}
		t.Databricks.Users = append(t.Databricks.Users, fmt.Appendf(nil,
			`{"id":"%d","userName":%q,"externalId":%q,"active":true,"name":{"givenName":"Kim","familyName":"Reed"}}`, 1000+p.n, p.old(), id))
	}
	return t
}

// expected is the findings that there are, by rule and key: severity and whether
// they are waived. Where the users of Databricks can't be read, what Okta alone
// shows is left, and how grave that is nobody knows.
func (c *company) expected(today string, half bool) map[string]string {
	all := map[string]string{}
	for _, p := range c.people {
		say := func(rule, key, severity string) {
			all[rule+" "+key] = severity
		}
		if p.twin {
			severity := "blocker"
			if half {
				severity = "error"
			}
			say("shared-email", p.old(), severity)
			say("login-email-collision", p.old(), severity)
		}
		if half {
			continue
		}
		switch {
		case p.twin && p.linked:
			say("ambiguous-username", p.user(), "error")
		case p.twin:
			say("ambiguous-username", p.user(), "blocker")
		}
		switch {
		case !p.linked && p.left:
			say("missing-external-id", p.user(), "warning")
		case !p.linked:
			say("missing-external-id", p.user(), "blocker")
		}
		if p.left {
			say("linked-to-deprovisioned", p.user(), "error")
		}
		if p.renamed {
			say("username-drift", p.user(), "blocker")
		}
		if s, ok := all["missing-external-id "+p.user()]; ok && p.waived(today) && (s != "blocker" || p.accepted) {
			all["missing-external-id "+p.user()] = s + " waived"
		}
	}
	return all
}

// waived: the waiver names the person in both directories, and nobody else.
func (p *person) waived(today string) bool { return p.waiver != "" && today <= p.waiver && !p.twin }

func (c *company) waivers() string {
	text := "waivers:\n"
	for _, p := range c.people {
		if p.waiver != "" {
			text += fmt.Sprintf("- rule: missing-external-id\n  subjects: [%s, okta:user:%s]\n  owner: team\n  reason: a test\n  expires: %s\n  accept_blocker: %t\n", p.user(), p.okta(), p.waiver, p.accepted)
		}
	}
	return text
}

// A memory is what somebody would remember who looked at every night.
type memory struct {
	findings map[string]*remembered
	runs     []audit.PastRun
	told     map[string]string // what was open when somebody was last told, as expected has it
	ever     map[string]bool   // what had been seen by then
	verdict  string            // of that run; blank: none yet
}

type remembered struct {
	open        bool
	first, last time.Time
	was         string // as expected has it
}

// TestSixtyNights lives through nights of a company. Each night is checked whole:
// findings, states, days, counts, alert and exit status, with both databases. The
// short form has ten nights; AIMCHECK_SOAK=1 has sixty.
func TestSixtyNights(t *testing.T) {
	nights := 10
	if os.Getenv("AIMCHECK_SOAK") != "" {
		nights = 60
	}
	t.Run("sqlite", func(t *testing.T) { liveThrough(t, nights, filepath.Join(t.TempDir(), "aimcheck.db")) })
	t.Run("postgres", func(t *testing.T) { liveThrough(t, nights, pgtest.Start(t).URL(t, "nights")) })
}

func liveThrough(t *testing.T, nights int, place string) {
	c := &company{rand: rand.New(rand.NewPCG(7, 7))}
	m := &memory{findings: map[string]*remembered{}, ever: map[string]bool{}}
	dir := t.TempDir()
	var alerts []string
	deaf := false
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if deaf {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		body, _ := io.ReadAll(r.Body)
		alerts = append(alerts, string(body))
	}))
	defer hook.Close()
	var tonight atomic.Pointer[sandbox.Sandbox] // the directories keep their address
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tonight.Load().ServeHTTP(w, r) }))
	defer box.Close()

	start := time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	for night := range nights {
		c.day()
		now := start.AddDate(0, 0, night)
		switch night % 20 {
		case 5:
			now = now.AddDate(1, 0, 0) // a clock that is a year ahead
		case 8:
			now = now.AddDate(0, 0, -6)
		}
		half := night%7 == 4 // Databricks does not give its users
		deaf = night%9 == 6
		today := now.Format(time.DateOnly)
		if p := c.people[c.rand.IntN(len(c.people))]; night%3 == 1 {
			p.waiver, p.accepted = now.AddDate(0, 0, 2+c.rand.IntN(9)).Format(time.DateOnly), c.rand.IntN(4) > 0
		}
		if err := os.WriteFile(filepath.Join(dir, "waivers.yaml"), []byte(c.waivers()), 0o600); err != nil {
			t.Fatal(err)
		}
		tenant, err := sandbox.New(c.tenant(), sandbox.Options{Rates: sandbox.NoLimits(), Fault: func(r *http.Request) sandbox.Fault {
			if half && strings.HasSuffix(r.URL.Path, "/scim/v2/Users") {
				return sandbox.Fault{Status: http.StatusForbidden, Body: "{}"}
			}
			return sandbox.Fault{}
		}})
		if err != nil {
			t.Fatal(err)
		}
		tonight.Store(tenant)
		vars := map[string]string{"AIMCHECK_HISTORY": place, "AIMCHECK_NOTIFY": hook.URL}
		for _, v := range tenant.Env(box.URL) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		alerts = nil
		var out bytes.Buffer
		status := run(t.Context(), &env{
			args: []string{"audit", "--quiet", "--out", filepath.Join(dir, "out"), "--format", "json", "--sso-claim", "login",
				"--waivers", filepath.Join(dir, "waivers.yaml"), "--databricks-rate", "1000,1000,1000"},
			getenv: func(name string) string { return vars[name] }, readFile: os.ReadFile, stdin: strings.NewReader(""),
			stdout: &out, stderr: &out, now: func() time.Time { return now }, forget: func(string) {},
		})
		if !m.night(t, night, status, filepath.Join(dir, "out", "findings.json"), c.expected(today, half), now, half, deaf, alerts) {
			t.Fatalf("night %d, exit status %d:\n%s", night, status, out.String())
		}
	}

	vars := map[string]string{"AIMCHECK_HISTORY": place}
	var out bytes.Buffer
	if status := run(t.Context(), &env{args: []string{"history", "--output", "json"}, getenv: func(name string) string { return vars[name] },
		readFile: os.ReadFile, stdout: &out, stderr: &out, now: time.Now, forget: func(string) {}}); status != 0 || strings.Count(out.String(), `"run": `) != nights {
		t.Errorf("history: exit status %d\n%s", status, out.String())
	}
}

// night compares what a run wrote with what is remembered, and remembers it.
func (m *memory) night(t *testing.T, n, status int, name string, expected map[string]string, now time.Time, half, deaf bool, alerts []string) bool {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
		return false
	}
	var got struct {
		Verdict  string
		Findings []audit.Finding
		Resolved []audit.Gone
		Trend    []audit.PastRun
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Error(err)
		return false
	}
	same := func(what string, want, got any) {
		t.Helper()
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("night %d: %s (-want +got)\n%s", n, what, diff)
		}
	}

	// The night as it should be.
	type life struct{ Severity, State, First, Last string }
	lives, this := map[string]life{}, audit.PastRun{Time: now, Counts: map[audit.Severity]int{1: 0, 2: 0, 3: 0, 4: 0}}
	gone := []string{}
	for id, was := range expected {
		state, r := audit.Open, m.findings[id]
		switch {
		case r == nil:
			state, this.New = audit.New, this.New+1
			r = &remembered{first: now}
			m.findings[id] = r
		case !r.open:
			state, this.Reopened = audit.Reopened, this.Reopened+1
		}
		if now.Before(r.first) {
			r.first = now
		}
		severity, isWaived := strings.CutSuffix(was, " waived")
		if isWaived {
			this.Waived++
		} else {
			s, err := audit.ParseSeverity(severity)
			if err != nil {
				t.Fatal(err)
			}
			this.Counts[s]++
		}
		if half && r.was != "" {
			was = r.was // how grave it is can't be seen
		}
		r.open, r.last, r.was = true, now, was
		lives[id] = life{expected[id], string(state), r.first.Format(time.RFC3339), now.Format(time.RFC3339)}
	}
	for id, r := range m.findings {
		rule, _, _ := strings.Cut(id, " ")
		lookedFor := !half || rule == "shared-email" || rule == "login-email-collision"
		if _, there := expected[id]; !there && r.open && lookedFor {
			r.open = false
			gone = append(gone, id)
			this.Resolved++
		}
	}
	switch {
	case half:
		this.Verdict = audit.Incomplete
	case this.Counts[audit.Blocker] > 0:
		this.Verdict = audit.NotReady
	default:
		this.Verdict = audit.Ready
	}

	seen := map[string]life{}
	for _, f := range got.Findings {
		severity := f.Severity.String()
		if f.Waived {
			severity += " waived"
		}
		seen[f.Rule+" "+f.Key] = life{severity, string(f.State), f.FirstSeen.Format(time.RFC3339), f.LastSeen.Format(time.RFC3339)}
	}
	same("findings", lives, seen)
	wasGone := []string{}
	for _, g := range got.Resolved {
		wasGone = append(wasGone, g.Rule+" "+g.Key)
	}
	slices.Sort(gone)
	slices.Sort(wasGone)
	same("resolved", gone, wasGone)
	same("verdict", string(this.Verdict), got.Verdict)
	if len(m.runs) > 0 {
		same("trend", m.runs, got.Trend)
	}
	m.runs = append(m.runs, this)
	if len(m.runs) > 60 {
		m.runs = m.runs[1:]
	}

	// The alert: what is different from when somebody was last told.
	changes := map[string]int{}
	for id, r := range m.findings {
		before, wasOpen := m.told[id]
		_, wasWaived := strings.CutSuffix(before, " waived")
		_, isWaived := strings.CutSuffix(r.was, " waived")
		switch {
		case r.open && isWaived:
		case r.open && wasOpen && wasWaived:
			changes["unwaived"]++
		case r.open && wasOpen && graverThan(r.was, before):
			changes["worse"]++
		case r.open && wasOpen:
		case r.open && m.ever[id]:
			changes["reopened"]++
		case r.open:
			changes["new"]++
		case wasOpen:
			changes["resolved"]++
		}
	}
	worth := len(changes) > 0 || m.verdict != string(this.Verdict) && (m.verdict != "" || half)
	failed := worth && deaf
	want := 0
	switch {
	case failed:
		want = 1
	case half:
		want = 4
	case this.Verdict == audit.NotReady:
		want = 3
	}
	same("exit status", want, status)
	if failed || !worth {
		same("alerts", 0, len(alerts))
	} else if len(alerts) != 1 {
		same("alerts", 1, len(alerts))
	} else {
		var alert struct {
			Before  string         `json:"verdict_before"`
			Changes map[string]int `json:"changes_by_kind"`
		}
		if err := json.Unmarshal([]byte(alerts[0]), &alert); err != nil {
			t.Error(err)
		}
		same("alert", changes, alert.Changes)
		same("verdict before", m.verdict, alert.Before)
		if strings.Contains(alerts[0], "person") {
			t.Errorf("night %d: the alert names people: %s", n, alerts[0])
		}
	}
	if !failed {
		m.told, m.verdict = map[string]string{}, string(this.Verdict)
		for id, r := range m.findings {
			m.ever[id] = true
			if r.open {
				m.told[id] = r.was
			}
		}
	}
	return !t.Failed()
}

func graverThan(a, b string) bool {
	rank := []string{"info", "warning", "error", "blocker"}
	return slices.Index(rank, a) > slices.Index(rank, b)
}
