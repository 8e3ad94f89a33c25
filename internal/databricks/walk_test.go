package databricks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// A shelf is a listing that a test may move, cut or falsify.
type shelf struct {
	rows  []string
	limit int // rows a page
	asked []int

	before func(s *shelf)          // is called before each page
	after  func(s *shelf, p *page) // may change the answer
	fail   func(request int) error
}

func numbered(n int) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprint(1000 + i)
	}
	return rows
}

func (s *shelf) page(_ context.Context, start, count int) (page, error) {
	s.asked = append(s.asked, start)
	if s.before != nil {
		s.before(s)
	}
	if s.fail != nil {
		if err := s.fail(len(s.asked)); err != nil {
			return page{}, err
		}
	}
	p := page{total: len(s.rows), start: start}
	from := min(start-1, len(s.rows))
	for _, id := range s.rows[from:min(from+min(s.limit, count), len(s.rows))] {
		p.objects = append(p.objects, jsontext.Value(fmt.Sprintf(`{"id":%q,"userName":"u%s@example.com"}`, id, id)))
	}
	if s.after != nil {
		s.after(s, &p)
	}
	return p, nil
}

// read reads the shelf and returns the ids that a snapshot would hold.
func (s *shelf) read(t *testing.T) (audit.Reading, []string) {
	t.Helper()
	var ids []string
	r := readListing(t.Context(), users, s.page, func(p audit.Page) error {
		if p.Restart {
			ids = nil
		}
		for _, record := range p.Records {
			ids = append(ids, record.(audit.DatabricksUser).ID)
		}
		return nil
	})
	if r.Received != len(ids) {
		t.Errorf("received %d, but %d ids were handed on", r.Received, len(ids))
	}
	if r.Complete != (r.Reason == "") {
		t.Errorf("complete %v with the reason %q", r.Complete, r.Reason)
	}
	return r, ids
}

// A whole listing is read with the fewest pages that prove it: one row early
// each, and one more where the last page was full.
func TestWalkAsksOneRowEarly(t *testing.T) {
	for _, test := range []struct {
		rows, limit int
		asked       []int
	}{
		{0, 100, []int{1}},
		{1, 100, []int{1, 1}},
		{99, 100, []int{1, 99}},
		{100, 100, []int{1, 100}},
		{101, 100, []int{1, 100}},
		{199, 100, []int{1, 100, 199}},
		{200, 100, []int{1, 100, 199}},
		{5, 2, []int{1, 2, 3, 4, 5, 1}},
	} {
		s := &shelf{rows: numbered(test.rows), limit: test.limit}
		r, ids := s.read(t)
		if !r.Complete || r.Expected != test.rows {
			t.Errorf("%d rows, %d a page: %+v", test.rows, test.limit, r)
		}
		if !slices.Equal(ids, s.rows) {
			t.Errorf("%d rows, %d a page: got %d", test.rows, test.limit, len(ids))
		}
		if diff := cmp.Diff(test.asked, s.asked); diff != "" {
			t.Errorf("%d rows, %d a page: asked for rows (-want +got)\n%s", test.rows, test.limit, diff)
		}
	}
}

// The vendor's sample account: 2,504 users, 341 groups, 173 service principals.
func TestWalkTakesFewRequests(t *testing.T) {
	requests := 0
	for _, n := range []int{2504, 341, 173} {
		s := &shelf{rows: numbered(n), limit: 100}
		if r, _ := s.read(t); !r.Complete {
			t.Errorf("%d: %s", n, r.Reason)
		}
		requests += len(s.asked)
	}
	if requests > 33 {
		t.Errorf("%d requests, want at most 33", requests)
	}
}

// A page without startIndex is where the row asked early says it is.
func TestWalkNeedsNoStartIndex(t *testing.T) {
	s := &shelf{rows: numbered(250), limit: 100, after: func(_ *shelf, p *page) { p.start = absent }}
	if r, ids := s.read(t); !r.Complete || len(ids) != 250 {
		t.Errorf("%+v", r)
	}
}

// A page larger than asked for is taken as it is.
func TestWalkTakesLargerPages(t *testing.T) {
	s := &shelf{rows: numbered(250), limit: 1000}
	get := func(ctx context.Context, start, _ int) (page, error) { return s.page(ctx, start, 1000) }
	n := 0
	r := readListing(t.Context(), users, get, func(p audit.Page) error { n += len(p.Records); return nil })
	if !r.Complete || n != 250 {
		t.Errorf("%d: %+v", n, r)
	}
}

// What changes once is read again and is whole in the end; nothing that was
// there throughout is missed, and nothing stays that went before the end.
func TestWalkReadsAgainWhatMoved(t *testing.T) {
	for name, move := range map[string]func(s *shelf){
		"a read row is deleted": func(s *shelf) { s.rows = slices.Delete(s.rows, 3, 4) },
		"a read row is deleted and another appended": func(s *shelf) {
			s.rows = append(slices.Delete(s.rows, 3, 4), "new")
		},
		"a row is inserted":                 func(s *shelf) { s.rows = slices.Insert(s.rows, 0, "new") },
		"the last row is deleted":           func(s *shelf) { s.rows = s.rows[:len(s.rows)-1] },
		"the order changes":                 func(s *shelf) { slices.Reverse(s.rows) },
		"all but the first rows are lost":   func(s *shelf) { s.rows = s.rows[:50] },
		"all is lost":                       func(s *shelf) { s.rows = nil },
		"two rows far apart change places":  func(s *shelf) { s.rows[5], s.rows[240] = s.rows[240], s.rows[5] },
		"a row that was read moves to last": func(s *shelf) { s.rows = append(s.rows, s.rows[5]); s.rows = slices.Delete(s.rows, 5, 6) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{rows: numbered(250), limit: 100}
			s.before = func(s *shelf) {
				if len(s.asked) == 2 {
					s.rows = slices.Clone(s.rows)
					move(s)
				}
			}
			r, ids := s.read(t)
			if !r.Complete {
				t.Fatalf("incomplete: %s", r.Reason)
			}
			if diff := cmp.Diff(s.rows, ids, cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
				t.Errorf("ids (-want +got)\n%s", diff)
			}
		})
	}
}

// A page that comes in another's place is asked for again, and the listing goes on.
func TestWalkAsksAgainForAPageThatDoesNotFit(t *testing.T) {
	s := &shelf{rows: numbered(2500), limit: 100}
	s.after = func(s *shelf, p *page) {
		switch n := len(s.asked); {
		case n%6 == 2: // the page before
			*p, _ = (&shelf{rows: s.rows, limit: s.limit}).page(context.Background(), max(1, p.start-100), 100)
		case n%6 == 4: // the same, said to be the one that was asked for
			start := p.start
			*p, _ = (&shelf{rows: s.rows, limit: s.limit}).page(context.Background(), max(1, p.start-50), 100)
			p.start = start
		case n%6 == 0:
			p.total += 3
		}
	}
	r, ids := s.read(t)
	if !r.Complete || r.Proof.Restarts > 0 || !slices.Equal(ids, s.rows) {
		t.Errorf("%d ids, %d requests, %+v", len(ids), len(s.asked), r)
	}
}

// A row deleted and another inserted before the place where pages overlap leave
// total and overlap as they were. Where new rows come first, the first page tells.
func TestWalkLooksAtTheFirstPageAgain(t *testing.T) {
	s := &shelf{rows: numbered(650), limit: 100}
	s.before = func(s *shelf) {
		if len(s.asked) == 6 {
			s.rows = append([]string{"new"}, slices.Delete(slices.Clone(s.rows), 300, 301)...)
		}
	}
	r, ids := s.read(t)
	if !r.Complete || !slices.Equal(ids, s.rows) || r.Proof.Restarts != 1 {
		t.Errorf("%d rows, new among them: %v; %+v", len(ids), slices.Contains(ids, "new"), r)
	}
}

// What keeps changing, lies or never ends is never complete, is read no more
// than four times, and is said in numbers.
func TestWalkNeverBelieves(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *shelf)
		reason string
	}{
		"a list that moves on every page": {
			func(s *shelf) {
				s.before = func(s *shelf) { s.rows = append(slices.Clone(s.rows[1:]), fmt.Sprint(len(s.asked))) }
			}, "row 100 was",
		},
		"a total that is too high": {
			func(s *shelf) { s.after = func(_ *shelf, p *page) { p.total = 251 } },
			"251 users are announced and the listing ends after 250",
		},
		"a total beyond all sense": {
			func(s *shelf) { s.after = func(_ *shelf, p *page) { p.total = 1_000_000_000 } },
			"1000000000 users are announced, and no account has so many",
		},
		"a total that is too low": {
			func(s *shelf) { s.after = func(_ *shelf, p *page) { p.total = 150 } },
			"150 users are announced and at least 199 listed",
		},
		"a total that is the first page's": {
			func(s *shelf) { s.after = func(_ *shelf, p *page) { p.total = 100 } },
			"100 users are announced and at least 199 listed",
		},
		"a total that changes": {
			func(s *shelf) { s.after = func(s *shelf, p *page) { p.total += len(s.asked) } },
			"users were announced first and",
		},
		"no total": {
			func(s *shelf) { s.after = func(_ *shelf, p *page) { p.total = absent } },
			"does not say how many users there are",
		},
		"a list cut short": {
			func(s *shelf) {
				s.after = func(_ *shelf, p *page) {
					p.total = 250
					if p.start > 1 {
						p.objects = nil
					}
				}
			}, "row 100, read before, is gone",
		},
		"a page cut short for ever": {
			func(s *shelf) {
				s.after = func(_ *shelf, p *page) { p.total = 300 }
			}, "300 users are announced and the listing ends after 250",
		},
		"the first page again and again": {
			func(s *shelf) {
				s.after = func(s *shelf, p *page) {
					*p, _ = (&shelf{rows: s.rows, limit: s.limit}).page(context.Background(), 1, 100)
				}
			}, "row 100 was asked for and the answer begins with row 1",
		},
		"the first page again and again, without startIndex": {
			func(s *shelf) {
				s.after = func(s *shelf, p *page) {
					*p, _ = (&shelf{rows: s.rows, limit: s.limit}).page(context.Background(), 1, 100)
					p.start = absent
				}
			}, "row 100 was 1099 and is now 1000",
		},
		"a list that never ends": {
			func(s *shelf) {
				s.after = func(s *shelf, p *page) {
					*p = page{total: 250, start: p.start}
					for i := range 100 {
						p.objects = append(p.objects, jsontext.Value(fmt.Sprintf(`{"id":"%d","userName":"a"}`, p.start+i)))
					}
				}
			}, "250 users are announced and at least",
		},
		"an id twice": {
			func(s *shelf) { s.rows[170] = s.rows[20] }, "user 1020 is listed twice",
		},
		"an id twice on one page": {
			func(s *shelf) { s.rows[21] = s.rows[20] }, "user 1020 is listed twice",
		},
		"nothing at all of many": {
			func(s *shelf) { s.after = func(_ *shelf, p *page) { p.objects = nil } },
			"250 users are announced and the listing ends after 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{rows: numbered(250), limit: 100}
			test.change(s)
			r, _ := s.read(t)
			if r.Complete {
				t.Fatal("complete")
			}
			if !strings.Contains(r.Reason, test.reason) {
				t.Errorf("reason %q, want %q in it", r.Reason, test.reason)
			}
			if len(s.asked) > 4*4 {
				t.Errorf("%d requests", len(s.asked))
			}
		})
	}
}

// An answer that fails ends the listing; what was read stays, and is incomplete.
func TestWalkKeepsWhatItRead(t *testing.T) {
	s := &shelf{rows: numbered(250), limit: 100, fail: func(request int) error {
		if request == 3 {
			return errors.New("Databricks answered with status 403: ask")
		}
		return nil
	}}
	r, ids := s.read(t)
	want := audit.Reading{
		Input: audit.DatabricksUsers, Asked: true, Expected: 250, Received: 199,
		Reason: "users after 199: Databricks answered with status 403: ask",
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(ids) != 199 {
		t.Errorf("%d ids", len(ids))
	}
}

// An object that can't be decoded is received, kept and no reason to stop.
func TestWalkKeepsUndecodedObjects(t *testing.T) {
	odd := []jsontext.Value{
		jsontext.Value(`{"id":"7","active":"maybe"}`),
		jsontext.Value(`{"id":"8","id":"9"}`),
		jsontext.Value(`{"userName":"nobody@example.com"}`),
		jsontext.Value(`17`),
	}
	// The odd ones stand where pages meet: they serve for the overlap too.
	s := &shelf{rows: numbered(250), limit: 100, after: func(_ *shelf, p *page) {
		for i := range p.objects {
			if row := p.start + i; row >= 98 && row < 98+len(odd) {
				p.objects[i] = odd[row-98]
			}
		}
	}}
	var undecoded []string
	n := 0
	r := readListing(t.Context(), users, s.page, func(p audit.Page) error {
		for _, record := range p.Records {
			n++
			if u, ok := record.(audit.Undecoded); ok {
				undecoded = append(undecoded, u.Error)
			}
		}
		return nil
	})
	if r.Complete || n != 250 || r.Received != 250 || len(s.asked) != 3 {
		t.Errorf("%d records in %d requests: %+v", n, len(s.asked), r)
	}
	want := []string{
		`user 7: field active: expected true or false, found "maybe"`,
		`user 8: field id: duplicate object member name`,
		`user without an id: field id: expected text, found nothing`,
		`user without an id: expected an object, found a number`,
	}
	if diff := cmp.Diff(want, undecoded); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.Contains(r.Reason, want[0]) {
		t.Errorf("reason %q", r.Reason)
	}
}

// What emit says ends the listing.
func TestWalkStopsWhenTheReceiverFails(t *testing.T) {
	s := &shelf{rows: numbered(250), limit: 100}
	r := readListing(t.Context(), users, s.page, func(audit.Page) error { return errors.New("disk full") })
	if r.Complete || !strings.Contains(r.Reason, "disk full") || len(s.asked) != 1 {
		t.Errorf("%d requests: %+v", len(s.asked), r)
	}
}
