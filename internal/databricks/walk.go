package databricks

import (
	"context"
	"errors"
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// restarts is how often a listing that moved while it was read is begun again.
const restarts = 3

// pageWish is the number of rows asked for. The account API gives no more than
// 100 a page; whatever it does give is what a page is taken to hold.
const pageWish = 100

// maxRows is more than any account has: a listing that announces more lies.
const maxRows = 20_000_000

// A getPage asks for the part of a listing that begins at row start, counted
// from 1, and for count rows; the answer may hold fewer or more.
type getPage func(ctx context.Context, start, count int) (page, error)

// A walk is one pass over a listing. Nothing in the account API says that a
// listing is the one its first page came from, so the walk demands what only an
// unmoved listing gives: each page is asked one row early and must begin with
// the row that the page before ended with, every page announces the same total,
// no id comes twice, and there is nothing after the last row. A row that went and
// another that came before the place where two pages overlap would still go unseen:
// where new rows come first in the list, a last look at its first page shows them.
type walk struct {
	kind  kind
	get   getPage
	emit  func(objects []object, total int) error
	total int
	seen  map[string]struct{}
	last  string   // key of the last row
	pages int      // that were read
	front []string // keys of the first page
}

// received is the number of distinct objects read.
func (w *walk) received() int { return len(w.seen) }

// A movedError says how a listing showed that it is not the one it was, or
// that it contradicts itself. Reading it again may help.
type movedError struct{ how string }

func (e *movedError) Error() string { return e.how }

func moved(format string, args ...any) error { return &movedError{fmt.Sprintf(format, args...)} }

// frontAgain is how many pages a listing must have for its first to be looked at
// again: a shorter one is read in a second or two.
const frontAgain = 5

// run reads the listing to its end. It returns nil only if it was read whole.
func (w *walk) run(ctx context.Context) error {
	if err := w.forward(ctx); err != nil || w.pages < frontAgain {
		return err
	}
	p, err := w.get(ctx, 1, pageWish)
	if err != nil {
		return err
	}
	if p.total != w.total {
		return moved("%d %s were announced first and %d at the end", w.total, w.kind.plural, p.total)
	}
	for i, key := range w.front {
		if i >= len(p.objects) {
			break // a page may hold fewer than it did
		}
		if again := w.kind.object(p.objects[i]); again.key != key {
			return moved("row %d was %s and is %s at the end", i+1, brief(key), brief(again.key))
		}
	}
	if len(p.objects) == 0 {
		return moved("row 1, read before, is gone at the end")
	}
	return nil
}

// forward reads the listing page by page.
func (w *walk) forward(ctx context.Context) error {
	w.total, w.seen, w.pages, w.front = absent, map[string]struct{}{}, 0, nil
	largest := 0
	for {
		before := w.received()
		rows, err := w.next(ctx)
		if err != nil {
			return err
		}
		w.pages++
		largest = max(largest, rows)
		gained := w.received() > before
		switch {
		case w.received() < w.total && !gained:
			return moved("%d %s are announced and the listing ends after %d", w.total, w.kind.plural, w.received())
		case w.received() < w.total:
		case !gained || rows < largest:
			return nil // a page that could have held more rows, or one asked for beyond the end, had none
		}
	}
}

// next asks for the page that should begin with the last row read, and takes it.
// One that does not fit is asked for again, once: it may be another by mistake.
func (w *walk) next(ctx context.Context) (rows int, err error) {
	for again := false; ; again = true {
		p, err := w.get(ctx, max(w.received(), 1), pageWish)
		if err != nil {
			return 0, err
		}
		fresh, err := w.check(p)
		if err == nil {
			return len(p.objects), w.take(p.total, fresh)
		}
		if _, misfit := errors.AsType[*movedError](err); !misfit || again {
			return 0, err
		}
	}
}

// check checks one page against those before it and returns its new rows.
func (w *walk) check(p page) ([]object, error) {
	first := w.total == absent
	row := max(w.received(), 1)
	rows := p.objects
	switch {
	case p.total == absent:
		return nil, errors.New("the listing does not say how many " + w.kind.plural + " there are (totalResults), " +
			"so that it can't be known to be whole")
	case p.total > maxRows:
		return nil, fmt.Errorf("%d %s are announced, and no account has so many", p.total, w.kind.plural)
	case !first && p.total != w.total:
		return nil, moved("%d %s were announced first and %d later", w.total, w.kind.plural, p.total)
	case p.start != absent && p.start != row && len(rows) > 0:
		return nil, moved("row %d was asked for and the answer begins with row %d", row, p.start)
	}
	if !first && w.received() > 0 {
		if len(rows) == 0 {
			return nil, moved("row %d, read before, is gone", row)
		}
		if again := w.kind.object(rows[0]); again.key != w.last {
			return nil, moved("row %d was %s and is now %s", row, brief(w.last), brief(again.key))
		}
		rows = rows[1:]
	}
	fresh, on := make([]object, 0, len(rows)), map[string]bool{}
	for _, raw := range rows {
		o := w.kind.object(raw)
		if _, twice := w.seen[o.key]; twice || on[o.key] {
			return nil, moved("%s %s is listed twice", w.kind.singular, brief(o.key))
		}
		on[o.key] = true
		fresh = append(fresh, o)
	}
	if n := w.received() + len(fresh); n > p.total {
		return nil, moved("%d %s are announced and at least %d listed", p.total, w.kind.plural, n)
	}
	return fresh, nil
}

// take hands on the new rows of a page.
func (w *walk) take(total int, fresh []object) error {
	first := w.total == absent
	w.total = total
	for _, o := range fresh {
		w.seen[o.key] = struct{}{}
		w.last = o.key
		if first {
			w.front = append(w.front, o.key)
		}
	}
	if first || len(fresh) > 0 {
		return w.emit(fresh, total)
	}
	return nil
}

// brief cuts keys that are whole objects to what a message can hold.
func brief(key string) string {
	const longest = 60
	if len(key) > longest {
		return key[:longest] + "…"
	}
	return key
}

// readListing reads one listing completely, again from the start when it moved, and
// says how that went. Pages go to emit as they come.
func readListing(ctx context.Context, k kind, get getPage, emit func(audit.Page) error) audit.Reading {
	r := audit.Reading{Input: k.input, Asked: true, Expected: absent}
	restart, undecoded := false, ""
	w := walk{kind: k, get: get}
	w.emit = func(objects []object, total int) error {
		p := audit.Page{Expected: total, Restart: restart}
		if restart {
			restart, undecoded, r.Received = false, "", 0
		}
		r.Received += len(objects)
		for _, o := range objects {
			p.Records = append(p.Records, o.records...)
			if u, ok := o.records[0].(audit.Undecoded); ok && undecoded == "" {
				undecoded = u.Error
			}
		}
		return emit(p)
	}
	var err error
	tries := 0
	for range 1 + restarts {
		tries++
		err = w.run(ctx)
		if _, again := errors.AsType[*movedError](err); !again {
			break
		}
		restart = true
	}
	r.Expected = w.total
	var movedErr *movedError
	switch {
	case errors.As(err, &movedErr):
		r.Reason = fmt.Sprintf("the listing of %s changed or contradicted itself each of %d times it was read, the last time: %v; "+
			"read again when nothing is being provisioned", k.plural, 1+restarts, err)
	case err != nil:
		r.Reason = fmt.Sprintf("%s after %d: %v", k.plural, r.Received, err)
	case undecoded != "":
		r.Reason = "an object could not be decoded: " + undecoded
	default:
		r.Complete = true
		r.Proof = &audit.Proof{Pages: w.pages, Restarts: tries - 1,
			End: "each page began with the last row of the one before, all announced one total, and nothing followed it"}
		if w.pages >= frontAgain {
			r.Proof.End += "; the first page was the same at the end"
		}
	}
	return r
}
