package report

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
)

// FindingsSchema is the version of findings.json.
const FindingsSchema = "aimcheck.findings/v1"

// findingsJSON writes the whole truth: every other format shows a part of it,
// and [ReadFindings] makes the report of it again. There is one finding a line,
// so that two files can be compared line by line; so it is with what follows.
func findingsJSON(w io.Writer, r *audit.Report) error {
	o := newObject(w)
	o.exact = true
	o.member("schema", FindingsSchema)
	o.member("tool", toolHead{r.Version})
	o.member("snapshot", headOf(r.Head))
	inline(o, "incomplete", unreadOf(r.Head.Incomplete))
	o.member("settings", r.Settings)
	o.member("verdict", r.Verdict)
	o.member("counts", severityCounts{r.Counts[audit.Blocker], r.Counts[audit.Error], r.Counts[audit.Warning], r.Counts[audit.Info]})
	o.member("impact", impacts{Now: withZeros(r.Now), After: withZeros(r.After)})
	inline(o, "skipped_rules", slices.Values(r.Skipped))
	if r.Waivers != nil {
		inline(o, "waivers", slices.Values(r.Waivers))
	}
	if r.Trend != nil {
		inline(o, "trend", slices.Values(r.Trend))
	}
	if r.Resolved != nil {
		inline(o, "resolved", slices.Values(r.Resolved))
	}
	long(o, "findings", r.Findings.List())
	if r.Plan != nil {
		list(o, "operations", slices.Values(r.Plan.Operations))
		long(o, "manual", r.Plan.Manual.List())
	}
	if r.HasCrosswalk() {
		long(o, "crosswalk", r.CrosswalkList())
		list(o, "names", r.OtherNames())
	}
	list(o, "rules", ruleHeads(r.Rules))
	if r.Redacted {
		o.member("redacted", true)
	}
	if t := timesOf(r.Head); t.known() {
		o.member("read", t)
	}
	return o.close()
}

// planJSON writes the plan, one operation a line.
func planJSON(w io.Writer, r *audit.Report) error {
	if r.Redacted {
		return errors.New("a redacted plan can't be applied, and is not written")
	}
	p := planOf(r)
	o := newObject(w)
	o.member("schema", p.Schema)
	o.member("created", p.Created)
	o.member("expires", p.Expires)
	o.member("snapshot", p.Snapshot)
	o.member("okta_org", p.OktaOrg)
	o.member("databricks_account", p.Databricks)
	o.member("digest", p.Digest)
	if len(p.Include) > 0 {
		o.member("include", p.Include)
	}
	list(o, "operations", slices.Values(p.Operations))
	long(o, "manual", p.Manual.List())
	return o.close()
}

// withZeros returns the impact with every outcome counted. An impact that was
// not simulated stays empty: nothing is known of it.
func withZeros(i audit.Impact) audit.Impact {
	fill := func(counts map[audit.Outcome]int) map[audit.Outcome]int {
		if len(counts) == 0 {
			return nil
		}
		all := map[audit.Outcome]int{}
		for _, o := range audit.Outcomes() {
			all[o] = counts[o]
		}
		return all
	}
	return audit.Impact{Users: fill(i.Users), Groups: fill(i.Groups)}
}

// An object writes one JSON object as a stream. The first error stays.
type object struct {
	w     *bufio.Writer
	comma string // what stands before the next member
	exact bool   // objects tell what JSON can't hold, see [odd]
	line  []byte // the value under way
	err   error
}

func newObject(w io.Writer) *object {
	return &object{w: bufio.NewWriterSize(w, 64<<10), comma: "{\n"}
}

// member writes one member. Names need no escaping.
func (o *object) member(name string, value any) {
	o.open(name)
	o.value(value)
}

func (o *object) open(name string) {
	o.w.WriteString(o.comma + `"` + name + `": `)
	o.comma = ",\n"
}

// value writes v in the same bytes each time. What is no UTF-8 becomes U+FFFD:
// JSON can't hold it.
func (o *object) value(v any) {
	if o.err != nil {
		return
	}
	if o.line, o.err = o.appendValue(o.line[:0], v); o.err == nil {
		o.w.Write(o.line)
	}
}

func (o *object) appendValue(text []byte, v any) ([]byte, error) {
	start := len(text)
	if byHand, ok := v.(interface{ AppendJSON([]byte) []byte }); ok {
		text = byHand.AppendJSON(text)
	} else {
		made, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return nil, err
		}
		text = append(text, made...)
	}
	line := text[start:]
	if !o.exact || !bytes.HasSuffix(line, []byte("}")) || !bytes.Contains(line, []byte("\uFFFD")) {
		return text, nil
	}
	line, err := withOdd(line, v)
	return append(text[:start], line...), err
}

func (o *object) close() error {
	o.w.WriteString("\n}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

// list writes a member that is an array, one element a line.
func list[T any](o *object, name string, values iter.Seq[T]) { array(o, name, pointed(values), "\n") }

// inline writes a member that is an array on one line.
func inline[T any](o *object, name string, values iter.Seq[T]) { array(o, name, pointed(values), "") }

// pointed yields where the values are, each in the place of the one before.
func pointed[T any](values iter.Seq[T]) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		var v T
		for v = range values {
			if !yield(&v) {
				return
			}
		}
	}
}

func array[T any](o *object, name string, values iter.Seq[*T], lineEnd string) {
	o.open(name)
	comma := "[" + lineEnd
	for v := range values {
		o.w.WriteString(comma)
		o.value(v)
		if o.err != nil {
			return
		}
		comma = "," + lineEnd
	}
	if comma == "["+lineEnd {
		o.w.WriteString("[")
	}
	o.w.WriteString("]")
}

// long writes a member that is an array of many elements, one a line. Some are made
// side by side.
func long[T any](o *object, name string, values audit.List[T]) {
	o.open(name)
	o.w.WriteString("[")
	if o.err != nil {
		return
	}
	o.err = writeParts(&lines{w: o.w}, values, func(text []byte, part iter.Seq[T]) (_ []byte, err error) {
		for v := range part {
			if len(text) > 0 {
				text = append(text, ",\n"...)
			}
			if text, err = o.appendValue(text, v); err != nil {
				break
			}
		}
		return text, err
	})
	o.w.WriteString("]")
}

// lines writes texts one a line, with a comma between them. A blank one is none.
type lines struct {
	w     *bufio.Writer
	begun bool
}

func (l *lines) Write(text []byte) (int, error) {
	if len(text) == 0 {
		return 0, nil
	}
	between := "\n"
	if l.begun {
		between = ",\n"
	}
	l.begun = true
	l.w.WriteString(between)
	return l.w.Write(text)
}
