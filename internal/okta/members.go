package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aimcheck/aimcheck/audit"
)

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
