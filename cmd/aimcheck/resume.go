package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/fetch"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// resumeWithin is how old an interrupted reading may be to be carried on: what was
// deleted since its parts were read is still in them.
const resumeWithin = 12 * time.Hour

// A partial keeps what a reading under way has read, in a file beside the one that
// it is to become.
type partial struct {
	name   string
	resume bool // go on with what the file holds

	e       *env
	file    *os.File
	kept    *snapfile.Partial // nil once nothing is kept
	carried *fetch.Carried
	failed  bool
}

// open makes the file ready, for a reading of what head says.
func (p *partial) open(e *env, head snapfile.PartialHead) error {
	p.e = e
	old, err := os.Stat(p.name)
	switch {
	case err == nil && !old.Mode().IsRegular():
		return usagef("%s is no regular file: name another -o FILE, beside which there is room", p.name)
	case err == nil && old.Size() == 0: // who made it was stopped at once
		fmt.Fprintf(e.stderr, "aimcheck: there is nothing in %s to carry on: reading from the start\n", p.name)
	case err == nil && p.resume:
		return p.carryOn(head)
	case err == nil:
		fmt.Fprintf(e.stderr, "aimcheck: %s is left from an interrupted reading and is replaced: with --resume it would be carried on\n", p.name)
	case p.resume:
		fmt.Fprintf(e.stderr, "aimcheck: there is no %s to carry on: reading from the start\n", p.name)
	}
	if err := os.MkdirAll(filepath.Dir(p.name), 0o700); err != nil {
		return fileError("make the folder", filepath.Dir(p.name), err)
	}
	if p.file, err = os.OpenFile(p.name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return fileError("write", p.name, err)
	}
	p.kept, err = snapfile.NewPartial(p.file, &head)
	if err != nil {
		return fileError("write", p.name, err)
	}
	return nil
}

// carryOn reads what the file holds, and says what of it is read again.
func (p *partial) carryOn(head snapfile.PartialHead) error {
	read := func(visit func(audit.Step) error) (snapfile.PartialHead, int64, error) {
		f, err := openFile(p.name)
		if err != nil {
			return snapfile.PartialHead{}, 0, err
		}
		defer f.Close()
		return snapfile.ReadPartial(f, p.name, visit)
	}
	was, whole, err := read(nil)
	if err != nil {
		return err
	}
	age := head.Started.Sub(was.Started)
	refuse := func(why string) error {
		return usagef("--resume: %s %s: read from the start, without --resume", p.name, why)
	}
	switch {
	case was.Okta != head.Okta || was.Databricks != head.Databricks:
		return refuse(fmt.Sprintf("is of %s, and not of %s", whose(was), whose(head)))
	case was.Options != head.Options:
		return refuse(fmt.Sprintf("was taken with other options (%s, now %s)", was.Options, head.Options))
	case age > resumeWithin:
		return refuse(fmt.Sprintf("is of a reading that began %v ago, and what was deleted since would still be in it; %v is the most", age.Round(time.Minute), resumeWithin))
	case age < -time.Hour:
		return refuse("is of a reading that is yet to begin: check this computer's clock")
	}
	p.carried, err = fetch.Carry(was.Started, func(visit func(audit.Step) error) error {
		_, _, err := read(visit)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.e.stderr, "aimcheck: carrying on a reading that began %v ago\n", max(0, age.Round(time.Second)))
	for _, line := range p.carried.Say() {
		fmt.Fprintf(p.e.stderr, "aimcheck:   %s\n", line)
	}
	if p.file, err = os.OpenFile(p.name, os.O_WRONLY, 0o600); err != nil {
		return fileError("write", p.name, err)
	}
	if err := p.file.Truncate(whole); err != nil { // a frame that a crash cut off
		return fileError("write", p.name, err)
	}
	if _, err := p.file.Seek(whole, 0); err != nil {
		return fileError("write", p.name, err)
	}
	if p.kept, err = snapfile.NewPartial(p.file, nil); err != nil {
		return fileError("write", p.name, err)
	}
	return nil
}

func whose(h snapfile.PartialHead) string {
	switch {
	case h.Databricks == "":
		return h.Okta
	case h.Okta == "":
		return "account " + h.Databricks
	}
	return h.Okta + " and account " + h.Databricks
}

// step keeps a step. A disk that is full costs the partial file, not the reading.
func (p *partial) step(s audit.Step) error {
	if p.failed {
		return nil
	}
	if err := p.kept.Step(s); err != nil {
		p.failed = true
		fmt.Fprintf(p.e.stderr, "aimcheck: %v: an interruption could not be carried on\n", fileError("write", p.name, err))
	}
	return nil
}

// close ends the reading with err, and says how to carry on where that is of use.
func (p *partial) close(ctx context.Context, out string, err error) error {
	if p.file == nil {
		return err
	}
	bad := p.kept.Flush()
	if e := p.file.Close(); bad == nil {
		bad = e
	}
	p.file = nil
	if p.failed || bad != nil || p.kept.Pages() == 0 && p.carried == nil {
		p.remove()
		p.kept = nil
		return err
	}
	if err != nil && ctx.Err() != nil {
		return &exitError{exitInterrupted, fmt.Errorf("interrupted: what was read so far is kept in %s; carry on with the same command and --resume, such as\n  aimcheck snapshot -o %s --resume", quote(p.name), quote(out))}
	}
	return err
}

// remove takes the file away, once nothing of it is of use.
func (p *partial) remove() {
	if err := os.Remove(p.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(p.e.stderr, "aimcheck: %v\n", fileError("remove", p.name, err))
	}
}

// head says what is read of which directories.
func (s *source) head(d *directories, settings *config.Settings, started time.Time) snapfile.PartialHead {
	h := snapfile.PartialHead{Started: started.UTC()}
	if d.okta != nil {
		h.Okta = d.okta.Source().Tenant
	}
	if d.databricks != nil {
		h.Databricks = d.databricks.Source().Tenant
	}
	options, _ := json.Marshal(map[string]any{"members": s.members, "apps": s.apps, "workspace-details": s.details, "okta-app": settings.Audit.OktaApp})
	h.Options = string(options)
	return h
}

// since reads the snapshot to go on from, and refuses one that can't serve.
func (s *source) since(e *env, name string, maxAge time.Duration) (*audit.Snapshot, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	base, err := snapfile.Read(f, name)
	if err != nil {
		return nil, err
	}
	full := fmt.Sprintf("take a full one, without --since %s", name)
	switch age := e.now().Sub(fetch.LastFull(base)); {
	case base.Okta.Tenant == "" || !base.Reading(audit.OktaUsers).Asked:
		return nil, usagef("--since: %s holds nothing of Okta: %s", name, full)
	case base.Okta.Files:
		return nil, usagef("--since: %s was made from files, which don't say as of when: %s", name, full)
	case !base.Complete(audit.OktaUsers) || base.Reading(audit.OktaUsers).AsOf.IsZero():
		return nil, usagef("--since: %s does not hold all users of Okta as of a known time: %s", name, full)
	case age > maxAge:
		return nil, fmt.Errorf("--since: the last full reading that %s goes back to began %v ago, and --max-age is %v: what was deleted since is not seen; %s",
			name, age.Round(time.Minute), maxAge, full)
	case age < -time.Hour:
		return nil, fmt.Errorf("--since: %s is of a time yet to come: check this computer's clock", name)
	}
	return base, nil
}
