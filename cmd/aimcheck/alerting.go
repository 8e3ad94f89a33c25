package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/history"
	"github.com/aimcheck/aimcheck/internal/notify"
)

// An alerting is who is told what is new.
type alerting struct {
	form, on string
	details  bool

	hook  *notify.Webhook // nil: nobody
	least audit.Severity
}

func (a *alerting) register(f *pflag.FlagSet) {
	f.StringVar(&a.form, "notify-form", "", "how the alert looks: `json|slack|teams` (default: what the host of --notify wants)")
	f.StringVar(&a.on, "notify-on", audit.Warning.String(), "tell of what is of this `SEVERITY` or graver")
	f.BoolVar(&a.details, "notify-details", false, "let alerts say what findings say: names and email addresses")
}

func (a *alerting) open(e *env, settings *config.Settings) (err error) {
	if a.least, err = audit.ParseSeverity(a.on); err != nil {
		return usagef("--notify-on: %w", err)
	}
	if f := notify.Form(a.form); f != "" && !slices.Contains(notify.Forms(), f) {
		return usagef("--notify-form: unknown form %q: expected json, slack or teams", a.form)
	}
	if settings.Notify == (config.Secret{}) {
		return nil
	}
	if a.hook, err = notify.Parse(settings.Notify.Reveal(), notify.Form(a.form)); err != nil {
		return usagef("--%s: %w", config.Notify, err)
	}
	a.hook.Secret, a.hook.Now = settings.NotifySecret.Reveal(), e.now
	return nil
}

// tell sends an alert where there is something to tell, and notes it in the
// history. Its error is that of an alert that was not delivered: the next run
// tells it too.
func (a *alerting) tell(ctx context.Context, e *env, r *audit.Report, k *keeping, rec *history.Recorded) error {
	if a.hook == nil {
		return nil
	}
	if rec == nil && (k.store != nil || k.failed != nil) {
		fmt.Fprintln(e.stderr, "aimcheck: no alert is sent: without the history nobody knows what is new; a run that is kept will tell")
		return nil
	}
	alert := &notify.Alert{
		Schema: notify.AlertSchema, Time: e.now().UTC(), Org: r.Head.Okta.Tenant, Account: r.Head.Databricks.Tenant,
		Verdict: r.Verdict, Counts: map[audit.Severity]int{},
	}
	for _, s := range audit.Severities() {
		alert.Counts[s] = r.Counts[s]
	}
	for i := range r.Waivers {
		if r.Waivers[i].State == audit.WaiverExpired {
			alert.Expired++
		}
	}
	for _, in := range r.Head.Incomplete {
		alert.Unread = append(alert.Unread, strings.ReplaceAll(in.Input.String(), "_", " "))
	}
	changes := a.changes(r, rec)
	if rec != nil {
		alert.Before = rec.News.Before
	}
	alert.Tell(changes, a.details)
	if alert.Worth(changes, a.least) {
		key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d", alert.Org, alert.Account, r.Head.Digest, alert.Time.UnixNano()))
		if err := a.hook.Send(ctx, alert, hex.EncodeToString(key[:16])); err != nil {
			return err
		}
	}
	if rec == nil {
		return nil
	}
	return k.store.Told(ctx, rec.Run)
}

// changes lists what is new, or without a history what there is, as grave as is
// to be told, gravest first.
func (a *alerting) changes(r *audit.Report, rec *history.Recorded) (changes []notify.Change) {
	if rec == nil {
		told := func(h audit.FindingHead) bool { return !h.Waived && h.Severity >= a.least }
		for _, f := range r.Findings.Where(told) {
			changes = append(changes, notify.Change{Finding: f.ID, Rule: f.Rule, Severity: f.Severity, What: string(audit.Open), Message: f.Message})
		}
		return changes
	}
	for _, c := range rec.News.Changes {
		if c.Severity >= a.least {
			changes = append(changes, notify.Change{Finding: c.Finding, Rule: c.Rule, Severity: c.Severity, What: c.What, Message: c.Message})
		}
	}
	return changes
}
