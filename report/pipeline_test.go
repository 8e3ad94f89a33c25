package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// pipelineReports are what the machines' formats are tried on.
func pipelineReports(t testing.TB) map[string]*audit.Report {
	reports := map[string]*audit.Report{"sample": sample(t), "incomplete": incomplete(t), "nightly": nightly(t)}
	for seed := range 20 {
		reports[fmt.Sprintf("drawn %d", seed)] = rapid.Custom(drawReport).Example(seed)
	}
	return reports
}

func published(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/published/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// SARIF is what OASIS published.
func TestSARIF(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published(t, "sarif-2.1.0.json")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range pipelineReports(t) {
		text := write(t, File{Write: sarifJSON}, r)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		run := value.(map[string]any)["runs"].([]any)[0].(map[string]any)
		if n := len(run["results"].([]any)); n != r.Findings.Len() {
			t.Errorf("%s: %d results of %d findings", name, n, r.Findings.Len())
		}
		if ok := run["invocations"].([]any)[0].(map[string]any)["executionSuccessful"]; ok != (r.Verdict != audit.Incomplete) {
			t.Errorf("%s: successful: %v, verdict %s", name, ok, r.Verdict)
		}
		delete(run, "tool")
		if schema.Validate(value) == nil {
			t.Errorf("%s: a run without a tool is accepted", name)
		}
	}
}

func TestSARIFText(t *testing.T) {
	for in, want := range map[string]string{`a\b`: `a\b`, "[x](http://e)": `\[x\](http://e)`, `[\`: `\[\\`, "{0}": "{{0}}"} {
		if got := sarifText(in); got != want {
			t.Errorf("sarifText(%q) = %q, want %q", in, got, want)
		}
	}
}

// The test suite has a case for every input and rule, and counts what is in it.
func TestJUnit(t *testing.T) {
	for name, r := range pipelineReports(t) {
		text := write(t, File{Write: junitXML}, r)
		var got junitSuites
		dec := xml.NewDecoder(bytes.NewReader(text))
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) && err != nil {
			t.Errorf("%s: %v after the end", name, err)
		}
		grave, failures := 0, 0
		for _, f := range r.Findings.All() {
			if !f.Waived && f.Severity >= audit.Error {
				grave++
			}
		}
		var tests, failed, errs, skipped int
		cases := map[string]bool{}
		for _, c := range got.Suite.Cases {
			tests++
			failures += len(c.Failures)
			if len(c.Failures) > 0 {
				failed++
			}
			if c.Error != nil {
				errs++
			}
			if c.Skipped != nil {
				skipped++
			}
			if cases[c.Name] {
				t.Errorf("%s: two cases %q", name, c.Name)
			}
			cases[c.Name] = true
		}
		if failures != grave || errs != len(r.Head.Incomplete) || errs != got.Errors || failed != got.Failures || skipped != got.Skipped || tests != got.Tests {
			t.Errorf("%s: %d failures of %d grave findings, %d errors, %d skipped; counted %+v", name, failures, grave, errs, skipped, got.Suite)
		}
		for _, rule := range r.Rules {
			if !cases[rule.Name] {
				t.Errorf("%s: no case for %s", name, rule.Name)
			}
		}
	}
}

// The collector takes the text, and nothing in it is against Prometheus' ways.
func TestPrometheus(t *testing.T) {
	for name, r := range pipelineReports(t) {
		text := write(t, File{Write: prometheusText}, r)
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		problems, err := promlint.New(bytes.NewReader(text)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v %v", name, problems, err)
		}
		counts := map[string]float64{}
		for _, m := range families["aimcheck_findings"].GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "severity" {
					counts[l.GetValue()] += m.GetGauge().GetValue()
				}
			}
		}
		for _, s := range audit.Severities() {
			want := 0
			for _, f := range r.Findings.All() {
				if f.Severity == s && !f.Waived {
					want++
				}
			}
			if counts[s.String()] != float64(want) {
				t.Errorf("%s: %v findings of severity %s, want %d", name, counts[s.String()], s, want)
			}
		}
		for _, m := range families["aimcheck_verdict"].GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "verdict" && (l.GetValue() == string(r.Verdict)) != (m.GetGauge().GetValue() == 1) {
					t.Errorf("%s: verdict %s is %v", name, l.GetValue(), m.GetGauge().GetValue())
				}
			}
		}
	}
}

// An ocsf is the part of the published schema that events use.
type ocsf struct {
	Version    string
	Category   map[string]int
	Classes    map[string]ocsfType
	Objects    map[string]ocsfType
	Dictionary map[string]ocsfAttribute
	Types      map[string]struct {
		Type  string
		Regex string
	}
}

type ocsfType struct {
	Name, Extends string
	UID           int
	Attributes    map[string]ocsfAttribute
	Constraints   map[string][]string
}

type ocsfAttribute struct {
	Type        string
	IsArray     bool `json:"is_array"`
	Requirement string
	Enum        map[string]string
	Deprecated  string
}

// attributes returns what the type has, with what it inherits and what the
// dictionary says.
func (o *ocsf) attributes(types map[string]ocsfType, name string) (map[string]ocsfAttribute, []ocsfType) {
	all := map[string]ocsfAttribute{}
	var line []ocsfType
	for name != "" {
		line = append(line, types[name])
		name = types[name].Extends
	}
	for _, t := range slices.Backward(line) {
		for k, a := range t.Attributes {
			have, known := all[k]
			if !known {
				have = o.Dictionary[k]
			}
			if have.Requirement = a.Requirement; a.Requirement == "" {
				have.Requirement = all[k].Requirement
			}
			if a.Type != "" {
				have.Type = a.Type
			}
			if a.Deprecated != "" {
				have.Deprecated = a.Deprecated
			}
			if a.Enum != nil {
				enum := map[string]string{}
				for n, c := range have.Enum {
					enum[n] = c
				}
				for n, c := range a.Enum {
					enum[n] = c
				}
				have.Enum = enum
			}
			all[k] = have
		}
	}
	return all, line
}

// check reports every way in which the value is not what the schema has.
func (o *ocsf) check(types map[string]ocsfType, name, at string, value map[string]any, bad func(string, ...any)) {
	attributes, line := o.attributes(types, name)
	for k, a := range attributes {
		if _, ok := value[k]; !ok && a.Requirement == "required" {
			bad("%s: %s is required", at, k)
		}
	}
	for _, t := range line {
		if either := t.Constraints["at_least_one"]; either != nil && !slices.ContainsFunc(either, func(k string) bool { _, ok := value[k]; return ok }) {
			bad("%s: one of %v is required", at, either)
		}
	}
	for k, v := range value {
		a, known := attributes[k]
		if !known || a.Type == "" {
			bad("%s: %s has no attribute %s", at, name, k)
			continue
		}
		if a.Deprecated != "" {
			bad("%s: %s is deprecated since %s", at, k, a.Deprecated)
		}
		list := []any{v}
		if a.IsArray {
			var ok bool
			if list, ok = v.([]any); !ok {
				bad("%s: %s must be a list", at, k)
			}
		}
		for i, v := range list {
			o.checkValue(a, fmt.Sprintf("%s.%s[%d]", at, k, i), v, bad)
		}
		// A caption stands beside its number and says the same.
		if caption, ok := value[strings.TrimSuffix(k, "_id")]; ok && strings.HasSuffix(k, "_id") && a.Enum != nil {
			if want := a.Enum[fmt.Sprint(v)]; want != caption {
				bad("%s: %s %v is %q, not %q", at, k, v, want, caption)
			}
		}
	}
}

func (o *ocsf) checkValue(a ocsfAttribute, at string, v any, bad func(string, ...any)) {
	if _, ok := o.Objects[a.Type]; ok && a.Type != "object" {
		m, ok := v.(map[string]any)
		if !ok {
			bad("%s must be an object", at)
			return
		}
		o.check(o.Objects, a.Type, at, m, bad)
		return
	}
	base := a.Type
	for o.Types[base].Type != "" {
		base = o.Types[base].Type
	}
	ok := false
	switch base {
	case "string_t":
		_, ok = v.(string)
	case "integer_t", "long_t":
		var n json.Number
		if n, ok = v.(json.Number); ok {
			i, err := n.Int64()
			ok = err == nil && (base == "long_t" || i <= math.MaxInt32)
			if a.Enum != nil && a.Enum[strconv.FormatInt(i, 10)] == "" {
				bad("%s: %d is none of %v", at, i, a.Enum)
			}
		}
	case "json_t", "object":
		ok = true
	}
	if !ok {
		bad("%s: %v is no %s", at, v, a.Type)
	}
}

// Events are what OCSF published.
func TestOCSF(t *testing.T) {
	var schema ocsf
	if err := json.Unmarshal(published(t, "ocsf-1.8.0.json"), &schema); err != nil {
		t.Fatal(err)
	}
	class := schema.Classes["compliance_finding"]
	if schema.Version != ocsfVersion || class.UID == 0 {
		t.Fatalf("the extract is of version %q and has class %+v", schema.Version, class)
	}
	check := func(text []byte, bad func(string, ...any)) map[string]any {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var e map[string]any
		if err := dec.Decode(&e); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		schema.check(schema.Classes, "compliance_finding", "event", e, func(format string, args ...any) {
			if at, _ := args[0].(string); at != "event.class_uid[0]" && at != "event.category_uid[0]" { // set by the class, see below
				bad(format, args...)
			}
		})
		number := func(k string) int {
			n, _ := strconv.Atoi(fmt.Sprint(e[k]))
			return n
		}
		if uid := schema.Category["findings"]*1000 + class.UID; number("class_uid") != uid || number("category_uid") != schema.Category["findings"] || number("type_uid") != uid*100+number("activity_id") {
			bad("class %v, type %v, activity %v", e["class_uid"], e["type_uid"], e["activity_id"])
		}
		return e
	}
	for name, r := range pipelineReports(t) {
		text := write(t, File{Write: ocsfLines}, r)
		lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
		if len(text) == 0 {
			lines = nil
		}
		if len(lines) != r.Findings.Len()+len(r.Resolved)+len(r.Head.Incomplete) {
			t.Errorf("%s: %d lines for %d findings", name, len(lines), r.Findings.Len())
		}
		uids := map[any]bool{}
		for _, line := range lines {
			e := check(line, func(format string, args ...any) { t.Errorf(name+": "+format, args...) })
			uid := e["metadata"].(map[string]any)["uid"]
			if uids[uid] {
				t.Errorf("%s: two events %v", name, uid)
			}
			uids[uid] = true
		}
	}
	// The check itself is worth something.
	good := string(bytes.SplitAfter(write(t, File{Write: ocsfLines}, sample(t)), []byte("\n"))[0])
	for old, new := range map[string]string{
		`"activity_id":1`: `"activity_id":7`, `"severity_id":5`: `"severity_id":"5"`, `"severity":"Critical"`: `"severity":"critical"`,
		`"time":`: `"tame":`, `"uid":"shared-email-8e7b6dff60be",`: ``, `"resources":[`: `"resources":7,"observables":[`, `"type_id":1`: `"type_id":77`,
	} {
		changed := strings.Replace(good, old, new, 1)
		complaints := 0
		if changed == good {
			t.Errorf("the event has no %s", old)
			continue
		}
		if check([]byte(changed), func(string, ...any) { complaints++ }); complaints == 0 {
			t.Errorf("%s is accepted for %s", new, old)
		}
	}
}
