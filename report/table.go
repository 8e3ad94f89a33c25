package report

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// A table is what a CSV file and a sheet have in common.
type table struct {
	columns []column
	rows    func(line *row, yield func() bool)
}

// each makes one row of the table after another in line.
func (t table) each(line *row) func(yield func() bool) {
	return func(yield func() bool) { t.rows(line, yield) }
}

// A column is a table's column.
type column struct {
	name  string
	width float64 // in characters, on a sheet
	list  bool    // its cells are lists separated by spaces
	wrap  bool    // its cells have long texts
}

func findingsTable(r *audit.Report) table { return tableOf(r.Findings.Brief().All()) }

func tableOf(findings iter.Seq[*audit.Finding]) table {
	return table{
		columns: []column{{name: "id", width: 36}, {name: "rule", width: 24}, {name: "severity", width: 10}, {name: "remedy", width: 11},
			{name: "key", width: 30}, {name: "message", width: 70}, {name: "subjects", width: 50, list: true}},
		rows: func(line *row, yield func() bool) {
			for f := range findings {
				line.set(f.ID, f.Rule, f.Severity.String(), string(f.Remedy), f.Key, said(f))
				line.addSubjects(f.Subjects...)
				if !yield() {
					return
				}
			}
		},
	}
}

// subjectsTable has a row per finding and subject, with the part it plays.
func subjectsTable(r *audit.Report) table {
	return table{
		columns: []column{{name: "finding", width: 36}, {name: "rule", width: 24}, {name: "severity", width: 10}, {name: "subject", width: 32},
			{name: "name", width: 30}, {name: "role", width: 24}, {name: "field", width: 20}, {name: "value", width: 34}},
		rows: func(line *row, yield func() bool) {
			var known clues
			for _, f := range r.Findings.All() {
				known.begin(f)
				line.set(f.ID, f.Rule, f.Severity.String())
				for _, s := range f.Subjects {
					role, field, values := known.part(s)
					line.keep(3)
					line.addSubjects(s)
					line.add(known.name(r, s), role, field)
					line.addValues(values)
					if !yield() {
						return
					}
				}
			}
		},
	}
}

func crosswalkOf(rows iter.Seq[*audit.CrosswalkRow]) table {
	return table{
		columns: []column{{name: "subject", width: 32}, {name: "name", width: 30}, {name: "external_id", width: 24}, {name: "link_state", width: 14},
			{name: "okta_id", width: 24}, {name: "okta_login", width: 30}, {name: "okta_email", width: 30}, {name: "okta_status", width: 16},
			{name: "matched_by", width: 11}, {name: "outcome_now", width: 14}, {name: "outcome_after_plan", width: 18}},
		rows: func(line *row, yield func() bool) {
			for c := range rows {
				line.keep(0)
				line.addSubjects(c.Subject)
				line.add(c.Name, c.ExternalID, string(c.LinkState), c.Okta.ID, c.OktaLogin, c.OktaEmail, c.OktaStatus,
					c.MatchedBy, string(c.Now), string(c.AfterPlan))
				if !yield() {
					return
				}
			}
		},
	}
}

func planTable(r *audit.Report) table {
	return table{
		columns: []column{{name: "id", width: 10}, {name: "action", width: 18}, {name: "target", width: 32}, {name: "name", width: 30},
			{name: "field", width: 16}, {name: "from", width: 24}, {name: "to", width: 24}, {name: "because", width: 40, list: true}, {name: "evidence", width: 60},
			{name: "reversible", width: 10}, {name: "risk", width: 8}, {name: "decision", width: 10}},
		rows: func(line *row, yield func() bool) {
			for _, op := range planOf(r).Operations {
				line.set(op.ID, string(op.Action), op.Target.String(), op.Name,
					op.Field, op.From, op.To, strings.Join(op.Because, " "), op.Evidence,
					yesNo(op.Reversible), op.Risk, toDecide(op))
				if !yield() {
					return
				}
			}
		},
	}
}

// toDecide returns what stands in the column decision, which is handed back as
// what people decided: nothing where somebody must say it themselves.
func toDecide(op audit.Operation) string {
	if op.Touches != "" && op.Decision == audit.Approve {
		return ""
	}
	return string(op.Decision)
}

// oktaChanges has a row per finding and Okta object that an Okta admin must see
// to. Waived findings ask nobody for anything.
func oktaChanges(r *audit.Report) table {
	return table{
		columns: []column{{name: "finding", width: 36}, {name: "rule", width: 24}, {name: "severity", width: 10}, {name: "okta_id", width: 24},
			{name: "field", width: 20}, {name: "current", width: 34}, {name: "what", width: 70}},
		rows: func(line *row, yield func() bool) {
			how := map[string]string{}
			for _, rule := range r.Rules {
				how[rule.Name] = flowing(docSection(rule.Doc, "How to fix"))
			}
			var known clues
			asked := func(h audit.FindingHead) bool { return h.Remedy == audit.RemedyOkta && !h.Waived }
			for _, f := range r.Findings.Where(asked) {
				known.begin(f)
				todo := f.Message + ". " + cmp.Or(how[f.Rule], "Change it in Okta.")
				for _, s := range f.Subjects {
					if !slices.Contains([]audit.Kind{audit.OktaUserKind, audit.OktaGroupKind, audit.OktaAppKind}, s.Kind) {
						continue
					}
					_, field, values := known.part(s)
					line.set(f.ID, f.Rule, f.Severity.String(), s.ID, field)
					line.addValues(values)
					line.add(todo)
					if !yield() {
						return
					}
				}
			}
		},
	}
}

// groupMembers has a row per group and member that is in one directory's group
// alone: what the owner of the group is asked to look at before AIM is enabled.
func groupMembers(r *audit.Report) table {
	return table{
		columns: []column{{name: "finding", width: 36}, {name: "databricks_group", width: 32}, {name: "okta_group", width: 32}, {name: "name", width: 30},
			{name: "member", width: 32}, {name: "member_name", width: 34}, {name: "change", width: 22}},
		rows: func(line *row, yield func() bool) {
			var known clues
			drift := func(h audit.FindingHead) bool { return h.Rule == "group-member-drift" && !h.Waived }
			for _, f := range r.Findings.Where(drift) {
				known.begin(f)
				ours, oktas, name := "", "", ""
				for _, s := range f.Subjects {
					switch s.Kind {
					case audit.DatabricksGroupKind:
						ours, name = s.String(), known.name(r, s)
					case audit.OktaGroupKind:
						oktas = s.String()
					}
				}
				for _, e := range f.Evidence {
					if e.Field != "members" {
						continue
					}
					member, called, change := e.Subject.String(), e.Value, e.Role
					if member == ours { // a member that the account doesn't list: its id alone is known
						member, called, change = e.Value, "", "is not known"
					}
					line.set(f.ID, ours, oktas, name, member, called, change)
					if !yield() {
						return
					}
				}
			}
		},
	}
}

// planOf returns the report's plan, or an empty one where none was made.
func planOf(r *audit.Report) *audit.Plan {
	if r.Plan == nil {
		return &audit.Plan{Schema: audit.PlanSchema}
	}
	return r.Plan
}

// nameField returns the field by which people know an object of the kind.
func nameField(k audit.Kind) string {
	switch k {
	case audit.DatabricksUserKind:
		return "userName"
	case audit.DatabricksGroupKind, audit.DatabricksServicePrincipalKind:
		return "displayName"
	case audit.OktaUserKind:
		return "profile.login"
	case audit.OktaGroupKind:
		return "profile.name"
	case audit.OktaAppKind:
		return "label"
	}
	return "workspace_name"
}

func yesNo(v bool) string {
	if v {
		return "true"
	}
	return "false"
}
