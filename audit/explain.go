package audit

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Explain tells the story of one object. A subject that the snapshot does not
// hold is an error.
func (r *Report) Explain(s Subject) (*Story, error) {
	if r.index == nil {
		return nil, errors.New("a report without its snapshot explains nothing: audit the snapshot again")
	}
	ix := r.index
	ref, ok := ix.find(s)
	if !ok {
		return nil, fmt.Errorf("the snapshot has no %s", s)
	}
	story := &Story{
		Subject: s, Name: ix.Name(ref), Reach: ix.Reach(ref).String(), Fields: ix.fields(ref), Matches: r.matches(ref),
		Operations: []Operation{}, Unread: []string{},
	}
	story.Now, story.AfterPlan = ix.fateOf(ref, story.Matches), r.after.fateOf(ref, story.Matches)
	if counterpart(ref.Kind) != 0 {
		story.Link = ix.link(ref)
		if state := story.Link.State; state != LinkedLive && state != NoLinkState {
			story.Automatic = r.automatic(ref)
		}
	}
	ops := map[string]Operation{}
	for _, op := range r.Plan.Operations {
		ops[op.ID] = op
		if op.Target == s {
			story.Operations = append(story.Operations, op)
		}
	}
	for _, rule := range r.Rules {
		story.Rules = append(story.Rules, r.ruleStory(rule, ref, ops))
	}
	for _, in := range r.Head.Incomplete {
		story.Unread = append(story.Unread, strings.TrimSuffix(fmt.Sprintf("%s: %s", in.Input, in.Reason), ": "))
	}
	return story, nil
}

// Find returns the objects of which name is the id or, under [Fold], a name:
// userName, login, email, displayName, group's name, app's label, workspace's
// name, applicationId or client id. They are in order.
func (r *Report) Find(name string) []Subject {
	var found []Subject
	key := Fold(name)
	for ref := range r.objects() {
		s := r.index.Subject(ref)
		called := func(n string) bool { return key != "" && Fold(n) == key }
		if s.ID == name || slices.ContainsFunc(r.index.aliases(ref), called) {
			found = append(found, s)
		}
	}
	return found
}

// Names lists what [Report.Find] and [Report.Explain] know objects by, in order,
// each once: names as their directories have them, and subjects.
func (r *Report) Names() []string {
	var names []string
	for ref := range r.objects() {
		names = append(names, r.index.Subject(ref).String())
		for _, n := range r.index.aliases(ref) {
			if n != "" {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *Report) objects() iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, k := range Kinds() {
			if r.index == nil {
				return
			}
			for ref := range r.index.All(k) {
				if !yield(ref) {
					return
				}
			}
		}
	}
}

// fateOf is the fate of any object: an Okta object that isn't created cleanly
// has that of its counterpart.
func (ix *Index) fateOf(r Ref, matches []Match) Fate {
	switch r.Kind {
	case OktaAppKind:
		return Fate{"", "AIM leaves apps alone"}
	case DatabricksWorkspaceKind:
		return Fate{"", "AIM manages identities, not workspaces"}
	case OktaUserKind, OktaGroupKind:
		return ix.oktaFate(r, matches)
	}
	return ix.fate(r)
}

func (ix *Index) oktaFate(o Ref, matches []Match) Fate {
	for _, l := range linkedKinds {
		if l.okta == o.Kind && !(ix.Complete(inputOf(l.okta)) && ix.Complete(inputOf(l.databricks))) {
			return Fate{"", notRead}
		}
	}
	if ix.provisioned(o) {
		return Fate{Provision, "no Databricks object is linked to it or could be it: AIM creates it cleanly at first use"}
	}
	var own []Match
	for _, m := range matches {
		if m.Tied() {
			own = append(own, m)
		}
	}
	switch {
	case len(own) == 0:
		return Fate{"", "it is DEPROVISIONED: AIM creates nothing for it"}
	case len(own) > 1:
		return Fate{"", fmt.Sprintf("%d Databricks objects are tied to it, and each has its own outcome", len(own))}
	}
	d, _ := ix.find(own[0].Subject)
	f, tie := ix.fate(d), "has its name"
	if own[0].Linked {
		tie = "is linked to it"
	}
	return Fate{f.Outcome, fmt.Sprintf("as %s, which %s: %s", own[0].Subject, tie, f.Why)}
}

// inputOf returns the input that lists the objects of a kind.
func inputOf(k Kind) Input {
	switch k {
	case OktaUserKind:
		return OktaUsers
	case OktaGroupKind:
		return OktaGroups
	case OktaAppKind:
		return OktaApps
	case DatabricksUserKind:
		return DatabricksUsers
	case DatabricksGroupKind:
		return DatabricksGroups
	case DatabricksServicePrincipalKind:
		return DatabricksServicePrincipals
	}
	return DatabricksWorkspaces
}

// link says what d's externalId is, and who else has it.
func (ix *Index) link(d Ref) *Link {
	l := &Link{State: ix.LinkState(d), AlsoHeldBy: []Subject{}}
	okta := counterpart(d.Kind)
	noun := strings.Replace(okta.String(), "okta:", "Okta ", 1)
	switch l.State {
	case NoLinkState:
		l.Why = "not known: " + strings.Join(ix.missing(OktaApps), "; ")
	case Unlinked:
		l.Why = "its externalId is blank"
	case LinkedLive:
		l.Why = fmt.Sprintf("its externalId is, byte for byte, the id of an %s that is there", noun)
	case LinkedInactive:
		l.Why = "its externalId is, byte for byte, the id of an Okta user who is DEPROVISIONED"
	case Stale:
		l.Why = fmt.Sprintf("its externalId is the id of no %s%s", noun, ix.nearID(d))
		for _, why := range ix.missing(inputOf(okta)) {
			l.Why += "; but " + why
		}
	}
	for h := range ix.SameExternalID(d) {
		if h != d {
			l.AlsoHeldBy = append(l.AlsoHeldBy, ix.Subject(h))
		}
	}
	return l
}

// nearID says whose id a stale externalId is but for its letters or its kind.
func (ix *Index) nearID(d Ref) string {
	id := ix.ExternalID(d)
	for _, l := range linkedKinds {
		for o := range ix.All(l.okta) {
			switch s := ix.Subject(o); {
			case s.ID == id:
				return fmt.Sprintf(", but of %s, another kind of object", s)
			case strings.EqualFold(s.ID, id):
				return fmt.Sprintf(", but that of %s in other letter case, and ids are compared byte for byte", s)
			}
		}
	}
	return ""
}

// automatic says why d is linked without asking anybody, or not.
func (r *Report) automatic(d Ref) *Automatic {
	ix := r.index
	a := &Automatic{Doubts: []string{}, Collisions: []Collision{}}
	live := ix.LiveCandidates(d)
	if live.Len() == 1 {
		a.Okta = ix.Subject(live.At(0))
	}
	for doubt := range ix.doubts(d) {
		why := string(doubt)
		switch doubt {
		case DoubtUnread:
			why += ": " + strings.Join(ix.missing(DatabricksUsers, DatabricksGroups, DatabricksServicePrincipals), "; ")
		case DoubtHeld:
			why += fmt.Sprintf(" by %s", ix.Subjects(ix.Holders(live.At(0)))[0])
		case DoubtClaim:
			claimed, _ := ix.Claimed(live.At(0))
			why += ": " + claimed
		}
		a.Doubts = append(a.Doubts, why)
	}
	if d.Kind == DatabricksUserKind {
		a.Collisions = append(a.Collisions, r.collisions(d, live)...)
	}
	return a
}

// collisions returns the findings of collision rules about d or a live candidate.
func (r *Report) collisions(d Ref, live Refs) []Collision {
	about := map[Subject]bool{r.index.Subject(d): true}
	for o := range live.All() {
		about[r.index.Subject(o)] = true
	}
	collision := map[string]bool{}
	for _, rule := range r.Rules {
		collision[rule.Name] = rule.Collision
	}
	var found []Collision
	for _, f := range r.Findings.Where(func(h FindingHead) bool { return collision[h.Rule] }) {
		if i := slices.IndexFunc(f.Subjects, func(s Subject) bool { return about[s] }); i >= 0 {
			found = append(found, Collision{f.ID, f.Subjects[i], f.Message})
		}
	}
	return found
}

// ruleStory says what the rule finds about r, or why nothing.
func (r *Report) ruleStory(rule *Rule, ref Ref, ops map[string]Operation) RuleStory {
	ix := r.index
	story := RuleStory{Rule: rule.Name, Title: rule.Title(), Findings: []FindingStory{}}
	for i, f := range r.Findings.Where(func(h FindingHead) bool { return h.Rule == rule.Name }) {
		if _, about := slices.BinarySearchFunc(f.Subjects, ix.Subject(ref), Subject.Compare); about {
			fs := FindingStory{Finding: r.Findings.At(i), Asks: []Operation{}}
			for _, id := range f.Operations {
				fs.Asks = append(fs.Asks, ops[id])
			}
			story.Findings = append(story.Findings, fs)
		}
	}
	if len(story.Findings) > 0 {
		return story
	}
	story.Silence, story.Why = NotFired, "it did not fire"
	if rule.Quiet != nil {
		if story.Why = rule.Quiet(ix, ref); story.Why == "" {
			story.Silence, story.Why = NotItsOwn, fmt.Sprintf("it speaks of no %s", ref.Kind)
			return story
		}
	}
	if why, ran := ix.ran(rule, ref.Kind); !ran {
		story.Silence, story.Why = NotRun, why
	}
	return story
}

// ran reports whether a check of the rule that reads objects of the kind was run,
// and else why not.
func (ix *Index) ran(rule *Rule, k Kind) (why string, ran bool) {
	reads := func(c Check) bool { return slices.Contains(c.Needs, inputOf(k)) }
	for _, c := range rule.Checks {
		if slices.ContainsFunc(rule.Checks, reads) && !reads(c) {
			continue
		}
		missing := ix.missing(c.Needs...)
		if len(missing) == 0 {
			return "", true
		}
		why = strings.Join(missing, "; ")
	}
	return why, false
}
