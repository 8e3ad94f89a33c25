package audit

import (
	"slices"
	"strings"
	"time"
)

// A Waiver is somebody's word that findings of a rule may stay as they are until
// a day. It covers a finding when it covers each of its subjects, so that a
// cluster that grows is open again.
type Waiver struct {
	Rule          string    `json:"rule"`
	Subjects      []Subject `json:"subjects,omitempty"` // what it covers by id, or
	Pattern       string    `json:"pattern,omitempty"`  // by name: * stands for any text, letter case does not count
	Owner         string    `json:"owner"`
	Reason        string    `json:"reason"`
	Expires       string    `json:"expires"`                  // the last day that it holds, as 2006-01-02, in UTC
	AcceptBlocker bool      `json:"accept_blocker,omitempty"` // without it no blocker is waived
	Where         string    `json:"where"`                    // file and line
}

// A WaivedBy is what a waived finding shows of its waiver.
type WaivedBy struct {
	Owner   string `json:"owner"`
	Reason  string `json:"reason"`
	Expires string `json:"expires"`
}

// A WaiverState says what became of a waiver in a run.
type WaiverState string

// The states of a waiver.
const (
	WaiverUsed      WaiverState = "used"      // it waives a finding
	WaiverUnused    WaiverState = "unused"    // its rule ran, and it waives nothing
	WaiverExpired   WaiverState = "expired"   // its day is over
	WaiverUnchecked WaiverState = "unchecked" // its rule was not run, or not over everything
)

// A WaiverUse is a waiver and what it did.
type WaiverUse struct {
	Waiver
	State    WaiverState `json:"state"`
	Findings []string    `json:"findings"`       // ids of what it waives, in the report's order
	Left     []Left      `json:"left,omitempty"` // what it is near to waiving
}

// Stale reports whether the waiver should be looked at: it has expired, or there
// is nothing that it waives.
func (u *WaiverUse) Stale() bool { return u.State == WaiverUnused || u.State == WaiverExpired }

// A Left is a finding that a waiver does not waive, and why.
type Left struct {
	Finding string `json:"finding"`
	Why     string `json:"why"`
}

// Expired reports whether the waiver's last day is over.
func (w *Waiver) Expired(now time.Time) bool { return now.UTC().Format(time.DateOnly) > w.Expires }

// waive marks the findings that the waivers cover, and says what each did. The
// first of several that cover a finding has it.
func (ix *Index) waive(findings *Findings, skipped []Skip, waivers []Waiver, now time.Time) []WaiverUse {
	if len(waivers) == 0 {
		return nil
	}
	ofRule := map[string][]int{}
	for i, head := range findings.Heads() {
		ofRule[head.Rule] = append(ofRule[head.Rule], i)
	}
	uses := make([]WaiverUse, len(waivers))
	var f unpacked
	for i, w := range waivers {
		u := WaiverUse{Waiver: w, Findings: []string{}}
		expired := w.Expired(now)
		covers := ix.covering(&w)
		for _, at := range ofRule[w.Rule] {
			findings.unpack(at, &f, true)
			why := ""
			switch n := covers(&f.Finding); {
			case n == 0:
				continue
			case n < len(f.Subjects):
				if w.Pattern != "" {
					continue // such as a person who happens to be named like it
				}
				why = "it is about others too"
			case expired:
				why = "the waiver expired after " + w.Expires
			case f.Severity == Blocker && !w.AcceptBlocker:
				why = "it is a blocker, and the waiver does not say accept_blocker: true"
			default:
				u.Findings = append(u.Findings, f.ID)
				if !f.Waived {
					findings.waive(at, WaivedBy{w.Owner, w.Reason, w.Expires})
				}
				continue
			}
			u.Left = append(u.Left, Left{f.ID, why})
		}
		switch {
		case expired:
			u.State = WaiverExpired
		case len(u.Findings) > 0:
			u.State = WaiverUsed
		case slices.ContainsFunc(skipped, w.unseen):
			u.State = WaiverUnchecked
		default:
			u.State = WaiverUnused
		}
		uses[i] = u
	}
	return uses
}

// unseen reports whether findings that the waiver may be about were not looked for.
func (w *Waiver) unseen(s Skip) bool {
	if s.Rule != w.Rule || s.About == "" || w.Pattern != "" {
		return s.Rule == w.Rule
	}
	return slices.ContainsFunc(w.Subjects, func(subject Subject) bool {
		return slices.Contains(aboutKind[subject.Kind], s.About)
	})
}

// covering returns what counts the subjects of a finding that the waiver covers.
func (ix *Index) covering(w *Waiver) func(*Finding) int {
	if w.Pattern == "" {
		covered := map[Subject]bool{}
		for _, s := range w.Subjects {
			covered[s] = true
		}
		return count(func(s Subject) bool { return covered[s] })
	}
	parts := strings.Split(Fold(w.Pattern), "*")
	return count(func(s Subject) bool {
		r, ok := ix.find(s)
		return ok && matches(parts, Fold(ix.Name(r)))
	})
}

func count(covers func(Subject) bool) func(*Finding) int {
	return func(f *Finding) (n int) {
		for _, s := range f.Subjects {
			if covers(s) {
				n++
			}
		}
		return n
	}
}

// matches reports whether the name is the parts with any text between them.
func matches(parts []string, name string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return name == first
	}
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = after
	}
	return true
}
