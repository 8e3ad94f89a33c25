// Package doctor checks, before anything is read, that what an audit and
// automatic identity management need is there: each precondition on its own,
// against the directories themselves, in seconds. It sends what the adapters
// permit: requests that read, and those that sign in.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/okta"
)

// A State is what became of a check.
type State string

// The states. Only a Fail must be mended before an audit.
const (
	OK      State = "ok"
	Warn    State = "warn"    // it works, and is not as it should be
	Fail    State = "fail"    // it does not work
	Ask     State = "ask"     // only the user can say
	Unknown State = "unknown" // it could not be checked, and why
)

// A Line is what one check says.
type Line struct {
	Check string `json:"check"`        // permanent name
	About string `json:"about"`        // settings, okta, databricks, you or read
	State State  `json:"state"`        //
	Found string `json:"found"`        // what is so
	Why   string `json:"why"`          // why it matters
	Do    string `json:"do,omitempty"` // what to do, unless nothing
}

// A Report is what all checks say.
type Report struct {
	Lines []Line  `json:"checks"`
	Reads []Read  `json:"full_read"` // blank where it can't be predicted
	Sent  int     `json:"requests"`  // that the doctor itself sent
	Took  float64 `json:"seconds"`   // that it took
}

// Healthy reports whether nothing must be mended.
func (r *Report) Healthy() bool {
	return !slices.ContainsFunc(r.Lines, func(l Line) bool { return l.State == Fail })
}

// Count returns how many lines are in a state.
func (r *Report) Count(s State) int {
	n := 0
	for _, l := range r.Lines {
		if l.State == s {
			n++
		}
	}
	return n
}

// An Input is all that is checked.
type Input struct {
	Files []error // what is wrong with files of settings
	Okta  Side
	// OktaConfig and DatabricksConfig hold what is known; blank is not known.
	// Scopes are the doctor's to choose.
	OktaConfig       okta.Config
	KeyFault         error // why the private key could not be read
	Databricks       Side
	DatabricksConfig databricks.Config
	Other            []error // what is wrong with other settings
	Stated           audit.Settings

	Members, Apps, WorkspaceDetails bool // what a full read shall read too

	Now func() time.Time
}

// A Side is what is wrong with, and missing from, the settings of a directory.
type Side struct {
	Wrong   []error
	Missing []error
}

// A check is one precondition.
type check struct {
	name  string
	about string
	why   string
	needs []string // checks without which it can't be made
	run   func(context.Context, *exam) outcome
}

// An outcome is what a check found.
type outcome struct {
	state State
	found string
	do    string
}

func good(format string, args ...any) outcome { return outcome{OK, fmt.Sprintf(format, args...), ""} }

// told is an outcome with what to do.
func told(s State, do, format string, args ...any) outcome {
	return outcome{s, fmt.Sprintf(format, args...), do}
}

func notChecked(format string, args ...any) outcome {
	return outcome{Unknown, "not checked: " + fmt.Sprintf(format, args...), ""}
}

// limit bounds one check: what takes longer is not there.
const limit = 20 * time.Second

// An exam is what the checks learn. Those of one directory run one after another.
type exam struct {
	Input
	org  oktaFacts
	acct databricksFacts

	mu     sync.Mutex
	waited map[string]string // why a request was last repeated, by the directory
}

// listen returns what keeps why requests to a directory are repeated: a check
// that runs out of time has nothing else to tell.
func (x *exam) listen(about string, also func(string)) func(string) {
	return func(reason string) {
		if _, why, ok := strings.Cut(reason, ": "); ok {
			x.mu.Lock()
			x.waited[about] = why
			x.mu.Unlock()
		}
		if also != nil {
			also(reason)
		}
	}
}

// lately takes why a request to the directory was last repeated.
func (x *exam) lately(about string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	why := x.waited[about]
	delete(x.waited, about)
	return why
}

// Run makes all checks; those of the two directories side by side. It fails
// only if ctx is done.
func Run(ctx context.Context, in Input) (*Report, error) {
	if in.Now == nil {
		in.Now = time.Now
	}
	start := time.Now()
	x := &exam{Input: in, waited: map[string]string{}}
	x.OktaConfig.Waiting = x.listen("okta", in.OktaConfig.Waiting)
	x.DatabricksConfig.Waiting = x.listen("databricks", in.DatabricksConfig.Waiting)
	var mu sync.Mutex
	lines := map[string]Line{}
	examine := func(checks []check) {
		for _, c := range checks {
			l := x.examine(ctx, c, func(name string) State {
				mu.Lock()
				defer mu.Unlock()
				return lines[name].State
			})
			mu.Lock()
			lines[c.name] = l
			mu.Unlock()
		}
	}
	examine(settingsChecks())
	var g errgroup.Group
	g.Go(func() error { examine(oktaChecks(in.Apps)); return nil })
	g.Go(func() error { examine(databricksChecks()); return nil })
	_ = g.Wait()
	examine(statedChecks())
	r := &Report{Reads: x.predict()}
	examine([]check{readCheck(r.Reads)})
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for _, c := range slices.Concat(settingsChecks(), oktaChecks(in.Apps), databricksChecks(), statedChecks(), []check{readCheck(nil)}) {
		r.Lines = append(r.Lines, lines[c.name])
	}
	r.Sent, r.Took = x.sent(), time.Since(start).Round(time.Millisecond).Seconds()
	return r, nil
}

// examine makes one check, unless another that it needs failed.
func (x *exam) examine(ctx context.Context, c check, state func(name string) State) Line {
	l := Line{Check: c.name, About: c.about, Why: c.why}
	for _, need := range c.needs {
		if s := state(need); s == Fail || s == Unknown {
			why := "see"
			if s == Fail {
				why = "first mend"
			}
			o := notChecked("%s %s", why, need)
			l.State, l.Found = o.state, o.found
			return l
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	o := c.run(ctx, x)
	if why := x.lately(c.about); ctx.Err() != nil && why != "" {
		o.found += ": " + why
	}
	l.State, l.Found, l.Do = o.state, o.found, o.do
	return l
}

// sent is how many requests were sent.
func (x *exam) sent() int { return x.org.sent + x.acct.sent }
