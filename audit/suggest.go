package audit

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
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
const crowd = 12

// Suggestions returns the live Okta users who are like the Databricks user d, best
// first, five at most: of a user that is not linked and has no candidate. Users are
// compared only with those who share a blocking key with them: never all with all.
func (ix *Index) Suggestions(d Ref) []Suggestion {
	if d.Kind != DatabricksUserKind {
		return nil
	}
	return ix.like()[d.n]
}

// likes works out the suggestions of all users at once.
func (ix *Index) likes() map[int32][]Suggestion {
	seed := maphash.MakeSeed()
	asked := ix.nobody(seed)
	if len(asked) == 0 {
		return nil
	}
	like := ix.liveWith(asked, seed)
	var pairs []uint64 // a Databricks and an Okta user each
	for len(like) > 0 {
		key := like[0].key
		os := like[:sameKey(like, key)]
		like = like[len(os):]
		from, _ := slices.BinarySearchFunc(asked, key, blocked.compareKey)
		ds := asked[from:][:sameKey(asked[from:], key)]
		if len(os) > crowd {
			continue
		}
		for _, d := range ds {
			for _, o := range os {
				pairs = append(pairs, uint64(d.n)<<32|uint64(o.n))
			}
		}
	}
	slices.Sort(pairs)
	pairs = slices.Compact(pairs)
	offers := make([]Suggestion, len(pairs))
	inParts(len(pairs), fewObjects, func(from, to int) {
		for i, pair := range pairs[from:to] {
			d, o := Ref{DatabricksUserKind, int32(pair >> 32)}, Ref{OktaUserKind, int32(pair)}
			offers[from+i], _ = ix.likeness(d, o)
		}
	})
	found := map[int32][]Suggestion{}
	for i, s := range offers {
		if d := int32(pairs[i] >> 32); s.Score > 0 {
			found[d] = append(found[d], s)
		}
	}
	for d, ss := range found {
		slices.SortFunc(ss, func(a, b Suggestion) int {
			return cmp.Or(-cmp.Compare(a.Score, b.Score), a.Okta.Compare(b.Okta))
		})
		found[d] = slices.Clip(ss[:min(len(ss), 5)])
	}
	return found
}

// nobody returns the blocking keys of the Databricks users that nothing ties to an
// Okta user, in order, without those of a crowd.
func (ix *Index) nobody(seed maphash.Seed) []blocked {
	var asked []blocked
	var lock sync.Mutex
	inParts(ix.DatabricksUsers.Len(), fewObjects, func(from, to int) {
		var mine []blocked
		b := blocking{seed: seed, near: 1}
		for d := range ix.between(DatabricksUserKind, from, to) {
			if state := ix.LinkState(d); state != Unlinked && state != Stale || ix.Candidates(d).Len() > 0 {
				continue
			}
			u := ix.DatabricksUser(d)
			b.start()
			b.address(Fold(u.UserName))
			b.fullName(u.GivenName, u.FamilyName)
			for _, key := range b.keys {
				mine = append(mine, blocked{key, d.n})
			}
		}
		slices.SortFunc(mine, blocked.compare)
		lock.Lock()
		defer lock.Unlock()
		asked = merged(asked, mine)
	})
	few := asked[:0]
	for len(asked) > 0 {
		n := sameKey(asked, asked[0].key)
		if n <= crowd {
			few = append(few, asked[:n]...)
		}
		asked = asked[n:]
	}
	return few
}

// liveWith returns the live Okta users of each blocking key that was asked for, in
// order, of a crowd no more than shows that it is one.
func (ix *Index) liveWith(asked []blocked, seed maphash.Seed) []blocked {
	keys := newKeySet(asked)
	var like []blocked
	var lock sync.Mutex
	held := make([]atomic.Int32, len(keys.slots)) // of each key
	inParts(ix.OktaUsers.Len(), fewObjects, func(from, to int) {
		var mine []blocked
		b := blocking{seed: seed, few: keys.sieve}
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
				if n, ok := keys.slot(key); ok && held[n].Add(1) <= crowd+1 {
					mine = append(mine, blocked{key, o.n})
				}
			}
		}
		slices.SortFunc(mine, blocked.compare)
		lock.Lock()
		defer lock.Unlock()
		like = merged(like, mine)
	})
	return like
}

// A blocked user has a blocking key.
type blocked struct {
	key uint64
	n   int32 // which user of its kind
}

func (b blocked) compare(c blocked) int {
	if b.key == c.key {
		return cmp.Compare(b.n, c.n)
	}
	return cmp.Compare(b.key, c.key)
}

// merged makes one list in order of two.
func merged(a, b []blocked) []blocked {
	all := make([]blocked, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].compare(b[0]) > 0 {
			a, b = b, a
		}
		all, a = append(all, a[0]), a[1:]
	}
	return append(append(all, a...), b...)
}

func (b blocked) compareKey(key uint64) int { return cmp.Compare(b.key, key) }

// sameKey counts those that have the key, at the beginning of the list.
func sameKey(list []blocked, key uint64) int {
	n := 0
	for n < len(list) && list[n].key == key {
		n++
	}
	return n
}

// A blocking collects the blocking keys of one user after another: the values of
// which two users who are alike share at least one, if one of them is cut for the
// lengths near by too. A key is a sum of the value; whoever shares it by chance
// alone is not alike.
type blocking struct {
	seed maphash.Seed
	near int      // names are cut as those are, too, that are so many letters longer or shorter
	few  sieve    // the keys that are looked for; nil: all
	keys []uint64 // of the user, each once
	text []byte
}

func (b *blocking) start() { b.keys = b.keys[:0] }

// A blockingKind is what a blocking key is made of.
type blockingKind uint64

const (
	byLooks blockingKind = 1 + iota // of the local part, without tag and dots
	byHead
	byTail
	byFullName
)

func (b *blocking) add(kind blockingKind, sum uint64) {
	key := sum + uint64(kind)*0x9E3779B97F4A7C15 // the same text is another key for another kind
	if (b.few == nil || b.few.may(key)) && !slices.Contains(b.keys, key) {
		b.keys = append(b.keys, key)
	}
}

// address adds the keys of a folded address.
func (b *blocking) address(name string) {
	local, _, ok := strings.Cut(name, "@")
	own := len(local)
	if !isASCII(name) {
		ok = ok && utf8.ValidString(name)
		own = utf8.RuneCountInString(local)
	}
	if !ok {
		return
	}
	b.text = appendDotless(b.text[:0], withoutTag(local))
	b.add(byLooks, maphash.Bytes(b.seed, b.text))
	// Of two names one edit apart one half is the same, wherever one of them is
	// cut, if the other is cut for the same length.
	for length := max(own-b.near, 3); length <= own+b.near; length++ {
		head := max(length/2, 2)
		tail := length - head
		if head <= own {
			b.add(byHead, maphash.String(b.seed, local[:runesAt(local, own, head)]))
			b.add(byTail, maphash.String(b.seed, local[runesAt(local, own, own-tail):]))
		}
	}
}

// fullName adds the key of a first and last name, where both are there.
func (b *blocking) fullName(first, last string) {
	if !blankName(first) && !blankName(last) {
		b.text = append(appendFold(b.text[:0], first), ' ')
		b.text = appendFold(b.text, last)
		b.add(byFullName, maphash.Bytes(b.seed, b.text))
	}
}

// runesAt returns where in s, which has so many runes, its n-th begins.
func runesAt(s string, runes, n int) int {
	if runes == len(s) {
		return n
	}
	at := 0
	for ; n > 0; n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// A keySet holds blocking keys. Most keys that it is asked for it has not: those
// nearly all stay in the sieve, which is small.
type keySet struct {
	sieve
	slots []uint64 // the key, in the first free slot from where it belongs; 0 where there is none
}

func newKeySet(list []blocked) keySet {
	size := 1 << bits.Len(uint(2*len(list)))
	set := keySet{sieve: newSieve(len(list)), slots: make([]uint64, size)}
	for _, b := range list {
		n, _ := set.slot(b.key)
		set.slots[n] = b.key
		set.add(b.key)
	}
	return set
}

// slot returns the slot of the key, or the one where it would be, and whether it
// is there.
func (s *keySet) slot(key uint64) (int, bool) {
	n := int(key>>32) & (len(s.slots) - 1)
	for s.slots[n] != 0 && s.slots[n] != key {
		n = (n + 1) & (len(s.slots) - 1)
	}
	return n, s.slots[n] == key && key != 0
}

// blankName reports whether nothing is left of the name when white space is trimmed.
func blankName(name string) bool {
	for _, r := range name {
		if letter := 0xA0 < r && r < 0x1680 || 0x3000 < r; letter || !unicode.IsSpace(r) { // no space is among those
			return false
		}
	}
	return true
}

func withoutTag(local string) string {
	bare, _, _ := strings.Cut(local, "+")
	return cmp.Or(bare, local)
}

// appendDotless appends the skeleton of a local part without its dots.
func appendDotless(b []byte, local string) []byte {
	start := len(b)
	for i := range len(local) {
		switch c := local[i]; {
		case c == '.':
		case c < utf8.RuneSelf && oneLook[c] != 0:
			b = append(b, oneLook[c])
		case c == 'm':
			b = append(b, looks['m']...)
		default:
			skeleton := appendSkeleton(b[:start], local)
			b = skeleton[:start]
			for _, c := range skeleton[start:] {
				if c != '.' {
					b = append(b, c)
				}
			}
			return b
		}
	}
	return b
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
