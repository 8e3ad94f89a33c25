package audit

import "testing"

// What Unicode has ignored by default goes, down to the ends of what is left out.
func TestDefaultIgnorable(t *testing.T) {
	for r, want := range map[rune]bool{
		'a': false, 0xAC: false, 0xAD: true, 0x200B: true, 0x200D: true, 0x2028: false, 0x0600: false, 0x3164: true, 0xFE0F: true, 0xFEFF: true,
		0xFFF8: true, 0xFFF9: false, 0xFFFA: false, 0xFFFB: false, 0xFFFC: false,
		0x13430: false, 0x13440: false, 0x1BCA0: true, 0xE0001: true, 0xE0100: true, 0xE0FFF: true, 0xE1000: false,
	} {
		if got := defaultIgnorable(r); got != want {
			t.Errorf("%U is ignored: %v, want %v", r, got, want)
		}
	}
}
