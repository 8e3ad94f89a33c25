package audit

import (
	"fmt"
	"strings"
	"time"
)

// Options are what an audit needs besides the snapshot and the rules.
type Options struct {
	Settings Settings
	Version  string        // of this program, for the report
	Now      time.Time     // when the plan is made
	Expires  time.Duration // how long the plan holds
	Waivers  []Waiver
}

// Run applies the rules to s and returns all that reports show. The same
// snapshot, rules and settings give the same report, but for the plan's times.
func Run(s *Snapshot, rules []*Rule, o Options) (*Report, error) {
	if err := Validate(rules); err != nil {
		return nil, err
	}
	ix := NewIndex(s, o.Settings)
	r := &Report{Version: o.Version, Head: s.Head(), Snapshot: s, Settings: ix.Settings, Rules: rules, index: ix, Skipped: []Skip{}}
	for _, rule := range rules {
		if rule.Collision { // what is automatic depends on the collisions
			r.Findings = append(r.Findings, ix.run(rule)...)
		}
	}
	ix.markCollided(r.Findings)
	for _, rule := range rules {
		if !rule.Collision {
			r.Findings = append(r.Findings, ix.run(rule)...)
		}
		r.Skipped = append(r.Skipped, ix.skips(rule)...)
	}
	ix.tellReach(r.Findings)
	r.Waivers = ix.waive(r.Findings, r.Skipped, o.Waivers, o.Now)
	r.Plan = newPlan(ix, r.Findings)
	r.after = ix.afterwards(r.Plan.Operations)
	r.Now, r.After = ix.Impact(), r.after.Impact()
	r.Counts = map[Severity]int{}
	for _, f := range r.Findings {
		if !f.Waived {
			r.Counts[f.Severity]++
		}
	}
	r.Verdict = verdict(s, r.Counts)
	return r, r.Plan.Seal(o.Now, o.Expires)
}

func verdict(s *Snapshot, counts map[Severity]int) Verdict {
	switch {
	case len(s.Incomplete()) > 0:
		return Incomplete
	case counts[Blocker] > 0:
		return NotReady
	}
	return Ready
}

// run returns the findings of the rule's checks whose inputs are complete.
func (ix *Index) run(rule *Rule) []Finding {
	p := &Pass{Index: ix, rule: rule}
	for _, c := range rule.Checks {
		if len(ix.missing(c)) == 0 {
			c.Run(p)
		}
	}
	return p.findings
}

// skips returns why checks of the rule were not run.
func (ix *Index) skips(rule *Rule) []Skip {
	var skips []Skip
	for _, c := range rule.Checks {
		if missing := ix.missing(c); len(missing) > 0 {
			reason := strings.Join(missing, "; ")
			if c.About != "" {
				reason = c.About + ": " + reason
			}
			skips = append(skips, Skip{rule.Name, reason, c.About})
		}
	}
	return skips
}

// missing says which inputs of the check are not complete, and why.
func (ix *Index) missing(c Check) []string {
	var why []string
	for _, in := range c.Needs {
		switch r := ix.Reading(in); {
		case r.Complete:
		case !r.Asked && !in.Required():
			why = append(why, fmt.Sprintf("%s were not read: %s", in, in.flag()))
		case r.Reason != "":
			why = append(why, fmt.Sprintf("%s are incomplete: %s", in, r.Reason))
		default:
			why = append(why, fmt.Sprintf("%s were not read completely", in))
		}
	}
	return why
}

// flag says what brings an optional input.
func (in Input) flag() string {
	switch in {
	case OktaMembers, DatabricksMembers:
		return "add --members"
	case OktaApps, OktaAppUsers:
		return "add --apps"
	case DatabricksWorkspaceDetails:
		return "add --workspace-details"
	}
	return "read the directory again"
}

func (ix *Index) markCollided(findings []Finding) {
	for _, f := range findings {
		for _, s := range f.Subjects {
			if r, ok := ix.find(s); ok {
				ix.collided[r] = true
			}
		}
	}
}
