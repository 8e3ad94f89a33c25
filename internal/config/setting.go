package config

// A Setting is one thing that can be said, and where. Its name is the flag's and
// the key's in aimcheck.yaml.
type Setting struct {
	Name  string
	Flag  bool   // whether every command that reads has a flag: secrets have none
	Env   string // blank: none
	Usage string // what it is, in the words of --help and of errors

	Secret  bool   // never shown, nor written
	Example string // of a value; blank of secrets
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
	History                = "history"
	Notify                 = "notify"
	NotifySecret           = "notify-secret"
)

// All lists the settings in the order people read them.
func All() []Setting {
	return []Setting{
		{Name: OktaOrgURL, Flag: true, Env: "OKTA_CLIENT_ORGURL", Usage: "Okta org URL", Example: "https://example.okta.com"},
		{Name: OktaClientID, Flag: true, Env: "OKTA_CLIENT_CLIENTID", Usage: "Okta client id", Example: "0oa1b2c3d4e5f6g7h8i9"},
		{Name: OktaPrivateKey, Secret: true, Env: "OKTA_CLIENT_PRIVATEKEY", Usage: "Okta private key: PEM or JWK, or the path of one", Example: "/path/of/okta-key.pem"},
		{Name: OktaPrivateKeyID, Env: "OKTA_CLIENT_PRIVATEKEYID", Usage: "id of the Okta private key", Example: "the kid that the admin console shows"},
		{Name: OktaToken, Secret: true, Env: "OKTA_CLIENT_TOKEN", Usage: "Okta API token, instead of the private key"},
		{Name: OktaReserve, Flag: true, Usage: "per cent of Okta's rate limits to leave to others (default 10)", Example: "10"},
		{Name: OktaApp, Flag: true, Usage: "id of the Okta app that signs people in to Databricks", Example: "0oa9i8h7g6f5e4d3c2b1"},
		{Name: DatabricksHost, Flag: true, Env: "DATABRICKS_HOST", Usage: "Databricks host", Example: "https://accounts.cloud.databricks.com"},
		{Name: DatabricksAccountID, Flag: true, Env: "DATABRICKS_ACCOUNT_ID", Usage: "Databricks account id", Example: "12345678-1234-1234-1234-123456789abc"},
		{Name: DatabricksProfile, Flag: true, Env: "DATABRICKS_CONFIG_PROFILE", Usage: "profile of ~/.databrickscfg", Example: "DEFAULT"},
		{Name: DatabricksClientID, Env: "DATABRICKS_CLIENT_ID", Usage: "application id of the Databricks service principal", Example: "87654321-4321-4321-4321-cba987654321"},
		{Name: DatabricksClientSecret, Secret: true, Env: "DATABRICKS_CLIENT_SECRET", Usage: "OAuth secret of the Databricks service principal"},
		{Name: DatabricksToken, Secret: true, Env: "DATABRICKS_TOKEN", Usage: "Databricks token"},
		{Name: DatabricksSCIM, Flag: true, Usage: "SCIM version of the Databricks account API: 2.1 or 2.0 (default 2.1)", Example: "2.1"},
		{Name: DatabricksRate, Flag: true, Usage: "requests a second to Databricks: read,list,write (default 20,4,2)", Example: "20,4,2"},
		{Name: SSOClaim, Flag: true, Env: "AIMCHECK_SSO_CLAIM", Usage: "what the SSO app sends as username: login, email or other", Example: "login"},
		{Name: WorkspaceSSOClaim, Flag: true, Usage: "the same for workspaces that sign in on their own", Example: "login"},
		{Name: UnifiedLogin, Flag: true, Env: "AIMCHECK_UNIFIED_LOGIN", Usage: "whether unified login is on: true or false", Example: "true"},
		{Name: SCIMTokenOwner, Flag: true, Env: "AIMCHECK_SCIM_TOKEN_OWNER", Usage: "username or application id of the SCIM token's owner", Example: "87654321-4321-4321-4321-cba987654321"},
		{Name: Waivers, Env: "AIMCHECK_WAIVERS", Usage: "YAML file of findings that may stay as they are until a day", Example: "waivers.yaml"},
		{Name: History, Env: "AIMCHECK_HISTORY", Usage: "where runs are kept: a file (SQLite), or postgres://HOST/DATABASE", Example: "aimcheck.history"},
		{Name: Notify, Secret: true, Env: "AIMCHECK_NOTIFY", Usage: "URL of a webhook to tell what is new"},
		{Name: NotifySecret, Secret: true, Env: "AIMCHECK_NOTIFY_SECRET", Usage: "what alerts are signed with"},
	}
}

var byName = func() map[string]Setting {
	m := map[string]Setting{}
	for _, s := range All() {
		m[s.Name] = s
	}
	return m
}()
