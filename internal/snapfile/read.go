package snapfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"maps"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// Read reads the snapshot that [Write] wrote; name is how messages call it. A
// file that is damaged, cut, edited or of another version is refused.
func Read(r io.Reader, name string) (*audit.Snapshot, error) {
	s, err := read(r)
	var own *fileError
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &own):
		return nil, fmt.Errorf("snapshot %s %s; %s", name, own.what, own.advice)
	}
	return nil, fmt.Errorf("reading snapshot %s: %w", name, err)
}

// A fileError says what is wrong with a file, as opposed to with reading it.
type fileError struct{ what, advice string }

func (e *fileError) Error() string { return e.what + "; " + e.advice }

func damaged(format string, args ...any) error {
	return &fileError{
		"is damaged: " + fmt.Sprintf(format, args...),
		`take an intact copy of it, or read the directories again with "aimcheck snapshot"`,
	}
}

func foreign(what string) error {
	return &fileError{what, `expected a file written by "aimcheck snapshot"`}
}

func read(r io.Reader) (*audit.Snapshot, error) {
	z, err := newDecompressor()
	if err != nil {
		return nil, err
	}
	defer z.Close()

	file, pool, buffers := sha256.New(), newBlockPool(), newBufferPool()
	expand := func(f frame) *block {
		b := pool.get()
		b.expand(f, z)
		return b
	}
	in := reader{counted: map[string]int{}, kinds: kinds()}
	for b := range inParallel(hashed(frames(r, buffers), file), expand) {
		if err := in.block(b); err != nil {
			return nil, err
		}
		buffers.put(b.data)
		pool.put(b)
	}
	return in.finish(digest(file))
}

// hashed passes frames on and adds all but the trailer to h.
func hashed(in iter.Seq[frame], h hash.Hash) iter.Seq[frame] {
	return func(yield func(frame) bool) {
		for f := range in {
			if f.sum {
				h.Write(f.data)
			}
			if !yield(f) {
				return
			}
		}
	}
}

// A reader takes the blocks of a file, one after another.
type reader struct {
	counted map[string]int // lines by kind
	builder audit.Builder
	kinds   []kind
	begun   bool   // the manifest was read
	trailer []byte // its frame
	last    string // its text
	kind    int    // of the line before, in kinds
	key     string // of the line before
	lines   int
}

func (r *reader) block(b *block) error {
	var own *fileError
	switch {
	case r.trailer != nil:
		return damaged("something follows its end, from byte %d on", b.offset)
	case errors.Is(b.err, errNoFrame) && !r.begun:
		return foreign("is no snapshot")
	case errors.Is(b.err, errCut):
		return damaged("it is cut short at byte %d", b.offset+int64(len(b.data)))
	case errors.Is(b.err, errNoFrame) || errors.Is(b.err, errBadFrame):
		return damaged("there is no sound zstd frame at byte %d", b.offset)
	case errors.As(b.err, &own) && !r.begun:
		return foreign("is damaged at its beginning, or no snapshot")
	case b.err != nil:
		return b.err
	case !r.begun:
		r.begun = true
		return r.manifest(string(b.raw))
	case !b.sum:
		r.trailer, r.last = bytes.Clone(b.data), string(b.raw) // the block is used again
		return nil
	}
	return r.records(b)
}

func (r *reader) manifest(text string) error {
	text, rest, _ := strings.Cut(text, "\n")
	var m manifest
	if err := json.Unmarshal([]byte(text), &m); m.Schema != Schema {
		kind, version, _ := strings.Cut(m.Schema, "/")
		if wanted, known, _ := strings.Cut(Schema, "/"); kind == wanted {
			return &fileError{
				fmt.Sprintf("is of version %q, of which this program knows %q alone", version, known),
				fmt.Sprintf("use the version of aimcheck that wrote it (%q), or read the directories again", m.Tool.Version),
			}
		}
		return foreign("is no snapshot")
	} else if err != nil {
		return damaged("its manifest: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return damaged("its manifest: %v", err)
	}
	if rest != "" {
		return damaged("it was compressed again, by another program")
	}
	r.builder.Okta, r.builder.Databricks = m.Okta, m.Databricks
	for _, reading := range m.Readings {
		r.builder.Read(reading)
	}
	r.lines = 1
	return nil
}

// records takes the records of a block, if they are in order.
func (r *reader) records(b *block) error {
	end := 0
	for _, run := range b.runs {
		k := &r.kinds[run.kind]
		if run.kind < r.kind {
			return damaged("line %d, of the kind %s, is out of order", r.lines+1, k.tag)
		}
		if run.kind > r.kind {
			r.kind, r.key = run.kind, ""
		}
		if k.unique && run.lines > 0 && r.key >= run.first {
			return damaged("line %d, of the kind %s, is out of order", r.lines+1, k.tag)
		}
		if run.lines > 0 {
			r.key = run.last
		}
		r.lines += run.lines
		if run.wrong != "" {
			return damaged("line %d, of the kind %s, is %s", r.lines+1, k.tag, run.wrong)
		}
		r.counted[k.tag] += run.lines
		end = run.end
	}
	if end < len(b.raw) {
		return damaged("line %d is of no known kind", r.lines+1)
	}
	if b.failed != nil {
		return b.failed
	}
	return r.builder.Move(&b.records)
}

// finish checks what was read against the trailer.
func (r *reader) finish(file string) (*audit.Snapshot, error) {
	switch {
	case !r.begun:
		return nil, foreign("is empty")
	case r.trailer == nil:
		return nil, damaged("it is cut short: its last line is missing")
	}
	var found struct{ Trailer *trailer }
	if err := json.Unmarshal([]byte(r.last), &found); err != nil || found.Trailer == nil {
		return nil, damaged("its last line is not as it should be")
	}
	t := *found.Trailer
	for _, k := range r.kinds {
		if has, wants := r.counted[k.tag], t.Lines[k.tag]; has != wants {
			return nil, damaged("it has %d lines of the kind %s and should have %d", has, k.tag, wants)
		}
	}
	// The digests of the content are not made again: what is read are the bytes
	// that were written with them, or the digest of those differs.
	switch {
	case t.File != file:
		return nil, damaged("its bytes were changed")
	case t.Digest != digestOf(t.Okta, t.Databricks), !maps.Equal(t.Lines, r.counted), !bytes.Equal(r.trailer, t.frame()):
		return nil, damaged("its last line was changed")
	}
	s, err := r.builder.Snapshot()
	if err != nil {
		return nil, damaged("%v", err)
	}
	s.Digest = t.Digest
	return s, nil
}
