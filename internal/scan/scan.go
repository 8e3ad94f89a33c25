// Package scan looks at texts eight bytes at a time, for those who write millions
// of them of which nearly none needs more than to be copied.
package scan

import "unicode/utf8"

const (
	each = 0x0101010101010101
	high = 0x8080808080808080
)

// For reports whether the text holds a quotation mark, the other character, which
// is ASCII, or a control character of ASCII but DEL; and whether it is all ASCII.
func For[T ~string | ~[]byte](text T, other byte) (special, ascii bool) {
	others := each * uint64(other)
	switch {
	case len(text) < 4:
		return slowly(text, other)
	case len(text) < 8: // what is in both halves is looked at twice
		w := half(text) | half(text[len(text)-4:])<<32
		return among(w, others)&high != 0, w&high == 0
	}
	// What is set in seen is of bytes beyond ASCII, in found of those looked for,
	// or of the bytes above one of those, by its borrow.
	last := word(text[len(text)-8:])
	seen, found := last, among(last, others)
	for i := 0; i < len(text)-8; i += 8 {
		w := word(text[i:])
		seen |= w
		found |= among(w, others)
	}
	return found&high != 0, seen&high == 0
}

func among(w, others uint64) uint64 {
	quote, other := w^each*'"', w^others
	return ((quote - each) | (other - each) | (w - each*' ')) &^ w
}

// word is encoding/binary's Uint64, for strings too without a copy: one load all the same.
func word[T ~string | ~[]byte](text T) uint64 {
	_ = text[7]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

func half[T ~string | ~[]byte](text T) uint64 {
	_ = text[3]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24
}

func slowly[T ~string | ~[]byte](text T, other byte) (special, ascii bool) {
	ascii = true
	for i := range len(text) {
		c := text[i]
		special = special || c < ' ' || c == '"' || c == other
		ascii = ascii && c < utf8.RuneSelf
	}
	return special, ascii
}
