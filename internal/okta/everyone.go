package okta

import "context"

// everyone asks how many users the group Everyone counts: all that there are, by
// another count than the listing. It returns 0 if Okta does not say.
func (c *Client) everyone(ctx context.Context) int {
	_, users, _, err := c.Everyone(ctx)
	if err != nil {
		return 0
	}
	return users
}

// compare notes where the group Everyone counts more users than were read. The
// count may leave the deprovisioned out, and lags a little.
func (l *listing) compare(counted int) {
	l.proof.Counted = counted
	if counted > l.received {
		l.client.note("the group Everyone counts %d users and %d were read: if that stays so, the app may not see all of them; "+
			"give it a role that is not restricted to some users", counted, l.received)
	}
}
