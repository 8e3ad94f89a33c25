package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// guarded returns s so that no spreadsheet takes it for a formula: a value that
// starts like one, or with an apostrophe, gets a leading apostrophe. Taking one
// apostrophe off gives s again.
func guarded(s string) string {
	if s != "" && formula(s[0]) {
		return "'" + s
	}
	return s
}

// formula reports whether [guarded] guards what starts with c.
func formula(c byte) bool { return formulas[c] }

var formulas = [256]bool{'=': true, '+': true, '-': true, '@': true, '\t': true, '\r': true, '\'': true}

// valid returns s with U+FFFD for each byte that is no UTF-8, as findings.json has
// it: texts that differ in length alone stay different in every file.
func valid(s string) string { return string([]rune(s)) }

// visible returns s as one line that shows what it holds: characters that are
// not seen, or that move what is seen, are written as \u escapes, and so are
// white space at either end and bytes that are no UTF-8.
func visible(s string) string {
	inner := strings.Trim(s, " ")
	if inner == s && plain(s) {
		return s
	}
	start := strings.Index(s, inner)
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == ' ' && start <= i && i < start+len(inner), r != ' ' && shown(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// plain reports whether all of s is seen as it is.
func plain(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || r != ' ' && !shown(r) {
			return false
		}
	}
	return true
}

// shown reports whether r is a character that is seen and stays in its place.
func shown(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// code returns s as a Markdown code span that may stand in a table: nothing in
// it is markup, a mention or a link.
func code(s string) string {
	s = visible(s)
	if s == "" {
		return "(blank)"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + strings.ReplaceAll(s, "|", `\|`) + fence
}

// counted returns the number with thousands set apart and the noun that fits it.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// thousands returns n as people read it: 1,048,576.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
