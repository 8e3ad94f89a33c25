package apply

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aimcheck/aimcheck/audit"
)

// JournalSchema is the version of journal.jsonl.
const JournalSchema = "aimcheck.journal/v1"

// A Header is the first line of a journal: what it is the journal of.
type Header struct {
	Schema     string `json:"schema"` // [JournalSchema]
	Plan       string `json:"plan"`   // digest
	OktaOrg    string `json:"okta_org"`
	Databricks string `json:"databricks_account"`
}

// differs says how a journal's header is not the one wanted.
func (h Header) differs(want Header) error {
	if h.OktaOrg != want.OktaOrg || h.Databricks != want.Databricks {
		return fmt.Errorf("the journal is of %s and %s, not of %s and %s: name another with --journal", h.OktaOrg, h.Databricks, want.OktaOrg, want.Databricks)
	}
	return fmt.Errorf("the journal is of another plan, or of this one with other decisions, or with the same ones worked into other directories (%s, not %s): "+
		"name another with --journal; what is done already is seen by reading", h.Plan, want.Plan)
}

// An Entry is every other line of a journal.
type Entry struct {
	Seq      int           `json:"seq"`  // 1, 2, 3, ...
	Time     time.Time     `json:"time"` // UTC
	Op       string        `json:"op"`   // id of the operation; behind "undo-" where it is undone
	Phase    Phase         `json:"phase"`
	Target   audit.Subject `json:"target"`
	Field    string        `json:"field"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	Observed string        `json:"observed"`        // the value last read
	Error    string        `json:"error,omitempty"` // why it is not done
}

// A Journal is an append-only file of JSON Lines. What was appended is on disk
// when append returns. It is safe for concurrent use, and held by one process at
// a time. After an error it takes no more.
type Journal struct {
	story *Story
	now   func() time.Time

	mu     sync.Mutex // guards what is written
	file   file
	seq    int
	broken error

	syncing sync.Mutex // guards what is on disk
	synced  int        // seq of the last entry known to be on disk
}

// file is what a journal asks of an [os.File].
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// OpenJournal opens the journal of the header for appending, and makes it where
// there is none. A cut last line is taken off. A journal of something else, a
// damaged one, and one that another run holds are errors.
func OpenJournal(name string, h Header, now func() time.Time) (*Journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j, err := open(f, &h, now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", name, err), f.Close())
	}
	return j, nil
}

// ReopenJournal opens a journal that is there, of whatever it is, for a rollback.
func ReopenJournal(name string, now func() time.Time) (*Journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j, err := open(f, nil, now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", name, err), f.Close())
	}
	return j, nil
}

// regular refuses devices and pipes, which keep nothing or have no end.
func regular(info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("expected a file, which keeps what is written to it: name another")
	}
	return nil
}

func open(f *os.File, h *Header, now func() time.Time) (*Journal, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := regular(info); err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	story, whole, err := parse(text)
	if err != nil {
		return nil, err
	}
	switch {
	case h == nil && story.Header == Header{}:
		return nil, errors.New("it is empty: nothing was done")
	case h != nil && story.Header != Header{} && story.Header != *h:
		return nil, story.Header.differs(*h)
	}
	if whole < len(text) {
		if err := f.Truncate(int64(whole)); err != nil {
			return nil, err
		}
	}
	if _, err := f.Seek(int64(whole), io.SeekStart); err != nil {
		return nil, err
	}
	j, err := newJournal(f, story, h, now)
	if err != nil {
		return nil, err
	}
	return j, syncFolder(filepath.Dir(f.Name()))
}

// newJournal carries on with a file that holds the story, and begins it with the
// header where it holds nothing.
func newJournal(f file, story *Story, h *Header, now func() time.Time) (*Journal, error) {
	j := &Journal{story: story, now: now, file: f, seq: len(story.Entries)}
	j.synced = j.seq
	if story.Header == (Header{}) {
		line, err := json.Marshal(*h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			return nil, err
		}
		story.Header = *h
	}
	return j, f.Sync()
}

// Story returns what the journal held when it was opened, and what
// [Runner.Settle] has found since.
func (j *Journal) Story() *Story { return j.story }

// entries returns how many entries the journal has by now.
func (j *Journal) entries() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seq
}

// Close gives the journal free for others.
func (j *Journal) Close() error { return j.file.Close() }

// append numbers and dates the entry, writes it, and waits until it is on disk.
func (j *Journal) append(e *Entry) error {
	if err := j.write(e); err != nil {
		return err
	}
	// Whoever syncs takes along what others have written by then.
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if j.synced >= e.Seq {
		return nil
	}
	j.mu.Lock()
	written, err := j.seq, j.broken
	j.mu.Unlock()
	if err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.broken = fmt.Errorf("journal: %w", err)
		return j.broken
	}
	j.synced = written
	return nil
}

func (j *Journal) write(e *Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	e.Seq, e.Time = j.seq+1, j.now().UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		j.broken = fmt.Errorf("journal: %w", err) // a part of the line may stand there: nothing may follow it
		return j.broken
	}
	j.seq++
	return nil
}
