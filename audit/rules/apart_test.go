package rules_test

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// manyCompanies is the examples of all rules, again and again under other ids and
// in other domains, until there are so many users on each side.
func manyCompanies(t *testing.T, users int) *audit.Snapshot {
	var all []any
	okta, databricks := 0, 0
	for n := 0; okta < users || databricks < users; n++ {
		id := func(s *string) {
			if *s != "" {
				*s = fmt.Sprint(*s, "-", n)
			}
		}
		domain := func(names ...*string) {
			for _, s := range names {
				*s = strings.ReplaceAll(*s, "example", fmt.Sprint("example", n))
			}
		}
		for _, rule := range rules.All() {
			for i, e := range rule.Examples {
				for _, record := range e.Tenant {
					switch r := record.(type) {
					case audit.OktaUser:
						r.ID = fmt.Sprint(r.ID, rule.Name, i)
						id(&r.ID)
						domain(&r.Login, &r.Email)
						r.Login, r.Email = fmt.Sprint(i, rule.Name, r.Login), fmt.Sprint(i, rule.Name, r.Email)
						all = append(all, r)
						okta++
					case audit.DatabricksUser:
						r.ID = fmt.Sprint(r.ID, rule.Name, i)
						id(&r.ID)
						if r.ExternalID != "" {
							r.ExternalID = fmt.Sprint(r.ExternalID, rule.Name, i)
							id(&r.ExternalID)
						}
						domain(&r.UserName)
						r.UserName = fmt.Sprint(i, rule.Name, r.UserName)
						all = append(all, r)
						databricks++
					}
				}
			}
		}
	}
	return complete(t, all)
}

// However many processors share a rule's work, the report is the same.
func TestRulesInParts(t *testing.T) {
	s := manyCompanies(t, 5000) // enough for several parts
	run := func(processors int) *audit.Report {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		r, err := audit.Run(s, rules.All(), audit.Options{Now: time.Unix(0, 0), Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	alone := run(1)
	found := unpacked(alone)
	for _, rule := range rules.All() {
		for _, c := range rule.Checks {
			seen := func(f audit.Finding) bool { return audit.Skip{Rule: rule.Name, About: c.About}.Covers(&f) }
			if c.Apart && !slices.ContainsFunc(found, seen) {
				t.Errorf("nothing shows that %s can look at %s in parts", rule.Name, c.About)
			}
		}
	}
	for _, processors := range []int{2, 5} {
		shared := run(processors)
		if !reflect.DeepEqual(unpacked(shared), found) {
			t.Errorf("%d processors find something else than one", processors)
		}
		if shared.Plan.Digest != alone.Plan.Digest || !reflect.DeepEqual(shared.Now, alone.Now) || !reflect.DeepEqual(shared.After, alone.After) {
			t.Errorf("the plan or the impact of %d processors is another than one's", processors)
		}
	}
}
