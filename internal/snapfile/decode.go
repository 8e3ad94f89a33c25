package snapfile

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// A decoder takes lines from a block of text that is valid UTF-8. It knows the
// one form in which an [encoder] writes them; anything else makes it bad.
// Texts share the block's memory where they can.
type decoder struct {
	s     string
	i     int    // where the next byte is
	first bool   // no field of the object was taken yet
	bad   bool   // the line is not as it should be
	key   string // the first text of the record
	list  []audit.Value
}

// begin reports whether the line holds a record with the tag, and takes its beginning.
func (d *decoder) begin(tag string) bool {
	s := d.s[d.i:]
	n := len(tag) + 5
	if len(s) < n || s[:2] != `{"` || s[2:n-3] != tag || s[n-3:n] != `":{` {
		return false
	}
	d.i += n
	d.first, d.bad, d.key = true, false, ""
	return true
}

// end takes the end of the record and reports whether all of it was as it should be.
func (d *decoder) end() bool { return d.take("}}\n") && !d.bad }

func (d *decoder) take(text string) bool {
	if !strings.HasPrefix(d.s[d.i:], text) {
		return false
	}
	d.i += len(text)
	return true
}

// name takes the field's name, if it is the next.
func (d *decoder) name(name string) bool {
	s := d.s[d.i:]
	if !d.first {
		if s == "" || s[0] != ',' {
			return false
		}
		s = s[1:]
	}
	n := len(name) + 3
	if len(s) < n || s[0] != '"' || s[1:n-2] != name || s[n-2] != '"' || s[n-1] != ':' {
		return false
	}
	d.i = len(d.s) - len(s) + n
	d.first = false
	return true
}

func (d *decoder) text(name string, v *string) {
	isKey := d.first
	if !d.name(name) {
		return
	}
	*v = d.string()
	if *v == "" {
		d.bad = true
	}
	if isKey {
		d.key = *v
	}
}

func (d *decoder) flag(name string, v *bool) {
	if !d.name(name) || !d.take("true") && !d.take("false") {
		d.bad = true
		return
	}
	*v = d.s[d.i-2] == 'u'
}

func (d *decoder) values(name string, v *audit.Values) {
	if !d.name(name) {
		return
	}
	key := d.key
	d.list = d.list[:0]
	for open := "[{"; d.take(open); open = ",{" {
		var value audit.Value
		d.first = true
		d.text("value", &value.Value)
		d.text("type", &value.Type)
		if d.name("primary") {
			value.Primary = d.take("true")
			d.bad = d.bad || !value.Primary
		}
		d.list = append(d.list, value)
		if !d.take("}") {
			d.bad = true
			return
		}
	}
	if len(d.list) == 0 || !d.take("]") {
		d.bad = true
	}
	d.first, d.key = false, key
	*v = audit.NewValues(d.list...)
}

func (d *decoder) input(name string, v *audit.Input) {
	var text string
	d.text(name, &text)
	if v.UnmarshalText([]byte(text)) != nil {
		d.bad = true
	}
}

func (d *decoder) raw(name string, v *[]byte) {
	var text string
	d.text(name, &text)
	*v = []byte(text)
}

// string takes a text; it is "" and the line bad if there is none.
func (d *decoder) string() string {
	if d.take(`{"base64":`) {
		text := d.plain()
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != text || utf8.Valid(raw) || !d.take("}") {
			d.bad = true
		}
		return string(raw)
	}
	return d.plain()
}

func (d *decoder) plain() string {
	if !d.take(`"`) {
		d.bad = true
		return ""
	}
	rest := d.s[d.i:]
	for i := range len(rest) {
		if !ends[rest[i]] {
			continue
		}
		d.i += i
		switch rest[i] {
		case '"':
			d.i++
			return rest[:i]
		case '\\':
			return d.escaped(rest[:i])
		}
		break
	}
	d.bad = true
	return ""
}

// ends holds the bytes that end the part of a text that stands as it is.
var ends = func() (ends [256]bool) {
	for c := range ' ' {
		ends[c] = true
	}
	ends['"'], ends['\\'] = true, true
	return ends
}()

// escaped takes the rest of a text from its first backslash on.
func (d *decoder) escaped(start string) string {
	b := []byte(start)
	for d.i < len(d.s) {
		c := d.s[d.i]
		d.i++
		switch {
		case c == '"':
			return string(b)
		case c == '\\':
			c = d.escape()
		case c < ' ':
			d.bad = true
			return ""
		}
		b = append(b, c)
	}
	d.bad = true
	return ""
}

// escape takes what follows a backslash and returns what it stands for.
func (d *decoder) escape() byte {
	for _, e := range [...]struct {
		text  string
		value byte
	}{{`"`, '"'}, {`\`, '\\'}, {"n", '\n'}, {"r", '\r'}, {"t", '\t'}} {
		if d.take(e.text) {
			return e.value
		}
	}
	if d.take("u00") && d.i+2 <= len(d.s) {
		high, low := strings.IndexByte(hexDigits, d.s[d.i]), strings.IndexByte(hexDigits, d.s[d.i+1])
		d.i += 2
		if c := high<<4 | low; 0 <= c && c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return byte(c)
		}
	}
	d.bad = true
	return 0
}
