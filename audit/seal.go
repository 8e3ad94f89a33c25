package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Seal sets when the plan was made, how long it holds, and its digest.
func (p *Plan) Seal(created time.Time, lasts time.Duration) error {
	p.Created = created.UTC().Truncate(time.Second)
	p.Expires = p.Created.Add(lasts)
	digest, err := p.digest()
	p.Digest = digest
	return err
}

// digest covers everything in the plan but the digest itself: the JSON of the
// plan without one, which is made piece by piece.
func (p *Plan) digest() (string, error) {
	bare := *p
	bare.Digest, bare.Operations, bare.Manual = "", nil, Manuals{}
	head, err := json.Marshal(bare)
	if err != nil {
		return "", fmt.Errorf("plan: %w", err)
	}
	const lists = `,"operations":null,"manual":null}`
	head, found := bytes.CutSuffix(head, []byte(lists))
	if !found {
		return "", fmt.Errorf("plan: it does not end in its lists: %s", head)
	}
	h := sha256.New()
	h.Write(legible(head))
	var s sealed
	write := func() {
		h.Write(s)
		s = s[:0]
	}
	if s.open("operations", p.Operations == nil); p.Operations != nil {
		for i := range p.Operations {
			s.next(i)
			s.operation(&p.Operations[i])
			write()
		}
		s.close()
	}
	if s.open("manual", p.Manual.null()); !p.Manual.null() {
		write()
		comma := []byte{}
		for text := range madeInOrder(p.Manual.places(), 1<<10, p.Manual.sealed) {
			if len(text) > 0 {
				h.Write(comma)
				h.Write(text)
				comma = []byte{','}
			}
		}
		s.close()
	}
	s = append(s, '}')
	write()
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// legible returns the JSON with U+FFFD raw. A byte that is not UTF-8 is written as
// an escape, and read back as what is written raw: that makes them one.
func legible(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte(`\ufffd`), []byte("\uFFFD"))
}

// sealed is JSON as package json writes it, but [legible], at a quarter of the cost:
// plans have a million lines. TestSealedIsJSON holds it to that.
type sealed []byte

// open begins a list, if there is one.
func (s *sealed) open(name string, null bool) {
	s.name(',', name)
	if null {
		*s = append(*s, "null"...)
	} else {
		*s = append(*s, '[')
	}
}

func (s *sealed) close() { *s = append(*s, ']') }

// next separates element i of a list from the one before.
func (s *sealed) next(i int) {
	if i > 0 {
		*s = append(*s, ',')
	}
}

// name begins a member behind what stands before it. It needs no escaping.
func (s *sealed) name(before byte, name string) {
	*s = append(*s, before, '"')
	*s = append(*s, name...)
	*s = append(*s, '"', ':')
}

func (s *sealed) text(before byte, name, v string) {
	s.name(before, name)
	s.quote("", v)
}

// quote appends a text in two parts, of which the first needs no escaping.
func (s *sealed) quote(first, v string) {
	for i := range len(v) {
		if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(first + v) // a string always is JSON
			*s = append(*s, legible(quoted)...)
			return
		}
	}
	*s = append(*s, '"')
	*s = append(*s, first...)
	*s = append(*s, v...)
	*s = append(*s, '"')
}

func (s *sealed) flag(name string, v bool) {
	s.name(',', name)
	*s = strconv.AppendBool(*s, v)
}

func (s *sealed) subject(v Subject) {
	if v.IsZero() {
		s.quote("", "")
		return
	}
	s.quote(v.Kind.String()+":", v.ID)
}

func (s *sealed) operation(op *Operation) {
	s.text('{', "id", op.ID)
	s.text(',', "action", string(op.Action))
	s.name(',', "target")
	s.subject(op.Target)
	s.text(',', "name", op.Name)
	s.text(',', "field", op.Field)
	s.text(',', "from", op.From)
	s.text(',', "to", op.To)
	if s.open("because", op.Because == nil); op.Because != nil {
		for i, id := range op.Because {
			s.next(i)
			s.quote("", id)
		}
		s.close()
	}
	s.text(',', "evidence", op.Evidence)
	s.flag("reversible", op.Reversible)
	s.text(',', "risk", op.Risk)
	if op.Touches != "" {
		s.text(',', "touches", op.Touches)
	}
	s.text(',', "decision", string(op.Decision))
	*s = append(*s, '}')
}

func (s *sealed) manual(m *Manual) {
	s.text('{', "finding", m.Finding)
	s.text(',', "remedy", string(m.Remedy))
	s.text(',', "what", m.What)
	if s.open("candidates", m.Candidates == nil); m.Candidates != nil {
		for i, c := range m.Candidates {
			s.next(i)
			s.subject(c)
		}
		s.close()
	}
	if len(m.Records) > 0 {
		s.open("records", false)
		for i, r := range m.Records {
			s.next(i)
			s.name('{', "subject")
			s.subject(r.Subject)
			s.text(',', "name", r.Name)
			s.text(',', "external_id", r.ExternalID)
			s.flag("active", r.Active)
			*s = append(*s, '}')
		}
		s.close()
	}
	*s = append(*s, '}')
}

// sealed is what stands at some of the places, without a comma around it.
func (m Manuals) sealed(from, to int) sealed {
	s := make(sealed, 0, 400*(to-from)) // as much as most take
	i := 0
	for one := range m.within(from, to) {
		s.next(i)
		s.manual(one)
		i++
	}
	return s
}

// Verify reports whether the plan is as it was sealed.
func (p *Plan) Verify() error {
	digest, err := p.digest()
	if err == nil && digest != p.Digest {
		err = fmt.Errorf("the plan was changed after it was made: its digest is %s, its content %s; make a new plan", p.Digest, digest)
	}
	return err
}
