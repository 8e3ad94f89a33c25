package snapfile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// A field is a field of a kind of record: how it is called, and what it holds.
type field struct {
	name  string    // as it stands behind another field: `,"login":`
	words [2]uint64 // its first 16 bytes
	masks [2]uint64 // all ones where name has one
	form  form
}

func newField(name string, f form) field {
	var words, masks [16]byte
	copy(masks[:], bytes.Repeat([]byte{0xff}, copy(words[:], name)))
	word := binary.LittleEndian.Uint64
	return field{name, [2]uint64{word(words[:]), word(words[8:])}, [2]uint64{word(masks[:]), word(masks[8:])}, f}
}

type form uint8

const (
	aText form = iota
	aTextAgain
	aFlag
	aListOfValues
	anInput
)

// A schema is the fields of a kind, in order: a [line] that notes what it is asked for.
type schema []field

func (s *schema) add(name string, f form)             { *s = append(*s, newField(`,"`+name+`":`, f)) }
func (s *schema) text(name string, _ *string)         { s.add(name, aText) }
func (s *schema) again(name string, _ *string)        { s.add(name, aTextAgain) }
func (s *schema) flag(name string, _ *bool)           { s.add(name, aFlag) }
func (s *schema) values(name string, _ *audit.Values) { s.add(name, aListOfValues) }
func (s *schema) input(name string, _ *audit.Input)   { s.add(name, anInput) }
func (s *schema) raw(name string, _ *[]byte)          { s.add(name, aText) }

// A decoder takes records from the front of a block of text, and packs them without
// making a string of anything. It knows the one form in which an [encoder] writes
// them; anything else is not as it should be. What it returns besides is what is
// left of the block.
type decoder struct {
	unescaped []byte // the last text that had to be
	list      []byte // the last values
}

// cut returns what follows the text, if s begins with it.
func cut(s []byte, text string) (rest []byte, ok bool) {
	if len(s) < len(text) || string(s[:len(text)]) != text {
		return s, false
	}
	return s[len(text):], true
}

// record takes the fields of a record, from the brace before them on, and the end of
// its line. It appends the fields to b, packed.
func (d *decoder) record(s []byte, fields []field, b []byte) (packed, rest []byte, ok bool) {
	brace := byte('{') // before the first field that there is; a comma is before others
	before := len(b)
	for n := range fields {
		f, at := &fields[n], len(b)
		var text []byte
		switch named := f.isNext(s, brace^','); {
		case named && f.form <= aTextAgain:
			text, s, ok = d.text(s[len(f.name):])
			brace = ','
		case named:
			text, s, ok = d.other(s[len(f.name):], f.form)
			brace = ','
		default:
			ok = f.form != aFlag && f.form != anInput // which are never left out
		}
		if !ok {
			return b, s, false
		}
		if f.form == aTextAgain {
			b = audit.AppendAgain(b, text, before)
		} else {
			b = audit.AppendText(b, text)
		}
		before = at
	}
	if brace == '{' {
		s, _ = cut(s, "{")
	}
	s, ok = cut(s, "}}\n")
	return b, s, ok
}

// isNext reports whether s begins with the field's name; other is by which bits
// what is before it is no comma.
func (f *field) isNext(s []byte, other byte) bool {
	if len(s) < 16 || len(f.name) > 16 {
		return len(s) > 0 && s[0]^other == ',' && bytes.HasPrefix(s[1:], []byte(f.name[1:]))
	}
	first, second := binary.LittleEndian.Uint64(s)^uint64(other), binary.LittleEndian.Uint64(s[8:])
	return (first^f.words[0])&f.masks[0]|(second^f.words[1])&f.masks[1] == 0
}

// other takes what is no text, and returns it as it is packed.
func (d *decoder) other(s []byte, f form) (text, rest []byte, ok bool) {
	switch f {
	case aFlag:
		if s, ok = cut(s, "true"); ok {
			return []byte("1"), s, true
		}
		s, ok = cut(s, "false")
		return nil, s, ok
	case aListOfValues:
		return d.values(s)
	}
	text, s, ok = d.text(s)
	return text, s, ok && new(audit.Input).UnmarshalText(text) == nil
}

// values takes a list, which is not blank.
func (d *decoder) values(s []byte) (list, rest []byte, ok bool) {
	list = d.list[:0]
	for open := "["; ; open = "," {
		if s, ok = cut(s, open); !ok {
			break
		}
		brace := "{"
		for _, name := range [...]string{`"value":`, `"type":`} {
			var text []byte
			if after, named := cut(s, brace+name); named {
				if text, s, ok = d.text(after); !ok {
					return nil, s, false
				}
				brace = ","
			}
			list = audit.AppendText(list, text)
		}
		primary := ""
		if after, named := cut(s, brace+`"primary":true`); named {
			primary, s, brace = "1", after, ","
		}
		list = audit.AppendText(list, primary)
		if brace == "{" {
			s, _ = cut(s, brace)
		}
		if s, ok = cut(s, "}"); !ok {
			return nil, s, false
		}
	}
	d.list = list
	s, ok = cut(s, "]")
	return list, s, ok && len(list) > 0
}

// text takes a text, which is not blank.
func (d *decoder) text(s []byte) (text, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '"' {
		return d.base64(s)
	}
	s = s[1:]
	n, ascii := plain(s)
	if n == len(s) || s[n] != '"' {
		return d.escaped(s)
	}
	return s[:n], s[n+1:], n > 0 && (ascii || utf8.Valid(s[:n]))
}

// plain is how much of s is before the first quote, backslash or control
// character, and whether that is ASCII. It looks at eight bytes at a time.
func plain(s []byte) (n int, ascii bool) {
	const each, high = 0x0101010101010101, 0x8080808080808080
	var seen uint64
	for ; n+8 <= len(s); n += 8 {
		w := binary.LittleEndian.Uint64(s[n:])
		quote, backslash := w^each*'"', w^each*'\\'
		// The high bit of each such byte is set. The borrow of one can set it in
		// bytes above, never in those below.
		if ends := ((quote-each)&^quote | (backslash-each)&^backslash | (w-each*' ')&^w) & high; ends != 0 {
			at := bits.TrailingZeros64(ends)
			seen |= w & (1<<at - 1)
			return n + at/8, seen&high == 0
		}
		seen |= w
	}
	for ; n < len(s) && s[n] >= ' ' && s[n] != '"' && s[n] != '\\'; n++ {
		seen |= uint64(s[n])
	}
	return n, seen&high == 0
}

// escaped takes a text with backslashes in it, from behind the first quote on.
func (d *decoder) escaped(s []byte) (text, rest []byte, ok bool) {
	text = d.unescaped[:0]
	for {
		n, _ := plain(s)
		text = append(text, s[:n]...)
		if s, ok = cut(s[n:], `"`); ok {
			d.unescaped = text
			return text, s, utf8.Valid(text)
		}
		var c byte
		if c, s, ok = escape(s); !ok {
			return nil, s, false
		}
		text = append(text, c)
	}
}

// escape takes a backslash and what follows it, and returns what that stands for.
func escape(s []byte) (c byte, rest []byte, ok bool) {
	for _, e := range [...]struct {
		text  string
		value byte
	}{{`\"`, '"'}, {`\\`, '\\'}, {`\n`, '\n'}, {`\r`, '\r'}, {`\t`, '\t'}} {
		if rest, ok = cut(s, e.text); ok {
			return e.value, rest, true
		}
	}
	if s, ok = cut(s, `\u00`); !ok || len(s) < 2 {
		return 0, s, false
	}
	high, low := strings.IndexByte(hexDigits, s[0]), strings.IndexByte(hexDigits, s[1])
	n := high<<4 | low
	return byte(n), s[2:], 0 <= n && n < ' ' && n != '\n' && n != '\r' && n != '\t'
}

// base64 takes a text that is not valid UTF-8.
func (d *decoder) base64(s []byte) (text, rest []byte, ok bool) {
	if s, ok = cut(s, `{"base64":"`); !ok {
		return nil, s, false
	}
	n, _ := plain(s)
	text, err := base64.StdEncoding.DecodeString(string(s[:n]))
	ok = err == nil && base64.StdEncoding.EncodeToString(text) == string(s[:n]) && !utf8.Valid(text)
	s, closed := cut(s[n:], `"}`)
	return text, s, ok && closed
}
