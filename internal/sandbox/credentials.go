package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
)

// The credentials that every sandbox accepts. They open nothing else.
const (
	OktaClientID           = "0oaaimchecksandbox00"
	OktaAPIToken           = "00sandbox-api-token-of-nobody-000000000000"
	DatabricksAccountID    = "5a4d0b0c-0000-4000-8000-00000000a1c0"
	DatabricksClientID     = "5a4d0b0c-0000-4000-8000-0000000000c1"
	DatabricksClientSecret = "dose-sandbox-secret-of-nobody"
)

// AllOktaScopes returns the scopes that an audit may ask for.
func AllOktaScopes() []string {
	return []string{"okta.users.read", "okta.groups.read", "okta.apps.read"}
}

// An oktaKey is the key pair of the app that signs in to Okta.
type oktaKey struct {
	private *rsa.PrivateKey
	id      string // kid: the RFC 7638 thumbprint
}

// theOktaKey is made once a process: making one is slow.
var theOktaKey = sync.OnceValue(func() *oktaKey {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	n, e := rsaNumbers(&private.PublicKey)
	return &oktaKey{private, thumbprint(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`)}
})

// rsaNumbers returns modulus and exponent as JWK has them.
func rsaNumbers(k *rsa.PublicKey) (n, e string) {
	return number(k.N), number(big.NewInt(int64(k.E)))
}

func number(i *big.Int) string { return base64.RawURLEncoding.EncodeToString(i.Bytes()) }

// OktaPrivateKeyPEM returns the app's private key in PKCS #8.
func (s *Sandbox) OktaPrivateKeyPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(s.key.private)
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// OktaPrivateKeyJWK returns the app's private key as a JWK, as Okta's console
// shows a new key.
func (s *Sandbox) OktaPrivateKeyJWK() string {
	k := s.key.private
	k.Precompute()
	n, e := rsaNumbers(&k.PublicKey)
	jwk, err := json.MarshalIndent(map[string]string{
		"kty": "RSA", "kid": s.key.id, "use": "sig", "alg": "RS256", "n": n, "e": e,
		"d": number(k.D), "p": number(k.Primes[0]), "q": number(k.Primes[1]),
		"dp": number(k.Precomputed.Dp), "dq": number(k.Precomputed.Dq), "qi": number(k.Precomputed.Qinv),
	}, "", "  ")
	if err != nil {
		panic(err) // a map of texts always marshals
	}
	return string(jwk)
}

// OktaKeyID returns the kid of the app's key.
func (s *Sandbox) OktaKeyID() string { return s.key.id }

// Env returns the KEY=VALUE pairs that point aimcheck, and the vendors' own
// tools, at a sandbox that is served at baseURL. Line ends in the private key
// are written as \n, which Okta's tools read too.
func (s *Sandbox) Env(baseURL string) []string {
	return []string{
		"OKTA_CLIENT_ORGURL=" + baseURL,
		"OKTA_CLIENT_AUTHORIZATIONMODE=PrivateKey",
		"OKTA_CLIENT_CLIENTID=" + OktaClientID,
		"OKTA_CLIENT_PRIVATEKEYID=" + s.key.id,
		"OKTA_CLIENT_PRIVATEKEY=" + strings.ReplaceAll(strings.TrimSpace(s.OktaPrivateKeyPEM()), "\n", `\n`),
		"OKTA_CLIENT_SCOPES=" + strings.Join(AllOktaScopes(), ","),
		"OKTA_TESTING_DISABLE_HTTPS_CHECK=true",
		"DATABRICKS_HOST=" + baseURL,
		"DATABRICKS_ACCOUNT_ID=" + DatabricksAccountID,
		"DATABRICKS_AUTH_TYPE=oauth-m2m",
		"DATABRICKS_CLIENT_ID=" + DatabricksClientID,
		"DATABRICKS_CLIENT_SECRET=" + DatabricksClientSecret,
	}
}
