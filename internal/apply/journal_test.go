package apply

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var header = Header{Schema: JournalSchema, Plan: "sha256:1", OktaOrg: org, Databricks: account}

func at12() time.Time { return noon }

func entryOf(op string, p Phase) *Entry {
	return &Entry{Op: op, Phase: p, Target: user("1"), Field: "externalId", From: "", To: "00u1", Observed: "\u2028<é>"}
}

// written returns the text of a journal with an operation done and one under way.
func written(t testing.TB) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := OpenJournal(name, header, at12)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*Entry{entryOf("op-1", Intent), entryOf("op-1", Done), entryOf("op-2", Intent)} {
		if err := j.append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestJournalGolden(t *testing.T) {
	want := `{"schema":"aimcheck.journal/v1","plan":"sha256:1","okta_org":"https://example.okta.com","databricks_account":"acc-1"}
{"seq":1,"time":"2026-01-02T12:00:00Z","op":"op-1","phase":"intent","target":"databricks:user:1","field":"externalId","from":"","to":"00u1","observed":"` + "\u2028" + `<é>"}
`
	got := strings.Join(strings.SplitAfter(string(written(t)), "\n")[:2], "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJournalIsLocked(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	j, err := OpenJournal(name, header, at12)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(name, header, at12); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("a second run: %v", err)
	}
	if _, err := ReopenJournal(name, at12); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("a rollback beside a run: %v", err)
	}
	if _, err := ReadJournal(name); err != nil {
		t.Errorf("a dry run beside a run: %v", err)
	}
	j.Close()
	if j, err = ReopenJournal(name, at12); err != nil {
		t.Error(err)
	}
	j.Close()
}

func TestJournalOfSomethingElse(t *testing.T) {
	for _, other := range []Header{{JournalSchema, "sha256:2", org, account}, {JournalSchema, "sha256:1", org, "acc-2"}} {
		name := filepath.Join(t.TempDir(), "j")
		os.WriteFile(name, written(t), 0o600)
		if _, err := OpenJournal(name, other, at12); err == nil || !strings.Contains(err.Error(), "--journal") {
			t.Errorf("%+v: %v", other, err)
		}
	}
	name := filepath.Join(t.TempDir(), "j")
	if _, err := ReopenJournal(name, at12); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a rollback of nothing: %v", err)
	}
	for _, text := range []string{"{\"schema\": \"aimcheck.plan/v1\"", "notes", "notes\n", "\n"} {
		os.WriteFile(name, []byte(text), 0o600)
		if _, err := OpenJournal(name, header, at12); err == nil {
			t.Errorf("%q is taken for a journal", text)
		}
		if now, _ := os.ReadFile(name); string(now) != text {
			t.Errorf("%q became %q", text, now)
		}
	}
}

// A journal may be cut anywhere: the whole lines are what it says, and it goes on
// after them.
func TestJournalCutAnywhere(t *testing.T) {
	text := written(t)
	name := filepath.Join(t.TempDir(), "j")
	for n := range len(text) + 1 {
		os.WriteFile(name, text[:n], 0o600)
		j, err := OpenJournal(name, header, at12)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if got, want := len(j.Story().Entries), max(bytes.Count(text[:n], []byte("\n")), 1)-1; got != want {
			t.Errorf("cut at %d: %d entries, want %d", n, got, want)
		}
		if err := j.append(entryOf("op-3", Already)); err != nil {
			t.Error(err)
		}
		entries := len(j.Story().Entries) + 1
		j.Close()
		if s, err := ReadJournal(name); err != nil || len(s.Entries) != entries {
			t.Errorf("cut at %d and carried on: %v", n, err)
		}
	}
}

func TestJournalDamaged(t *testing.T) {
	lines := strings.SplitAfter(string(written(t)), "\n")
	replace := func(line int, old, new string) string {
		ls := append([]string(nil), lines...)
		ls[line-1] = strings.Replace(ls[line-1], old, new, 1)
		return strings.Join(ls, "")
	}
	for _, tt := range []struct{ text, want string }{
		{replace(1, "journal/v1", "journal/v2"), "line 1: the schema is"},
		{replace(1, `"plan"`, `"Plan"`), "line 1: damaged"},
		{replace(2, "op-1", "op-1\""), "line 2: damaged"},
		{replace(2, `"seq":1`, `"seq":1,"seq":1`), "line 2: damaged"},
		{replace(2, `"op"`, `"oops"`), "line 2: damaged"},
		{replace(2, "intent", "failed"), "line 3: damaged: op-1 can't be done here"},
		{replace(3, `"seq":2`, `"seq":3`), "line 3: damaged: the number is 3"},
		{replace(3, "00u1", "00u2"), "line 3: damaged: op-1 is another operation"},
		{replace(3, `"done"`, `"fine"`), "line 3: damaged: \"fine\" is no phase"},
		{replace(4, "op-2", "op-1"), "line 4: damaged: op-1 was done"},
		{strings.Join([]string{lines[0], lines[2]}, ""), "line 2: damaged"},
		{lines[0] + "\n" + lines[1], "line 2: damaged"},
	} {
		_, err := ReadStory(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
}

// syncs is a file that takes a while to sync, and counts how often it does.
type syncs struct {
	bytes.Buffer
	mu sync.Mutex
	n  int
}

func (s *syncs) Sync() error  { s.mu.Lock(); s.n++; s.mu.Unlock(); return nil }
func (s *syncs) Close() error { return nil }

func TestJournalTogether(t *testing.T) {
	f := &syncs{}
	j, err := newJournal(f, &Story{}, &header, at12)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			e := entryOf("op-"+string(rune('A'+i)), Already)
			if err := j.append(e); err != nil {
				t.Error(err)
			}
			if j.syncing.Lock(); j.synced < e.Seq {
				t.Errorf("entry %d is not on disk", e.Seq)
			}
			j.syncing.Unlock()
		})
	}
	wg.Wait()
	if s, err := ReadStory(&f.Buffer); err != nil || len(s.Entries) != 50 {
		t.Error(err)
	}
}

func FuzzReadStory(f *testing.F) {
	text := written(f)
	f.Add(text)
	f.Add(text[:len(text)-7])
	f.Add([]byte(headerStart))
	f.Add(bytes.Replace(text, []byte("intent"), []byte("drifted"), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, whole, err := parse(text)
		if err != nil {
			return
		}
		if whole > len(text) || whole > 0 && text[whole-1] != '\n' {
			t.Fatalf("%d of %d bytes are whole lines", whole, len(text))
		}
		// What was read is written as it was, but for spaces and the like.
		file := &syncs{}
		h := s.Header
		if h == (Header{}) {
			return
		}
		j, err := newJournal(file, &Story{}, &h, at12)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range s.Entries {
			if err := j.append(&e); err != nil {
				t.Fatal(err)
			}
		}
		again, _, err := parse(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for i := range again.Entries {
			again.Entries[i].Time = s.Entries[i].Time
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatal(diff)
		}
		for _, e := range again.open() {
			if !e.Phase.sent() {
				t.Fatalf("%s is open", e.Op)
			}
		}
	})
}
