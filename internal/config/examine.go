package config

import (
	"regexp"
	"strings"
)

// An Examination is all that was said, setting by setting, right or wrong.
type Examination struct {
	Settings *Settings // as far as they could be read; the rest is zero
	Given    []Given   // what was given, in the order of [All]
	Files    []error   // what is wrong with files, in the order they are read

	wrong   map[string]error // by setting
	keyFile string           // the private key's; blank if it was given as text
}

// A Given is one setting and where it came from.
type Given struct {
	Setting
	Value string // blank of a secret
	From  string // such as "OKTA_CLIENT_ORGURL" or "aimcheck.yaml:3: okta-org-url"
	Err   error  // what is wrong with it
}

// misplaced matches what is a secret, whatever setting it was given for.
var misplaced = regexp.MustCompile(`^\s*["']?(-----BEGIN|\{|dapi|dose|SSWS )|://[^/]*@`)

// Examine reads what [Load] reads, and goes on after what is wrong.
func Examine(env Env, flags Flags) *Examination {
	l, errs := load(env, flags)
	e := &Examination{Settings: l.settings, wrong: map[string]error{}}
	for _, m := range errs {
		if m.setting == "" {
			e.Files = append(e.Files, m.err)
		} else {
			e.wrong[m.setting] = m.err
		}
	}
	for _, set := range All() {
		v := get(l.layers, set.Name)
		if v.text == "" {
			continue
		}
		g := Given{Setting: set, Value: v.text, From: v.from}
		g.Err = e.wrong[set.Name]
		g.Secret = g.Secret || misplaced.MatchString(v.text)
		if g.Secret || g.Err != nil { // an error quotes what may be shown
			g.Value = ""
		}
		e.Given = append(e.Given, g)
	}
	if key := get(l.layers, OktaPrivateKey); key.text != "" && !looksLikeKey(unquoted(key.text)) {
		e.keyFile = key.path(env, unquoted(key.text))
	}
	return e
}

// Key reads the private key of Okta's app for the examination; it is none if
// there is none.
func (e *Examination) Key() (Secret, error) {
	if e.Settings.readKey == nil {
		return Secret{}, nil
	}
	text, err := e.Settings.readKey()
	return NewSecret(text), err
}

// Okta returns what is wrong with, and missing from, what Okta is signed in to with.
func (e *Examination) Okta() (wrong, missing []error) {
	return e.about(e.Settings.lackOkta(), OktaOrgURL, OktaClientID, OktaPrivateKey, OktaPrivateKeyID, OktaToken)
}

// Databricks returns the same of Databricks.
func (e *Examination) Databricks() (wrong, missing []error) {
	return e.about(e.Settings.lackDatabricks(), DatabricksHost, DatabricksAccountID, DatabricksProfile, DatabricksClientID, DatabricksClientSecret, DatabricksToken)
}

// about returns what is wrong with the named settings, and what is lacking that
// is not there only because it is wrong.
func (e *Examination) about(lacking []error, names ...string) (wrong, missing []error) {
	for _, name := range names {
		if err := e.wrong[name]; err != nil {
			wrong = append(wrong, err)
			lacking = without(lacking, byName[name].Usage)
		}
	}
	return wrong, lacking
}

func without(errs []error, start string) (rest []error) {
	for _, err := range errs {
		if !strings.HasPrefix(err.Error(), start+" is not set") {
			rest = append(rest, err)
		}
	}
	return rest
}

// Other returns what is wrong with settings that no directory is signed in to with.
func (e *Examination) Other() (wrong []error) {
	for _, name := range []string{OktaReserve, OktaApp, DatabricksSCIM, DatabricksRate, SSOClaim, WorkspaceSSOClaim, UnifiedLogin, SCIMTokenOwner, Waivers, History} {
		if err := e.wrong[name]; err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}
