package report

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
)

// odd has the texts of one object that are no UTF-8, byte for byte, by their
// place in it (RFC 6901). JSON can't hold them: where they belong stands what
// every reader can read, with U+FFFD for each byte that is none.
type odd struct {
	Bytes map[string][]byte `json:"bytes,omitempty"`
}

// withOdd returns the line with the texts of v that it does not hold as they are.
func withOdd(line []byte, v any) ([]byte, error) {
	o := odd{map[string][]byte{}}
	text := func(enc *jsontext.Encoder, s string) error {
		err := enc.WriteToken(jsontext.String(s))
		if !utf8.ValidString(s) {
			o.Bytes[string(enc.StackPointer())] = []byte(s)
		}
		return err
	}
	subject := func(enc *jsontext.Encoder, s audit.Subject) error { return text(enc, s.String()) }
	_, err := json.Marshal(v, json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(text), json.MarshalToFunc(subject))),
		json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil || len(o.Bytes) == 0 {
		return line, err
	}
	member, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	return slices.Concat(bytes.TrimSuffix(line, []byte("}")), []byte(","), member[1:]), nil
}

// A lineOf is an object of the file and what it can't hold as it is.
type lineOf[T any] struct {
	Value T   `json:",embed"`
	Odd   odd `json:",embed"`
}

// unmarshal reads one object, with the texts in it that are no UTF-8. What it
// does not know is refused.
func unmarshal[T any](text jsontext.Value) (T, error) {
	var line lineOf[T]
	err := json.Unmarshal(text, &line, json.RejectUnknownMembers(true))
	if err != nil || len(line.Odd.Bytes) == 0 {
		return line.Value, err
	}
	used := 0
	put := func(dec *jsontext.Decoder) (string, error) {
		tok, err := dec.ReadToken()
		if err != nil {
			return "", err
		}
		s := tok.String()
		b, ok := line.Odd.Bytes[string(dec.StackPointer())]
		if !ok {
			return s, nil
		}
		if used++; string([]rune(string(b))) != s {
			return "", fmt.Errorf("its text at %s and its bytes are not the same", dec.StackPointer())
		}
		return string(b), nil
	}
	exactly := func(dec *jsontext.Decoder, s *string) (err error) {
		*s, err = put(dec)
		return err
	}
	subject := func(dec *jsontext.Decoder, s *audit.Subject) error {
		text, err := put(dec)
		if err != nil {
			return err
		}
		return s.UnmarshalText([]byte(text))
	}
	var exact lineOf[T]
	err = json.Unmarshal(text, &exact, json.WithUnmarshalers(json.JoinUnmarshalers(json.UnmarshalFromFunc(exactly), json.UnmarshalFromFunc(subject))))
	if err == nil && used != len(line.Odd.Bytes) {
		err = fmt.Errorf("its bytes belong to %d texts, and it has %d of them", len(line.Odd.Bytes), used)
	}
	return exact.Value, err
}
