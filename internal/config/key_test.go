package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const (
	pemKey = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
	jwkKey = `{"kty":"RSA","kid":"k1"}`
)

func TestPrivateKeyTextOrPath(t *testing.T) {
	files := map[string]string{
		"/etc/key.pem": pemKey + "\n", "/home/pat/key.json": "\n" + jwkKey, "conf/rel.pem": pemKey,
		"conf/c.yaml": "okta-private-key: rel.pem\n", "key.pem": pemKey,
	}
	for _, c := range []struct{ name, given, want, file string }{
		{name: "PEM", given: pemKey, want: pemKey},
		{name: "PEM on one line", given: strings.ReplaceAll(pemKey, "\n", `\n`), want: strings.ReplaceAll(pemKey, "\n", `\n`)},
		{name: "PEM in quotes", given: `"` + strings.ReplaceAll(pemKey, "\n", `\n`) + `"`, want: strings.ReplaceAll(pemKey, "\n", `\n`)},
		{name: "JWK", given: jwkKey, want: jwkKey},
		{name: "path", given: "/etc/key.pem", want: pemKey},
		{name: "relative path", given: "key.pem", want: pemKey},
		{name: "home", given: "~/key.json", want: jwkKey},
		{name: "beside the file that names it", file: "conf/c.yaml", want: pemKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Load(signingIn(c.given, files), Flags{File: c.file})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.NeedOkta(); err != nil {
				t.Fatal(err)
			}
			if got := s.Okta.PrivateKey.Reveal(); got != c.want {
				t.Errorf("key = %q, want %q", got, c.want)
			}
		})
	}
}

func TestPrivateKeyErrors(t *testing.T) {
	long := strings.Repeat("MIIE", 20)
	files := map[string]string{"/etc/passwords": "topsecret"}
	for _, c := range []struct{ name, given, want string }{
		{"no file", "/none/key.pem", "cannot read /none/key.pem: file does not exist"},
		{"a file of something else", "/etc/passwords", "neither PEM"},
		{"a token in the wrong place", "00topsecret", "neither PEM"},
		{"half in quotes", `"-----BEGIN PRIVATE KEY-----\nMIIE`, "neither PEM"},
		{"without its first line", long, "neither PEM"},
		{"without its first line, several", "MIIE\n" + long, "neither PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Load(signingIn(c.given, files), Flags{})
			if err != nil {
				t.Fatal(err)
			}
			err = s.NeedOkta()
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "OKTA_CLIENT_PRIVATEKEY") {
				t.Fatalf("%v, want %q and where it was given", err, c.want)
			}
			if strings.Contains(err.Error(), "MIIE") || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%q shows the key", err)
			}
		})
	}
}

func signingIn(key string, files map[string]string) Env {
	return world(map[string]string{
		"OKTA_CLIENT_ORGURL": "https://a.example.com", "OKTA_CLIENT_CLIENTID": "c", "OKTA_CLIENT_PRIVATEKEY": key,
	}, files)
}

func TestSecretNeverShows(t *testing.T) {
	s := NewSecret("topsecret")
	var private struct{ s Secret }
	private.s = s
	loaded, err := Load(signingIn("topsecret", nil), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "in", struct{ S Secret }{s})
	js, _ := json.Marshal(map[string]any{"s": s, "p": &s, "o": Okta{Token: s}})
	all := fmt.Sprint(s, &s, private) + fmt.Sprintf("%v %+v %#v %s %q %x %d %T", s, s, s, s, s, s, s, s) +
		fmt.Sprintf("%v %+v %#v %+v", Okta{Token: s}, &Okta{Token: s}, Databricks{Token: s}, loaded) + s.String() + s.GoString() + string(js) + log.String()
	if strings.Contains(all, "topsecret") || strings.Contains(all, fmt.Sprintf("%x", "topsecret")) {
		t.Error(all)
	}
	if s.Reveal() != "topsecret" {
		t.Error("lost")
	}
}
