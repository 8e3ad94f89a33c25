package config

import (
	"strings"
	"testing"
)

// All that is wrong is found at once, and no secret is shown.
func TestExamine(t *testing.T) {
	vars := map[string]string{
		"OKTA_CLIENT_ORGURL": "http://okta.example.com", "OKTA_CLIENT_PRIVATEKEY": "none.pem",
		"OKTA_CLIENT_PRIVATEKEYID": "-----BEGIN PRIVATE KEY----- topsecret",
		"DATABRICKS_ACCOUNT_ID":    "42", "DATABRICKS_CLIENT_SECRET": "topsecret", "AIMCHECK_SSO_CLAIM": "email",
	}
	files := map[string]string{"/home/pat/.okta/okta.yaml": "okta: [\n", "c.yaml": "okta-reserv: 1\n"}
	e := Examine(world(vars, files), Flags{File: "c.yaml", Values: map[string]string{DatabricksRate: "fast", UnifiedLogin: "true"}})
	if len(e.Files) != 2 || !strings.Contains(e.Files[0].Error(), "c.yaml:1") || !strings.Contains(e.Files[1].Error(), "okta.yaml:1") {
		t.Errorf("files: %v", e.Files)
	}
	text := func(errs []error) (s string) {
		for _, err := range errs {
			s += err.Error() + "\n"
		}
		return s
	}
	wrong, missing := e.Okta()
	if !strings.Contains(text(wrong), "not encrypted") || !strings.Contains(text(missing), "OKTA_CLIENT_CLIENTID") || strings.Contains(text(missing), "ORGURL") {
		t.Errorf("okta: wrong %v, missing %v", wrong, missing)
	}
	wrong, missing = e.Databricks()
	if !strings.Contains(text(wrong), `"42"`) || !strings.Contains(text(missing), "DATABRICKS_HOST") || strings.Contains(text(missing), "DATABRICKS_ACCOUNT_ID") {
		t.Errorf("databricks: wrong %v, missing %v", wrong, missing)
	}
	if other := text(e.Other()); !strings.Contains(other, `"fast"`) {
		t.Errorf("other: %s", other)
	}
	if _, err := e.Key(); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("key: %v", err)
	}
	from := map[string]string{}
	for _, g := range e.Given {
		from[g.Name] = g.From
		if strings.Contains(g.Value, "secret") || strings.Contains(g.Value, "pem") {
			t.Errorf("%s is shown: %q", g.Name, g.Value)
		}
	}
	if from[UnifiedLogin] != "--unified-login" || from[SSOClaim] != "AIMCHECK_SSO_CLAIM" || len(e.Given) != 8 {
		t.Errorf("from: %v", from)
	}
	if e.Settings.Audit.SSOClaim != "email" {
		t.Error("what is right is not used")
	}
}
