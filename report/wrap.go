package report

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Wrap cuts a text into lines of at most width columns, between words: a longer
// word has a line of its own, for flags and ids are there to be copied.
func Wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := ansi.StringWidth(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}
