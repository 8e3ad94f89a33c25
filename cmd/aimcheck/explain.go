package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/report"
)

// checkExplain refuses flags of reports, of which an explanation writes none.
func checkExplain(cmd *cobra.Command) error {
	for _, name := range []string{"out", "format", "fail-on", "redact", "dated", "keep", "history", "notify"} {
		if cmd.Flags().Changed(name) {
			return usagef("--explain tells about one identity and writes no reports: leave out --%s", name)
		}
	}
	return nil
}

// explain prints the stories of what the user asked for, one JSON object each
// with --output json.
func (e *env) explain(r *audit.Report, what string, format outputFormat) error {
	unread := e.incomplete(r.Head.Incomplete)
	stories, err := stories(r, what)
	if err != nil {
		if unread != nil { // what is asked for may be in what was not read
			return &exitError{exitIncomplete, err}
		}
		return usageError(err)
	}
	for i, s := range stories {
		if format.json() {
			err = report.ExplainJSON(e.stdout, s)
		} else {
			if i > 0 {
				fmt.Fprintln(e.stdout)
			}
			err = report.Explain(e.stdout, s, report.Terminal{Width: e.outWidth, Color: e.color()})
		}
		if err != nil {
			return fileError("write to", "standard output", err)
		}
	}
	return unread
}

// stories returns the story of the subject, or of every object that has the name.
// An Okta object is told of within the story of what is tied to it, if there is one.
func stories(r *audit.Report, what string) ([]*audit.Story, error) {
	const most = 5
	s, err := audit.ParseSubject(what)
	subjects := []audit.Subject{s}
	if err != nil {
		subjects = r.Find(what)
	}
	var told []*audit.Story
	within := map[audit.Subject]bool{}
	for _, s := range subjects {
		if within[s] {
			continue
		}
		if len(told) == most {
			return nil, fmt.Errorf("--explain %q: %d objects have this name or id: name one of them, such as %s", what, len(subjects), first(subjects, most))
		}
		story, err := r.Explain(s)
		if err != nil {
			subjects = nil
			break
		}
		for _, m := range story.Matches {
			within[m.Subject] = within[m.Subject] || m.Tied()
		}
		told = append(told, story)
	}
	if len(subjects) == 0 {
		return nil, unknownObject(what, r.Names())
	}
	return told, nil
}

func first(subjects []audit.Subject, n int) string {
	var texts []string
	for _, s := range subjects[:min(n, len(subjects))] {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, ", ")
}

// unknownObject names the three objects that were most probably meant.
func unknownObject(what string, known []string) error {
	var near []string
	for len(near) < 3 {
		name := config.Nearest(what, known)
		if name == "" {
			break
		}
		near = append(near, fmt.Sprintf("%q", name))
		known = slices.DeleteFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	}
	if len(near) == 0 {
		return fmt.Errorf("--explain: nothing is called %q: expected a subject, such as databricks:user:123, or a name that one of the directories knows", what)
	}
	return fmt.Errorf("--explain: nothing is called %q: did you mean %s?", what, strings.Join(near, ", or "))
}
