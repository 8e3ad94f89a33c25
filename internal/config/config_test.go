package config

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/google/go-cmp/cmp"
)

// world is an environment in memory: variables and files.
func world(vars, files map[string]string) Env {
	return Env{
		Getenv: func(name string) string { return vars[name] },
		ReadFile: func(name string) ([]byte, error) {
			text, ok := files[name]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		},
		Home: "/home/pat",
	}
}

var sameSecret = cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() })

const account = "12345678-1234-1234-1234-123456789abc"

func TestOrderOfSources(t *testing.T) {
	vars := map[string]string{}
	files := map[string]string{}
	flags := Flags{Values: map[string]string{}}
	want := func(org string) {
		t.Helper()
		s, err := Load(world(vars, files), flags)
		if err != nil {
			t.Fatal(err)
		}
		if s.Okta.OrgURL != org {
			t.Errorf("org = %q, want %q", s.Okta.OrgURL, org)
		}
	}
	want("")
	files["/home/pat/.okta/okta.yaml"] = "okta:\n  client:\n    orgUrl: https://vendor.example.com/\n    scopes: [okta.users.read]\n"
	want("https://vendor.example.com")
	files["aimcheck.yaml"] = "okta-org-url: https://common.example.com\nprofiles:\n  a:\n    okta-org-url: https://a.example.com\n  b:\n"
	flags.File, flags.Profile = "aimcheck.yaml", "b"
	want("https://common.example.com")
	flags.Profile = "a"
	want("https://a.example.com")
	vars["OKTA_CLIENT_ORGURL"] = "https://env.example.com"
	want("https://env.example.com")
	flags.Values[OktaOrgURL] = "https://flag.example.com"
	want("https://flag.example.com")
}

func TestDefaultsAndValues(t *testing.T) {
	s, err := Load(world(nil, nil), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Okta{Reserve: 10}, s.Okta, sameSecret); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Databricks{SCIM: "2.1", ReadRate: 20, ListRate: 4, WriteRate: 2}, s.Databricks, sameSecret); diff != "" {
		t.Error(diff)
	}
	want := audit.Settings{SSOClaim: audit.ClaimUnknown, WorkspaceSSOClaim: audit.ClaimUnknown, UnifiedLogin: audit.Unknown}
	if diff := cmp.Diff(want, s.Audit); diff != "" {
		t.Error(diff)
	}

	files := map[string]string{"c.yaml": `
profile: prod
okta-reserve: 25
databricks-rate: 10, 2, 0.5
databricks-scim: 2.0
unified-login: true
profiles:
  prod:
    sso-claim: email
    workspace-sso-claim: login
    scim-token-owner: pat@example.com
    okta-app: 0oa1
    databricks-host: accounts.example.com
    databricks-account-id: ` + account + `
    databricks-client-id: app
    databricks-client-secret: |-
      hush
`}
	s, err = Load(world(nil, files), Flags{File: "c.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Databricks{
		Host: "https://accounts.example.com", AccountID: account, ClientID: "app", ClientSecret: NewSecret("hush"),
		SCIM: "2.0", ReadRate: 10, ListRate: 2, WriteRate: 0.5,
	}, s.Databricks, sameSecret); diff != "" {
		t.Error(diff)
	}
	want = audit.Settings{SSOClaim: "email", WorkspaceSSOClaim: "login", UnifiedLogin: audit.On, SCIMTokenOwner: "pat@example.com", OktaApp: "0oa1"}
	if diff := cmp.Diff(want, s.Audit); diff != "" {
		t.Error(diff)
	}
	if s.Okta.Reserve != 25 {
		t.Errorf("reserve = %d", s.Okta.Reserve)
	}
}

func TestSignInStaysTogether(t *testing.T) {
	files := map[string]string{
		"/home/pat/.okta/okta.yaml": "okta:\n  client:\n    orgUrl: https://a.example.com\n    privateKey: nowhere.pem\n",
		"/home/pat/.databrickscfg":  "[DEFAULT]\nhost = https://accounts.example.com\naccount_id = " + account + "\ntoken = t\n",
	}
	s, err := Load(world(map[string]string{"OKTA_CLIENT_TOKEN": "tok"}, files), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.NeedOkta(); err != nil {
		t.Errorf("a token in the environment stands before the file's key: %v", err)
	}
	if s.Databricks.Profile != "DEFAULT" || s.Databricks.AccountID != account {
		t.Errorf("databricks = %+v, want the default profile", s.Databricks)
	}
	s, err = Load(world(map[string]string{"DATABRICKS_CLIENT_ID": "app"}, files), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Databricks.Profile != "" || s.Databricks.Host != "" {
		t.Errorf("databricks = %+v, want the file left alone where the environment signs in", s.Databricks)
	}
}

// Windows marks and ends what it writes in its own way, and a YAML block ends in
// the end of a line: neither is part of a setting.
func TestEndsOfLines(t *testing.T) {
	vars := map[string]string{"DATABRICKS_CLIENT_ID": "app\r", "DATABRICKS_CLIENT_SECRET": "hush\r\n", "AIMCHECK_SSO_CLAIM": "\r"}
	files := map[string]string{"w.yaml": "\ufeff# settings\r\nsso-claim: email\r\nokta-token: |\r\n  tok\r\n"}
	s, err := Load(world(vars, files), Flags{File: "w.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Databricks; d.ClientID != "app" || d.ClientSecret.Reveal() != "hush" {
		t.Errorf("id %q, secret %q", d.ClientID, d.ClientSecret.Reveal())
	}
	if s.Audit.SSOClaim != audit.ClaimEmail || s.Okta.Token.Reveal() != "tok" {
		t.Errorf("claim %q, token %q", s.Audit.SSOClaim, s.Okta.Token.Reveal())
	}
}

func TestErrors(t *testing.T) {
	files := map[string]string{
		"typo.yaml":                "okta-org-ur: https://a.example.com\n",
		"typo2.yaml":               "profiles:\n  prod:\n\n    sso_claim: login\n",
		"far.yaml":                 "zzzzzzzzzzz: 1\n",
		"double.yaml":              "sso-claim: login\nsso-claim: email\n",
		"chosen.yaml":              "profile: [a]\nprofiles: {a: }\n",
		"list.yaml":                "sso-claim: [login]\n",
		"seq.yaml":                 "- a\n",
		"broken.yaml":              "okta-token: \"topsecret\n",
		"alias.yaml":               "okta-token: &a topsecret\nsso-claim: *a\n",
		"two.yaml":                 "a: 1\n---\nb: 2\n",
		"profiles.yaml":            "profiles:\n  prod:\n    sso-claim: login\n",
		"claim.yaml":               "\nsso-claim: emial\n",
		"choice.yaml":              "profile: prd\nprofiles:\n  prod:\n    sso-claim: login\n",
		"/home/pat/.databrickscfg": "[work]\nhost = https://accounts.example.com\n",
	}
	for _, c := range []struct {
		name  string
		vars  map[string]string
		flags Flags
		want  []string
	}{
		{"wrong URL", map[string]string{"OKTA_CLIENT_ORGURL": "example"}, Flags{}, []string{"OKTA_CLIENT_ORGURL", `"example"`, "https://example.okta.com"}},
		{"password in URL", map[string]string{"OKTA_CLIENT_ORGURL": "https://a:topsecret@b"}, Flags{}, []string{"user name or password"}},
		{"admin console", map[string]string{"OKTA_CLIENT_ORGURL": "https://acme-admin.okta.com"}, Flags{}, []string{"admin console", "https://acme.okta.com"}},
		{"http", nil, Flags{Values: map[string]string{DatabricksHost: "http://accounts.example.com"}}, []string{"--databricks-host", "not encrypted", "https://accounts.example.com"}},
		{"http to 10.0.0.1", nil, Flags{Values: map[string]string{OktaOrgURL: "http://10.0.0.1:80"}}, []string{"not encrypted"}},
		{"http to a lookalike", nil, Flags{Values: map[string]string{OktaOrgURL: "http://localhost.example.com"}}, []string{"not encrypted"}},
		{"path", nil, Flags{Values: map[string]string{OktaOrgURL: "https://a.example.com/api/v1"}}, []string{"has a path", "https://a.example.com"}},
		{"account", map[string]string{"DATABRICKS_ACCOUNT_ID": "12345"}, Flags{}, []string{"DATABRICKS_ACCOUNT_ID", "UUID"}},
		{"reserve", nil, Flags{Values: map[string]string{OktaReserve: "100"}}, []string{"--okta-reserve", "0 to 99"}},
		{"scim", nil, Flags{Values: map[string]string{DatabricksSCIM: "2.2"}}, []string{"--databricks-scim", "2.1 or 2.0"}},
		{"rate", nil, Flags{Values: map[string]string{DatabricksRate: "20,0,2"}}, []string{"--databricks-rate", "read,list,write"}},
		{"rate NaN", nil, Flags{Values: map[string]string{DatabricksRate: "20,NaN,2"}}, []string{"--databricks-rate"}},
		{"unified", map[string]string{"AIMCHECK_UNIFIED_LOGIN": "yes"}, Flags{}, []string{"AIMCHECK_UNIFIED_LOGIN", "true or false"}},
		{"no file", nil, Flags{File: "none.yaml"}, []string{"--config", "none.yaml", "does not exist"}},
		{"unknown key", nil, Flags{File: "typo.yaml"}, []string{"typo.yaml:1", `"okta-org-ur"`, `did you mean "okta-org-url"`}},
		{"unknown key in profile", nil, Flags{File: "typo2.yaml", Profile: "prod"}, []string{"typo2.yaml:4", `did you mean "sso-claim"`}},
		{"nothing near", nil, Flags{File: "far.yaml"}, []string{"far.yaml:1", "expected one of"}},
		{"twice", nil, Flags{File: "double.yaml"}, []string{"double.yaml:2", `"sso-claim" is there twice: remove one`}},
		{"profile is no text", nil, Flags{File: "chosen.yaml"}, []string{"chosen.yaml:1", "profile: expected the name of a profile"}},
		{"list", nil, Flags{File: "list.yaml"}, []string{"list.yaml:1", "one text"}},
		{"sequence", nil, Flags{File: "seq.yaml"}, []string{"seq.yaml:1", "expected settings"}},
		{"broken", nil, Flags{File: "broken.yaml"}, []string{"broken.yaml", "not YAML"}},
		{"alias", nil, Flags{File: "alias.yaml"}, []string{"alias.yaml:1", "anchors"}},
		{"two documents", nil, Flags{File: "two.yaml"}, []string{"one YAML document"}},
		{"no profile chosen", nil, Flags{File: "profiles.yaml"}, []string{"--profile", `"prod"`}},
		{"unknown profile", nil, Flags{File: "profiles.yaml", Profile: "prd"}, []string{`no profile "prd"`, `"prod"`}},
		{"unknown default profile", nil, Flags{File: "choice.yaml"}, []string{"choice.yaml:1", `no profile "prd"`}},
		{"profile without file", nil, Flags{Profile: "prod"}, []string{"--config"}},
		{"value in file", nil, Flags{File: "claim.yaml"}, []string{"claim.yaml:2", `"emial"`}},
		{"databricks profile", nil, Flags{Values: map[string]string{DatabricksProfile: "wrk"}}, []string{"--databricks-profile", `"wrk"`, `"work"`}},
		{"two ways", map[string]string{"OKTA_CLIENT_TOKEN": "topsecret", "OKTA_CLIENT_PRIVATEKEY": "k"}, Flags{}, []string{"OKTA_CLIENT_TOKEN", "OKTA_CLIENT_PRIVATEKEY", "remove one"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(world(c.vars, files), c.flags)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%q shows a secret", err)
			}
		})
	}
}

func TestLoopbackHTTP(t *testing.T) {
	for _, host := range []string{"http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:2", "http://127.9.9.9"} {
		s, err := Load(world(nil, nil), Flags{Values: map[string]string{OktaOrgURL: host, DatabricksHost: host}})
		if err != nil || s.Okta.OrgURL != host || s.Databricks.Host != host {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestOneServerOneName(t *testing.T) {
	for given, want := range map[string]string{
		"HTTPS://ACME.Okta.com/": "https://acme.okta.com", "https://acme.okta.com:443": "https://acme.okta.com",
		"http://LocalHost:80": "http://localhost", "https://acme.okta.com:8443": "https://acme.okta.com:8443", "http://[::1]:80/": "http://[::1]",
	} {
		s, err := Load(world(nil, nil), Flags{Values: map[string]string{OktaOrgURL: given, DatabricksHost: given}})
		if err != nil || s.Okta.OrgURL != want || s.Databricks.Host != want {
			t.Errorf("%s: %q, %q, %v; want %q", given, s.Okta.OrgURL, s.Databricks.Host, err, want)
		}
	}
	for _, given := range []string{"https://acme.okta.com:", "https://acme.okta.com:99999", "https://acme.okta.com:https"} {
		if _, err := Load(world(nil, nil), Flags{Values: map[string]string{OktaOrgURL: given}}); err == nil || !strings.Contains(err.Error(), "is no URL of a server") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

func TestNeeds(t *testing.T) {
	vars := map[string]string{}
	for _, step := range []struct{ name, value, want string }{
		{"", "", "OKTA_CLIENT_ORGURL"},
		{"OKTA_CLIENT_ORGURL", "https://a.example.com", "OKTA_CLIENT_PRIVATEKEY"},
		{"OKTA_CLIENT_PRIVATEKEY", "missing.pem", "OKTA_CLIENT_CLIENTID"},
		{"OKTA_CLIENT_CLIENTID", "0oa1", "missing.pem"},
	} {
		vars[step.name] = step.value
		s, err := Load(world(vars, nil), Flags{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.NeedOkta(); err == nil || !strings.Contains(err.Error(), step.want) {
			t.Errorf("after %s: %v, want %s named", step.name, err, step.want)
		}
	}
	s, _ := Load(world(nil, nil), Flags{})
	if err := s.NeedDatabricks(); err == nil || !strings.Contains(err.Error(), "DATABRICKS_HOST") {
		t.Error(err)
	}
	s, _ = Load(world(map[string]string{"DATABRICKS_HOST": "https://a.example.com"}, nil), Flags{})
	if err := s.NeedDatabricks(); err == nil || !strings.Contains(err.Error(), "DATABRICKS_ACCOUNT_ID") {
		t.Error(err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"audit", "snapshot", "plan", "rules"}
	for word, want := range map[string]string{"audti": "audit", "snapshto": "snapshot", "Plan": "plan", "xyz": "", "": "", "rule": "rules"} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add("profile: a\nprofiles:\n  a:\n    sso-claim: login\n", "")
	f.Add("okta-token: &a [x]\n<<: *a\n? {a: b}\n: c\n", "a")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, text, profile string) {
		ls, err := readFile("f.yaml", []byte(text), profile)
		if (err == nil) != (ls != nil) {
			t.Fatalf("layers %v, error %v", ls, err)
		}
	})
}
