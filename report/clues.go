package report

import (
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// clues finds what a finding's evidence says of one subject after another. A
// cluster may have a hundred thousand: the whole evidence is not looked through
// for each of them. It is asked about the finding that it began with last.
type clues struct {
	finding *audit.Finding
	first   map[audit.Subject]int // the place of its first piece; nil where there are few
	next    []int                 // of each piece, the place of the next about the same subject, or -1
	found   []*audit.Evidence
	joint   [3]joint // roles, fields and values
	made    texts
}

// fewPieces are looked through quicker than they are put in order.
const fewPieces = 16

// about returns the pieces about the subject in their order. They are good until
// the next call.
func (c *clues) about(s audit.Subject) []*audit.Evidence {
	pieces := c.finding.Evidence
	c.found = c.found[:0]
	if c.first == nil {
		for i := range pieces {
			if e := &pieces[i]; e.Subject == s {
				c.found = append(c.found, e)
			}
		}
		return c.found
	}
	at, ok := c.first[s]
	for ; ok && at >= 0; at = c.next[at] {
		c.found = append(c.found, &pieces[at])
	}
	return c.found
}

// begin turns to the finding, which stays as it is until the next one.
func (c *clues) begin(f *audit.Finding) {
	c.finding = f
	pieces := f.Evidence
	c.first, c.next = nil, c.next[:0]
	if len(pieces) <= fewPieces {
		return
	}
	c.first = make(map[audit.Subject]int, len(f.Subjects))
	c.next = append(c.next, make([]int, len(pieces))...)
	for i := len(pieces) - 1; i >= 0; i-- {
		s := pieces[i].Subject
		if at, ok := c.first[s]; ok {
			c.next[i] = at
		} else {
			c.next[i] = -1
		}
		c.first[s] = i
	}
}

// name returns what people call the subject: from the finding's evidence, else
// from the report; blank if neither holds it.
func (c *clues) name(r *audit.Report, s audit.Subject) string {
	for _, e := range c.about(s) {
		if names(e) {
			return e.Value
		}
	}
	return r.Name(s)
}

// text returns the subject as it is written.
func (c *clues) text(s audit.Subject) string {
	if s.IsZero() {
		return ""
	}
	return c.made.join([]string{s.Kind.String(), s.ID}, ":")
}

// nameIn is [clues.name] for one subject alone.
func nameIn(r *audit.Report, f *audit.Finding, s audit.Subject) string {
	for i := range f.Evidence {
		if e := &f.Evidence[i]; e.Subject == s && names(e) {
			return e.Value
		}
	}
	return r.Name(s)
}

// names reports whether the piece says what people call its subject.
func names(e *audit.Evidence) bool {
	return e.Field == nameField(e.Subject.Kind) && (e.Role == "userName of" || e.Role == "login of" || e.Role == "name of")
}

// parts returns the part that the subject plays in the finding: of its evidence
// what holds the value they collide on, else all of it. Several pieces are
// separated by semicolons; findings.json has them one by one.
func (c *clues) parts(s audit.Subject) (role, field, value string) {
	pieces := c.about(s)
	// Near enough to audit.Fold, and without making a string: what is missed, such
	// as another normal form, makes the answer longer, not wrong.
	onKey := func(e *audit.Evidence) bool { return strings.EqualFold(strings.TrimSpace(e.Value), c.finding.Key) }
	if len(pieces) > 1 {
		n := 0
		for _, e := range pieces {
			if onKey(e) {
				pieces[n], n = e, n+1
			}
		}
		if n > 0 {
			pieces = pieces[:n]
		}
	}
	switch len(pieces) {
	case 0:
		return "", "", ""
	case 1:
		return pieces[0].Role, pieces[0].Field, pieces[0].Value
	}
	role = c.joint[0].of(&c.made, pieces, func(e *audit.Evidence) string { return e.Role })
	field = c.joint[1].of(&c.made, pieces, func(e *audit.Evidence) string { return e.Field })
	value = c.joint[2].of(&c.made, pieces, func(e *audit.Evidence) string { return e.Value })
	return role, field, value
}

// A joint is texts put together. Those of the last time are kept: most subjects
// play the same part as the one before.
type joint struct {
	texts []string
	whole string
}

func (j *joint) of(made *texts, pieces []*audit.Evidence, text func(*audit.Evidence) string) string {
	same := len(j.texts) == len(pieces)
	for i := 0; same && i < len(pieces); i++ {
		same = text(pieces[i]) == j.texts[i]
	}
	if !same {
		j.texts = j.texts[:0]
		for _, e := range pieces {
			j.texts = append(j.texts, text(e))
		}
		j.whole = made.join(j.texts, "; ")
	}
	return j.whole
}

// texts makes many short texts in few pieces of memory.
type texts struct{ b strings.Builder }

func (t *texts) join(parts []string, between string) string {
	length := len(between) * len(parts)
	for _, p := range parts {
		length += len(p)
	}
	if t.b.Cap()-t.b.Len() < length {
		t.b.Reset()
		t.b.Grow(max(length, 32<<10))
	}
	start := t.b.Len()
	for i, p := range parts {
		if i > 0 {
			t.b.WriteString(between)
		}
		t.b.WriteString(p)
	}
	return t.b.String()[start:]
}
