package audit

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// A page is some findings one after another. A finding is its message, key and
// id, its subjects, and its evidence. A text that stands in it already, as a name
// does in the message, is the place where it stands.
type page struct {
	text   string
	pieces *interned[piece]
}

// A piece is what much evidence has in common.
type piece struct{ role, field string }

const (
	firstPage = 1 << 10 // bytes; each is twice the one before,
	pageSize  = 1 << 16 // up to this one
)

// A writer packs findings.
type writer struct {
	pieces *interned[piece]
	page   strings.Builder // with room to its end: what is in it never moves
	buf    []byte
	known  []place // of the finding under way
}

// A place is where a text stands in a packed finding.
type place struct {
	text string
	at   int
}

func newWriter() *writer { return &writer{pieces: &interned[piece]{}} }

// begin begins a new page where this one has no room for n bytes, and reports
// whether it did.
func (w *writer) begin(n int) bool {
	room := w.page.Cap()
	if room-w.page.Len() >= n && room > 0 {
		return false
	}
	w.page = strings.Builder{}
	w.page.Grow(max(min(max(2*room, firstPage), pageSize), n))
	return true
}

// append appends the text to the page, which begin made room in, and returns
// where it stands.
func (w *writer) append(p *page, text []byte) uint32 {
	at := w.page.Len()
	w.page.Write(text)
	p.text = w.page.String()
	return uint32(at)
}

// pack returns the packed finding, good until the next. The places of its subjects
// may be left out.
func (w *writer) pack(f *Finding, places []int32, id func([]byte) []byte) []byte {
	w.buf, w.known = w.buf[:0], w.known[:0]
	w.put(f.Message)
	w.put(f.Key)
	w.buf = id(w.buf)
	w.number(size(f.Subjects))
	for i, s := range f.Subjects {
		w.buf = append(w.buf, byte(s.Kind))
		w.put(s.ID)
		if places == nil {
			w.number(0)
		} else {
			w.number(int(places[i]) + 1)
		}
	}
	w.number(size(f.Evidence))
	at := 0
	for i := range f.Evidence {
		e := &f.Evidence[i]
		at = w.subject(f.Subjects, e.Subject, at)
		w.number(int(w.pieces.of(piece{e.Role, e.Field})))
		w.put(e.Value)
	}
	return w.buf
}

// size is one more than the length of a list, 0 where there is none.
func size[T any](list []T) int {
	if list == nil {
		return 0
	}
	return len(list) + 1
}

func (w *writer) number(n int) { w.buf = binary.AppendUvarint(w.buf, uint64(n)) }

// Texts are looked for among the first ones of a finding, and where that is worth it.
const (
	mostKnown = 24
	shortest  = 4 // bytes of a text
)

// put appends a text, or where it stands.
func (w *writer) put(text string) {
	if len(text) < shortest {
		w.literal(text)
		return
	}
	for i, k := range w.known {
		at := -1
		switch {
		case i < 2: // the message and the key
			at = strings.Index(k.text, text)
		case k.text == text:
			at = 0
		}
		if at >= 0 {
			w.number(len(text)<<1 | 1)
			w.number(k.at + at)
			return
		}
	}
	w.literal(text)
	if len(w.known) < mostKnown {
		w.known = append(w.known, place{text, len(w.buf) - len(text)})
	}
}

func (w *writer) literal(text string) {
	w.number(len(text) << 1)
	w.buf = append(w.buf, text...)
}

// subject appends the place of s among the subjects, or s, and returns its place:
// most evidence is about the subject that the piece before is about, or the next.
func (w *writer) subject(subjects []Subject, s Subject, last int) int {
	for i := last; i < min(last+2, len(subjects)); i++ {
		if subjects[i] == s {
			w.number(i + 1)
			return i
		}
	}
	if i, ok := slices.BinarySearchFunc(subjects, s, Subject.Compare); ok {
		w.number(i + 1)
		return i
	}
	w.number(0)
	w.buf = append(w.buf, byte(s.Kind))
	w.put(s.ID)
	return last
}

const idSize = 6 // bytes of the hash in a finding's id

// appendID appends the hash in the finding's id where [FindingID] could have made
// it, else the id.
func appendID(b []byte, f *Finding) []byte {
	digits, ok := strings.CutPrefix(f.ID, f.Rule+"-")
	if ok && len(digits) == 2*idSize && strings.Trim(digits, "0123456789abcdef") == "" {
		var hash [idSize]byte
		hex.Decode(hash[:], []byte(digits))
		return append(append(b, 1), hash[:]...)
	}
	b = binary.AppendUvarint(append(b, 0), uint64(len(f.ID)))
	return append(b, f.ID...)
}

// A reader unpacks a finding.
type reader struct {
	text   string // from its first byte on
	at     int
	pieces *interned[piece]
}

func (r *reader) number() int {
	c := r.text[r.at]
	r.at++
	if c < 0x80 { // as nearly every one is
		return int(c)
	}
	n := int(c & 0x7f)
	for shift := 7; ; shift += 7 {
		c = r.text[r.at]
		r.at++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
}

func (r *reader) take(n int) string {
	r.at += n
	return r.text[r.at-n : r.at]
}

func (r *reader) put() string {
	n := r.number()
	if n&1 == 0 {
		return r.take(n >> 1)
	}
	at := r.number()
	return r.text[at : at+n>>1]
}

func (r *reader) subject() Subject {
	kind := Kind(r.take(1)[0])
	return Subject{kind, r.put()}
}

// unpack sets what was packed of u, whose rule is set, but for its evidence.
func (r *reader) unpack(u *unpacked) {
	u.Message, u.Key = r.put(), r.put()
	if r.take(1)[0] == 1 {
		u.ID = appendedID(&u.ids, u.Rule, r.take(idSize))
	} else {
		u.ID = r.take(r.number())
	}
	u.Subjects, u.places = r.subjects(u.Subjects, u.places)
}

// evidence returns what follows the rest of f, in place of what was in the list.
func (r *reader) evidence(f *Finding, list []Evidence) []Evidence {
	n := r.number()
	if n == 0 {
		return nil
	}
	list = resized(list, n-1)
	for i := range list {
		e := &list[i]
		if at := r.number(); at > 0 {
			e.Subject = f.Subjects[at-1]
		} else {
			e.Subject = r.subject()
		}
		p := &r.pieces.list[r.number()]
		e.Role, e.Field = p.role, p.field
		e.Value = r.put()
	}
	return list
}

func (r *reader) subjects(list []Subject, places []int32) ([]Subject, []int32) {
	n := r.number()
	if n == 0 {
		return nil, nil
	}
	list, places = resized(list, n-1), resized(places, n-1)
	for i := range list {
		list[i] = r.subject()
		places[i] = int32(r.number()) - 1
	}
	return list, places
}

// resized returns a list of n elements, the same one if it has room.
func resized[T any](list []T, n int) []T {
	if list == nil || cap(list) < n {
		return make([]T, n)
	}
	return list[:n]
}

// makeRoom makes room for a text of n bytes behind those before it, and for more and
// more: no text takes memory of its own, and one alone takes no more than it needs.
func makeRoom(texts *strings.Builder, n int) {
	if texts.Cap()-texts.Len() < n {
		room := min(2*texts.Cap(), 16<<10)
		texts.Reset()
		texts.Grow(max(n, room))
	}
}

// appendedTexts returns the texts as one, which it appends to those before.
func appendedTexts(before *strings.Builder, texts ...string) string {
	n := 0
	for _, text := range texts {
		n += len(text)
	}
	makeRoom(before, n)
	start := before.Len()
	for _, text := range texts {
		before.WriteString(text)
	}
	return before.String()[start:]
}

// appendedID returns the id, which it appends to the ids of findings before.
func appendedID(ids *strings.Builder, rule, hash string) string {
	makeRoom(ids, len(rule)+1+2*idSize)
	start := ids.Len()
	ids.WriteString(rule)
	ids.WriteByte('-')
	const digits = "0123456789abcdef"
	var text [2 * idSize]byte
	for i := range idSize {
		text[2*i], text[2*i+1] = digits[hash[i]>>4], digits[hash[i]&0xf]
	}
	ids.Write(text[:])
	return ids.String()[start:]
}
