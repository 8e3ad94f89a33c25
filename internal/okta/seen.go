package okta

import "hash/maphash"

// A seen remembers the ids that a listing gave, and the number of the chain that
// gave each last. It keeps a keyed hash of 64 bits instead of the id: two of five
// million ids share one with a chance below one in a million, and then the
// listing is taken to have moved, which costs a second reading.
type seen struct {
	seed maphash.Seed
	by   map[uint64]uint8
}

func newSeen() *seen { return &seen{maphash.MakeSeed(), map[uint64]uint8{}} }

func (s *seen) get(id string) (chain int, known bool) {
	c, known := s.by[maphash.String(s.seed, id)]
	return int(c), known
}

func (s *seen) set(id string, chain int) { s.by[maphash.String(s.seed, id)] = uint8(chain) }
