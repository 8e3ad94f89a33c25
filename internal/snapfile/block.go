package snapfile

import (
	"errors"
	"runtime"
	"strings"
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
	if err == nil && !utf8.Valid(raw) {
		err = errors.New("a text is not valid UTF-8")
	}
	if err != nil {
		b.err = damaged("the frame at byte %d: %v", f.offset, err)
		return
	}
	if b.raw = raw; f.offset > 0 && f.sum {
		b.decode(string(raw))
	}
}

// decode takes lines up to one that is not as it should be.
func (b *block) decode(text string) {
	d := decoder{s: text}
	for d.i < len(text) && b.failed == nil {
		i := b.next(&d)
		if i < 0 {
			return
		}
		k, run := &b.kinds[i], run{kind: i, end: d.i}
		before := ""
		for d.i < len(text) && d.begin(k.tag) {
			record := k.read(&d)
			switch {
			case !d.end():
				run.wrong = "not as it should be"
			case k.unique && run.lines > 0 && before >= d.key:
				run.wrong = "out of order"
			default:
				b.failed = b.records.Add(record)
			}
			if run.wrong != "" || b.failed != nil {
				break
			}
			if run.lines == 0 {
				run.first = strings.Clone(d.key) // the text is not to be kept
			}
			run.lines++
			run.end, before = d.i, d.key
		}
		run.last = strings.Clone(before)
		b.runs = append(b.runs, run)
		if run.wrong != "" {
			return
		}
	}
}

// next is the kind of the next line, or -1.
func (b *block) next(d *decoder) int {
	at := d.i
	for i := range b.kinds {
		if d.begin(b.kinds[i].tag) {
			d.i = at
			return i
		}
	}
	return -1
}

// A blockPool lends blocks, so that a file of any size is read in the same few.
type blockPool chan *block

func newBlockPool() blockPool { return make(blockPool, 2*runtime.GOMAXPROCS(0)) }

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
