package sandbox_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

func TestGenerateIsDeterministic(t *testing.T) {
	a, b := sandbox.Generate(3, 500), sandbox.Generate(3, 500)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave two tenants")
	}
	if reflect.DeepEqual(a.Okta.Users, sandbox.Generate(4, 500).Okta.Users) {
		t.Error("two seeds gave the same users")
	}
}

func TestGenerateSizes(t *testing.T) {
	for _, n := range []int{0, 1, 10, 99, 100, 2500} {
		tenant := sandbox.Generate(1, n)
		if len(tenant.Okta.Users) != n {
			t.Errorf("%d Okta users, want %d", len(tenant.Okta.Users), n)
		}
		if _, err := sandbox.New(tenant, sandbox.Options{}); err != nil {
			t.Errorf("%d users: %v", n, err)
		}
	}
}

// What is generated can be written to a tenant file and read again.
func TestGeneratedTenantIsATenantFile(t *testing.T) {
	want := sandbox.Demo()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(want); err != nil {
		t.Fatal(err)
	}
	got, err := sandbox.ReadTenant(&b, "demo.json")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the tenant read differs from the tenant written")
	}
}

// Logins are unique as Okta compares them, and all addresses are invented.
func TestGeneratedAddresses(t *testing.T) {
	tenant := sandbox.Generate(9, 20_000)
	logins := map[string]bool{}
	for _, raw := range tenant.Okta.Users {
		var u struct {
			Profile struct{ Login, Email string }
		}
		if err := json.Unmarshal(raw, &u); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		login := strings.ToLower(u.Profile.Login)
		if logins[login] {
			t.Errorf("login %s is there twice", login)
		}
		logins[login] = true
		for _, address := range []string{login, u.Profile.Email} {
			_, domain, _ := strings.Cut(address, "@")
			if !strings.HasSuffix("."+domain, ".example.com") && !strings.HasSuffix("."+domain, ".example.org") {
				t.Errorf("address %s", address)
			}
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		sandbox.Generate(1, 100_000)
	}
}

func BenchmarkNew(b *testing.B) {
	tenant := sandbox.Generate(1, 100_000)
	for b.Loop() {
		if _, err := sandbox.New(tenant, sandbox.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
