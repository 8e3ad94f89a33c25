package okta

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"
)

// newRSA makes a private key in PKCS #1.
func newRSA(t *testing.T) string {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// jwtParts decodes the header and the claims of a JWT.
func jwtParts(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	for i, m := range []*map[string]any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, m); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestPrivateKeys(t *testing.T) {
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec := map[string]*ecdsa.PrivateKey{}
	for name, curve := range map[string]elliptic.Curve{"224": elliptic.P224(), "256": elliptic.P256(), "384": elliptic.P384(), "521": elliptic.P521()} {
		if ec[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	jwk := string(must(json.Marshal(jose.JSONWebKey{Key: rsaKey, KeyID: "k1"})))
	for _, tt := range []struct{ name, text, id, alg, kid, err string }{
		{"PKCS#1", pkcs1, "", "RS256", "", ""},
		{"PKCS#8", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey))), "k9", "RS256", "k9", ""},
		{"escaped line ends", strings.ReplaceAll(pkcs1, "\n", `\n`), "", "RS256", "", ""},
		{"text around it", "some words\n" + pkcs1 + "\n\n", "", "RS256", "", ""},
		{"JWK", jwk, "", "RS256", "k1", ""},
		{"JWK with another id", jwk, "k2", "RS256", "k2", ""},
		{"EC P-256, SEC 1", inPEM("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ec["256"]))), "", "ES256", "", ""},
		{"EC P-384, PKCS#8", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ec["384"]))), "", "ES384", "", ""},
		{"EC P-521, JWK", string(must(json.Marshal(jose.JSONWebKey{Key: ec["521"]}))), "", "ES512", "", ""},
		{"EC P-224", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ec["224"]))), "", "", "", "Okta takes RSA, or EC"},
		{"Ed25519", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed))), "", "", "", "Okta takes RSA, or EC"},
		{"public JWK", string(must(json.Marshal(jose.JSONWebKey{Key: rsaKey.Public()}))), "", "", "", "public half"},
		{"JWK set", `{"keys":[` + jwk + `]}`, "", "", "", "JWK"},
		{"broken JWK", jwk[:40], "", "", "", "JWK"},
		{"public PEM", inPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(rsaKey.Public()))), "", "", "", "holds a public key"},
		{"certificate", inPEM("CERTIFICATE", []byte("x")), "", "", "", "holds a certificate"},
		{"passphrase", inPEM("ENCRYPTED PRIVATE KEY", []byte("x")), "", "", "", "protected by a passphrase"},
		{"damaged", inPEM("RSA PRIVATE KEY", []byte("secret")), "", "", "", "damaged"},
		{"a path", "/home/me/key.pem", "", "", "", "neither PEM"},
		{"rubbish", "hunter2", "", "", "", "neither PEM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := newSigner(tt.text, tt.id, time.Now)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got the error %v, want one with %q", err, tt.err)
				}
				if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "/home") {
					t.Errorf("the error tells the secret: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			token, err := jwt.Signed(s).Claims(jwt.Claims{Issuer: "x"}).CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			header, _ := jwtParts(t, token)
			if kid, _ := header["kid"].(string); header["alg"] != tt.alg || kid != tt.kid {
				t.Errorf("header %v, want %s and kid %q", header, tt.alg, tt.kid)
			}
		})
	}
}
