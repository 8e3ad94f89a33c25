// Package config turns what the user said into settings: flags first, then the
// environment, then an aimcheck.yaml, then what the vendors' own tools already
// use. It is pure: everything it reads comes in through an [Env].
//
// Every error is the user's to mend. It says what is wrong and where it was
// given, what was expected, and never shows a secret.
package config

import (
	"fmt"

	"github.com/aimcheck/aimcheck/audit"
)

// An Env is all that settings are read from.
type Env struct {
	Getenv   func(string) string
	ReadFile func(string) ([]byte, error)
	Home     string // the home directory; blank if there is none
}

// Flags are what the command line said.
type Flags struct {
	File    string            // --config; blank: none
	Profile string            // --profile; blank: the file's own choice
	Values  map[string]string // by [Setting] name; only what was given
}

// Settings are checked as far as text alone can be. What a command needs and
// nobody gave is reported by [Settings.NeedOkta] and [Settings.NeedDatabricks].
type Settings struct {
	Okta       Okta
	Databricks Databricks
	Audit      audit.Settings // Include and Exclude are the command's
	History    Secret         // the path of a file, or a URL, which may hold a password; blank: none

	Notify       Secret // URL of a webhook; blank: none
	NotifySecret Secret // what alerts are signed with; blank: they are not

	// readKey reads the private key for NeedOkta; nil if none was given. As a
	// function it can't be printed.
	readKey func() (string, error)

	waivers value
}

// Okta is how to sign in to the org.
type Okta struct {
	OrgURL       string // https, or http to a loopback host; no path
	ClientID     string
	PrivateKey   Secret // PEM or JWK; set by [Settings.NeedOkta]
	PrivateKeyID string // blank: the JWK's, or none
	Token        Secret // instead of client id and key
	Reserve      int    // per cent of each rate limit that is left to others
}

// Databricks is how to sign in to the account. Whatever sign-in is blank is left
// to the vendor's SDK.
type Databricks struct {
	Host         string // https, or http to a loopback host; no path
	AccountID    string // a UUID
	Profile      string // of ~/.databrickscfg; blank: none
	ClientID     string
	ClientSecret Secret
	Token        Secret
	SCIM         string // "2.1" or "2.0"
	ReadRate     float64
	ListRate     float64
	WriteRate    float64 // requests a second
}

// Load reads and checks all settings that were given. Its error is the first of
// what [Examine] finds.
func Load(env Env, flags Flags) (*Settings, error) {
	s, errs := load(env, flags)
	if len(errs) > 0 {
		return nil, errs[0].err
	}
	return s.settings, nil
}

// A loading is the settings as they come to be.
type loading struct {
	env      Env
	layers   []layer
	settings *Settings
	errs     []mistake
}

// A mistake is what is wrong with a setting, or with a file.
type mistake struct {
	setting string // its name; blank: a file's
	err     error
}

func load(env Env, flags Flags) (*loading, []mistake) {
	ls, errs := layers(env, flags)
	l := &loading{env: env, layers: ls, settings: &Settings{}}
	for _, err := range errs {
		l.wrong("", err)
	}
	l.okta()
	l.databricks()
	l.audit()
	l.history()
	l.notify()
	return l, l.errs
}

func (l *loading) wrong(setting string, err error) {
	if err != nil {
		l.errs = append(l.errs, mistake{setting, err})
	}
}

// text returns what the first layer says that has the setting.
func (l *loading) text(name string) string { return get(l.layers, name).text }

// read reads a setting with the given function, from the first layer that has
// it, else from the default. Nothing given and no default is the zero value of
// a setting that need not be there, and so is what can't be read.
func read[T any](l *loading, name, byDefault string, f func(string) (T, error)) T {
	v := get(l.layers, name)
	if v.text == "" {
		v.text = byDefault
	}
	t, err := f(v.text)
	if err != nil {
		l.wrong(name, fmt.Errorf("%s: %w", v.from, err))
		var none T
		return none
	}
	return t
}

func (l *loading) okta() {
	s := l.settings
	s.Okta.OrgURL = read(l, OktaOrgURL, "", oktaOrg)
	s.Okta.Reserve = read(l, OktaReserve, "10", percent)
	s.Okta.ClientID = l.text(OktaClientID)

	// The first place that has any way to sign in decides: a token in the
	// environment stands for itself, whatever key a file holds.
	place := first(l.layers, OktaPrivateKey, OktaToken)
	key, token := place.values[OktaPrivateKey], place.values[OktaToken]
	if key.text != "" && token.text != "" {
		l.wrong(OktaToken, fmt.Errorf("both a private key (%s) and an API token (%s) for Okta: remove one, best the token", key.from, token.from))
		token.text = ""
	}
	if key.text != "" {
		s.readKey = func() (string, error) {
			text, err := key.key(l.env)
			if err != nil {
				return "", fmt.Errorf("Okta private key from %s: %w", key.from, err)
			}
			return text, nil
		}
	}
	s.Okta.Token = NewSecret(token.text)
	s.Okta.PrivateKeyID = l.text(OktaPrivateKeyID)
}

func (l *loading) databricks() {
	d := &l.settings.Databricks
	d.Host = read(l, DatabricksHost, "", databricksHost)
	d.AccountID = read(l, DatabricksAccountID, "", accountID)
	d.SCIM = read(l, DatabricksSCIM, "2.1", scimVersion)
	rates := read(l, DatabricksRate, "20,4,2", threeRates)
	d.ReadRate, d.ListRate, d.WriteRate = rates[0], rates[1], rates[2]
	d.Profile = l.text(DatabricksProfile)
	place := first(l.layers, DatabricksClientID, DatabricksClientSecret, DatabricksToken)
	d.ClientID = place.values[DatabricksClientID].text
	d.ClientSecret = NewSecret(place.values[DatabricksClientSecret].text)
	if d.ClientID == "" && place.values[DatabricksClientSecret].text != "" {
		d.ClientID = l.text(DatabricksClientID) // a secret is often kept apart from the id it is of
	}
	d.Token = NewSecret(place.values[DatabricksToken].text)
}

func (l *loading) audit() {
	a := &l.settings.Audit
	a.SSOClaim = read(l, SSOClaim, "", audit.ParseClaim)
	a.WorkspaceSSOClaim = read(l, WorkspaceSSOClaim, "", audit.ParseClaim)
	a.UnifiedLogin = read(l, UnifiedLogin, "", onOff)
	a.SCIMTokenOwner = l.text(SCIMTokenOwner)
	a.OktaApp = l.text(OktaApp)
	l.settings.waivers = get(l.layers, Waivers)
}

// NeedOkta reports the first that is missing to sign in to Okta, and reads the
// private key.
func (s *Settings) NeedOkta() error {
	if errs := s.lackOkta(); len(errs) > 0 {
		return lacking(errs)
	}
	if s.Okta.Token != (Secret{}) {
		return nil
	}
	key, err := s.readKey()
	s.Okta.PrivateKey = NewSecret(key)
	return err
}

func (s *Settings) lackOkta() (errs []error) {
	if s.Okta.OrgURL == "" {
		errs = append(errs, missing(OktaOrgURL, "https://example.okta.com"))
	}
	if s.Okta.Token != (Secret{}) {
		return errs
	}
	if s.readKey == nil {
		errs = append(errs, fmt.Errorf("no way to sign in to Okta: set %s to the private key of an API services app (PEM, JWK or the path of one) and %s to its client id",
			byName[OktaPrivateKey].Env, byName[OktaClientID].Env))
	} else if s.Okta.ClientID == "" {
		errs = append(errs, missing(OktaClientID, "the client id of the API services app whose private key is given"))
	}
	return errs
}

// NeedDatabricks reports the first that is missing to reach the Databricks
// account. How to sign in there is the SDK's to find, too.
func (s *Settings) NeedDatabricks() error {
	if errs := s.lackDatabricks(); len(errs) > 0 {
		return lacking(errs)
	}
	return nil
}

func (s *Settings) lackDatabricks() (errs []error) {
	if s.Databricks.Host == "" {
		errs = append(errs, missing(DatabricksHost, "https://accounts.cloud.databricks.com"))
	}
	if s.Databricks.AccountID == "" {
		errs = append(errs, missing(DatabricksAccountID, "the UUID that the account console shows beside your user name"))
	}
	return errs
}

// lacking is the first of what is missing, and how to find out about the rest.
func lacking(errs []error) error {
	return fmt.Errorf("%w; aimcheck init asks for all that is missing, aimcheck doctor checks it", errs[0])
}

func missing(name, expected string) error {
	set := byName[name]
	return fmt.Errorf("%s is not set: give --%s or set %s, for example %s", set.Usage, set.Name, set.Env, expected)
}
