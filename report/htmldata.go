package report

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
)

// A block of the page's data is JSON, gzipped, in base64, in a script element
// that is not run: columns of rows, or of one more thousand findings what their
// pages alone show, which is unpacked when it is looked at.
const (
	findingsBlock  = "findings"
	detailsBlock   = "details"
	planBlock      = "plan"
	crosswalkBlock = "crosswalk"

	blockRows  = 20_000
	detailRows = 1_000
)

// pageBlocks writes the blocks of a page. The first error stays.
type pageBlocks struct {
	w   *bufio.Writer
	err error
}

// write writes one block, given as the members of a JSON object.
func (b *pageBlocks) write(kind string, members []byte) {
	if b.err != nil {
		return
	}
	b.w.WriteString(`<script type="application/gzip" data-block="` + kind + `">`)
	text := base64.NewEncoder(base64.StdEncoding, b.w)
	zip := gzip.NewWriter(text)
	for _, part := range [][]byte{[]byte("{"), members, []byte("}")} {
		if _, err := zip.Write(part); err != nil && b.err == nil {
			b.err = err
		}
	}
	for _, c := range []io.Closer{zip, text} {
		if err := c.Close(); err != nil && b.err == nil {
			b.err = err
		}
	}
	b.w.WriteString("</script>\n")
}

// A columnar has rows by column, each column the inside of a JSON array.
type columnar struct {
	names []string
	cols  [][]byte
	n     int
}

func newColumnar(names ...string) *columnar { return &columnar{names, make([][]byte, len(names)), 0} }

// next begins a row; every column must then get a value.
func (r *columnar) next() { r.n++ }

func (r *columnar) value(i int) []byte {
	if len(r.cols[i]) > 0 {
		return append(r.cols[i], ',')
	}
	return r.cols[i]
}

func (r *columnar) text(i int, s string) { r.cols[i] = appendText(r.value(i), s) }

func (r *columnar) number(i, n int) { r.cols[i] = strconv.AppendInt(r.value(i), int64(n), 10) }

// list adds an array: each calls add for every element.
func (r *columnar) list(i int, each func(add func(int))) {
	b := append(r.value(i), '[')
	first := true
	each(func(n int) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = strconv.AppendInt(b, int64(n), 10)
	})
	r.cols[i] = append(b, ']')
}

// take appends the columns as members of a JSON object, and empties them.
func (r *columnar) take(b []byte) []byte {
	for i, name := range r.names {
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, `":[`...)
		b = append(b, r.cols[i]...)
		b = append(b, ']')
		r.cols[i] = r.cols[i][:0]
	}
	r.n = 0
	return b
}

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	quoted, err := jsontext.AppendQuote(b, s)
	if err != nil { // what is no UTF-8
		quoted, _ = jsontext.AppendQuote(b, valid(s))
	}
	return quoted
}

// A cast numbers the subjects that a page speaks of, in the order in which it
// first does, and the words of which it uses few.
type cast struct {
	number map[audit.Subject]int
	fresh  *columnar // those that no block has named yet
}

func newCast() *cast {
	return &cast{map[audit.Subject]int{}, newColumnar("kinds", "ids", "names")}
}

// of returns the number of s, which people call what name returns.
func (c *cast) of(s audit.Subject, name func() string) int {
	if s.IsZero() {
		return -1
	}
	n, known := c.number[s]
	if !known {
		n = len(c.number)
		c.number[s] = n
		c.fresh.next()
		c.fresh.number(0, int(s.Kind))
		c.fresh.text(1, s.ID)
		c.fresh.text(2, name())
	}
	return n
}

// take appends the new subjects and the rows as members of a JSON object.
func (c *cast) take(b []byte, r *columnar) []byte { return r.take(c.fresh.take(b)) }

// A vocabulary numbers texts in the order in which they first occur.
type vocabulary struct {
	number map[string]int
	texts  []byte
}

func newVocabulary() *vocabulary { return &vocabulary{number: map[string]int{}} }

func (w *vocabulary) of(s string) int {
	n, known := w.number[s]
	if !known {
		n = len(w.number)
		w.number[s] = n
		if n > 0 {
			w.texts = append(w.texts, ',')
		}
		w.texts = appendText(w.texts, s)
	}
	return n
}

// findings writes the findings: what the table shows in large blocks, the
// evidence in small ones.
func (p *webPage) findings(b *pageBlocks) {
	list := newColumnar("rule", "severity", "remedy", "waived", "hash", "key", "message", "subjects", "operations", "since", "state")
	var details []byte
	roles, fields := newVocabulary(), newVocabulary()
	days, states := newVocabulary(), newVocabulary()
	endList := func() {
		all := append([]byte(`"days":[`), days.texts...)
		all = append(append(all, `],"states":[`...), states.texts...)
		b.write(findingsBlock, p.cast.take(append(all, ']'), list))
		days, states = newVocabulary(), newVocabulary()
	}
	endDetails := func() {
		all := append([]byte(`"roles":[`), roles.texts...)
		all = append(append(all, `],"fields":[`...), fields.texts...)
		all = append(append(all, `],"rows":[`...), details...)
		b.write(detailsBlock, append(all, ']'))
		details, roles, fields = details[:0], newVocabulary(), newVocabulary()
	}
	var known clues
	manual := map[string]string{}
	for m := range planOf(p.r).Manual.All() {
		manual[m.Finding] = m.What
	}
	for i, f := range p.r.Findings.All() {
		known.begin(f)
		list.next()
		list.number(0, p.rules.of(f.Rule))
		list.number(1, int(f.Severity))
		list.number(2, slices.Index(remedies(), f.Remedy))
		list.number(3, oneIf(f.Waived))
		list.text(4, strings.TrimPrefix(f.ID, f.Rule+"-"))
		list.text(5, f.Key)
		list.text(6, f.Message)
		list.list(7, func(add func(int)) {
			for _, s := range f.Subjects {
				add(p.cast.of(s, func() string { return known.name(p.r, s) }))
			}
		})
		list.list(8, func(add func(int)) {
			for _, id := range f.Operations {
				if n, ok := p.operation[id]; ok {
					add(n)
				}
			}
		})
		list.number(9, days.of(dayOf(f.FirstSeen)))
		list.number(10, states.of(string(f.State)))
		if len(details) > 0 {
			details = append(details, ',')
		}
		details = append(details, '[')
		details = append(appendText(details, manual[f.ID]), ',')
		details = appendText(details, waivedBy(f))
		for _, e := range f.Evidence {
			details = append(details, ',')
			for _, n := range []int{p.cast.of(e.Subject, func() string { return known.name(p.r, e.Subject) }), roles.of(e.Role), fields.of(e.Field)} {
				details = append(strconv.AppendInt(details, int64(n), 10), ',')
			}
			details = appendText(details, e.Value)
		}
		details = append(details, ']')
		if (i+1)%detailRows == 0 {
			endDetails()
		}
		if list.n == blockRows {
			endList()
		}
	}
	if list.n > 0 {
		endList()
	}
	if len(details) > 0 {
		endDetails()
	}
}

// plan writes the operations, and the findings to choose with what can be chosen.
func (p *webPage) plan(b *pageBlocks) {
	at := make(map[string]int, p.r.Findings.Len())
	for i, f := range p.r.Findings.All() {
		at[f.ID] = i
	}
	actions, fields, risks := newVocabulary(), newVocabulary(), newVocabulary()
	ops := newColumnar("id", "action", "target", "field", "from", "to", "because", "evidence", "risk", "reversible", "decision", "named")
	end := func() {
		all := append([]byte(`"actions":[`), actions.texts...)
		all = append(append(all, `],"fields":[`...), fields.texts...)
		all = append(append(all, `],"risks":[`...), risks.texts...)
		all = append(all, ']')
		b.write(planBlock, p.cast.take(all, ops))
		actions, fields, risks = newVocabulary(), newVocabulary(), newVocabulary()
	}
	plan := planOf(p.r)
	for _, op := range plan.Operations {
		ops.next()
		ops.text(0, op.ID)
		ops.number(1, actions.of(string(op.Action)))
		ops.number(2, p.cast.of(op.Target, func() string { return op.Name }))
		ops.number(3, fields.of(op.Field))
		ops.text(4, op.From)
		ops.text(5, op.To)
		ops.list(6, func(add func(int)) {
			for _, id := range op.Because {
				if n, ok := at[id]; ok {
					add(n)
				}
			}
		})
		ops.text(7, op.Evidence)
		ops.number(8, risks.of(op.Risk))
		ops.number(9, oneIf(op.Reversible))
		ops.text(10, toDecide(op))
		ops.number(11, oneIf(op.Touches != ""))
		if ops.n == blockRows {
			end()
		}
	}
	if ops.n > 0 {
		end()
	}
	var known clues
	choices := newColumnar("finding", "candidates", "records", "suggested")
	endChoices := func() { b.write("choices", p.cast.take(nil, choices)) }
	for m := range plan.Manual.All() {
		n, ok := at[m.Finding]
		if m.Remedy != audit.RemedyChoose || !ok {
			continue
		}
		f := p.r.Findings.At(n)
		known.begin(&f)
		choices.next()
		choices.number(0, n)
		choices.list(1, func(add func(int)) {
			for _, s := range m.Candidates {
				add(p.cast.of(s, func() string { return known.name(p.r, s) }))
			}
		})
		choices.list(2, func(add func(int)) {
			for _, rec := range m.Records {
				add(p.cast.of(rec.Subject, func() string { return rec.Name }))
			}
		})
		keeper := suggested(&f)
		choices.number(3, p.cast.of(keeper, func() string { return known.name(p.r, keeper) }))
		if choices.n == blockRows {
			endChoices()
		}
	}
	if choices.n > 0 {
		endChoices()
	}
}

// identities writes the crosswalk's rows that the page has.
func (p *webPage) identities(b *pageBlocks) {
	list := newColumnar("subject", "externalId", "link", "okta", "email", "status", "matched", "now", "after",
		"given", "family", "active", "admin", "groups", "first", "last")
	statuses := newVocabulary()
	end := func() {
		all := append([]byte(`"statuses":[`), statuses.texts...)
		b.write(crosswalkBlock, p.cast.take(append(all, ']'), list))
		statuses = newVocabulary()
	}
	for row := range p.crosswalk {
		if !p.holds(row) {
			continue
		}
		list.next()
		list.number(0, p.cast.of(row.Subject, func() string { return row.Name }))
		list.text(1, row.ExternalID)
		list.number(2, slices.Index(linkStates(), row.LinkState))
		list.number(3, p.cast.of(row.Okta, func() string { return row.OktaLogin }))
		list.text(4, row.OktaEmail)
		list.number(5, statuses.of(row.OktaStatus))
		list.number(6, slices.Index(matches(), row.MatchedBy))
		list.number(7, slices.Index(audit.Outcomes(), row.Now))
		list.number(8, slices.Index(audit.Outcomes(), row.AfterPlan))
		list.text(9, row.GivenName)
		list.text(10, row.FamilyName)
		list.number(11, oneIf(row.Active))
		list.number(12, oneIf(row.Admin))
		list.number(13, row.Groups)
		list.text(14, row.OktaFirst)
		list.text(15, row.OktaLast)
		if list.n == blockRows {
			end()
		}
	}
	if list.n > 0 {
		end()
	}
}

// dayOf returns the day of a time; blank where there is none.
func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func oneIf(set bool) int {
	if set {
		return 1
	}
	return 0
}

func remedies() []audit.Remedy {
	return []audit.Remedy{audit.RemedyAutomatic, audit.RemedyChoose, audit.RemedyOkta, audit.RemedySupport, audit.RemedyReview}
}

func linkStates() []audit.LinkState {
	return []audit.LinkState{audit.NoLinkState, audit.LinkedLive, audit.LinkedInactive, audit.Stale, audit.Unlinked}
}

func matches() []string { return []string{"", "id", "login", "email", "name", "client_id"} }
