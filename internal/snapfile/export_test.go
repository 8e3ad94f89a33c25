package snapfile

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// ReadPlain builds a snapshot from the record lines of r, which are neither
// compressed nor checked for anything: what [Read] is measured against.
func ReadPlain(r io.Reader) (*audit.Snapshot, error) {
	var b audit.Builder
	list := kinds()
	buf := make([]byte, frameText)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		whole := bytes.LastIndexByte(buf[:kept+n], '\n') + 1
		if whole > 0 && !utf8.Valid(buf[:whole]) {
			return nil, errors.New("not UTF-8")
		}
		var d decoder
		for text := buf[:whole]; len(text) > 0; {
			i := kindOf(text, list)
			if i < 0 {
				return nil, errors.New("no known kind")
			}
			k, records := &list[i], list[i].packed(&b)
			packed, rest, ok := d.record(text[len(k.begin)-1:], k.fields, records.Begin())
			if !ok {
				return nil, errors.New("bad line")
			}
			if err := records.End(packed); err != nil {
				return nil, err
			}
			text = rest
		}
		kept = copy(buf, buf[whole:kept+n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return b.Snapshot()
		} else if err != nil {
			return nil, err
		}
	}
}
