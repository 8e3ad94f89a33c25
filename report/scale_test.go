package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// company is the report of as many people on either side, of whom one in four
// has a finding.
func company(b *testing.B, people int) *audit.Report {
	var build audit.Builder
	for _, in := range audit.Inputs() {
		build.Read(audit.Reading{Input: in, Asked: in.Required(), Complete: in.Required()})
	}
	add := func(record any) {
		if err := build.Add(record); err != nil {
			b.Fatal(err)
		}
	}
	for i := range people {
		id, name := fmt.Sprintf("00u%017d", i), fmt.Sprintf("first%d.last%d@example.com", i, i%977)
		o := audit.OktaUser{ID: id, Status: "ACTIVE", Login: name, Email: name, FirstName: "First", LastName: fmt.Sprint("Last", i%977)}
		d := audit.DatabricksUser{ID: fmt.Sprint(1_000_000_000_000_000 + i), UserName: name, ExternalID: id, GivenName: "First", FamilyName: o.LastName, Active: true}
		if i%4 == 1 {
			d.ExternalID = ""
		}
		add(o)
		add(d)
	}
	s, err := build.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	r, err := audit.Run(s, rules.All(), audit.Options{Now: time.Unix(0, 0), Expires: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkFindings writes, reads and redacts a findings.json. The heap that
// writing needs does not grow with the report.
func BenchmarkFindings(b *testing.B) {
	const people = 100_000
	r := company(b, people)
	name := filepath.Join(b.TempDir(), "findings.json")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	if err := findingsJSON(f, r); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if err := findingsJSON(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		before := held()
		var back *audit.Report
		for b.Loop() {
			if back, err = ReadFindings(bytes.NewReader(text), "findings.json", rules.All()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(held()-before)/(2*people), "B/identity")
		runtime.KeepAlive(back)
	})
	b.Run("redact", func(b *testing.B) {
		for b.Loop() {
			if _, err := Redact(r, testKey); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*people), "ns/identity")
	})
	for _, c := range []struct {
		name string
		File
	}{{"sarif", File{Write: sarifJSON}}, {"ocsf", File{Write: ocsfLines}}, {"junit", File{Write: junitXML}}, {"markdown", File{Write: summaryMarkdown}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Write(io.Discard, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
