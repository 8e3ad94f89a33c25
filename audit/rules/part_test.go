package rules_test

import (
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// Of every finding it is known which check saw it: with that check skipped, and
// no other, its absence says nothing.
func TestSkipsCoverWhatTheirChecksSee(t *testing.T) {
	for _, rule := range rules.All() {
		for _, e := range rule.Examples {
			report, err := audit.Run(complete(t, e.Tenant), rules.All(), audit.Options{Settings: e.Settings, Now: time.Unix(0, 0), Expires: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range unpacked(report) {
				if f.Rule != rule.Name {
					continue
				}
				covered := 0
				for _, c := range rule.Checks {
					if (audit.Skip{Rule: rule.Name, About: c.About}).Covers(&f) {
						covered++
					}
				}
				if covered != 1 {
					t.Errorf("%s about %q is of %d checks", f.Rule, f.Key, covered)
				}
				if (audit.Skip{Rule: "x"}).Covers(&f) {
					t.Errorf("%s is covered by another rule", f.Rule)
				}
			}
		}
	}
}
