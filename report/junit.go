package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// junitXML writes a test suite for a pipeline: a case for each input, which is
// an error where it was not read to its end, and one for each rule, which fails
// for every finding of severity error or graver and is skipped where the rule was
// not run. Milder findings and waived ones are told in a case's output.
func junitXML(w io.Writer, r *audit.Report) error {
	suite := junitSuite{Name: "aimcheck", Time: "0", Timestamp: junitTime(finished(r.Head)), Properties: []junitProperty{
		{"aimcheck.version", r.Version}, {"verdict", string(r.Verdict)}, {"okta.org", visible(r.Head.Okta.Tenant)},
		{"databricks.account", visible(r.Head.Databricks.Tenant)}, {"snapshot", r.Head.Digest},
	}}
	suite.Cases = append(inputCases(r), ruleCases(r)...)
	for i := range suite.Cases {
		c := &suite.Cases[i]
		suite.Tests++
		switch {
		case c.Error != nil:
			suite.Errors++
		case len(c.Failures) > 0:
			suite.Failures++
		case c.Skipped != nil:
			suite.Skipped++
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(junitSuites{Name: "aimcheck", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors,
		Skipped: suite.Skipped, Time: "0", Suite: suite}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class    string         `xml:"classname,attr"`
	Name     string         `xml:"name,attr"`
	Time     string         `xml:"time,attr"`
	Skipped  *junitResult   `xml:"skipped"`
	Error    *junitResult   `xml:"error"`
	Failures []*junitResult `xml:"failure"`
	Output   string         `xml:"system-out,omitempty"`
}

type junitResult struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// inputCases has a case for each input that was asked for.
func inputCases(r *audit.Report) (cases []junitCase) {
	errors := map[audit.Input]*junitResult{}
	for _, in := range r.Head.Incomplete {
		errors[in.Input] = &junitResult{Message: visible(howFar(in)), Type: "incomplete"}
	}
	add := func(in audit.Input) {
		cases = append(cases, junitCase{Class: "aimcheck.inputs", Name: in.String(), Time: "0", Error: errors[in]})
		delete(errors, in)
	}
	for _, in := range r.Head.Readings {
		add(in.Input)
	}
	for _, in := range r.Head.Incomplete { // an older file lists no readings
		if errors[in.Input] != nil {
			add(in.Input)
		}
	}
	return cases
}

// ruleCases has a case for each rule, and one for each part that was not run.
func ruleCases(r *audit.Report) []junitCase {
	cases := make([]junitCase, len(r.Rules))
	at := map[string]*junitCase{}
	for i, rule := range r.Rules {
		class := "aimcheck.rules"
		if rule.Family != "" {
			class = "aimcheck." + string(rule.Family)
		}
		cases[i] = junitCase{Class: class, Name: rule.Name, Time: "0"}
		at[rule.Name] = &cases[i]
	}
	mild := map[string][]string{}
	for _, f := range r.Findings.All() {
		c := at[f.Rule]
		text := fmt.Sprintf("%s %s: %s", f.Severity, f.ID, visible(said(f)))
		switch {
		case c == nil: // no rule is missing from a report
		case f.Waived || f.Severity < audit.Error:
			mild[f.Rule] = append(mild[f.Rule], text)
		default:
			c.Failures = append(c.Failures, &junitResult{Message: visible(f.Message), Type: f.Severity.String(), Text: text + "\n" + joined(f.Subjects)})
		}
	}
	for rule, lines := range mild {
		at[rule].Output = strings.Join(lines, "\n")
	}
	var parts []junitCase
	for _, skip := range r.Skipped {
		why := &junitResult{Message: visible(skip.Reason)}
		c := at[skip.Rule]
		if skip.About == "" && c != nil && len(c.Failures) == 0 {
			c.Skipped = why
			continue
		}
		part := junitCase{Class: "aimcheck.rules", Name: skip.Rule, Time: "0", Skipped: why}
		if c != nil {
			part.Class = c.Class
		}
		if skip.About != "" {
			part.Name += ": " + skip.About
		}
		parts = append(parts, part)
	}
	return append(cases, parts...)
}

// finished returns when the later of the directories was read.
func finished(h audit.Head) time.Time {
	if h.Databricks.Finished.After(h.Okta.Finished) {
		return h.Databricks.Finished
	}
	return h.Okta.Finished
}

func junitTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}
