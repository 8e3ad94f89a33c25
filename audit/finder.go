package audit

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sort"
	"strings"
)

// A finder finds objects by id. A binary search over a million ids waits for
// memory at each step; this one looks at what the processor's cache holds: the
// first bytes of one id in [stride], and a byte that tells an id from nearly all of
// those near it.
type finder struct {
	id     func(i int) string // in ascending order
	prefix string             // which all ids have
	heads  []uint64           // of every stride-th id: the eight bytes behind the prefix
	tags   []byte             // of each id
	seed   maphash.Seed       // of the tags
}

const stride = 16

func newFinder(n int, id func(i int) string) *finder {
	f := &finder{id: id, heads: make([]uint64, 0, n/stride+1), tags: make([]byte, n), seed: maphash.MakeSeed()}
	if n == 0 {
		return f
	}
	first, last := id(0), id(n-1)
	for len(f.prefix) < min(len(first), len(last)) && first[len(f.prefix)] == last[len(f.prefix)] {
		f.prefix = first[:len(f.prefix)+1]
	}
	for i := 0; i < n; i += stride {
		f.heads = append(f.heads, head(id(i)[len(f.prefix):]))
	}
	inParts(n, fewObjects, func(from, to int) {
		for i := from; i < to; i++ {
			f.tags[i] = f.tag(id(i))
		}
	})
	return f
}

func (f *finder) tag(id string) byte { return byte(maphash.String(f.seed, id)) }

// head is the first eight bytes as a number: in the order of the texts, but that
// several may have one.
func head(s string) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// find returns the place of the id, the first where several have it, if it is there.
func (f *finder) find(id string) (int, bool) {
	rest, ok := strings.CutPrefix(id, f.prefix)
	if !ok {
		return 0, false
	}
	h := head(rest)
	low, _ := slices.BinarySearch(f.heads, h) // the id is behind the sample before
	high := low + sort.Search(len(f.heads)-low, func(i int) bool { return f.heads[low+i] > h })
	from, to := max(0, low-1)*stride, min(len(f.tags), high*stride)
	for to-from > 2*stride { // many ids have one head
		if middle := from + (to-from)/2; f.id(middle) < id {
			from = middle + 1
		} else {
			to = middle + 1
		}
	}
	for tag := f.tag(id); from < to; from++ {
		n := bytes.IndexByte(f.tags[from:to], tag)
		if n < 0 {
			break
		}
		if from += n; f.id(from) == id {
			return from, true
		}
	}
	return 0, false
}
