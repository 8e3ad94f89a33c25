package databricks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// absent is a total or a position that an answer leaves out.
const absent = -1

// A page is a SCIM list response (RFC 7644, section 3.4.2), its objects not yet
// looked at.
type page struct {
	total   int // totalResults, or absent
	start   int // startIndex, or absent
	objects []jsontext.Value
}

// readPage reads body, which must be one list response and nothing else.
func readPage(body []byte) (page, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), lenient)
	if k := dec.PeekKind(); k != '{' {
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
			return page{}, errors.New("expected a SCIM list, found a page of HTML: " +
				"see that the host is the account console and that no proxy or sign-in page stands before it")
		}
		return page{}, fmt.Errorf("expected a SCIM list, found %s", noun(k))
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return page{}, fmt.Errorf("expected a whole SCIM list: %w", err)
	}
	p, isList, err := splitPage(raw)
	if err != nil {
		return page{}, err
	}
	if !isList {
		return page{}, errors.New("expected a SCIM list, found an object without Resources and totalResults")
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return page{}, errors.New("expected one SCIM list, found more after it")
	}
	return p, nil
}

// splitPage takes a list response apart; isList is false if raw is an object of
// another sort, which has neither total nor Resources.
func splitPage(raw jsontext.Value) (p page, isList bool, err error) {
	p = page{total: absent, start: absent}
	seen := map[string]bool{}
	err = fields(raw, func(name string, dec *jsontext.Decoder) (err error) {
		switch name {
		case "totalResults", "startIndex", "Resources":
			if seen[name] {
				return fmt.Errorf("a SCIM list says %s twice", name)
			}
			seen[name] = true
		}
		switch name {
		case "totalResults":
			p.total, err = readCount(dec, name)
		case "startIndex":
			p.start, err = readCount(dec, name)
		case "Resources":
			p.objects, err = readObjects(dec, raw)
		default:
			err = dec.SkipValue()
		}
		return err
	})
	return p, seen["totalResults"] || seen["Resources"], err
}

func readCount(dec *jsontext.Decoder, name string) (int, error) {
	var t text
	if err := t.UnmarshalJSONFrom(dec); err != nil {
		return 0, fmt.Errorf("%s of a SCIM list: %w", name, err)
	}
	if t == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(string(t))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s of a SCIM list: expected a count, found %q", name, t)
	}
	return n, nil
}

// readObjects cuts the array that dec, which reads all, is at into parts of all.
func readObjects(dec *jsontext.Decoder, all []byte) ([]jsontext.Value, error) {
	switch k := dec.PeekKind(); k {
	case '[':
	case 'n':
		return nil, dec.SkipValue()
	default:
		return nil, fmt.Errorf("member Resources of a SCIM list: expected an array, found %s", noun(k))
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var objects []jsontext.Value
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		end := int(dec.InputOffset())
		objects = append(objects, jsontext.Value(all[end-len(raw):end]))
	}
	_, err := dec.ReadToken()
	return objects, err
}
