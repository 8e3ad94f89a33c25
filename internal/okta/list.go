package okta

import (
	"context"
	"errors"
	"fmt"
	"net/url"
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
	l := &listing{client: c, emit: emit, req: req, started: c.clock.earliest()}
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
	started time.Time // by Okta's clock, or before
	begun   int       // times that it was begun again

	seen           *seen // the number of the chain that gave each id last
	chains         int
	received       int
	counted        atomic.Int64 // users, by the group Everyone; 0: not known, or not yet
	lacked         bool         // there were fewer than counted, and they were listed again
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

func (l *listing) readGroups(ctx context.Context) error {
	if len(l.req.Held) > 0 {
		return l.chain(ctx, l.client.groups, filter(fmt.Sprintf(`lastUpdated ge "%s"`, stamp(l.req.HeldAsOf.Add(-secondLook)))), groupDecoder, true)
	}
	err := l.chain(ctx, l.client.groups, fmt.Sprintf("limit=%d", groupsPage), groupDecoder, false)
	var given *transport.GivenUp
	if errors.As(err, &given) && given.Status >= 500 && l.received == 0 { // it may have taken too long
		err = l.chain(ctx, l.client.groups, "limit=200", groupDecoder, false)
	}
	if err == nil && l.received == 0 {
		l.client.note("Okta gave no group, and no error: %s", wholeRole)
	}
	return err
}

func (l *listing) readApps(ctx context.Context) error {
	return l.chain(ctx, l.client.apps, "limit=200", appDecoder, false)
}

func (l *listing) readAppUsers(ctx context.Context) error {
	for _, app := range l.req.Of {
		l.seen = newSeen() // a user may have several apps
		before := l.received
		if err := l.chain(ctx, l.client.appUsers(app), "limit=500", appUserDecoder(app), false); err != nil {
			return err
		}
		if l.received == before {
			l.client.note("nobody is assigned to the app %s, so that it does not tell what is sent as username: see that it is the app that signs people in to Databricks", app)
		}
	}
	return nil
}

// filter is the query that lists users by an expression of Okta's.
func filter(expression string) string {
	return "filter=" + url.QueryEscape(expression) + "&limit=200"
}
