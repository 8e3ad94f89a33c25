package audit

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// Rows are kept as they were given, with every field set, with none, and with
// anything between, and put in order.
func TestCrosswalkKeepsRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	given := map[Subject]CrosswalkRow{}
	var c Crosswalk
	for i := range 20_000 { // more than one block of them
		var row CrosswalkRow
		fill(r, reflect.ValueOf(&row).Elem(), []float64{0, 1, 0.5}[min(i, 2)])
		if i > 1 {
			row.Subject = Subject{Kind(1 + i%int(kindEnd-1)), strconv.Itoa(i)}
		}
		given[row.Subject] = row
		if err := c.Add(&row); err != nil {
			t.Fatal(err)
		}
	}
	c.Sort()
	report := &Report{}
	if err := report.Keep(&c, nil); err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(report.Crosswalk())
	if len(got) != len(given) || !slices.IsSortedFunc(got, func(a, b CrosswalkRow) int { return a.Subject.Compare(b.Subject) }) {
		t.Fatalf("%d rows of %d, or out of order", len(got), len(given))
	}
	for _, row := range got {
		if row != given[row.Subject] {
			t.Fatalf("got %+v, want %+v", row, given[row.Subject])
		}
		if name := report.Name(row.Subject); name != row.Name {
			t.Fatalf("%s is called %q, want %q", row.Subject, name, row.Name)
		}
	}
}
