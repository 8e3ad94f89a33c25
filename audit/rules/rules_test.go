package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

func TestRulesAreWellDeclared(t *testing.T) {
	if err := audit.Validate(rules.All()); err != nil {
		t.Fatal(err)
	}
}

// Reports show rules by family: one without is on no sheet.
func TestRuleWithoutFamilyIsRefused(t *testing.T) {
	for _, family := range []audit.Family{"", "nothing"} {
		rule := *rules.SharedEmail
		rule.Family = family
		if err := audit.Validate([]*audit.Rule{&rule}); err == nil || !strings.Contains(err.Error(), "family") {
			t.Errorf("a rule of the family %q gives %v", family, err)
		}
	}
	for _, family := range audit.Families() {
		if !slices.ContainsFunc(rules.All(), func(r *audit.Rule) bool { return r.Family == family }) {
			t.Errorf("no rule is of the family %s", family)
		}
	}
}

// Every rule says of its own examples what they want, in whatever order the
// directories list their objects.
func TestExamples(t *testing.T) {
	for _, rule := range rules.All() {
		for _, e := range rule.Examples {
			t.Run(rule.Name+"/"+strings.ReplaceAll(e.Name, " ", "-"), func(t *testing.T) {
				for seed := range uint64(6) {
					tenant := slices.Clone(e.Tenant)
					rand.New(rand.NewPCG(seed, 0)).Shuffle(len(tenant), func(i, j int) { tenant[i], tenant[j] = tenant[j], tenant[i] })
					report, err := audit.Run(complete(t, tenant), rules.All(), audit.Options{Settings: e.Settings, Now: time.Unix(0, 0), Expires: time.Hour})
					if err != nil {
						t.Fatal(err)
					}
					var got []string
					for _, f := range unpacked(report) {
						if f.Rule == rule.Name {
							got = append(got, line(f))
						}
					}
					if diff := cmp.Diff(e.Want, got); diff != "" {
						t.Fatalf("seed %d: (-want +got)\n%s", seed, diff)
					}
				}
			})
		}
	}
}

// complete builds a snapshot in which everything was read.
func complete(t *testing.T, tenant []any) *audit.Snapshot {
	t.Helper()
	var b audit.Builder
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	for _, r := range tenant {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func line(f audit.Finding) string {
	s := fmt.Sprintf("%s %s %s:", f.Severity, f.Remedy, f.Key)
	for _, subject := range f.Subjects {
		s += " " + subject.String()
	}
	return s
}

// A rule has a reason ready for every kind of object it speaks of, in whichever state it is in.
func TestQuietKnowsTheKinds(t *testing.T) {
	for _, rule := range rules.All() {
		spoken := map[audit.Kind]bool{}
		for _, e := range rule.Examples {
			s := complete(t, e.Tenant)
			report, err := audit.Run(s, rules.All(), audit.Options{Settings: e.Settings, Now: time.Unix(0, 0), Expires: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range unpacked(report) {
				if f.Rule == rule.Name {
					for _, subject := range f.Subjects {
						spoken[subject.Kind] = true
					}
				}
			}
		}
		ix := audit.NewIndex(complete(t, oneOfEach()), audit.Settings{})
		for _, kind := range audit.Kinds() {
			for r := range ix.All(kind) {
				if why := rule.Quiet(ix, r); spoken[kind] && why == "" {
					t.Errorf("%s gives no reason for its silence about a %s", rule.Name, kind)
				}
			}
		}
	}
}

// oneOfEach is a tenant with objects of every kind in several states.
func oneOfEach() []any {
	return []any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com", Email: "a.reed@example.com"},
		audit.OktaUser{ID: "00u2", Status: audit.StatusDeprovisioned, Login: "bo@example.com"},
		audit.OktaGroup{ID: "00g1", Name: "Data"}, audit.OktaApp{ID: "0oa1", Label: "Jobs", Status: "ACTIVE"},
		audit.DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "00u1"},
		audit.DatabricksUser{ID: "2", UserName: "cy@example.com"},
		audit.DatabricksGroup{ID: "3", DisplayName: "Data", ExternalID: "00g1"},
		audit.DatabricksGroup{ID: "4", DisplayName: "Local"}, audit.DatabricksGroup{ID: "5", DisplayName: "admins"},
		audit.DatabricksServicePrincipal{ID: "6", DisplayName: "Jobs"}, audit.DatabricksWorkspace{ID: "7", Name: "prod"},
	}
}
