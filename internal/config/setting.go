package config

// A Setting is one thing that can be said, and where. Its name is the flag's and
// the key's in aimcheck.yaml.
type Setting struct {
	Name  string
	Flag  bool   // whether there is a flag: secrets have none
	Env   string // blank: none
	Usage string // what it is, in the words of --help and of errors
}

// The names of the settings.
const (
	OktaOrgURL             = "okta-org-url"
	OktaClientID           = "okta-client-id"
	OktaPrivateKey         = "okta-private-key"
	OktaPrivateKeyID       = "okta-private-key-id"
	OktaToken              = "okta-token"
	OktaReserve            = "okta-reserve"
	OktaApp                = "okta-app"
	DatabricksHost         = "databricks-host"
	DatabricksAccountID    = "databricks-account-id"
	DatabricksProfile      = "databricks-profile"
	DatabricksClientID     = "databricks-client-id"
	DatabricksClientSecret = "databricks-client-secret"
	DatabricksToken        = "databricks-token"
	DatabricksSCIM         = "databricks-scim"
	DatabricksRate         = "databricks-rate"
	SSOClaim               = "sso-claim"
	WorkspaceSSOClaim      = "workspace-sso-claim"
	UnifiedLogin           = "unified-login"
	SCIMTokenOwner         = "scim-token-owner"
	Waivers                = "waivers"
)

// All lists the settings in the order people read them.
func All() []Setting {
	return []Setting{
		{OktaOrgURL, true, "OKTA_CLIENT_ORGURL", "Okta org URL"},
		{OktaClientID, true, "OKTA_CLIENT_CLIENTID", "Okta client id"},
		{OktaPrivateKey, false, "OKTA_CLIENT_PRIVATEKEY", "Okta private key: PEM or JWK, or the path of one"},
		{OktaPrivateKeyID, false, "OKTA_CLIENT_PRIVATEKEYID", "id of the Okta private key"},
		{OktaToken, false, "OKTA_CLIENT_TOKEN", "Okta API token, instead of the private key"},
		{OktaReserve, true, "", "per cent of Okta's rate limits to leave to others (default 10)"},
		{OktaApp, true, "", "id of the Okta app that signs people in to Databricks"},
		{DatabricksHost, true, "DATABRICKS_HOST", "Databricks host"},
		{DatabricksAccountID, true, "DATABRICKS_ACCOUNT_ID", "Databricks account id"},
		{DatabricksProfile, true, "DATABRICKS_CONFIG_PROFILE", "profile of ~/.databrickscfg"},
		{DatabricksClientID, false, "DATABRICKS_CLIENT_ID", "application id of the Databricks service principal"},
		{DatabricksClientSecret, false, "DATABRICKS_CLIENT_SECRET", "OAuth secret of the Databricks service principal"},
		{DatabricksToken, false, "DATABRICKS_TOKEN", "Databricks token"},
		{DatabricksSCIM, true, "", "SCIM version of the Databricks account API: 2.1 or 2.0 (default 2.1)"},
		{DatabricksRate, true, "", "requests a second to Databricks: read,list,write (default 20,4,2)"},
		{SSOClaim, true, "AIMCHECK_SSO_CLAIM", "what the SSO app sends as username: login, email or other"},
		{WorkspaceSSOClaim, true, "", "the same for workspaces that sign in on their own"},
		{UnifiedLogin, true, "AIMCHECK_UNIFIED_LOGIN", "whether unified login is on: true or false"},
		{SCIMTokenOwner, true, "AIMCHECK_SCIM_TOKEN_OWNER", "username or application id of the SCIM token's owner"},
		{Waivers, true, "AIMCHECK_WAIVERS", "YAML file of findings that may stay as they are until a day"},
	}
}

var byName = func() map[string]Setting {
	m := map[string]Setting{}
	for _, s := range All() {
		m[s.Name] = s
	}
	return m
}()
