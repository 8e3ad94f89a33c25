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
	array(o, "findings", findings(r), "\n")
	if r.Plan != nil {
		list(o, "operations", slices.Values(r.Plan.Operations))
		array(o, "manual", r.Plan.Manual.All(), "\n")
	}
	if r.HasCrosswalk() {
		list(o, "crosswalk", r.Crosswalk())
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
	array(o, "manual", p.Manual.All(), "\n")
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
	line := o.line[:0]
	if byHand, ok := v.(interface{ AppendJSON([]byte) []byte }); ok {
		line = byHand.AppendJSON(line)
	} else {
		if line, o.err = json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true)); o.err != nil {
			return
		}
	}
	o.line = line
	if o.exact && bytes.HasSuffix(line, []byte("}")) && bytes.Contains(line, []byte("\uFFFD")) {
		line, o.err = withOdd(line, v)
	}
	o.w.Write(line)
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

func findings(r *audit.Report) iter.Seq[*audit.Finding] {
	return func(yield func(*audit.Finding) bool) {
		for _, f := range r.Findings.All() {
			if !yield(f) {
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
