package audit

import (
	"bytes"
	jsonv1 "encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What is written by hand is what the packages write: with every field set, with
// every field blank, and with anything between.
func TestJSONText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f, row, name, op, m := &Finding{}, &CrosswalkRow{}, &SubjectName{}, &Operation{}, &Manual{}
	for _, c := range []struct {
		v     any
		files func([]byte) []byte
		seal  func(*jsonText)
	}{
		{f, f.AppendJSON, func(w *jsonText) { w.finding(f) }},
		{row, row.AppendJSON, func(w *jsonText) { w.crosswalkRow(row) }},
		{name, name.AppendJSON, func(w *jsonText) { w.subjectName(name) }},
		{op, op.AppendJSON, func(w *jsonText) { w.operation(op) }},
		{m, m.AppendJSON, func(w *jsonText) { w.manual(m) }},
	} {
		for i := range 1500 {
			chance := []float64{0, 1, 0.5}[min(i, 2)]
			fill(r, reflect.ValueOf(c.v).Elem(), chance)
			var want bytes.Buffer
			if err := json.MarshalWrite(&want, c.v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true)); err != nil {
				t.Fatal(err)
			}
			if got := c.files([]byte("before")); string(got) != "before"+want.String() {
				t.Fatalf("%T %+v:\n%s\nwant\n%s", c.v, c.v, got, want.Bytes())
			}
			toSeal, err := jsonv1.Marshal(c.v)
			if err != nil {
				t.Fatal(err)
			}
			w := jsonText{sealed: true}
			if c.seal(&w); string(w.b) != string(legible(toSeal)) {
				t.Fatalf("%T %+v is sealed as\n%s\nwant\n%s", c.v, c.v, w.b, legible(toSeal))
			}
		}
	}
}

// fill sets what is exported in v, each with the chance, and clears the rest. A
// field of a new type, or one that is not written, fails the test.
func fill(r *rand.Rand, v reflect.Value, chance float64) {
	v.SetZero()
	if r.Float64() >= chance && v.Kind() != reflect.Struct {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *Subject:
		if r.Float64() < chance {
			*p = Subject{Kind: Kind(r.IntN(9)), ID: anyText(r)}
		}
		return
	case *Severity:
		*p = Severity(r.IntN(6))
		return
	case *time.Time:
		if r.Float64() < chance {
			*p = time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC()
			if r.IntN(2) == 0 {
				*p = p.Truncate(time.Second).In(time.FixedZone("", 60*(r.IntN(1000)-500)))
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(r, v.Field(i), chance)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), chance)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			fill(r, v.Index(i), chance)
		}
	case reflect.String:
		v.SetString(anyText(r))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(r.Int64N(2000) - 1000)
	default:
		panic("a field of the type " + v.Type().String() + " can't be filled")
	}
}

// anyText is a text of pieces of all sorts, broken ones among them.
func anyText(r *rand.Rand) string {
	pieces := []string{"pat@example.com", "Zoë", "美咲", "\U0001f600", "\u2028", "\ufffd", "\xff", "\xc3", "\xe7\xbe", "\xed\xa0\x80", "\xf0\x9f",
		`"`, `\`, "/", "<&>", "\x00", "\b", "\f", "\n", "\r", "\t", "\x1f", "\x7f", " "}
	text := ""
	for range r.IntN(4) {
		if text += pieces[r.IntN(len(pieces))]; r.IntN(4) == 0 {
			text += string([]byte{byte(r.IntN(256))})
		}
	}
	return text
}

// BenchmarkAppendJSON writes a row of the crosswalk as the hand does, and as package json.
func BenchmarkAppendJSON(b *testing.B) {
	row := &CrosswalkRow{Subject: Subject{Kind: DatabricksUserKind, ID: "1000000000037"}, Name: "zoë.garcia12@example.com",
		ExternalID: "00u1abcdefghijklmnop", LinkState: LinkedLive, GivenName: "Zoë", FamilyName: "Garcia", Active: true, Groups: 3,
		Okta: Subject{Kind: OktaUserKind, ID: "00u1abcdefghijklmnop"}, OktaLogin: "zoë.garcia12@example.com", OktaEmail: "zoë.garcia12@example.com",
		OktaStatus: "ACTIVE", OktaFirst: "Zoë", OktaLast: "Garcia", MatchedBy: "id", Now: "match", AfterPlan: "match"}
	b.Run("ours", func(b *testing.B) {
		var line []byte
		for b.Loop() {
			line = row.AppendJSON(line[:0])
		}
	})
	b.Run("json", func(b *testing.B) {
		var line bytes.Buffer
		for b.Loop() {
			line.Reset()
			if err := json.MarshalWrite(&line, row, json.Deterministic(true), jsontext.AllowInvalidUTF8(true)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
