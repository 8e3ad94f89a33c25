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
	var room [64]byte
	return string(appendSkeleton(room[:0], folded))
}

// searchSkeleton is Skeleton by Unicode's tables.
func searchSkeleton(folded string) string {
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
	for i := 0; i < len(folded); {
		if c := folded[i]; c < utf8.RuneSelf && oneLook[c] != 0 {
			b = append(b, oneLook[c])
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(folded[i:])
		switch {
		case int(r) < len(looks) && looks[r] != "":
			b = append(b, looks[r]...)
		case 0x4E00 <= r && r < 0xA000: // Chinese: no letter is made of others
			if prototype := confusable.GetReplacement(r); prototype != "" {
				b = append(b, prototype...)
			} else {
				b = append(b, folded[i:i+size]...)
			}
		default:
			return append(b[:start], searchSkeleton(folded)...)
		}
		i += size
	}
	return b
}

// looks is what each letter of Latin, Greek, Cyrillic, Hebrew and Arabic looks
// like; blank for those that depend on the ones around them, as marks do.
var looks = func() (looks [0x700]string) {
	starts := func(s string) bool { return s != "" && norm.NFD.PropertiesString(s).CCC() == 0 }
	for r := range looks {
		if s := searchSkeleton(string(rune(r))); starts(s) && starts(norm.NFD.String(string(rune(r)))) {
			looks[r] = s
		}
	}
	return looks
}()

// oneLook is looks where that is one ASCII character.
var oneLook = func() (one [utf8.RuneSelf]byte) {
	for c := range one {
		if s := looks[c]; len(s) == 1 {
			one[c] = s[0]
		}
	}
	return one
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
	case Plain(folded), !utf8.ValidString(folded):
		return folded
	case strings.ContainsFunc(folded, foldsToSeveral):
		folded = cases.Fold().String(folded)
	}
	return nfc(folded)
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
