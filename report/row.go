package report

import "github.com/aimcheck/aimcheck/audit"

// A row is the cells of a line of a table, one behind the other in memory that is
// used again: a report has millions of cells.
type row struct {
	csv  bool // each cell is as CSV has it, with a comma behind it
	text []byte
	ends []int // of the cells in text

	unusual []byte // the last cell that CSV has in another way
}

// set makes these the cells.
func (r *row) set(cells ...string) {
	r.keep(0)
	r.add(cells...)
}

// keep leaves the first n cells.
func (r *row) keep(n int) {
	length := 0
	if n > 0 {
		length = r.ends[n-1]
	}
	r.text, r.ends = r.text[:length], r.ends[:n]
}

// add adds cells.
func (r *row) add(cells ...string) {
	for _, cell := range cells {
		start := len(r.text)
		r.text = append(r.text, cell...)
		r.end(start)
	}
}

// addSubjects adds a cell of the subjects.
func (r *row) addSubjects(list ...audit.Subject) {
	start := len(r.text)
	r.text = appendSubjects(r.text, list)
	r.end(start)
}

// addValues adds a cell of the values of the pieces.
func (r *row) addValues(pieces []*audit.Evidence) {
	start := len(r.text)
	for i, e := range pieces {
		if i > 0 {
			r.text = append(r.text, between...)
		}
		r.text = append(r.text, e.Value...)
	}
	r.end(start)
}

// end ends the cell whose text was appended from there on.
func (r *row) end(start int) {
	if r.csv {
		if cell := r.text[start:]; !asItIs(cell) {
			r.unusual = append(r.unusual[:0], cell...)
			r.text = appendUnusual(r.text[:start], r.unusual)
		}
		r.text = append(r.text, ',')
	}
	r.ends = append(r.ends, len(r.text))
}

// cell returns a cell of a row that is not CSV.
func (r *row) cell(i int) string {
	start := 0
	if i > 0 {
		start = r.ends[i-1]
	}
	return string(r.text[start:r.ends[i]])
}

// cells appends the texts of the cells of a row that is not CSV to the list.
func (r *row) cells(list []string) []string {
	text, start := string(r.text), 0
	for _, end := range r.ends {
		list = append(list, text[start:end])
		start = end
	}
	return list
}

// appendSubjects appends the texts of the subjects separated by a space. Ids hold none.
func appendSubjects(text []byte, list []audit.Subject) []byte {
	for i, s := range list {
		if i > 0 {
			text = append(text, ' ')
		}
		if !s.IsZero() {
			text = append(append(append(text, s.Kind.String()...), ':'), s.ID...)
		}
	}
	return text
}

// joined returns the texts of the subjects separated by a space.
func joined(subjects []audit.Subject) string { return string(appendSubjects(nil, subjects)) }
