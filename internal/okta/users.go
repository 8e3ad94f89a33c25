package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// readUsers reads the users of every status, and ends with a second look at what
// changed meanwhile: a user can have passed from one part of the listing to another.
func (l *listing) readUsers(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
	counted := make(chan struct{})
	defer func() {
		cancel()
		<-counted
	}()
	go func() {
		n := l.client.everyone(ctx)
		l.counted.Store(int64(n))
		close(counted)
		if windows != nil && !windows.update {
			windows.mu.Lock()
			windows.expected = n
			windows.change.Broadcast()
			windows.mu.Unlock()
		}
	}()
	var err error
	if windows != nil {
		err = windows.read(ctx)
	}
	if err == nil && windows != nil && !windows.update {
		if !l.deprovisioned {
			// A search that leaves the deprovisioned out would look the same.
			err = l.readDeprovisioned(ctx)
		}
		if err == nil {
			<-counted
			if why := l.lacking(); why != "" {
				err = errNoWindows{why}
			}
		}
	}
	plainly := windows == nil
	var no errNoWindows
	if errors.As(err, &no) {
		plainly = true
		l.client.note("Okta did not give the users by the time they were made, so that they were read one page after another (%s)", no.why)
		if l.received > 0 {
			if err := l.again(); err != nil {
				return err
			}
		}
	}
	if plainly {
		err = l.readPlainly(ctx)
	}
	if err != nil {
		return err
	}
	if plainly {
		<-counted
		if why := l.lacking(); why != "" && l.begun < maxRestarts {
			return errMoved{why}
		}
	}
	if windows != nil && windows.update && !l.deprovisioned {
		l.started = l.req.HeldAsOf // the search may have left them out: the second look asks by filter
	}
	if err := l.lookAgain(ctx); err != nil {
		return err
	}
	<-counted
	l.compare()
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

// readDeprovisioned lists the deprovisioned, again where that moved: all others
// need not be read again for it.
func (l *listing) readDeprovisioned(ctx context.Context) error {
	for tries := 0; ; tries++ {
		err := l.chain(ctx, l.client.users, filter(`status eq "DEPROVISIONED"`), deprovisionedDecoder, false)
		if tries == maxRestarts || !errors.As(err, new(errMoved)) {
			return err
		}
	}
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
