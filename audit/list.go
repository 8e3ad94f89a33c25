package audit

import "iter"

// A List is a long list, of which each element is made when it is asked for. It may
// stand in the place of the one before: it is good until the next.
type List[T any] struct {
	places int // where an element may stand
	within func(from, to int) iter.Seq[T]
}

// All yields the elements in order.
func (l List[T]) All() iter.Seq[T] { return l.within(0, l.places) }

const listPart = 1 << 10 // places

// Made yields what do makes of each part of the list, in order. Some are made side
// by side.
func Made[T, M any](l List[T], do func(part iter.Seq[T]) M) iter.Seq[M] {
	return madeInOrder(l.places, listPart, func(from, to int) M { return do(l.within(from, to)) })
}
