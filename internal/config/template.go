package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Template returns an aimcheck.yaml with one profile of that name: every
// setting there is, with a comment; those in values with their value, the others
// commented out. It writes no secret; of the private key it writes its path.
func Template(profile string, values map[string]string) []byte {
	var b strings.Builder
	b.WriteString("# Settings of aimcheck, for --config. Flags and environment variables go before what stands here; what the vendors' own\n" +
		"# files say (~/.okta/okta.yaml, ~/.databrickscfg) comes after it. Secrets do not belong here: each says where to put it.\n\n")
	fmt.Fprintf(&b, "# The profile that is used where --profile chooses none.\nprofile: %s\n\n", profile)
	b.WriteString("# A setting that stands here, outside the profiles, counts for all of them. A profile is a name and settings below it.\n\n")
	fmt.Fprintf(&b, "profiles:\n  %s:\n", profile)
	for _, s := range All() {
		fmt.Fprintf(&b, "\n    # %s%s\n", strings.ToUpper(s.Usage[:1]), s.Usage[1:])
		if s.Env != "" {
			fmt.Fprintf(&b, "    # Environment: %s\n", s.Env)
		}
		value, given := values[s.Name]
		switch {
		case s.Secret && s.Name != OktaPrivateKey:
			fmt.Fprintf(&b, "    # %s is a secret: set it in the environment, or in the vendor's own file\n", s.Name)
		case given:
			fmt.Fprintf(&b, "    %s: %s\n", s.Name, strconv.QuoteToGraphic(value))
		default:
			fmt.Fprintf(&b, "    # %s: %s\n", s.Name, strconv.Quote(s.Example))
		}
	}
	return []byte(b.String())
}

// Values are the settings given, less secrets and what is wrong, as [Template]
// takes them. Of a private key it is the absolute path, if it was given by one
// that can be read; abs makes it so.
func (e *Examination) Values(abs func(string) (string, error)) map[string]string {
	values := map[string]string{}
	for _, g := range e.Given {
		if g.Value != "" {
			values[g.Name] = g.Value
		}
	}
	if e.keyFile == "" {
		return values
	}
	if _, err := e.Key(); err == nil {
		if file, err := abs(e.keyFile); err == nil {
			values[OktaPrivateKey] = file
		}
	}
	return values
}
