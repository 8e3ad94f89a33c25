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

// Load reads and checks all settings that were given.
func Load(env Env, flags Flags) (*Settings, error) {
	ls, err := layers(env, flags)
	if err != nil {
		return nil, err
	}
	s := &Settings{}
	if err := s.loadOkta(env, ls); err != nil {
		return nil, err
	}
	if err := s.loadDatabricks(ls); err != nil {
		return nil, err
	}
	return s, s.loadAudit(ls)
}

func (s *Settings) loadOkta(env Env, ls []layer) (err error) {
	if s.Okta.OrgURL, err = parse(ls, OktaOrgURL, "", oktaOrg); err != nil {
		return err
	}
	if s.Okta.Reserve, err = parse(ls, OktaReserve, "10", percent); err != nil {
		return err
	}
	s.Okta.ClientID = get(ls, OktaClientID).text

	// The first place that has any way to sign in decides: a token in the
	// environment stands for itself, whatever key a file holds.
	l := first(ls, OktaPrivateKey, OktaToken)
	key, token := l.values[OktaPrivateKey], l.values[OktaToken]
	if key.text != "" && token.text != "" {
		return fmt.Errorf("both a private key (%s) and an API token (%s) for Okta: remove one, best the token", key.from, token.from)
	}
	if key.text != "" {
		s.readKey = func() (string, error) {
			text, err := key.key(env)
			if err != nil {
				return "", fmt.Errorf("Okta private key from %s: %w", key.from, err)
			}
			return text, nil
		}
	}
	s.Okta.Token = NewSecret(token.text)
	s.Okta.PrivateKeyID = get(ls, OktaPrivateKeyID).text
	return nil
}

func (s *Settings) loadDatabricks(ls []layer) (err error) {
	d := &s.Databricks
	if d.Host, err = parse(ls, DatabricksHost, "", databricksHost); err != nil {
		return err
	}
	if d.AccountID, err = parse(ls, DatabricksAccountID, "", accountID); err != nil {
		return err
	}
	if d.SCIM, err = parse(ls, DatabricksSCIM, "2.1", scimVersion); err != nil {
		return err
	}
	rates, err := parse(ls, DatabricksRate, "20,4,2", threeRates)
	if err != nil {
		return err
	}
	d.ReadRate, d.ListRate, d.WriteRate = rates[0], rates[1], rates[2]
	d.Profile = get(ls, DatabricksProfile).text

	l := first(ls, DatabricksClientID, DatabricksClientSecret, DatabricksToken)
	d.ClientID = l.values[DatabricksClientID].text
	d.ClientSecret = NewSecret(l.values[DatabricksClientSecret].text)
	d.Token = NewSecret(l.values[DatabricksToken].text)
	return nil
}

func (s *Settings) loadAudit(ls []layer) (err error) {
	if s.Audit.SSOClaim, err = parse(ls, SSOClaim, "", audit.ParseClaim); err != nil {
		return err
	}
	if s.Audit.WorkspaceSSOClaim, err = parse(ls, WorkspaceSSOClaim, "", audit.ParseClaim); err != nil {
		return err
	}
	if s.Audit.UnifiedLogin, err = parse(ls, UnifiedLogin, "", onOff); err != nil {
		return err
	}
	s.Audit.SCIMTokenOwner = get(ls, SCIMTokenOwner).text
	s.Audit.OktaApp = get(ls, OktaApp).text
	s.waivers = get(ls, Waivers)
	return nil
}

// NeedOkta reports what is missing to sign in to Okta, and reads the private key.
func (s *Settings) NeedOkta() error {
	if s.Okta.OrgURL == "" {
		return missing(OktaOrgURL, "https://example.okta.com")
	}
	if s.Okta.Token != (Secret{}) {
		return nil
	}
	if s.readKey == nil {
		return fmt.Errorf("no way to sign in to Okta: set %s to the private key of an API services app (PEM, JWK or the path of one) and %s to its client id",
			byName[OktaPrivateKey].Env, byName[OktaClientID].Env)
	}
	if s.Okta.ClientID == "" {
		return missing(OktaClientID, "the client id of the API services app whose private key is given")
	}
	key, err := s.readKey()
	s.Okta.PrivateKey = NewSecret(key)
	return err
}

// NeedDatabricks reports what is missing to reach the Databricks account.
func (s *Settings) NeedDatabricks() error {
	if s.Databricks.Host == "" {
		return missing(DatabricksHost, "https://accounts.cloud.databricks.com")
	}
	if s.Databricks.AccountID == "" {
		return missing(DatabricksAccountID, "the UUID that the account console shows beside your user name")
	}
	return nil
}

func missing(name, expected string) error {
	set := byName[name]
	return fmt.Errorf("%s is not set: give --%s or set %s, for example %s", set.Usage, set.Name, set.Env, expected)
}
