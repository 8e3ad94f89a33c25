package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// places says where on which sheet a thing stands, so that others can lead there.
type places struct {
	rows     int // of a sheet
	plan     *audit.Plan
	rules    map[string]*audit.Rule
	order    map[string]int           // of the rules, on the legend
	because  []int32                  // by operation: the gravest finding that asks for it, or -1
	choice   map[string]chosen        // by finding, of those to choose
	identity map[audit.Subject]string // of Databricks: its row on the crosswalk, once that is written, if others lead there
}

// A chosen is a finding to choose: its places on the plan's sheet and in the report.
type chosen struct{ row, finding int }

func newPlaces(r *audit.Report, rows int) *places {
	p := &places{rows: rows, plan: planOf(r), rules: map[string]*audit.Rule{}, order: map[string]int{},
		choice: map[string]chosen{}, identity: map[audit.Subject]string{}}
	for i, rule := range r.Rules {
		p.rules[rule.Name], p.order[rule.Name] = rule, i
	}
	p.because = slices.Repeat([]int32{-1}, len(p.plan.Operations))
	row := len(p.plan.Operations)
	for m := range p.plan.Manual.All() {
		if m.Remedy == audit.RemedyChoose {
			p.choice[m.Finding] = chosen{row, -1}
			row++
		}
	}
	of := map[audit.Family]int{}
	for i, f := range r.Findings.All() {
		if c, ok := p.choice[f.ID]; ok {
			p.choice[f.ID] = chosen{c.row, i}
		}
		for _, id := range f.Operations {
			if op := p.operation(id); op >= 0 && p.because[op] < 0 {
				p.because[op] = int32(i)
			}
		}
		if family := p.family(f.Rule); of[family] < linkedRows {
			of[family]++
			if s, ok := inDatabricks(f); ok {
				p.identity[s] = ""
			}
		}
	}
	return p
}

// operation returns the place of the operation in the plan, or -1.
func (p *places) operation(id string) int {
	digits, _ := strings.CutPrefix(id, "op-")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > len(p.plan.Operations) || p.plan.Operations[n-1].ID != id {
		return -1
	}
	return n - 1
}

// family returns the family of the rule.
func (p *places) family(name string) audit.Family {
	if rule := p.rules[name]; rule != nil {
		return rule.Family
	}
	return ""
}

// row returns the place of a sheet's row, the first being 0, whichever part it is in.
func (p *places) row(sheet string, i int) string {
	return fmt.Sprintf("'%s'!A%d", partName(sheet, i/(p.rows-1)+1), i%(p.rows-1)+2)
}

// rule returns the place of the rule on the legend; blank if it is not there.
func (p *places) rule(name string) string {
	if i, ok := p.order[name]; ok {
		return p.row(legendSheet, i)
	}
	return ""
}

// todo returns the place on the plan's sheet where the finding is decided, and
// what it is called; blank if there is none.
func (p *places) todo(f *audit.Finding) (name, place string) {
	if len(f.Operations) > 0 {
		name = f.Operations[0]
		if n := len(f.Operations) - 1; n > 0 {
			name += fmt.Sprintf(" and %d more", n)
		}
		if i := p.operation(f.Operations[0]); i >= 0 {
			place = p.row(planSheet, i)
		}
		return name, place
	}
	if c, ok := p.choice[f.ID]; ok {
		return "choose", p.row(planSheet, c.row)
	}
	return "", ""
}

// inDatabricks returns the first Databricks identity of the finding.
func inDatabricks(f *audit.Finding) (audit.Subject, bool) {
	for _, s := range f.Subjects {
		if databricksSide(s.Kind) {
			return s, true
		}
	}
	return audit.Subject{}, false
}

// databricksSide reports whether objects of the kind are in the crosswalk.
func databricksSide(k audit.Kind) bool {
	return k == audit.DatabricksUserKind || k == audit.DatabricksGroupKind || k == audit.DatabricksServicePrincipalKind
}
