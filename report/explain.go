package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/charmbracelet/x/ansi"

	"github.com/aimcheck/aimcheck/audit"
)

// Explain writes the story of one object for people: what it is in both
// directories, what AIM would do to it, and what each rule says of it or why it
// says nothing. Of t it takes width and colour; where the width is unknown no
// line is broken, so that it can be searched.
func Explain(w io.Writer, s *audit.Story, t Terminal) error {
	b := &teller{w: bufio.NewWriter(w), paint: (&page{color: t.Color}).paint}
	if t.Width > 0 {
		b.width = max(t.Width, 2*narrow)
	}
	b.say(0, 0, "", s.Subject.String()+"  "+called(s.Name))
	b.entry("Reach", s.Reach)
	for _, in := range s.Unread {
		b.entry("Not read", in)
	}
	here, there := directories(s.Subject.Kind)
	b.head("In " + here)
	b.fields(2, s.Fields)
	b.fate(s)
	if there != "" {
		b.matches(s.Matches, there)
	}
	b.rules(s.Rules, s.Subject)
	return b.w.Flush()
}

// ExplainJSON writes the story as one JSON object. Characters that are not seen
// are written as escapes, which are the same to whoever reads JSON.
func ExplainJSON(w io.Writer, s *audit.Story) error {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	for _, r := range plain.String() {
		switch {
		case r == '\n' || r == ' ' || shown(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	return b.Flush()
}

// directories names the directory of the kind, and the other one, blank where
// nothing of that kind is in it.
func directories(k audit.Kind) (here, there string) {
	switch k {
	case audit.DatabricksWorkspaceKind:
		return "Databricks", ""
	case audit.OktaUserKind, audit.OktaGroupKind, audit.OktaAppKind:
		return "Okta", "Databricks"
	}
	return "Databricks", "Okta"
}

// A teller writes lines of labels and texts.
type teller struct {
	w     *bufio.Writer
	width int // 0: lines are not broken
	paint func(string, audit.Severity) string
}

// head starts a section.
func (b *teller) head(text string) { b.w.WriteString("\n" + text + "\n") }

// entry writes a text behind a label, unless it is blank.
func (b *teller) entry(label, text string) {
	if text != "" {
		b.say(0, labelWidth, label, visible(text))
	}
}

// say writes a printable text behind a label, indented, on as many lines as it
// needs: nothing is left out here.
func (b *teller) say(indent, column int, label, text string) {
	start := indent + max(column, ansi.StringWidth(label)+1)
	if label == "" {
		start = indent + column
	}
	if b.width > 0 {
		text = ansi.Wrap(text, max(b.width-start, narrow), " ")
	}
	for line := range strings.Lines(text) {
		line = strings.Repeat(" ", indent) + label + strings.Repeat(" ", start-indent-ansi.StringWidth(label)) + strings.TrimRight(line, " \n")
		b.w.WriteString(line + "\n")
		label = ""
	}
}

const fieldWidth = 20 // the column of values

func (b *teller) fields(indent int, fields []audit.Field) {
	for _, f := range fields {
		b.say(indent, fieldWidth, f.Name, called(f.Value))
	}
}

// fate tells what AIM would do, whether that can be mended without asking, and
// what the plan does about it.
func (b *teller) fate(s *audit.Story) {
	b.w.WriteString("\n")
	if s.Link != nil {
		state := string(s.Link.State)
		if s.Link.State == audit.NoLinkState {
			state = "none"
		}
		b.entry("Link", state+": "+s.Link.Why)
		for _, other := range s.Link.AlsoHeldBy {
			b.entry("", "the same externalId: "+other.String())
		}
	}
	if a := s.Automatic; a != nil {
		if len(a.Doubts) == 0 {
			b.entry("Automatic", "yes, to "+a.Okta.String()+": the only live candidate, nothing holds its id, and no collision concerns either")
		}
		label := "Automatic"
		for _, doubt := range a.Doubts {
			b.entry(label, "no: "+doubt)
			label = ""
		}
		for _, c := range a.Collisions {
			b.entry("", fmt.Sprintf("about %s: %s (%s)", c.About, c.Message, c.Finding))
		}
	}
	b.outcome("With AIM on", s.Now)
	b.outcome("With plan", s.AfterPlan)
	label := "Plan"
	for _, op := range s.Operations {
		b.entry(label, operation(op))
		label = ""
	}
}

func (b *teller) outcome(label string, f audit.Fate) {
	text := visible(f.Why)
	if f.Outcome != "" {
		text = b.paint(string(f.Outcome), harm(f.Outcome)) + ": " + text
	}
	b.say(0, labelWidth, label, text)
}

// matches tells of the other directory's objects.
func (b *teller) matches(ms []audit.Match, there string) {
	const most = 20 // of which everything is told; JSON has all
	b.head("In " + there)
	if len(ms) == 0 {
		b.say(2, 0, "", "nothing is linked to it, has its name, or is like it")
	}
	for i, m := range ms {
		if i == most {
			b.say(2, 0, "", "and "+thousands(len(ms)-most)+" more: see --output json")
			return
		}
		part := "candidate"
		switch {
		case m.Linked:
			part = "linked"
		case m.But != "":
			part = "no candidate"
		}
		name := called(m.Name)
		for _, f := range m.Fields { // what is like it may be the other name
			if !m.Tied() && f.Name == "profile.email" && f.Value != m.Name {
				name += ", email " + called(f.Value)
			}
		}
		b.say(2, len("no candidate")+2, part, m.Subject.String()+"  "+name)
		for _, why := range m.Because {
			b.say(4, 0, "", visible(why))
		}
		if m.But != "" {
			b.say(4, 0, "", "but "+visible(m.But))
		}
		if m.Tied() {
			b.fields(6, m.Fields)
		}
		if m.Now != nil {
			b.say(6, fieldWidth, "with AIM on", string(m.Now.Outcome)+": "+visible(m.Now.Why))
			b.say(6, fieldWidth, "with plan", string(m.AfterPlan.Outcome)+": "+visible(m.AfterPlan.Why))
		}
	}
}

// rules tells what fired, what did not and what was not asked.
func (b *teller) rules(rules []audit.RuleStory, about audit.Subject) {
	silent := map[audit.Silence][]audit.RuleStory{}
	b.head("Rules that fired")
	none := true
	for _, r := range rules {
		if len(r.Findings) == 0 {
			silent[r.Silence] = append(silent[r.Silence], r)
		}
		for _, f := range r.Findings {
			b.finding(f, about)
			none = false
		}
	}
	if none {
		b.say(2, 0, "", "none")
	}
	for _, part := range []struct {
		silence audit.Silence
		head    string
	}{{audit.NotRun, "Rules that were not run"}, {audit.NotFired, "Rules that did not fire"}} {
		if len(silent[part.silence]) == 0 {
			continue
		}
		b.head(part.head)
		for _, r := range silent[part.silence] {
			b.say(2, 30, r.Rule, visible(r.Why))
		}
	}
	if others := silent[audit.NotItsOwn]; len(others) > 0 {
		var names []string
		for _, r := range others {
			names = append(names, r.Rule)
		}
		b.head("Rules that are about something else")
		b.say(2, 0, "", strings.Join(names, ", "))
	}
}

func (b *teller) finding(f audit.FindingStory, about audit.Subject) {
	const most = 8 // others who are named

	label := b.paint(f.Severity.String(), f.Severity)
	b.say(2, 9, label, f.ID)
	b.say(11, 0, "", visible(f.Message))
	var others []string
	for _, s := range f.Subjects {
		if s != about {
			others = append(others, s.String())
		}
	}
	if n := len(others); n > most {
		others = append(others[:most], thousands(n-most)+" more")
	}
	if len(others) > 0 {
		b.say(11, 0, "", visible("together with "+strings.Join(others, ", ")))
	}
	what := string(f.Remedy) + ": " + remedy(f.Remedy)
	if by := waivedBy(&f.Finding); by != "" {
		what += "; " + by
	}
	b.say(11, 0, "", visible(what))
	for _, op := range f.Asks {
		b.say(11, 0, "", visible(operation(op)))
	}
}

// operation says in a line what an operation does and what was decided.
func operation(op audit.Operation) string {
	decided := "approved"
	switch op.Decision {
	case audit.Reject:
		decided = "rejected"
	case audit.Undecided:
		decided = "undecided"
		if op.Class() != "" {
			decided += ", of class " + string(op.Class())
		}
	}
	return fmt.Sprintf("%s (%s): %s of %s from %s to %s, since %s", op.ID, decided, op.Field, op.Target, called(op.From), called(op.To), op.Evidence)
}

// remedy says who mends a finding.
func remedy(r audit.Remedy) string {
	switch r {
	case audit.RemedyAutomatic:
		return "an operation of the plan does it"
	case audit.RemedyChoose:
		return "a person must say which identity is meant"
	case audit.RemedyOkta:
		return "an Okta admin changes the Okta side"
	case audit.RemedySupport:
		return "Databricks Support, since no API can"
	}
	return "a person must look"
}

// called is a value that is told: visible, and not nothing.
func called(value string) string {
	if value == "" {
		return "(blank)"
	}
	return visible(value)
}
