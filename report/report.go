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
	Name  string // without a folder
	Write func(io.Writer, *audit.Report) error
}

// Formats lists the formats that [Files] knows.
func Formats() []string { return []string{"csv", "xlsx", "json"} }

// Files returns the files of the formats, after those that are always written:
// the findings and the plan as JSON, and what a person sends to others. The
// order of formats does not matter; one that is not known is an error.
func Files(formats []string) ([]File, error) {
	for _, f := range formats {
		if !slices.Contains(Formats(), f) {
			return nil, fmt.Errorf("unknown format %q: expected any of %s", f, strings.Join(Formats(), ", "))
		}
	}
	files := []File{
		{"findings.json", findingsJSON},
		{"plan.json", planJSON},
		{"summary.md", summaryMarkdown},
		{"support-ticket.md", supportTicket},
		{"okta-changes.csv", csvOf(oktaChanges)},
	}
	if slices.Contains(formats, "csv") {
		files = append(files,
			File{"findings.csv", csvOf(findingsTable)},
			File{"subjects.csv", csvOf(subjectsTable)},
			File{"crosswalk.csv", csvOf(crosswalkTable)},
			File{"plan.csv", csvOf(planTable)},
			File{"group-members.csv", csvOf(groupMembers)})
	}
	if slices.Contains(formats, "xlsx") {
		files = append(files, File{"report.xlsx", workbookXLSX})
	}
	return files, nil
}
