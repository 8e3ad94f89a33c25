package report

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// cluster is a report of one finding about n identities with one email, each with
// two pieces of evidence, and of one about a group with as many members.
func cluster(t testing.TB, n int) *audit.Report {
	r := sample(t)
	shared := audit.Finding{Rule: "shared-email", Severity: audit.Blocker, Remedy: audit.RemedyOkta, Key: "all@example.com", Message: "many share one"}
	rename := shared
	rename.Rule, rename.Remedy = "username-drift", audit.RemedySupport
	drift := audit.Finding{Rule: "group-member-drift", Remedy: audit.RemedyReview, Key: "databricks:group:5",
		Subjects: []audit.Subject{{Kind: audit.DatabricksGroupKind, ID: "5"}}}
	ids := slices.Repeat([]audit.Subject{{}}, n)
	for i := range ids {
		ids[i] = oktaUser(fmt.Sprintf("00u%07d", i))
		if i%2 == 0 {
			ids[i] = databricksUser(fmt.Sprintf("%07d", i))
		}
		shared.Evidence = append(shared.Evidence,
			audit.Evidence{Subject: ids[i], Role: "email of", Field: "profile.email", Value: "ALL@example.com"},
			audit.Evidence{Subject: ids[i], Role: "login of", Field: nameField(ids[i].Kind), Value: ids[i].ID + "@example.com"})
		rename.Evidence = append(rename.Evidence, audit.Evidence{Subject: ids[i], Role: targetRole, Field: "userName", Value: ids[i].ID})
		drift.Evidence = append(drift.Evidence, audit.Evidence{Subject: drift.Subjects[0], Role: "has an unknown member", Field: "members", Value: ids[i].ID})
	}
	shared.Subjects, rename.Subjects = ids, ids
	r.Findings = audit.Findings{}
	for _, f := range []audit.Finding{shared, rename, drift} {
		f.ID = audit.FindingID(f.Rule, f.Key)
		r.Findings.Add(&f)
	}
	return r
}

// What is found by its place in order is what is found by looking at all.
func TestClues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var known clues
		for range 3 {
			f := &audit.Finding{}
			for i := range rapid.IntRange(0, 3*fewPieces).Draw(t, "pieces") {
				f.Evidence = append(f.Evidence, audit.Evidence{Subject: oktaUser(rapid.StringMatching("[a-e]").Draw(t, "id")), Value: fmt.Sprint(i)})
			}
			known.begin(f)
			for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
				var want []string
				for _, e := range f.Evidence {
					if e.Subject == oktaUser(id) {
						want = append(want, e.Value)
					}
				}
				var got []string
				for _, e := range known.about(oktaUser(id)) {
					got = append(got, e.Value)
				}
				if !slices.Equal(want, got) {
					t.Errorf("of %s: %q, want %q", id, got, want)
				}
			}
		}
	})
}

// Two hundred thousand identities that are one finding: what takes the square of
// them in any file never ends here. The figure is how the time grows from a tenth
// of them, as an exponent: 1 is in step with their number.
func BenchmarkCluster(b *testing.B) {
	n := 200_000
	if testing.Short() {
		n = 3_000
	}
	small, large := cluster(b, n/10), cluster(b, n)
	for _, file := range files() {
		b.Run(file.Name, func(b *testing.B) {
			for range b.N {
				time := func(r *audit.Report) float64 {
					return cpu(func() {
						if err := file.Write(io.Discard, r); err != nil {
							b.Fatal(err)
						}
					}).Seconds()
				}
				b.ReportMetric(exponent(time(small), time(large), 10), "exponent")
			}
		})
	}
}
