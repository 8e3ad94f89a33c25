package report

import "github.com/aimcheck/aimcheck/audit"

// A row is the cells of a line of a table, one behind the other in memory that is
// used again: a report has millions of cells.
type row struct {
	text []byte // a comma behind each cell: nearly every line of CSV is that
	ends []int  // of the cells in text
}

// set makes these the cells.
func (r *row) set(cells ...string) {
	r.keep(0)
	r.add(cells...)
}

// keep leaves the first n cells.
func (r *row) keep(n int) {
	r.ends = r.ends[:n]
	r.text = r.text[:r.start(n)]
}

// start is where cell i starts in the text.
func (r *row) start(i int) int {
	if i == 0 {
		return 0
	}
	return r.ends[i-1] + 1
}

// add adds cells.
func (r *row) add(cells ...string) {
	text := r.text
	for _, cell := range cells {
		text = append(text, cell...)
		r.ends = append(r.ends, len(text))
		text = append(text, ',')
	}
	r.text = text
}

// addSubjects adds a cell of the subjects.
func (r *row) addSubjects(list ...audit.Subject) {
	r.text = appendSubjects(r.text, list)
	r.end()
}

// addValues adds a cell of the values of the pieces.
func (r *row) addValues(pieces []*audit.Evidence) {
	for i, e := range pieces {
		if i > 0 {
			r.text = append(r.text, between...)
		}
		r.text = append(r.text, e.Value...)
	}
	r.end()
}

// end ends the cell whose text was appended.
func (r *row) end() {
	r.ends = append(r.ends, len(r.text))
	r.text = append(r.text, ',')
}

// cell returns a cell.
func (r *row) cell(i int) string { return string(r.text[r.start(i):r.ends[i]]) }

// cells appends the texts of the cells to the list.
func (r *row) cells(list []string) []string {
	text := string(r.text)
	for i, end := range r.ends {
		list = append(list, text[r.start(i):end])
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
