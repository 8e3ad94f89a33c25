package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/doctor"
)

func (e *env) initCommand() *cobra.Command {
	var s source
	var format outputFormat
	var out string
	var force bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "try what is configured, and write a commented aimcheck.yaml",
		Long: "Init takes what flags, environment and the vendors' own files say, asks for what is missing where there is a terminal, tries it as\n" +
			"doctor does, and writes a file of settings: every setting with a comment, in a profile. No secret is written, or shown.",
		Example: "  aimcheck init\n  aimcheck init -o team.yaml --okta-org-url https://example.okta.com",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.init(cmd.Context(), &s, out, force, format)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&out, "out", "o", "aimcheck.yaml", "write the settings to `FILE`")
	f.BoolVar(&force, "force", false, "replace the file if it is there")
	s.register(cmd, "okta-", "databricks-", config.SSOClaim, config.WorkspaceSSOClaim, config.UnifiedLogin, config.SCIMTokenOwner, config.Waivers)
	format.flag(cmd)
	return cmd
}

func (e *env) init(ctx context.Context, s *source, out string, force bool, format outputFormat) error {
	if info, err := os.Lstat(out); err == nil && !force && !info.IsDir() {
		return fmt.Errorf("%s is there already: give --force to replace it, or another name with -o FILE", out)
	}
	if err := checkFile(out); err != nil {
		return err
	}
	flags := s.given()
	if e.asks && !format.json() {
		if err := e.ask(ctx, flags); err != nil {
			return err
		}
	}
	found := config.Examine(e.config(), flags)
	r, err := e.diagnose(ctx, s, found)
	if err != nil {
		return err
	}
	values := found.Values(filepath.Abs)
	profile := profileName(values[config.OktaOrgURL])
	err = writeFile(ctx, out, func(w io.Writer) error {
		_, err := w.Write(config.Template(profile, values))
		return err
	})
	if err != nil {
		return err
	}
	if format.json() {
		err = printJSON(e.stdout, map[string]any{
			"file": out, "profile": profile, "written": slices.Sorted(maps.Keys(values)), "ok": r.Healthy(), "checks": r.Lines,
		})
	} else {
		err = e.printInit(found, r, out, profile, len(values))
	}
	switch {
	case err != nil:
		return fileError("write to", "standard output", err)
	case tried(found, r):
		return nil
	}
	return fmt.Errorf("%s is written, but not all that was given is right: mend what is marked fail, and run aimcheck doctor --config %s", out, quote(out))
}

// tried reports whether nothing that was given failed; what is missing did not.
func tried(found *config.Examination, r *doctor.Report) bool {
	okta, _ := found.Okta()
	databricks, _ := found.Databricks()
	for _, l := range r.Lines {
		missing := l.Check == "okta-settings" && len(okta) == 0 || l.Check == "databricks-settings" && len(databricks) == 0
		if l.State == doctor.Fail && !missing {
			return false
		}
	}
	return true
}

func (e *env) printInit(found *config.Examination, r *doctor.Report, out, profile string, written int) error {
	p := e.diagnosisPage()
	for _, l := range r.Lines {
		if l.State != doctor.OK && l.Do != "" {
			p.check(l)
		}
	}
	if p.text.Len() > 0 {
		p.line("")
	}
	p.wrapped("Written     ", fmt.Sprintf("%s: profile %s, %d settings given, every other one with a comment", quote(out), profile, written))
	for _, g := range found.Given {
		if g.Secret && g.Value == "" && g.From == "--"+g.Name && g.Name != config.OktaPrivateKey {
			p.wrapped("Not written ", fmt.Sprintf("%s is a secret: set %s before the next command", g.Name, g.Env))
		}
	}
	next := "aimcheck doctor --config " + quote(out)
	if r.Healthy() {
		next = "aimcheck snapshot --config " + quote(out) + " -o tenants.snapshot"
	}
	p.line("Next        %s", next)
	_, err := io.WriteString(e.stdout, p.text.String())
	return err
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// profileName makes a name of the org's.
func profileName(orgURL string) string {
	if u, err := url.Parse(orgURL); err == nil {
		name, rest, _ := strings.Cut(strings.ToLower(u.Hostname()), ".")
		if name = strings.Trim(notInName.ReplaceAllString(name, "-"), "-"); name != "" && strings.Trim(name+rest, "0123456789.") != "" {
			return name
		}
	}
	return "main"
}

// questions are what is asked where nobody said it, in this order.
var questions = []struct{ name, text string }{
	{config.OktaOrgURL, "Okta org URL, without \"-admin\" (https://example.okta.com)"},
	{config.OktaClientID, "client id of the API Services app in Okta (0oa…)"},
	{config.OktaPrivateKey, "path of the file with its private key (PEM or JWK)"},
	{config.DatabricksHost, "host of the Databricks account console (https://accounts.cloud.databricks.com)"},
	{config.DatabricksAccountID, "Databricks account id (a UUID, beside your user name in the account console)"},
	{config.DatabricksClientID, "application id of the service principal in Databricks (a UUID)"},
	{config.DatabricksClientSecret, "its OAuth secret (to try it; it is not shown, and not written)"},
	{config.SSOClaim, "what the SSO app sends as username: login, email or other"},
	{config.UnifiedLogin, "is unified login on: true or false"},
	{config.SCIMTokenOwner, "username or application id of who owns the SCIM token"},
}

// ask asks for what is missing, and adds the answers to flags. A blank answer
// leaves it out; a wrong one is asked for again.
func (e *env) ask(ctx context.Context, flags config.Flags) error {
	before := config.Examine(e.config(), flags)
	said := map[string]bool{}
	for _, g := range before.Given {
		said[g.Name] = true
	}
	if said[config.OktaToken] {
		said[config.OktaClientID], said[config.OktaPrivateKey] = true, true
	}
	if said[config.DatabricksToken] || said[config.DatabricksProfile] {
		said[config.DatabricksClientID], said[config.DatabricksClientSecret] = true, true
	}
	in := bufio.NewReader(e.stdin)
	told := false
	for _, q := range questions {
		for !said[q.name] {
			if !told {
				told = true
				fmt.Fprintln(e.stderr, "What is not set is asked for. Enter alone leaves it out, Ctrl-D the rest.")
			}
			answer, err := e.answer(ctx, in, q.text, q.name == config.DatabricksClientSecret)
			if err == io.EOF { // Ctrl-D leaves out all that is not asked yet
				fmt.Fprintln(e.stderr)
				return nil
			}
			if err != nil {
				return err
			}
			if answer == "" {
				break
			}
			flags.Values[q.name] = answer
			if err := wrongAnswer(config.Examine(e.config(), flags), q.name); err != nil {
				delete(flags.Values, q.name)
				fmt.Fprintln(e.stderr, " ", strings.TrimPrefix(err.Error(), "--"+q.name+": "))
				continue
			}
			break
		}
	}
	return nil
}

// wrongAnswer returns what is wrong with a setting.
func wrongAnswer(found *config.Examination, name string) error {
	if name == config.OktaPrivateKey {
		_, err := found.Key()
		return err
	}
	for _, g := range found.Given {
		if g.Name == name {
			return g.Err
		}
	}
	return nil
}

// answer reads one line; a secret one is not shown. It stops when ctx is done.
func (e *env) answer(ctx context.Context, in *bufio.Reader, question string, secret bool) (string, error) {
	fmt.Fprintf(e.stderr, "%s: ", question)
	type read struct {
		text string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		if secret {
			b, err := e.readSecret(ctx)
			fmt.Fprintln(e.stderr)
			done <- read{string(b), err}
			return
		}
		text, err := in.ReadString('\n')
		done <- read{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(e.stderr)
		return "", ctx.Err()
	case r := <-done:
		if errors.Is(r.err, io.EOF) && r.text == "" {
			return "", io.EOF
		}
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", fmt.Errorf("the answer could not be read: %w", r.err)
		}
		return strings.TrimSpace(r.text), nil
	}
}
