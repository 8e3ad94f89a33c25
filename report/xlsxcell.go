package report

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// cellText returns the text as a cell may hold it: no formula, no character
// that XML has no place for, and no longer than a cell.
func cellText(text string, list bool) string {
	return cut(guarded(printable(text)), list, excelize.TotalCellChars)
}

// surrogate is a text that readers of workbooks take for half a character.
var surrogate = regexp.MustCompile(`_x[Dd][89A-Fa-f][0-9A-Fa-f]{2}_`)

// printable returns s with \u escapes for the characters that XML can't hold, and
// for those that turn the direction of writing: a cell shows what it says.
func printable(s string) string {
	if strings.Contains(s, "_x") {
		for at := surrogate.FindStringIndex(s); at != nil; at = surrogate.FindStringIndex(s) {
			s = s[:at[0]] + `\u005f` + s[at[0]+1:]
		}
	}
	bad := func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff || r == utf8.RuneError ||
			0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if bad(r) && r != utf8.RuneError {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cut returns s if it has at most limit UTF-16 units, as spreadsheets count;
// else its beginning and how many elements of the list, or characters, are left out.
func cut(s string, list bool, limit int) string {
	if len(s) <= limit {
		return s
	}
	const room = 40 // for the note
	units, at := 0, 0
	for i, r := range s {
		if units <= limit-room {
			at = i
		}
		units += utf16.RuneLen(r)
	}
	if units <= limit {
		return s
	}
	if list {
		if space := strings.LastIndexByte(s[:at], ' '); space > 0 {
			return fmt.Sprintf("%s and %d more", s[:space], len(strings.Fields(s[space:])))
		}
	}
	return fmt.Sprintf("%s … and %d more characters", s[:at], utf8.RuneCountInString(s[at:]))
}

// appendXML appends the text as XML has it in a cell. What looks like an escape
// of spreadsheets, "_x0041_", gets its first letter escaped.
func appendXML(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '&':
			b = append(b, "&amp;"...)
		case c == '<':
			b = append(b, "&lt;"...)
		case c == '>':
			b = append(b, "&gt;"...)
		case c == '\r': // as it is, XML makes it a new line
			b = append(b, "_x000D_"...)
		case c == '_' && escaped(text[i:]):
			b = append(b, "_x005F_"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// escaped reports whether the text begins like "_x0041_".
func escaped(text string) bool {
	if len(text) < 7 || text[1] != 'x' || text[6] != '_' {
		return false
	}
	for _, c := range []byte(text[2:6]) {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// withoutEscapes returns the text so that excelize, which writes it as it is, writes
// nothing that a program takes for an escape.
func withoutEscapes(text string) string {
	if !strings.Contains(text, "_x") && !strings.Contains(text, "\r") {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case text[i] == '_' && escaped(text[i:]):
			b.WriteString("_x005F_")
		case text[i] == '\r':
			b.WriteString("_x000D_")
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
