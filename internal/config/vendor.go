package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"gopkg.in/ini.v1"
)

// readOkta reads ~/.okta/okta.yaml, the file of Okta's own tools. What it holds
// besides is theirs.
func readOkta(env Env) (layer, error) {
	l := layer{map[string]value{}}
	if env.Home == "" {
		return l, nil
	}
	const name = "~/.okta/okta.yaml"
	path := filepath.Join(env.Home, ".okta", "okta.yaml")
	data, err := env.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, plain(name, err)
	}
	top, err := readYAML(name, data)
	if err != nil {
		return l, err
	}
	client := top.fields["okta"].fields["client"]
	for key, setting := range map[string]string{
		"orgUrl": OktaOrgURL, "clientId": OktaClientID, "token": OktaToken,
		"privateKey": OktaPrivateKey, "privateKeyId": OktaPrivateKeyID,
	} {
		if v := client.fields[key]; v.text != "" {
			l.values[setting] = value{v.text, fmt.Sprintf("%s:%d: %s", name, v.line, key), filepath.Dir(path)}
		}
	}
	return l, nil
}

// readDatabricks reads host, account and the name of the profile from the file
// of Databricks' own tools. How that profile signs in is the SDK's to read. As
// there, the file counts only where a profile is named or nothing else is said.
func readDatabricks(env Env, ls []layer) (layer, error) {
	l := layer{map[string]value{}}
	named := get(ls, DatabricksProfile)
	said := first(ls, DatabricksHost, DatabricksClientID, DatabricksClientSecret, DatabricksToken)
	if named.text == "" && said.values != nil {
		return l, nil
	}
	name := env.Getenv("DATABRICKS_CONFIG_FILE")
	if name == "" {
		name = "~/.databrickscfg"
	}
	path := name
	if rest, ok := strings.CutPrefix(name, "~"); ok {
		if env.Home == "" {
			return l, nil
		}
		path = filepath.Join(env.Home, rest)
	}
	data, err := env.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && named.text == "" {
		return l, nil
	}
	if err != nil {
		return l, plain(name, err)
	}
	file, err := ini.LoadSources(ini.LoadOptions{SpaceBeforeInlineComment: true}, data)
	if err != nil {
		// the parser's own words would quote the line, which may be a secret
		return l, fmt.Errorf("%s: not a file of sections [name] with lines key = value", name)
	}
	profile := named.text
	if profile == "" {
		profile = strings.TrimSpace(file.Section("__settings__").Key("default_profile").String())
	}
	if profile == "" {
		profile = ini.DefaultSection
	}
	if !file.HasSection(profile) || len(file.Section(profile).Keys()) == 0 {
		if named.text == "" {
			return l, nil
		}
		return l, fmt.Errorf("%s: %s has no profile %q: expected one of %q", named.from, name, profile, file.SectionStrings())
	}
	section := file.Section(profile)
	from := fmt.Sprintf("%s [%s]", name, profile)
	l.values[DatabricksProfile] = value{text: profile, from: from}
	for key, setting := range map[string]string{"host": DatabricksHost, "account_id": DatabricksAccountID} {
		if text := section.Key(key).String(); text != "" {
			l.values[setting] = value{text: text, from: from + ": " + key}
		}
	}
	return l, nil
}
