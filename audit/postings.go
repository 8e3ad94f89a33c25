package audit

import (
	"cmp"
	"slices"
)

// postings lists, for each key, the objects that have it: nearly always one.
type postings struct {
	only  []int32 // by key: its one object, none, or several less where its list stands
	lists []int32 // of each key that has two objects or more: how many, and which
}

const several = none - 1

// newPostings lists n objects under the keys that each yields, in object order.
// An object that yields a key twice is listed once.
func newPostings(nkeys, n int, of func(i int) (a, b int32)) postings {
	p := postings{only: slices.Repeat([]int32{none}, nkeys)}
	type posting struct{ key, object int32 }
	var more []posting // of keys that have an object already
	add := func(key int32, i int) {
		switch {
		case key == none:
		case p.only[key] == none:
			p.only[key] = int32(i)
		default:
			more = append(more, posting{key, int32(i)})
		}
	}
	for i := range n {
		a, b := of(i)
		if add(a, i); b != a {
			add(b, i)
		}
	}
	slices.SortFunc(more, func(x, y posting) int { return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.object, y.object)) })
	for i := 0; i < len(more); {
		key, at := more[i].key, len(p.lists)
		p.lists = append(p.lists, 0, p.only[key])
		for ; i < len(more) && more[i].key == key; i++ {
			p.lists = append(p.lists, more[i].object)
		}
		p.lists[at] = int32(len(p.lists) - at - 1)
		p.only[key] = several - int32(at)
	}
	p.lists = slices.Clip(p.lists)
	return p
}

// of returns the objects of the key, which are not to be changed.
func (p postings) of(key int32) []int32 {
	if key == none || int(key) >= len(p.only) {
		return nil
	}
	switch only := p.only[key]; {
	case only >= 0:
		return p.only[key : key+1 : key+1]
	case only == none:
		return nil
	default:
		at := several - only
		end := at + 1 + p.lists[at]
		return p.lists[at+1 : end : end]
	}
}
