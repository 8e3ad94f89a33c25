// Package rawjson reads JSON texts byte for byte. Names in a directory are
// compared as they are: a text that is not valid UTF-8 must neither cost its
// object nor become another text by replacement.
package rawjson

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Strict are the options to decode one object with: a name that stands twice is
// refused, bytes that are not UTF-8 are kept.
func Strict() json.Options { return jsontext.AllowInvalidUTF8(true) }

// A Text is a JSON string as its bytes are, blank for null.
type Text string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (t *Text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch k := dec.PeekKind(); k {
	case 'n':
		*t = ""
		return dec.SkipValue()
	case '"', 0:
		raw, err := dec.ReadValue()
		if err == nil {
			*t = Text(Unquote(raw))
		}
		return err
	default:
		return fmt.Errorf("expected a string, found %s", kindNames[k])
	}
}

var kindNames = map[jsontext.Kind]string{
	't': "a truth value", 'f': "a truth value", '0': "a number", '{': "an object", '[': "a list",
}

// Unquote returns the text of a valid JSON string. Bytes that are not UTF-8 stay
// as they are; half a surrogate pair becomes the three bytes that UTF-8 would
// have for it, which are not valid UTF-8 either.
func Unquote(quoted []byte) string {
	in := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(in, '\\') < 0 {
		return string(in)
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		if in[i] != '\\' {
			out = append(out, in[i])
			continue
		}
		i++
		switch c := in[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hex4(in[i+1:])
			i += 4
			if 0xD800 <= r && r < 0xDC00 && bytes.HasPrefix(in[i+1:], []byte(`\u`)) {
				if low := hex4(in[i+3:]); 0xDC00 <= low && low < 0xE000 {
					r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
					i += 6
				}
			}
			if 0xD800 <= r && r < 0xE000 {
				out = append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF)
			} else {
				out = utf8.AppendRune(out, r)
			}
		default: // a quotation mark or a slash
			out = append(out, c)
		}
	}
	return string(out)
}

func hex4(in []byte) rune {
	n, _ := strconv.ParseUint(string(in[:4]), 16, 32) // the decoder has seen that it is hexadecimal
	return rune(n)
}
