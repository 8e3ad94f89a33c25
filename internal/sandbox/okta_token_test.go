package sandbox_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

type claims map[string]any

// sign returns a signed token: RS256 by an RSA key, else ES256.
func sign(t *testing.T, key crypto.Signer, header, body claims) string {
	t.Helper()
	_, isRSA := key.(*rsa.PrivateKey)
	if header["alg"] == nil {
		header["alg"] = map[bool]string{true: "RS256", false: "ES256"}[isRSA]
	}
	var parts []string
	for _, part := range []claims{header, body} {
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	signed := strings.Join(parts, ".")
	hash := sha256.Sum256([]byte(signed))
	var signature []byte
	if isRSA {
		var err error
		if signature, err = key.Sign(rand.Reader, hash[:], crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	} else {
		r, s, err := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), hash[:])
		if err != nil {
			t.Fatal(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// appKey returns the app's private key from its PEM form.
func appKey(t *testing.T, s *sandbox.Running) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode([]byte(s.OktaPrivateKeyPEM()))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

// assertion returns the claims of a good client assertion.
func assertion(s *sandbox.Running) claims {
	now := time.Now().Unix()
	return claims{
		"iss": sandbox.OktaClientID, "sub": sandbox.OktaClientID, "aud": s.URL + "/oauth2/v1/token",
		"iat": now, "exp": now + 3600, "jti": rand.Text(),
	}
}

// ask asks for a token.
func ask(t *testing.T, s *sandbox.Running, signed string, change func(url.Values), header ...string) reply {
	t.Helper()
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"scope":                 {"okta.users.read okta.groups.read"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {signed},
	}
	if change != nil {
		change(form)
	}
	return send(t, s, "POST", "/oauth2/v1/token", form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

func TestOktaTokenEndpoint(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	now := time.Now().Unix()
	key := appKey(t, s)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		claims claims
		header claims
		key    crypto.Signer
		form   func(url.Values)
		status int
		want   string // in the answer
	}{
		{name: "good", status: 200, want: `"token_type":"Bearer"`},
		{name: "with kid", header: claims{"kid": s.OktaKeyID()}, status: 200, want: `"expires_in":3600`},
		{name: "audience as a list", claims: claims{"aud": []string{"x", s.URL + "/oauth2/v1/token"}}, status: 200, want: `"scope":"okta.users.read okta.groups.read"`},
		{name: "audience as issuer", claims: claims{"aud": s.URL}, status: 200},
		{name: "no jti", claims: claims{"jti": nil}, status: 200},
		{name: "iat a little ahead", claims: claims{"iat": now + 60, "exp": now + 600}, status: 200},

		{name: "another's key", key: stranger, status: 401, want: "The client_assertion signature is invalid."},
		{name: "no signature algorithm", header: claims{"alg": "none"}, status: 401, want: "The client_assertion signature is invalid."},
		{name: "another kid", header: claims{"kid": "other"}, status: 401, want: "The client_assertion JWT kid is invalid."},
		{name: "another client", claims: claims{"iss": "0oaother", "sub": "0oaother"}, status: 401, want: `"errorCode":"invalid_client"`},
		{name: "another audience", claims: claims{"aud": "https://example.okta.com"}, status: 401, want: "The audience claim for client_assertion must be the endpoint invoked for the request."},
		{name: "too long", claims: claims{"exp": now + 3700}, status: 401, want: "The client_assertion token has an expiration too far into the future."},
		{name: "over", claims: claims{"exp": now - 1}, status: 401, want: "The client_assertion token is expired."},
		{name: "no end", claims: claims{"exp": nil}, status: 401, want: "invalid_client"},
		{name: "from the future", claims: claims{"iat": now + 900, "exp": now + 1000}, status: 401, want: "invalid_client"},
		{name: "not a token", form: func(f url.Values) { f.Set("client_assertion", "x") }, status: 401, want: "invalid_client"},
		{name: "no assertion type", form: func(f url.Values) { f.Del("client_assertion_type") }, status: 401, want: "The client_assertion_type is invalid."},
		{name: "another grant", form: func(f url.Values) { f.Set("grant_type", "password") }, status: 400, want: "unsupported_grant_type"},
		{name: "no scope", form: func(f url.Values) { f.Del("scope") }, status: 400, want: "invalid_scope"},
		{name: "a scope not granted", form: func(f url.Values) { f.Set("scope", "okta.users.manage") }, status: 400, want: "invalid_scope"},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, header := assertion(s), claims{}
			for k, v := range test.claims {
				body[k] = v
				if v == nil {
					delete(body, k)
				}
			}
			for k, v := range test.header {
				header[k] = v
			}
			if test.key == nil {
				test.key = key
			}
			r := ask(t, s, sign(t, test.key, header, body), test.form)
			if r.Status != test.status || !strings.Contains(r.Body, test.want) {
				t.Errorf("%d %s, want %d and %s", r.Status, r.Body, test.status, test.want)
			}
		})
	}
	t.Run("used twice", func(t *testing.T) {
		signed := sign(t, key, claims{}, assertion(s))
		if r := ask(t, s, signed, nil); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		if r := ask(t, s, signed, nil); r.Status != 401 {
			t.Errorf("%d %s, want 401", r.Status, r.Body)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		if r := send(t, s, "POST", "/oauth2/v1/token", "{}", "Content-Type", "application/json"); r.Status != 400 {
			t.Errorf("%d %s, want 400", r.Status, r.Body)
		}
	})
}

func accessToken(t *testing.T, r reply) string {
	t.Helper()
	var v struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(r.Body), &v); r.Status != 200 || err != nil || v.AccessToken == "" {
		t.Fatalf("%d %s: no access token", r.Status, r.Body)
	}
	return v.AccessToken
}

// A token serves its scopes, for an hour.
func TestOktaAccessToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.Pipe(t, oktaTenant(1), sandbox.Options{OktaScopes: []string{"okta.users.read", "okta.groups.read"}})
		token := accessToken(t, ask(t, s, sign(t, appKey(t, s), claims{}, assertion(s)), nil))
		call := func(path, authorization string) reply {
			return send(t, s, "GET", path, "", "Authorization", authorization)
		}
		if r := call("/api/v1/groups", "Bearer "+token); r.Status != 200 {
			t.Errorf("granted: %d %s", r.Status, r.Body)
		}
		r := call("/api/v1/apps", "Bearer "+token)
		if r.Status != 403 || r.errorCode() != "E0000006" || !strings.Contains(r.Header.Get("WWW-Authenticate"), "insufficient_scope") {
			t.Errorf("not granted: %d %s %v", r.Status, r.Body, r.Header)
		}
		for _, wrong := range []string{"Bearer x", "Basic " + token, "SSWS " + token, token} {
			if r := call("/api/v1/users", wrong); r.Status != 401 || r.errorCode() != "E0000011" {
				t.Errorf("%s: %d %s, want 401 E0000011", wrong, r.Status, r.Body)
			}
		}
		time.Sleep(time.Hour - time.Second)
		if r := call("/api/v1/users", "Bearer "+token); r.Status != 200 {
			t.Errorf("in its last second: %d %s", r.Status, r.Body)
		}
		time.Sleep(time.Second)
		if r := call("/api/v1/users", "Bearer "+token); r.Status != 401 || r.errorCode() != "E0000011" {
			t.Errorf("after an hour: %d %s, want 401 E0000011", r.Status, r.Body)
		}
	})
}

// The whole of DPoP, with a key on P-256: the SDK's own are RSA keys.
func TestOktaDPoP(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{DPoP: true})
	app := appKey(t, s)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwk := claims{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	prove := func(method, path string, change claims) string {
		body := claims{"htm": method, "htu": s.URL + path, "iat": time.Now().Unix(), "jti": rand.Text()}
		for k, v := range change {
			body[k] = v
		}
		return sign(t, key, claims{"typ": "dpop+jwt", "jwk": jwk}, body)
	}
	askWith := func(header ...string) reply { return ask(t, s, sign(t, app, claims{}, assertion(s)), nil, header...) }

	if r := askWith(); r.Status != 400 || r.errorCode() != "invalid_dpop_proof" {
		t.Fatalf("without a proof: %d %s", r.Status, r.Body)
	}
	r := askWith("DPoP", prove("POST", "/oauth2/v1/token", nil))
	nonce := r.Header.Get("DPoP-Nonce")
	if r.Status != 400 || r.errorCode() != "use_dpop_nonce" || nonce == "" {
		t.Fatalf("without a nonce: %d %s %v", r.Status, r.Body, r.Header)
	}
	r = askWith("DPoP", prove("POST", "/oauth2/v1/token", claims{"nonce": nonce}))
	token := accessToken(t, r)
	if !strings.Contains(r.Body, `"token_type":"DPoP"`) {
		t.Errorf("token of type %s", r.Body)
	}

	hash := sha256.Sum256([]byte(token))
	bound := claims{"ath": b64(hash[:])}
	with := func(more claims) claims {
		all := claims{}
		for k, v := range bound {
			all[k] = v
		}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	n := app.Public().(*rsa.PublicKey).N
	appJWK := claims{"kty": "RSA", "e": "AQAB", "n": b64(n.Bytes())}
	proofClaims := func(path string) claims {
		return with(claims{"htm": "GET", "htu": s.URL + path, "iat": time.Now().Unix(), "jti": rand.Text()})
	}
	good := prove("GET", "/api/v1/users", bound)
	call := func(kind, proof string) reply {
		return send(t, s, "GET", "/api/v1/users?limit=1", "", "Authorization", kind+" "+token, "DPoP", proof)
	}
	if r := call("DPoP", good); r.Status != 200 {
		t.Fatalf("with a proof: %d %s", r.Status, r.Body)
	}
	for name, proof := range map[string]string{
		"used twice":     good,
		"none":           "",
		"not a token":    "x.y.z",
		"another method": prove("POST", "/api/v1/users", bound),
		"another path":   prove("GET", "/api/v1/groups", bound),
		"old":            prove("GET", "/api/v1/users", with(claims{"iat": time.Now().Add(-time.Hour).Unix()})),
		"without id":     prove("GET", "/api/v1/users", with(claims{"jti": ""})),
		"another token":  prove("GET", "/api/v1/users", claims{"ath": "x"}),
		"not by its key": sign(t, app, claims{"typ": "dpop+jwt", "jwk": jwk}, proofClaims("/api/v1/users")),
		"another key":    sign(t, app, claims{"typ": "dpop+jwt", "jwk": appJWK}, proofClaims("/api/v1/users")),
	} {
		if r := call("DPoP", proof); r.Status != 400 || r.errorCode() != "invalid_dpop_proof" {
			t.Errorf("proof %s: %d %s, want 400 invalid_dpop_proof", name, r.Status, r.Body)
		}
	}
	if r := call("Bearer", prove("GET", "/api/v1/users", bound)); r.Status != 400 {
		t.Errorf("as a bearer token: %d %s", r.Status, r.Body)
	}
}

// The key in JWK form is the key in PEM form.
func TestOktaPrivateKeyJWK(t *testing.T) {
	s := sandbox.Start(t, oktaTenant(1), sandbox.Options{})
	var jwk struct{ Kty, Kid, N, E, D string }
	if err := json.Unmarshal([]byte(s.OktaPrivateKeyJWK()), &jwk); err != nil {
		t.Fatal(err)
	}
	key := appKey(t, s).(*rsa.PrivateKey)
	b64 := base64.RawURLEncoding.EncodeToString
	if jwk.Kty != "RSA" || jwk.Kid != s.OktaKeyID() || jwk.N != b64(key.N.Bytes()) || jwk.D != b64(key.D.Bytes()) || jwk.E != "AQAB" {
		t.Errorf("another key: kid %s, e %s", jwk.Kid, jwk.E)
	}
}
