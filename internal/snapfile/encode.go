package snapfile

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// An encoder appends lines to a block of text.
type encoder struct{ b []byte }

func (e *encoder) begin(tag string) {
	e.b = append(e.b, `{"`...)
	e.b = append(e.b, tag...)
	e.b = append(e.b, `":{`...)
}

func (e *encoder) end() { e.b = append(e.b, "}}\n"...) }

func (e *encoder) name(name string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, `":`...)
}

func (e *encoder) text(name string, v *string) {
	if *v != "" {
		e.name(name)
		e.b = appendText(e.b, *v)
	}
}

func (e *encoder) again(name string, v *string) { e.text(name, v) }

func (e *encoder) flag(name string, v *bool) {
	e.name(name)
	if *v {
		e.b = append(e.b, "true"...)
	} else {
		e.b = append(e.b, "false"...)
	}
}

func (e *encoder) values(name string, v *audit.Values) {
	if *v == "" {
		return
	}
	e.name(name)
	open := byte('[')
	for value := range v.All() {
		e.b = append(e.b, open, '{')
		open = ','
		e.text("value", &value.Value)
		e.text("type", &value.Type)
		if value.Primary {
			e.flag("primary", &value.Primary)
		}
		e.b = append(e.b, '}')
	}
	e.b = append(e.b, ']')
}

func (e *encoder) input(name string, v *audit.Input) {
	text := v.String()
	e.text(name, &text)
}

func (e *encoder) raw(name string, v *[]byte) {
	text := string(*v)
	e.text(name, &text)
}

// appendText appends s as JSON. There is one way to write each text, and
// [decoder.text] takes no other.
func appendText(b []byte, s string) []byte {
	start := len(b)
	b = append(b, '"')
	from, valid := 0, false
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			if valid = valid || utf8.ValidString(s[i:]); !valid {
				b = append(b[:start], `{"base64":"`...)
				b = base64.StdEncoding.AppendEncode(b, []byte(s))
				return append(b, `"}`...)
			}
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"
