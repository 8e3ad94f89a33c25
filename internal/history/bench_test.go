package history

import (
	"fmt"
	"path/filepath"
	"testing"
)

// A night of a company with 100,000 findings, all but a hundred of them known.
func BenchmarkRecord(b *testing.B) {
	p, err := ParsePlace(filepath.Join(b.TempDir(), "h.db"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := Create(b.Context(), p)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var texts []string
	for i := range 100_000 {
		texts = append(texts, fmt.Sprintf("warning a person%d@example.com", i))
	}
	night := 0
	record := func() {
		r := say(texts[night%100 : 99_900+night%100]...)
		if _, err := s.Record(b.Context(), r, Run{Org: "o", Account: "a", Now: day(night), Read: day(night)}); err != nil {
			b.Fatal(err)
		}
		night++
	}
	record()
	for b.Loop() {
		record()
	}
}
