package config

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A node is one value of a YAML file and the line it stands on.
type node struct {
	kind   kind
	line   int
	text   string // of a scalar; blank for null
	keys   []string
	fields map[string]node // of a mapping
	items  []node          // of a sequence
}

type kind int

const (
	scalar kind = iota
	mapping
	sequence
)

// readYAML reads one document of plain mappings, lists and scalars. Errors name file
// and line, and quote nothing of the file but keys: it may hold secrets.
func readYAML(name string, data []byte) (node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))                     // as editors on Windows put it there
	f, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()) // field refuses them, in words
	if err != nil {
		var y yaml.Error
		if errors.As(err, &y) && y.GetToken() != nil {
			return node{}, fmt.Errorf("%s:%d: not YAML: check the indentation, colons and quotes there", name, y.GetToken().Position.Line)
		}
		return node{}, fmt.Errorf("%s: not YAML: check its indentation, colons and quotes", name)
	}
	if len(f.Docs) > 1 {
		return node{}, fmt.Errorf("%s: expected one YAML document, not %d", name, len(f.Docs))
	}
	if len(f.Docs) == 0 || f.Docs[0].Body == nil {
		return node{kind: mapping, line: 1}, nil
	}
	return readNode(name, f.Docs[0].Body)
}

func readNode(name string, n ast.Node) (node, error) {
	r := node{line: line(n.GetToken())}
	switch n := n.(type) {
	case *ast.MappingNode:
		r.kind, r.fields = mapping, map[string]node{}
		for _, v := range n.Values {
			if err := r.field(name, v); err != nil {
				return r, err
			}
		}
	case *ast.MappingValueNode:
		r.kind, r.fields = mapping, map[string]node{}
		return r, r.field(name, n)
	case *ast.SequenceNode:
		r.kind = sequence
		for _, v := range n.Values {
			item, err := readNode(name, v)
			if err != nil {
				return r, err
			}
			r.items = append(r.items, item)
		}
	case *ast.CommentGroupNode, *ast.NullNode:
	case *ast.LiteralNode:
		r.text = n.Value.Value
	case *ast.StringNode:
		r.text = n.Value
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		r.text = n.GetToken().Value
	default:
		return r, fmt.Errorf("%s:%d: expected a plain text: anchors, aliases, tags and the like are not read", name, r.line)
	}
	return r, nil
}

func (n *node) field(name string, v *ast.MappingValueNode) error {
	key := v.Key.GetToken().Value
	at := line(v.Key.GetToken())
	if _, ok := v.Key.(*ast.StringNode); !ok {
		return fmt.Errorf("%s:%d: expected a plain word as key", name, at)
	}
	if _, ok := n.fields[key]; ok {
		return fmt.Errorf("%s:%d: %q is there twice: remove one", name, at, key)
	}
	child, err := readNode(name, v.Value)
	if err != nil {
		return err
	}
	child.line = at
	n.fields[key] = child
	n.keys = append(n.keys, key)
	return nil
}

func line(t *token.Token) int {
	if t == nil || t.Position == nil {
		return 1
	}
	return t.Position.Line
}
