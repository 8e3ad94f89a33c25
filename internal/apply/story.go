package apply

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// A Story is what a journal says.
type Story struct {
	Header  Header
	Entries []Entry
}

// ReadJournal returns what a journal says without touching it, for a dry run.
// Where there is no such file, the error is an [os.ErrNotExist].
func ReadJournal(name string) (*Story, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := regular(info); err != nil { // before it is opened: a pipe waits there for one who writes
		return nil, fmt.Errorf("journal %s: %w", name, err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	s, err := ReadStory(f)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", name, err)
	}
	return s, nil
}

// ReadStory reads a journal. A cut last line is left out; any other flaw is an
// error that names its line.
func ReadStory(r io.Reader) (*Story, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	s, _, err := parse(text)
	return s, err
}

// headerStart is how every journal begins.
const headerStart = `{"schema":"` + JournalSchema + `"`

// parse reads a journal, and tells how many bytes its whole lines are.
func parse(text []byte) (s *Story, whole int, err error) {
	s = &Story{}
	p := parser{last: map[string]Entry{}}
	whole = bytes.LastIndexByte(text, '\n') + 1
	n := 0
	for line := range bytes.Lines(text[:whole]) {
		n++
		line = bytes.TrimSuffix(line, []byte("\n"))
		if n == 1 {
			err = p.header(&s.Header, line)
		} else {
			var e Entry
			if e, err = p.entry(line, len(s.Entries)+1); err == nil {
				s.Entries = append(s.Entries, e)
			}
		}
		if err != nil && n > 1 {
			err = fmt.Errorf("%w: restore the file from a copy, or apply with a new one, which sees by reading what is done", err)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
	}
	// A first line that was cut may be taken off, another file may not.
	if rest := string(text[whole:]); n == 0 && !strings.HasPrefix(rest, headerStart) && !strings.HasPrefix(headerStart, rest) {
		return nil, 0, errors.New("line 1: this is no journal: name a file that apply wrote, or a new one")
	}
	return s, whole, nil
}

// A parser knows the last entry of each operation so far.
type parser struct {
	last map[string]Entry
}

func (p *parser) header(h *Header, line []byte) error {
	var any struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(line, &any); err != nil {
		return fmt.Errorf("this is no journal (%w): name a file that apply wrote, or a new one", err)
	}
	if any.Schema != JournalSchema {
		return fmt.Errorf("the schema is %q, expected %q: use the version of aimcheck that wrote it, or another file", any.Schema, JournalSchema)
	}
	if err := json.Unmarshal(line, h, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	if h.Plan == "" || h.OktaOrg == "" || h.Databricks == "" {
		return errors.New("damaged: plan, okta_org or databricks_account is missing")
	}
	return nil
}

var ends = []Phase{Done, Already, Drifted, Failed, Unknown}

// entry reads an entry and holds it against those before.
func (p *parser) entry(line []byte, seq int) (e Entry, err error) {
	if err := json.Unmarshal(line, &e, json.RejectUnknownMembers(true)); err != nil {
		return e, fmt.Errorf("damaged: %w", err)
	}
	last, known := p.last[e.Op]
	wasSent := known && last.Phase.sent()
	switch {
	case e.Seq != seq:
		return e, fmt.Errorf("damaged: the number is %d, expected %d", e.Seq, seq)
	case e.Op == "" || e.Field == "" || e.Target.IsZero():
		return e, errors.New("damaged: op, target or field is missing")
	case e.Phase != Intent && !slices.Contains(ends, e.Phase):
		return e, fmt.Errorf("damaged: %q is no phase", e.Phase)
	case known && (e.Target != last.Target || e.Field != last.Field || e.From != last.From || e.To != last.To):
		return e, fmt.Errorf("damaged: %s is another operation than before", e.Op)
	case known && last.Phase == Done:
		return e, fmt.Errorf("damaged: %s was %s before", e.Op, last.Phase)
	case (e.Phase == Done || e.Phase == Unknown) && !wasSent, e.Phase == Intent && wasSent,
		(e.Phase == Already || e.Phase == Drifted) && known && last.Phase == Unknown:
		return e, fmt.Errorf("damaged: %s can't be %s here", e.Op, e.Phase)
	}
	p.last[e.Op] = e
	return e, nil
}

// last returns the last entry of each operation.
func (s *Story) last() map[string]Entry {
	last := map[string]Entry{}
	for _, e := range s.Entries {
		last[e.Op] = e
	}
	return last
}

// undoPrefix begins the id of an operation that undoes another.
const undoPrefix = "undo-"

// undone reports whether a rollback wrote anything, or tried to.
func (s *Story) undone() bool {
	return slices.ContainsFunc(s.Entries, func(e Entry) bool { return strings.HasPrefix(e.Op, undoPrefix) })
}

// open lists the entries after which it is not known what became of a write.
func (s *Story) open() []Entry {
	last := s.last()
	var open []Entry
	for _, e := range s.Entries {
		if e.Phase.sent() && last[e.Op].Seq == e.Seq {
			open = append(open, e)
		}
	}
	return open
}
