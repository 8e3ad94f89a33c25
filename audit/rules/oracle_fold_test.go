package rules_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// oracleUnicode is what the oracle needs of Unicode's own files, see testdata/unicode.
type oracleUnicode struct {
	simple     map[rune]string // CaseFolding.txt, statuses C and S
	full       map[rune]string // CaseFolding.txt, statuses C and F
	prototype  map[rune]string // confusables.txt
	whiteSpace map[rune]bool
	ignorable  map[rune]bool // Default_Ignorable_Code_Point
}

var oracleData = sync.OnceValue(func() oracleUnicode {
	d := oracleUnicode{map[rune]string{}, map[rune]string{}, map[rune]string{}, map[rune]bool{}, map[rune]bool{}}
	for _, f := range oracleFields("casefolding.txt") {
		from, to := oracleRunes(f[0])[0], string(oracleRunes(f[2]))
		if f[1] != "F" {
			d.simple[from] = to
		}
		if f[1] != "S" {
			d.full[from] = to
		}
	}
	for _, f := range oracleFields("confusables.txt") {
		d.prototype[oracleRunes(f[0])[0]] = string(oracleRunes(f[1]))
	}
	for _, f := range oracleFields("properties.txt") {
		first, last, _ := strings.Cut(f[0], "..")
		for r := oracleRunes(first)[0]; r <= oracleRunes(last)[0]; r++ {
			switch f[1] {
			case "White_Space":
				d.whiteSpace[r] = true
			case "Default_Ignorable_Code_Point":
				d.ignorable[r] = true
			}
		}
	}
	return d
})

// oracleFields reads one of the files, lines of fields between semicolons.
func oracleFields(name string) [][]string {
	f, err := os.Open(filepath.Join("testdata", "unicode", name))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	var all [][]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			all = append(all, strings.Split(line, ";"))
		}
	}
	return all
}

// oracleRunes reads code points in hexadecimal, separated by spaces.
func oracleRunes(text string) []rune {
	var rs []rune
	for _, h := range strings.Fields(text) {
		n, err := strconv.ParseInt(h, 16, 32)
		if err != nil {
			panic(err)
		}
		rs = append(rs, rune(n))
	}
	return rs
}

// replaceRunes maps each rune by the table; runes that are not in it stay.
func replaceRunes(s string, table map[rune]string) string {
	var b strings.Builder
	for _, r := range s {
		if to, ok := table[r]; ok {
			b.WriteString(to)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func oracleTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return oracleData().whiteSpace[r] })
}

// oracleFold is fold(s) of the catalogue.
func oracleFold(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return replaceRunes(norm.NFC.String(oracleTrim(s)), oracleData().simple)
}

// oracleFullFold is the name under full case folding.
func oracleFullFold(s string) string {
	return replaceRunes(norm.NFC.String(oracleTrim(s)), oracleData().full)
}

// oracleSkeleton is the skeleton of UTS #39, section 4, without its bidi step.
func oracleSkeleton(s string) string {
	s = strings.Map(func(r rune) rune {
		if oracleData().ignorable[r] {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return norm.NFD.String(replaceRunes(s, oracleData().prototype))
}

// oracleBlank reports whether nothing is left of s after trimming.
func oracleBlank(s string) bool { return oracleTrim(s) == "" }

// The file's simple folding and strings.EqualFold must say the same of every rune.
func TestOracleFoldsAsEqualFold(t *testing.T) {
	if v := unicode.Version; v != "15.0.0" {
		t.Fatalf("testdata/unicode/casefolding.txt is of Unicode 15.0.0 and this Go of %s: make it again", v)
	}
	simple := oracleData().simple
	fold := func(r rune) string { return replaceRunes(string(r), simple) }
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		if to := fold(r); !strings.EqualFold(string(r), to) {
			t.Errorf("%U folds to %q, which EqualFold tells apart", r, to)
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if fold(r) != fold(other) {
				t.Errorf("%U and %U are the same for EqualFold and fold to %q and %q", r, other, fold(r), fold(other))
			}
		}
		if got, want := oracleData().whiteSpace[r], unicode.Is(unicode.White_Space, r); got != want {
			t.Errorf("%U is white space: %v, in package unicode %v", r, got, want)
		}
	}
}

func TestOracleFold(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"kim", "\u212aIM", true},
		{"roſa", "ROSA", true},
		{"νίκος", "ΝΊΚΟΣ", true},
		{"groß", "groẞ", true},
		{"groß", "gross", false},
		{"dılan", "dilan", false},
		{"dİlan", "dilan", false},
		{"zoé", "\u2003ZOE\u0301\u00a0", true},
		{"zoé", "zoe", false},
		{"a\u200b", "a", false},
		{"\xffA", "\xffa", false},
		{"\xffa ", "\xffa", false},
	} {
		if got := oracleFold(c.a) == oracleFold(c.b); got != c.same {
			t.Errorf("%q and %q: same = %v, want %v", c.a, c.b, got, c.same)
		}
	}
	for _, c := range []struct{ in, skeleton string }{
		{"omar@example.com", "ornar@exarnple.corn"},
		{"оmаr", "ornar"}, // Cyrillic о and а
		{"o\u200bm\u202ear", "ornar"},
		{"dılan", "dilan"},
	} {
		if got := oracleSkeleton(c.in); got != c.skeleton {
			t.Errorf("skeleton of %q is %q, want %q", c.in, got, c.skeleton)
		}
	}
	if oracleFullFold("strauß") != oracleFullFold("STRAUSS") {
		t.Error("ß and ss differ under full folding")
	}
}
