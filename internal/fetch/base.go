package fetch

import (
	"fmt"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// ChangesAlone reports whether the input can be read from a base by what changed
// since: the base must hold all of it, and know as of when.
func changesAlone(base *audit.Snapshot, in audit.Input) bool {
	if base == nil {
		return false
	}
	switch in {
	case audit.OktaUsers, audit.OktaGroups, audit.OktaMembers:
		return base.Complete(in) && !base.Reading(in).AsOf.IsZero()
	}
	return false
}

// hold takes from the base what it has of the input, and has the request ask for
// what changed since. Only members of the groups asked about are taken.
func (r *run) hold(req *audit.Request) error {
	base := r.o.Base
	if !changesAlone(base, req.Input) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	req.HeldAsOf = base.Reading(req.Input).AsOf
	keep := func(record any) error {
		req.Held = append(req.Held, idOf(record))
		return r.keep(record, false)
	}
	switch req.Input {
	case audit.OktaUsers:
		for _, u := range base.OktaUsers.All() {
			if err := keep(u); err != nil {
				return err
			}
		}
	case audit.OktaGroups:
		for _, g := range base.OktaGroups.All() {
			if err := keep(g); err != nil {
				return err
			}
		}
	case audit.OktaMembers:
		for _, group := range req.Of {
			if i, ok := base.OktaMembers.Find(group); ok {
				if err := keep(base.OktaMembers.At(i)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// incremental says in the source what it is that it holds.
func incremental(s *audit.Source, base *audit.Snapshot) {
	s.Base, s.Full = base.Digest, LastFull(base)
	s.Notes = append(s.Notes, fmt.Sprintf("Okta was read by what changed since an earlier snapshot. The last full reading began at %s, %v before: "+
		"what was deleted since then is not seen", s.Full.UTC().Format("2006-01-02 15:04 MST"), s.Started.Sub(s.Full).Round(time.Minute)))
}

// LastFull returns when the last full reading of Okta began that s goes back to, by
// Okta's clock where this computer's was ahead of it.
func LastFull(s *audit.Snapshot) time.Time {
	if !s.Okta.Full.IsZero() {
		return s.Okta.Full
	}
	if asOf := s.Reading(audit.OktaUsers).AsOf; !asOf.IsZero() && asOf.Before(s.Okta.Started) {
		return asOf
	}
	return s.Okta.Started
}
