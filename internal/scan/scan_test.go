package scan

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Every byte, at every place of texts of every length up to three words.
func TestForFindsEveryByte(t *testing.T) {
	for _, other := range []byte{',', '\\', 0x7f} {
		for length := 1; length <= 24; length++ {
			for at := range length {
				for c := range 256 {
					text := []byte(strings.Repeat("m", length))
					text[at] = byte(c)
					special, ascii := For(string(text), other)
					if want := c < ' ' || c == '"' || c == int(other); special != want || ascii != (c < 0x80) {
						t.Fatalf("For(%q, %q) = %v, %v", text, other, special, ascii)
					}
				}
			}
		}
	}
}

// Bytes beside each other must not hide or make up one another.
func TestForIsAsSlowly(t *testing.T) {
	near := rapid.SampledFrom([]byte("\x00\x1f !\"#+,-[\\]~\x7f\x80\x81\x9f\xa0\xa1\xa2\xa3\xac\xdc\xff"))
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(near, 0, 40).Draw(t, "text"))
		other := rapid.SampledFrom([]byte(`,\`)).Draw(t, "other")
		special, ascii := For(text, other)
		if s, a := slowly(text, other); special != s || ascii != a {
			t.Fatalf("For(%q, %q) = %v, %v, want %v, %v", text, other, special, ascii, s, a)
		}
	})
}
