package okta

import (
	"context"
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// everyone asks how many users the group Everyone counts: all that there are, by
// another count than the listing. It returns 0 if Okta does not say.
func (c *Client) everyone(ctx context.Context) int {
	_, users, _, err := c.Everyone(ctx)
	if err != nil {
		return 0
	}
	return users
}

// wholeRole is what to do where Okta shows nothing: a restricted role looks just so.
const wholeRole = "unless the org is empty, give the app a role that is not restricted to part of it, and run aimcheck doctor"

// lacking says that fewer users were given than are counted, by more than one in a
// thousand: those may come and go meanwhile. It says so once: what another listing
// lacks too is not to be had.
func (l *listing) lacking() string {
	counted := int(l.counted.Load())
	if l.lacked || counted-l.received <= counted/1000 {
		return ""
	}
	l.lacked = true
	return fmt.Sprintf("it gave %d, and the group Everyone counts %d", l.received, counted)
}

// compare notes where the group Everyone counts more users than were read, and
// where there were none. The count may leave the deprovisioned out, and lags a
// little.
func (l *listing) compare() {
	counted := int(l.counted.Load())
	l.proof.Counted = counted
	switch {
	case counted > l.received:
		l.client.note("the group Everyone counts %d users and %d were read: if that stays so, the app may not see all of them; "+
			"give it a role that is not restricted to some users", counted, l.received)
	case l.received == 0:
		l.client.note("Okta gave no user at all, and no error: %s", wholeRole)
	}
}

// plausible fails once there are far more users than the group Everyone counts, so
// many of them not handed on: such a listing never ends. The count may leave the
// deprovisioned out.
func (l *listing) plausible(held int) error {
	const more = 10_000 // came meanwhile, or are not counted yet
	counted := int(l.counted.Load())
	if live := l.live + held; l.req.Input == audit.OktaUsers && counted > 0 && live > 2*counted+more {
		return fmt.Errorf("the listing of users does not end: it gave %d that are not deprovisioned, and the group Everyone counts %d", live, counted)
	}
	return nil
}
