// Package fetch reads both directories side by side into one snapshot.
//
// A listing that fails costs its own input, never the run: its reading says
// that it is not complete, and why. What cannot be shown to be complete is not.
package fetch

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aimcheck/aimcheck/audit"
)

// A Directory is one of the two vendors' directories. Listings of it run
// concurrently; it keeps to the vendor's pace by itself.
type Directory interface {
	// Source says which directory it is and what was asked of it so far.
	Source() audit.Source

	// List lists what req asks for and hands it to emit, page by page and from
	// one goroutine at a time. It stops soon after ctx is done or emit fails.
	// The reading is complete only if every object was handed over.
	List(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading
}

// A clock is a directory that tells its own time.
type clock interface{ Time() time.Time }

// Options say what to read.
type Options struct {
	Okta, Databricks Directory // nil: not read

	Members          bool   // of the groups that matter, in both directories
	Apps             bool   // Okta's, and the users of OktaApp
	WorkspaceDetails bool   // workspace-local groups and assignments
	OktaApp          string // id of the app that signs people in to Databricks; may be blank

	// Base is an earlier snapshot: of what Okta can list by its changes, only these
	// are read. Nil: everything is read.
	Base *audit.Snapshot

	// Log keeps each step, so that the reading can be carried on where it was
	// interrupted; one at a time. An error ends the listing. Nil: nothing is kept.
	Log     func(audit.Step) error
	Carried *Carried // what an interrupted reading left; nil: nothing

	Now   func() time.Time
	Event func(Event) // progress, one at a time; nil to discard. It must not wait.
}

// An Event reports the progress of one listing.
type Event struct {
	Input    audit.Input
	Received int    // so far
	Expected int    // in all; 0 if that is not known
	Done     bool   // the listing has ended
	Reason   string // why it is not complete, once it has ended
	Requests int    // what a listing of parts will cost at least, told once before it begins
}

// Snapshot reads the directories. Its error is the context's, when that is
// done; whatever else goes wrong stands in the snapshot's readings.
func Snapshot(ctx context.Context, o Options) (*audit.Snapshot, error) {
	r := &run{o: o, found: newFound()}
	started := o.Now().UTC()
	if o.Carried != nil {
		started = o.Carried.Started.UTC()
		if err := r.replay(o.Carried); err != nil {
			return nil, err
		}
	}
	r.builder.Okta.Finished, r.builder.Databricks.Finished = started, started
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	r.builder.Okta = source(o.Okta, started, r.builder.Okta.Finished)
	r.builder.Databricks = source(o.Databricks, started, r.builder.Databricks.Finished)
	if o.Carried != nil {
		first := &r.builder.Okta
		if o.Okta == nil {
			first = &r.builder.Databricks
		}
		first.Notes = append(first.Notes, "The reading was interrupted and carried on: its parts are of different times")
	}
	if o.Base != nil && o.Okta != nil {
		incremental(&r.builder.Okta, o.Base)
	}
	s, _ := r.builder.Snapshot() // a directory that contradicts itself: the reading says so
	return s, nil
}

func source(d Directory, started, finished time.Time) audit.Source {
	if d == nil {
		return audit.Source{}
	}
	s := d.Source()
	s.Started, s.Finished = started, finished
	return s
}

// A run is one reading of the directories.
type run struct {
	o Options

	mu      sync.Mutex // guards what follows
	builder audit.Builder
	found   found
	done    [audit.DatabricksWorkspaceDetails + 1]bool   // inputs that were read completely
	why     [audit.DatabricksWorkspaceDetails + 1]string // others were not
}

// all runs every listing that was asked for, each as soon as it can start.
func (r *run) all(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	list := func(d Directory, req audit.Request) {
		g.Go(func() error { return r.list(ctx, d, req) })
	}
	if okta := r.o.Okta; okta != nil {
		list(okta, audit.Request{Input: audit.OktaUsers})
		if r.o.Apps {
			list(okta, audit.Request{Input: audit.OktaApps})
		}
		if r.o.Apps && r.o.OktaApp != "" {
			list(okta, audit.Request{Input: audit.OktaAppUsers, Of: []string{r.o.OktaApp}})
		}
	}
	if databricks := r.o.Databricks; databricks != nil {
		list(databricks, audit.Request{Input: audit.DatabricksUsers})
		list(databricks, audit.Request{Input: audit.DatabricksServicePrincipals})
	}
	g.Go(func() error { return r.parts(ctx) })
	return g.Wait()
}

// parts lists what has parts, groups and workspaces, and then the parts: members
// of the groups that matter, which only both directories' groups together tell,
// and details of workspaces, which may say more of a group that was listed.
func (r *run) parts(ctx context.Context) error {
	okta, databricks := r.o.Okta, r.o.Databricks
	wholes, listing := errgroup.WithContext(ctx)
	var groups []audit.Input
	if okta != nil {
		groups = append(groups, audit.OktaGroups)
		wholes.Go(func() error { return r.list(listing, okta, audit.Request{Input: audit.OktaGroups}) })
	}
	if databricks != nil {
		groups = append(groups, audit.DatabricksGroups)
		wholes.Go(func() error { return r.list(listing, databricks, audit.Request{Input: audit.DatabricksGroups}) })
		wholes.Go(func() error { return r.list(listing, databricks, audit.Request{Input: audit.DatabricksWorkspaces}) })
	}
	if err := wholes.Wait(); err != nil {
		return err
	}
	oktaGroups, databricksGroups := r.found.groupsThatMatter()
	if len(groups) < 2 {
		oktaGroups, databricksGroups = r.found.allGroups()
	}
	parts, listing := errgroup.WithContext(ctx)
	list := func(d Directory, in audit.Input, of []string, basis ...audit.Input) {
		if d != nil {
			parts.Go(func() error { return r.list(listing, d, audit.Request{Input: in, Of: of}, basis...) })
		}
	}
	if r.o.Members {
		list(okta, audit.OktaMembers, oktaGroups, groups...)
		list(databricks, audit.DatabricksMembers, databricksGroups, groups...)
	}
	if r.o.WorkspaceDetails {
		list(databricks, audit.DatabricksWorkspaceDetails, r.found.workspaceIDs(), audit.DatabricksWorkspaces)
	}
	return parts.Wait()
}

// list runs one listing. What it lists is chosen from the lists it is based on,
// so that it is complete only if they are. The error is the context's.
func (r *run) list(ctx context.Context, d Directory, req audit.Request, basis ...audit.Input) error {
	l := &listing{run: r, req: req}
	if len(basis) > 0 {
		l.expected = len(req.Of)
	}
	reading := audit.Reading{Complete: true}
	if len(basis) > 0 && len(req.Of) > 0 {
		r.mu.Lock()
		l.event(Event{Requests: len(req.Of)})
		r.mu.Unlock()
	}
	if r.o.Carried.whole(req.Input) {
		r.mu.Lock()
		defer r.mu.Unlock()
		l.received = r.o.Carried.parts[req.Input].done.Received
		l.event(Event{Done: true})
		return nil
	}
	if len(basis) == 0 || len(req.Of) > 0 { // else there is nothing to ask for
		if err := l.prepare(d); err != nil {
			return err
		}
		reading = d.List(ctx, l.req, l.page)
		if req.Input == audit.DatabricksMembers {
			reading = l.nested(ctx, d, reading)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	reading.Input, reading.Asked = req.Input, true
	if why := l.doubt(reading, basis); why != "" {
		reading.Complete, reading.Reason, reading.Proof = false, why, nil
	}
	r.done[req.Input], r.why[req.Input] = reading.Complete, reading.Reason
	r.builder.Read(reading)
	if r.o.Log != nil {
		if err := r.o.Log(audit.Step{Input: req.Input, Done: &reading}); err != nil {
			return err
		}
	}
	finished := &r.builder.Databricks.Finished
	if req.Input.Okta() {
		finished = &r.builder.Okta.Finished
	}
	*finished = r.o.Now().UTC()
	l.event(Event{Done: true, Reason: reading.Reason})
	return nil
}
