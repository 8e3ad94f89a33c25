package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A filter is an expression of RFC 7644, section 3.4.2.2, as far as Databricks
// knows it: eq, ne, co and sw, joined by and, or, not and parentheses.
type filter struct {
	// op is a comparison's operator, or "and", "or", "not"; "ignored" is a
	// comparison that holds for everything.
	op       string
	attr     string
	value    any // string, bool, json.Number or nil
	operands []*filter
}

// maxFilterNodes is how many comparisons and connectives a filter may have.
const maxFilterNodes = 200

// parseListFilter parses the filter of a list. Attributes besides those named
// are refused, but for externalId: Databricks ignores what is said about it.
func parseListFilter(s string, attributes []string) (*filter, error) {
	f, nodes, err := parseFilter(s)
	if err != nil {
		return nil, err
	}
	if nodes > maxFilterNodes {
		return nil, fmt.Errorf("the filter has %d nodes: at most %d are supported", nodes, maxFilterNodes)
	}
	return f, f.restrict(attributes)
}

// restrict makes comparisons with externalId hold always, and fails on all
// other attributes but those named.
func (f *filter) restrict(attributes []string) error {
	for _, o := range f.operands {
		if err := o.restrict(attributes); err != nil {
			return err
		}
	}
	switch {
	case f.attr == "" || containsFold(attributes, f.attr):
		return nil
	case strings.EqualFold(f.attr, "externalId"):
		f.op = "ignored"
		return nil
	}
	return fmt.Errorf("filtering by %s is not supported: use one of %s", f.attr, strings.Join(attributes, ", "))
}

// match reports whether o passes. Texts are compared without regard to letter
// case, as userName is in SCIM.
func (f *filter) match(o object) bool {
	switch f.op {
	case "ignored":
		return true
	case "and":
		return !slices.ContainsFunc(f.operands, func(x *filter) bool { return !x.match(o) })
	case "or":
		return slices.ContainsFunc(f.operands, func(x *filter) bool { return x.match(o) })
	case "not":
		return !f.operands[0].match(o)
	case "eq":
		return f.equals(o.get(f.attr))
	case "ne":
		return !f.equals(o.get(f.attr))
	}
	want, ok := f.value.(string)
	if !ok {
		return false
	}
	have, want := strings.ToLower(text(o.get(f.attr))), strings.ToLower(want)
	if f.op == "co" {
		return strings.Contains(have, want)
	}
	return strings.HasPrefix(have, want)
}

func (f *filter) equals(raw json.RawMessage) bool {
	switch want := f.value.(type) {
	case nil:
		return isNull(raw)
	case bool:
		return text(raw) == strconv.FormatBool(want)
	case json.Number:
		return text(raw) == want.String()
	default:
		return !isNull(raw) && strings.EqualFold(text(raw), want.(string))
	}
}

// parseFilter returns the expression and how many nodes it has.
func parseFilter(s string) (f *filter, nodes int, err error) {
	tokens, err := filterTokens(s)
	if err != nil {
		return nil, 0, err
	}
	p := &filterParser{tokens: tokens}
	f, err = p.joined("or", func() (*filter, error) { return p.joined("and", p.factor) })
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("the filter goes on after its end with %s", p.peek())
	}
	return f, p.nodes, err
}

type filterParser struct {
	tokens []string
	nodes  int
	depth  int
}

func (p *filterParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *filterParser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

// joined parses operands with one connective between them.
func (p *filterParser) joined(op string, operand func() (*filter, error)) (*filter, error) {
	left, err := operand()
	for err == nil && strings.EqualFold(p.peek(), op) {
		p.next()
		p.nodes++
		var right *filter
		right, err = operand()
		left = &filter{op: op, operands: []*filter{left, right}}
	}
	return left, err
}

// factor parses a comparison, or a group in parentheses, negated or not.
func (p *filterParser) factor() (*filter, error) {
	if p.depth++; p.depth > maxFilterNodes {
		return nil, errors.New("the filter is nested too deeply")
	}
	defer func() { p.depth-- }()
	t := p.next()
	switch {
	case strings.EqualFold(t, "not"):
		if p.peek() != "(" {
			return nil, errors.New("the filter lacks ( after not")
		}
		p.nodes++
		f, err := p.factor()
		return &filter{op: "not", operands: []*filter{f}}, err
	case t == "(":
		f, err := p.joined("or", func() (*filter, error) { return p.joined("and", p.factor) })
		if err == nil && p.next() != ")" {
			err = errors.New("the filter lacks a )")
		}
		return f, err
	case t == "" || t == ")" || t[0] == '"':
		return nil, errors.New("the filter lacks an attribute")
	}
	return p.comparison(t)
}

// comparison parses what follows an attribute.
func (p *filterParser) comparison(attr string) (*filter, error) {
	p.nodes++
	op := strings.ToLower(p.next())
	if !slices.Contains([]string{"eq", "ne", "co", "sw"}, op) {
		return nil, fmt.Errorf("the filter's operator %q is not supported: use eq, ne, co or sw", op)
	}
	f := &filter{op: op, attr: attr}
	dec := json.NewDecoder(strings.NewReader(p.next()))
	dec.UseNumber()
	if err := dec.Decode(&f.value); err != nil {
		return nil, fmt.Errorf("the filter lacks a value after %s %s", attr, op)
	}
	return f, nil
}

// filterTokens splits s into words, strings and parentheses.
func filterTokens(s string) ([]string, error) {
	var tokens []string
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if s == "" {
			return tokens, nil
		}
		n := 1
		switch s[0] {
		case '(', ')':
		case '"':
			for n < len(s) && s[n] != '"' {
				if s[n] == '\\' {
					n++
				}
				n++
			}
			if n >= len(s) {
				return nil, errors.New("a text in the filter lacks its closing quote")
			}
			n++
		default:
			if n = strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`()"`, r) }); n < 0 {
				n = len(s)
			}
		}
		tokens = append(tokens, s[:n])
		s = s[n:]
	}
}
