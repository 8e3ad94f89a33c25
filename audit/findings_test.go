package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
)

// texts draws texts of few words, so that they stand in each other, and of bytes.
func texts() *rapid.Generator[string] {
	word := rapid.SampledFrom([]string{"", "a", "ana", "ana@example.com", "ANA@example.com", "00u1", "databricks:user:123", "ACTIVE", "\xff\xfe", "\x00", "é\u202e", "\xed\xa0\x80"})
	return rapid.OneOf(word,
		rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(word, 0, 6).Draw(t, "words"), " ") }),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) }),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat("long", rapid.IntRange(0, 40_000).Draw(t, "length")) }))
}

func subjects() *rapid.Generator[audit.Subject] {
	return rapid.Custom(func(t *rapid.T) audit.Subject {
		return audit.Subject{Kind: audit.Kind(rapid.Byte().Draw(t, "kind") % 9), ID: texts().Draw(t, "id")}
	})
}

// list draws a list, an empty one, or none.
func list[T any](t *rapid.T, of *rapid.Generator[T], most int) []T {
	if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
		return nil
	}
	return rapid.SliceOfN(of, 0, most).Draw(t, "list")
}

func finding() *rapid.Generator[audit.Finding] {
	return rapid.Custom(func(t *rapid.T) audit.Finding {
		text := func(name string) string { return texts().Draw(t, name) }
		when := func() time.Time {
			return []time.Time{{}, time.Unix(1_700_000_000, 0).UTC(), time.Unix(1_700_086_400, 5)}[rapid.IntRange(0, 2).Draw(t, "time")]
		}
		f := audit.Finding{Rule: text("rule"), Severity: audit.Severity(rapid.Byte().Draw(t, "severity")), Key: text("key"), Message: text("message"),
			Subjects: list(t, subjects(), 40), Remedy: audit.Remedy(text("remedy")), Operations: list(t, texts(), 3),
			Waived: rapid.Bool().Draw(t, "waived"), FirstSeen: when(), LastSeen: when(), State: audit.State(text("state"))}
		switch rapid.IntRange(0, 3).Draw(t, "id") {
		case 0:
			f.ID = text("id")
		case 1:
			f.ID = strings.ToUpper(audit.FindingID(f.Rule, f.Key))
		default:
			f.ID = audit.FindingID(f.Rule, f.Key)
		}
		about := subjects()
		if len(f.Subjects) > 0 {
			about = rapid.OneOf(about, rapid.SampledFrom(f.Subjects))
		}
		f.Evidence = list(t, rapid.Custom(func(t *rapid.T) audit.Evidence {
			return audit.Evidence{Subject: about.Draw(t, "subject"), Role: texts().Draw(t, "role"), Field: texts().Draw(t, "field"), Value: texts().Draw(t, "value")}
		}), 40)
		if rapid.Bool().Draw(t, "by") {
			f.Waiver = &audit.WaivedBy{Owner: text("owner"), Reason: text("reason"), Expires: text("expires")}
		}
		return f
	})
}

// A finding is unpacked as it was packed, whatever it holds, down to the lists
// that it does not have.
func TestFindingsArePackedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(finding(), 0, 8).Draw(t, "findings")
		fs := audit.NewFindings(want...)
		if fs.Len() != len(want) {
			t.Fatalf("%d findings, want %d", fs.Len(), len(want))
		}
		n := 0
		for i, f := range fs.All() {
			if diff := cmp.Diff(want[i], *f); diff != "" || i != n {
				t.Fatalf("finding %d of all (-packed +unpacked)\n%s", i, diff)
			}
			if diff := cmp.Diff(want[i], fs.At(i)); diff != "" {
				t.Fatalf("finding %d (-packed +unpacked)\n%s", i, diff)
			}
			if head := fs.Head(i); head != want[i].Head() {
				t.Fatalf("the head of finding %d is %+v", i, head)
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("%d of %d are yielded", n, len(want))
		}
		for i := range want {
			want[i].State, want[i].FirstSeen, want[i].LastSeen = audit.Open, time.Unix(int64(i), 0), time.Unix(9, 0)
			fs.Stamp(i, want[i].FirstSeen, want[i].LastSeen, audit.Open)
		}
		for i, f := range fs.Where(func(h audit.FindingHead) bool { return h.Waived }) {
			if diff := cmp.Diff(want[i], *f); diff != "" || !f.Waived {
				t.Fatalf("finding %d after its stamp (-want +got)\n%s", i, diff)
			}
		}
	})
}

// Findings of many pages, and larger than one.
func TestFindingsOfManyPages(t *testing.T) {
	var fs audit.Findings
	var want []audit.Finding
	for i := range 4000 {
		key := fmt.Sprintf("person%d@example.com", i)
		f := audit.Finding{ID: audit.FindingID("a-rule", key), Rule: "a-rule", Severity: audit.Error, Key: key, Message: key + " " + strings.Repeat("x", i%70_000*(i%701/700*99+1))}
		fs.Add(&f)
		want = append(want, f)
	}
	for i, f := range fs.All() {
		if !cmp.Equal(want[i], *f) {
			t.Fatalf("finding %d is not what it was", i)
		}
	}
}

// An id that nearly is one of those that are made is kept as it is.
func TestIDsArePackedWhole(t *testing.T) {
	ids := []string{"", "-", "a-rule", "a-rule-", "a-rule-0123456789ab", "a-rule-0123456789AB", "a-rule-0123456789aB", "a-rule-0123456789ag", "a-rule-0123456789a",
		"a-rule-0123456789abc", "a-rule-0123456789abcd", "b-rule-0123456789ab", "0123456789ab", "a-rule 0123456789ab", "A-rule-0123456789ab"}
	var fs audit.Findings
	for _, id := range ids {
		fs.Add(&audit.Finding{Rule: "a-rule", ID: id})
	}
	for i, f := range fs.All() {
		if f.ID != ids[i] || fs.At(i).ID != ids[i] {
			t.Errorf("%q came back as %q and %q", ids[i], f.ID, fs.At(i).ID)
		}
	}
}
