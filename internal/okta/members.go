package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/aimcheck/aimcheck/audit"
	"golang.org/x/sync/errgroup"
)

// groupsAtOnce is of how many groups the members are read side by side: as many
// as use a rate limit up.
const groupsAtOnce = 8

// readMembers reads the members of each group. A group that can't be read does
// not keep the others from being read.
func (l *listing) readMembers(ctx context.Context) error {
	held, err := l.heldMembers(ctx)
	if err != nil {
		return err
	}
	unread := make([]error, len(l.req.Of))
	var mu sync.Mutex // guards the listing
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(groupsAtOnce)
	for i, group := range l.req.Of {
		if held[group] {
			mu.Lock()
			l.received++
			mu.Unlock()
			continue
		}
		g.Go(func() error {
			records, err := l.groupMembers(ctx, group)
			var answer *apiError
			if errors.As(err, &answer) && (answer.status == http.StatusNotFound || answer.status == http.StatusForbidden) {
				unread[i] = err
				return nil
			}
			if err != nil {
				return fmt.Errorf("members of group %s: %w", group, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, record := range records {
				if u, ok := record.(audit.Undecoded); ok {
					l.countUndecoded(u)
				}
			}
			l.received++
			return l.emit(audit.Page{Records: records, Update: len(l.req.Held) > 0})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if unread = slices.DeleteFunc(unread, func(err error) bool { return err == nil }); len(unread) > 0 {
		return fmt.Errorf("the members of %d of %d groups could not be read, the first because of %w", len(unread), len(l.req.Of), unread[0])
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
		return append(undecoded, audit.OktaGroupMembers{Group: group, Members: audit.NewValues(members...)}), nil
	}
}
