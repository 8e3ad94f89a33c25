package snapfile_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// refused checks that the file is refused in words that say what to do.
func refused(t *testing.T, file []byte, what string) string {
	t.Helper()
	s, err := snapfile.Read(bytes.NewReader(file), "old.snapshot")
	if err == nil || s != nil {
		t.Fatalf("accepted: %s", what)
	}
	if text := err.Error(); !strings.HasPrefix(text, "snapshot old.snapshot ") || !strings.Contains(text, "; ") {
		t.Fatalf("%s: the error says neither which file nor what to do: %s", what, text)
	}
	return err.Error()
}

func TestEveryByteCounts(t *testing.T) {
	file, _ := write(t, small(t))
	for i := range file {
		for _, bits := range []byte{1 << (i % 8), 0xff} {
			file[i] ^= bits
			refused(t, file, "a changed byte")
			file[i] ^= bits
		}
	}
}

func TestEveryCut(t *testing.T) {
	file, _ := write(t, small(t))
	for n := range file {
		text := refused(t, file[:n], "a cut file")
		if want := map[bool]string{true: "is empty", false: "cut short"}[n == 0]; !strings.Contains(text, want) {
			t.Fatalf("cut at byte %d: %s", n, text)
		}
	}
	for _, more := range [][]byte{{0}, []byte("\n"), file, {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}} {
		text := refused(t, slices.Concat(file, more), "a file with something after its end")
		if !strings.Contains(text, "something follows its end") {
			t.Error(text)
		}
	}
}

// split cuts a file into its frames: each begins with the magic number, which
// the text of these files does not hold.
func split(t *testing.T, file []byte) [][]byte {
	t.Helper()
	magic := binary.LittleEndian.AppendUint32(nil, 0xfd2fb528)
	var frames [][]byte
	for _, f := range bytes.Split(file, magic)[1:] {
		frames = append(frames, slices.Concat(magic, f))
	}
	if !bytes.Equal(file, bytes.Join(frames, nil)) {
		t.Fatal("the file does not begin with a frame")
	}
	return frames
}

func TestFramesInAnyOtherWay(t *testing.T) {
	file, _ := write(t, people(t, 10_000))
	frames := split(t, file)
	if len(frames) < 4 {
		t.Fatalf("%d frames are too few to try", len(frames))
	}
	for i := range frames {
		refused(t, bytes.Join(slices.Delete(slices.Clone(frames), i, i+1), nil), "a file without one of its frames")
		refused(t, bytes.Join(slices.Insert(slices.Clone(frames), i, frames[i]), nil), "a file with a frame twice")
		if i > 0 {
			swapped := slices.Clone(frames)
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			refused(t, bytes.Join(swapped, nil), "a file with two frames swapped")
		}
	}
}

// rewrite gives each frame's text to edit and compresses what it returns.
func rewrite(t *testing.T, file []byte, edit func(frame int, text string) string) []byte {
	t.Helper()
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var out []byte
	for i, frame := range split(t, file) {
		text, err := d.DecodeAll(frame, nil)
		if err != nil {
			t.Fatal(err)
		}
		if edited := edit(i, string(text)); edited != string(text) {
			frame = e.EncodeAll([]byte(edited), nil)
		}
		out = append(out, frame...)
	}
	return out
}

func TestEveryEdit(t *testing.T) {
	file, _ := write(t, small(t))
	edits := 0
	for frame := range split(t, file) {
		var lines []string
		rewrite(t, file, func(i int, text string) string {
			if i == frame {
				lines = strings.SplitAfter(text, "\n")
				lines = lines[:len(lines)-1]
			}
			return text
		})
		try := func(what string, edited []string) {
			t.Helper()
			edits++
			refused(t, rewrite(t, file, func(i int, text string) string {
				if i == frame {
					return strings.Join(edited, "")
				}
				return text
			}), what)
		}
		for i, line := range lines {
			try("a line is missing", slices.Delete(slices.Clone(lines), i, i+1))
			try("a line stands twice", slices.Insert(slices.Clone(lines), i, line))
			if i > 0 {
				swapped := slices.Clone(lines)
				swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
				try("two lines swapped", swapped)
			}
			for at := range len(line) {
				for _, c := range []string{"", "x", `"`, "0", " ", "\n", "}", "\x00", "\xff"} {
					if edited := line[:at] + c + line[at+1:]; edited != line && at%17 == len(c+line)%17 {
						try("an edited line", slices.Replace(slices.Clone(lines), i, i+1, edited))
					}
				}
			}
		}
	}
	if edits < 300 {
		t.Errorf("%d edits are too few to try", edits)
	}
}

func TestSameTextCompressedAgain(t *testing.T) {
	file, _ := write(t, small(t))
	d, err := zstd.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var text bytes.Buffer
	if _, err := d.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got := refused(t, e.EncodeAll(text.Bytes(), nil), "a file that was compressed again")
	if !strings.Contains(got, "compressed again") {
		t.Error(got)
	}
	if got := refused(t, text.Bytes(), "a file that is not compressed"); !strings.Contains(got, "no snapshot") {
		t.Error(got)
	}
}

func TestOtherFiles(t *testing.T) {
	file, _ := write(t, small(t))
	schema := func(other string) []byte {
		return rewrite(t, file, func(_ int, text string) string {
			return strings.Replace(text, `"schema":"`+snapfile.Schema+`"`, other, 1)
		})
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "is empty"},
		{"not compressed", []byte(`{"schema":"aimcheck.snapshot/v1"}` + "\n"), "is no snapshot"},
		{"gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), "is no snapshot"},
		{"skippable frame", []byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, "is no snapshot"},
		{"newer", schema(`"schema":"aimcheck.snapshot/v2","new":1`), `is of version "v2", of which this program knows "v1" alone; use the version of aimcheck that wrote it ("1.2.3")`},
		{"other schema", schema(`"schema":"aimcheck.findings/v1"`), "is no snapshot"},
		{"no schema", schema(`"x":1`), "is no snapshot"},
		{"new field", schema(`"schema":"aimcheck.snapshot/v1","new":1`), `unknown field`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refused(t, c.file, c.name); !strings.Contains(got, c.want) {
				t.Errorf("error is %q, want %q in it", got, c.want)
			}
		})
	}
}

// What the trailer says is said in the error.
func TestDamageIsNamed(t *testing.T) {
	file, _ := write(t, small(t))
	for _, c := range []struct{ old, new, want string }{
		{`"login":"pat@example.com"`, `"login":"pam@example.com"`, "its bytes were changed"},
		{`"name":"prod"`, `"name":"test"`, "its bytes were changed"},
		{`"tenant":"https://example.okta.com"`, `"tenant":"https://examples.okta.com"`, "its bytes were changed"},
		{`"reason":"it moved"`, `"reason":"it didn't"`, "its bytes were changed"},
		{`{"okta_group":{"id":"00g1","type":"OKTA_GROUP","name":"Data ` + "\u2028" + ` team"}}` + "\n", "", "it has 0 lines of the kind okta_group and should have 1"},
		{`"id":"00u2"`, `"id":"00u0"`, "line 3, of the kind okta_user, is out of order"},
		{`"id":"00u2"`, `"id":"00u1"`, "line 3, of the kind okta_user, is out of order"},
		{`"okta_group"`, `"okta_grout"`, "line 4 is of no known kind"},
		{`"login":"żoë@example.com"`, "\"login\":\"\xff\"", ": a text is not valid UTF-8"},
		{`"name":"prod"`, "\"no\":1,\"name\":\"\xff\"", ": a text is not valid UTF-8"},
		{`"status":"DEPROVISIONED"`, `"state":"DEPROVISIONED"`, "line 3, of the kind okta_user, is not as it should be"},
	} {
		edited := rewrite(t, file, func(i int, text string) string { return strings.Replace(text, c.old, c.new, 1) })
		if got := refused(t, edited, c.new); !strings.Contains(got, c.want) {
			t.Errorf("%s for %s: error is %q, want %q in it", c.new, c.old, got, c.want)
		}
	}
}

// The trailer is held to what was read, whatever it says: its frame is plain, and
// can be made again by anybody.
func TestTrailerIsHeld(t *testing.T) {
	file, digest := write(t, small(t))
	frames := split(t, file)
	trailer := frames[len(frames)-1]
	const header = 4 + 1 + 4 + 3 // magic, descriptor, size of the text, header of its one block
	text := string(trailer[header:])
	remade := func(text string) []byte {
		b := binary.LittleEndian.AppendUint32(slices.Clone(trailer[:5]), uint32(len(text)))
		block := uint32(len(text))<<3 | 1
		b = append(b, byte(block), byte(block>>8), byte(block>>16))
		return slices.Concat(file[:len(file)-len(trailer)], b, []byte(text))
	}
	if !bytes.Equal(remade(text), file) {
		t.Fatal("the trailer made again is another one")
	}
	zeros := "sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct{ old, new, want string }{
		{`{"lines":{`, `{"lines":{"another":0,`, "its last line was changed"},
		{`{"lines":{`, `{"lines": {`, "its last line was changed"},
		{`"digest":"` + digest, `"digest":"` + zeros, "its last line was changed"},
		{`"okta":"sha256:`, `"okta":"sha512:`, "its last line was changed"},
		{`"file":"sha256:`, `"file":"sha512:`, "its bytes were changed"},
		{`"trailer":{`, `"trailer":{"more":1,`, "its last line was changed"},
	} {
		edited := strings.Replace(text, c.old, c.new, 1)
		if edited == text {
			t.Fatalf("there is no %s in %s", c.old, text)
		}
		if got := refused(t, remade(edited), c.new); !strings.Contains(got, c.want) {
			t.Errorf("%s for %s: error is %q, want %q in it", c.new, c.old, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	file, _ := write(f, small(f))
	f.Add(file)
	f.Add(file[:len(file)-100])
	empty, _ := write(f, new(audit.Snapshot))
	f.Add(empty)
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := snapfile.Read(bytes.NewReader(file), "s")
		if err != nil {
			return
		}
		if _, digest := write(t, s); digest != s.Digest {
			t.Errorf("digest is %s, and %s when written again", s.Digest, digest)
		}
	})
}
