package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"path/filepath"
	"regexp"
	"strings"
)

// A privateKey is a key in the one form that everything behind here reads.
type privateKey struct {
	pem string // PKCS #8
	id  string // kid of a JWK; blank: none
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9+/=_\s-]{60,}$|[\r\n]`)

var errNoKey = errors.New("expected an RSA or EC P-256 private key as PEM (-----BEGIN PRIVATE KEY-----) or JWK ({\"kty\": …}), or the path of a file with one; Okta's admin console shows it once, when the key is made")

// privateKey reads the key that v is, or whose path it is.
func (v value) privateKey(env Env) (privateKey, error) {
	text := strings.TrimSpace(v.text)
	if !looksLikeKey(text) {
		if bareKey.MatchString(text) {
			return privateKey{}, errNoKey // a key without its first line: not to be shown as a path
		}
		path := text
		if rest, ok := strings.CutPrefix(path, "~/"); ok && env.Home != "" {
			path = filepath.Join(env.Home, rest)
		} else if !filepath.IsAbs(path) {
			path = filepath.Join(v.dir, path)
		}
		data, err := env.ReadFile(path)
		if err != nil {
			return privateKey{}, plain(path, err)
		}
		text = strings.TrimSpace(string(data))
	}
	if strings.HasPrefix(text, "{") {
		return readJWK([]byte(text))
	}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n") // as some CI systems keep it
	}
	return readPEM([]byte(text))
}

func looksLikeKey(text string) bool {
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "-----BEGIN")
}

func readPEM(data []byte) (privateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return privateKey{}, errNoKey
	}
	if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return privateKey{}, errors.New("the key is encrypted with a passphrase: write it without one (openssl pkey -in KEY -out NEW), in a file only you can read")
	}
	if strings.Contains(block.Type, "PUBLIC KEY") || block.Type == "CERTIFICATE" {
		return privateKey{}, errors.New("this is the public half: expected the private key that belongs to it")
	}
	var key crypto.PrivateKey
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return privateKey{}, errNoKey
	}
	return writeKey(key, "")
}

// readJWK reads a JSON Web Key (RFC 7517), or a set of one.
func readJWK(data []byte) (privateKey, error) {
	type jwk struct {
		Kty, Kid, Crv          string
		N, E, D, P, Q, X, Y, K string
	}
	var set struct {
		jwk
		Keys []jwk
	}
	if json.Unmarshal(data, &set) != nil {
		return privateKey{}, errNoKey
	}
	k := set.jwk
	if len(set.Keys) == 1 {
		k = set.Keys[0]
	}
	if k.D == "" && k.Kty != "" {
		return privateKey{}, errors.New("this JWK is the public half (it has no \"d\"): expected the private key that belongs to it")
	}
	bad := false
	number := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
		bad = bad || err != nil || len(b) == 0
		return new(big.Int).SetBytes(b)
	}
	switch k.Kty {
	case "RSA":
		key := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())},
			D:         number(k.D), Primes: []*big.Int{number(k.P), number(k.Q)},
		}
		if bad || key.Validate() != nil {
			return privateKey{}, errNoKey
		}
		key.Precompute()
		return writeKey(key, k.Kid)
	case "EC":
		d, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(k.D, "="))
		if err != nil || k.Crv != "P-256" {
			return privateKey{}, errNoKey
		}
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		if err != nil {
			return privateKey{}, errNoKey
		}
		return writeKey(key, k.Kid)
	}
	return privateKey{}, errNoKey
}

func writeKey(key crypto.PrivateKey, id string) (privateKey, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return privateKey{}, errNoKey
		}
	default:
		return privateKey{}, errNoKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return privateKey{}, errNoKey
	}
	return privateKey{string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), id}, nil
}
