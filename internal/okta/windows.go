package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
	"golang.org/x/sync/errgroup"
)

const (
	readers   = 12 // of windows, side by side
	usersPage = 200
	leastPage = 25 // what a page is made smaller to where Okta can't serve it in time

	// worthwhile is how many pages a window must be thought to have left for its
	// half to be given to an idle reader. A split costs about half a page.
	worthwhile = 8

	// splits is how many there may be beside one for each so many pages. Past that
	// there are no more than it takes to keep few readers busy.
	splits, pagesASplit, few = 3, 120, 3

	// unguided is how many pages of a window must have come before it is split
	// where nothing but they tells how many more there are.
	unguided = 3

	endedLast    = "a page without a next one"
	endedBeyond  = "a user beyond it, in order"
	endedEarlier = "an interruption: the next one begins where this one stood"
)

// errNoWindows says that the org can't be read in windows of time.
type errNoWindows struct{ why string }

func (e errNoWindows) Error() string { return e.why }

// A window is the users whose time is at or after from and before to. It is read
// in order of that time, so that its end can be given away while it is read.
type window struct {
	from, to time.Time // zero: no bound
	at       time.Time // all before it were handed on
	held     []object  // those at exactly that time: more of them may follow
	limit    int       // users a page
	pages    int
	rows     int
	end      string // how its end showed; blank: it did not

	taken bool          // somebody reads it
	fresh bool          // a page came since it was split
	pace  time.Duration // time that its latest page takes up
	first time.Time     // of its first user
}

// windows are what a listing of users is parted into. They tile the time axis:
// what one gives away, another takes.
type windows struct {
	l      *listing
	time   func(audit.OktaUser) string
	name   string    // of the time, as Okta calls it
	low    time.Time // where the first begins; zero: with the first user
	update bool      // what is read replaces what the caller holds

	mu       sync.Mutex // guards what follows, and the listing
	change   sync.Cond
	all      []*window
	expected int  // users in all; 0: not known, below 0: not yet
	split    bool // there is or was more than one
	divided  int
	failed   bool
}

func newWindows(l *listing, name string, low time.Time) *windows {
	w := &windows{l: l, name: name, low: low, expected: -1, time: func(u audit.OktaUser) string { return u.Created }}
	if name == "lastUpdated" {
		w.time = func(u audit.OktaUser) string { return u.Updated }
		w.update, w.expected = true, 0
	}
	w.change.L = &w.mu
	return w
}

// read reads every window to its end.
func (w *windows) read(ctx context.Context) error {
	if len(w.all) == 0 {
		w.all = []*window{{from: w.low, at: w.low}}
	}
	for _, win := range w.all {
		win.limit = usersPage
	}
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.failed = true
		w.change.Broadcast()
	})
	defer stop()
	for range readers {
		g.Go(func() error {
			for {
				win := w.next()
				if win == nil {
					return nil
				}
				if err := w.one(ctx, win); err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.l.proof.End = "every window ended, and together they tile the time axis"
	for _, win := range w.all {
		w.l.proof.Windows = append(w.l.proof.Windows, win.proof())
	}
	slices.SortFunc(w.l.proof.Windows, func(a, b audit.Window) int { return cmp.Compare(a.From, b.From) })
	return nil
}

// next returns the next window to read, or nil once all are read.
func (w *windows) next() *window {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		reading := false
		for _, win := range w.all {
			if !win.taken && win.end == "" {
				win.taken = true
				return win
			}
			reading = reading || win.end == ""
		}
		if !reading || w.failed {
			return nil
		}
		// With requests waiting for the rate limit, another reader gains nothing.
		if !w.l.client.pace.Busy("/api/v1/users") {
			if win := w.divide(); win != nil {
				win.taken = true
				return win
			}
		}
		w.change.Wait()
	}
}

// divide gives away the second half of the window that has the most left.
func (w *windows) divide() *window {
	if w.expected < 0 {
		return nil
	}
	now, read, reading := w.l.client.clock.time(), w.l.received, 0
	var most *window
	var pages, all float64
	for _, win := range w.all {
		left := win.left(now, w.expected > 0)
		all += left
		read += len(win.held)
		if win.taken && win.end == "" {
			reading++
		}
		if win.fresh && left > pages && (w.expected > 0 || win.pages >= unguided) {
			most, pages = win, left
		}
	}
	if most == nil {
		return nil
	}
	left, part := pages, 1.0 // of the time to its end, which has all that is left
	if w.expected > 0 {      // then there is a better guess than that it goes on as it began
		rest := float64(w.expected-read) / usersPage
		left = rest * pages / all
		part = min(part, rest/pages)
	}
	middle := most.at.Add(time.Duration(part * float64(most.until(now).Sub(most.at)) / 2)).Truncate(time.Millisecond)
	costly := w.divided > splits+max(w.expected, w.l.received)/usersPage/pagesASplit
	if left < worthwhile || costly && reading >= few || !middle.After(most.at) {
		return nil
	}
	w.divided++
	half := &window{from: middle, to: most.to, at: middle, limit: most.limit, pace: most.pace}
	most.to, most.fresh = middle, false
	w.all = append(w.all, half)
	w.split = true
	return half
}

// until is when the window ends, or now.
func (win *window) until(now time.Time) time.Time {
	if win.to.IsZero() {
		return now
	}
	return win.to
}

// left is how many pages the window still has if its users go on as on its latest
// page or, where nothing bounds that guess, as on all of them.
func (win *window) left(now time.Time, bounded bool) float64 {
	end, pace := win.until(now), win.pace
	if !bounded {
		pace = win.at.Sub(win.first) / time.Duration(max(1, win.pages))
	}
	if win.end != "" || pace <= 0 || !end.After(win.at) {
		return 0
	}
	return float64(end.Sub(win.at)) / float64(pace)
}

// one reads a window to its end. Where it moved, it is read again from where it stood.
func (w *windows) one(ctx context.Context, win *window) error {
	for tries := 0; ; {
		before := win.at
		err := w.chain(ctx, win)
		var moved errMoved
		var given *transport.GivenUp
		switch {
		case err == nil:
			w.mu.Lock()
			w.change.Broadcast()
			w.mu.Unlock()
			return nil
		case errors.As(err, &given) && given.Status == http.StatusInternalServerError && (win.pages == 0 && !w.split || win.limit <= leastPage):
			return errNoWindows{given.Error()}
		case errors.As(err, &given) && given.Status == http.StatusInternalServerError && win.limit > leastPage:
			win.limit /= 2 // Okta's way to say that it took too long
			continue
		case !errors.As(err, &moved):
			return err
		}
		if tries++; win.at.After(before) {
			tries = 1
		}
		if tries > maxRestarts {
			return errNoWindows{moved.what}
		}
		w.mu.Lock()
		w.l.proof.Restarts++
		w.mu.Unlock()
	}
}

var errEnough = errors.New("the window's end was passed")

// chain reads a window from where it stands to its end.
func (w *windows) chain(ctx context.Context, win *window) error {
	for {
		w.mu.Lock()
		win.held = nil // to be listed again
		query, to, gained := w.query(win), win.to, false
		w.mu.Unlock()
		last := win.at
		full, err := w.l.pages(ctx, w.l.client.users, query, userDecoder, func(objects []object) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			defer w.change.Broadcast()
			before := win.at
			end, err := w.take(win, objects, &last, to)
			gained = gained || win.at.After(before)
			if err == nil && end {
				return errEnough
			}
			return err
		})
		var refused *apiError
		if errors.As(err, &refused) && refused.status == http.StatusBadRequest {
			if w.l.client.columns.refused(query) {
				continue
			}
			if win.pages == 0 && !w.split {
				return errNoWindows{refused.Error()}
			}
			return errMoved{refused.Error()}
		}
		w.mu.Lock()
		switch {
		case errors.Is(err, errEnough):
			w.mu.Unlock()
			return nil
		case err == nil && full:
			// It may have been cut there: nothing else would tell.
			w.mu.Unlock()
			if gained {
				continue
			}
			if err := w.sure(ctx, win, query); err != nil {
				return err
			}
			w.mu.Lock()
			err = w.finish(win, endedLast, nil)
		case err == nil:
			err = w.finish(win, endedLast, nil)
		}
		w.mu.Unlock()
		return err
	}
}

// sure reads the users of one time, with whom a window ended, in pages of another size.
func (w *windows) sure(ctx context.Context, win *window, query string) error {
	held := map[string]bool{}
	for _, o := range win.held {
		held[o.id] = true
	}
	return w.l.confirm(ctx, w.l.client.users, query, userDecoder, len(win.held), func(id string) bool { return held[id] })
}

// query asks for what of the window was not handed on.
func (w *windows) query(win *window) string {
	from := win.at
	if from.IsZero() {
		from = time.Unix(0, 0)
	}
	expression := fmt.Sprintf(`%s ge "%s"`, w.name, stamp(from))
	if !win.to.IsZero() {
		expression += fmt.Sprintf(` and %s lt "%s"`, w.name, stamp(win.to))
	}
	return w.l.client.columns.in(fmt.Sprintf("search=%s&sortBy=%s&sortOrder=asc&limit=%d", url.QueryEscape(expression), w.name, win.limit))
}

// stamp is a time as Okta writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// take takes a page of the window that was asked for up to to. Last is the time
// of the latest user before it. It reports whether the window's end was passed.
func (w *windows) take(win *window, objects []object, last *time.Time, to time.Time) (end bool, err error) {
	first := *last
	times := make([]time.Time, len(objects))
	on := make(map[string]bool, len(objects)+len(win.held))
	for _, o := range win.held {
		on[o.id] = true
	}
	at := first
	for i, o := range objects {
		u, ok := o.record.(audit.OktaUser)
		if !ok { // it can't be decoded: it has no time of its own
			times[i] = at
			continue
		}
		t, err := time.Parse(time.RFC3339, w.time(u))
		_, known := w.l.seen.get(o.id)
		given := !win.to.IsZero() && !t.Before(win.to) // to another reader, who may have it
		switch {
		case err != nil:
			return false, errMoved{fmt.Sprintf("user %s has no %s", o.id, w.name)}
		case t.Before(at):
			return false, w.disorder(win, o.id, on[o.id] || known)
		case !to.IsZero() && !t.Before(to):
			return false, errMoved{fmt.Sprintf("user %s is not within the window of %s that was asked for", o.id, w.name)}
		case on[o.id], known && !given && !w.update:
			return false, errMoved{fmt.Sprintf("user %s was listed twice", o.id)}
		}
		on[o.id] = true
		at, times[i] = t, t
	}
	if win.pages == 0 && len(objects) > 0 {
		win.first = times[0]
	}
	win.pages++
	win.fresh = true
	w.l.proof.Pages++
	if span := at.Sub(first); !first.IsZero() && len(objects) > 0 {
		win.pace = max(span, time.Millisecond) * usersPage / time.Duration(max(1, min(len(objects), usersPage)))
	} else if len(objects) > 1 {
		win.pace = max(at.Sub(times[0]), time.Millisecond)
	}
	*last = at
	var ready []object
	for i, o := range objects {
		if !win.to.IsZero() && !times[i].Before(win.to) {
			return true, w.finish(win, endedBeyond, ready)
		}
		if times[i].After(win.at) {
			ready = append(ready, win.held...)
			win.held, win.at = nil, times[i]
		}
		win.held = append(win.held, o)
	}
	if err := w.l.plausible(len(win.held)); err != nil {
		return false, err
	}
	return false, w.emit(win, ready)
}

// disorder is the error for a user whose time is before that of one listed earlier.
// A page that came twice does that too. Else the order is not kept, and others that
// are passed over would be with it.
func (w *windows) disorder(win *window, id string, known bool) error {
	why := fmt.Sprintf("user %s is out of the order of %s", id, w.name)
	switch {
	case w.update: // all of these are known: what came twice can't be told
		win.at, win.rows = win.from, 0
	case !known:
		return errNoWindows{why}
	}
	return errMoved{why}
}

// finish hands on what is left of a window, which is read.
func (w *windows) finish(win *window, how string, ready []object) error {
	ready = append(ready, win.held...)
	win.held, win.end = nil, how
	return w.emit(win, ready)
}

// emit hands on users of a window, with how far it is.
func (w *windows) emit(win *window, ready []object) error {
	if len(ready) == 0 && win.end == "" {
		return nil
	}
	win.rows += len(ready)
	mark, err := json.Marshal(win.mark())
	if err != nil {
		return err
	}
	return w.l.hand(ready, w.update, string(mark))
}

// A windowMark says how far a window was read.
type windowMark struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"` // where it is read up to
	Pages int       `json:"pages"`
	Rows  int       `json:"rows"`
	End   string    `json:"end,omitempty"`
}

func (win *window) mark() windowMark {
	m := windowMark{From: win.from, To: win.at, Pages: win.pages, Rows: win.rows, End: win.end}
	if win.end != "" {
		m.To = win.to
	}
	return m
}

func (win *window) proof() audit.Window {
	p := audit.Window{Pages: win.pages, Rows: win.rows, End: win.end}
	if !win.from.IsZero() {
		p.From = stamp(win.from)
	}
	if !win.to.IsZero() {
		p.To = stamp(win.to)
	}
	return p
}

// resume makes the windows of an interrupted listing: those that were read, and
// the gaps between them.
func (w *windows) resume(marks []string) error {
	latest := map[time.Time]windowMark{}
	for _, text := range marks {
		var m windowMark
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return fmt.Errorf("how far the interrupted listing was can't be read: %w", err)
		}
		m.From, m.To = m.From.UTC(), m.To.UTC()
		latest[m.From] = m
	}
	at, open := w.low, false
	for _, m := range slices.SortedFunc(maps.Values(latest), func(a, b windowMark) int { return a.From.Compare(b.From) }) {
		switch {
		case open || m.From.Before(at):
			return errors.New("how far the interrupted listing was contradicts itself")
		case m.From.After(at):
			w.all = append(w.all, &window{from: at, to: m.From, at: at})
		}
		w.all = append(w.all, &window{from: m.From, to: m.To, at: m.To, pages: m.Pages, rows: m.Rows, end: cmp.Or(m.End, endedEarlier)})
		w.l.proof.Pages += m.Pages
		at, open = m.To, m.To.IsZero()
	}
	if len(marks) > 0 {
		w.split = true
		if !open {
			w.all = append(w.all, &window{from: at, at: at})
		}
	}
	return nil
}
