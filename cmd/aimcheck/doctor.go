package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/doctor"
	"github.com/aimcheck/aimcheck/report"
)

func (e *env) doctorCommand() *cobra.Command {
	var s source
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "check that everything is there that an audit and AIM need, before anything is read",
		Long: "Doctor checks each precondition on its own against both directories: settings, key, scopes, admin roles, DPoP, clock, rate limits,\n" +
			"host, account, SCIM, workspaces, who the caller is. It says what is wrong, why it matters and what to do, asks for what only you\n" +
			"can say, and predicts how long a full read takes. It changes nothing, and takes seconds.",
		Example: "  aimcheck doctor\n  aimcheck doctor --apps --members --output json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.doctor(cmd.Context(), &s, format)
		},
	}
	s.register(cmd, "okta-", "databricks-", config.SSOClaim, config.WorkspaceSSOClaim, config.UnifiedLogin, config.SCIMTokenOwner)
	format.flag(cmd)
	return cmd
}

func (e *env) doctor(ctx context.Context, s *source, format outputFormat) error {
	found := config.Examine(e.config(), s.given())
	shown := !s.quiet && e.redraws() && !format.json()
	if shown {
		fmt.Fprint(e.stderr, "aimcheck: checking both directories …\r")
	}
	r, err := e.diagnose(ctx, s, found)
	if shown {
		fmt.Fprint(e.stderr, "\x1b[2K\r")
	}
	if err != nil {
		return err
	}
	if format.json() {
		err = printJSON(e.stdout, diagnosis(found, r))
	} else {
		err = e.printDiagnosis(found, r)
	}
	switch {
	case err != nil:
		return fileError("write to", "standard output", err)
	case !r.Healthy():
		return errors.New("not all that is needed is there: mend what is marked fail, and run aimcheck doctor again")
	}
	return nil
}

// diagnose makes the checks.
func (e *env) diagnose(ctx context.Context, s *source, found *config.Examination) (*doctor.Report, error) {
	in := doctor.Input{
		Files: found.Files, Other: found.Other(), Stated: found.Settings.Audit,
		Members: s.members, Apps: s.apps, WorkspaceDetails: s.details, Now: e.now,
	}
	in.Okta.Wrong, in.Okta.Missing = found.Okta()
	in.Databricks.Wrong, in.Databricks.Missing = found.Databricks()
	settings := *found.Settings
	if settings.Okta.Token == (config.Secret{}) {
		settings.Okta.PrivateKey, in.KeyFault = found.Key()
	}
	in.OktaConfig, in.DatabricksConfig = oktaConfig(e, &settings), databricksConfig(e, &settings)
	return doctor.Run(ctx, in)
}

type settingJSON struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Secret bool   `json:"secret,omitempty"`
	From   string `json:"from"`
	Error  string `json:"error,omitempty"`
}

// diagnosis is what --output json prints.
func diagnosis(found *config.Examination, r *doctor.Report) any {
	settings := []settingJSON{}
	for _, g := range found.Given {
		s := settingJSON{Name: g.Name, Value: g.Value, Secret: g.Secret, From: g.From}
		if g.Err != nil {
			s.Error = g.Err.Error()
		}
		settings = append(settings, s)
	}
	return struct {
		OK       bool          `json:"ok"`
		Settings []settingJSON `json:"settings"`
		*doctor.Report
	}{r.Healthy(), settings, r}
}

// abouts are the headings, in order.
var abouts = []struct{ about, heading string }{
	{"settings", ""}, {"okta", "Okta"}, {"databricks", "Databricks"}, {"you", "What only you can say"}, {"read", "A full read"},
}

func (e *env) printDiagnosis(found *config.Examination, r *doctor.Report) error {
	p := e.diagnosisPage()
	p.settings(found)
	for _, a := range abouts {
		if a.heading != "" {
			p.line("\n%s", a.heading)
		}
		for _, l := range r.Lines {
			if l.About == a.about {
				p.check(l)
			}
		}
	}
	p.line("")
	p.wrapped("", fmt.Sprintf("%d to mend, %d to mind, %d for you to say, %d not checked, %d good  (%d requests, %.1f s)",
		r.Count(doctor.Fail), r.Count(doctor.Warn), r.Count(doctor.Ask), r.Count(doctor.Unknown), r.Count(doctor.OK), r.Sent, r.Took))
	var fails []string
	for _, l := range r.Lines {
		if l.State == doctor.Fail {
			fails = append(fails, l.Check)
		}
	}
	if len(fails) > 0 {
		p.wrapped("Mend first  ", strings.Join(fails, ", "))
	} else {
		p.line("Next        aimcheck snapshot -o tenants.snapshot")
	}
	_, err := io.WriteString(e.stdout, p.text.String())
	return err
}

func (e *env) diagnosisPage() *diagnosisPage {
	p := &diagnosisPage{width: max(e.outWidth, 40), color: e.color()}
	if e.outWidth == 0 {
		p.width = 1 << 20 // a line each, for who searches them
	}
	return p
}

// A diagnosisPage collects lines of a width.
type diagnosisPage struct {
	width int
	color bool
	text  strings.Builder
}

func (p *diagnosisPage) line(format string, args ...any) {
	p.text.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	p.text.WriteByte('\n')
}

// wrapped writes a text behind a head, below itself where it needs more lines.
func (p *diagnosisPage) wrapped(head, text string) {
	indent := ansi.StringWidth(head)
	for i, line := range report.Wrap(text, p.width-indent) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		p.line("%s%s", head, line)
	}
}

// settings shows what was given, and where. What is a secret, or wrong, is not shown.
func (p *diagnosisPage) settings(found *config.Examination) {
	p.line("Settings")
	if len(found.Given) == 0 {
		p.line("  none: no flag, variable or file says anything")
	}
	for _, g := range found.Given {
		value := g.Value
		switch {
		case g.Err != nil:
			value = "(wrong)"
		case g.Secret:
			value = "(secret)"
		}
		p.wrapped(fmt.Sprintf("  %-25s ", g.Name), fmt.Sprintf("%s from %s", report.Visible(value), report.Visible(g.From)))
	}
	p.line("")
}

func (p *diagnosisPage) check(l doctor.Line) {
	head := fmt.Sprintf("  %s  %-22s ", p.state(l.State), l.Check)
	indent := strings.Repeat(" ", ansi.StringWidth(head))
	if p.width < 80 { // too narrow for columns
		p.line("%s", head)
		head, indent = "    ", "    "
	}
	p.wrapped(head, report.Visible(l.Found))
	if l.State != doctor.OK && l.Do != "" {
		p.wrapped(indent+"why  ", report.Visible(l.Why))
	}
	if l.Do != "" {
		p.wrapped(indent+"do   ", report.Visible(l.Do))
	}
}

func (p *diagnosisPage) state(s doctor.State) string {
	word := fmt.Sprintf("%-7s", s)
	if !p.color {
		return word
	}
	style := lipgloss.NewStyle().Bold(true)
	switch s {
	case doctor.Fail:
		style = style.Foreground(lipgloss.Red)
	case doctor.Warn:
		style = style.Foreground(lipgloss.Yellow)
	case doctor.OK:
		style = style.Foreground(lipgloss.Green)
	default:
		style = style.Foreground(lipgloss.Blue)
	}
	return style.Render(word)
}
