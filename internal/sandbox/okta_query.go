package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An oktaQuery is an expression of Okta's parameters "search" and "filter":
// comparisons joined by and, or and parentheses; and binds tighter.
type oktaQuery struct {
	op    string // a comparison's operator, or "and", "or"
	path  string // such as "profile.login"; its letter case counts
	value string
	time  time.Time // value as a time, where path has times
	fold  bool      // compare texts without regard to letter case
	of    []*oktaQuery
}

// A queryKind says what a parameter lets one ask.
type queryKind struct {
	fold   bool                       // texts are compared without regard to letter case
	allows func(path, op string) bool // which operators go with which paths
}

//lint:ignore ST1005 it is Okta's own text
var errQuery = errors.New("Invalid search criteria.")

var (
	compareOps = []string{"eq", "gt", "ge", "lt", "le"}
	searchOps  = append([]string{"sw", "co", "pr"}, compareOps...)
	timePaths  = []string{"created", "activated", "statusChanged", "lastUpdated", "lastMembershipUpdated", "passwordChanged", "lastLogin"}
)

// usersSearch is the parameter "search" of users: any attribute.
var usersSearch = queryKind{true, func(path, op string) bool {
	known := slices.Contains([]string{"id", "status", "type.id", "created", "activated", "statusChanged", "lastUpdated"}, path)
	return (known || strings.HasPrefix(path, "profile.")) && slices.Contains(searchOps, op)
}}

// usersFilter is the parameter "filter" of users: eq, but for lastUpdated.
var usersFilter = queryKind{false, func(path, op string) bool {
	if path == "lastUpdated" {
		return slices.Contains(compareOps, op)
	}
	return op == "eq" && slices.Contains([]string{"id", "status", "profile.login", "profile.email", "profile.firstName", "profile.lastName"}, path)
}}

// groupsSearch is the parameter "search" of groups.
var groupsSearch = queryKind{true, func(path, op string) bool {
	known := slices.Contains([]string{"id", "type", "created", "lastUpdated", "lastMembershipUpdated"}, path)
	return (known || strings.HasPrefix(path, "profile.")) && slices.Contains(searchOps, op)
}}

// groupsFilter is the parameter "filter" of groups.
var groupsFilter = queryKind{false, func(path, op string) bool {
	switch path {
	case "lastUpdated", "lastMembershipUpdated":
		return slices.Contains(compareOps, op)
	case "id", "type":
		return op == "eq"
	}
	return false
}}

// appsFilter is the parameter "filter" of apps.
var appsFilter = queryKind{false, func(path, op string) bool { return path == "status" && op == "eq" }}

// parse reads an expression. Whatever is wrong with it, Okta says the same.
func (k queryKind) parse(s string) (*oktaQuery, error) {
	tokens, err := filterTokens(s)
	if err != nil {
		return nil, errQuery
	}
	q, rest, err := k.joined("or", tokens)
	if err != nil || len(rest) > 0 {
		return nil, errQuery
	}
	return q, nil
}

// joined parses operands of one connective. It returns the tokens left.
func (k queryKind) joined(op string, tokens []string) (*oktaQuery, []string, error) {
	operand := k.operand
	if op == "or" {
		operand = func(tokens []string) (*oktaQuery, []string, error) { return k.joined("and", tokens) }
	}
	q, tokens, err := operand(tokens)
	if err != nil {
		return nil, nil, err
	}
	for len(tokens) > 0 && strings.EqualFold(tokens[0], op) {
		var right *oktaQuery
		if right, tokens, err = operand(tokens[1:]); err != nil {
			return nil, nil, err
		}
		q = &oktaQuery{op: op, of: []*oktaQuery{q, right}}
	}
	return q, tokens, nil
}

// operand parses a comparison or a group in parentheses.
func (k queryKind) operand(tokens []string) (*oktaQuery, []string, error) {
	if len(tokens) > 0 && tokens[0] == "(" {
		q, rest, err := k.joined("or", tokens[1:])
		if err != nil || len(rest) == 0 || rest[0] != ")" {
			return nil, nil, errQuery
		}
		return q, rest[1:], nil
	}
	if len(tokens) < 2 {
		return nil, nil, errQuery
	}
	q := &oktaQuery{path: tokens[0], op: strings.ToLower(tokens[1]), fold: k.fold}
	if !k.allows(q.path, q.op) {
		return nil, nil, fmt.Errorf("%w: %s %s", errQuery, q.path, q.op)
	}
	if q.op == "pr" {
		return q, tokens[2:], nil
	}
	if len(tokens) < 3 || !json.Valid([]byte(tokens[2])) {
		return nil, nil, errQuery
	}
	q.value = text(json.RawMessage(tokens[2]))
	if slices.Contains(timePaths, q.path) {
		var err error
		if q.time, err = time.Parse(time.RFC3339, q.value); err != nil {
			return nil, nil, errQuery
		}
	}
	return q, tokens[3:], nil
}

// match reports whether the row passes.
func (q *oktaQuery) match(r *row) bool {
	switch q.op {
	case "and":
		return q.of[0].match(r) && q.of[1].match(r)
	case "or":
		return q.of[0].match(r) || q.of[1].match(r)
	}
	if !q.time.IsZero() {
		return q.holds(r.time(q.path).Compare(q.time))
	}
	have, ok := r.attribute(q.path)
	if !ok || q.op == "pr" {
		return ok
	}
	want := q.value
	if q.fold {
		have, want = strings.ToLower(have), strings.ToLower(want)
	}
	switch q.op {
	case "sw":
		return strings.HasPrefix(have, want)
	case "co":
		return strings.Contains(have, want)
	}
	return q.holds(strings.Compare(have, want))
}

// holds reports whether the operator allows the outcome of a comparison.
func (q *oktaQuery) holds(compared int) bool {
	switch q.op {
	case "eq":
		return compared == 0
	case "gt":
		return compared > 0
	case "ge":
		return compared >= 0
	case "lt":
		return compared < 0
	default:
		return compared <= 0
	}
}
