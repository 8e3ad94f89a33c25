package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/fetch"
	"github.com/aimcheck/aimcheck/internal/okta"
	"github.com/aimcheck/aimcheck/internal/snapfile"
	"github.com/aimcheck/aimcheck/report"
)

// A source is where a command gets its snapshot from: the flags that say how the
// directories are reached, and what of them is read.
type source struct {
	flags   *pflag.FlagSet
	file    string // --config
	profile string
	quiet   bool

	snapshot string   // a file to read instead of the directories; blank: none
	only     []string // "okta", "databricks"; empty: both
	members  bool
	apps     bool
	details  bool

	partial *partial        // keeps what is read, so that it can be carried on; nil: nothing is kept
	base    *audit.Snapshot // what to go on from; nil: everything is read
}

// register adds the flags. Settings are those whose name begins with a prefix.
func (s *source) register(cmd *cobra.Command, prefixes ...string) {
	s.flags = cmd.Flags()
	s.flags.SortFlags = false
	s.files()
	for _, set := range config.All() {
		for _, p := range prefixes {
			if set.Flag && strings.HasPrefix(set.Name, p) {
				s.setting(set)
			}
		}
	}
	s.flags.BoolVar(&s.members, "members", false, "read the members of groups too")
	s.flags.BoolVar(&s.apps, "apps", false, "read Okta's apps, and the users of --okta-app, too (needs okta.apps.read)")
	s.flags.BoolVar(&s.details, "workspace-details", false, "read each workspace's groups and assignments too")
	s.flags.BoolVar(&s.quiet, "quiet", false, "show no progress")
}

// setting adds the flag of a setting.
func (s *source) setting(set config.Setting) {
	usage := set.Usage
	if set.Env != "" {
		usage += " [$" + set.Env + "]"
	}
	s.flags.String(set.Name, "", usage)
}

// files adds the flags that say which file of settings is read.
func (s *source) files() {
	s.flags.StringVar(&s.file, "config", "", "read settings from `FILE` (aimcheck.yaml)")
	s.flags.StringVar(&s.profile, "profile", "", "use the profile `NAME` of the --config file")
}

// also adds flags of settings that few commands have.
func (s *source) also(names ...string) {
	for _, set := range config.All() {
		if slices.Contains(names, set.Name) {
			s.setting(set)
		}
	}
}

// settings loads the settings, with what the command line said.
func (s *source) settings(e *env) (*config.Settings, error) {
	settings, err := config.Load(e.config(), s.given())
	return settings, usageError(err)
}

// given is what the command line said of settings.
func (s *source) given() config.Flags {
	values := map[string]string{}
	for _, set := range config.All() {
		if f := s.flags.Lookup(set.Name); f != nil && f.Changed {
			values[set.Name] = f.Value.String()
		}
	}
	return config.Flags{File: s.file, Profile: s.profile, Values: values}
}

// read returns the snapshot: from its file where one is named, else from the
// directories themselves.
func (s *source) read(ctx context.Context, e *env, settings *config.Settings) (*audit.Snapshot, error) {
	if s.snapshot == "" {
		return s.fetch(ctx, e, settings)
	}
	f, err := openFile(s.snapshot)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	snap, err := snapfile.Read(f, s.snapshot)
	if err != nil {
		return nil, err
	}
	return snap, s.check(snap)
}

// check refuses flags that ask for what a snapshot file does not hold.
func (s *source) check(snap *audit.Snapshot) error {
	for _, want := range []struct {
		asked bool
		flag  string
		input audit.Input
	}{
		{s.members, "members", audit.OktaMembers},
		{s.apps, "apps", audit.OktaApps},
		{s.details, "workspace-details", audit.DatabricksWorkspaceDetails},
	} {
		if want.asked && !snap.Reading(want.input).Asked {
			return usagef("--%s: %s was taken without: take it again with aimcheck snapshot -o %s --%s", want.flag, s.snapshot, s.snapshot, want.flag)
		}
	}
	return nil
}

// fetch opens the directories and reads them, showing how far it is.
func (s *source) fetch(ctx context.Context, e *env, settings *config.Settings) (*audit.Snapshot, error) {
	d, err := s.open(ctx, e, settings, false)
	if err != nil {
		return nil, err
	}
	return s.snap(ctx, e, settings, d)
}

// directories are both, opened; nil where one is not wanted.
type directories struct {
	okta       *okta.Client
	databricks *databricks.Client
	shown      atomic.Pointer[progress] // what tells why nothing is being read just now
}

func (d *directories) waiting(why string) { d.shown.Load().waiting(why) }

// open signs in to the directories; to write, where that is asked for.
func (s *source) open(ctx context.Context, e *env, settings *config.Settings, write bool) (*directories, error) {
	// What is missing is said before anything is sent.
	if settings.Audit.SSOClaim == audit.ClaimOther && s.apps && settings.Audit.OktaApp == "" {
		return nil, usagef("--sso-claim other with --apps: name the app that signs people in to Databricks with --%s ID", config.OktaApp)
	}
	if s.wants("okta") {
		if err := settings.NeedOkta(); err != nil {
			return nil, usageError(err)
		}
	}
	if s.wants("databricks") {
		if err := settings.NeedDatabricks(); err != nil {
			return nil, usageError(err)
		}
	}
	d := &directories{}
	p := e.newProgress(s.quiet)
	defer p.close()
	d.shown.Store(p)
	var err error
	if s.wants("okta") {
		if d.okta, err = openOkta(ctx, e, settings, s.apps, d.waiting); err != nil {
			return nil, unopened(ctx, err)
		}
	}
	if s.wants("databricks") {
		if d.databricks, err = openDatabricks(ctx, e, settings, write, d.waiting); err != nil {
			return nil, unopened(ctx, err)
		}
	}
	return d, nil
}

// unopened says where more is to be learnt of why a directory could not be opened.
func unopened(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w; aimcheck doctor checks each precondition on its own", err)
}

// snap reads the directories into a snapshot.
func (s *source) snap(ctx context.Context, e *env, settings *config.Settings, d *directories) (*audit.Snapshot, error) {
	p := e.newProgress(s.quiet)
	defer p.close()
	d.shown.Store(p)
	o := fetch.Options{
		Members: s.members, Apps: s.apps, WorkspaceDetails: s.details, OktaApp: settings.Audit.OktaApp,
		Now: e.now, Event: p.event,
	}
	if d.okta != nil {
		o.Okta = d.okta
	}
	if d.databricks != nil {
		o.Databricks = d.databricks
	}
	if s.base != nil {
		if tenant := d.okta.Source().Tenant; s.base.Okta.Tenant != tenant {
			return nil, usagef("--since: that snapshot is of %s, and not of %s", s.base.Okta.Tenant, tenant)
		}
		o.Base = s.base
	}
	if s.partial != nil {
		if err := s.partial.open(e, s.head(d, settings, e.now())); err != nil {
			return nil, err
		}
		o.Log, o.Carried = s.partial.step, s.partial.carried
	}
	snap, err := fetch.Snapshot(ctx, o)
	if err != nil {
		return nil, err
	}
	snapfile.Seal(snap)
	return snap, nil
}

func (s *source) wants(side string) bool {
	return len(s.only) == 0 || slices.Contains(s.only, side)
}

// incomplete returns the error of a snapshot that lacks what was asked for, and
// says on stderr what that is.
func (e *env) incomplete(unread []audit.Reading) error {
	if len(unread) == 0 {
		return nil
	}
	for _, r := range unread {
		reason := r.Reason
		if reason == "" {
			reason = "it was not read"
		}
		fmt.Fprintf(e.stderr, "aimcheck: INCOMPLETE: %s: %s\n", r.Input, report.Visible(reason))
	}
	return &exitError{exitIncomplete, fmt.Errorf("incomplete: part of what is needed could not be read, so nothing is proved; mend the above and run again")}
}
