package audit

import "testing"

func TestHowSame(t *testing.T) {
	for _, test := range []struct{ a, b, want string }{
		{"ana", "ana", "byte for byte"},
		{"ana", "Ana", "only after folding: letter case"},
		{"ana", "\u2003ana", "only after folding: white space"},
		{"jos\u00e9", "jose\u0301", "only after folding: normal form"},
		{"JOS\u00c9", "jose\u0301", "only after folding: normal form, letter case"},
		{" JOS\u00c9", "jose\u0301\t", "only after folding: white space, normal form, letter case"},
		{" ana", "ANA", "only after folding: white space, letter case"},
		{"K", "\u212a", "only after folding: normal form or letter case"},
	} {
		if Fold(test.a) != Fold(test.b) {
			t.Errorf("%q and %q are not the same", test.a, test.b)
		}
		if got := howSame(test.a, test.b); got != test.want {
			t.Errorf("howSame(%q, %q) = %q, want %q", test.a, test.b, got, test.want)
		}
		if got := howSame(test.b, test.a); got != test.want {
			t.Errorf("howSame(%q, %q) = %q, want %q", test.b, test.a, got, test.want)
		}
	}
}
