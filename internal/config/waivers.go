package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
)

// Waivers reads the file of waivers; none where no file is named. Rules are the
// names of all there are.
func (s *Settings) Waivers(env Env, rules []string) ([]audit.Waiver, error) {
	if s.waivers.text == "" {
		return nil, nil
	}
	name := s.waivers.path(env, s.waivers.text)
	data, err := env.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.waivers.from, plain(name, err))
	}
	return readWaivers(name, data, rules)
}

// The keys of a file of waivers, and of a waiver.
const (
	keyWaivers  = "waivers"
	keyRule     = "rule"
	keySubjects = "subjects"
	keyPattern  = "pattern"
	keyOwner    = "owner"
	keyReason   = "reason"
	keyExpires  = "expires"
	keyAccept   = "accept_blocker"
)

// readWaivers reads a file that has a list of waivers under one key. It takes
// nothing that could waive more, or for longer, than somebody meant.
func readWaivers(name string, data []byte, rules []string) ([]audit.Waiver, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: not UTF-8: save it as UTF-8", name)
	}
	top, err := readYAML(name, data)
	if err != nil {
		return nil, err
	}
	for _, key := range top.keys {
		if key != keyWaivers {
			return nil, unknown(name, top.fields[key].line, key, []string{keyWaivers})
		}
	}
	list, ok := top.fields[keyWaivers]
	if !ok {
		return nil, fmt.Errorf("%s:1: expected a list of waivers under the key %q", name, keyWaivers)
	}
	if list.kind != sequence && (list.kind != scalar || list.text != "") {
		return nil, fmt.Errorf("%s:%d: expected a list: a line \"- %s: …\" for each waiver", name, list.line, keyRule)
	}
	var waivers []audit.Waiver
	for _, item := range list.items {
		w, err := readWaiver(name, item, rules)
		if err != nil {
			return nil, err
		}
		for _, other := range waivers {
			if sameTarget(w, other) {
				return nil, fmt.Errorf("%s: the same rule and subjects as at %s: remove one", w.Where, other.Where)
			}
		}
		waivers = append(waivers, w)
	}
	return waivers, nil
}

func sameTarget(a, b audit.Waiver) bool {
	return a.Rule == b.Rule && slices.Equal(a.Subjects, b.Subjects) && audit.Fold(a.Pattern) == audit.Fold(b.Pattern)
}

func readWaiver(file string, n node, rules []string) (w audit.Waiver, err error) {
	w.Where = fmt.Sprintf("%s:%d", file, n.line)
	if n.kind != mapping {
		return w, fmt.Errorf("%s: expected a waiver: %s, %s or %s, %s, %s, %s", w.Where, keyRule, keySubjects, keyPattern, keyOwner, keyReason, keyExpires)
	}
	known := []string{keyRule, keySubjects, keyPattern, keyOwner, keyReason, keyExpires, keyAccept}
	for _, key := range n.keys {
		v := n.fields[key]
		if !slices.Contains(known, key) {
			return w, unknown(file, v.line, key, known)
		}
		if key != keySubjects && v.kind != scalar {
			return w, fmt.Errorf("%s:%d: %s: expected one text", file, v.line, key)
		}
		w.Where = fmt.Sprintf("%s:%d", file, min(n.line, v.line))
	}
	_, bySubject := n.fields[keySubjects]
	_, byPattern := n.fields[keyPattern]
	if bySubject == byPattern {
		return w, fmt.Errorf("%s: expected either %s or %s", w.Where, keySubjects, keyPattern)
	}
	for _, must := range []struct {
		key  string
		read func(node) error
	}{
		{keyRule, func(v node) error {
			w.Rule = v.text
			if slices.Contains(rules, v.text) {
				return nil
			}
			if near := Nearest(v.text, rules); near != "" {
				return fmt.Errorf("unknown rule %q: did you mean %q?", v.text, near)
			}
			return fmt.Errorf("unknown rule %q: see aimcheck rules", v.text)
		}},
		{keySubjects, func(v node) (err error) { w.Subjects, err = readSubjects(file, v); return err }},
		{keyPattern, func(v node) error { w.Pattern = v.text; return narrow(v.text) }},
		{keyOwner, func(v node) error { w.Owner = strings.TrimSpace(v.text); return nil }},
		{keyReason, func(v node) error { w.Reason = strings.TrimSpace(v.text); return nil }},
		{keyExpires, func(v node) error {
			w.Expires = v.text
			if _, err := time.Parse(time.DateOnly, v.text); err != nil {
				return fmt.Errorf("%q: expected the last day that it holds, such as 2027-03-31", v.text)
			}
			return nil
		}},
	} {
		v, ok := n.fields[must.key]
		switch {
		case !ok && (must.key == keySubjects || must.key == keyPattern):
			continue
		case !ok || v.kind == scalar && strings.TrimSpace(v.text) == "":
			return w, fmt.Errorf("%s: %s is missing: every waiver has a %s, %s or %s, an %s, a %s and the day it %s",
				w.Where, must.key, keyRule, keySubjects, keyPattern, keyOwner, keyReason, keyExpires)
		}
		if err := must.read(v); err != nil {
			return w, fmt.Errorf("%s:%d: %s: %w", file, v.line, must.key, err)
		}
	}
	switch v := n.fields[keyAccept]; v.text {
	case "true":
		w.AcceptBlocker = true
	case "false", "":
	default:
		return w, fmt.Errorf("%s:%d: %s: expected true or false", file, v.line, keyAccept)
	}
	return w, nil
}

// readSubjects returns the subjects in order.
func readSubjects(file string, n node) (subjects []audit.Subject, err error) {
	if n.kind != sequence || len(n.items) == 0 {
		return nil, fmt.Errorf("expected a list of subjects such as [databricks:user:123, okta:user:00u1]: findings.csv has them")
	}
	for _, item := range n.items {
		s, err := audit.ParseSubject(item.text)
		if err != nil {
			return nil, err
		}
		if slices.Contains(subjects, s) {
			return nil, fmt.Errorf("%s is there twice: remove one", s)
		}
		subjects = append(subjects, s)
	}
	slices.SortFunc(subjects, audit.Subject.Compare)
	return subjects, nil
}

// narrowest is how many letters or digits a pattern has in a row at least,
// before any @.
const narrowest = 3

// narrow refuses a pattern that could be about anybody: without a few letters of
// a name, not counting the domain that all share.
func narrow(pattern string) error {
	name, _, _ := strings.Cut(pattern, "@")
	row := 0
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			row = 0
			continue
		}
		if row++; row == narrowest {
			return nil
		}
	}
	return fmt.Errorf("%q is too wide: expected %d letters or digits in a row at least, before any @, such as svc-build-*@example.com", pattern, narrowest)
}
