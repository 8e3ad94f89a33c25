package sandbox

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// faultsOf reads a file of faults that must be right.
func faultsOf(t *testing.T, file string) Options {
	t.Helper()
	o, err := ReadFaults(strings.NewReader(file), "faults.json")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func patchUser() *http.Request {
	return httptest.NewRequest("PATCH", "/api/2.1/accounts/a/scim/v2/Users/1", nil)
}

func TestReadFaults(t *testing.T) {
	const scim = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"SANDBOX_FAULT: Service Unavailable","status":"503"}` + "\n"
	for rule, want := range map[string]Fault{
		`{"method":"PATCH","status":503,"after":true}`:              {Status: 503, After: true, Body: scim},
		`{"status":503,"body":""}`:                                  {Status: 503},
		`{"status":200,"body":"<html>"}`:                            {Status: 200, Body: "<html>"},
		`{"status":429,"headers":{"retry-after":"2"},"body":"x"}`:   {Status: 429, Header: http.Header{"Retry-After": {"2"}}, Body: "x"},
		`{"path":"/api/*/accounts/*/scim/v2/Users/*","reset":true}`: {Reset: true},
		`{"reset":true,"after":true}`:                               {Reset: true, After: true},
		`{"cut":0}`:                                                 {Cut: true},
		`{"cut":7}`:                                                 {Cut: true, CutAfter: 7},
		`{"lost":true}`:                                             {Lost: true},
		`{"revoke":true}`:                                           {Revoke: true},
		`{"method":"GET","reset":true}`:                             {},
		`{"path":"/api/*/accounts/*/scim/v2/Users","reset":true}`:   {},
		`{"skip":1,"reset":true}`:                                   {},
		`{"method":"GET","reset":true},{"lost":true},{"method":"PATCH","cut":1}`: {Lost: true},
		`{"probability":1,"lost":true}`:                                          {Lost: true},
		`{"probability":1e-300,"reset":true}`:                                    {},
	} {
		o := faultsOf(t, `{"faults":[`+rule+`]}`)
		if diff := cmp.Diff(want, o.Fault(patchUser())); diff != "" {
			t.Errorf("%s differs (-want +got): %s", rule, diff)
		}
	}
	if o := faultsOf(t, `{"wrong":["dpop","no-role"]}`); !slices.Equal(o.Wrong, []Wrong{DPoP, NoRole}) {
		t.Errorf("wrong: %v", o.Wrong)
	}
	if o := faultsOf(t, `{"list_lag":"3s","get_lag":"1.5s"}`); o.ListLag != 3*time.Second || o.GetLag != 1500*time.Millisecond {
		t.Errorf("%+v", o)
	}
}

// Which requests go wrong is the seed's choice, and nothing else's.
func TestFaultsAreRepeatable(t *testing.T) {
	run := func(file string) (pattern string) {
		o := faultsOf(t, file)
		for range 200 {
			if o.Fault(patchUser()).Reset {
				pattern += "x"
			} else {
				pattern += "."
			}
		}
		return pattern
	}
	const one = `{"seed":1,"faults":[{"probability":0.2,"reset":true}]}`
	first := run(one)
	if n := strings.Count(first, "x"); n < 20 || n > 60 {
		t.Errorf("%d of 200 went wrong: %s", n, first)
	}
	if run(one) != first || run(strings.Replace(one, `1`, `2`, 1)) == first {
		t.Error("not the seed's choice")
	}
	if got := run(`{"faults":[{"skip":2,"times":3,"reset":true}]}`); !strings.HasPrefix(got, "..xxx.") || strings.Count(got, "x") != 3 {
		t.Errorf("skip and times: %s", got)
	}
}

func TestReadFaultsErrors(t *testing.T) {
	for file, want := range map[string]string{
		``:                                 "expected a file of faults",
		`{"wrong":["dpopp"]}`:              "wrong[0]: expected one of",
		`[]`:                               "expected a file of faults",
		`{"fault":[]}`:                     `at "/fault": unknown`,
		`{"Faults":[]}`:                    `at "/Faults": unknown`,
		`{"seed":1,"seed":2}`:              "duplicate object member name",
		`{} {}`:                            "after top-level value",
		`{"seed":-1}`:                      "/seed",
		`{"list_lag":3}`:                   "/list_lag",
		`{"list_lag":"-3s"}`:               `expected a time such as "3s", found "-3s"`,
		`{"faults":[{"status":"503"}]}`:    "/faults/0/status",
		`{"faults":[{"reset":true},{}]}`:   "faults[1]: expected what is wrong",
		`{"faults":[{"probability":0.5}]}`: "expected what is wrong",
		`{"faults":[{"probability":0,"reset":true}]}`:   "probability: expected a number above 0 and at most 1",
		`{"faults":[{"probability":1.1,"reset":true}]}`: "probability",
		`{"faults":[{"method":"patch","reset":true}]}`:  "method: expected one such as PATCH",
		`{"faults":[{"path":"Users","reset":true}]}`:    "path: expected a pattern",
		`{"faults":[{"path":"/[","reset":true}]}`:       "path: expected a pattern",
		`{"faults":[{"skip":-1,"reset":true}]}`:         "skip and times",
		`{"faults":[{"status":99}]}`:                    "status: expected one from 200 to 599",
		`{"faults":[{"cut":-1}]}`:                       "cut: expected",
		`{"faults":[{"reset":true,"status":500}]}`:      "reset: expected no status",
		`{"faults":[{"body":"x","reset":true}]}`:        "body: expected a status",
		`{"faults":[{"after":true,"cut":1}]}`:           "after: expected status or reset",
		`{"faults":[{"lost":true,"status":200}]}`:       "lost: expected no status",
	} {
		_, err := ReadFaults(strings.NewReader(file), "faults.json")
		if err == nil || !strings.HasPrefix(err.Error(), "faults.json: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sandbox.") {
			t.Errorf("%s: %v, want %q in it", file, err, want)
		}
	}
}

func FuzzReadFaults(f *testing.F) {
	f.Add(`{"seed":1,"list_lag":"3s","faults":[{"method":"PATCH","path":"/a/*","probability":0.5,"skip":1,"times":2,"status":503,"headers":{"a":"b"},"after":true}]}`)
	f.Add(`{"faults":[{"reset":true},{"cut":3},{"lost":true},{"revoke":true}]}`)
	f.Add(`{"faults":null}`)
	f.Fuzz(func(t *testing.T, file string) {
		o, err := ReadFaults(strings.NewReader(file), "f")
		if err != nil {
			return
		}
		for range 3 {
			if fault := o.Fault(patchUser()); fault.Lost && fault.Status != 0 || fault.After && fault.Status == 0 && !fault.Reset {
				t.Errorf("%s makes %+v", file, fault)
			}
		}
	})
}
