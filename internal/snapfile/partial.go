package snapfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/klauspost/compress/zstd"
)

// PartialSchema is the version of the format of a [Partial].
const PartialSchema = "aimcheck.partial/v1"

const (
	partialText  = 256 << 10       // text in a frame of a partial file, about
	partialEvery = 2 * time.Second // the longest that a step waits for its frame
)

// A PartialHead says what an interrupted reading was of.
type PartialHead struct {
	Okta       string    `json:"okta,omitempty"`       // org URL; blank: not read
	Databricks string    `json:"databricks,omitempty"` // account id; blank: not read
	Options    string    `json:"options"`              // what was to be read
	Started    time.Time `json:"started"`
}

// A Partial keeps the steps of a reading under way, in frames that each are whole:
// what was written before a crash can be read. It is safe for concurrent use.
type Partial struct {
	w io.Writer
	z *zstd.Encoder

	mu     sync.Mutex
	kinds  []kind
	text   encoder
	begun  time.Time // of the frame under way
	pages  int
	failed error
}

// NewPartial begins a partial file with its head; without one, it goes on with a
// file that has one.
func NewPartial(w io.Writer, head *PartialHead) (*Partial, error) {
	z, err := newCompressor()
	if err != nil {
		return nil, err
	}
	p := &Partial{w: w, z: z, kinds: kinds()}
	if head != nil {
		p.line(struct {
			Schema string `json:"schema"`
			*PartialHead
		}{PartialSchema, head})
	}
	return p, p.Flush()
}

type partialStep struct {
	Input   audit.Input    `json:"input"`
	Begun   time.Time      `json:"begun,omitzero"`
	Done    *audit.Reading `json:"done,omitempty"`
	Records int            `json:"records,omitempty"` // that follow
	Update  bool           `json:"update,omitempty"`
	Restart bool           `json:"restart,omitempty"`
	Mark    string         `json:"mark,omitempty"`
	Page    bool           `json:"page,omitempty"`
}

func (p *Partial) line(v any) { p.text.b = append(p.text.b, jsonLine(v)...) }

// Step keeps one step.
func (p *Partial) Step(s audit.Step) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return p.failed
	}
	line := partialStep{Input: s.Input, Begun: s.Begun, Done: s.Done}
	if s.Page != nil {
		p.pages++
		line.Page, line.Records = true, len(s.Page.Records)
		line.Update, line.Restart, line.Mark = s.Page.Update, s.Page.Restart, s.Page.Mark
	}
	if len(p.text.b) == 0 {
		p.begun = time.Now()
	}
	p.line(line)
	if s.Page != nil {
		for _, record := range s.Page.Records {
			p.record(record)
		}
	}
	if len(p.text.b) < partialText && time.Since(p.begun) < partialEvery && s.Done == nil {
		return nil
	}
	return p.flush()
}

func (p *Partial) record(record any) {
	undecoded, is := record.(audit.Undecoded)
	for _, k := range p.kinds {
		if is && k.okta != undecoded.Input.Okta() {
			continue
		}
		if k.one(record, &p.text) {
			return
		}
	}
}

// Pages is how many pages were kept.
func (p *Partial) Pages() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pages
}

// Flush writes what is not yet written.
func (p *Partial) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flush()
}

func (p *Partial) flush() error {
	if p.failed == nil && len(p.text.b) > 0 {
		_, p.failed = p.w.Write(p.z.EncodeAll(p.text.b, nil))
		p.text.b = p.text.b[:0]
	}
	return p.failed
}

// ReadPartial reads the head and the steps of a partial file; name is how messages
// call it. A frame that a crash cut off at the end is passed over: its steps were
// not kept. It returns how many bytes are whole.
func ReadPartial(r io.Reader, name string, visit func(audit.Step) error) (head PartialHead, whole int64, err error) {
	z, err := newDecompressor()
	if err != nil {
		return head, 0, err
	}
	defer z.Close()
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s is damaged (%s): remove it and read from the start, without --resume", name, fmt.Sprintf(format, args...))
	}
	list := kinds()
	for f := range frames(r, nil) {
		if errors.Is(f.err, errCut) && whole > 0 {
			break
		}
		if f.err == nil && !f.sum {
			f.err = errBadFrame
		}
		if f.err != nil {
			return head, whole, bad("at byte %d: %v", f.offset, f.err)
		}
		raw, err := z.DecodeAll(f.data, nil)
		if err == nil && !utf8.Valid(raw) {
			err = errors.New("a text is not valid UTF-8")
		}
		if err != nil {
			return head, whole, bad("at byte %d: %v", f.offset, err)
		}
		rest := raw
		if whole == 0 {
			var text []byte
			text, rest, _ = bytes.Cut(rest, []byte("\n"))
			var first struct {
				Schema string `json:"schema"`
				PartialHead
			}
			if err := json.Unmarshal(text, &first); err != nil || first.Schema != PartialSchema {
				return head, whole, bad("it is no %s", PartialSchema)
			}
			head = first.PartialHead
		}
		for len(rest) > 0 {
			var step audit.Step
			if step, rest, err = takeStep(rest, list); err != nil {
				return head, whole, bad("in the frame at byte %d: %v", f.offset, err)
			}
			if visit != nil {
				if err := visit(step); err != nil {
					return head, whole, err
				}
			}
		}
		whole = f.offset + int64(len(f.data))
	}
	if whole == 0 {
		return head, 0, bad("it is empty")
	}
	return head, whole, nil
}

// takeStep takes one step and its records from the front of text.
func takeStep(text []byte, list []kind) (s audit.Step, rest []byte, err error) {
	head, text, _ := bytes.Cut(text, []byte("\n"))
	var line partialStep
	if err := json.Unmarshal(head, &line); err != nil {
		return s, nil, err
	}
	s = audit.Step{Input: line.Input, Begun: line.Begun, Done: line.Done}
	if !line.Page {
		return s, text, nil
	}
	s.Page = &audit.Page{Update: line.Update, Restart: line.Restart, Mark: line.Mark}
	var d decoder
	for range line.Records {
		i := kindOf(text, list)
		if i < 0 {
			return s, nil, errors.New("a record is missing")
		}
		k := &list[i]
		packed, after, ok := d.record(text[len(k.begin)-1:], k.fields, nil)
		if !ok {
			return s, nil, errors.New("a record is not as it should be")
		}
		s.Page.Records = append(s.Page.Records, k.unpack(string(packed)))
		text = after
	}
	return s, text, nil
}
