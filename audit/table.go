package audit

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"sort"
)

// A Table holds the records of one kind, sorted by key, packed: each record is its
// texts one after another, each behind its length. Reading a record allocates
// nothing; its texts share the table's memory.
type Table[R any, P record[R]] struct{ rows }

// record is what a table asks of the types it holds. The first text packed is
// the key by which the table is sorted.
type record[R any] interface {
	*R
	pack(b []byte) []byte
	unpack(s string)
}

// At returns record i.
func (t *Table[R, P]) At(i int) (r R) {
	P(&r).unpack(t.packedAt(i))
	return r
}

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

// rows are packed records of any kind. Their memory is in blocks, none of which is
// ever copied to join it to another. The addresses of a block begin at the next
// multiple of partSize.
type rows struct {
	parts []string // part n is the memory from the address n*partSize on, up to the end of its block
	at    []uint32 // the address of each record

	unordered bool // some key is not greater than the one before
}

const (
	partBits = 16
	partSize = 1 << partBits
	maxParts = 1 << (32 - partBits)
)

// Len returns the number of records.
func (r *rows) Len() int { return len(r.at) }

// Key returns the key of record i: an object's id, or the id that the record is about.
func (r *rows) Key(i int) string { return r.key(r.at[i]) }

// Find returns the place of the first record with the key, and whether there is one.
func (r *rows) Find(key string) (int, bool) {
	i := sort.Search(len(r.at), func(i int) bool { return r.Key(i) >= key })
	return i, i < len(r.at) && r.Key(i) == key
}

// packedAt returns the text that record i begins.
func (r *rows) packedAt(i int) string { return r.packed(r.at[i]) }

// begin sets the first texts of record i, in the order in which it is packed: for
// those who need no more and look at every record.
func (r *rows) begin(i int, texts ...*string) { cutTexts(r.packedAt(i), texts...) }

// packed returns the text that the record at the address begins.
func (r *rows) packed(at uint32) string { return r.parts[at>>partBits][at%partSize:] }

func (r *rows) key(at uint32) (key string) {
	cutTexts(r.packed(at), &key)
	return key
}

// A tableBuilder collects records in any order.
type tableBuilder[R any, P record[R]] struct {
	Packed
	updates map[uint32]bool // addresses of records that replace an earlier one with their key
}

func (b *tableBuilder[R, P]) add(r P, update bool) error {
	if err := b.End(r.pack(b.Begin())); err != nil {
		return err
	}
	if update {
		b.update(b.at[len(b.at)-1])
	}
	if len(b.buf) >= blockSize {
		b.close()
	}
	return nil
}

func (b *tableBuilder[R, P]) update(at uint32) {
	if b.updates == nil {
		b.updates = map[uint32]bool{}
	}
	b.updates[at] = true
}

// move adds the records of c behind those of b and empties c, which keeps its
// room for more.
func (b *tableBuilder[R, P]) move(c *tableBuilder[R, P]) error {
	if len(c.at) == 0 {
		return nil
	}
	moved, err := b.Packed.move(&c.Packed)
	for at := range c.updates {
		b.update(moved + at)
	}
	c.updates = nil
	return err
}

// keep drops the records that want does not want.
func (b *tableBuilder[R, P]) keep(want func(R) bool) {
	b.close()
	all, updates := Table[R, P]{b.rows()}, b.updates
	*b = tableBuilder[R, P]{}
	for i, r := range all.All() {
		if want(r) {
			b.add(&r, updates[all.at[i]]) // no error: it is no more than there was
		}
	}
}

// table sorts the records by key; of several with one key it keeps those from
// the last update on, ordered by content, so that the order in which they came
// leaves no trace.
func (b *tableBuilder[R, P]) table() Table[R, P] {
	b.close()
	t := Table[R, P]{b.rows()}
	if !b.unordered { // as in a snapshot's file
		return t
	}
	slices.SortFunc(t.at, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(t.key(x), t.key(y)), cmp.Compare(x, y))
	})
	if len(b.updates) > 0 {
		kept := t.at[:0]
		for _, at := range t.at {
			for b.updates[at] && len(kept) > 0 && t.key(kept[len(kept)-1]) == t.key(at) {
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
			slices.SortStableFunc(t.at[i:n], func(x, y uint32) int { return bytes.Compare(t.repacked(x), t.repacked(y)) })
		}
		i = n
	}
	return t
}

// repacked returns the record at the address, packed, and nothing behind it.
func (t *Table[R, P]) repacked(at uint32) []byte {
	var r R
	P(&r).unpack(t.packed(at))
	return P(&r).pack(nil)
}
