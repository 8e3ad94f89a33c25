package report

import (
	"html/template"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// gravest is how many findings stand in the page as plain HTML: for print, and
// for browsers that run no scripts.
const gravest = 100

// A webPage is what the HTML report is made from.
type webPage struct {
	r         *audit.Report
	crosswalk iter.Seq[audit.CrosswalkRow]
	cast      *cast
	named     int // how many of the cast the findings and the plan name
	rules     *vocabulary
	operation map[string]int // by id: its place in the plan
	flows     []pageFlow
	listed    int // rows of the crosswalk
}

func newPage(r *audit.Report, crosswalk iter.Seq[audit.CrosswalkRow]) *webPage {
	p := &webPage{r: r, crosswalk: crosswalk, cast: newCast(), rules: newVocabulary(), operation: map[string]int{}}
	for _, rule := range r.Rules {
		p.rules.of(rule.Name)
	}
	for _, head := range r.Findings.Heads() { // of an older catalogue
		p.rules.of(head.Rule)
	}
	for i, op := range planOf(r).Operations {
		p.operation[op.ID] = i
	}
	p.flow()
	return p
}

// A pageFlow counts the identities of a kind that have one outcome now and another,
// or the same, after the plan.
type pageFlow struct {
	Kind  string        `json:"kind"` // "users" or "groups"
	Now   audit.Outcome `json:"now"`
	After audit.Outcome `json:"after"`
	Count int           `json:"count"`
}

// flow counts the flows and the rows of the crosswalk.
func (p *webPage) flow() {
	counts := map[pageFlow]int{}
	for row := range p.crosswalk {
		p.listed++
		kind := "users"
		if row.Subject.Kind == audit.DatabricksGroupKind || row.Subject.Kind == audit.OktaGroupKind {
			kind = "groups"
		}
		if row.Now != "" && row.AfterPlan != "" {
			counts[pageFlow{kind, row.Now, row.AfterPlan, 0}]++
		}
	}
	for _, kind := range []string{"users", "groups"} {
		for _, now := range audit.Outcomes() {
			for _, after := range audit.Outcomes() {
				if n := counts[pageFlow{kind, now, after, 0}]; n > 0 {
					p.flows = append(p.flows, pageFlow{kind, now, after, n})
				}
			}
		}
	}
}

// partial reports whether identities without any finding are left out.
func (p *webPage) partial() bool { return p.listed > crosswalkLimit }

// holds reports whether the page lists the row.
func (p *webPage) holds(row audit.CrosswalkRow) bool {
	named := func(s audit.Subject) bool {
		n, ok := p.cast.number[s]
		return ok && n < p.named
	}
	return !p.partial() || named(row.Subject) || named(row.Okta)
}

// A pageHead is what the page's scripts know before they have read any block.
type pageHead struct {
	Findings   int             `json:"findings"`
	Operations int             `json:"operations"`
	Identities int             `json:"identities"` // rows of the whole crosswalk
	Partial    bool            `json:"partial"`    // some of which are left out
	Plan       string          `json:"plan"`       // digest
	Expires    string          `json:"expires"`
	Deactivate bool            `json:"deactivate"` // the class was included
	History    bool            `json:"history"`    // findings have a first sight
	Flows      []pageFlow      `json:"flows"`
	Rules      []pageRule      `json:"rules"`
	Kinds      []string        `json:"kinds"`
	Severities []string        `json:"severities"`
	Remedies   []audit.Remedy  `json:"remedies"`
	Links      []string        `json:"links"`
	Matches    []string        `json:"matches"`
	Outcomes   []audit.Outcome `json:"outcomes"`
	Meanings   []string        `json:"meanings"` // of the outcomes
}

type pageRule struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Group bool   `json:"group,omitempty"` // the owners of groups look at what it finds
}

func (p *webPage) head() pageHead {
	plan := planOf(p.r)
	h := pageHead{
		Findings: p.r.Findings.Len(), Operations: len(plan.Operations), Identities: p.listed, Partial: p.partial(),
		Plan: plan.Digest, Deactivate: slices.Contains(plan.Include, audit.ClassDeactivate),
		History: p.Ages() != nil, Flows: p.flows, Kinds: []string{""}, Severities: []string{""}, Remedies: remedies(), Matches: matches(), Outcomes: audit.Outcomes(),
	}
	if plan.Digest != "" {
		h.Expires = moment(plan.Expires)
	}
	for _, k := range audit.Kinds() {
		h.Kinds = append(h.Kinds, k.String())
	}
	for _, s := range audit.Severities() {
		h.Severities = slices.Insert(h.Severities, 1, s.String())
	}
	for _, l := range linkStates() {
		h.Links = append(h.Links, string(l))
	}
	for _, o := range audit.Outcomes() {
		h.Meanings = append(h.Meanings, meaning(o))
	}
	h.Rules = make([]pageRule, len(p.rules.number))
	for name, i := range p.rules.number {
		h.Rules[i].Name = name
	}
	for _, rule := range p.r.Rules {
		h.Rules[p.rules.number[rule.Name]] = pageRule{rule.Name, rule.Title(), rule.Family == audit.GroupsFamily}
	}
	return h
}

func templateFuncs() template.FuncMap {
	return template.FuncMap{
		"thousands": thousands,
		"known":     known,
		"visible":   shownText,
		"meaning":   meaning,
		"severity":  func(s audit.Severity) string { return s.String() },
	}
}

// shownText is s as the page shows it: short enough for a line, with what can't
// be seen written out.
func shownText(s string) string {
	const longest = 300
	s = valid(s)
	runes := 0
	for i := range s {
		if runes++; runes > longest {
			return visible(s[:i]) + "…"
		}
	}
	return visible(s)
}

// What the template shows.

func (p *webPage) Headline() string { return headline(p.r.Verdict) }
func (p *webPage) Verdict() string  { return string(p.r.Verdict) }
func (p *webPage) Version() string  { return p.r.Version }

// Because is the reason for the verdict, as a sentence.
func (p *webPage) Because() string { return capital(because(p.r)) + "." }

// capital begins a sentence.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Okta and Databricks are where it was read.
func (p *webPage) Okta() string       { return p.r.Head.Okta.Tenant }
func (p *webPage) Databricks() string { return p.r.Head.Databricks.Tenant }

// A pageFact is a line of what was read.
type pageFact struct{ Name, Value, More string }

func (p *webPage) Facts() []pageFact {
	h := p.r.Head
	facts := []pageFact{
		{"Okta org", h.Okta.Tenant, counted(h.OktaUsers, "user") + ", " + counted(h.OktaGroups, "group") + ", read " + moment(h.Okta.Finished)},
		{"Databricks account", h.Databricks.Tenant, counted(h.DatabricksUsers, "user") + ", " + counted(h.DatabricksGroups, "group") + ", " +
			counted(h.DatabricksServicePrincipals, "service principal") + ", read " + moment(h.Databricks.Finished)},
		{"Snapshot", h.Digest, ""},
		{"SSO claim", string(p.r.Settings.SSOClaim), "what Okta sends as username"},
		{"Unified login", string(p.r.Settings.UnifiedLogin), ""},
	}
	for i, s := range []audit.Source{h.Okta, h.Databricks} {
		if neverRead(s) {
			facts[i].Value, facts[i].More = "not read", ""
		}
	}
	if plan := planOf(p.r); plan.Digest != "" { // else plan.json alone knows
		facts = append(facts, pageFact{"Plan", plan.Digest, "holds until " + moment(plan.Expires)})
	}
	return facts
}

func (p *webPage) Unread() (texts []string) {
	for _, in := range p.r.Head.Incomplete {
		texts = append(texts, howFar(in))
	}
	return texts
}

func (p *webPage) Cautions() []string    { return cautions(p.r) }
func (p *webPage) Skipped() []audit.Skip { return p.r.Skipped }
func (p *webPage) Caveat() string        { return ofWhatWasRead(p.r) }
func (p *webPage) Automatic() string     { return capital(automatic(p.r)) }

// A pageCount is a figure that leads to the findings it counts.
type pageCount struct {
	Severity string
	Count    int
	Means    string
}

func (p *webPage) Counts() (counts []pageCount) {
	means := map[audit.Severity]string{
		audit.Blocker: "enabling AIM now does damage", audit.Error: "access is wrong or will change",
		audit.Warning: "surprising, not harmful", audit.Info: "worth knowing",
	}
	for _, s := range audit.Severities() {
		counts = append(counts, pageCount{s.String(), p.r.Counts[s], means[s]})
	}
	return counts
}

// Waived counts the findings that were waived.
func (p *webPage) Waived() int {
	_, waived := tallies(p.r)
	return waived
}

// An effectRow is an outcome with its counts.
type effectRow struct {
	Outcome                                      audit.Outcome
	UsersNow, UsersAfter, GroupsNow, GroupsAfter int
}

func (p *webPage) Effects() (rows []effectRow) {
	for _, e := range effects(p.r) {
		rows = append(rows, effectRow{e.outcome, e.usersNow, e.usersAfter, e.groupsNow, e.groupsAfter})
	}
	return rows
}

// A ruleRow is a rule with the number of its findings, gravest first.
type ruleRow struct {
	Rule, Title string
	Counts      []pageCount
}

// Rules lists the rules that have findings, those with the gravest and most first.
func (p *webPage) Rules() (rows []ruleRow) {
	ts, _ := tallies(p.r)
	at := map[string]int{}
	for _, t := range ts {
		i, ok := at[t.rule]
		if !ok {
			i = len(rows)
			at[t.rule] = i
			row := ruleRow{Rule: t.rule, Title: t.title}
			for _, s := range audit.Severities() {
				row.Counts = append(row.Counts, pageCount{Severity: s.String()})
			}
			rows = append(rows, row)
		}
		rows[i].Counts[slices.Index(audit.Severities(), t.severity)].Count = t.findings
	}
	return rows
}

// A pastRun is a column of the chart of earlier runs, and a line of its table.
type pastRun struct {
	When          string
	Counts        []pageCount
	Bars          []pageBar
	New, Resolved string
}

// A pageBar is a rectangle of a chart.
type pageBar struct {
	Severity string
	X, Y, H  int
}

// runsShown is how many earlier runs the page shows at most.
const runsShown = 60

// trendHeight is how high the chart of runs is, in its own units.
const trendHeight = 100

// Trend lists the earlier runs, oldest first, and this one; none without a history.
func (p *webPage) Trend() (runs []pastRun) {
	if len(p.r.Trend) == 0 {
		return nil
	}
	now := map[audit.State]int{}
	for _, head := range p.r.Findings.Heads() {
		now[head.State]++
	}
	past := append(slices.Clone(p.r.Trend[max(0, len(p.r.Trend)-runsShown+1):]),
		audit.PastRun{Counts: p.r.Counts, New: now[audit.New], Reopened: now[audit.Reopened], Resolved: len(p.r.Resolved)})
	most := 1
	for _, run := range past {
		sum := 0
		for _, n := range run.Counts {
			sum += n
		}
		most = max(most, sum)
	}
	for i, run := range past {
		row := pastRun{When: "this run", New: thousands(run.New + run.Reopened), Resolved: thousands(run.Resolved)}
		if !run.Time.IsZero() {
			row.When = moment(run.Time)
		}
		y := trendHeight
		for _, s := range audit.Severities() {
			row.Counts = append(row.Counts, pageCount{Severity: s.String(), Count: run.Counts[s]})
			h := (run.Counts[s]*trendHeight + most - 1) / most
			y -= h
			row.Bars = append(row.Bars, pageBar{s.String(), 10 * i, y, h})
		}
		runs = append(runs, row)
	}
	return runs
}

// RecentTrend are the last runs, for the table.
func (p *webPage) RecentTrend() []pastRun {
	runs := p.Trend()
	return runs[max(0, len(runs)-8):]
}

// ChartWidth leaves room for a few runs, so that one is not as wide as the page.
func (p *webPage) ChartWidth() int { return 10 * max(len(p.Trend()), 20) }

// An ageRow counts the findings that were first seen so long ago.
type ageRow struct {
	Age   string
	Count int
}

// Ages counts unwaived findings by age, measured from when the run saw them;
// none without a history.
func (p *webPage) Ages() (rows []ageRow) {
	const day = 24 * time.Hour
	rows = []ageRow{{Age: "new in this run"}, {Age: "up to 7 days"}, {Age: "up to 30 days"}, {Age: "up to 90 days"}, {Age: "older"}}
	known := false
	for _, f := range p.r.Findings.Where(notWaived) {
		if f.FirstSeen.IsZero() {
			continue
		}
		known = true
		switch age := f.LastSeen.Sub(f.FirstSeen); {
		case f.State == audit.New:
			rows[0].Count++
		case age <= 7*day:
			rows[1].Count++
		case age <= 30*day:
			rows[2].Count++
		case age <= 90*day:
			rows[3].Count++
		default:
			rows[4].Count++
		}
	}
	if !known {
		return nil
	}
	return rows
}

// Gravest are the first findings that nobody waived.
func (p *webPage) Gravest() (list []audit.Finding) {
	for i, head := range p.r.Findings.Heads() {
		if len(list) == gravest {
			break
		}
		if notWaived(head) {
			list = append(list, p.r.Findings.At(i))
		}
	}
	return list
}

func notWaived(f audit.FindingHead) bool { return !f.Waived }

// More is how many findings there are besides the gravest.
func (p *webPage) More() int { return p.r.Findings.Len() - p.Waived() - len(p.Gravest()) }

// A ruleDoc is the explanation of a rule.
type ruleDoc struct {
	Name, Title, Severity string
	Parts                 []rulePart
}

// A rulePart is a heading with the paragraphs under it.
type rulePart struct {
	Heading    string
	Paragraphs []string
}

func (p *webPage) Docs() (docs []ruleDoc) {
	for _, rule := range p.r.Rules {
		d := ruleDoc{Name: rule.Name, Title: rule.Title(), Severity: rule.Severity.String()}
		for _, heading := range []string{"What", "Why", "How to fix"} {
			part := rulePart{Heading: heading}
			for _, text := range strings.Split(docSection(rule.Doc, heading), "\n\n") {
				part.Paragraphs = append(part.Paragraphs, strings.Join(strings.Fields(text), " "))
			}
			d.Parts = append(d.Parts, part)
		}
		docs = append(docs, d)
	}
	return docs
}
