package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A tally is how many unwaived findings of one severity a rule has.
type tally struct {
	severity audit.Severity
	rule     string
	title    string
	findings int
}

// tallies counts the unwaived findings, gravest and most frequent first, and
// the waived ones.
func tallies(r *audit.Report) (ts []tally, waived int) {
	type key struct {
		severity audit.Severity
		rule     string
	}
	counts := map[key]int{}
	for _, head := range r.Findings.Heads() {
		if head.Waived {
			waived++
		} else {
			counts[key{head.Severity, head.Rule}]++
		}
	}
	titles := map[string]string{}
	for _, rule := range r.Rules {
		titles[rule.Name] = rule.Title()
	}
	for k, n := range counts {
		ts = append(ts, tally{k.severity, k.rule, titles[k.rule], n})
	}
	slices.SortFunc(ts, func(a, b tally) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.findings, a.findings), cmp.Compare(a.rule, b.rule))
	})
	return ts, waived
}

// headline returns the verdict as people read it.
func headline(v audit.Verdict) string {
	switch v {
	case audit.Ready:
		return "READY"
	case audit.NotReady:
		return "NOT READY"
	}
	return "INCOMPLETE"
}

// because returns the reason for the verdict in a sentence without a period.
func because(r *audit.Report) string {
	switch blockers := r.Counts[audit.Blocker]; r.Verdict {
	case audit.Ready:
		return "AIM can be enabled: all that is required was read, and no blocker is left"
	case audit.NotReady:
		return "do not enable AIM yet: " + counted(blockers, "blocker") + " would do damage"
	default:
		var inputs []string
		for _, in := range r.Head.Incomplete {
			inputs = append(inputs, inputName(in.Input))
		}
		s := "nothing is proved: not all was read of " + strings.Join(inputs, ", ")
		if blockers > 0 {
			s += "; " + counted(blockers, "blocker") + " found in what was read"
		}
		return s
	}
}

// inputName returns the input as people read it: "Okta users".
func inputName(in audit.Input) string {
	name := strings.ReplaceAll(in.String(), "_", " ")
	return strings.ToUpper(name[:1]) + name[1:]
}

// howFar says how much of an input was read, and why no more.
func howFar(in audit.Reading) string {
	s := inputName(in.Input) + ": " + thousands(in.Received)
	if in.Expected > 0 {
		s += " of " + thousands(in.Expected)
	}
	s += " read"
	if in.Reason != "" {
		s += ", " + in.Reason
	}
	return s
}

// cautions lists what else the reader of any report must know about its input.
func cautions(r *audit.Report) (notes []string) {
	s := r.Head
	for _, source := range []struct {
		name string
		audit.Source
	}{{"Okta", s.Okta}, {"Databricks", s.Databricks}} {
		if source.Files {
			notes = append(notes, source.name+" was imported from files: that they are complete is the word of whoever gave them")
		}
		for _, n := range source.Notes {
			notes = append(notes, source.name+": "+n)
		}
	}
	if r.Redacted {
		notes = append(notes, "names, addresses and ids are pseudonyms, which only the key that they were made with leads back from; free text is left out, and there is no plan to apply")
	}
	if n := s.Undecoded; n > 0 {
		notes = append(notes, counted(n, "object")+" could not be decoded; the snapshot keeps them whole")
	}
	return notes
}

// meaning says what an outcome does to an identity, in few letters.
func meaning(o audit.Outcome) string {
	switch o {
	case audit.WrongPerson:
		return "id of one, name of another"
	case audit.Duplicate:
		return "a second identity is created"
	case audit.Ambiguous:
		return "several Okta users fit"
	case audit.Blocked:
		return "name keeps Okta's group out"
	case audit.Deactivate:
		return "unknown to Okta, or left it"
	case audit.Unmanaged:
		return "stays local"
	case audit.Linked:
		return "managed, as it should be"
	case audit.Provision:
		return "created at first use"
	}
	return ""
}

// An effect is one line of what enabling AIM would do: how many identities have
// the outcome now and after the plan. A count is -1 where nothing is known.
type effect struct {
	outcome                                      audit.Outcome
	usersNow, usersAfter, groupsNow, groupsAfter int
}

// effects lists the outcomes that occur.
func effects(r *audit.Report) (es []effect) {
	count := func(counts map[audit.Outcome]int, o audit.Outcome) int {
		if len(counts) == 0 {
			return -1
		}
		return counts[o]
	}
	for _, o := range audit.Outcomes() {
		e := effect{o, count(r.Now.Users, o), count(r.After.Users, o), count(r.Now.Groups, o), count(r.After.Groups, o)}
		if max(e.usersNow, e.usersAfter, e.groupsNow, e.groupsAfter) > 0 {
			es = append(es, e)
		}
	}
	return es
}

// ofWhatWasRead is the caveat of every figure of an incomplete snapshot.
func ofWhatWasRead(r *audit.Report) string {
	if r.Verdict == audit.Incomplete {
		return " (of what was read)"
	}
	return ""
}

// known returns the count, or a dash where there is none.
func known(n int) string {
	if n < 0 {
		return "–"
	}
	return thousands(n)
}

// noPlan is said of a report that an older version wrote.
const noPlan = "not known: the findings.json that this is made from does not hold the plan"

// automatic says what the plan would do.
func automatic(r *audit.Report) string {
	if r.Plan == nil {
		return noPlan
	}
	ops := planOf(r).Operations
	if len(ops) == 0 {
		return "nothing can be mended automatically"
	}
	type kind struct {
		action audit.Action
		target audit.Kind
	}
	counts, approved, undecided, touches := map[kind]int{}, 0, 0, 0
	for _, op := range ops {
		switch op.Decision {
		case audit.Approve:
			if op.Touches != "" {
				touches++
			}
			counts[kind{op.Action, op.Target.Kind}]++
			approved++
		case audit.Undecided:
			undecided++
		}
	}
	var does []string
	for _, k := range []struct {
		kind
		does, noun string
	}{
		{kind{audit.SetExternalID, audit.DatabricksUserKind}, "link", "user"},
		{kind{audit.SetExternalID, audit.DatabricksGroupKind}, "link", "group"},
		{kind{audit.SetExternalID, audit.DatabricksServicePrincipalKind}, "link", "service principal"},
		{kind{audit.SetName, audit.DatabricksUserKind}, "set", "name part"},
		{kind{audit.DeactivateUser, audit.DatabricksUserKind}, "deactivate", "user"},
		{kind{audit.ClearExternalID, audit.DatabricksGroupKind}, "clear the id of", "group"},
	} {
		if n := counts[k.kind]; n > 0 {
			does = append(does, k.does+" "+counted(n, k.noun))
		}
	}
	s := fmt.Sprintf("%s of %s approved", thousands(approved), counted(len(ops), "operation"))
	if len(does) > 0 {
		s += ": " + strings.Join(does, ", ")
	}
	if undecided > 0 {
		s += "; " + thousands(undecided) + " undecided"
	}
	if waiting := planOf(r).NotIncluded(); len(waiting) > 0 {
		var classes []string
		for _, w := range waiting {
			classes = append(classes, string(w.Class))
		}
		s += " (--include=" + strings.Join(classes, ",") + ")"
	}
	if touches > 0 {
		s += "; " + thousands(touches) + " wait to be named: account admins, the caller, the SCIM token's owner"
	}
	return s
}

// byHand says who must do what the plan can't.
func byHand(r *audit.Report) string {
	if r.Plan == nil {
		return noPlan
	}
	counts := r.Plan.Manual.Remedies()
	var who []string
	for _, w := range []struct {
		remedy audit.Remedy
		does   string
	}{
		{audit.RemedyChoose, "to choose"},
		{audit.RemedyOkta, "for an Okta admin"},
		{audit.RemedySupport, "for Databricks Support"},
		{audit.RemedyReview, "to look at"},
	} {
		if n := counts[w.remedy]; n > 0 {
			who = append(who, thousands(n)+" "+w.does)
		}
	}
	if len(who) == 0 {
		return "nothing is left for people"
	}
	return strings.Join(who, ", ")
}
