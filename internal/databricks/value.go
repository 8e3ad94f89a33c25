package databricks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/rawjson"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The types below read what the vendor is known to send where its schema says
// something narrower. Each takes null as absent.

// A text is a JSON string, or a number as it is written: ids come as either.
type text string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (t *text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch k := dec.PeekKind(); k {
	case 'n':
		*t = ""
		return dec.SkipValue()
	case '"':
		raw, err := dec.ReadValue()
		if err == nil {
			*t = text(rawjson.Unquote(raw))
		}
		return err
	case '0', 0:
		tok, err := dec.ReadToken()
		if err == nil {
			*t = text(tok.String())
		}
		return err
	default:
		return fmt.Errorf("expected text, found %s", noun(k))
	}
}

// A truth is a JSON boolean, or one in quotes in any letter case.
type truth int8

const (
	unsaid truth = iota
	yes
	no
)

// String returns "true", "false" or, when nothing was said, "".
func (t truth) String() string {
	switch t {
	case yes:
		return "true"
	case no:
		return "false"
	}
	return ""
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (t *truth) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch k := dec.PeekKind(); k {
	case 'n', 't', 'f', '"', 0:
		tok, err := dec.ReadToken()
		if err != nil {
			return err
		}
		*t, err = truthOf(tok)
		return err
	default:
		return fmt.Errorf("expected true or false, found %s", noun(k))
	}
}

func truthOf(tok jsontext.Token) (truth, error) {
	switch s := strings.ToLower(tok.String()); s {
	case "true":
		return yes, nil
	case "false":
		return no, nil
	case "null", "":
		return unsaid, nil
	default:
		return unsaid, fmt.Errorf("expected true or false, found %q", s)
	}
}

// A list is a multi-valued attribute (RFC 7643, section 2.4): objects with a
// value, plain texts, or one of these without the brackets.
type list []element

type element struct {
	Value   text  `json:"value"`
	Type    text  `json:"type"`
	Ref     text  `json:"$ref"`
	Primary truth `json:"primary"`
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (l *list) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*l = (*l)[:0]
	if dec.PeekKind() != '[' {
		return l.readElement(dec)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for {
		switch dec.PeekKind() {
		case ']', 0:
			_, err := dec.ReadToken()
			return err
		}
		if err := l.readElement(dec); err != nil {
			return err
		}
	}
}

func (l *list) readElement(dec *jsontext.Decoder) error {
	var e element
	switch k := dec.PeekKind(); k {
	case 'n':
		return dec.SkipValue()
	case '"', '0':
		if err := e.Value.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
	case '{', 0:
		if err := json.UnmarshalDecode(dec, &e); err != nil {
			return err
		}
	default:
		return fmt.Errorf("expected an object or text, found %s", noun(k))
	}
	*l = append(*l, e)
	return nil
}

// values packs the list as records hold it.
func (l list) values() audit.Values {
	vs := make([]audit.Value, len(l))
	for i, e := range l {
		vs[i] = audit.Value{Value: string(e.Value), Type: string(e.Type), Primary: e.Primary == yes}
	}
	return audit.NewValues(vs...)
}

// members packs the list as [audit.DatabricksGroupMembers] holds it: what a
// member is can be told from its "$ref" alone.
func (l list) members() audit.Values {
	vs := make([]audit.Value, len(l))
	for i, e := range l {
		vs[i] = audit.Value{Value: string(e.Value), Type: string(e.Ref)}
	}
	return audit.NewValues(vs...)
}

func noun(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "no JSON"
}

// where says in plain words what is wrong with an object, and in which field.
func where(err error) string {
	var pointer jsontext.Pointer
	cause := err
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer, cause = syntactic.JSONPointer, syntactic.Err
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		pointer = semantic.JSONPointer
		cause = semantic.Err
		if cause == nil {
			cause = fmt.Errorf("expected an object, found %s", noun(semantic.JSONKind))
		}
	}
	if pointer == "" {
		return cause.Error()
	}
	return fmt.Sprintf("field %s: %v", strings.TrimPrefix(string(pointer), "/"), cause)
}
