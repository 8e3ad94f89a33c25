package audit

import (
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
	case plain(name):
		return name
	case isASCII(name):
		return strings.ToLower(strings.TrimSpace(name))
	case !utf8.ValidString(name):
		return name
	}
	return strings.Map(foldRune, norm.NFC.String(strings.TrimSpace(name)))
}

// appendFold appends Fold(name).
func appendFold(b []byte, name string) []byte {
	if !isASCII(name) {
		return append(b, Fold(name)...)
	}
	return appendLower(b, strings.TrimSpace(name))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// plain reports whether name folds to itself as nearly every name does: printable
// ASCII without capitals or spaces.
func plain(name string) bool {
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
	case unicode.SimpleFold(r) == r:
		return r // has no other case; İ, whose lower case is i, is one of these
	case unicode.Is(unicode.Cherokee, r):
		return unicode.ToUpper(r) // the one script that folds to its capitals
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// SameName reports whether two names are the same under [Fold].
func SameName(a, b string) bool { return a == b || Fold(a) == Fold(b) }
