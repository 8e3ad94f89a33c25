package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/internal/sandbox"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// A pair of directories of the size of the vendor's sample is read in at most 60
// requests, sign-in and discovery included; the vendor's own scanner takes 3,052.
func TestRequestsAtTheSampleSize(t *testing.T) {
	served := requestsAtTheSampleSize(t)
	t.Logf("%d requests, sign-in and discovery included", served)
	if served > 60 {
		t.Errorf("%d requests were served, want 60 at most", served)
	}
}

func BenchmarkGoalRequests(b *testing.B) {
	served := 0
	for b.Loop() {
		served = requestsAtTheSampleSize(b)
	}
	b.ReportMetric(float64(served), "requests")
}

func requestsAtTheSampleSize(t testing.TB) int {
	box := sandbox.Start(t, sample(), sandbox.Options{Rates: sandbox.NoLimits()})
	vars := map[string]string{}
	for _, v := range box.Env() {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
		if strings.HasPrefix(name, "DATABRICKS_") {
			t.Setenv(name, value) // the SDK looks there by itself
		}
	}
	file := filepath.Join(t.TempDir(), "sample.snapshot")
	var out bytes.Buffer
	status := run(t.Context(), &env{
		args: []string{"snapshot", "-o", file, "--quiet"}, getenv: func(name string) string { return vars[name] },
		readFile: os.ReadFile, stdout: &out, stderr: &out, now: time.Now, forget: func(string) {},
	})
	if status != 0 {
		t.Fatalf("exit status %d\n%s", status, out.String())
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	snap, err := snapfile.Read(f, file)
	if err != nil {
		t.Fatal(err)
	}
	served := 0
	for _, n := range box.Requests() {
		served += n
	}
	if told := snap.Okta.Requests + snap.Databricks.Requests; told != served {
		t.Errorf("%d requests were served and %d are told of", served, told)
	}
	if len(snap.Incomplete()) > 0 || snap.DatabricksUsers.Len() != 2504 || snap.OktaUsers.Len() != 1775 {
		t.Errorf("incomplete: %v", snap.Incomplete())
	}
	return served
}

// sample is as many people, groups and service principals as the vendor's sample has.
func sample() *sandbox.Tenant {
	var t sandbox.Tenant
	fill := func(list *[]json.RawMessage, n int, format string) {
		for i := range n {
			*list = append(*list, json.RawMessage(strings.ReplaceAll(format, "#", fmt.Sprintf("%05d", i))))
		}
	}
	fill(&t.Okta.Users, 1700, `{"id":"00u#","status":"ACTIVE","profile":{"login":"u#@example.com","email":"u#@example.com"}}`)
	fill(&t.Okta.Users, 75, `{"id":"00ux#","status":"DEPROVISIONED","profile":{"login":"x#@example.com","email":"x#@example.com"}}`)
	fill(&t.Okta.Groups, 347, `{"id":"00g#","type":"OKTA_GROUP","profile":{"name":"Group #"}}`)
	fill(&t.Databricks.Users, 2504, `{"id":"1#","userName":"u#@example.com","active":true}`)
	fill(&t.Databricks.Groups, 341, `{"id":"2#","displayName":"Group #"}`)
	fill(&t.Databricks.ServicePrincipals, 173, `{"id":"3#","applicationId":"5a4d0b0c-0000-4000-8000-0000000#","displayName":"Job #"}`)
	return &t
}
