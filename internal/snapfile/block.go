package snapfile

import (
	"bytes"
	"runtime"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/aimcheck/aimcheck/audit"
)

// A block is a frame and what it holds. Blocks are worked on next to each other:
// what concerns the lines of two is left to the [reader].
type block struct {
	frame
	raw     []byte // its text
	runs    []run
	d       decoder
	records audit.Builder
	failed  error // to keep a record
	kinds   []kind
}

// A run is lines of one kind, one after another.
type run struct {
	kind        int
	lines, end  int // how many are as they should be, and where in the text the last one ends
	first, last string
	wrong       string // what the line after them, of the same kind, is
}

// expand takes the text from f and, unless it is the manifest or the trailer,
// the records from the text.
func (b *block) expand(f frame, z *zstd.Decoder) {
	b.frame, b.raw, b.runs = f, b.raw[:0], b.runs[:0]
	if f.err != nil {
		return
	}
	raw, err := z.DecodeAll(f.data, b.raw)
	if err != nil {
		b.err = damaged("the frame at byte %d: %v", f.offset, err)
		return
	}
	b.raw = raw
	// What is as it should be is valid UTF-8, and need not be looked at twice.
	if !(f.offset > 0 && f.sum && b.decode()) && !utf8.Valid(raw) {
		b.err = damaged("the frame at byte %d: a text is not valid UTF-8", f.offset)
	}
}

// decode takes lines up to one that is not as it should be, and reports whether
// there was none.
func (b *block) decode() bool {
	for rest := b.raw; len(rest) > 0; {
		i := kindOf(rest, b.kinds)
		if i < 0 {
			return false
		}
		var r run
		r, rest = b.run(i, rest)
		b.runs = append(b.runs, r)
		if r.wrong != "" || b.failed != nil {
			return false
		}
	}
	return true
}

// run takes lines of one kind from the front of text.
func (b *block) run(i int, text []byte) (r run, rest []byte) {
	k, records := &b.kinds[i], b.kinds[i].packed(&b.records)
	r, before := run{kind: i}, records.Len()
	for bytes.HasPrefix(text, []byte(k.begin)) {
		packed, rest, ok := b.d.record(text[len(k.begin)-1:], k.fields, records.Begin())
		if !ok {
			r.wrong = "not as it should be"
			break
		}
		if b.failed = records.End(packed); b.failed != nil {
			break
		}
		if k.unique && !records.Ordered() {
			r.wrong = "out of order"
			break
		}
		r.lines++
		text = rest
	}
	r.end = len(b.raw) - len(text)
	if r.lines > 0 {
		r.first, r.last = records.Key(before), records.Key(before+r.lines-1)
	}
	return r, text
}

// A blockPool lends blocks, so that a file of any size is read in the same few.
type blockPool chan *block

func newBlockPool() blockPool { return make(blockPool, 2*ahead*runtime.GOMAXPROCS(0)) }

func (p blockPool) get() *block {
	select {
	case b := <-p:
		return b
	default:
		return &block{kinds: kinds()}
	}
}

// put takes back a block that nobody uses any more. Large ones are let go.
func (p blockPool) put(b *block) {
	if cap(b.raw) > 4*frameText {
		return
	}
	select {
	case p <- b:
	default:
	}
}
