package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// A value is a text as it was given, and where.
type value struct {
	text string
	from string // such as "OKTA_CLIENT_ORGURL" or "aimcheck.yaml:3"
	dir  string // that a path is relative to; blank: the working directory
}

// A layer is one place that settings come from, by setting name. Blank values
// are left out.
type layer struct{ values map[string]value }

// get returns what the first layer that has the setting says.
func get(ls []layer, name string) value { return first(ls, name).values[name] }

// first returns the first layer that has any of the settings.
func first(ls []layer, names ...string) layer {
	for _, l := range ls {
		for _, n := range names {
			if l.values[n].text != "" {
				return l
			}
		}
	}
	return layer{}
}

// layers lists where settings come from, what counts most first. What is wrong
// with a file is among the errors, and its layer is missing.
func layers(env Env, flags Flags) (ls []layer, errs []error) {
	commandLine, environment := layer{map[string]value{}}, layer{map[string]value{}}
	for name, text := range flags.Values {
		commandLine.values[name] = value{text: text, from: "--" + name}
	}
	for _, s := range All() {
		if s.Env == "" {
			continue
		}
		if text := oneLine(env.Getenv(s.Env)); text != "" {
			environment.values[s.Name] = value{text: text, from: s.Env}
		}
	}
	ls = []layer{commandLine, environment}
	read := func(more []layer, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		ls = append(ls, more...)
	}
	if flags.File != "" {
		read(ownFile(env, flags))
	} else if flags.Profile != "" {
		errs = append(errs, fmt.Errorf("--profile %s: a profile is chosen from a file, give --config FILE too (or --%s for one of ~/.databrickscfg)", flags.Profile, DatabricksProfile))
	}
	okta, err := readOkta(env)
	read([]layer{okta}, err)
	databricks, err := readDatabricks(env, ls)
	read([]layer{databricks}, err)
	return ls, errs
}

// ownFile reads the file of --config.
func ownFile(env Env, flags Flags) ([]layer, error) {
	data, err := env.ReadFile(flags.File)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", plain(flags.File, err))
	}
	return readFile(flags.File, data, flags.Profile)
}

// readFile reads an aimcheck.yaml: settings, "profiles" with settings each, and
// "profile", the name of the one to use where none is chosen.
func readFile(name string, data []byte, profile string) ([]layer, error) {
	top, err := readYAML(name, data)
	if err != nil {
		return nil, err
	}
	const chosen, all = "profile", "profiles"
	common, err := top.settings(name, chosen, all)
	if err != nil {
		return nil, err
	}
	profiles := map[string]layer{}
	for key, p := range top.fields[all].fields {
		if profiles[key], err = p.settings(name); err != nil {
			return nil, err
		}
	}
	if n, ok := top.fields[all]; ok && n.kind != mapping {
		return nil, fmt.Errorf("%s:%d: profiles: expected a name and settings below it", name, n.line)
	}
	if n := top.fields[chosen]; n.kind != scalar {
		return nil, fmt.Errorf("%s:%d: profile: expected the name of a profile", name, n.line)
	}
	at := "--profile"
	if n := top.fields[chosen]; profile == "" && n.text != "" {
		profile, at = n.text, fmt.Sprintf("%s:%d", name, n.line)
	}
	if profile == "" {
		if len(profiles) > 0 {
			return nil, fmt.Errorf("%s has profiles and none is chosen: give --profile NAME, one of %s", name, list(profiles))
		}
		return []layer{common}, nil
	}
	p, ok := profiles[profile]
	if !ok {
		return nil, fmt.Errorf("%s: %s has no profile %q: expected one of %s", at, name, profile, list(profiles))
	}
	return []layer{p, common}, nil
}

func list(profiles map[string]layer) string {
	if len(profiles) == 0 {
		return "none, for there are no profiles in it"
	}
	return fmt.Sprintf("%q", slices.Sorted(maps.Keys(profiles)))
}

// settings reads a mapping of setting names to texts. Other keys than the given
// ones are errors.
func (n node) settings(file string, others ...string) (layer, error) {
	l := layer{map[string]value{}}
	if n.kind == sequence || n.kind == scalar && n.text != "" {
		return l, fmt.Errorf("%s:%d: expected settings such as %s: https://example.okta.com", file, n.line, OktaOrgURL)
	}
	known := slices.Clone(others)
	for _, s := range All() {
		known = append(known, s.Name)
	}
	for _, key := range n.keys {
		v := n.fields[key]
		if slices.Contains(others, key) {
			continue
		}
		if !slices.Contains(known, key) {
			return l, unknown(file, v.line, key, known)
		}
		if v.kind != scalar {
			return l, fmt.Errorf("%s:%d: %s: expected one text", file, v.line, key)
		}
		if text := oneLine(v.text); text != "" {
			l.values[key] = value{text, fmt.Sprintf("%s:%d: %s", file, v.line, key), filepath.Dir(file)}
		}
	}
	return l, nil
}

// oneLine takes the end of a line off: of a file with those of Windows, or of a
// YAML block. No setting ends in one, and in a secret nobody sees it.
func oneLine(text string) string { return strings.TrimRight(text, "\r\n") }

func unknown(file string, line int, key string, known []string) error {
	if near := Nearest(key, known); near != "" {
		return fmt.Errorf("%s:%d: unknown key %q: did you mean %q?", file, line, key, near)
	}
	return fmt.Errorf("%s:%d: unknown key %q: expected one of %q", file, line, key, known)
}

// plain says why a file could not be read, without the system call's name.
func plain(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("cannot read %s: %w: check the path and who may read it", name, err)
}
