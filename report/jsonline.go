package report

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/scan"
)

// appendLine appends v as a line of findings.json, if it is of a kind of which
// there are many. It gives the bytes that package json gives, at a quarter of the
// cost; TestAppendLine holds it to that.
func appendLine(b []byte, v any) (line []byte, ok bool) {
	l := lineWriter{b}
	switch v := v.(type) {
	case *audit.Finding:
		l.finding(v)
	case *audit.CrosswalkRow:
		l.crosswalkRow(v)
	case *audit.SubjectName:
		l.open()
		l.subject("subject", v.Subject)
		l.text("name", v.Name)
		l.close()
	case *audit.Operation:
		l.operation(v)
	case *audit.Manual:
		l.manual(v)
	default:
		return b, false
	}
	return l.b, true
}

// A lineWriter appends JSON. Names of members need no escaping.
type lineWriter struct{ b []byte }

func (l *lineWriter) finding(f *audit.Finding) {
	l.open()
	l.text("id", f.ID)
	l.text("rule", f.Rule)
	l.text("severity", f.Severity.String())
	l.subjects("subjects", f.Subjects)
	l.text("key", f.Key)
	l.text("message", f.Message)
	l.name("evidence")
	l.b = append(l.b, '[')
	for i := range f.Evidence {
		e := &f.Evidence[i]
		l.next(i)
		l.open()
		l.subject("subject", e.Subject)
		l.text("role", e.Role)
		l.text("field", e.Field)
		l.text("value", e.Value)
		l.close()
	}
	l.b = append(l.b, ']')
	l.text("remedy", string(f.Remedy))
	l.texts("operations", f.Operations)
	l.flag("waived", f.Waived)
	if f.Waiver != nil {
		l.name("waiver")
		l.open()
		l.text("owner", f.Waiver.Owner)
		l.text("reason", f.Waiver.Reason)
		l.text("expires", f.Waiver.Expires)
		l.close()
	}
	l.time("first_seen", f.FirstSeen)
	l.time("last_seen", f.LastSeen)
	l.known("state", string(f.State))
	l.close()
}

func (l *lineWriter) crosswalkRow(r *audit.CrosswalkRow) {
	l.open()
	l.subject("subject", r.Subject)
	l.text("name", r.Name)
	l.known("external_id", r.ExternalID)
	l.known("link_state", string(r.LinkState))
	l.known("given_name", r.GivenName)
	l.known("family_name", r.FamilyName)
	if r.Active {
		l.flag("active", true)
	}
	if r.Admin {
		l.flag("admin", true)
	}
	if r.Groups != 0 {
		l.name("groups")
		l.b = strconv.AppendInt(l.b, int64(r.Groups), 10)
	}
	if !r.Okta.IsZero() {
		l.subject("okta", r.Okta)
	}
	l.known("okta_login", r.OktaLogin)
	l.known("okta_email", r.OktaEmail)
	l.known("okta_status", r.OktaStatus)
	l.known("okta_first_name", r.OktaFirst)
	l.known("okta_last_name", r.OktaLast)
	l.known("matched_by", r.MatchedBy)
	l.known("now", string(r.Now))
	l.known("after_plan", string(r.AfterPlan))
	l.close()
}

func (l *lineWriter) operation(op *audit.Operation) {
	l.open()
	l.text("id", op.ID)
	l.text("action", string(op.Action))
	l.subject("target", op.Target)
	l.text("name", op.Name)
	l.text("field", op.Field)
	l.text("from", op.From)
	l.text("to", op.To)
	l.texts("because", op.Because)
	l.text("evidence", op.Evidence)
	l.flag("reversible", op.Reversible)
	l.text("risk", op.Risk)
	l.known("touches", op.Touches)
	l.text("decision", string(op.Decision))
	l.close()
}

func (l *lineWriter) manual(m *audit.Manual) {
	l.open()
	l.text("finding", m.Finding)
	l.text("remedy", string(m.Remedy))
	l.text("what", m.What)
	l.subjects("candidates", m.Candidates)
	if len(m.Records) > 0 {
		l.name("records")
		l.b = append(l.b, '[')
		for i, r := range m.Records {
			l.next(i)
			l.open()
			l.subject("subject", r.Subject)
			l.text("name", r.Name)
			l.text("external_id", r.ExternalID)
			l.flag("active", r.Active)
			l.close()
		}
		l.b = append(l.b, ']')
	}
	l.close()
}

func (l *lineWriter) open()  { l.b = append(l.b, '{') }
func (l *lineWriter) close() { l.b = append(l.b, '}') }

// next separates element i of an array from the one before.
func (l *lineWriter) next(i int) {
	if i > 0 {
		l.b = append(l.b, ',')
	}
}

func (l *lineWriter) name(name string) {
	if l.b[len(l.b)-1] != '{' {
		l.b = append(l.b, ',')
	}
	l.b = append(l.b, '"')
	l.b = append(l.b, name...)
	l.b = append(l.b, '"', ':')
}

func (l *lineWriter) text(name, v string) {
	l.name(name)
	l.quote(v)
}

// known writes a text that is left out if it is blank.
func (l *lineWriter) known(name, v string) {
	if v != "" {
		l.text(name, v)
	}
}

func (l *lineWriter) flag(name string, v bool) {
	l.name(name)
	l.b = strconv.AppendBool(l.b, v)
}

// time writes a time that is left out if it is zero.
func (l *lineWriter) time(name string, v time.Time) {
	if !v.IsZero() {
		l.text(name, v.Format(time.RFC3339Nano))
	}
}

func (l *lineWriter) texts(name string, list []string) {
	l.name(name)
	l.b = append(l.b, '[')
	for i, v := range list {
		l.next(i)
		l.quote(v)
	}
	l.b = append(l.b, ']')
}

func (l *lineWriter) subject(name string, s audit.Subject) {
	l.name(name)
	l.quoteSubject(s)
}

func (l *lineWriter) subjects(name string, list []audit.Subject) {
	l.name(name)
	l.b = append(l.b, '[')
	for i, s := range list {
		l.next(i)
		l.quoteSubject(s)
	}
	l.b = append(l.b, ']')
}

func (l *lineWriter) quoteSubject(s audit.Subject) {
	if s.IsZero() || !unescaped(s.ID) {
		l.quote(s.String())
		return
	}
	l.b = append(l.b, '"')
	l.b = append(l.b, s.Kind.String()...)
	l.b = append(l.b, ':')
	l.b = append(l.b, s.ID...)
	l.b = append(l.b, '"')
}

func (l *lineWriter) quote(v string) {
	if !unescaped(v) {
		// The error says that it is no UTF-8, which stands there as U+FFFD: see [odd].
		l.b, _ = jsontext.AppendQuote(l.b, v)
		return
	}
	l.b = append(l.b, '"')
	l.b = append(l.b, v...)
	l.b = append(l.b, '"')
}

// unescaped reports whether v stands in JSON as it is.
func unescaped(v string) bool {
	special, ascii := scan.For(v, '\\')
	return !special && (ascii || utf8.ValidString(v))
}
