package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Skeleton returns what a folded name looks like: the skeleton of UTS #39, with
// the confusables of Unicode 17.0.0, default ignorables removed and no
// bidirectional step. Names that look alike have one skeleton.
func Skeleton(folded string) string {
	if !utf8.ValidString(folded) {
		return folded
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(folded) {
		if defaultIgnorable(r) {
			continue
		}
		if prototype := confusable.GetReplacement(r); prototype != "" {
			b.WriteString(prototype)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFD.String(b.String())
}

// appendSkeleton appends the skeleton of a folded name.
func appendSkeleton(b []byte, folded string) []byte {
	start := len(b)
	for i := range len(folded) {
		c := folded[i]
		switch {
		case c < utf8.RuneSelf && oneLook[c] != 0:
			b = append(b, oneLook[c])
		case c < utf8.RuneSelf && asciiLooks[c] != "":
			b = append(b, asciiLooks[c]...)
		default:
			return append(b[:start], Skeleton(folded)...)
		}
	}
	return b
}

// oneLook is asciiLooks where that is one character.
var oneLook = func() (looks [utf8.RuneSelf]byte) {
	for c, s := range asciiLooks {
		if len(s) == 1 {
			looks[c] = s[0]
		}
	}
	return looks
}()

// asciiLooks is what each ASCII character looks like, where that is ASCII again.
var asciiLooks = func() (looks [utf8.RuneSelf]string) {
	for c := range looks {
		if s := Skeleton(string(rune(c))); isASCII(s) {
			looks[c] = s
		}
	}
	return looks
}()

// defaultIgnorable is Unicode's Default_Ignorable_Code_Point, as
// DerivedCoreProperties.txt derives it.
func defaultIgnorable(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case unicode.Is(unicode.White_Space, r), unicode.Is(unicode.Prepended_Concatenation_Mark, r),
		0xFFF9 <= r && r <= 0xFFFB, 0x13430 <= r && r <= 0x13440:
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// FullFold returns a folded name under Unicode's full case folding (statuses C
// and F), which merges ß with ss.
func FullFold(folded string) string {
	switch {
	case plain(folded), !utf8.ValidString(folded):
		return folded
	case strings.ContainsFunc(folded, foldsToSeveral):
		folded = cases.Fold().String(folded)
	}
	return norm.NFC.String(folded)
}

// foldsToSeveral reports whether r may be one that full case folding makes several
// runes of: it is near enough to say no of nearly every letter.
func foldsToSeveral(r rune) bool {
	switch r {
	case 0xDF, 0x130, 0x149, 0x1F0, 0x390, 0x3B0, 0x587:
		return true
	}
	return 0x13A0 <= r && r <= 0x13FF || // Cherokee, which the library folds the other way round
		0x1E96 <= r && r <= 0x1E9E || 0x1F50 <= r && r <= 0x1FFF || 0xFB00 <= r && r <= 0xFB17
}
