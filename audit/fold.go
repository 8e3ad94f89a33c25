package audit

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the key under which two names are the same: trimmed of Unicode
// white space, in NFC, each rune by CaseFolding.txt, statuses C and S. So
// Fold(a) == Fold(b) exactly when [strings.EqualFold] says so of the trimmed NFC
// forms. Full folding would merge ß with ss, which are different mailboxes. A
// name that is not valid UTF-8 is its own key, byte by byte.
func Fold(name string) string {
	switch {
	case Plain(name):
		return name
	case isASCII(name):
		return strings.ToLower(strings.TrimSpace(name))
	}
	var room [64]byte
	folded, ok := appendLetters(room[:0], strings.TrimSpace(name))
	switch {
	case ok && string(folded) == name:
		return name
	case ok:
		return string(folded)
	case !utf8.ValidString(name):
		return name
	}
	return strings.Map(foldRune, norm.NFC.String(strings.TrimSpace(name)))
}

// appendFold appends Fold(name).
func appendFold(b []byte, name string) []byte {
	if isASCII(name) {
		return appendLowerASCII(b, strings.TrimSpace(name))
	}
	if folded, ok := appendLetters(b, strings.TrimSpace(name)); ok {
		return folded
	}
	return append(b, Fold(name)...)
}

// appendLetters appends the name, each letter folded. It reports whether that is
// all there is to do: the name is in NFC, as most are, and valid UTF-8.
func appendLetters(b []byte, name string) (folded []byte, ok bool) {
	for _, r := range name {
		if mayCompose(r) || r == utf8.RuneError {
			return nil, false
		}
		b = utf8.AppendRune(b, foldRune(r))
	}
	return b, true
}

// nfc returns the name in NFC, in which most names are.
func nfc(name string) string {
	if strings.ContainsFunc(name, mayCompose) {
		return norm.NFC.String(name)
	}
	return name
}

// mayCompose reports whether r may become another rune in NFC, alone or with those
// before it. It says no of most letters of names.
func mayCompose(r rune) bool {
	switch {
	case r < 0x300, 0x388 <= r && r < 0x483, 0x488 <= r && r < 0x591, // Latin, Greek, Cyrillic, Armenian
		0x5C8 <= r && r < 0x610, 0x620 <= r && r < 0x64B, // Hebrew, Arabic
		0x3030 <= r && r < 0x3099, 0x309B <= r && r < 0xA000, 0xAC00 <= r && r < 0xD7A4: // Japanese, Chinese, Korean
		return false
	}
	return true
}

func isASCII(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if binary.LittleEndian.Uint64([]byte(s[:8]))&0x8080808080808080 != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Plain reports whether name folds to itself as nearly every name does: printable
// ASCII without capitals or spaces. It looks at eight bytes at a time.
func Plain(name string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(name) >= 8; name = name[8:] {
		w := binary.LittleEndian.Uint64([]byte(name[:8])) // no copy is made
		// Of ASCII, to add 0x80-c sets the high bit of those bytes that are c or more.
		visible, beyond := w+each*(0x80-'!'), w|(w+each*(0x80-0x7f))
		capital := (w + each*(0x80-'A')) &^ (w + each*(0x80-'['))
		if (^visible|beyond|capital)&high != 0 {
			return false
		}
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// foldRune maps a rune to the one that CaseFolding.txt gives for its orbit.
func foldRune(r rune) rune {
	switch {
	case int(r) < len(foldedRunes):
		return foldedRunes[r]
	case 0x3000 <= r && r < 0xA640 || 0xAC00 <= r && r < 0xFB00:
		return r // Chinese, Japanese and Korean have no case
	}
	return searchFold(r)
}

// foldedRunes is what the runes of Latin, Greek, Cyrillic, Hebrew and Arabic fold to.
var foldedRunes = func() (to [0x700]rune) {
	for r := range to {
		to[r] = searchFold(rune(r))
	}
	return to
}()

// searchFold is foldRune by Unicode's tables.
func searchFold(r rune) rune {
	switch {
	case unicode.SimpleFold(r) == r:
		return r // has no other case; İ, whose lower case is i, is one of these
	case unicode.Is(unicode.Cherokee, r):
		return unicode.ToUpper(r) // the one script that folds to its capitals
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// SameName reports whether two names are the same under [Fold].
func SameName(a, b string) bool { return a == b || Fold(a) == Fold(b) }
