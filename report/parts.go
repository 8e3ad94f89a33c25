package report

import (
	"io"
	"iter"
	"sync"

	"github.com/aimcheck/aimcheck/audit"
)

// writeParts writes what each part of a long list is as text. Some are made side by
// side, in memory that is used again.
func writeParts[T any](w io.Writer, l audit.List[T], add func(text []byte, part iter.Seq[T]) ([]byte, error)) error {
	type made struct {
		text []byte
		err  error
	}
	spare := sync.Pool{New: func() any { return &made{} }}
	parts := audit.Made(l, func(part iter.Seq[T]) *made {
		m := spare.Get().(*made)
		m.text, m.err = add(m.text[:0], part)
		return m
	})
	for m := range parts {
		if m.err != nil {
			return m.err
		}
		if _, err := w.Write(m.text); err != nil {
			return err
		}
		spare.Put(m)
	}
	return nil
}
