package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

// waivable is a tenant with a blocker, an automatic one, and a warning for people.
func waivable(t *testing.T, more ...any) *audit.Snapshot {
	t.Helper()
	b := &audit.Builder{Okta: audit.Source{Tenant: "https://o.example.com"}, Databricks: audit.Source{Tenant: "a"}}
	for _, r := range append([]any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com", Email: "ana@example.com"},
		audit.DatabricksUser{ID: "1", UserName: "ana@example.com", Active: true},
		audit.DatabricksUser{ID: "2", UserName: "SVC-Build@example.com", Active: true},
		audit.DatabricksUser{ID: "3", UserName: "bo@example.com", Active: true},
	}, more...) {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range audit.Inputs()[:5] {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// unlinked is missing-external-id in small.
func unlinked() *audit.Rule {
	return &audit.Rule{Name: "unlinked", Family: audit.LinksFamily, Severity: audit.Warning,
		Doc: "Title\n\n## What\n\n## Why\n\n## How to fix\n",
		Checks: []audit.Check{
			{About: "users", Needs: []audit.Input{audit.DatabricksUsers}, Run: func(p *audit.Pass) {
				for d := range p.All(audit.DatabricksUserKind) {
					f := audit.Finding{Key: p.Subject(d).String(), Subjects: []audit.Subject{p.Subject(d)}, Message: "x", Remedy: audit.RemedyReview}
					var changes []audit.Change
					for o := range p.LiveCandidates(d).All() {
						f.Subjects = append(f.Subjects, p.Subject(o))
						f.Severity, f.Remedy = audit.Blocker, audit.RemedyAutomatic
						changes = append(changes, audit.Change{Action: audit.SetExternalID, Class: audit.ClassUsers, Target: p.Subject(d), Field: "externalId", To: p.Subject(o).ID})
					}
					p.Report(f, changes...)
				}
			}},
			{About: "service principals", Needs: []audit.Input{audit.OktaApps}, Run: func(*audit.Pass) {}},
		},
		Examples: []audit.Example{{Name: "a", Want: []string{"x"}}, {Name: "b"}},
	}
}

func TestWaivers(t *testing.T) {
	subject := func(text string) audit.Subject {
		s, err := audit.ParseSubject(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ana, okta, svc, bo := subject("databricks:user:1"), subject("okta:user:00u1"), subject("databricks:user:2"), subject("databricks:user:3")
	now := time.Date(2026, 11, 26, 23, 59, 59, 0, time.UTC)
	waiver := func(w audit.Waiver) audit.Waiver {
		w.Rule, w.Owner, w.Reason, w.Where = "unlinked", "team", "because", "waivers.yaml:1"
		if w.Expires == "" {
			w.Expires = "2026-11-26" // holds through the day
		}
		return w
	}
	for _, test := range []struct {
		name   string
		waiver audit.Waiver
		state  audit.WaiverState
		waived []string
		left   string // in the first reason
	}{
		{name: "by id", waiver: audit.Waiver{Subjects: []audit.Subject{bo}}, state: audit.WaiverUsed, waived: []string{bo.String()}},
		{name: "by name", waiver: audit.Waiver{Pattern: "svc-*@example.com"}, state: audit.WaiverUsed, waived: []string{svc.String()}},
		{name: "not by a part of the name", waiver: audit.Waiver{Pattern: "svc-*@example.co"}, state: audit.WaiverUnchecked},
		{name: "expired", waiver: audit.Waiver{Subjects: []audit.Subject{bo}, Expires: "2026-11-25"}, state: audit.WaiverExpired, left: "expired after 2026-11-25"},
		{name: "unused", waiver: audit.Waiver{Subjects: []audit.Subject{subject("databricks:user:9")}}, state: audit.WaiverUnused},
		{name: "unchecked", waiver: audit.Waiver{Subjects: []audit.Subject{subject("databricks:service_principal:9")}}, state: audit.WaiverUnchecked},
		{name: "blocker", waiver: audit.Waiver{Subjects: []audit.Subject{ana, okta}}, state: audit.WaiverUnused, left: "accept_blocker: true"},
		{name: "accepted blocker", waiver: audit.Waiver{Subjects: []audit.Subject{ana, okta, bo}, AcceptBlocker: true}, state: audit.WaiverUsed, waived: []string{ana.String(), bo.String()}},
		{name: "a part of its subjects", waiver: audit.Waiver{Subjects: []audit.Subject{ana}, AcceptBlocker: true}, state: audit.WaiverUnused, left: "about others too"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := audit.Run(waivable(t), []*audit.Rule{unlinked()}, audit.Options{Now: now, Expires: time.Hour, Waivers: []audit.Waiver{waiver(test.waiver)}})
			if err != nil {
				t.Fatal(err)
			}
			var waived []string
			unwaived := 0
			for _, f := range r.Findings.All() {
				if f.Waived != (f.Waiver != nil) {
					t.Errorf("%s: waived %t by %v", f.ID, f.Waived, f.Waiver)
				}
				if !f.Waived {
					unwaived++
					continue
				}
				waived = append(waived, f.Key)
				if len(f.Operations) > 0 || slices.ContainsFunc(manual(r.Plan), func(m audit.Manual) bool { return m.Finding == f.ID }) {
					t.Errorf("%s is waived and asks for something", f.ID)
				}
			}
			if diff := cmp.Diff(test.waived, waived); diff != "" {
				t.Errorf("waived (-want +got)\n%s", diff)
			}
			if got := r.Counts[audit.Blocker] + r.Counts[audit.Warning]; got != unwaived {
				t.Errorf("%d counted, %d unwaived", got, unwaived)
			}
			want := audit.NotReady
			if slices.Contains(waived, ana.String()) {
				want = audit.Ready
				if len(r.Plan.Operations) > 0 {
					t.Errorf("the plan does %v, for which a waived finding alone asks", r.Plan.Operations)
				}
			} else if len(r.Plan.Operations) != 1 {
				t.Errorf("the plan does %v", r.Plan.Operations)
			}
			if r.Verdict != want {
				t.Errorf("verdict %s, want %s", r.Verdict, want)
			}
			u := r.Waivers[0]
			left := ""
			if len(u.Left) > 0 {
				left = u.Left[0].Why
			}
			if u.State != test.state || len(u.Findings) != len(test.waived) || !strings.Contains(left, test.left) || len(u.Left) > 0 != (test.left != "") {
				t.Errorf("%+v", u)
			}
			if stale := test.state == audit.WaiverUnused || test.state == audit.WaiverExpired; u.Stale() != stale {
				t.Errorf("stale %t, want %t", u.Stale(), stale)
			}
		})
	}
}

// A pattern is about nothing that merely has a part of its subjects in it, and says
// nothing of what is in neither directory.
func TestPatternOfAPart(t *testing.T) {
	s := waivable(t, audit.OktaUser{ID: "00u9", Status: "ACTIVE", Login: "zed@example.com", Email: "cy@example.com"},
		audit.DatabricksUser{ID: "9", UserName: "cy@example.com", Active: true})
	rule := unlinked()
	rule.Checks = append(rule.Checks, audit.Check{About: "others", Needs: []audit.Input{audit.DatabricksUsers}, Run: func(p *audit.Pass) {
		p.Report(audit.Finding{Key: "gone", Subjects: []audit.Subject{{Kind: audit.DatabricksUserKind, ID: "gone"}}, Message: "x", Remedy: audit.RemedyReview})
	}})
	for _, pattern := range []string{"cy@*", "ana@example.comm*"} {
		r, err := audit.Run(s, []*audit.Rule{rule}, audit.Options{Expires: time.Hour,
			Waivers: []audit.Waiver{{Rule: "unlinked", Pattern: pattern, Expires: "2026-01-01", AcceptBlocker: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if u := r.Waivers[0]; len(u.Findings) > 0 || len(u.Left) > 0 {
			t.Errorf("%q: %+v", pattern, u)
		}
	}
}

// Whether a waiver is of use is known when its own rule was run, and only then.
func TestWaiverOfARuleNotRun(t *testing.T) {
	other := unlinked()
	other.Name, other.Checks = "other", []audit.Check{{Needs: []audit.Input{audit.OktaApps}, Run: func(*audit.Pass) {}}}
	nobody := []audit.Subject{{Kind: audit.DatabricksUserKind, ID: "9"}}
	for rule, want := range map[string]audit.WaiverState{"unlinked": audit.WaiverUnused, "other": audit.WaiverUnchecked} {
		r, err := audit.Run(waivable(t), []*audit.Rule{unlinked(), other}, audit.Options{Expires: time.Hour,
			Waivers: []audit.Waiver{{Rule: rule, Subjects: nobody, Expires: "2026-01-01"}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Waivers[0].State; got != want {
			t.Errorf("of %s: %s, want %s", rule, got, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for pattern, names := range map[string]struct{ yes, no []string }{
		"svc-*":          {[]string{"svc-", "SVC-a@b.c"}, []string{"svc", "xsvc-a"}},
		"svc-*-*@b.c":    {[]string{"svc-a-b@b.c", "svc---@b.c"}, []string{"svc-a@b.c", "svc-@b.c"}},
		"abca*ca":        {[]string{"abcaca", "abcaXca"}, []string{"abca", "abcca"}},
		"Team blue *":    {[]string{"team BLUE x"}, []string{"team bluex", "team blue"}},
		"bo@example.org": {[]string{"BO@example.org"}, []string{"bo@example.orga", "abo@example.org"}},
		"*-b*-a*":        {[]string{"x-b-a", "-b-a@b.c"}, []string{"x-a-b", "x-b"}},
		"ana@example*":   {[]string{"ana@example.com"}, []string{"bana@example.com"}},
	} {
		for i, name := range append(slices.Clone(names.yes), names.no...) {
			s := waivable(t, audit.DatabricksUser{ID: "9", UserName: name, Active: true})
			r, err := audit.Run(s, []*audit.Rule{unlinked()}, audit.Options{Expires: time.Hour,
				Waivers: []audit.Waiver{{Rule: "unlinked", Pattern: pattern, Expires: "2026-01-01", AcceptBlocker: true}}})
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Contains(r.Waivers[0].Findings, audit.FindingID("unlinked", "databricks:user:9"))
			if want := i < len(names.yes); got != want {
				t.Errorf("%q covers %q: %t, want %t", pattern, name, got, want)
			}
		}
	}
}
