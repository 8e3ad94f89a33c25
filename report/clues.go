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

	asked   bool // since the finding began:
	subject audit.Subject
	found   []*audit.Evidence // about the subject
	onKey   []*audit.Evidence // of those, some
	labels  labels
}

// fewPieces are looked through quicker than they are put in order.
const fewPieces = 16

// about returns the pieces about the subject in their order. They are good until
// the next subject.
func (c *clues) about(s audit.Subject) []*audit.Evidence {
	if c.asked && s == c.subject {
		return c.found
	}
	pieces := c.finding.Evidence
	c.asked, c.subject, c.found = true, s, c.found[:0]
	if c.first == nil {
		for i := range pieces {
			if e := &pieces[i]; e.Subject.ID == s.ID && e.Subject.Kind == s.Kind {
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
	c.finding, c.asked = f, false
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

// part returns the part that the subject plays in the finding: of its evidence
// what holds the value they collide on, else all of it. Several pieces are
// separated by semicolons; findings.json has them one by one.
func (c *clues) part(s audit.Subject) (role, field string, values []*audit.Evidence) {
	pieces := c.about(s)
	if len(pieces) > 1 {
		c.onKey = c.onKey[:0]
		for _, e := range pieces {
			// Near enough to audit.Fold, and without making a string: what is missed, such
			// as another normal form, makes the answer longer, not wrong.
			if strings.EqualFold(strings.TrimSpace(e.Value), c.finding.Key) {
				c.onKey = append(c.onKey, e)
			}
		}
		if len(c.onKey) > 0 {
			pieces = c.onKey
		}
	}
	role, field = c.labels.of(pieces)
	return role, field, pieces
}

const between = "; "

// labels are roles and fields put together. Of each number of pieces those of the
// last time are kept: most subjects play the same part as one before.
type labels [4]struct {
	roles, fields []string
	role, field   string
}

func (kept *labels) of(pieces []*audit.Evidence) (role, field string) {
	l := &kept[len(pieces)%len(kept)]
	same := len(l.roles) == len(pieces)
	for i := 0; same && i < len(pieces); i++ {
		same = pieces[i].Role == l.roles[i] && pieces[i].Field == l.fields[i]
	}
	if !same {
		l.roles, l.fields = l.roles[:0], l.fields[:0]
		for _, e := range pieces {
			l.roles, l.fields = append(l.roles, e.Role), append(l.fields, e.Field)
		}
		l.role, l.field = strings.Join(l.roles, between), strings.Join(l.fields, between)
	}
	return l.role, l.field
}
