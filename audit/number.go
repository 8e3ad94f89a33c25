package audit

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// A sum stands for a text. It is 128 bits under keys that are drawn for each
// [summer]: that two texts of a company have one sum is less likely than that the
// machine miscounts, and nobody can choose texts that do.
type sum struct{ a, b uint64 }

// noSum is the sum of a blank text.
var noSum sum

// A summer makes sums that can be compared with each other.
type summer struct{ a, b maphash.Seed }

func newSummer() summer { return summer{maphash.MakeSeed(), maphash.MakeSeed()} }

func (s summer) of(text string) sum {
	if text == "" {
		return noSum
	}
	return sum{maphash.String(s.a, text), maphash.String(s.b, text)}
}

// none is the number of a blank text: it is equal to nothing.
const none int32 = -1

// number gives each text its number, and returns how many distinct ones there
// are: equal texts have one number, numbers count up in the order in which the
// texts are first seen, blank texts have none. The texts are sorted into shares
// small enough for the processor's cache, which are worked on side by side.
func number(sums []sum) (of []int32, distinct int) {
	const share = 1 << 13 // texts, about
	shift := 64 - bits.Len(uint(len(sums)/share))
	start := make([]int32, 1<<(64-shift)+1) // of each share
	for _, s := range sums {
		start[s.a>>shift+1]++
	}
	for i := range len(start) - 1 {
		start[i+1] += start[i]
	}
	byShare := make([]int32, len(sums))
	next := append([]int32(nil), start...)
	for i, s := range sums {
		at := &next[s.a>>shift]
		byShare[*at] = int32(i)
		*at++
	}
	of = make([]int32, len(sums)) // at first the place of the first equal text
	inParts(len(start)-1, 8, func(from, to int) {
		var t sumTable
		for i := from; i < to; i++ {
			t.firsts(sums, byShare[start[i]:start[i+1]], of)
		}
	})
	for i, first := range of {
		switch {
		case sums[i] == noSum:
			of[i] = none
		case int(first) == i:
			of[i] = int32(distinct)
			distinct++
		default:
			of[i] = of[first]
		}
	}
	return of, distinct
}

// A sumTable finds equal sums among few.
type sumTable struct {
	sums  []sum
	slots []int32 // 1 + the place in sums of the first that is equal
}

// firsts sets, for each place in sums, the first of them that has its sum.
func (t *sumTable) firsts(sums []sum, places, first []int32) {
	t.sums = t.sums[:0] // fetched at one go: memory is slow to answer, but answers many questions at once
	for _, i := range places {
		t.sums = append(t.sums, sums[i])
	}
	size := 1 << bits.Len(uint(2*len(places)))
	if len(t.slots) < size {
		t.slots = make([]int32, size)
	}
	slots := t.slots[:size]
	clear(slots)
	for n, s := range t.sums {
		at := int(s.b) & (size - 1)
		for slots[at] != 0 && t.sums[slots[at]-1] != s {
			at = (at + 1) & (size - 1)
		}
		if slots[at] == 0 {
			slots[at] = int32(n + 1)
		}
		first[places[n]] = places[slots[at]-1]
	}
}

// fewObjects are so few that starting a goroutine for them costs more than it saves.
const fewObjects = 1 << 10

// inParts calls do with consecutive parts of [0, n), none much smaller than least,
// side by side, and returns when all of them are done. There are more parts than
// cores: some take longer than others, or have to share a core.
func inParts(n, least int, do func(from, to int)) {
	parts := min(4*runtime.GOMAXPROCS(0), 1+n/least)
	var next atomic.Int32
	work := func() {
		for i := int(next.Add(1)) - 1; i < parts; i = int(next.Add(1)) - 1 {
			do(n*i/parts, n*(i+1)/parts)
		}
	}
	var others sync.WaitGroup
	for range min(parts, runtime.GOMAXPROCS(0)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// madeInOrder yields what do makes of consecutive parts of [0, n) of that size, in
// order. A few are made side by side.
func madeInOrder[T any](n, size int, do func(from, to int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		next, stop := make(chan chan T, runtime.GOMAXPROCS(0)), make(chan struct{})
		var all sync.WaitGroup
		defer all.Wait()
		defer close(stop)
		all.Go(func() {
			defer close(next)
			for from := 0; from < n; from += size {
				made := make(chan T, 1)
				select {
				case next <- made:
				case <-stop:
					return
				}
				all.Go(func() { made <- do(from, min(from+size, n)) })
			}
		})
		for made := range next {
			if !yield(<-made) {
				return
			}
		}
	}
}
