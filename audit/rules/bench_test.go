package rules_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// BenchmarkRun audits a company of 100,000 people, of whom one in a hundred has
// each of some defects.
func BenchmarkRun(b *testing.B) {
	const people = 100_000
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
		switch i % 100 {
		case 1:
			d.ExternalID = ""
		case 2:
			o.Email = fmt.Sprintf("team%d@example.com", i/200)
		case 3:
			o.Login, o.Email = "renamed."+name, "renamed."+name
		case 4:
			d.ExternalID = "00ugone" + id[7:]
		case 5:
			d.GivenName = ""
		case 6:
			d.ExternalID, d.UserName = "", fmt.Sprintf("first%d.last%d@example.org", i, i%977)
		case 7:
			o.Status = audit.StatusDeprovisioned
		}
		add(o)
		add(d)
	}
	s, err := build.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audit.Run(s, rules.All(), audit.Options{Now: time.Unix(0, 0), Expires: time.Hour}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*people), "ns/identity")
}
