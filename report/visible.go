package report

// Visible returns s as one line for a terminal: what is not seen, or moves what
// is seen, is written as escapes.
func Visible(s string) string { return visible(s) }
