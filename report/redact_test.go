package report

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

var testKey = []byte("a key of the tests alone")

func redacted(t tester, r *audit.Report, key []byte) *audit.Report {
	t.Helper()
	out, err := Redact(r, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// filesOf are the files that are written of r.
func filesOf(t testing.TB, r *audit.Report) []File {
	return slices.DeleteFunc(everyFormat(t), func(f File) bool { return f.Lacks(r) })
}

// A secret is a text that no redacted report may hold.
type secrets struct {
	t    *rapid.T
	all  map[string]bool
	used []string
}

// word draws a word that no report has by itself: an old one now and then, so
// that identities collide.
func (s *secrets) word(label string) string {
	if len(s.used) > 0 && rapid.IntRange(0, 2).Draw(s.t, label+" again") == 0 {
		return rapid.SampledFrom(s.used).Draw(s.t, label)
	}
	w := rapid.StringMatching(`[bcdfghjklmnpqrstvwxz]{3}q[bcdfghjklmnpqrstvwxz]{4}`).Draw(s.t, label)
	s.all[w] = true
	s.used = append(s.used, w)
	return w
}

func (s *secrets) address(label string) string {
	a := s.word(label) + "@" + s.word(label) + ".test"
	switch rapid.IntRange(0, 3).Draw(s.t, label+" letters") {
	case 0:
		return strings.ToUpper(a)
	case 1:
		return " " + a
	}
	return a
}

func (s *secrets) id(prefix string, i int) string {
	id := fmt.Sprintf("%s%s%d", prefix, s.word("id"), i)
	s.all[id] = true
	return id
}

func (s *secrets) number(i int) string {
	id := fmt.Sprint(7_310_000_000_000+rapid.IntRange(0, 900_000_000).Draw(s.t, "number")) + fmt.Sprint(i)
	s.all[id] = true
	return id
}

// drawSecrets audits a tenant in which every text is a secret.
func drawSecrets(t *rapid.T) (*audit.Report, map[string]bool) {
	s := &secrets{t: t, all: map[string]bool{}}
	b := &audit.Builder{
		Okta:       audit.Source{Tenant: "https://" + s.word("org") + ".okta.test", Finished: readAt(), Caller: s.address("caller"), Notes: []string{"signed in as " + s.address("note")}},
		Databricks: audit.Source{Tenant: s.number(0), Finished: readAt(), Caller: s.word("caller"), Files: true},
	}
	add := func(record any) {
		if err := b.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	var okta []string
	external := func() string {
		if len(okta) == 0 || rapid.Bool().Draw(t, "none") {
			return ""
		}
		if id := rapid.SampledFrom(okta).Draw(t, "external"); rapid.IntRange(0, 4).Draw(t, "case") > 0 {
			return id
		} else {
			return strings.ToUpper(id)
		}
	}
	var members []audit.Value
	for i := range rapid.IntRange(0, 5).Draw(t, "oktaUsers") {
		u := audit.OktaUser{ID: s.id("00u", i), Status: rapid.SampledFrom([]string{"ACTIVE", "DEPROVISIONED", "SUSPENDED"}).Draw(t, "status"),
			Login: s.address("login"), Email: s.address("email"), FirstName: s.word("first"), LastName: s.word("last")}
		okta, members = append(okta, u.ID), append(members, audit.Value{Value: u.ID})
		add(u)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "oktaGroups") {
		g := audit.OktaGroup{ID: s.id("00g", i), Type: "OKTA_GROUP", Name: s.word("group")}
		okta = append(okta, g.ID)
		add(g)
		add(audit.OktaGroupMembers{Group: g.ID, Members: audit.NewValues(members...)})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "apps") {
		add(audit.OktaApp{ID: s.id("0oa", i), Label: s.word("label"), Status: "ACTIVE", ClientID: s.word("client")})
	}
	var group string
	for i := range rapid.IntRange(0, 3).Draw(t, "groups") {
		group = s.number(i)
		add(audit.DatabricksGroup{ID: group, DisplayName: s.word("displayName"), ExternalID: external(), ResourceType: "Group", Roles: audit.NewValues(audit.Value{Value: "account_admin"})})
		add(audit.DatabricksGroupMembers{Group: group, Members: audit.NewValues(audit.Value{Value: s.number(9)})})
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "users") {
		roles := []audit.Value{{Value: "account_admin", Type: "direct"}, {Value: s.word("role")}}
		add(audit.DatabricksUser{ID: s.number(i), UserName: s.address("userName"), ExternalID: external(), GivenName: s.word("given"), FamilyName: s.word("family"),
			DisplayName: s.word("display"), Active: rapid.Bool().Draw(t, "active"), Roles: audit.NewValues(roles[:rapid.IntRange(0, 2).Draw(t, "roles")]...),
			Groups: audit.NewValues(audit.Value{Value: group}), Emails: audit.NewValues(audit.Value{Value: s.address("mail")})})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "principals") {
		add(audit.DatabricksServicePrincipal{ID: s.number(i), ApplicationID: s.word("application"), DisplayName: s.word("principal"), ExternalID: external()})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "workspaces") {
		add(audit.DatabricksWorkspace{ID: s.number(i), Name: s.word("workspace"), Status: "RUNNING", Federation: rapid.SampledFrom([]string{"true", "false", ""}).Draw(t, "federation")})
	}
	whole := rapid.Bool().Draw(t, "whole")
	missing := rapid.SampledFrom(audit.Inputs()).Draw(t, "missing")
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: whole || in != missing, Reason: "the listing of " + s.word("reason") + " ended; see " + s.word("reason"), API: "GET /" + s.word("api")})
	}
	snap, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	snap.Digest = "sha256:" + strings.Repeat("5ec4e7d1", 8)
	s.all[snap.Digest[7:]] = true
	set := audit.Settings{SSOClaim: rapid.SampledFrom([]audit.Claim{"", audit.ClaimLogin, audit.ClaimEmail}).Draw(t, "claim"), UnifiedLogin: audit.On,
		SCIMTokenOwner: s.address("owner"), OktaApp: s.word("app"), Include: []string{"names", "overwrite", "clear", "deactivate"},
		Exclude: []string{audit.FindingID("missing-name", s.word("excluded")), "missing-name"}}
	s.all[strings.TrimPrefix(set.Exclude[0], "missing-name-")] = true
	o := audit.Options{Settings: set, Version: "1.2.3", Now: readAt(), Expires: time.Hour}
	for _, rule := range []string{"shared-email", "missing-external-id", "unknown-external-id"} {
		o.Waivers = append(o.Waivers, audit.Waiver{Rule: rule, Pattern: rapid.SampledFrom([]string{"*", s.word("pattern") + "*"}).Draw(t, "pattern"),
			Owner: s.address("waiver"), Reason: "since " + s.word("because"), Expires: "2027-01-01", AcceptBlocker: rapid.Bool().Draw(t, "accept"), Where: "/home/" + s.word("where") + "/waivers.yaml:3"})
	}
	r, err := audit.Run(snap, rules.All(), o)
	if err != nil {
		t.Fatal(err)
	}
	key := s.address("gone")
	r.Trend = []audit.PastRun{{Time: readAt().Add(-time.Hour), Verdict: audit.NotReady, Counts: map[audit.Severity]int{audit.Blocker: 1}}}
	r.Resolved = []audit.Gone{{ID: audit.FindingID("shared-email", key), Rule: "shared-email", Severity: audit.Blocker, Key: key, Message: "2 live Okta users share the email " + key, FirstSeen: readAt(), LastSeen: readAt()}}
	// An id is a hash that whoever guesses the key can make.
	for _, f := range r.Findings.All() {
		s.all[strings.TrimPrefix(f.ID, f.Rule+"-")] = true
	}
	s.all[strings.TrimPrefix(r.Resolved[0].ID, "shared-email-")] = true
	return r, s.all
}

// unpacked returns what is in a file: of an archive or a page each part, unpacked.
func unpacked(t tester, text []byte) [][]byte {
	if bytes.HasPrefix(text, []byte("<!doctype html>")) {
		return [][]byte{[]byte(openedPage(t, text))}
	}
	if !bytes.HasPrefix(text, []byte("PK")) {
		return [][]byte{text}
	}
	in, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, []byte(f.Name), part)
	}
	return all
}

// leaks fails if a file of the report holds a secret, in whatever letters.
func leaks(t tester, r *audit.Report, secrets map[string]bool, files []File) {
	t.Helper()
	for _, f := range files {
		var b bytes.Buffer
		if err := f.Write(&b, r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for _, part := range unpacked(t, b.Bytes()) {
			low := bytes.ToLower(part)
			for secret := range secrets {
				if at := bytes.Index(low, []byte(strings.ToLower(secret))); at >= 0 {
					t.Fatalf("%s holds %q: …%s…", f.Name, secret, low[max(0, at-150):min(len(low), at+80)])
				}
			}
		}
	}
}

func TestRedactLeavesNothing(t *testing.T) {
	blank := redacted(t, sample(t), testKey)
	files := filesOf(t, blank)
	for seed := range 8 { // workbooks and pages take their time
		r, secrets := drawn(seed)
		leaks(t, redacted(t, r, testKey), secrets, files)
	}
	files = slices.DeleteFunc(files, slow)
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		r, secrets := drawSecrets(t)
		found += r.Findings.Len()
		out := redacted(t, r, testKey)
		leaks(t, out, secrets, files)
		back, _ := readBack(t, r)
		fromFile := redacted(t, back, testKey)
		for _, f := range files {
			var direct, again bytes.Buffer
			if err := errors.Join(f.Write(&direct, out), f.Write(&again, fromFile)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(direct.String(), again.String()); diff != "" {
				t.Fatalf("%s: redacted from its file it differs:\n%s", f.Name, diff)
			}
		}
		if bytes.Equal(asJSON(t, out), asJSON(t, redacted(t, r, []byte("another key of the tests")))) {
			t.Fatal("another key makes the same pseudonyms")
		}
		same(t, out, files)
	})
	if found == 0 {
		t.Error("no finding was ever redacted")
	}
	// The check itself is worth something.
	r, secrets := drawn(1)
	holds := 0
	for secret := range secrets {
		if bytes.Contains(asJSON(t, r), []byte(secret)) {
			holds++
		}
	}
	if holds < 10 {
		t.Errorf("what is not redacted holds %d of %d secrets", holds, len(secrets))
	}
}

func drawn(seed int) (*audit.Report, map[string]bool) {
	type both struct {
		r       *audit.Report
		secrets map[string]bool
	}
	b := rapid.Custom(func(t *rapid.T) both {
		r, secrets := drawSecrets(t)
		return both{r, secrets}
	}).Example(seed)
	return b.r, b.secrets
}

func asJSON(t tester, r *audit.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := findingsJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What happens to whom can still be seen.
func TestRedactKeepsWhatIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, _ := drawSecrets(t)
		out := redacted(t, r, testKey)
		tally := func(r *audit.Report) map[string]int {
			n := map[string]int{"verdict " + string(r.Verdict): 1}
			for _, f := range r.Findings.All() {
				n[fmt.Sprintf("%s %s %s %d %v", f.Rule, f.Severity, f.Remedy, len(f.Subjects), f.Operations)]++
			}
			for row := range r.Crosswalk() {
				n[fmt.Sprintf("%s %s %s %s %s %v %v %d", row.Subject.Kind, row.LinkState, row.MatchedBy, row.Now, row.AfterPlan, row.Active, row.Admin, row.Groups)]++
			}
			for _, op := range r.Plan.Operations {
				n[op.ID+string(op.Action)+string(op.Decision)+op.Field+op.Target.Kind.String()]++
			}
			for m := range r.Plan.Manual.All() {
				n[fmt.Sprintf("%s %d %d", m.Remedy, len(m.Candidates), len(m.Records))]++
			}
			return n
		}
		if diff := cmp.Diff(tally(r), tally(out)); diff != "" {
			t.Fatalf("(-was +redacted)\n%s", diff)
		}
		ids := map[string]bool{}
		for _, f := range out.Findings.All() {
			if ids[f.ID] {
				t.Fatalf("two findings %s", f.ID)
			}
			ids[f.ID] = true
		}
		for _, op := range out.Plan.Operations {
			for _, f := range op.Because {
				if !ids[f] {
					t.Fatalf("%s is because of %s, which is no finding", op.ID, f)
				}
			}
		}
		for m := range out.Plan.Manual.All() {
			if !ids[m.Finding] {
				t.Fatalf("%s is no finding", m.Finding)
			}
		}
	})
}

// Equal texts have equal pseudonyms; names that are the same have pseudonyms that
// are the same name; others have others.
func TestPseudonyms(t *testing.T) {
	p := newPseudonyms(testKey)
	texts := slices.Concat(hostile, []string{"ana@example.com", "ANA@example.com", " ana@example.com", "Ana@Example.COM", "ana@example.org", "bo@example.com",
		"00u1", "00U1", "00u1x", "x@y@z", "Zoé", "Zoe\u0301", "zoé", "groß", "GROẞ", "@", "a@", "@a", "7310"})
	for _, a := range texts {
		pa := p.text(a)
		if strings.TrimSpace(a) == "" {
			if pa != a {
				t.Errorf("%q became %q", a, pa)
			}
			continue
		}
		if len(a) > 2 && strings.Contains(strings.ToLower(pa), strings.ToLower(a)) {
			t.Errorf("%q became %q", a, pa)
		}
		for _, b := range texts {
			if strings.TrimSpace(b) == "" {
				continue
			}
			pb := p.text(b)
			if (a == b) != (pa == pb) {
				t.Errorf("%q and %q became %q and %q", a, b, pa, pb)
			}
			if audit.SameName(a, b) != audit.SameName(pa, pb) {
				t.Errorf("the same name or not: %q and %q became %q and %q", a, b, pa, pb)
			}
		}
	}
	domain := func(s string) string { _, d, _ := cutLast(p.text(s), "@"); return d }
	if domain("ana@example.com") != domain("bo@Example.com") || domain("ana@example.com") == domain("ana@example.org") || domain("a@b") == "" {
		t.Error("domains are not kept apart, or not together")
	}
	if got := p.text("00u1abc"); !strings.HasPrefix(got, "00u") {
		t.Errorf("an Okta id became %q", got)
	}
	if got := p.tenant("https://acme.okta.com"); !strings.HasPrefix(got, "https://") || strings.Contains(got, "acme") {
		t.Errorf("an org became %q", got)
	}
}

// What a reason quotes of a directory is left out.
func TestClosedReason(t *testing.T) {
	for in, want := range map[string]string{
		"okta_members were not read: add --members":                                             "okta_members were not read: add --members",
		"groups: okta_members were not read: add --members; okta_apps are incomplete: pat; bob": "groups: okta_members were not read: add --members; okta_apps are incomplete",
		"okta_users were not read completely":                                                   "okta_users were not read completely",
		"pat@example.com":                                                                       leftOut,
	} {
		if got := closedReason(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
