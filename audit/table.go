package audit

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"slices"
	"sort"
	"strings"
)

// A Table holds the records of one kind, sorted by key, in one block of memory:
// each record is its texts one after another, each behind its length. Reading a
// record allocates nothing; its texts share the table's memory.
type Table[R any, P record[R]] struct {
	data string
	at   []uint32 // where each record starts
}

// record is what a table asks of the types it holds. The first text packed is
// the key by which the table is sorted.
type record[R any] interface {
	*R
	pack(b []byte) []byte
	unpack(s string)
}

// Len returns the number of records.
func (t *Table[R, P]) Len() int { return len(t.at) }

// At returns record i.
func (t *Table[R, P]) At(i int) (r R) {
	P(&r).unpack(t.data[t.at[i]:])
	return r
}

// packedAt returns the text that record i begins.
func (t *Table[R, P]) packedAt(i int) string { return t.data[t.at[i]:] }

// All yields the records in order of their keys.
func (t *Table[R, P]) All() iter.Seq2[int, R] {
	return func(yield func(int, R) bool) {
		for i := range t.at {
			if !yield(i, t.At(i)) {
				return
			}
		}
	}
}

// Key returns the key of record i: an object's id, or the id that the record is about.
func (t *Table[R, P]) Key(i int) (key string) {
	cutTexts(t.data[t.at[i]:], &key)
	return key
}

// begin sets the first texts of record i, in the order in which it is packed: for
// those who need no more and look at every record.
func (t *Table[R, P]) begin(i int, texts ...*string) { cutTexts(t.data[t.at[i]:], texts...) }

// Find returns the place of the first record with the key, and whether there is one.
func (t *Table[R, P]) Find(key string) (int, bool) {
	i := sort.Search(len(t.at), func(i int) bool { return t.Key(i) >= key })
	return i, i < len(t.at) && t.Key(i) == key
}

// A tableBuilder collects records in any order. It fills one block of memory
// after another: a growing one would be copied again and again.
type tableBuilder[R any, P record[R]] struct {
	blocks  [][]byte
	size    int // of the blocks
	buf     []byte
	at      []uint32        // where each record starts
	updates map[uint32]bool // records that replace an earlier one with their key
}

const blockSize = 1 << 20

var errTooMuch = errors.New("more than 4 GiB of records of one kind, which is more than a snapshot can hold")

func (b *tableBuilder[R, P]) add(r P, update bool) error {
	if b.size+len(b.buf) > math.MaxUint32 {
		return errTooMuch
	}
	at := uint32(b.size + len(b.buf))
	b.at = append(b.at, at)
	if update {
		if b.updates == nil {
			b.updates = map[uint32]bool{}
		}
		b.updates[at] = true
	}
	b.buf = r.pack(b.buf)
	if len(b.buf) >= blockSize {
		b.blocks = append(b.blocks, b.buf)
		b.size += len(b.buf)
		b.buf = make([]byte, 0, blockSize+blockSize/64)
	}
	return nil
}

// move adds the records of c behind those of b and empties c, which keeps its
// room for more.
func (b *tableBuilder[R, P]) move(c *tableBuilder[R, P]) error {
	if len(c.at) == 0 {
		return nil
	}
	start := b.size + len(b.buf)
	if start+int(c.at[len(c.at)-1]) > math.MaxUint32 {
		return errTooMuch
	}
	if len(b.buf) > 0 {
		b.blocks, b.buf = append(b.blocks, b.buf), nil
	}
	b.blocks = append(append(b.blocks, c.blocks...), slices.Clone(c.buf))
	b.size = start + c.size + len(c.buf)
	for _, at := range c.at {
		b.at = append(b.at, uint32(start)+at)
	}
	for at := range c.updates {
		if b.updates == nil {
			b.updates = map[uint32]bool{}
		}
		b.updates[uint32(start)+at] = true
	}
	*c = tableBuilder[R, P]{buf: c.buf[:0], at: c.at[:0]}
	return nil
}

// data joins the blocks, letting each go.
func (b *tableBuilder[R, P]) data() string {
	var data strings.Builder
	data.Grow(b.size + len(b.buf))
	for i, block := range b.blocks {
		data.Write(block)
		b.blocks[i] = nil
	}
	data.Write(b.buf)
	return data.String()
}

// keep drops the records that want does not want.
func (b *tableBuilder[R, P]) keep(want func(R) bool) {
	all := *b
	*b = tableBuilder[R, P]{}
	data := all.data()
	for _, at := range all.at {
		var r R
		if P(&r).unpack(data[at:]); want(r) {
			b.add(&r, all.updates[at]) // no error: it is no more than there was
		}
	}
}

// table sorts the records by key; of several with one key it keeps those from
// the last update on, ordered by content, so that the order in which they came
// leaves no trace.
func (b *tableBuilder[R, P]) table() Table[R, P] {
	t := Table[R, P]{data: b.data(), at: b.at}
	key := func(at uint32) (k string) {
		cutTexts(t.data[at:], &k)
		return k
	}
	if len(b.updates) == 0 && t.ascends() { // as in a snapshot's file
		return t
	}
	slices.SortFunc(t.at, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(key(x), key(y)), cmp.Compare(x, y))
	})
	if len(b.updates) > 0 {
		kept := t.at[:0]
		for _, at := range t.at {
			for b.updates[at] && len(kept) > 0 && key(kept[len(kept)-1]) == key(at) {
				kept = kept[:len(kept)-1]
			}
			kept = append(kept, at)
		}
		t.at = kept
	}
	for i := 0; i < len(t.at); {
		n := i + 1
		for n < len(t.at) && t.Key(n) == t.Key(i) {
			n++
		}
		if n > i+1 {
			slices.SortStableFunc(t.at[i:n], func(x, y uint32) int { return bytes.Compare(t.packed(x), t.packed(y)) })
		}
		i = n
	}
	return t
}

// ascends reports whether each key is greater than the one before.
func (t *Table[R, P]) ascends() bool {
	before := ""
	for i := range t.at {
		key := t.Key(i)
		if i > 0 && key <= before {
			return false
		}
		before = key
	}
	return true
}

func (t *Table[R, P]) packed(at uint32) []byte {
	var r R
	P(&r).unpack(t.data[at:])
	return P(&r).pack(nil)
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// cutTexts takes texts from the front of s and returns what follows them.
func cutTexts(s string, texts ...*string) string {
	for _, t := range texts {
		n, size := int(s[0]), 1
		if n >= 0x80 { // nearly every text is shorter than 128 bytes
			n, size = longLength(s)
		}
		*t, s = s[size:size+n], s[size+n:]
	}
	return s
}

func longLength(s string) (n, size int) {
	for shift := 0; ; shift += 7 {
		c := s[size]
		size++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n, size
		}
	}
}

// truth is a bool as a text: blank for false.
func truth(v bool) string {
	if v {
		return "1"
	}
	return ""
}

func (u *OktaUser) pack(b []byte) []byte {
	return appendTexts(b, u.ID, u.Status, u.Login, unlike(u.Email, u.Login), u.FirstName, u.LastName, u.Created, u.Updated)
}

func (u *OktaUser) unpack(s string) {
	cutTexts(s, &u.ID, &u.Status, &u.Login, &u.Email, &u.FirstName, &u.LastName, &u.Created, &u.Updated)
	u.Email = orLike(u.Email, u.Login)
}

// unlike returns what is kept of a text that nearly always is another one: a NUL
// then. A text that begins with a NUL itself gets one more.
func unlike(text, other string) string {
	switch {
	case text == other:
		return "\x00"
	case strings.HasPrefix(text, "\x00"):
		return "\x00" + text
	}
	return text
}

// orLike returns the text of which [unlike] kept that.
func orLike(kept, other string) string {
	switch {
	case kept == "\x00":
		return other
	case strings.HasPrefix(kept, "\x00"):
		return kept[1:]
	}
	return kept
}

func (g *OktaGroup) pack(b []byte) []byte {
	return appendTexts(b, g.ID, g.Type, g.Name, g.Created, g.Updated)
}

func (g *OktaGroup) unpack(s string) {
	cutTexts(s, &g.ID, &g.Type, &g.Name, &g.Created, &g.Updated)
}

func (m *OktaGroupMembers) pack(b []byte) []byte {
	return appendTexts(b, m.Group, string(m.Members))
}

func (m *OktaGroupMembers) unpack(s string) { cutTexts(s, &m.Group, (*string)(&m.Members)) }

func (m *DatabricksGroupMembers) pack(b []byte) []byte {
	return appendTexts(b, m.Group, string(m.Members))
}

func (m *DatabricksGroupMembers) unpack(s string) { cutTexts(s, &m.Group, (*string)(&m.Members)) }

func (a *OktaApp) pack(b []byte) []byte {
	return appendTexts(b, a.ID, a.Label, a.Status, a.ClientID)
}

func (a *OktaApp) unpack(s string) {
	cutTexts(s, &a.ID, &a.Label, &a.Status, &a.ClientID)
}

// The user comes first: app users are looked up by user.
func (u *OktaAppUser) pack(b []byte) []byte {
	return appendTexts(b, u.User, u.App, u.Status, u.UserName)
}

func (u *OktaAppUser) unpack(s string) {
	cutTexts(s, &u.User, &u.App, &u.Status, &u.UserName)
}

func (u *DatabricksUser) pack(b []byte) []byte {
	return appendTexts(b, u.ID, u.UserName, u.ExternalID, u.DisplayName, u.GivenName, u.FamilyName, truth(u.Active),
		string(u.Emails), string(u.Roles), string(u.Entitlements), string(u.Groups), u.Created)
}

func (u *DatabricksUser) unpack(s string) {
	var active string
	cutTexts(s, &u.ID, &u.UserName, &u.ExternalID, &u.DisplayName, &u.GivenName, &u.FamilyName, &active,
		(*string)(&u.Emails), (*string)(&u.Roles), (*string)(&u.Entitlements), (*string)(&u.Groups), &u.Created)
	u.Active = active != ""
}

func (g *DatabricksGroup) pack(b []byte) []byte {
	return appendTexts(b, g.ID, g.DisplayName, g.ExternalID, g.ResourceType, g.Workspace,
		string(g.Roles), string(g.Entitlements), string(g.Groups), g.Created)
}

func (g *DatabricksGroup) unpack(s string) {
	cutTexts(s, &g.ID, &g.DisplayName, &g.ExternalID, &g.ResourceType, &g.Workspace,
		(*string)(&g.Roles), (*string)(&g.Entitlements), (*string)(&g.Groups), &g.Created)
}

func (p *DatabricksServicePrincipal) pack(b []byte) []byte {
	return appendTexts(b, p.ID, p.ApplicationID, p.DisplayName, p.ExternalID, truth(p.Active),
		string(p.Roles), string(p.Entitlements), string(p.Groups), p.Created)
}

func (p *DatabricksServicePrincipal) unpack(s string) {
	var active string
	cutTexts(s, &p.ID, &p.ApplicationID, &p.DisplayName, &p.ExternalID, &active,
		(*string)(&p.Roles), (*string)(&p.Entitlements), (*string)(&p.Groups), &p.Created)
	p.Active = active != ""
}

func (w *DatabricksWorkspace) pack(b []byte) []byte {
	return appendTexts(b, w.ID, w.Name, w.Status, w.Federation)
}

func (w *DatabricksWorkspace) unpack(s string) {
	cutTexts(s, &w.ID, &w.Name, &w.Status, &w.Federation)
}

func (a *DatabricksAssignment) pack(b []byte) []byte {
	return appendTexts(b, a.Principal, a.Workspace, string(a.Permissions))
}

func (a *DatabricksAssignment) unpack(s string) {
	cutTexts(s, &a.Principal, &a.Workspace, (*string)(&a.Permissions))
}
