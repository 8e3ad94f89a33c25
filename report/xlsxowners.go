package report

import (
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// The people who have something to do, and the sheets of what that is.
const (
	databricksAdmin = "Databricks admin"
	oktaAdmin       = "Okta admin"
	support         = "Support"
	groupOwners     = "Group owners"
)

// owner returns who acts on a finding.
func owner(f audit.FindingHead, family audit.Family) string {
	switch {
	case f.Waived:
		return "nobody: waived"
	case f.Remedy == audit.RemedyAutomatic:
		return "the plan"
	case f.Remedy == audit.RemedyOkta:
		return oktaAdmin
	case f.Remedy == audit.RemedySupport:
		return support
	case f.Remedy == audit.RemedyReview && family == audit.GroupsFamily:
		return groupOwners
	}
	return databricksAdmin
}

// ownerTabs returns what each of them has to do.
func (b *workbook) ownerTabs(r *audit.Report) []sheet {
	return []sheet{b.databricksTab(r), b.oktaTab(r), b.supportTab(r), b.groupsTab(r)}
}

// A todo is the finding that a row asks to see to.
type todo struct {
	*audit.Finding
	i int // in the report
}

// todos yields the findings that the owner acts on.
func (b *workbook) todos(r *audit.Report, who string, yield func(todo) bool) {
	theirs := func(h audit.FindingHead) bool { return owner(h, b.places.family(h.Rule)) == who }
	for i, f := range r.Findings.Where(theirs) {
		if !yield(todo{f, i}) {
			return
		}
	}
}

// fix and why return what the rule's doc says about it.
func (b *workbook) fix(f *audit.Finding) string {
	if rule := b.places.rules[f.Rule]; rule != nil {
		return flowing(docSection(rule.Doc, "How to fix"))
	}
	return ""
}

func (b *workbook) why(f *audit.Finding) string {
	rule := b.places.rules[f.Rule]
	if rule == nil {
		return ""
	}
	why := flowing(docSection(rule.Doc, "Why"))
	if first, _, found := strings.Cut(why, ". "); found {
		return first + "."
	}
	return why
}

func doneList() string { return `"done,not needed"` }

func (b *workbook) databricksTab(r *audit.Report) sheet {
	var t todo
	return sheet{
		name: databricksAdmin, about: "what an account admin chooses or looks at", color: "E07B00", frozen: 1, choices: doneList,
		none: "nothing to do here: " + planSheet + " has what a program can change",
		table: table{
			columns: []column{{name: "done", width: 11}, {name: "severity", width: 10}, {name: "who or what", width: 46, wrap: true}, {name: "what", width: 56, wrap: true},
				{name: "steps", width: 70, wrap: true}, {name: "why", width: 50, wrap: true}, {name: "rule", width: 24}, {name: "plan", width: 12}, {name: "crosswalk", width: 24}, {name: "finding", width: 36}},
			rows: func(line *row, yield func() bool) {
				b.todos(r, databricksAdmin, func(u todo) bool {
					t = u
					steps := b.fix(t.Finding)
					if t.Remedy == audit.RemedyChoose {
						steps = "Choose on the sheet " + planSheet + ", in the column decision. " + steps
					}
					todo, _ := b.places.todo(t.Finding)
					line.set("", t.Severity.String(), b.whoever(r, t.Finding), inShort(t.Message),
						steps, b.why(t.Finding), t.Rule, todo, shortly(t.Finding), t.ID)
					return yield()
				})
			},
		},
		links: func() []link {
			_, todo := b.places.todo(t.Finding)
			return []link{{6, b.places.rule(t.Rule)}, {7, todo}, {8, b.identity(t.Finding)}, {9, b.places.row(findingsSheet, t.i)}}
		},
	}
}

// oktaTab has a row per finding and Okta object that an Okta admin changes.
func (b *workbook) oktaTab(r *audit.Report) sheet {
	var t todo
	return sheet{
		name: oktaAdmin, about: "what an Okta admin changes in Okta", color: "E07B00", frozen: 1, choices: doneList, none: "nothing to do for an Okta admin",
		table: table{
			columns: []column{{name: "done", width: 11}, {name: "severity", width: 10}, {name: "name", width: 34}, {name: "okta id", width: 24}, {name: "field", width: 16}, {name: "value now", width: 34},
				{name: "what", width: 56, wrap: true}, {name: "steps", width: 70, wrap: true}, {name: "why", width: 50, wrap: true}, {name: "rule", width: 24}, {name: "finding", width: 36}},
			rows: func(line *row, yield func() bool) {
				var known clues
				b.todos(r, oktaAdmin, func(u todo) bool {
					t = u
					known.begin(t.Finding)
					what, steps, why := inShort(t.Message), b.fix(t.Finding), b.why(t.Finding)
					for _, s := range t.Subjects {
						if databricksSide(s.Kind) || s.Kind == audit.DatabricksWorkspaceKind {
							continue
						}
						_, field, values := known.part(s)
						line.set("", t.Severity.String(), known.name(r, s), s.ID, field)
						line.addValues(values)
						line.add(what, steps, why, t.Rule, t.ID)
						if !yield() {
							return false
						}
					}
					return true
				})
			},
		},
		links: func() []link {
			return []link{{9, b.places.rule(t.Rule)}, {10, b.places.row(findingsSheet, t.i)}}
		},
	}
}

const supportSteps = `Send support-ticket.md, which has these users. For each: look it up by id, check that the current username is still the one here and that nobody ` +
	`has the target, change it, keep the id, let the person sign in once.`

// supportTab has the users whose username only Databricks Support can change.
func (b *workbook) supportTab(r *audit.Report) sheet {
	var n rename
	return sheet{
		name: support, about: "usernames that only Databricks Support can change", color: "E07B00", frozen: 1, choices: doneList, none: "nothing to ask Databricks Support for",
		table: table{
			columns: []column{{name: "done", width: 11}, {name: "severity", width: 10}, {name: "user id", width: 22}, {name: "current username", width: 36}, {name: "target username", width: 36, wrap: true},
				{name: "what", width: 56, wrap: true}, {name: "steps", width: 70, wrap: true}, {name: "why", width: 50, wrap: true}, {name: "rule", width: 24}, {name: "finding", width: 36}},
			rows: func(line *row, yield func() bool) {
				for _, n = range renames(r) {
					f := r.Findings.At(n.at)
					to := strings.Join(n.targets, "\nor ")
					if len(n.targets) == mostTargets {
						to += "\nor another of the finding"
					}
					if len(n.targets) != 1 {
						to = strings.TrimSpace("to be decided first:\n" + to)
					}
					line.set("", f.Severity.String(), n.user.ID, n.current, to,
						inShort(f.Message), supportSteps, b.why(&f), f.Rule, f.ID)
					if !yield() {
						return
					}
				}
			},
		},
		links: func() []link {
			return []link{{2, b.places.identity[n.user]}, {8, b.places.rule(r.Findings.Head(n.at).Rule)}, {9, b.places.row(findingsSheet, n.at)}}
		},
	}
}

// groupsTab has what the owners of groups look at: a row per group, or per group
// and member where members differ.
func (b *workbook) groupsTab(r *audit.Report) sheet {
	var t todo
	return sheet{
		name: groupOwners, about: "groups whose name or members change: filter by group", color: "E07B00", frozen: 1, choices: doneList, none: nothingFound(r, audit.GroupsFamily),
		table: table{
			columns: []column{{name: "done", width: 11}, {name: "severity", width: 10}, {name: "group", width: 40, wrap: true}, {name: "member", width: 36}, {name: "what happens", width: 24, wrap: true},
				{name: "what", width: 56, wrap: true}, {name: "steps", width: 70, wrap: true}, {name: "why", width: 50, wrap: true}, {name: "rule", width: 24}, {name: "crosswalk", width: 24}, {name: "finding", width: 36}},
			rows: func(line *row, yield func() bool) {
				b.todos(r, groupOwners, func(u todo) bool {
					t = u
					group, what, steps, why := b.whoever(r, t.Finding), inShort(t.Message), b.fix(t.Finding), b.why(t.Finding)
					row := func(member, happens string) bool {
						line.set("", t.Severity.String(), group, member, happens, what, steps, why, t.Rule, shortly(t.Finding), t.ID)
						return yield()
					}
					members := false
					for i := range t.Evidence {
						e := &t.Evidence[i]
						if e.Field != "members" {
							continue
						}
						members = true
						if !row(e.Value, e.Role) {
							return false
						}
					}
					return members || row("", "")
				})
			},
		},
		links: func() []link {
			return []link{{8, b.places.rule(t.Rule)}, {9, b.identity(t.Finding)}, {10, b.places.row(findingsSheet, t.i)}}
		},
	}
}
