package fetch

import (
	"context"
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// A listing is one listing under way.
type listing struct {
	run      *run
	req      audit.Request
	received int
	expected int
	earlier  int   // received before what the directory lists now
	err      error // of the first page that could not be kept
}

// page keeps one page.
func (l *listing) page(p audit.Page) error {
	r := l.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if p.Restart {
		r.builder.Forget(l.req.Input)
		r.found.forget(l.req.Input)
		l.received = 0
	}
	for _, record := range p.Records {
		if l.err = r.keep(record, p.Update); l.err != nil {
			return l.err
		}
	}
	if r.o.Log != nil {
		if l.err = r.o.Log(audit.Step{Input: l.req.Input, Page: &p}); l.err != nil {
			return l.err
		}
	}
	switch {
	case l.req.Input == audit.DatabricksWorkspaceDetails:
		l.received++ // a page is a workspace
	case !p.Update:
		l.received += len(p.Records)
	}
	if p.Expected > 0 {
		l.expected = l.earlier + p.Expected
	}
	l.event(Event{})
	return nil
}

// keep keeps a record.
func (r *run) keep(record any, update bool) error {
	if update {
		if err := r.builder.Update(record); err != nil {
			return err
		}
	} else if err := r.builder.Add(record); err != nil {
		return err
	}
	r.found.add(record)
	return nil
}

// prepare has the request go on from what is there of the input already.
func (l *listing) prepare(d Directory) error {
	r, in := l.run, l.req.Input
	if c := r.o.Carried; c.goesOn(in) {
		p := &c.parts[in]
		l.req.Held, l.req.HeldAsOf, l.req.Marks = p.held, p.begun, p.marks
		l.received = len(p.held)
		return nil
	}
	if err := r.hold(&l.req); err != nil {
		return err
	}
	l.received = len(l.req.Held)
	if r.o.Log == nil {
		return nil
	}
	begun := r.o.Now()
	if c, ok := d.(clock); ok {
		begun = c.Time()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.o.Log(audit.Step{Input: in, Begun: begun.UTC()})
}

// nested reads the members of those groups too that only the members read so far
// show to be in a group that matters, and returns the reading of all.
func (l *listing) nested(ctx context.Context, d Directory, all audit.Reading) audit.Reading {
	asked := map[string]bool{}
	for req := l.req; all.Complete; {
		for _, id := range req.Of {
			asked[id] = true
		}
		l.run.mu.Lock()
		req.Of, l.earlier = l.run.found.nested(asked), l.received
		l.run.mu.Unlock()
		if len(req.Of) == 0 {
			break
		}
		more := d.List(ctx, req, l.page)
		more.Expected += all.Expected
		more.Received += all.Received
		more.Requests += all.Requests
		if more.Proof != nil && all.Proof != nil {
			more.Proof.Pages += all.Proof.Pages
		}
		all = more
	}
	return all
}

// event reports e, of this listing.
func (l *listing) event(e Event) {
	if l.run.o.Event == nil {
		return
	}
	e.Input, e.Received, e.Expected = l.req.Input, l.received, l.expected
	l.run.o.Event(e)
}

// doubt says why the reading is not complete, "" if it is. A directory's word
// that it is complete is not enough.
func (l *listing) doubt(r audit.Reading, basis []audit.Input) string {
	switch {
	case l.err != nil:
		return l.err.Error()
	case !r.Complete && r.Reason == "":
		return "the listing ended early: run again"
	case !r.Complete && r.Input == audit.OktaMembers && changesAlone(l.run.o.Base, audit.OktaGroups):
		return r.Reason + "; a group that was deleted since the earlier snapshot is still asked about: if it stays so, take a full snapshot"
	case !r.Complete:
		return r.Reason
	case r.Expected > r.Received:
		return fmt.Sprintf("%d objects were announced and %d received: run again", r.Expected, r.Received)
	}
	for _, in := range basis {
		if !l.run.done[in] {
			return fmt.Sprintf("%s, from which it is chosen what to read here, is not complete: %s", in, l.run.why[in])
		}
	}
	return ""
}
