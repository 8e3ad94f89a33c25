package okta

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"
	sdk "github.com/okta/okta-sdk-golang/v5/okta"
)

// A client assertion is good from a little before Okta's time, in case the
// clocks differ, to a little after it. The SDK's own hour is Okta's maximum: a
// clock that runs ahead by a second would be refused.
const (
	assertionSince = 30 * time.Second
	assertionFor   = 5 * time.Minute
)

// ErrKey is what every error about the text of the private key wraps. Nothing
// was sent then.
var ErrKey = errors.New("okta private key")

// newSigner makes what signs the client assertions with the private key in
// text. The errors never quote the key.
func newSigner(text, id string, now func() time.Time) (jose.Signer, error) {
	key, kid, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if id == "" {
		id = kid
	}
	var alg jose.SignatureAlgorithm
	switch k := key.(type) {
	case *rsa.PrivateKey:
		alg = jose.RS256
	case *ecdsa.PrivateKey:
		switch k.Curve.Params().BitSize {
		case 256:
			alg = jose.ES256
		case 384:
			alg = jose.ES384
		case 521:
			alg = jose.ES512
		}
	}
	if alg == "" {
		return nil, fmt.Errorf("%w: Okta takes RSA, or EC on P-256, P-384 or P-521: make such a key", ErrKey)
	}
	options := &jose.SignerOptions{}
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &signer{s, now}, nil
}

// describe says what kind of key it is.
func describe(key any) string {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return fmt.Sprintf("RSA of %d bits", k.N.BitLen())
	case *ecdsa.PrivateKey:
		return "EC on " + k.Curve.Params().Name
	}
	return "key"
}

// parseKey reads a private key, and its id if it is a JWK.
func parseKey(text string) (key any, id string, err error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, `\n`, "\n"))
	if strings.HasPrefix(text, "{") {
		return parseJWK(text)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, "", errors.New("neither PEM (-----BEGIN PRIVATE KEY-----) nor a JWK ({\"kty\": …}): give the whole text of the key file, or its path")
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, "", errors.New("it is protected by a passphrase: decrypt it with openssl pkcs8 -topk8 -nocrypt")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, "", fmt.Errorf("the file holds a %s: give the private key", strings.ToLower(block.Type))
	}
	if err != nil {
		return nil, "", fmt.Errorf("damaged: %v", err)
	}
	return key, "", nil
}

func parseJWK(text string) (key any, id string, err error) {
	var k jose.JSONWebKey
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, "", errors.New("not a JWK that can be read: give one key as Okta's console shows it, {\"kty\": …}")
	}
	if k.IsPublic() {
		return nil, "", errors.New("the JWK is the public half: give the private key, which has the member \"d\"")
	}
	if !k.Valid() {
		return nil, "", errors.New("the JWK is not a valid private key")
	}
	return k.Key, k.KeyID, nil
}

// A signer signs the SDK's client assertions after it has set their times by
// Okta's clock.
type signer struct {
	jose.Signer
	now func() time.Time // Okta's
}

// Sign implements [jose.Signer].
func (s *signer) Sign(payload []byte) (*jose.JSONWebSignature, error) {
	var claims sdk.ClientAssertionClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, err
	}
	now := s.now()
	claims.IssuedAt = jwt.NewNumericDate(now.Add(-assertionSince))
	claims.Expiry = jwt.NewNumericDate(now.Add(assertionFor))
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	return s.Signer.Sign(payload)
}
