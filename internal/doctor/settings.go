package doctor

import (
	"context"
	"strings"

	"github.com/aimcheck/aimcheck/internal/okta"
)

func settingsChecks() []check {
	return []check{
		{name: "config-files", about: "settings", why: "a file that can't be read is as if nothing were said in it", run: configFiles},
		{name: "okta-settings", about: "settings", why: "without them nobody can sign in to Okta", run: func(_ context.Context, x *exam) outcome { return side(x.Okta, "Okta") }},
		{name: "okta-private-key", about: "settings", why: "the app signs in with it, and so will Databricks when AIM is on", run: privateKey},
		{name: "databricks-settings", about: "settings", why: "without them nobody can sign in to Databricks", run: databricksSettings},
		{name: "other-settings", about: "settings", why: "what can't be read is not obeyed", run: otherSettings},
	}
}

// all joins what several errors say.
func all(errs []error) string {
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func configFiles(_ context.Context, x *exam) outcome {
	if len(x.Files) > 0 {
		return told(Fail, "mend the file, or leave it out", "%s", all(x.Files))
	}
	return good("every file of settings that is there can be read")
}

func side(s Side, who string) outcome {
	switch {
	case len(s.Wrong) > 0 && len(s.Missing) > 0:
		return told(Fail, all(s.Missing), "%s", all(s.Wrong))
	case len(s.Wrong) > 0:
		return told(Fail, "give what is expected", "%s", all(s.Wrong))
	case len(s.Missing) > 0:
		return told(Fail, "set what is missing; aimcheck init writes a file for what is no secret", "%s", all(s.Missing))
	}
	return good("what is needed to sign in to %s is there", who)
}

func databricksSettings(_ context.Context, x *exam) outcome {
	o, c := side(x.Databricks, "Databricks"), x.DatabricksConfig
	switch {
	case o.state != OK || c.Token != "" || c.Profile != "" || c.ClientID != "" && c.ClientSecret != "":
		return o
	case c.ClientID != "":
		return told(Warn, "set DATABRICKS_CLIENT_SECRET to an OAuth secret of it, unless you sign in by another way of the SDK's", "DATABRICKS_CLIENT_ID is there without DATABRICKS_CLIENT_SECRET")
	case c.ClientSecret != "":
		return told(Fail, "set DATABRICKS_CLIENT_ID to the application id of the service principal that the secret is of", "DATABRICKS_CLIENT_SECRET is there without DATABRICKS_CLIENT_ID")
	}
	return told(Warn, "set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET to those of a service principal, unless you sign in by another way of the SDK's",
		"host and account id are there, and nothing to sign in with")
}

func privateKey(_ context.Context, x *exam) outcome {
	const anew = "give the whole text of the private key that the admin console showed when it was made (PEM or JWK), or the path of a file with it; " +
		"what is lost is made anew there: the app's General tab, Public Keys, Add key"
	c := x.OktaConfig
	switch {
	case x.KeyFault != nil:
		return told(Fail, anew, "%v", x.KeyFault)
	case c.PrivateKey == "" && c.Token != "":
		return told(Warn, "make an API Services app with a private key, as AIM needs it anyway, and set it in place of the token",
			"an API token signs in in place of a private key: it has all that its owner may do, writing included, and ends with the owner")
	case c.PrivateKey == "":
		return notChecked("no private key is given")
	}
	kind, kid, err := okta.DescribeKey(c.PrivateKey, c.PrivateKeyID)
	if err != nil {
		return told(Fail, anew, "%v", err)
	}
	if kid == "" {
		return good("%s, without a key id: fine unless the app has several keys", kind)
	}
	return good("%s, key id %s", kind, kid)
}

func otherSettings(_ context.Context, x *exam) outcome {
	if len(x.Other) > 0 {
		return told(Fail, "give what is expected, or leave it out", "%s", all(x.Other))
	}
	return good("all other settings can be read")
}
