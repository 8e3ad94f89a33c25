package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// Packed is records of one kind on their way into a [Table], in the form in which
// it keeps them: for those who have fields rather than records. A record is its
// fields, each by [AppendText], in the order of its type, except that the User of
// an [OktaAppUser], the Principal of a [DatabricksAssignment] and the Error of an
// [Undecoded] come before what is before them. A bool is "1" or blank, an [Input] its
// name, and the Email of an [OktaUser] by [AppendAgain].
type Packed struct {
	parts     []string // as in a table
	buf       []byte   // the records behind those of parts
	at        []uint32 // the address of each record
	unordered bool
}

const blockSize = 1 << 20

var errTooMuch = errors.New("more than 4 GiB of records of one kind, which is more than a snapshot can hold")

// Begin returns what the fields of the next record are to be appended to, which
// is for End to take. Without End there is no record.
func (p *Packed) Begin() []byte { return p.buf }

// End adds the record whose fields were appended to what Begin returned.
func (p *Packed) End(b []byte) error {
	start, n := len(p.buf), len(p.at)
	if key := cutText(b[start:]); n > 0 && !p.unordered {
		if start > 0 {
			p.unordered = bytes.Compare(cutText(b[p.at[n-1]-p.closed():]), key) >= 0
		} else {
			p.unordered = p.Key(n-1) >= string(key)
		}
	}
	p.at = append(p.at, p.closed()+uint32(start))
	p.buf = b
	return p.check()
}

// Ordered reports whether the key of each record, its first field, is greater
// than that of the one before.
func (p *Packed) Ordered() bool { return !p.unordered }

// Key returns the key of record i, which shares no memory with p.
func (p *Packed) Key(i int) string {
	if at, closed := p.at[i], p.closed(); at >= closed {
		return string(cutText(p.buf[at-closed:]))
	}
	rows := p.rows()
	return strings.Clone(rows.Key(i))
}

// Len returns the number of records.
func (p *Packed) Len() int { return len(p.at) }

// closed is the address of buf.
func (p *Packed) closed() uint32 { return uint32(len(p.parts) << partBits) }

// check reports whether there is an address for everything.
func (p *Packed) check() error {
	if len(p.parts)+len(p.buf)>>partBits >= maxParts {
		return errTooMuch
	}
	return nil
}

// close makes a block of buf, which keeps its room.
func (p *Packed) close() {
	for s := string(p.buf); s != ""; s = s[min(partSize, len(s)):] {
		p.parts = append(p.parts, s)
	}
	p.buf = p.buf[:0]
}

// rows returns all records that are in blocks.
func (p *Packed) rows() rows { return rows{p.parts, p.at, p.unordered} }

// move adds the records of c, which has some, behind those of p and empties c,
// which keeps its room for more. It returns how much greater their addresses are.
func (p *Packed) move(c *Packed) (moved uint32, err error) {
	n := len(p.at)
	unordered := p.unordered || c.unordered || n > 0 && p.Key(n-1) >= c.Key(0)
	if len(c.parts) > 0 || len(c.buf) >= partSize {
		p.close()
		c.close()
	}
	moved = p.closed() + uint32(len(p.buf))
	p.parts, p.buf = append(p.parts, c.parts...), append(p.buf, c.buf...)
	if len(p.at)+len(c.at) > cap(p.at) {
		p.at = slices.Grow(p.at, max(len(p.at), len(c.at))) // there will be more
	}
	for _, at := range c.at {
		p.at = append(p.at, moved+at)
	}
	if len(p.buf) >= blockSize {
		p.close()
	}
	p.unordered = unordered
	clear(c.parts)
	*c = Packed{parts: c.parts[:0], buf: c.buf[:0], at: c.at[:0]}
	return moved, p.check()
}

// AppendText appends a text to a packed record.
func AppendText[T ~string | ~[]byte](b []byte, text T) []byte {
	if len(text) < 0x80 { // as nearly every one is
		b = append(b, byte(len(text)))
	} else {
		b = binary.AppendUvarint(b, uint64(len(text)))
	}
	return append(b, text...)
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = AppendText(b, s)
	}
	return b
}

// AppendAgain appends a text that nearly always is the same as that at b[before:],
// the last one of b. A NUL is kept for it then; a text that begins with a NUL
// itself gets one more.
func AppendAgain[T ~string | ~[]byte](b []byte, text T, before int) []byte {
	switch {
	case string(cutText(b[before:])) == string(text):
		return append(b, 1, 0)
	case len(text) > 0 && text[0] == 0:
		return AppendText(b, "\x00"+string(text))
	}
	return AppendText(b, text)
}

// orLike returns the text of which [AppendAgain] kept that, behind another one.
func orLike(kept, other string) string {
	switch {
	case kept == "\x00":
		return other
	case strings.HasPrefix(kept, "\x00"):
		return kept[1:]
	}
	return kept
}

// cutText returns the text at the front of b.
func cutText(b []byte) []byte {
	n, size := int(b[0]), 1
	if n >= 0x80 {
		u, long := binary.Uvarint(b)
		n, size = int(u), long
	}
	return b[size : size+n]
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

// Unpack sets a record, given a pointer to it, to the packed one that s begins with.
// The texts of the record share the memory of s.
func Unpack(s string, record any) { record.(interface{ unpack(string) }).unpack(s) }
