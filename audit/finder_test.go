package audit

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The finder finds what a plain binary search finds, and nothing else.
func TestFinder(t *testing.T) {
	letters := rapid.SampledFrom([]rune("0\x00aé\U0010ffff"))
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "00u", "0000000000"}).Draw(t, "prefix")
		n := rapid.SampledFrom([]int{0, 1, 40, 400}).Draw(t, "n") // left alone, nearly every list is short
		ids := rapid.SliceOfN(rapid.StringOfN(letters, 0, 12, -1), n, n).Draw(t, "ids")
		most := rapid.SampledFrom([]string{"", "one head"}).Draw(t, "most")
		for i := range ids {
			if i > 2 {
				ids[i] = most + ids[i]
			}
			ids[i] = prefix + ids[i]
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		f := newFinder(len(ids), func(i int) string { return ids[i] })
		for _, id := range append(slices.Clone(ids), rapid.StringOfN(letters, 0, 12, -1).Draw(t, "another"), "", prefix) {
			want, there := slices.BinarySearch(ids, id)
			if got, ok := f.find(id); ok != there || ok && got != want {
				t.Fatalf("%q: %d %v, want %d %v", id, got, ok, want, there)
			}
		}
	})
}
