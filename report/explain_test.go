package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aimcheck/aimcheck/audit"
)

// story has something for every part of an explanation, and names that are up
// to no good.
func story() *audit.Story {
	user, okta := databricksUser("1"), oktaUser("00u1")
	link := audit.Operation{ID: "op-0001", Action: audit.SetExternalID, Target: user, Field: "externalId", From: "", To: "00u1",
		Evidence: "userName is the login of exactly one live Okta user", Decision: audit.Approve}
	name := link
	name.Action = audit.SetName
	name.ID, name.Field, name.From, name.To, name.Decision = "op-0002", "name.givenName", "P\x1b[31mat", "Pat", audit.Undecided
	finding := sampleFindings()[1]
	finding.Subjects = []audit.Subject{user, okta, oktaUser("00u2")}
	return &audit.Story{
		Subject: user, Name: "Pat\u200b@example.com", Reach: "account admin, groups: 3",
		Fields: []audit.Field{{Name: "userName", Value: "Pat\u200b@example.com"}, {Name: "externalId", Value: ""}, {Name: "name.familyName", Value: " Reed\u202e \U000e0001"}},
		Link:   &audit.Link{State: audit.Stale, Why: "its externalId is the id of no Okta user", AlsoHeldBy: []audit.Subject{databricksUser("2")}},
		Matches: []audit.Match{
			{Subject: okta, Name: "pat\u200b@example.com", Candidate: true, Because: []string{"login = userName, only after folding: letter case"},
				Fields: []audit.Field{{Name: "status", Value: "ACTIVE"}, {Name: "profile.email", Value: strings.Repeat("long", 40) + "@example.com"}}},
			{Subject: oktaUser("00u3"), Name: "pat@example.com", Candidate: true, Because: []string{"email = userName, byte for byte"},
				But: "DEPROVISIONED: only live Okta users count as candidates", Fields: []audit.Field{{Name: "status", Value: "DEPROVISIONED"}}},
			{Subject: oktaUser("00u2"), Name: "p\u0430t@example.com", But: "the names differ, though they are alike: the letters look the same",
				Fields: []audit.Field{{Name: "status", Value: "never told"}, {Name: "profile.email", Value: "other@example.com"}}},
		},
		Automatic: &audit.Automatic{Okta: okta, Doubts: []string{"a collision rule speaks of it or of the candidate"},
			Collisions: []audit.Collision{{Finding: "shared-email-0123456789ab", About: okta, Message: "2 live Okta users share the email pat@example.com"}}},
		Now:       audit.Fate{Outcome: audit.Duplicate, Why: "AIM creates a second identity beside it"},
		AfterPlan: audit.Fate{Outcome: audit.Linked, Why: "AIM manages it, as it should"},
		Rules: []audit.RuleStory{
			{Rule: "missing-external-id", Title: "A title", Findings: []audit.FindingStory{{Finding: finding, Asks: []audit.Operation{link, name}}}},
			{Rule: "malformed-username", Silence: audit.NotFired, Why: "its userName is an address"},
			{Rule: "group-member-drift", Silence: audit.NotItsOwn, Why: "it speaks of no databricks:user"},
			{Rule: "redundant-direct-grant", Silence: audit.NotRun, Why: "databricks_members were not read: add --members"},
		},
		Operations: []audit.Operation{link},
		Unread:     []string{"okta_users: the listing was cut"},
	}
}

func explanation(t *testing.T, s *audit.Story, o Terminal) string {
	t.Helper()
	var b bytes.Buffer
	if err := Explain(&b, s, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExplainGolden(t *testing.T) {
	golden(t, "explain.txt", []byte(explanation(t, story(), Terminal{Width: 100})))
}

// Whatever the width, nothing is left out, nothing stands out of the screen, and
// colour says nothing more.
func TestExplainWidths(t *testing.T) {
	squeeze := func(text string) string { return strings.Join(strings.Fields(text), "") }
	whole := explanation(t, story(), Terminal{})
	for _, width := range []int{1, 80, 100, 200} {
		text := explanation(t, story(), Terminal{Width: width})
		if diff := cmp.Diff(squeeze(whole), squeeze(text)); diff != "" {
			t.Errorf("width %d: (-want +got)\n%s", width, diff)
		}
		for line := range strings.Lines(text) {
			if w := ansi.StringWidth(line); w > max(width, 80) {
				t.Errorf("width %d: %d columns: %s", width, w, line)
			}
		}
		colored := explanation(t, story(), Terminal{Width: width, Color: true})
		if ansi.Strip(colored) != text || colored == text {
			t.Errorf("width %d: words differ with colour:\n%s", width, colored)
		}
	}
}

func TestExplainIsSafeToPrint(t *testing.T) {
	for _, c := range explanation(t, story(), Terminal{Width: 100}) {
		if c != '\n' && c != ' ' && !shown(c) {
			t.Errorf("the story prints %U", c)
		}
	}
}

func TestExplainCountsTheRest(t *testing.T) {
	s := story()
	for range 30 {
		s.Matches = append(s.Matches, s.Matches[0])
	}
	if text := explanation(t, s, Terminal{}); strings.Count(text, "okta:user:00u1  ") != 18 || !strings.Contains(text, "and 13 more: see --output json") {
		t.Errorf("not 20 of 33 are told:\n%s", text)
	}
}

func TestExplainOktaSide(t *testing.T) {
	s := story()
	s.Subject, s.Link, s.Automatic = oktaUser("00u1"), nil, nil
	s.Matches = s.Matches[:1]
	s.Matches[0].Subject, s.Matches[0].Linked, s.Matches[0].Now, s.Matches[0].AfterPlan = databricksUser("1"), true, &s.Now, &s.AfterPlan
	text := explanation(t, s, Terminal{})
	for _, want := range []string{"In Databricks\n  linked        databricks:user:1", "\n      with AIM on         duplicate: AIM creates", "\n      with plan           linked: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	s.Matches = nil
	if text := explanation(t, s, Terminal{}); !strings.Contains(text, "nothing is linked to it") {
		t.Errorf("nobody is not told:\n%s", text)
	}
	s.Subject = audit.Subject{Kind: audit.DatabricksWorkspaceKind, ID: "1"}
	if text := explanation(t, s, Terminal{}); strings.Contains(text, "In Okta") {
		t.Errorf("a workspace has no Okta side:\n%s", text)
	}
}

func TestExplainJSON(t *testing.T) {
	var b bytes.Buffer
	want := story()
	if err := ExplainJSON(&b, want); err != nil {
		t.Fatal(err)
	}
	for _, c := range b.String() {
		if c != '\n' && c != ' ' && !shown(c) {
			t.Errorf("the JSON has %U", c)
		}
	}
	for _, escape := range []string{`Pat\u200b@example.com`, `\udb40\udc01`, `p` + "\u0430" + `t@`} {
		if !strings.Contains(b.String(), escape) {
			t.Errorf("%s is missing:\n%s", escape, b.String())
		}
	}
	var got audit.Story
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	unexported := cmpopts.IgnoreUnexported(audit.Match{}, audit.Finding{}, audit.Operation{})
	if diff := cmp.Diff(want, &got, unexported, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A story of an audit can be told: nothing depends on how this one was made.
func TestExplainSample(t *testing.T) {
	r := sample(t)
	for _, name := range r.Names() {
		s, err := audit.ParseSubject(name)
		if err != nil {
			continue
		}
		story, err := r.Explain(s)
		if err != nil {
			t.Fatal(err)
		}
		if text := explanation(t, story, Terminal{Width: 80}); !strings.HasPrefix(text, s.String()) {
			t.Errorf("the story of %s begins otherwise:\n%s", s, text)
		}
	}
}
