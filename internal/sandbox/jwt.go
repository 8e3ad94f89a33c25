package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// A jwt is a signed token in compact form (RFC 7515), not yet verified.
type jwt struct {
	header struct {
		Alg string          `json:"alg"`
		Kid string          `json:"kid"`
		Typ string          `json:"typ"`
		JWK json.RawMessage `json:"jwk"`
	}
	claims    jwtClaims
	signed    string
	signature []byte
}

// jwtClaims are the claims of client assertions (RFC 7523) and of DPoP proofs
// (RFC 9449).
type jwtClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expiry   float64  `json:"exp"` // seconds since 1970, as all times here
	IssuedAt float64  `json:"iat"`
	ID       string   `json:"jti"`

	Method    string `json:"htm"`
	URL       string `json:"htu"`
	Nonce     string `json:"nonce"`
	TokenHash string `json:"ath"`
}

// An audience is a text or a list of texts.
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func parseJWT(compact string) (*jwt, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errors.New("expected three parts")
	}
	t := &jwt{signed: parts[0] + "." + parts[1]}
	for i, into := range []any{&t.header, &t.claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, into); err != nil {
			return nil, err
		}
	}
	var err error
	t.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return t, err
}

// verify checks the signature by key, which is an *rsa.PublicKey (RS256) or an
// *ecdsa.PublicKey (ES256).
func (t *jwt) verify(key crypto.PublicKey) error {
	hash := sha256.Sum256([]byte(t.signed))
	switch key := key.(type) {
	case *rsa.PublicKey:
		if t.header.Alg != "RS256" {
			return fmt.Errorf("expected RS256, found %s", t.header.Alg)
		}
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, hash[:], t.signature)
	case *ecdsa.PublicKey:
		if t.header.Alg != "ES256" || len(t.signature) != 64 {
			return fmt.Errorf("expected ES256, found %s", t.header.Alg)
		}
		r, s := new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:])
		if !ecdsa.Verify(key, hash[:], r, s) {
			return errors.New("wrong signature")
		}
		return nil
	}
	return errors.New("unknown kind of key")
}

// parseJWK returns the public key of a JWK and its RFC 7638 thumbprint.
func parseJWK(raw []byte) (crypto.PublicKey, string, error) {
	var k struct{ Kty, Crv, N, E, X, Y, D string }
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, "", err
	}
	if k.D != "" {
		return nil, "", errors.New("a private key")
	}
	num := func(s string) *big.Int {
		b, _ := base64.RawURLEncoding.DecodeString(s) // a broken number verifies nothing
		return new(big.Int).SetBytes(b)
	}
	switch {
	case k.Kty == "RSA" && num(k.N).BitLen() >= 2048 && num(k.E).IsInt64() && num(k.E).Int64() < 1<<31:
		key := &rsa.PublicKey{N: num(k.N), E: int(num(k.E).Int64())}
		return key, thumbprint(`{"e":"` + k.E + `","kty":"RSA","n":"` + k.N + `"}`), nil
	case k.Kty == "EC" && k.Crv == "P-256" && num(k.X).BitLen() <= 256 && num(k.Y).BitLen() <= 256:
		point := append(num(k.X).FillBytes(make([]byte, 33)), num(k.Y).FillBytes(make([]byte, 32))...)
		point[0] = 4 // uncompressed
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil { // not on the curve
			return nil, "", err
		}
		return key, thumbprint(`{"crv":"P-256","kty":"EC","x":"` + k.X + `","y":"` + k.Y + `"}`), nil
	}
	return nil, "", errors.New("expected an RSA key of 2048 bits or more, or one on P-256")
}

// thumbprint hashes a JWK's required members, in order (RFC 7638).
func thumbprint(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
