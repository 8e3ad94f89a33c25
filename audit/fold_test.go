package audit

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"ana@example.com", "ana@example.com"},
		{" Ana@Example.COM\u00a0", "ana@example.com"},
		{"\u212aim", "kim"},              // Kelvin sign
		{"roſa", "rosa"},                 // long s
		{"νίκος", "νίκοσ"},               // final sigma
		{"groẞ", "groß"},                 // capital sharp s, not ss
		{"dılan", "dılan"},               // dotless i has no other case
		{"İ", "İ"},                       // nor has dotted capital I
		{"zoe\u0301", "zoé"},             // NFC
		{"\uab70\u13f8", "\u13a0\u13f0"}, // Cherokee folds to capitals
		{"\u00b5", "\u03bc"},             // micro sign
		{"\u01c4\u01c5", "\u01c6\u01c6"}, // titlecase digraph
		{"A\xff", "A\xff"},               // not UTF-8: byte by byte
		{" \xff", " \xff"},               //
		{"a b\u200bC", "a b\u200bc"},     // inner characters stay
		{"\u3000x\u2028", "x"},           // white space of every kind
		{"\u1f88", "\u1f80"},             // status S, not the full folding
		{"\u0345", "\u03b9"}, {"ẛ", "ṡ"}, {"\u03f4", "θ"},
	} {
		if got := Fold(tt.name); got != tt.want {
			t.Errorf("Fold(%+q) = %+q, want %+q", tt.name, got, tt.want)
		}
		if got := string(appendFold([]byte("x"), tt.name)); got != "x"+tt.want {
			t.Errorf("appendFold(%+q) = %+q, want %+q", tt.name, got, tt.want)
		}
	}
}

// Every rune folds to a member of its own orbit, the same for the whole orbit.
func TestFoldOrbits(t *testing.T) {
	for r := range rune(unicode.MaxRune) {
		if !utf8.ValidRune(r) {
			continue
		}
		if foldRune(r) != searchFold(r) {
			t.Fatalf("%U folds to %U on the short way, to %U on the long one", r, foldRune(r), searchFold(r))
		}
		member := foldRune(r) == r
		for s := unicode.SimpleFold(r); s != r; s = unicode.SimpleFold(s) {
			member = member || foldRune(r) == s
			if foldRune(s) != foldRune(r) {
				t.Fatalf("%U and %U are one letter but fold to %U and %U", r, s, foldRune(r), foldRune(s))
			}
		}
		if !member {
			t.Fatalf("%U folds to %U, which is another letter", r, foldRune(r))
		}
	}
}

func TestFoldAgreesWithEqualFold(t *testing.T) {
	letters := rapid.SampledFrom([]rune("aAkK\u212asſßẞiIıİσςΣéE\u0301 \t\u200bǅǆĳＡａ@."))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringOfN(letters, 0, 4, -1).Draw(t, "a"), rapid.StringOfN(letters, 0, 4, -1).Draw(t, "b")
		trim := func(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
		if got, want := Fold(a) == Fold(b), strings.EqualFold(trim(a), trim(b)); got != want {
			t.Fatalf("Fold says %v of %+q and %+q, EqualFold %v", got, a, b, want)
		}
	})
}

// A skeleton that is put together letter by letter is the one of the whole name.
func TestAppendSkeleton(t *testing.T) {
	for r := range rune(0x20000) { // beyond are ideographs
		for _, name := range []string{string(r), "a" + string(r) + "\u0301б", "é" + string(r) + "丽"} {
			if got, want := string(appendSkeleton([]byte("="), name)), "="+searchSkeleton(name); got != want {
				t.Fatalf("%U: got %+q, want %+q", r, got, want)
			}
		}
	}
	letters := rapid.SampledFrom([]rune("am1.é\u0301\u0323ñçøæßйёא\u05b4لآ\u064b\u200b丽ⅰk가\uFFFD"))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(letters, 0, 6, -1).Draw(t, "name")
		if got := string(appendSkeleton(nil, name)); got != searchSkeleton(name) {
			t.Fatalf("got %+q, want %+q", got, searchSkeleton(name))
		}
		if got, want := string(appendDotless([]byte("."), name)), "."+strings.ReplaceAll(searchSkeleton(name), ".", ""); got != want {
			t.Fatalf("without dots got %+q, want %+q", got, want)
		}
	})
}

// What the quick look takes for a letter of one rune is one in full folding too.
func TestFullFold(t *testing.T) {
	full := cases.Fold()
	for r := range rune(0x20000) { // beyond are ideographs
		if !utf8.ValidRune(r) {
			continue
		}
		name := "a" + string(foldRune(r)) + "\u0301"
		if got, want := FullFold(name), norm.NFC.String(full.String(name)); got != want {
			t.Fatalf("%U: got %+q, want %+q", r, got, want)
		}
	}
}

// A plain name has no byte that folding could touch, wherever it stands.
func TestPlain(t *testing.T) {
	for c := range 0x100 {
		want := ' ' < c && c <= '~' && !('A' <= c && c <= 'Z')
		for at := range 20 {
			name := strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("~", 19-at)
			if Plain(name) != want {
				t.Fatalf("Plain(%q) = %v", name, !want)
			}
		}
	}
}

// A rune that composes with nothing is in NFC as it is.
func TestMayCompose(t *testing.T) {
	for r := range rune(unicode.MaxRune) {
		text := string(r)
		if !mayCompose(r) && !(norm.NFC.IsNormalString(text) && norm.NFC.PropertiesString(text).BoundaryBefore()) {
			t.Fatalf("%U may become another rune", r)
		}
	}
}
