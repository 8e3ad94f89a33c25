package sandbox

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// A faultFile is what [ReadFaults] reads.
type faultFile struct {
	Seed    uint64      `json:"seed"`     // the same seed and the same requests, the same faults
	Wrong   []string    `json:"wrong"`    // [Options.Wrong], such as "dpop"
	ListLag duration    `json:"list_lag"` // [Options.ListLag], such as "3s"
	GetLag  duration    `json:"get_lag"`  // [Options.GetLag]
	Faults  []faultRule `json:"faults"`
}

// A faultRule says which requests a fault meets. Of the rules that match a
// request, the first whose turn it is damages it.
type faultRule struct {
	Method      string   `json:"method"`      // blank: any
	Path        string   `json:"path"`        // as in [path.Match], such as "/api/*/accounts/*/scim/v2/Users/*"; blank: any
	Skip        int      `json:"skip"`        // so many that match pass first
	Times       int      `json:"times"`       // at most so often; 0: no limit
	Probability *float64 `json:"probability"` // of the others; absent: 1

	Status  int               `json:"status"` // the rest as in [Fault]
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"` // absent: an error's is in the form of the vendor
	Reset   bool              `json:"reset"`
	Cut     *int              `json:"cut"` // bytes
	After   bool              `json:"after"`
	Lost    bool              `json:"lost"`
	Revoke  bool              `json:"revoke"`
}

// A duration is a text such as "1.5s".
type duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("expected a time such as \"3s\", found %q", text)
	}
	*d = duration(parsed)
	return nil
}

// ReadFaults reads a file of faults, one JSON object such as
//
//	{"seed": 1, "wrong": ["dpop"], "list_lag": "3s", "faults": [
//	  {"method": "PATCH", "path": "/api/*/accounts/*/scim/v2/Users/*", "probability": 0.2, "status": 503, "after": true}]}
//
// and returns the options that it asks for. It is strict: an unknown or repeated
// key, a rule that does nothing or contradicts itself, and anything after the
// object are errors, with the file's name and what was expected.
func ReadFaults(r io.Reader, name string) (Options, error) {
	var file faultFile
	if err := json.UnmarshalRead(r, &file, json.RejectUnknownMembers(true)); err != nil {
		return Options{}, fmt.Errorf("%s: expected a file of faults: %w", name, plainJSON(err))
	}
	for i, rule := range file.Faults {
		if err := rule.check(); err != nil {
			return Options{}, fmt.Errorf("%s: faults[%d]: %w", name, i, err)
		}
	}
	var wrong []Wrong
	for i, word := range file.Wrong {
		w, err := ParseWrong(word)
		if err != nil {
			return Options{}, fmt.Errorf("%s: wrong[%d]: %w", name, i, err)
		}
		wrong = append(wrong, w)
	}
	d := &dice{rules: file.Faults, met: make([]int, len(file.Faults)), done: make([]int, len(file.Faults)), rand: rand.New(rand.NewPCG(file.Seed, 0))}
	return Options{Wrong: wrong, ListLag: time.Duration(file.ListLag), GetLag: time.Duration(file.GetLag), Fault: d.fault}, nil
}

// plainJSON returns err without the names of Go's types.
func plainJSON(err error) error {
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		cause := e.Err
		if cause == nil {
			cause = fmt.Errorf("found a value of the wrong kind (%s)", e.JSONKind)
		}
		return fmt.Errorf("at %q: %w", string(e.JSONPointer), cause)
	}
	return err
}

func (f faultRule) check() error {
	_, badPath := path.Match(f.Path, "")
	replaced := f.Status != 0 || f.Reset
	switch {
	case f.Method != strings.ToUpper(f.Method):
		return fmt.Errorf("method: expected one such as PATCH, found %q", f.Method)
	case badPath != nil || f.Path != "" && f.Path[0] != '/':
		return fmt.Errorf("path: expected a pattern such as \"/api/*/accounts/*/scim/v2/Users/*\", found %q", f.Path)
	case f.Skip < 0 || f.Times < 0:
		return errors.New("skip and times: expected numbers not below 0")
	case f.Probability != nil && !(*f.Probability > 0 && *f.Probability <= 1):
		return fmt.Errorf("probability: expected a number above 0 and at most 1, found %v", *f.Probability)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status: expected one from 200 to 599, found %d", f.Status)
	case f.Cut != nil && *f.Cut < 0:
		return errors.New("cut: expected a number of bytes, not below 0")
	case f.Reset && (f.Status != 0 || f.Cut != nil || f.Headers != nil):
		return errors.New("reset: expected no status, headers or cut beside it, as there is no answer")
	case f.Body != nil && f.Status == 0:
		return errors.New("body: expected a status beside it")
	case f.After && !replaced:
		return errors.New("after: expected status or reset beside it, as everything else lets the request take effect anyway")
	case f.Lost && replaced:
		return errors.New("lost: expected no status or reset beside it, as it answers as if all were well")
	case !replaced && f.Cut == nil && !f.Lost && !f.Revoke && len(f.Headers) == 0:
		return errors.New("expected what is wrong: one of status, headers, reset, cut, lost, revoke")
	}
	return nil
}

// A dice chooses the requests that go wrong.
type dice struct {
	rules []faultRule

	mu        sync.Mutex
	met, done []int // by rule: requests that matched, and those that were damaged
	rand      *rand.Rand
}

// fault returns what goes wrong with r.
func (d *dice) fault(r *http.Request) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, rule := range d.rules {
		if rule.Method != "" && rule.Method != r.Method {
			continue
		}
		if ok, _ := path.Match(rule.Path, r.URL.Path); rule.Path != "" && !ok {
			continue
		}
		d.met[i]++
		switch {
		case d.met[i] <= rule.Skip, rule.Times > 0 && d.done[i] >= rule.Times:
			continue
		case rule.Probability != nil && d.rand.Float64() >= *rule.Probability:
			continue
		}
		d.done[i]++
		return rule.of(r)
	}
	return Fault{}
}

// of returns the rule's fault for r.
func (f faultRule) of(r *http.Request) Fault {
	fault := Fault{Status: f.Status, Reset: f.Reset, After: f.After, Lost: f.Lost, Revoke: f.Revoke}
	for name, value := range f.Headers {
		if fault.Header == nil {
			fault.Header = http.Header{}
		}
		fault.Header.Set(name, value)
	}
	if f.Cut != nil {
		fault.Cut, fault.CutAfter = true, *f.Cut
	}
	switch {
	case f.Body != nil:
		fault.Body = *f.Body
	case f.Status >= 400:
		a := &answer{header: http.Header{}}
		writeError(a, r, f.Status, "SANDBOX_FAULT", http.StatusText(f.Status))
		fault.Body = a.body.String()
	}
	return fault
}
