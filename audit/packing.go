package audit

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// A page is some findings one after another. A finding is its key, message and
// id, its subjects, and its evidence. A text that stands in it already, as a name
// does that the message has, is the place where it stands; else it is a phrase and
// the names in it, or all its letters.
type page struct {
	text  string
	words *words
}

// words is what many findings have in common.
type words struct {
	pieces  interned[piece]
	phrases interned[string] // with a NUL for each name
}

// A piece is what much evidence has in common.
type piece struct{ role, field string }

const (
	firstPage = 1 << 10 // bytes; each is twice the one before,
	pageSize  = 1 << 16 // up to this one
)

// A writer packs findings.
type writer struct {
	words  *words
	page   strings.Builder // with room to its end: what is in it never moves
	buf    []byte
	known  []place // of the finding under way
	phrase []byte
	names  []string
}

// A place is where a text stands in a packed finding.
type place struct {
	text string
	at   int
}

func newWriter() *writer { return &writer{words: &words{}} }

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

// pack returns the packed finding, good until the next.
func (w *writer) pack(f *Finding, id func([]byte) []byte) []byte {
	w.buf, w.known = w.buf[:0], w.known[:0]
	w.put(f.Key) // first, for [Pass.sort]
	w.put(f.Message)
	w.buf = id(w.buf)
	w.number(size(f.Subjects))
	for _, s := range f.Subjects {
		w.buf = append(w.buf, byte(s.Kind))
		w.put(s.ID)
	}
	w.number(size(f.Evidence))
	at := 0
	for i := range f.Evidence {
		e := &f.Evidence[i]
		at = w.subject(f.Subjects, e.Subject, at)
		w.number(int(w.words.pieces.of(piece{e.Role, e.Field})))
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
	mostKnown   = 24
	shortest    = 4   // bytes of a text
	longest     = 400 // of one that may be a phrase
	mostPhrases = 1 << 10
)

// A text begins with its form, and a number above it: of bytes, or of a phrase.
const (
	itself = iota // the bytes follow
	stands        // where they stand follows
	phrase        // the names follow
	forms         // how many there are
)

// put appends a text, or where it stands.
func (w *writer) put(text string) {
	if len(text) < shortest {
		w.literal(text)
		return
	}
	if w.stands(text) || w.inWords(text) {
		return
	}
	w.literal(text)
}

// stands appends where the text stands, if it is known.
func (w *writer) stands(text string) bool {
	for i, k := range w.known {
		at := -1
		switch {
		case i < 2: // the key and the message
			at = strings.Index(k.text, text)
		case k.text == text:
			at = 0
		}
		if at >= 0 {
			w.number(len(text)*forms + stands)
			w.number(k.at + at)
			return true
		}
	}
	return false
}

// inWords appends the phrase and the names that the text is, if the phrase is one
// of the first ones: rules say the same of many.
func (w *writer) inWords(text string) bool {
	if len(text) > longest {
		return false
	}
	w.phrase, w.names = w.phrase[:0], w.names[:0]
	for rest := text; rest != ""; {
		end, named := firstWord(rest)
		if word := rest[:end]; named {
			name := strings.TrimRight(word, " :,;.")
			w.names = append(w.names, name)
			w.phrase = append(append(w.phrase, 0), word[len(name):]...)
		} else {
			w.phrase = append(w.phrase, word...)
		}
		rest = rest[end:]
	}
	if len(w.phrase) == 1 && len(w.names) == 1 {
		return false
	}
	phrases := &w.words.phrases
	n, ok := phrases.number[string(w.phrase)]
	if !ok {
		if len(phrases.list) == mostPhrases {
			return false
		}
		n = phrases.of(string(w.phrase))
	}
	w.number(int(n)*forms + phrase)
	for _, name := range w.names {
		if len(name) < shortest || !w.stands(name) {
			w.literal(name)
		}
	}
	return true
}

// firstWord returns where the text's first word ends, with what separates it from
// the next, and whether it is a name: what few findings have, or has a NUL.
func firstWord(text string) (end int, name bool) {
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ', c == ':':
			return i + 1, name
		case c < ' ', '0' <= c && c <= '9', c == '@', c >= 0x80:
			name = true
		}
	}
	return len(text), name
}

func (w *writer) literal(text string) {
	w.number(len(text)*forms + itself)
	w.buf = append(w.buf, text...)
	if len(text) >= shortest && len(w.known) < mostKnown {
		w.known = append(w.known, place{text, len(w.buf) - len(text)})
	}
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

// A reader unpacks findings.
type reader struct {
	text  string // from the first byte of the finding on
	at    int
	words *words

	made strings.Builder // texts that no page has as they are
	room int             // bytes for so many of them
}

// of turns to a finding.
func (r *reader) of(fs *Findings, p packed) {
	page := &fs.pages[p.page]
	r.text, r.at, r.words = page.text[p.at:], 0, page.words
}

func (r *reader) number() (n int) {
	for shift := 0; ; shift += 7 {
		c := r.text[r.at]
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
	form := n % forms
	switch n /= forms; form {
	case itself:
		return r.take(n)
	case stands:
		at := r.number()
		return r.text[at : at+n]
	}
	said := r.words.phrases.list[n]
	at := strings.IndexByte(said, 0)
	if at < 0 {
		return said
	}
	if r.made.Cap()-r.made.Len() < longest {
		r.made.Reset()
		r.made.Grow(max(r.room, longest))
	}
	start := r.made.Len()
	for ; at >= 0; at = strings.IndexByte(said, 0) {
		r.made.WriteString(said[:at])
		r.made.WriteString(r.put())
		said = said[at+1:]
	}
	r.made.WriteString(said)
	return r.made.String()[start:]
}

func (r *reader) subject() Subject {
	kind := Kind(r.take(1)[0])
	return Subject{kind, r.put()}
}

// unpack sets what was packed of f, whose rule is set.
func (r *reader) unpack(f *Finding, subjects []Subject, evidence []Evidence) {
	f.Key, f.Message = r.put(), r.put()
	if r.take(1)[0] == 1 {
		f.ID = idOf(f.Rule, r.take(idSize))
	} else {
		f.ID = r.take(r.number())
	}
	f.Subjects = r.subjects(subjects)
	n := r.number()
	if n == 0 {
		return
	}
	if evidence == nil {
		evidence = make([]Evidence, 0, n-1)
	}
	for range n - 1 {
		var e Evidence
		if i := r.number(); i > 0 {
			e.Subject = f.Subjects[i-1]
		} else {
			e.Subject = r.subject()
		}
		p := &r.words.pieces.list[r.number()]
		e.Role, e.Field = p.role, p.field
		e.Value = r.put()
		evidence = append(evidence, e)
	}
	f.Evidence = evidence
}

func (r *reader) subjects(into []Subject) []Subject {
	n := r.number()
	if n == 0 {
		return nil
	}
	if into == nil {
		into = make([]Subject, 0, n-1)
	}
	for range n - 1 {
		into = append(into, r.subject())
	}
	return into
}

func idOf(rule, hash string) string {
	b := make([]byte, 0, 64)
	b = append(append(b, rule...), '-')
	const digits = "0123456789abcdef"
	for i := range len(hash) {
		b = append(b, digits[hash[i]>>4], digits[hash[i]&0xf])
	}
	return string(b)
}
