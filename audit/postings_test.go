package audit

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPostings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.Int32Range(none, 9)
		objects := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]int32 { return [2]int32{keys.Draw(t, "a"), keys.Draw(t, "b")} }), 0, 20).Draw(t, "objects")
		p := newPostings(10, len(objects), func(i int) (int32, int32) { return objects[i][0], objects[i][1] })
		for key := none; key < 12; key++ { // some that nobody has, and some that there are not
			var want []int32
			for i, o := range objects {
				if key != none && slices.Contains(o[:], key) {
					want = append(want, int32(i))
				}
			}
			if got := p.of(key); !slices.Equal(got, want) {
				t.Fatalf("key %d has %v, want %v", key, got, want)
			}
		}
	})
}
