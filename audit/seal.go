package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"sync"
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
	h.Write([]byte(`,"operations":`))
	p.sealOperations(h)
	h.Write([]byte(`,"manual":`))
	p.Manual.seal(h)
	h.Write([]byte("}"))
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func (p *Plan) sealOperations(h hash.Hash) {
	if p.Operations == nil {
		h.Write([]byte("null"))
		return
	}
	w := jsonText{b: []byte{'['}, sealed: true}
	for i := range p.Operations {
		w.next(i)
		w.operation(&p.Operations[i])
		h.Write(w.b)
		w.b = w.b[:0]
	}
	h.Write(append(w.b, ']'))
}

func (m Manuals) seal(h hash.Hash) {
	if m.null() {
		h.Write([]byte("null"))
		return
	}
	spare := sync.Pool{New: func() any { return &jsonText{sealed: true} }}
	parts := madeInOrder(m.places(), 1<<10, func(from, to int) *jsonText {
		w := spare.Get().(*jsonText)
		w.b = w.b[:0]
		i := 0
		for one := range m.within(from, to) {
			w.next(i)
			w.manual(one)
			i++
		}
		return w
	})
	h.Write([]byte("["))
	comma := []byte{}
	for w := range parts {
		if len(w.b) > 0 {
			h.Write(comma)
			h.Write(w.b)
			comma = []byte{','}
		}
		spare.Put(w)
	}
	h.Write([]byte("]"))
}

// legible returns the JSON with U+FFFD raw. A byte that is not UTF-8 is written as
// an escape, and read back as what is written raw: that makes them one.
func legible(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte(`\ufffd`), []byte("\uFFFD"))
}

// Verify reports whether the plan is as it was sealed.
func (p *Plan) Verify() error {
	digest, err := p.digest()
	if err == nil && digest != p.Digest {
		err = fmt.Errorf("the plan was changed after it was made: its digest is %s, its content %s; make a new plan", p.Digest, digest)
	}
	return err
}
