package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func block(t string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: t, Bytes: der}))
}

func pkcs8(t *testing.T, key crypto.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func TestPrivateKeyForms(t *testing.T) {
	r, _ := rsa.GenerateKey(rand.Reader, 2048)
	e, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ecDER, _ := x509.MarshalECPrivateKey(e)
	ecD, _ := e.Bytes()
	b64 := base64.RawURLEncoding.EncodeToString
	jwk := fmt.Sprintf(`{"kty":"RSA","kid":"k1","n":%q,"e":"AQAB","d":%q,"p":%q,"q":%q}`,
		b64(r.N.Bytes()), b64(r.D.Bytes()), b64(r.Primes[0].Bytes()), b64(r.Primes[1].Bytes()))
	ecJWK := fmt.Sprintf(`{"kty":"EC","crv":"P-256","d":%q}`, b64(ecD))
	rsaPEM, ecPEM := pkcs8(t, r), pkcs8(t, e)

	files := map[string]string{
		"/etc/key.pem": rsaPEM, "/home/pat/key.json": jwk, "conf/rel.pem": rsaPEM,
		"conf/c.yaml": "okta-private-key: rel.pem\n",
	}
	for _, c := range []struct{ name, given, pem, id, file string }{
		{name: "PKCS 8", given: rsaPEM, pem: rsaPEM},
		{name: "PKCS 1", given: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r)), pem: rsaPEM},
		{name: "SEC 1", given: block("EC PRIVATE KEY", ecDER), pem: ecPEM},
		{name: "one line", given: strings.ReplaceAll(rsaPEM, "\n", `\n`), pem: rsaPEM},
		{name: "JWK", given: jwk, pem: rsaPEM, id: "k1"},
		{name: "JWK set", given: `{"keys":[` + jwk + `]}`, pem: rsaPEM, id: "k1"},
		{name: "EC JWK", given: ecJWK, pem: ecPEM},
		{name: "path", given: "/etc/key.pem", pem: rsaPEM},
		{name: "home", given: "~/key.json", pem: rsaPEM, id: "k1"},
		{name: "beside the file that names it", file: "conf/c.yaml", pem: rsaPEM},
	} {
		t.Run(c.name, func(t *testing.T) {
			vars := map[string]string{"OKTA_CLIENT_ORGURL": "https://a.example.com", "OKTA_CLIENT_CLIENTID": "c", "OKTA_CLIENT_PRIVATEKEY": c.given}
			s, err := Load(world(vars, files), Flags{File: c.file})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.NeedOkta(); err != nil {
				t.Fatal(err)
			}
			if s.Okta.PrivateKey.Reveal() != c.pem || s.Okta.PrivateKeyID != c.id {
				t.Errorf("key id %q, want %q; or another key", s.Okta.PrivateKeyID, c.id)
			}
		})
	}
}

func TestPrivateKeyErrors(t *testing.T) {
	r, _ := rsa.GenerateKey(rand.Reader, 2048)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	public, _ := x509.MarshalPKIXPublicKey(&r.PublicKey)
	good := pkcs8(t, r)
	body := strings.Join(strings.Split(good, "\n")[1:4], "")
	for _, c := range []struct{ name, given, want string }{
		{"no file", "/none/key.pem", "cannot read /none/key.pem"},
		{"public", block("PUBLIC KEY", public), "public half"},
		{"public JWK", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, "public half"},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", []byte("x")), "passphrase"},
		{"cut", good[:len(good)/2], "expected an RSA"},
		{"body alone", body, "expected an RSA"},
		{"no base64", "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----", "expected an RSA"},
		{"another curve", pkcs8(t, p384), "P-256"},
		{"JWK of nothing", `{"kty":"oct","d":"eA"}`, "expected an RSA"},
		{"RSA JWK that does not fit", `{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"AQAB","q":"AQAB"}`, "expected an RSA"},
		{"EC JWK that does not fit", `{"kty":"EC","crv":"P-256","d":"AQAB"}`, "expected an RSA"},
		{"JSON of something", `{"a":1}`, "expected an RSA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			vars := map[string]string{"OKTA_CLIENT_ORGURL": "https://a.example.com", "OKTA_CLIENT_CLIENTID": "c", "OKTA_CLIENT_PRIVATEKEY": c.given}
			s, err := Load(world(vars, nil), Flags{})
			if err != nil {
				t.Fatal(err)
			}
			err = s.NeedOkta()
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "OKTA_CLIENT_PRIVATEKEY") {
				t.Fatalf("%v, want %q and where it was given", err, c.want)
			}
			if len(c.given) > 60 && strings.Contains(err.Error(), c.given[len(c.given)-20:]) {
				t.Errorf("%q shows the key", err)
			}
		})
	}
}

func TestSecretNeverShows(t *testing.T) {
	s := NewSecret("topsecret")
	var private struct{ s Secret }
	private.s = s
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "in", struct{ S Secret }{s})
	js, _ := json.Marshal(map[string]any{"s": s, "p": &s, "o": Okta{Token: s}})
	all := fmt.Sprint(s, &s, private) + fmt.Sprintf("%v %+v %#v %s %q %x %d %T", s, s, s, s, s, s, s, s) +
		fmt.Sprintf("%v %+v %#v", Okta{Token: s}, &Okta{Token: s}, Databricks{Token: s}) + s.String() + s.GoString() + string(js) + log.String()
	if strings.Contains(all, "topsecret") || strings.Contains(all, fmt.Sprintf("%x", "topsecret")) {
		t.Error(all)
	}
	if s.Reveal() != "topsecret" {
		t.Error("lost")
	}
}

func FuzzPrivateKey(f *testing.F) {
	f.Add("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
	f.Add(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"AQAB","q":"AQAB"}`)
	f.Add(`{"kty":"EC","crv":"P-256","d":"AQAB"}`)
	f.Add("/etc/key.pem")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := value{text: text}.privateKey(world(nil, nil))
		if err == nil && k.pem == "" {
			t.Fatal("no key and no error")
		}
	})
}
