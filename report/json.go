package report

import (
	"bufio"
	"io"
	"iter"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
)

// FindingsSchema is the version of findings.json.
const FindingsSchema = "aimcheck.findings/v1"

// findingsJSON writes the whole truth: every other format shows a part of it.
// There is one finding a line, so that two files can be compared line by line.
func findingsJSON(w io.Writer, r *audit.Report) error {
	s := r.Snapshot
	incomplete := []unread{}
	complete := map[bool]bool{true: true, false: true} // by whether it is Okta's
	for _, in := range s.Incomplete() {
		incomplete = append(incomplete, unread{in.Input, in.Expected, in.Received, in.Reason})
		complete[in.Input.Okta()] = false
	}
	o := newObject(w)
	o.member("schema", FindingsSchema)
	o.member("tool", map[string]string{"version": r.Version})
	o.member("snapshot", snapshotHead{
		Digest: s.Digest,
		Okta: oktaHead{Org: s.Okta.Tenant, Complete: complete[true], Files: s.Okta.Files,
			Users: s.OktaUsers.Len(), Groups: s.OktaGroups.Len(), Notes: s.Okta.Notes},
		Databricks: databricksHead{Account: s.Databricks.Tenant, Complete: complete[false], Files: s.Databricks.Files,
			Users: s.DatabricksUsers.Len(), Groups: s.DatabricksGroups.Len(),
			ServicePrincipals: s.DatabricksServicePrincipals.Len(), Notes: s.Databricks.Notes},
		Undecoded: len(s.Undecoded),
	})
	o.member("incomplete", incomplete)
	o.member("settings", r.Settings)
	o.member("verdict", r.Verdict)
	o.member("counts", severityCounts{r.Counts[audit.Blocker], r.Counts[audit.Error], r.Counts[audit.Warning], r.Counts[audit.Info]})
	o.member("impact", map[string]audit.Impact{"now": withZeros(r.Now), "after_plan": withZeros(r.After)})
	o.member("skipped_rules", r.Skipped)
	if r.Waivers != nil {
		o.member("waivers", r.Waivers)
	}
	if r.Trend != nil {
		o.member("trend", r.Trend)
	}
	if r.Resolved != nil {
		o.member("resolved", r.Resolved)
	}
	list(o, "findings", slices.Values(r.Findings))
	return o.close()
}

// planJSON writes the plan, one operation a line.
func planJSON(w io.Writer, r *audit.Report) error {
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
	list(o, "manual", slices.Values(p.Manual))
	return o.close()
}

type snapshotHead struct {
	Digest     string         `json:"digest"`
	Okta       oktaHead       `json:"okta"`
	Databricks databricksHead `json:"databricks"`
	Undecoded  int            `json:"undecoded"`
}

type oktaHead struct {
	Org      string   `json:"org"`
	Complete bool     `json:"complete"`
	Files    bool     `json:"files,omitzero"` // imported: completeness is the giver's word
	Users    int      `json:"users"`
	Groups   int      `json:"groups"`
	Notes    []string `json:"notes,omitempty"`
}

type databricksHead struct {
	Account           string   `json:"account"`
	Complete          bool     `json:"complete"`
	Files             bool     `json:"files,omitzero"`
	Users             int      `json:"users"`
	Groups            int      `json:"groups"`
	ServicePrincipals int      `json:"service_principals"`
	Notes             []string `json:"notes,omitempty"`
}

// unread is an input that was not read to its end.
type unread struct {
	Input    audit.Input `json:"input"`
	Expected int         `json:"expected"`
	Received int         `json:"received"`
	Reason   string      `json:"reason"`
}

type severityCounts struct {
	Blocker int `json:"blocker"`
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
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
	if o.err == nil {
		o.err = json.MarshalWrite(o.w, v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	}
}

func (o *object) close() error {
	o.w.WriteString("\n}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

// list writes a member that is an array, one element a line.
func list[T any](o *object, name string, values iter.Seq[T]) {
	o.open(name)
	comma := "[\n"
	for v := range values {
		o.w.WriteString(comma)
		o.value(v)
		if o.err != nil {
			return
		}
		comma = ",\n"
	}
	if comma == "[\n" {
		o.w.WriteString("[")
	}
	o.w.WriteString("]")
}
