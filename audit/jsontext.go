package audit

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/internal/scan"
)

// What there are a million of is written here by hand, at a quarter of the cost of
// a package that finds out what it writes. TestJSONText holds it to those packages.

// AppendJSON appends f as findings.json has it: the bytes of package
// github.com/go-json-experiment/json. So it is with the others.
func (f *Finding) AppendJSON(b []byte) []byte { return appendJSON(b, (*jsonText).finding, f) }

// AppendJSON appends r.
func (r *CrosswalkRow) AppendJSON(b []byte) []byte {
	return appendJSON(b, (*jsonText).crosswalkRow, r)
}

// AppendJSON appends n.
func (n *SubjectName) AppendJSON(b []byte) []byte { return appendJSON(b, (*jsonText).subjectName, n) }

// AppendJSON appends op.
func (op *Operation) AppendJSON(b []byte) []byte { return appendJSON(b, (*jsonText).operation, op) }

// AppendJSON appends m.
func (m *Manual) AppendJSON(b []byte) []byte { return appendJSON(b, (*jsonText).manual, m) }

func appendJSON[T any](b []byte, write func(*jsonText, T), v T) []byte {
	w := jsonText{b: b}
	write(&w, v)
	return w.b
}

// A jsonText appends JSON. Names of members need no escaping.
type jsonText struct {
	b []byte

	// sealed is what a plan's digest is over: the bytes of package encoding/json,
	// which escapes <, > and &, and writes a list that is not there as null, but
	// [legible].
	sealed bool
}

func (w *jsonText) finding(f *Finding) {
	w.open()
	w.text("id", f.ID)
	w.text("rule", f.Rule)
	w.text("severity", f.Severity.String())
	array(w, "subjects", f.Subjects, (*jsonText).quoteSubject)
	w.text("key", f.Key)
	w.text("message", f.Message)
	array(w, "evidence", f.Evidence, (*jsonText).evidence)
	w.text("remedy", string(f.Remedy))
	array(w, "operations", f.Operations, (*jsonText).quoteText)
	w.flag("waived", f.Waived)
	if f.Waiver != nil {
		w.name("waiver")
		w.open()
		w.text("owner", f.Waiver.Owner)
		w.text("reason", f.Waiver.Reason)
		w.text("expires", f.Waiver.Expires)
		w.close()
	}
	w.time("first_seen", f.FirstSeen)
	w.time("last_seen", f.LastSeen)
	w.known("state", string(f.State))
	w.close()
}

func (w *jsonText) evidence(e *Evidence) {
	w.open()
	w.subject("subject", e.Subject)
	w.text("role", e.Role)
	w.text("field", e.Field)
	w.text("value", e.Value)
	w.close()
}

func (w *jsonText) crosswalkRow(r *CrosswalkRow) {
	w.open()
	w.subject("subject", r.Subject)
	w.text("name", r.Name)
	w.known("external_id", r.ExternalID)
	w.known("link_state", string(r.LinkState))
	w.known("given_name", r.GivenName)
	w.known("family_name", r.FamilyName)
	if r.Active {
		w.flag("active", true)
	}
	if r.Admin {
		w.flag("admin", true)
	}
	if r.Groups != 0 {
		w.name("groups")
		w.b = strconv.AppendInt(w.b, int64(r.Groups), 10)
	}
	if !r.Okta.IsZero() {
		w.subject("okta", r.Okta)
	}
	w.known("okta_login", r.OktaLogin)
	w.known("okta_email", r.OktaEmail)
	w.known("okta_status", r.OktaStatus)
	w.known("okta_first_name", r.OktaFirst)
	w.known("okta_last_name", r.OktaLast)
	w.known("matched_by", r.MatchedBy)
	w.known("now", string(r.Now))
	w.known("after_plan", string(r.AfterPlan))
	w.close()
}

func (w *jsonText) subjectName(n *SubjectName) {
	w.open()
	w.subject("subject", n.Subject)
	w.text("name", n.Name)
	w.close()
}

func (w *jsonText) operation(op *Operation) {
	w.open()
	w.text("id", op.ID)
	w.text("action", string(op.Action))
	w.subject("target", op.Target)
	w.text("name", op.Name)
	w.text("field", op.Field)
	w.text("from", op.From)
	w.text("to", op.To)
	array(w, "because", op.Because, (*jsonText).quoteText)
	w.text("evidence", op.Evidence)
	w.flag("reversible", op.Reversible)
	w.text("risk", op.Risk)
	w.known("touches", op.Touches)
	w.text("decision", string(op.Decision))
	w.close()
}

func (w *jsonText) manual(m *Manual) {
	w.open()
	w.text("finding", m.Finding)
	w.text("remedy", string(m.Remedy))
	w.text("what", m.What)
	array(w, "candidates", m.Candidates, (*jsonText).quoteSubject)
	if len(m.Records) > 0 {
		array(w, "records", m.Records, (*jsonText).record)
	}
	w.close()
}

func (w *jsonText) record(r *Record) {
	w.open()
	w.subject("subject", r.Subject)
	w.text("name", r.Name)
	w.text("external_id", r.ExternalID)
	w.flag("active", r.Active)
	w.close()
}

func (w *jsonText) open()  { w.b = append(w.b, '{') }
func (w *jsonText) close() { w.b = append(w.b, '}') }

// next separates element i of a list from the one before.
func (w *jsonText) next(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

func (w *jsonText) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *jsonText) text(name, v string) {
	w.name(name)
	w.quote(v)
}

// known writes a text that is left out if it is blank.
func (w *jsonText) known(name, v string) {
	if v != "" {
		w.text(name, v)
	}
}

func (w *jsonText) flag(name string, v bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, v)
}

// time writes a time that is left out if it is zero.
func (w *jsonText) time(name string, v time.Time) {
	if !v.IsZero() {
		w.text(name, v.Format(time.RFC3339Nano))
	}
}

func (w *jsonText) subject(name string, s Subject) {
	w.name(name)
	w.quoteSubject(&s)
}

// array writes a list of what each writes.
func array[T any](w *jsonText, name string, values []T, each func(*jsonText, *T)) {
	w.name(name)
	if values == nil && w.sealed {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '[')
	for i := range values {
		w.next(i)
		each(w, &values[i])
	}
	w.b = append(w.b, ']')
}

func (w *jsonText) quoteText(v *string) { w.quote(*v) }

func (w *jsonText) quoteSubject(s *Subject) {
	if s.IsZero() || !w.unescaped(s.ID) {
		w.quote(s.String())
		return
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, s.Kind.String()...)
	w.b = append(w.b, ':')
	w.b = append(w.b, s.ID...)
	w.b = append(w.b, '"')
}

func (w *jsonText) quote(v string) {
	switch {
	case w.unescaped(v):
		w.b = append(w.b, '"')
		w.b = append(w.b, v...)
		w.b = append(w.b, '"')
	case w.sealed:
		quoted, _ := json.Marshal(v) // a string always is JSON
		w.b = append(w.b, legible(quoted)...)
	default:
		w.b, _ = jsontext.AppendQuote(w.b, v) // the error says that it is no UTF-8: U+FFFD stands there
	}
}

// unescaped reports whether v stands there as it is.
func (w *jsonText) unescaped(v string) bool {
	special, ascii := scan.For(v, '\\')
	if special || !ascii && !utf8.ValidString(v) {
		return false
	}
	if !w.sealed {
		return true
	}
	for _, c := range []byte("<>&") {
		if strings.IndexByte(v, c) >= 0 {
			return false
		}
	}
	return ascii || !strings.Contains(v, "\u2028"[:2]) // U+2028 and U+2029 are escaped too
}
