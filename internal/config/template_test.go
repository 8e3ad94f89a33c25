package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written is read back strictly: as it is, with values, and with every
// example that stands in a comment.
func TestTemplate(t *testing.T) {
	values := map[string]string{OktaOrgURL: "https://acme.okta.com", SCIMTokenOwner: "o'neil \"x\": #1 \\ é", DatabricksSCIM: "2.0", OktaPrivateKey: "/keys/a b.pem"}
	for _, c := range []struct {
		values map[string]string
		edit   func(string) string
		want   map[string]string
	}{
		{nil, nil, map[string]string{}},
		{values, nil, values},
		{nil, func(s string) string {
			return regexp.MustCompile(`(?m)^    # ([a-z-]+: ")`).ReplaceAllString(s, "    $1")
		}, examples()},
	} {
		text := string(Template("acme", c.values))
		if c.edit != nil {
			text = c.edit(text)
		}
		ls, err := readFile("aimcheck.yaml", []byte(text), "")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		got := map[string]string{}
		for name, v := range ls[0].values {
			got[name] = v.text
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		for _, s := range All() {
			if !strings.Contains(text, s.Name) || !strings.Contains(text, s.Env) {
				t.Errorf("%s is not there, or %q", s.Name, s.Env)
			}
		}
	}
	e := Examine(world(nil, map[string]string{
		"a.yaml": string(Template("acme", examples())), "/home/pat/.databrickscfg": "[DEFAULT]\nhost = https://accounts.example.com\n"}), Flags{File: "a.yaml"})
	if len(e.Files) > 0 || len(e.wrong) > 0 {
		t.Errorf("the examples are wrong: %v %v", e.Files, e.wrong)
	}
}

// examples are those of all settings but secrets.
func examples() map[string]string {
	m := map[string]string{}
	for _, s := range All() {
		if s.Example != "" {
			m[s.Name] = s.Example
		}
	}
	return m
}

func TestEverySettingHasAnExampleOrIsSecret(t *testing.T) {
	for _, s := range All() {
		if s.Name != OktaPrivateKey && (s.Example == "") != s.Secret || s.Usage == "" {
			t.Errorf("%+v", s)
		}
	}
}

// No secret is written, and a key by its path alone.
func TestValues(t *testing.T) {
	abs := func(s string) (string, error) { return "/abs/" + s, nil }
	vars := map[string]string{"OKTA_CLIENT_PRIVATEKEY": "key.pem", "DATABRICKS_CLIENT_SECRET": "topsecret", "DATABRICKS_ACCOUNT_ID": "42", "DATABRICKS_CLIENT_ID": "app"}
	files := map[string]string{"key.pem": "-----BEGIN PRIVATE KEY-----\ntopsecret"}
	want := map[string]string{OktaPrivateKey: "/abs/key.pem", DatabricksClientID: "app"}
	if diff := cmp.Diff(want, Examine(world(vars, files), Flags{}).Values(abs)); diff != "" {
		t.Error(diff)
	}
	vars["OKTA_CLIENT_PRIVATEKEY"] = files["key.pem"]
	delete(want, OktaPrivateKey)
	if diff := cmp.Diff(want, Examine(world(vars, files), Flags{}).Values(abs)); diff != "" {
		t.Error(diff)
	}
}

// The id may stand in a file, and its secret in the environment.
func TestSecretApartFromItsID(t *testing.T) {
	files := map[string]string{"c.yaml": "databricks-client-id: app\n"}
	s, err := Load(world(map[string]string{"DATABRICKS_CLIENT_SECRET": "hush"}, files), Flags{File: "c.yaml"})
	if err != nil || s.Databricks.ClientID != "app" || s.Databricks.ClientSecret.Reveal() != "hush" {
		t.Errorf("%+v, %v", s, err)
	}
}
