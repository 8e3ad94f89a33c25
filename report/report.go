// Package report shows an audit: one file per format, each a pure function from
// an [audit.Report] to a writer. The same report gives the same bytes.
//
// Texts that a directory holds are shown as text, wherever they are written:
// no cell starts a formula, no name is markup, and nothing that is printed
// moves the cursor or turns the direction of writing.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A File is one file of the report's folder.
type File struct {
	Name   string // without a folder
	Format string // that it belongs to; blank: always written
	Write  func(io.Writer, *audit.Report) error

	whole bool // it shows the plan or the crosswalk
}

// Lacks reports whether r does not hold all that the file shows: r was read from
// a findings.json of a version that did not write the plan and the crosswalk, or
// is redacted, so that there is no plan to apply.
func (f File) Lacks(r *audit.Report) bool {
	return f.whole && (r.Plan == nil || !r.HasCrosswalk()) || f.Name == planFile && r.Redacted
}

const planFile = "plan.json"

// files lists every file: those that are always written first, which are the
// findings and the plan as JSON, and what a person sends to others.
func files() []File {
	return []File{
		{Name: "findings.json", Write: findingsJSON},
		{Name: planFile, Write: planJSON, whole: true},
		{Name: "summary.md", Write: summaryMarkdown},
		{Name: "support-ticket.md", Write: supportTicket},
		{Name: "okta-changes.csv", Write: csvOf(oktaChanges), whole: true},
		{Name: "findings.csv", Write: csvOf(findingsTable), Format: "csv"},
		{Name: "subjects.csv", Write: csvOf(subjectsTable), Format: "csv"},
		{Name: "crosswalk.csv", Write: crosswalkCSV, Format: "csv", whole: true},
		{Name: "plan.csv", Write: csvOf(planTable), Format: "csv", whole: true},
		{Name: "group-members.csv", Write: csvOf(groupMembers), Format: "csv"},
		{Name: "junit.xml", Write: junitXML, Format: "junit"},
		{Name: "findings.sarif", Write: sarifJSON, Format: "sarif"},
		{Name: "findings.ocsf.jsonl", Write: ocsfLines, Format: "ocsf"},
		{Name: "aimcheck.prom", Write: prometheusText, Format: "prometheus"},
		{Name: "report.xlsx", Write: workbookXLSX, Format: "xlsx", whole: true},
		{Name: "report.html", Write: pageHTML, Format: "html", whole: true},
	}
}

// DefaultFormats lists the formats that an audit writes where none is named.
func DefaultFormats() []string { return []string{"csv", "xlsx", "html", "json"} }

// Formats lists the formats that [Files] knows. Those of json and markdown are
// always written.
func Formats() []string {
	return append(DefaultFormats(), "markdown", "junit", "sarif", "ocsf", "prometheus")
}

// Files returns the files of the formats, after those that are always written.
// The order of formats does not matter; one that is not known is an error.
func Files(formats []string) ([]File, error) {
	for _, f := range formats {
		if !slices.Contains(Formats(), f) {
			return nil, fmt.Errorf("unknown format %q: expected any of %s", f, strings.Join(Formats(), ", "))
		}
	}
	return slices.DeleteFunc(files(), func(f File) bool { return f.Format != "" && !slices.Contains(formats, f.Format) }), nil
}
