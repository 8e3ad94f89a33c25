package sandbox

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Tokens that the sandbox accepts besides those it issues.
const (
	// DatabricksToken is a personal access token of an account admin.
	DatabricksToken = "dapi-sandbox-token-of-nobody"
	// DatabricksSCIMToken is the token that the account console makes for an
	// identity provider: it opens account SCIM 2.1 and nothing else.
	DatabricksSCIMToken = "dapi-sandbox-scim-token-of-nobody"
)

// databricksTokenLife is how long an issued access token is good for.
const databricksTokenLife = time.Hour

// permitSignIn lists discovery and the token endpoints of account and workspace.
func (d *databricks) permitSignIn() {
	d.s.permit("GET /.well-known/databricks-config", d.hostMetadata)
	for _, root := range []string{"/oidc/accounts/{account}", "/oidc"} {
		served := func(h http.HandlerFunc) http.HandlerFunc { return h }
		if root != "/oidc" { // a workspace knows of no accounts
			served = func(h http.HandlerFunc) http.HandlerFunc { return d.unless(WorkspaceHost, h) }
		}
		d.s.permit("GET "+root+"/.well-known/oauth-authorization-server", served(d.oauthMetadata))
		d.s.permit("GET "+root+"/.well-known/openid-configuration", served(d.oauthMetadata))
		d.s.permit("POST "+root+"/v1/token", served(d.token))
	}
}

// hostMetadata tells an SDK what this host is, as an account host does: with a
// placeholder for the account id.
func (d *databricks) hostMetadata(w http.ResponseWriter, r *http.Request) {
	root, host := "/oidc/accounts/{account_id}", "account"
	if d.s.wrong(WorkspaceHost) {
		root, host = "/oidc", "workspace"
	}
	writeJSON(w, http.StatusOK, map[string]string{
		"oidc_endpoint": baseURL(r) + root,
		"host_type":     host,
		"cloud":         "AWS",
	})
}

// oauthMetadata is RFC 8414's document. It exists for every account id, as
// none is secret.
func (d *databricks) oauthMetadata(w http.ResponseWriter, r *http.Request) {
	root, _, _ := strings.Cut(r.URL.Path, "/.well-known/")
	root = baseURL(r) + root
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                root,
		"authorization_endpoint":                root + "/v1/authorize",
		"token_endpoint":                        root + "/v1/token",
		"grant_types_supported":                 []string{"client_credentials", "authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"scopes_supported":                      []string{"all-apis", "offline_access"},
	})
}

// token grants client credentials (RFC 6749, section 4.4).
func (d *databricks) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		writeOAuthError(w, http.StatusBadRequest, "invalid_request", "The request body is not a form")
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	account := r.PathValue("account")
	switch {
	case id != DatabricksClientID || secret != d.secret(),
		account != "" && account != d.account():
		writeOAuthError(w, http.StatusUnauthorized, "invalid_client", "Client authentication failed")
		return
	case r.PostForm.Get("grant_type") != "client_credentials":
		writeOAuthError(w, http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
		return
	case !slices.Contains(strings.Fields(r.PostForm.Get("scope")), "all-apis"):
		writeOAuthError(w, http.StatusBadRequest, "invalid_scope", "The requested scope is invalid, unknown, or malformed")
		return
	}
	token := "sandbox-" + rand.Text()
	d.mu.Lock()
	d.tokens[token] = d.s.now().Add(databricksTokenLife)
	d.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token,
		"scope":        "all-apis",
		"token_type":   "Bearer",
		"expires_in":   int(databricksTokenLife.Seconds()),
	})
}

// authenticate reports whether r's token is good, and answers if it is not. A
// personal access token that is wrong is a 403 in the field, all else a 401 here.
// Some in the field saw a 403 "Invalid Token" for an OAuth token that expired,
// too: a [Fault] can play that.
func (d *databricks) authenticate(w http.ResponseWriter, r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	if token == DatabricksToken ||
		token == DatabricksSCIMToken && strings.HasPrefix(r.URL.Path, "/api/2.1/") {
		return true
	}
	d.mu.Lock()
	expires, issued := d.tokens[token]
	d.mu.Unlock()
	if issued && d.s.now().Before(expires) {
		return true
	}
	status, message := http.StatusUnauthorized, "Credential was not sent or was of an unsupported type for this API."
	if strings.HasPrefix(token, "dapi") {
		status, message = http.StatusForbidden, "Invalid access token."
	}
	w.Header().Set("X-Databricks-Reason-Phrase", message)
	writeAPIError(w, status, status, message)
	return false
}

// revoke ends every access token issued so far.
func (d *databricks) revoke() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.tokens)
}

// writeOAuthError answers as RFC 6749, section 5.2, asks.
func writeOAuthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// baseURL is where the caller found this host.
func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
