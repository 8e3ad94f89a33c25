package report

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
)

// ReadFindings reads a findings.json and returns the report that it was made
// from: every format of it has the same bytes as when it was made. The plan has
// no times, and is nil where an older version wrote the file without it; so it is
// with the crosswalk. Docs of rules are those of rules; of a rule that is not
// among them, what the file says is shown. A version that is not known, damage,
// and a file that contradicts itself are refused, and what to do is said. Name is
// the file's, for errors.
func ReadFindings(r io.Reader, name string, rules []*audit.Rule) (*audit.Report, error) {
	f := &findingsFile{dec: jsontext.NewDecoder(bufio.NewReaderSize(r, 1<<20))}
	err := f.read()
	if err == nil {
		var rep *audit.Report
		if rep, err = f.report(rules); err == nil {
			return rep, nil
		}
		return nil, fmt.Errorf("%s contradicts itself: %w: take the file as it was made, or run the audit again", name, err)
	}
	var broken *jsontext.SyntacticError
	at := f.at
	if errors.As(err, &broken) {
		at = broken.ByteOffset
	}
	where := fmt.Sprintf("%s: byte %d", name, at)
	if s, ok := r.(io.Seeker); ok {
		if line, err := lineAt(r, s, at); err == nil {
			where = fmt.Sprintf("%s: line %d (byte %d)", name, line, at)
		}
	}
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return nil, fmt.Errorf("%s: %w", name, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: the file ends early: copy it again whole, or run the audit again", where)
	case errors.As(err, &broken):
		return nil, fmt.Errorf("%s: this is no JSON: %w%s: take the file as it was made, or run the audit again", where, broken.Err, within(broken.JSONPointer))
	case errors.Is(err, json.ErrUnknownName):
		return nil, fmt.Errorf("%s: %w: this version of aimcheck does not know it and would lose it: use the one that wrote the file (%s)", where, plainly(err), cmp.Or(f.tool.Version, "unknown"))
	}
	return nil, fmt.Errorf("%s: %w: take the file as it was made, or run the audit again", where, plainly(err))
}

// plainly returns the error without speaking of Go.
func plainly(err error) error {
	var s *json.SemanticError
	switch {
	case !errors.As(err, &s):
		return err
	case s.Err != nil:
		return fmt.Errorf("%w%s", s.Err, within(s.JSONPointer))
	}
	return fmt.Errorf("a JSON %s is not what is expected%s", s.JSONKind, within(s.JSONPointer))
}

func within(place jsontext.Pointer) string {
	if place == "" {
		return ""
	}
	return fmt.Sprintf(" at %s", visible(string(place)))
}

// A refusal is an error about the file as a whole.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// lineAt counts lines up to the byte.
func lineAt(r io.Reader, s io.Seeker, at int64) (int, error) {
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	line, buf := 1, make([]byte, 64<<10)
	for at > 0 {
		n, err := r.Read(buf[:min(at, int64(len(buf)))])
		line += bytes.Count(buf[:n], []byte("\n"))
		at -= int64(n)
		if err == io.EOF {
			break
		} else if err != nil {
			return 0, err
		}
	}
	return line, nil
}

// findingsFile is a findings.json while it is read. Its members may come in any
// order.
type findingsFile struct {
	dec  *jsontext.Decoder
	at   int64 // where what is being read begins
	seen map[string]bool

	schema     string
	tool       toolHead
	snapshot   snapshotHead
	incomplete []unread
	settings   audit.Settings
	verdict    audit.Verdict
	counts     severityCounts
	impact     impacts
	skipped    []audit.Skip
	waivers    []audit.WaiverUse
	trend      []audit.PastRun
	resolved   []audit.Gone
	findings   audit.Findings
	operations []audit.Operation
	manual     []audit.Manual
	crosswalk  audit.Crosswalk
	names      []audit.SubjectName
	rules      []ruleHead
	redacted   bool
	times      times
}

// members are what a file holds; the first ten always.
var members = []struct {
	name string
	read func(*findingsFile) error
}{
	{"schema", func(f *findingsFile) error { return text(f, &f.schema) }},
	{"tool", func(f *findingsFile) error { return member(f, &f.tool) }},
	{"snapshot", func(f *findingsFile) error { return member(f, &f.snapshot) }},
	{"incomplete", func(f *findingsFile) error { return elements(f, &f.incomplete) }},
	{"settings", func(f *findingsFile) error { return member(f, &f.settings) }},
	{"verdict", func(f *findingsFile) error { return text(f, &f.verdict) }},
	{"counts", func(f *findingsFile) error { return member(f, &f.counts) }},
	{"impact", func(f *findingsFile) error { return member(f, &f.impact) }},
	{"skipped_rules", func(f *findingsFile) error { return elements(f, &f.skipped) }},
	{"findings", func(f *findingsFile) error { return f.readFindings() }},
	{"waivers", func(f *findingsFile) error { return elements(f, &f.waivers) }},
	{"trend", func(f *findingsFile) error { return elements(f, &f.trend) }},
	{"resolved", func(f *findingsFile) error { return elements(f, &f.resolved) }},
	{"operations", func(f *findingsFile) error { return elements(f, &f.operations) }},
	{"manual", func(f *findingsFile) error { return elements(f, &f.manual) }},
	{"crosswalk", func(f *findingsFile) error { return f.readCrosswalk() }},
	{"names", func(f *findingsFile) error { return elements(f, &f.names) }},
	{"rules", func(f *findingsFile) error { return elements(f, &f.rules) }},
	{"redacted", func(f *findingsFile) error { return text(f, &f.redacted) }},
	{"read", func(f *findingsFile) error { return member(f, &f.times) }},
}

const requiredMembers = 10

func (f *findingsFile) read() error {
	f.seen = map[string]bool{}
	if kind := f.dec.PeekKind(); kind != '{' && kind != 0 {
		return &refusal{"this is no findings.json: expected a JSON object"}
	}
	if _, err := f.dec.ReadToken(); err != nil {
		return err
	}
	var failed error // the version is said first, wherever it stands
	for f.dec.PeekKind() == '"' {
		f.at = f.dec.InputOffset()
		tok, err := f.dec.ReadToken()
		if err != nil {
			return err
		}
		name := tok.String()
		at := f.at
		switch err := f.readMember(name, failed != nil); {
		case err == nil:
		case f.schema == FindingsSchema || f.dec.StackDepth() != 1:
			return err
		case failed == nil:
			failed, f.at = err, at
		}
		if name == "schema" {
			if err := f.checkSchema(); err != nil {
				return err
			}
		}
	}
	if failed != nil {
		return failed
	}
	if _, err := f.dec.ReadToken(); err != nil {
		return err
	}
	f.at = f.dec.InputOffset()
	if _, err := f.dec.ReadToken(); err != io.EOF {
		return cmp.Or(err, errors.New("something follows the end"))
	}
	for i, m := range members {
		if i < requiredMembers && !f.seen[m.name] {
			return &refusal{fmt.Sprintf("this is no whole findings.json: it has no %q: take the file as it was made, or run the audit again", m.name)}
		}
	}
	return nil
}

func (f *findingsFile) checkSchema() error {
	switch kind, _, _ := strings.Cut(FindingsSchema, "/"); {
	case f.schema == FindingsSchema:
		return nil
	case strings.HasPrefix(f.schema, kind+"/"):
		return &refusal{fmt.Sprintf("its schema is %q, and this version of aimcheck reads %q: use the version that wrote it", f.schema, FindingsSchema)}
	}
	return &refusal{fmt.Sprintf("its schema is %q, expected %q: give the findings.json of an audit", f.schema, FindingsSchema)}
}

// readMember reads the member's value, or steps over it. A value that is refused
// is still read to its end.
func (f *findingsFile) readMember(name string, skip bool) error {
	i := slices.IndexFunc(members, func(m struct {
		name string
		read func(*findingsFile) error
	}) bool {
		return m.name == name
	})
	if i < 0 || skip && name != "schema" {
		if err := f.dec.SkipValue(); err != nil || i >= 0 {
			return err
		}
		return fmt.Errorf("member %q: %w", name, json.ErrUnknownName)
	}
	f.seen[name] = true
	return members[i].read(f)
}

// value reads the next value whole.
func (f *findingsFile) value() (jsontext.Value, error) {
	v, err := f.dec.ReadValue()
	f.at = f.dec.InputOffset() - int64(len(v))
	return v, err
}

func text[T ~string | bool](f *findingsFile, into *T) error {
	v, err := f.value()
	if err != nil {
		return err
	}
	return json.Unmarshal(v, into)
}

func member[T any](f *findingsFile, into *T) error {
	v, err := f.value()
	if err != nil {
		return err
	}
	*into, err = unmarshal[T](v)
	return err
}

func elements[T any](f *findingsFile, into *[]T) error {
	*into = []T{}
	return each(f, func(element T) error {
		*into = append(*into, element)
		return nil
	})
}

func (f *findingsFile) readFindings() error {
	f.findings = audit.Findings{}
	return each(f, func(finding audit.Finding) error {
		f.findings.Add(&finding)
		return nil
	})
}

func (f *findingsFile) readCrosswalk() error {
	f.crosswalk = audit.Crosswalk{}
	return each(f, func(row audit.CrosswalkRow) error { return f.crosswalk.Add(&row) })
}

// each reads a list one element after another.
func each[T any](f *findingsFile, take func(T) error) error {
	f.at = f.dec.InputOffset()
	if f.dec.PeekKind() != '[' {
		if err := f.dec.SkipValue(); err != nil {
			return err
		}
		return errors.New("expected a list")
	}
	if _, err := f.dec.ReadToken(); err != nil {
		return err
	}
	for f.dec.PeekKind() != ']' {
		v, err := f.value()
		if err != nil {
			return err
		}
		element, err := unmarshal[T](v)
		if err != nil {
			return err
		}
		if err := take(element); err != nil {
			return err
		}
	}
	_, err := f.dec.ReadToken()
	return err
}

// report returns the report that the file was made from, if what it says agrees.
func (f *findingsFile) report(catalogue []*audit.Rule) (*audit.Report, error) {
	r := &audit.Report{
		Version: f.tool.Version, Head: f.snapshot.head(f.incomplete, f.times), Settings: f.settings, Verdict: f.verdict,
		Counts: map[audit.Severity]int{}, Now: f.impact.Now, After: f.impact.After, Skipped: f.skipped, Findings: f.findings,
		Rules: f.catalogue(catalogue), Waivers: f.waivers, Trend: f.trend, Resolved: f.resolved, Redacted: f.redacted,
	}
	for _, head := range f.findings.Heads() {
		if !head.Waived {
			r.Counts[head.Severity]++
		}
	}
	said := []int{f.counts.Blocker, f.counts.Error, f.counts.Warning, f.counts.Info}
	for i, severity := range audit.Severities() {
		if n := r.Counts[severity]; n != said[i] {
			return nil, fmt.Errorf("it counts %d findings of severity %s, and has %d", said[i], severity, n)
		}
	}
	if is := verdictOf(r); is != f.verdict {
		return nil, fmt.Errorf("its verdict is %q, and what it says makes %q", f.verdict, is)
	}
	if f.snapshot.Okta.Complete != r.Head.Complete(true) || f.snapshot.Databricks.Complete != r.Head.Complete(false) {
		return nil, errors.New("what it says of completeness is not what it says of its inputs")
	}
	if f.seen["operations"] != f.seen["manual"] || f.seen["crosswalk"] != f.seen["names"] {
		return nil, errors.New("a part of the plan or of the crosswalk is missing")
	}
	if f.seen["operations"] {
		r.Plan = &audit.Plan{Schema: audit.PlanSchema, Snapshot: r.Head.Digest, OktaOrg: r.Head.Okta.Tenant,
			Databricks: r.Head.Databricks.Tenant, Operations: f.operations, Manual: audit.NewManuals(f.manual...)}
		for _, c := range audit.Classes() {
			if slices.Contains(f.settings.Include, string(c)) {
				r.Plan.Include = append(r.Plan.Include, c)
			}
		}
	}
	if f.seen["crosswalk"] {
		if err := r.Keep(&f.crosswalk, f.names); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func verdictOf(r *audit.Report) audit.Verdict {
	switch {
	case len(r.Head.Incomplete) > 0:
		return audit.Incomplete
	case r.Counts[audit.Blocker] > 0:
		return audit.NotReady
	}
	return audit.Ready
}

// catalogue returns the rules that were asked, each as it is known here, else as
// the file has it. An older file does not list them.
func (f *findingsFile) catalogue(known []*audit.Rule) []*audit.Rule {
	var rules []*audit.Rule
	listed := map[string]bool{}
	add := func(head ruleHead) {
		if listed[head.Rule] {
			return
		}
		listed[head.Rule] = true
		i := slices.IndexFunc(known, func(r *audit.Rule) bool { return r.Name == head.Rule })
		if i >= 0 {
			rules = append(rules, known[i])
			return
		}
		rules = append(rules, &audit.Rule{Name: head.Rule, Family: head.Family, Severity: head.Severity, Doc: head.Title})
	}
	if !f.seen["rules"] {
		for _, r := range known {
			add(headOfRule(r))
		}
	}
	for _, head := range f.rules {
		add(head)
	}
	for _, head := range f.findings.Heads() {
		add(ruleHead{Rule: head.Rule, Severity: head.Severity, Title: "a rule that this version of aimcheck does not know"})
	}
	return rules
}
