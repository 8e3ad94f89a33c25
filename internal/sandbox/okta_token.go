package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The lifetimes of Okta's org authorization server.
const (
	tokenLifetime     = time.Hour
	assertionLifetime = time.Hour // the longest an assertion may live
	clockSkew         = 5 * time.Minute
	nonceLifetime     = 24 * time.Hour
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// tokens are Okta's tokens, nonces, and what may be used once only.
type tokens struct {
	mu     sync.Mutex
	issued map[string]token
	nonces map[string]time.Time // when they end
	used   map[string]time.Time // jti of assertions and proofs: when they may be forgotten
}

// A token is an access token.
type token struct {
	scopes []string
	ends   time.Time
	key    string // thumbprint of the DPoP key it is bound to, or blank
}

func newTokens() *tokens {
	return &tokens{issued: map[string]token{}, nonces: map[string]time.Time{}, used: map[string]time.Time{}}
}

// once reports whether the id is used for the first time.
func (t *tokens) once(id string, now, until time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, end := range t.used {
		if end.Before(now) {
			delete(t.used, old)
		}
	}
	if _, ok := t.used[id]; ok {
		return false
	}
	t.used[id] = until
	return true
}

// An oauthError is an error of the token endpoint.
type oauthError struct {
	status      int
	code, about string
}

// write answers in the form of the token endpoint. An unknown client is told
// in the form of the rest of Okta's API.
func (e *oauthError) write(w http.ResponseWriter) {
	body := map[string]any{"error": e.code, "error_description": e.about}
	if e.code == "invalid_client" && strings.Contains(e.about, "'client_id'") {
		body = errorBody(e.code, e.about)
	}
	writeJSON(w, e.status, body)
}

// serveToken answers POST /oauth2/v1/token: client credentials with a signed
// assertion (RFC 7523), optionally bound to a key (RFC 9449).
func (o *okta) serveToken(w http.ResponseWriter, r *http.Request) {
	now := o.s.now()
	if err := r.ParseForm(); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		(&oauthError{400, "invalid_request", "The request body must be application/x-www-form-urlencoded."}).write(w)
		return
	}
	if err := o.authenticate(r, now); err != nil {
		err.write(w)
		return
	}
	scopes, refused := o.grant(r.PostForm)
	if refused != nil {
		refused.write(w)
		return
	}
	t := token{scopes: scopes, ends: now.Add(tokenLifetime)}
	kind := "Bearer"
	if o.s.options.DPoP || r.Header.Get("DPoP") != "" {
		key, refused := o.proveForToken(w, r, now)
		if refused != nil {
			refused.write(w)
			return
		}
		t.key, kind = key, "DPoP"
	}
	access := "sandbox." + rand.Text() + rand.Text()
	o.tokens.mu.Lock()
	o.tokens.issued[access] = t
	o.tokens.mu.Unlock()
	w.Header().Set("Cache-Control", "no-cache, no-store")
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type":   kind,
		"expires_in":   int(tokenLifetime / time.Second),
		"access_token": access,
		"scope":        strings.Join(scopes, " "),
	})
}

// authenticate verifies the client assertion of a token request.
func (o *okta) authenticate(r *http.Request, now time.Time) *oauthError {
	refuse := func(about string) *oauthError { return &oauthError{401, "invalid_client", about} }
	if kind := r.PostForm.Get("client_assertion_type"); kind != assertionType {
		return refuse("The client_assertion_type is invalid.")
	}
	t, err := parseJWT(r.PostForm.Get("client_assertion"))
	if err != nil {
		return refuse("The client_assertion token is malformed.")
	}
	claims := t.claims
	if claims.Issuer != OktaClientID || claims.Subject != OktaClientID || o.s.wrong(UnknownClient) {
		return refuse("Invalid value for 'client_id' parameter.")
	}
	if t.header.Kid != "" && (t.header.Kid != o.s.key.id || o.s.wrong(WrongKey)) {
		return refuse("The client_assertion JWT kid is invalid.")
	}
	if t.verify(&o.s.key.private.PublicKey) != nil || o.s.wrong(WrongKey) {
		return refuse("The client_assertion signature is invalid.")
	}
	if org := baseURL(r); !slices.Contains(claims.Audience, org+"/oauth2/v1/token") && !slices.Contains(claims.Audience, org) {
		return refuse("The audience claim for client_assertion must be the endpoint invoked for the request.")
	}
	expiry := epoch(claims.Expiry)
	switch {
	case claims.Expiry == 0:
		return refuse("The client_assertion token must contain an expiration.")
	case !now.Before(expiry):
		return refuse("The client_assertion token is expired.")
	case expiry.After(now.Add(assertionLifetime)):
		return refuse("The client_assertion token has an expiration too far into the future.")
	case claims.IssuedAt != 0 && epoch(claims.IssuedAt).After(now.Add(clockSkew)):
		return refuse("The client_assertion token was issued in the future.")
	case claims.ID != "" && !o.tokens.once("assertion "+claims.ID, now, expiry):
		return refuse("The client_assertion token has already been used.")
	}
	return nil
}

// grant returns the scopes a token request gets.
func (o *okta) grant(form url.Values) ([]string, *oauthError) {
	if form.Get("grant_type") != "client_credentials" {
		return nil, &oauthError{400, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server."}
	}
	scopes := strings.Fields(form.Get("scope"))
	if len(scopes) == 0 {
		return nil, &oauthError{400, "invalid_scope", "The authorization server resource does not have any configured default scopes, 'scope' must be provided."}
	}
	for _, scope := range scopes {
		if !slices.Contains(o.scopes, scope) {
			return nil, &oauthError{400, "invalid_scope", "One or more scopes are not configured for the authorization server resource."}
		}
	}
	return scopes, nil
}

// proveForToken verifies the DPoP proof of a token request, nonce and all, and
// returns the thumbprint of its key.
func (o *okta) proveForToken(w http.ResponseWriter, r *http.Request, now time.Time) (string, *oauthError) {
	proof := r.Header.Get("DPoP")
	if proof == "" {
		return "", &oauthError{400, "invalid_dpop_proof", "The DPoP proof JWT header is missing."}
	}
	claims, key, about := o.prove(r, proof, now)
	if about != "" {
		return "", &oauthError{400, "invalid_dpop_proof", about}
	}
	o.tokens.mu.Lock()
	defer o.tokens.mu.Unlock()
	if end, ok := o.tokens.nonces[claims.Nonce]; !ok || end.Before(now) {
		nonce := rand.Text()
		o.tokens.nonces[nonce] = now.Add(nonceLifetime)
		w.Header().Set("DPoP-Nonce", nonce)
		return "", &oauthError{400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof."}
	}
	return key, nil
}

// prove verifies a DPoP proof for r. It returns its claims and the thumbprint
// of its key, or what is wrong with it.
func (o *okta) prove(r *http.Request, proof string, now time.Time) (jwtClaims, string, string) {
	none := jwtClaims{}
	t, err := parseJWT(proof)
	if err != nil || t.header.Typ != "dpop+jwt" {
		return none, "", "The DPoP proof JWT header is malformed."
	}
	public, key, err := parseJWK(t.header.JWK)
	if err != nil || t.verify(public) != nil {
		return none, "", "The DPoP proof JWT signature is invalid."
	}
	target, _, _ := strings.Cut(t.claims.URL, "?")
	issued := epoch(t.claims.IssuedAt)
	switch {
	case t.claims.Method != r.Method:
		return none, "", "The DPoP proof JWT 'htm' claim is invalid."
	case target != baseURL(r)+r.URL.EscapedPath():
		return none, "", "The DPoP proof JWT 'htu' claim is invalid."
	case issued.Before(now.Add(-clockSkew)) || issued.After(now.Add(clockSkew)):
		return none, "", "The DPoP proof JWT 'iat' claim is invalid."
	case t.claims.ID == "" || !o.tokens.once("proof "+t.claims.ID, now, now.Add(2*clockSkew)):
		return none, "", "The DPoP proof JWT has already been used."
	}
	return t.claims, key, ""
}

// authorize checks the access token of an API request and that it has the
// scope. It answers the request and returns false when it may not be served.
func (o *okta) authorize(w http.ResponseWriter, r *http.Request, scope string) bool {
	kind, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case kind == "" && credential == "":
		o.fail(w, http.StatusForbidden, "E0000005", "Invalid session")
		return false
	case kind == "SSWS" && credential == OktaAPIToken:
		return o.roleLets(w)
	}
	o.tokens.mu.Lock()
	t, ok := o.tokens.issued[credential]
	o.tokens.mu.Unlock()
	if !ok || kind != "Bearer" && kind != "DPoP" || !o.s.now().Before(t.ends) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="The access token is invalid."`)
		o.fail(w, http.StatusUnauthorized, "E0000011", "Invalid token provided")
		return false
	}
	if t.key != "" {
		about := "The DPoP proof JWT header is missing."
		if proof := r.Header.Get("DPoP"); kind == "DPoP" && proof != "" {
			about = o.proveForAPI(r, proof, credential, t.key)
		}
		if about != "" {
			w.Header().Set("WWW-Authenticate", `DPoP error="invalid_dpop_proof", error_description="`+about+`"`)
			(&oauthError{400, "invalid_dpop_proof", about}).write(w)
			return false
		}
	}
	if !slices.Contains(t.scopes, scope) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`", error_description="The access token provided does not contain the required scopes."`)
		o.fail(w, http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action")
		return false
	}
	return o.roleLets(w)
}

// roleLets answers and returns false where the caller has no admin role.
func (o *okta) roleLets(w http.ResponseWriter) bool {
	if o.s.wrong(NoRole) {
		o.fail(w, http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action")
		return false
	}
	return true
}

// proveForAPI says what is wrong with the proof that comes with an access
// token bound to key, or nothing.
func (o *okta) proveForAPI(r *http.Request, proof, access, key string) string {
	claims, prover, about := o.prove(r, proof, o.s.now())
	hash := sha256.Sum256([]byte(access))
	switch {
	case about != "":
		return about
	case prover != key:
		return "The DPoP proof JWT key is not the key that the access token is bound to."
	case claims.TokenHash != base64.RawURLEncoding.EncodeToString(hash[:]):
		return "The DPoP proof JWT 'ath' claim is invalid."
	}
	return ""
}

// epoch returns the time that is so many seconds after 1970.
func epoch(seconds float64) time.Time {
	return time.UnixMilli(int64(seconds * 1000))
}
