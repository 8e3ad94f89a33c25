package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
	"github.com/aimcheck/aimcheck/internal/config"
)

// An auditing is what audit and plan have in common: a snapshot, the rules over
// it, and what the plan takes in.
type auditing struct {
	source
	include []string
	exclude []string
	expires time.Duration
	waivers []audit.Waiver
}

func (a *auditing) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&a.snapshot, "snapshot", "", "audit the snapshot in `FILE` instead of reading the directories")
	f.StringSliceVar(&a.include, "include", nil, "`CLASSES` of operations to approve besides the default ones: "+strings.Join(optional(), ", "))
	f.StringSliceVar(&a.exclude, "exclude", nil, "classes, rules or finding ids to leave out of the plan (`LIST`)")
	f.DurationVar(&a.expires, "expires", 7*24*time.Hour, "how long the plan holds")
	a.source.register(cmd, "")
	a.source.also(config.Waivers)
}

// judging adds the flags of those settings alone that say how a snapshot is
// judged.
func (a *auditing) judging(cmd *cobra.Command) {
	a.expires = time.Hour
	a.flags = cmd.Flags()
	a.also(config.SSOClaim, config.WorkspaceSSOClaim, config.UnifiedLogin, config.SCIMTokenOwner, config.OktaApp, config.Waivers)
	a.files()
}

// load reads the settings and the waivers.
func (a *auditing) load(e *env) (settings *config.Settings, err error) {
	if err := a.checkPlan(); err != nil {
		return nil, usageError(err)
	}
	if settings, err = a.settings(e); err != nil {
		return nil, err
	}
	a.waivers, err = settings.Waivers(e.config(), ruleNames())
	return settings, usageError(err)
}

// run reads the snapshot and audits it.
func (a *auditing) run(ctx context.Context, e *env, settings *config.Settings) (*audit.Report, error) {
	snap, err := a.read(ctx, e, settings)
	if err != nil {
		return nil, err
	}
	return a.judge(ctx, e, settings, snap)
}

func (a *auditing) judge(ctx context.Context, e *env, settings *config.Settings, snap *audit.Snapshot) (*audit.Report, error) {
	settings.Audit.Include, settings.Audit.Exclude = a.include, a.exclude
	r, err := audit.Run(snap, rules.All(), audit.Options{
		Settings: settings.Audit, Version: version(), Now: e.now(), Expires: a.expires, Waivers: a.waivers,
	})
	if err != nil {
		return nil, err
	}
	return r, ctx.Err()
}

func optional() []string {
	return []string{string(audit.ClassOverwrite), string(audit.ClassNames), string(audit.ClassDeactivate), string(audit.ClassClear)}
}

func classes() []string {
	return append([]string{string(audit.ClassUsers), string(audit.ClassGroups), string(audit.ClassServicePrincipals)}, optional()...)
}

var findingID = regexp.MustCompile(`^(.+)-[0-9a-f]{12}$`)

// checkPlan refuses classes, rules and findings that can't be.
func (a *auditing) checkPlan() error {
	if a.expires <= 0 {
		return usagef("--expires %v: expected a time to come, such as 168h", a.expires)
	}
	for _, class := range a.include {
		if !slices.Contains(classes(), class) {
			return usagef("--include: %w", unknownWord("class", class, classes()))
		}
	}
	known := append(classes(), ruleNames()...)
	for _, what := range a.exclude {
		name := what
		if m := findingID.FindStringSubmatch(what); m != nil {
			name = m[1]
		}
		if !slices.Contains(known, name) {
			return usagef("--exclude: %w", unknownWord("class, rule or finding", what, known))
		}
	}
	return nil
}

func ruleNames() []string {
	var names []string
	for _, r := range rules.All() {
		names = append(names, r.Name)
	}
	return names
}
