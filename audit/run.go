package audit

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
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
	var asks []asking
	r.Findings, asks = ix.apply(rules)
	for _, rule := range rules {
		r.Skipped = append(r.Skipped, ix.skips(rule)...)
	}
	r.Waivers = ix.waive(&r.Findings, r.Skipped, o.Waivers, o.Now)
	var foreseeing sync.WaitGroup // beside the plan
	foreseeing.Go(ix.foresee)
	r.Plan = newPlan(ix, &r.Findings, asks)
	var sealing errgroup.Group // while it is worked out what the plan does
	sealing.Go(func() error { return r.Plan.Seal(o.Now, o.Expires) })
	foreseeing.Wait()
	r.after = ix.afterwards(r.Plan.Operations)
	r.Now, r.After = ix.impact(), r.after.impact()
	r.Counts = map[Severity]int{}
	for _, head := range r.Findings.Heads() {
		if !head.Waived {
			r.Counts[head.Severity]++
		}
	}
	r.Verdict = verdict(s, r.Counts)
	return r, sealing.Wait()
}

// Apply applies the rules, which [Validate] accepts, and returns what they find,
// without what follows from it: neither plan nor impact.
func (ix *Index) Apply(rules []*Rule) Findings {
	found, _ := ix.apply(rules)
	return found
}

// apply also returns what the findings ask the plan for.
func (ix *Index) apply(rules []*Rule) (Findings, []asking) {
	collision := func(rule *Rule) bool { return rule.Collision }
	found := ix.run(rules, collision) // what is automatic depends on the collisions
	ix.markCollided(found)
	found = append(found, ix.run(rules, func(rule *Rule) bool { return !collision(rule) })...)
	return merge(found)
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

// run applies the rules that are wanted, several side by side, and returns a pass
// for each that could be applied, its findings in order. Rules only read the index.
func (ix *Index) run(rules []*Rule, wanted func(*Rule) bool) []*Pass {
	var passes []*Pass
	for _, rule := range rules {
		if wanted(rule) {
			passes = append(passes, ix.passes(rule)...)
		}
	}
	// Not the parts of one check together: they wait for what is made when first asked for.
	turns := slices.Clone(passes)
	slices.SortStableFunc(turns, func(a, b *Pass) int { return cmp.Compare(a.part, b.part) })
	sideBySide(len(turns), func(i int) { turns[i].check.Run(turns[i]) })
	passes = joined(passes)
	sideBySide(len(passes), func(i int) { passes[i].sort() })
	return passes
}

// passes are what the checks of the rule take whose inputs are complete.
func (ix *Index) passes(rule *Rule) (passes []*Pass) {
	for _, c := range rule.Checks {
		if len(ix.missing(c.Needs...)) > 0 {
			continue
		}
		parts := 1
		if c.Apart {
			// More than there are cores: some take longer than others.
			parts = min(4*runtime.GOMAXPROCS(0), 1+max(ix.OktaUsers.Len(), ix.DatabricksUsers.Len())/fewObjects)
		}
		for part := range parts {
			passes = append(passes, &Pass{Index: ix, rule: rule, check: c, part: part, parts: parts})
		}
	}
	return passes
}

// sideBySide does all of n things, a few at a time.
func sideBySide(n int, do func(i int)) {
	var next atomic.Int32
	var all sync.WaitGroup
	for range min(n, 2*runtime.GOMAXPROCS(0)) { // more than there are cores: some wait for what others make
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// skips returns why checks of the rule were not run.
func (ix *Index) skips(rule *Rule) []Skip {
	var skips []Skip
	for _, c := range rule.Checks {
		if missing := ix.missing(c.Needs...); len(missing) > 0 {
			reason := strings.Join(missing, "; ")
			if c.About != "" {
				reason = c.About + ": " + reason
			}
			skips = append(skips, Skip{rule.Name, reason, c.About})
		} else if c.Claims && ix.Settings.SSOClaim == ClaimOther && !ix.Complete(OktaAppUsers) {
			why := strings.Join(ix.missing(OktaAppUsers), "; ")
			skips = append(skips, Skip{rule.Name, aboutClaims + ": " + why, aboutClaims})
		}
	}
	return skips
}

// missing says which of the inputs are not complete, and why.
func (ix *Index) missing(needs ...Input) []string {
	var why []string
	for _, in := range needs {
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

// markCollided marks the subjects of what the passes found.
func (ix *Index) markCollided(passes []*Pass) {
	for k := range ix.collided {
		ix.collided[k] = make([]bool, ix.Len(Kind(k)))
	}
	for _, p := range passes {
		for _, r := range p.subjects {
			ix.collided[r.Kind][r.n] = true
		}
	}
}
