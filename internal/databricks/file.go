package databricks

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/go-json-experiment/json/jsontext"
)

// ReadUsers reads users from the vendor's own JSON: SCIM list responses, one or
// several, or their Resources, as an array or as JSON Lines. Objects go to emit
// as they are read; one that can't be decoded does as an [audit.Undecoded] and
// makes the reading incomplete. The error, which names file and line, is about
// the file as a whole: bad JSON, an object that stands twice, or totals that
// the file does not hold. Without totals completeness is the giver's word.
func ReadUsers(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	return readFile(users, r, file, emit)
}

// ReadGroups reads groups as [ReadUsers] reads users. Members, where a group
// lists any, are given too, as [audit.DatabricksGroupMembers].
func ReadGroups(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	withMembers := groups
	withMembers.decode = func(raw jsontext.Value) (string, []any, error) {
		id, records, err := decodeGroup(raw)
		if err != nil || !has(raw, "members") {
			return id, records, err
		}
		_, members, err := decodeMembers(raw)
		return id, append(records, members...), err
	}
	return readFile(withMembers, r, file, emit)
}

// ReadServicePrincipals reads service principals as [ReadUsers] reads users.
func ReadServicePrincipals(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	return readFile(servicePrincipals, r, file, emit)
}

// ReadWorkspaces reads workspaces from what GET /api/2.0/accounts/{id}/workspaces
// answers, or from JSON Lines of it.
func ReadWorkspaces(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	return readFile(workspaces, r, file, emit)
}

// batch is how many records a page from a file holds.
const batch = 1000

// A fileReader collects what one file holds.
type fileReader struct {
	kind    kind
	emit    func(audit.Page) error
	seen    map[string]int // line by key
	total   int            // as announced, or absent
	page    audit.Page
	reading audit.Reading
}

func readFile(k kind, r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error) {
	f := &fileReader{kind: k, emit: emit, seen: map[string]int{}, total: absent}
	f.reading = audit.Reading{Input: k.input, Asked: true, API: "file " + file, Expected: absent}
	err := f.read(r)
	f.reading.Received = len(f.seen)
	f.reading.Expected = f.total
	if err != nil {
		f.reading.Reason = err.Error()
		return f.reading, fmt.Errorf("%s: %w", file, err)
	}
	f.reading.Complete = f.reading.Reason == ""
	return f.reading, nil
}

func (f *fileReader) read(r io.Reader) error {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(len(mark)) // just peeked
	}
	lines := &lineReader{r: buffered, line: 1}
	dec := jsontext.NewDecoder(lines, lenient)
	blank, err := splitFile(dec, func(raw jsontext.Value) error {
		line := lines.at(dec.InputOffset() - int64(len(raw)))
		if err := f.value(raw, line); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		return nil
	})
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("line %d: expected whole JSON in UTF-8: %w", lines.at(syntactic.ByteOffset), syntactic.Err)
	}
	switch {
	case err != nil:
		return err
	case blank:
		return fmt.Errorf("expected %s in JSON, found an empty file; a listing without any is []", f.kind.plural)
	case f.total != absent && f.total != len(f.seen):
		return fmt.Errorf("%d %s are announced (totalResults) and the file holds %d; export them again, every page of them",
			f.total, f.kind.plural, len(f.seen))
	}
	return f.flush()
}

// splitFile gives each top-level value to take, or its elements if it is an
// array. It reports whether there was nothing at all.
func splitFile(dec *jsontext.Decoder, take func(jsontext.Value) error) (blank bool, err error) {
	for blank, inArray := true, false; ; blank = false {
		switch k := dec.PeekKind(); {
		case k == '[' && !inArray, k == ']':
			if _, err := dec.ReadToken(); err != nil {
				return false, err
			}
			inArray = k == '['
			continue
		}
		raw, err := dec.ReadValue()
		if err == io.EOF {
			return blank, nil
		}
		if err != nil {
			return false, err
		}
		if err := take(raw); err != nil {
			return false, err
		}
	}
}

// value takes one value of the file: an object of the kind, or a list of them.
func (f *fileReader) value(raw jsontext.Value, line int) error {
	if f.kind.resource == "" || raw.Kind() != '{' {
		return f.object(raw, line)
	}
	p, isList, err := splitPage(raw)
	if err != nil {
		return err
	}
	if !isList {
		return f.object(raw, line)
	}
	if p.total != absent {
		if f.total != absent && f.total != p.total {
			return fmt.Errorf("%d %s were announced first and %d here (totalResults); export them again while nothing changes",
				f.total, f.kind.plural, p.total)
		}
		f.total = p.total
	}
	for _, raw := range p.objects {
		if err := f.object(raw, line); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileReader) object(raw jsontext.Value, line int) error {
	// What else a file may be shows in its first object.
	if len(f.seen) == 0 && !has(raw, f.kind.name) {
		return fmt.Errorf("expected a %s, found something without %s: is this the file of %s?",
			f.kind.singular, f.kind.name, f.kind.plural)
	}
	o := f.kind.object(raw)
	if before, twice := f.seen[o.key]; twice {
		return fmt.Errorf("%s %s stands in line %d already; give every object once", f.kind.singular, brief(o.key), before)
	}
	f.seen[o.key] = line
	for _, record := range o.records {
		if u, ok := record.(audit.Undecoded); ok {
			u.Error = fmt.Sprintf("line %d: %s", line, u.Error)
			if f.reading.Reason == "" {
				f.reading.Reason = "an object could not be decoded: " + u.Error
			}
			record = u
		}
		f.page.Records = append(f.page.Records, record)
	}
	if len(f.page.Records) < batch {
		return nil
	}
	return f.flush()
}

func (f *fileReader) flush() error {
	p := f.page
	f.page = audit.Page{}
	if len(p.Records) == 0 {
		return nil
	}
	p.Expected = max(f.total, 0)
	return f.emit(p)
}

// A lineReader tells on which line an offset of what was read through it is.
type lineReader struct {
	r    io.Reader
	read int64
	ends []int64 // offsets of line ends at or after the last offset asked about
	line int     // of that offset
}

// Read implements [io.Reader].
func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of offset, counted from 1. Offsets must not go back.
func (l *lineReader) at(offset int64) int {
	for len(l.ends) > 0 && l.ends[0] < offset {
		l.ends = l.ends[1:]
		l.line++
	}
	return l.line
}
