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
)

// An auditing is what audit and plan have in common: a snapshot, the rules over
// it, and what the plan takes in.
type auditing struct {
	source
	include []string
	exclude []string
	expires time.Duration
}

func (a *auditing) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&a.snapshot, "snapshot", "", "audit the snapshot in `FILE` instead of reading the directories")
	f.StringSliceVar(&a.include, "include", nil, "`CLASSES` of operations to approve besides the default ones: "+strings.Join(optional(), ", "))
	f.StringSliceVar(&a.exclude, "exclude", nil, "classes, rules or finding ids to leave out of the plan (`LIST`)")
	f.DurationVar(&a.expires, "expires", 7*24*time.Hour, "how long the plan holds")
	a.source.register(cmd, "")
}

// run reads the snapshot and audits it.
func (a *auditing) run(ctx context.Context, e *env) (*audit.Report, error) {
	if err := a.checkPlan(); err != nil {
		return nil, usageError(err)
	}
	settings, err := a.settings(e)
	if err != nil {
		return nil, err
	}
	waivers, err := settings.Waivers(e.config(), ruleNames())
	if err != nil {
		return nil, usageError(err)
	}
	snap, err := a.read(ctx, e, settings)
	if err != nil {
		return nil, err
	}
	settings.Audit.Include, settings.Audit.Exclude = a.include, a.exclude
	r, err := audit.Run(snap, rules.All(), audit.Options{
		Settings: settings.Audit, Version: version(), Now: e.now(), Expires: a.expires, Waivers: waivers,
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
