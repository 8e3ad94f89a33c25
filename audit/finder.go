package audit

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// A finder finds objects by id. A binary search over a million ids waits for
// memory at each step; this one begins with the ids' first bytes, of one in
// [stride], which the processor's cache holds.
type finder struct {
	n      int
	id     func(i int) string // in ascending order
	prefix string             // which all ids have
	heads  []uint64           // of every stride-th id: the eight bytes behind the prefix
}

const stride = 16

func newFinder(n int, id func(i int) string) finder {
	f := finder{n: n, id: id, heads: make([]uint64, 0, n/stride+1)}
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
	return f
}

// head is the first eight bytes as a number: in the order of the texts, but that
// several may have one.
func head(s string) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// find returns the place of the id, if it is there.
func (f *finder) find(id string) (int, bool) {
	rest, ok := strings.CutPrefix(id, f.prefix)
	if !ok || f.n == 0 {
		return 0, false
	}
	h := head(rest)
	low, _ := slices.BinarySearch(f.heads, h) // the id is behind the sample before
	high := low
	for high < len(f.heads) && f.heads[high] == h {
		high++
	}
	from, to := max(0, low-1)*stride, min(f.n, high*stride)
	i := from + sort.Search(to-from, func(i int) bool { return f.id(from+i) >= id })
	return i, i < f.n && f.id(i) == id
}
