package audit

import "math/bits"

// A sieve holds a set of sums roughly: it lets all of them pass, and few others.
type sieve []uint64

// newSieve has room for n sums: 32 bits for each, or more.
func newSieve(n int) sieve { return make(sieve, 1<<bits.Len(uint(n/2))) }

func (s sieve) add(sum uint64) { s[sum>>6&uint64(len(s)-1)] |= 1 << (sum & 63) }

// may reports whether a sum may be in the set.
func (s sieve) may(sum uint64) bool { return s[sum>>6&uint64(len(s)-1)]&(1<<(sum&63)) != 0 }

// repeated lets those sums pass that occur twice or more in the lists, and few others.
func repeated(lists ...[]uint64) sieve {
	n := 0
	for _, sums := range lists {
		n += len(sums)
	}
	once, twice := newSieve(n), newSieve(n)
	for _, sums := range lists {
		for _, sum := range sums {
			if once.may(sum) {
				twice.add(sum)
			}
			once.add(sum)
		}
	}
	return twice
}
