package report

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// leftOut stands for free text, which may name anybody.
const leftOut = "left out of a redacted report"

// Redact returns the report with pseudonyms, made with the key, for every name,
// address, id, tenant and digest, and without free text, so that nothing in it
// leads back to anybody for whoever has not the key. What happens to whom can
// still be seen: equal texts stay equal, and names that differ in their letters
// alone still do so. The same report and key give the same bytes. A redacted
// plan can't be applied, so that none is written; ids of operations stay.
func Redact(r *audit.Report, key []byte) (*audit.Report, error) {
	d := &redaction{pseudonyms: newPseudonyms(key), titles: map[string]string{}}
	for _, rule := range r.Rules {
		d.titles[rule.Name] = rule.Title()
	}
	out := &audit.Report{
		Version: r.Version, Head: d.head(r.Head), Settings: d.settings(r), Verdict: r.Verdict, Counts: maps.Clone(r.Counts),
		Now: r.Now, After: r.After, Rules: r.Rules, Trend: r.Trend, Redacted: true,
	}
	place := d.findings(r, out)
	out.Plan = d.plan(r, out, place)
	for _, s := range r.Skipped {
		out.Skipped = append(out.Skipped, audit.Skip{Rule: s.Rule, Reason: closedReason(s.Reason), About: s.About})
	}
	for _, u := range r.Waivers {
		out.Waivers = append(out.Waivers, d.waiver(u))
	}
	for _, g := range r.Resolved {
		g.Message = d.message(g.Rule, g.Key, 0)
		g.ID, g.Key = d.findingID(g.ID), d.findingKey(g.Key)
		out.Resolved = append(out.Resolved, g)
	}
	slices.SortFunc(out.Resolved, func(a, b audit.Gone) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
	})
	if r.HasCrosswalk() {
		if err := d.crosswalk(r, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// A redaction is a report while it is redacted.
type redaction struct {
	pseudonyms
	titles map[string]string // of rules
}

func (d *redaction) head(h audit.Head) audit.Head {
	source := func(s *audit.Source) {
		s.Tenant, s.Caller = d.tenant(s.Tenant), d.text(s.Caller)
		if len(s.Notes) > 0 {
			s.Notes = []string{counted(len(s.Notes), "note") + " " + leftOut}
		}
	}
	readings := func(list []audit.Reading) []audit.Reading {
		list = slices.Clone(list)
		for i := range list {
			if list[i].API = ""; list[i].Reason != "" {
				list[i].Reason = leftOut
			}
		}
		return list
	}
	h.Digest = d.digest(h.Digest)
	source(&h.Okta)
	source(&h.Databricks)
	h.Incomplete, h.Readings = readings(h.Incomplete), readings(h.Readings)
	return h
}

func (d *redaction) settings(r *audit.Report) audit.Settings {
	s := r.Settings
	s.SCIMTokenOwner, s.OktaApp = d.text(s.SCIMTokenOwner), d.text(s.OktaApp)
	s.Exclude = slices.Clone(s.Exclude)
	for i, x := range s.Exclude {
		_, isRule := d.titles[x]
		if !isRule && !slices.Contains(audit.Classes(), audit.Class(x)) {
			s.Exclude[i] = d.findingID(x)
		}
	}
	return s
}

// reason is what the program itself says of a rule that was not run; what a
// directory said comes behind it.
var reason = regexp.MustCompile(`^(?:[A-Za-z ]+: )?[a-z_]+ (?:were not read completely|were not read: (?:add --[a-z-]+|read the directory again)|are incomplete)`)

func closedReason(text string) string {
	var known []string
	for part := range strings.SplitSeq(text, "; ") {
		if says := reason.FindString(part); says != "" {
			known = append(known, says)
		}
	}
	return cmp.Or(strings.Join(known, "; "), leftOut)
}

// An entry is a finding's new id and its place in the report that is redacted.
type entry struct {
	id string
	at int
}

func byID(a, b entry) int { return cmp.Compare(a.id, b.id) }

// findings redacts the findings, and returns the place of each by its new id.
func (d *redaction) findings(r, out *audit.Report) (place map[string]int) {
	// The order of names tells something of them: findings that differ in nothing
	// else that orders them are ordered by their pseudonyms.
	order := make([]entry, 0, r.Findings.Len())
	alike, first := "", 0
	for i, f := range r.Findings.All() {
		if is := orderedBy(f); is != alike || i == 0 {
			slices.SortFunc(order[first:], byID)
			alike, first = is, i
		}
		order = append(order, entry{d.findingID(f.ID), i})
	}
	slices.SortFunc(order[first:], byID)
	place = make(map[string]int, len(order))
	for i, e := range order {
		f := r.Findings.At(e.at)
		d.finding(&f)
		place[f.ID] = i
		out.Findings.Add(&f)
	}
	return place
}

// finding redacts a finding, whose lists are nobody else's.
func (d *redaction) finding(f *audit.Finding) {
	f.Message = d.message(f.Rule, f.Key, len(f.Subjects))
	f.ID, f.Key = d.findingID(f.ID), d.findingKey(f.Key)
	f.Subjects = d.subjects(f.Subjects)
	slices.SortFunc(f.Subjects, audit.Subject.Compare)
	for j := range f.Evidence {
		e := &f.Evidence[j]
		e.Value, e.Subject = d.value(*e), d.subject(e.Subject)
	}
	slices.SortStableFunc(f.Evidence, func(a, b audit.Evidence) int { return a.Subject.Compare(b.Subject) })
	if f.Waiver != nil {
		f.Waiver = &audit.WaivedBy{Owner: d.text(f.Waiver.Owner), Reason: leftOut, Expires: f.Waiver.Expires}
	}
}

// orderedBy is what comes before the key in the order of findings.
func orderedBy(f *audit.Finding) string {
	reach := ""
	for _, e := range f.Evidence {
		if e.Field == "reach" {
			reach = max(reach, e.Value)
		}
	}
	return f.Severity.String() + "\x00" + f.Rule + "\x00" + reach
}

// message says what a finding is about without the text that the rule made.
func (d *redaction) message(rule, key string, subjects int) string {
	s := cmp.Or(d.titles[rule], rule) + ": " + d.findingKey(key)
	if subjects > 1 {
		s += fmt.Sprintf(" (%d identities)", subjects)
	}
	return s
}

var (
	// closed is text of the program itself: no name of a directory stands in such
	// text without being in quotes, or an id, or an address.
	closed     = regexp.MustCompile(`^[A-Za-z ,;:'()=._-]*$`)
	day        = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}`)
	drift      = regexp.MustCompile(`^(?:renamed|claim|case)$`)
	status     = regexp.MustCompile(`^[A-Z_]{0,40}$`)
	federation = regexp.MustCompile(`^(?:true|false)?$`)
	// A right that somebody made up may be named after anything.
	right      = regexp.MustCompile(`^(?:account_admin|marketplace_admin|billing_admin|allow-cluster-create|allow-instance-pool-create|databricks-sql-access|workspace-access|workspace-consume)$`)
	reachWords = regexp.MustCompile(`^(?:(?:runs this tool|account admin|members: \d+|groups: \d+|workspaces: \d+)(?:, |$))+$`)
	suggestion = regexp.MustCompile(`(?s)^(.*) (\(score [0-9.]+): .*\)$`)
)

// value returns the value of a piece of evidence: what the vendors or the program
// have words for stays.
func (d *redaction) value(e audit.Evidence) string {
	kept := func(known *regexp.Regexp) string {
		if known.MatchString(e.Value) {
			return e.Value
		}
		return d.text(e.Value)
	}
	switch e.Field {
	case "status", "type":
		return kept(status)
	case "roles", "entitlements":
		return kept(right)
	case "reach":
		return kept(reachWords)
	case "keep":
		return kept(closed)
	}
	switch e.Role {
	case "drift of":
		return kept(drift)
	case "identity federation of":
		return kept(federation)
	case "externalId looks like":
		if closed.MatchString(e.Value) {
			return e.Value
		}
		return leftOut
	case "suggestion":
		if m := suggestion.FindStringSubmatch(e.Value); m != nil {
			return d.text(m[1]) + " " + m[2] + ")"
		}
	}
	return d.text(e.Value)
}

func (d *redaction) plan(r, redacted *audit.Report, place map[string]int) *audit.Plan {
	if r.Plan == nil {
		return nil
	}
	p := *r.Plan
	p.Created, p.Expires = time.Time{}, time.Time{} // it can't be applied
	p.Snapshot, p.OktaOrg, p.Databricks, p.Digest = d.digest(p.Snapshot), d.tenant(p.OktaOrg), d.tenant(p.Databricks), ""
	p.Operations = slices.Clone(p.Operations)
	for i := range p.Operations {
		op := &p.Operations[i]
		op.Target, op.Name, op.Because = d.subject(op.Target), d.text(op.Name), d.findingIDs(op.Because)
		if op.Field != "active" {
			op.From, op.To = d.text(op.From), d.text(op.To)
		}
		if !closed.MatchString(op.Evidence) {
			op.Evidence = leftOut
		}
	}
	p.Manual = d.manual(r, redacted, place)
	return &p
}

// manual redacts what is left to people. Place is that of the redacted findings.
func (d *redaction) manual(r, redacted *audit.Report, place map[string]int) audit.Manuals {
	at := make(map[string]int, r.Findings.Len()) // by id
	for i, f := range r.Findings.All() {
		at[f.ID] = i
	}
	var list []audit.Manual
	for one := range r.Plan.Manual.All() {
		m := *one
		said := ""
		if i, ok := at[m.Finding]; ok {
			said = r.Findings.At(i).Message
		}
		todo, ok := strings.CutPrefix(m.What, said+": ")
		if !ok || !closed.MatchString(todo) {
			todo = remedy(m.Remedy)
		}
		m.Finding = d.findingID(m.Finding)
		m.What = m.Finding + ": " + todo
		if i, ok := place[m.Finding]; ok {
			m.What = redacted.Findings.At(i).Message + ": " + todo
		}
		m.Candidates = d.subjects(m.Candidates)
		slices.SortFunc(m.Candidates, audit.Subject.Compare)
		m.Records = slices.Clone(m.Records)
		for j := range m.Records {
			rec := &m.Records[j]
			rec.Subject, rec.Name, rec.ExternalID = d.subject(rec.Subject), d.text(rec.Name), d.text(rec.ExternalID)
		}
		slices.SortFunc(m.Records, func(a, b audit.Record) int { return a.Subject.Compare(b.Subject) })
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b audit.Manual) int { return place[a.Finding] - place[b.Finding] })
	return audit.NewManuals(list...)
}

var lineNumber = regexp.MustCompile(`:\d+$`)

func (d *redaction) waiver(u audit.WaiverUse) audit.WaiverUse {
	u.Subjects = d.subjects(u.Subjects)
	slices.SortFunc(u.Subjects, audit.Subject.Compare)
	u.Pattern, u.Owner, u.Reason = d.text(u.Pattern), d.text(u.Owner), leftOut
	u.Where = "waivers" + lineNumber.FindString(u.Where)
	u.Findings = d.findingIDs(u.Findings)
	u.Left = slices.Clone(u.Left)
	for i := range u.Left {
		l := &u.Left[i]
		if l.Finding = d.findingID(l.Finding); !closed.MatchString(day.ReplaceAllString(l.Why, "")) {
			l.Why = leftOut
		}
	}
	return u
}

func (d *redaction) crosswalk(r, out *audit.Report) error {
	rows := &audit.Crosswalk{}
	for row := range r.Crosswalk() {
		row.Subject, row.Okta = d.subject(row.Subject), d.subject(row.Okta)
		if !status.MatchString(row.OktaStatus) {
			row.OktaStatus = d.text(row.OktaStatus)
		}
		for _, text := range []*string{&row.Name, &row.ExternalID, &row.GivenName, &row.FamilyName,
			&row.OktaLogin, &row.OktaEmail, &row.OktaFirst, &row.OktaLast} {
			*text = d.text(*text)
		}
		if err := rows.Add(&row); err != nil {
			return err
		}
	}
	names := []audit.SubjectName{}
	for n := range r.OtherNames() {
		names = append(names, audit.SubjectName{Subject: d.subject(n.Subject), Name: d.text(n.Name)})
	}
	rows.Sort()
	slices.SortFunc(names, func(a, b audit.SubjectName) int { return a.Subject.Compare(b.Subject) })
	if err := out.Keep(rows, names); err != nil {
		return fmt.Errorf("two ids have one pseudonym: redact with another key: %w", err)
	}
	return nil
}
