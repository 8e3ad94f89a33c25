package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
)

const (
	maxRestarts   = 3  // of a listing that moved while it was read
	maxBlankPages = 50 // in a row: a listing that has nothing more to give but never ends

	// maxObjects is how many a listing may give, four times what the largest orgs
	// have: one that gives more never ends.
	maxObjects = 20_000_000

	// groupsPage is how many groups are asked for at once. Okta gives up to 10,000,
	// and advises smaller pages where that takes it too long.
	groupsPage = 1000

	// secondLook is how far before its start a listing's second look reaches:
	// more than Okta's answers lag behind its writes.
	secondLook = 30 * time.Second
)

// List reads one listing to its end and hands each page to emit. The reading is
// complete only if every page came whole, every part of it ended, and no object
// came twice; otherwise it says why. A listing that moved while it was read starts
// again, with a page that says Restart.
//
// Req.Of lists the groups whose members, or the apps whose users are read. Of
// users, groups and members that the caller holds, only what changed is listed.
func (c *Client) List(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading {
	var requests atomic.Int64
	l := &listing{client: c, emit: emit, req: req, started: c.clock.time()}
	r := audit.Reading{Input: req.Input, Asked: true, Expected: -1}
	if _, known := c.clock.offset(); known {
		r.AsOf = l.started.UTC().Truncate(time.Second)
	}
	var read func(context.Context) error
	switch req.Input {
	case audit.OktaUsers:
		r.API, read = "GET /api/v1/users", l.readUsers
		if len(req.Marks) > 0 {
			l.started, r.AsOf = req.HeldAsOf, req.HeldAsOf
		}
	case audit.OktaGroups:
		r.API, read = "GET /api/v1/groups", l.readGroups
	case audit.OktaMembers:
		r.API, read = "GET /api/v1/groups/{id}/users", l.readMembers
	case audit.OktaApps:
		r.API, read = "GET /api/v1/apps", l.readApps
	case audit.OktaAppUsers:
		r.API, read = "GET /api/v1/apps/{id}/users", l.readAppUsers
	default:
		r.Reason = fmt.Sprintf("%v is no listing of Okta's", req.Input)
		return r
	}
	err := l.settle(context.WithValue(ctx, counterKey{}, &requests), read)
	r.Requests, r.Received = int(requests.Load()), l.received
	switch {
	case ctx.Err() != nil:
		r.Reason = "interrupted"
	case err != nil:
		r.Reason = err.Error()
	case l.undecoded > 0:
		r.Reason = fmt.Sprintf("%d of %d objects could not be decoded, the first is %s", l.undecoded, l.received, l.firstUndecoded)
	default:
		r.Complete = true
		r.Proof = &l.proof
	}
	return r
}

// A listing is what one call of List has read so far.
type listing struct {
	client  *Client
	emit    func(audit.Page) error
	req     audit.Request
	started time.Time // by Okta's clock
	begun   int       // times that it was begun again

	seen           *seen // the number of the chain that gave each id last
	chains         int
	received       int
	counted        atomic.Int64 // users, by the group Everyone; 0: not known, or not yet
	live           int          // users received that are not deprovisioned
	deprovisioned  bool         // a user of that status was among them
	undecoded      int
	firstUndecoded string
	bad            map[string]bool // ids of the undecoded: a second look may meet them again
	proof          audit.Proof
}

// errMoved says that a listing did not hold still: it must be read again.
type errMoved struct{ what string }

func (e errMoved) Error() string { return e.what }

// neverStill is the error for a listing that moved after every restart.
func (e errMoved) neverStill(restarts int) error {
	return fmt.Errorf("%s; the listing was read %d times and never held still: run again later", e.what, restarts+1)
}

// settle reads until the listing held still.
func (l *listing) settle(ctx context.Context, read func(context.Context) error) error {
	l.reset()
	if len(l.req.Held) > 0 && l.req.Input != audit.OktaMembers {
		l.chains++
		for _, id := range l.req.Held {
			l.seen.set(id, l.chains)
		}
		l.received = len(l.req.Held)
	}
	for {
		err := read(ctx)
		var moved errMoved
		if !errors.As(err, &moved) {
			return err
		}
		if l.begun == maxRestarts {
			return moved.neverStill(l.begun)
		}
		if err := l.again(); err != nil {
			return err
		}
	}
}

func (l *listing) reset() {
	l.seen, l.chains, l.received, l.live, l.deprovisioned = newSeen(), 0, 0, 0, false
	l.undecoded, l.firstUndecoded, l.bad = 0, "", map[string]bool{}
	l.proof = audit.Proof{Restarts: l.begun}
}

// again begins the listing anew, as if nothing had been read or held.
func (l *listing) again() error {
	l.begun++
	l.reset()
	l.req.Held, l.req.Marks = nil, nil
	return l.emit(audit.Page{Restart: true})
}

// readUsers reads the users of every status, and ends with a second look at what
// changed meanwhile: a user can have passed from one part of the listing to another.
func (l *listing) readUsers(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	counted := make(chan int, 1)
	counting := true
	defer func() {
		if cancel(); counting {
			<-counted
		}
	}()
	var windows *windows
	switch {
	case l.begun > 0:
	case len(l.req.Held) > 0 && len(l.req.Marks) == 0:
		windows = newWindows(l, "lastUpdated", l.req.HeldAsOf.Add(-secondLook))
		windows.split = true // it does not begin with the first user
	default:
		windows = newWindows(l, "created", time.Time{})
		if err := windows.resume(l.req.Marks); err != nil {
			return err
		}
	}
	go func() {
		n := l.client.everyone(ctx)
		l.counted.Store(int64(n))
		counted <- n
		if windows != nil && !windows.update {
			windows.mu.Lock()
			windows.expected = n
			windows.change.Broadcast()
			windows.mu.Unlock()
		}
	}()
	err := errors.New("")
	if windows != nil {
		err = windows.read(ctx)
	}
	var no errNoWindows
	switch {
	case err == nil && !windows.update && !windows.split && !l.deprovisioned:
		// A plain listing would look the same: it leaves the deprovisioned out.
		err = l.readDeprovisioned(ctx)
	case windows == nil:
		err = l.readPlainly(ctx)
	case errors.As(err, &no):
		l.client.note("Okta did not give the users by the time they were made, so that they were read one page after another (%s)", no.why)
		if l.received > 0 {
			if err := l.again(); err != nil {
				return err
			}
		}
		err = l.readPlainly(ctx)
	}
	if err != nil {
		return err
	}
	if err := l.lookAgain(ctx); err != nil {
		return err
	}
	counting = false
	l.compare(<-counted)
	return nil
}

// readPlainly reads the users one page after another. A plain listing leaves the
// deprovisioned out, so they are listed apart.
func (l *listing) readPlainly(ctx context.Context) error {
	query := fmt.Sprintf("limit=%d", usersPage)
	if err := l.chain(ctx, l.client.users, query, userDecoder, false); err != nil {
		return err
	}
	l.proof.End = endedLast
	return l.readDeprovisioned(ctx)
}

func (l *listing) readDeprovisioned(ctx context.Context) error {
	return l.chain(ctx, l.client.users, filter(`status eq "DEPROVISIONED"`), deprovisionedDecoder, false)
}

// lookAgain reads the users that changed since the listing began.
func (l *listing) lookAgain(ctx context.Context) error {
	since := l.started.Add(-secondLook)
	before := l.proof.Pages
	err := error(errMoved{})
	for tries := 0; tries <= maxRestarts && errors.As(err, new(errMoved)); tries++ {
		err = l.chain(ctx, l.client.users, filter(fmt.Sprintf(`lastUpdated ge "%s"`, stamp(since))), userDecoder, true)
	}
	l.proof.Pages = before // of the listing itself
	if moved := (errMoved{}); errors.As(err, &moved) {
		return moved.neverStill(maxRestarts)
	}
	var refused *apiError
	if errors.As(err, &refused) && refused.status == http.StatusBadRequest {
		l.client.note("Okta refused a second look at the users that changed while they were read (%s): such changes may be missing", refused.reason)
		return nil
	}
	return err
}

func (l *listing) readGroups(ctx context.Context) error {
	if len(l.req.Held) > 0 {
		return l.chain(ctx, l.client.groups, filter(fmt.Sprintf(`lastUpdated ge "%s"`, stamp(l.req.HeldAsOf.Add(-secondLook)))), groupDecoder, true)
	}
	err := l.chain(ctx, l.client.groups, fmt.Sprintf("limit=%d", groupsPage), groupDecoder, false)
	var given *transport.GivenUp
	if errors.As(err, &given) && given.Status >= 500 && l.received == 0 { // it may have taken too long
		return l.chain(ctx, l.client.groups, "limit=200", groupDecoder, false)
	}
	return err
}

func (l *listing) readApps(ctx context.Context) error {
	return l.chain(ctx, l.client.apps, "limit=200", appDecoder, false)
}

func (l *listing) readAppUsers(ctx context.Context) error {
	for _, app := range l.req.Of {
		l.seen = newSeen() // a user may have several apps
		if err := l.chain(ctx, l.client.appUsers(app), "limit=500", appUserDecoder(app), false); err != nil {
			return err
		}
	}
	return nil
}

// filter is the query that lists users by an expression of Okta's.
func filter(expression string) string {
	return "filter=" + url.QueryEscape(expression) + "&limit=200"
}

// chain reads a listing from its first page to the one without a next, and
// hands on every object. What an earlier chain gave is replaced. An object that
// comes twice in one chain says that the listing moved; a second look, again,
// may well meet an object twice, but not a page of nothing else.
func (l *listing) chain(ctx context.Context, list call, query string, d decoder, again bool) error {
	l.chains++
	count := 0
	if d.input == audit.OktaUsers {
		query = l.client.columns.in(query)
	}
	pages := l.proof.Pages
	full, err := l.pages(ctx, list, query, d, func(objects []object) error {
		l.proof.Pages++
		fresh := len(objects) == 0
		on := make(map[string]bool, len(objects))
		for _, o := range objects {
			if d.expect != nil {
				if err := d.expect(o.record); err != nil {
					return err
				}
			}
			count++
			chain, known := l.seen.get(o.id)
			twice := o.id != "" && (on[o.id] || known && chain == l.chains)
			if twice && !again {
				return errMoved{fmt.Sprintf("%s %s was listed twice", d.kind, o.id)}
			}
			fresh = fresh || !twice
			on[o.id] = true
		}
		if !fresh {
			return errMoved{fmt.Sprintf("a page of %ss came twice", d.kind)}
		}
		if err := l.plausible(0); err != nil {
			return err
		}
		return l.hand(objects, again, "")
	})
	var refused *apiError
	if errors.As(err, &refused) && refused.status == http.StatusBadRequest && l.proof.Pages == pages && l.client.columns.refused(query) {
		q, _ := url.ParseQuery(query)
		q.Del("fields")
		return l.chain(ctx, list, q.Encode(), d, again)
	}
	if l.proof.End == "" {
		l.proof.End = endedLast
	}
	if err != nil || !full || again {
		return err
	}
	return l.confirm(ctx, list, query, d, count, func(id string) bool {
		chain, known := l.seen.get(id)
		return known && chain == l.chains
	})
}

// hand hands on objects: those that are known, and all of an update, replace what
// was given before.
func (l *listing) hand(objects []object, update bool, mark string) error {
	var first, replaced audit.Page
	replaced.Update = true
	for _, o := range objects {
		_, known := l.seen.get(o.id)
		l.seen.set(o.id, l.chains)
		if !known || o.id == "" {
			l.received++
		}
		switch r := o.record.(type) {
		case audit.Undecoded:
			if l.bad[o.id] {
				continue
			}
			l.bad[o.id] = o.id != ""
			l.countUndecoded(r)
		case audit.OktaUser:
			l.deprovisioned = l.deprovisioned || !r.Live()
			if !known && r.Live() {
				l.live++
			}
		}
		if known || update {
			replaced.Records = append(replaced.Records, o.record)
		} else {
			first.Records = append(first.Records, o.record)
		}
	}
	if update {
		l.proof.Changed += len(replaced.Records)
	}
	pages := []audit.Page{first, replaced}
	if len(replaced.Records) == 0 {
		pages = pages[:1]
	}
	pages[len(pages)-1].Mark = mark
	for _, p := range pages {
		if len(p.Records) == 0 && p.Mark == "" {
			continue
		}
		if err := l.emit(p); err != nil {
			return err
		}
	}
	return nil
}

// confirm reads a listing once more in pages of another size. One that ended
// with a full page may have been cut there: nothing else in it would tell.
func (l *listing) confirm(ctx context.Context, list call, query string, d decoder, count int, known func(id string) bool) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	q.Set("limit", strconv.Itoa(limit-limit/7))
	again, unknown := 0, 0
	_, err = l.pages(ctx, list, q.Encode(), d, func(objects []object) error {
		again += len(objects)
		for _, o := range objects {
			if o.id != "" && !known(o.id) {
				unknown++
			}
		}
		return nil
	})
	if err == nil && (again != count || unknown > 0) {
		err = errMoved{fmt.Sprintf("a listing of %ss ended with a full page after %d, and in pages of another size after %d", d.kind, count, again)}
	}
	return err
}

func (l *listing) countUndecoded(u audit.Undecoded) {
	if l.undecoded++; l.undecoded == 1 {
		l.firstUndecoded = u.Error
	}
}

// pages follows a listing's next links, whose queries it sends as they stand,
// and hands each page's objects to each. It ends with an error if they lead in
// a circle or to blank pages without end. It reports whether the last page that
// was not blank was full.
func (l *listing) pages(ctx context.Context, list call, query string, d decoder, each func([]object) error) (full bool, err error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return false, err
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	sent, blank, count := map[string]bool{}, 0, 0
	for {
		p, err := l.client.get(ctx, list, query)
		var refused *apiError
		if len(sent) > 0 && errors.As(err, &refused) && refused.status == http.StatusBadRequest {
			return false, errMoved{fmt.Sprintf("Okta no longer knows where the listing stood: %v", err)}
		}
		if err != nil {
			return false, err
		}
		sent[query] = true
		objects, err := d.objects(p.body)
		if err != nil {
			return false, fmt.Errorf("GET %s: %w", p.path, err)
		}
		if d.input == audit.OktaUsers {
			l.client.columns.look(p.body)
		}
		next, more, err := p.next()
		if err != nil {
			return false, fmt.Errorf("GET %s: %w", p.path, err)
		}
		if count += len(objects); count > maxObjects {
			return false, fmt.Errorf("GET %s does not end: it gave more than %d objects", p.path, maxObjects)
		}
		if err := each(objects); err != nil {
			return false, err
		}
		if blank++; len(objects) > 0 {
			full, blank = len(objects) >= limit, 0
		}
		if !more {
			return full, nil
		}
		if sent[next] || blank > maxBlankPages {
			return false, errMoved{fmt.Sprintf("the pages of GET %s lead in a circle", p.path)}
		}
		query = next
	}
}

// readMembers reads the members of one group after another. A group that can't
// be read does not keep the others from being read.
func (l *listing) readMembers(ctx context.Context) error {
	held, err := l.heldMembers(ctx)
	if err != nil {
		return err
	}
	failed, first := 0, error(nil)
	for _, group := range l.req.Of {
		if held[group] {
			l.received++
			continue
		}
		record, err := l.groupMembers(ctx, group)
		var answer *apiError
		if errors.As(err, &answer) && (answer.status == http.StatusNotFound || answer.status == http.StatusForbidden) {
			if failed++; first == nil {
				first = err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("members of group %s: %w", group, err)
		}
		l.received++
		if err := l.emit(audit.Page{Records: record, Update: len(l.req.Held) > 0}); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("the members of %d of %d groups could not be read, the first because of %w", failed, len(l.req.Of), first)
	}
	return nil
}

// heldMembers returns the groups whose members the caller holds as they still are.
func (l *listing) heldMembers(ctx context.Context) (map[string]bool, error) {
	held := map[string]bool{}
	if len(l.req.Held) == 0 {
		return held, nil
	}
	for _, id := range l.req.Held {
		held[id] = true
	}
	changed := filter(fmt.Sprintf(`lastMembershipUpdated ge "%s"`, stamp(l.req.HeldAsOf.Add(-secondLook))))
	_, err := l.pages(ctx, l.client.groups, changed, groupDecoder, func(objects []object) error {
		for _, o := range objects {
			delete(held, o.id)
		}
		return nil
	})
	return held, err
}

// groupMembers reads the members of one group, again if the list moved, into
// one record and what could not be decoded.
func (l *listing) groupMembers(ctx context.Context, group string) (records []any, err error) {
	for restarts := 0; ; restarts++ {
		var members []audit.Value
		var undecoded []any
		seen := map[string]bool{}
		full, err := l.pages(ctx, l.client.members(group), "limit=200", memberDecoder, func(objects []object) error {
			for _, o := range objects {
				if o.id != "" && seen[o.id] {
					return errMoved{fmt.Sprintf("user %s was listed twice", o.id)}
				}
				seen[o.id] = true
				if u, ok := o.record.(audit.Undecoded); ok {
					u.Error = fmt.Sprintf("group %s: %s", group, u.Error)
					undecoded = append(undecoded, u)
				} else {
					members = append(members, audit.Value{Value: o.id})
				}
			}
			return nil
		})
		if err == nil && full {
			err = l.confirm(ctx, l.client.members(group), "limit=200", memberDecoder, len(members)+len(undecoded),
				func(id string) bool { return seen[id] })
		}
		var moved errMoved
		if errors.As(err, &moved) {
			if restarts < maxRestarts {
				continue
			}
			return nil, moved.neverStill(restarts)
		}
		if err != nil {
			return nil, err
		}
		for _, u := range undecoded {
			l.countUndecoded(u.(audit.Undecoded))
		}
		return append(undecoded, audit.OktaGroupMembers{Group: group, Members: audit.NewValues(members...)}), nil
	}
}
