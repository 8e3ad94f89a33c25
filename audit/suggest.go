package audit

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Suggestion is an Okta user that a Databricks user without a candidate might
// be. It is for people to review and never a ground for an operation.
type Suggestion struct {
	Okta  Ref
	Score float64 // 0 to 1: how much speaks for it
	Why   string
}

// The kinds of likeness, with the score of each. Where several hold, the best counts.
const (
	likePlusTag  = 0.9 // ana+x@ is ana@
	likeDots     = 0.8 // a.reed@ is areed@
	likeDomain   = 0.7 // ana@example.org is ana@example.com
	likeLooks    = 0.7 // the letters look the same
	likeOneEdit  = 0.6 // one letter was added, left out or replaced
	likeFullName = 0.5 // the same first and last name
)

// crowd is how many may share a value before it says nothing about anybody.
const crowd = 24

// Suggestions returns, for each Databricks user of the list, the live Okta users
// who are like it, best first, five at most. Users are compared only with those
// who share a blocking key with them: never all with all.
func (ix *Index) Suggestions(of []Ref) map[Ref][]Suggestion {
	asked, hash := map[sum][]Ref{}, newSummer() // by blocking key
	b := blocking{hash: hash}
	for _, d := range of {
		u := ix.DatabricksUser(d)
		b.start()
		b.address(Fold(u.UserName))
		b.fullName(u.GivenName, u.FamilyName)
		for _, key := range b.keys {
			asked[key] = append(asked[key], d)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	like := ix.liveWith(asked, hash)
	found := map[Ref][]Suggestion{}
	for key, ds := range asked {
		if len(ds) > crowd || len(like[key]) > crowd {
			continue
		}
		for _, d := range ds {
			for _, o := range like[key] {
				if s, ok := ix.likeness(d, o); ok {
					found[d] = append(found[d], s)
				}
			}
		}
	}
	for d, ss := range found {
		slices.SortFunc(ss, func(a, b Suggestion) int {
			return cmp.Or(-cmp.Compare(a.Score, b.Score), a.Okta.Compare(b.Okta))
		})
		ss = slices.Compact(ss)
		found[d] = ss[:min(len(ss), 5)]
	}
	return found
}

// liveWith returns the live Okta users of each blocking key that was asked for,
// of a crowd no more than shows that it is one.
func (ix *Index) liveWith(asked map[sum][]Ref, hash summer) map[sum][]Ref {
	few, number := newSieve(len(asked)), make(map[sum]int32, len(asked))
	for key := range asked {
		few.add(key)
		number[key] = int32(len(number))
	}
	type holder struct {
		key sum
		o   Ref
	}
	parts := map[int][]holder{} // by where each begins
	var lock sync.Mutex
	inParts(ix.OktaUsers.Len(), fewObjects, func(from, to int) {
		var holders []holder
		held := make([]uint8, len(number)) // of each key, up to a crowd
		b := blocking{hash: hash, few: few}
		for i := from; i < to; i++ {
			o := Ref{OktaUserKind, int32(i)}
			if !ix.Live(o) {
				continue
			}
			u := ix.OktaUser(o)
			b.start()
			if ix.names.state[i]&plainLogin == 0 {
				u.Login = Fold(u.Login)
			}
			b.address(u.Login)
			b.fullName(u.FirstName, u.LastName)
			if ix.TwoNames(o) {
				b.address(Fold(u.Email))
			}
			for _, key := range b.keys {
				if n, ok := number[key]; ok && held[n] <= crowd {
					held[n]++
					holders = append(holders, holder{key, o})
				}
			}
		}
		lock.Lock()
		defer lock.Unlock()
		parts[from] = holders
	})
	like := map[sum][]Ref{}
	for _, from := range slices.Sorted(maps.Keys(parts)) {
		for _, h := range parts[from] {
			if len(like[h.key]) <= crowd {
				like[h.key] = append(like[h.key], h.o)
			}
		}
	}
	return like
}

// A blocking collects the blocking keys of one user after another: the values of
// which two users who are alike share at least one.
type blocking struct {
	hash summer
	few  sieve // the keys that are looked for; nil: all
	keys []sum // of the user, each once
	text []byte
}

func (b *blocking) start() { b.keys = b.keys[:0] }

// add adds the key that the text is.
func (b *blocking) add(text []byte) {
	b.text = text
	if b.few != nil && !b.few.may(b.hash.first(text)) {
		return
	}
	if key := b.hash.ofBytes(text); !slices.Contains(b.keys, key) {
		b.keys = append(b.keys, key)
	}
}

// address adds the keys of a folded address.
func (b *blocking) address(name string) {
	local, _, ok := strings.Cut(name, "@")
	if !ok || !utf8.ValidString(name) {
		return
	}
	bare := withoutTag(local)
	text := append(b.text[:0], "local "...)
	for i := range len(bare) {
		if bare[i] != '.' {
			text = append(text, bare[i])
		}
	}
	b.add(text)
	b.add(appendSkeleton(append(b.text[:0], "looks "...), bare))
	// Of two names one edit apart one half is the same, whichever length it is
	// cut for.
	length := utf8.RuneCountInString(local)
	head, tail := 0, 0 // those of the length before, which often are the same
	for n := length - 1; n <= length+1; n++ {
		half := n / 2
		if half < 2 || half > length {
			continue
		}
		if half != head {
			head = half
			b.add(append(append(b.text[:0], "head "...), local[:runesAt(local, head)]...))
		}
		if rest := min(length, n-half); rest != tail {
			tail = rest
			b.add(append(append(b.text[:0], "tail "...), local[runesAt(local, length-tail):]...))
		}
	}
}

// fullName adds the key of a first and last name, where both are there.
func (b *blocking) fullName(first, last string) {
	if !blankName(first) && !blankName(last) {
		text := appendFold(append(b.text[:0], "name "...), first)
		b.add(appendFold(append(text, ' '), last))
	}
}

// runesAt returns where in s its n-th rune begins.
func runesAt(s string, n int) int {
	if isASCII(s) {
		return n
	}
	at := 0
	for ; n > 0; n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// A sieve holds a set of sums roughly: it lets all of them pass, and few others.
type sieve []uint64

func newSieve(n int) sieve { return make(sieve, 1<<bits.Len(uint(n/2))) } // 32 bits a sum or more

func (s sieve) add(key sum) { s[key.a>>6&uint64(len(s)-1)] |= 1 << (key.a & 63) }

// may reports whether a sum whose first half is a may be in the set.
func (s sieve) may(a uint64) bool { return s[a>>6&uint64(len(s)-1)]&(1<<(a&63)) != 0 }

func blankName(name string) bool { return strings.TrimSpace(name) == "" }

func withoutTag(local string) string {
	bare, _, _ := strings.Cut(local, "+")
	return cmp.Or(bare, local)
}

// likeness says how a Databricks user and an Okta user are alike, if they are.
func (ix *Index) likeness(d, o Ref) (Suggestion, bool) {
	du, ou := ix.DatabricksUser(d), ix.OktaUser(o)
	best := Suggestion{Okta: o}
	offer := func(score float64, why string) {
		if score > best.Score {
			best.Score, best.Why = score, why
		}
	}
	local, domain, _ := strings.Cut(Fold(du.UserName), "@")
	for _, name := range []string{Fold(ou.Login), Fold(ou.Email)} {
		otherLocal, otherDomain, ok := strings.Cut(name, "@")
		if !ok || local == "" {
			continue
		}
		dotless := func(s string) string { return strings.ReplaceAll(withoutTag(s), ".", "") }
		switch {
		case local == otherLocal:
			offer(likeDomain, "the same name in another domain: "+otherDomain)
		case domain != otherDomain:
		case withoutTag(local) == withoutTag(otherLocal):
			offer(likePlusTag, "the same address but for a plus-tag")
		case dotless(local) == dotless(otherLocal):
			offer(likeDots, "the same address but for dots")
		case Skeleton(local) == Skeleton(otherLocal):
			offer(likeLooks, "the letters look the same")
		case oneEdit([]rune(local), []rune(otherLocal)):
			offer(likeOneEdit, "one letter apart")
		}
	}
	if !blankName(du.GivenName) && !blankName(du.FamilyName) && SameName(du.GivenName, ou.FirstName) && SameName(du.FamilyName, ou.LastName) {
		offer(likeFullName, "the same first and last name")
	}
	return best, best.Score > 0
}

// oneEdit reports whether a becomes b by adding, leaving out or replacing one rune.
func oneEdit(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i < len(a) && slices.Equal(a[i+1:], b[i+1:])
	}
	return slices.Equal(a[i:], b[i+1:])
}
