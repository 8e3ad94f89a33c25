package okta

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/go-json-experiment/json/jsontext"
)

// ReadUsers reads users from Okta's own JSON: a list, or JSON Lines, or list
// answers one after another. File is the name that errors begin with. A file
// that is damaged or cut, or holds an object twice, is an error; an object that
// can't be decoded becomes an [audit.Undecoded] and the reading is not complete.
func ReadUsers(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	return readFile(r, file, userDecoder, emit)
}

// ReadGroups is [ReadUsers] for groups.
func ReadGroups(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	return readFile(r, file, groupDecoder, emit)
}

// ReadApps is [ReadUsers] for apps.
func ReadApps(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	return readFile(r, file, appDecoder, emit)
}

// filePage is how many records of a file make a page.
const filePage = 200

func readFile(r io.Reader, file string, d decoder, emit func(audit.Page) error) (audit.Reading, error) {
	f := &fileReader{
		file: file, decoder: d, emit: emit,
		lines:   &lineCounter{r: r, line: 1},
		lineOf:  map[string]int{},
		reading: audit.Reading{Input: d.input, Asked: true, Expected: -1, API: "file"},
	}
	err := f.read()
	if err != nil {
		return f.reading, err
	}
	if f.undecoded > 0 {
		f.reading.Reason = fmt.Sprintf("%d of %d objects could not be decoded, the first is %s", f.undecoded, f.reading.Received, f.first)
	} else {
		f.reading.Complete = true
	}
	return f.reading, nil
}

type fileReader struct {
	file    string
	decoder decoder
	emit    func(audit.Page) error
	lines   *lineCounter
	json    *jsontext.Decoder

	lineOf    map[string]int // where each id stands
	page      audit.Page
	reading   audit.Reading
	undecoded int
	first     string
}

func (f *fileReader) read() error {
	in := bufio.NewReader(f.lines)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		in.Discard(3)
		f.lines.skipped = 3
	} else if len(mark) >= 2 && (mark[0] == 0xff && mark[1] == 0xfe || mark[0] == 0xfe && mark[1] == 0xff) {
		return fmt.Errorf("%s: this is UTF-16: save it as UTF-8", f.file)
	}
	f.json = jsontext.NewDecoder(in, lenient)
	for values := 0; ; values++ {
		kind := f.json.PeekKind()
		if kind == 0 {
			_, err := f.json.ReadToken()
			if err == io.EOF && values > 0 {
				return f.flush()
			}
			if err == io.EOF {
				return fmt.Errorf("%s: the file is blank: expected a list of %ss", f.file, f.decoder.kind)
			}
			return f.damaged(err)
		}
		var err error
		switch kind {
		case '[':
			err = f.list()
		case '{':
			err = f.value()
		default:
			return fmt.Errorf("%s: line %d: expected a list of %ss or one, found %s", f.file, f.line(), f.decoder.kind, kindName(kind))
		}
		if err != nil {
			return err
		}
	}
}

// list reads a list answer.
func (f *fileReader) list() error {
	if _, err := f.json.ReadToken(); err != nil {
		return f.damaged(err)
	}
	for f.json.PeekKind() != ']' {
		if err := f.value(); err != nil {
			return err
		}
	}
	if _, err := f.json.ReadToken(); err != nil {
		return f.damaged(err)
	}
	return nil
}

// value reads one object.
func (f *fileReader) value() error {
	raw, err := f.json.ReadValue()
	if err != nil {
		return f.damaged(err)
	}
	line := f.lines.at(f.json.InputOffset() - int64(len(raw)))
	f.reading.Received++
	o := f.decoder.object(raw, fmt.Sprintf("%s: line %d: ", f.file, line))
	if u, ok := o.record.(audit.Undecoded); ok {
		if o.id == "" && notOkta(raw) {
			return fmt.Errorf("%s: line %d: this is a SCIM answer, as of Databricks, where Okta's own %ss were expected", f.file, line, f.decoder.kind)
		}
		if f.undecoded++; f.undecoded == 1 {
			f.first = u.Error
		}
	}
	if o.id != "" {
		if before, ok := f.lineOf[o.id]; ok {
			return fmt.Errorf("%s: lines %d and %d both hold the %s %s: export the list again, or leave one out",
				f.file, before, line, f.decoder.kind, o.id)
		}
		f.lineOf[o.id] = line
	}
	f.page.Records = append(f.page.Records, o.record)
	if len(f.page.Records) >= filePage {
		return f.flush()
	}
	return nil
}

func (f *fileReader) flush() error {
	p := f.page
	f.page = audit.Page{}
	if len(p.Records) == 0 {
		return nil
	}
	return f.emit(p)
}

func (f *fileReader) line() int { return f.lines.at(f.json.InputOffset()) }

func (f *fileReader) damaged(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: line %d: the file ends in the middle of a list or object (number %d): export it again", f.file, f.lines.at(f.lines.read), f.reading.Received+1)
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: line %d: object %d is not JSON: %v", f.file, f.lines.at(syntax.ByteOffset), f.reading.Received+1, syntax.Err)
	}
	return fmt.Errorf("%s: %w", f.file, err)
}

// notOkta recognizes a SCIM list or resource.
func notOkta(raw []byte) bool { return bytes.Contains(raw, []byte("urn:ietf:params:scim:")) }

// A lineCounter tells lines from offsets into what was read through it.
type lineCounter struct {
	r       io.Reader
	skipped int64   // offsets are counted from here
	read    int64   // bytes read so far
	line    int     // the line at the last offset asked for
	ends    []int64 // the line ends after it
}

// Read implements [io.Reader].
func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of an offset. Offsets must not go back.
func (l *lineCounter) at(offset int64) int {
	for len(l.ends) > 0 && l.ends[0] < offset+l.skipped {
		l.ends = l.ends[1:]
		l.line++
	}
	return l.line
}
