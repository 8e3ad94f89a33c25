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
		d := decoder{s: string(buf[:whole])}
		for d.i < len(d.s) {
			for len(list) > 0 && !d.begin(list[0].tag) {
				list = list[1:]
			}
			if len(list) == 0 {
				return nil, errors.New("no known kind")
			}
			record := list[0].read(&d)
			if !d.end() {
				return nil, errors.New("bad line")
			}
			if err := b.Add(record); err != nil {
				return nil, err
			}
		}
		kept = copy(buf, buf[whole:kept+n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return b.Snapshot()
		} else if err != nil {
			return nil, err
		}
	}
}
