package audit

import (
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
)

// A Rule is one check of the catalogue, as data: a package variable without
// methods or registration. Package rules lists them all.
type Rule struct {
	// Name is permanent: it appears in reports, waivers, history and tests.
	// Lower-case words joined by hyphens.
	Name string

	// Family groups rules that are about one thing, for those who look at reports.
	Family Family

	// Doc is Markdown. Its first paragraph is the title: one line of at most 80
	// letters without a period. It must have the sections "## What", "## Why"
	// and "## How to fix".
	Doc string

	// Severity is what a finding has unless it says otherwise.
	Severity Severity

	// Collision marks a rule whose subjects are never linked automatically.
	// Such rules run before the others.
	Collision bool

	// Checks are the parts of the rule, one per kind of identity where the
	// kinds need different inputs.
	Checks []Check

	// Quiet says in a phrase why the rule, when it ran, has no finding about r:
	// "its externalId is not blank". It is blank for objects of a kind that the
	// rule never speaks of. Where it is nil, no reason is given.
	Quiet func(ix *Index, r Ref) string

	// Examples are tiny tenants and what the rule says about them: its tests
	// and its documentation. At least one fires and one stays quiet.
	Examples []Example
}

// A Family is a set of rules whose findings are looked at together.
type Family string

// The families, in the order reports show them.
const (
	UniquenessFamily Family = "uniqueness" // names that mean several identities, or none for sure
	LinksFamily      Family = "links"      // externalIds that are blank, unknown, held twice or somebody else's
	NamesFamily      Family = "names"      // names that are missing, or differ between the directories
	GroupsFamily     Family = "groups"     // groups and their members
	AccessFamily     Family = "access"     // rights, tokens and workspaces that need a look before the change
)

// Families lists the families in the order reports show them.
func Families() []Family {
	return []Family{UniquenessFamily, LinksFamily, NamesFamily, GroupsFamily, AccessFamily}
}

// A Check is a part of a rule with the inputs that it concludes from.
type Check struct {
	// About names what is left unchecked when an input is missing, such as
	// "groups"; blank when the rule has one check.
	About string

	// Needs lists the inputs that must be complete. A check that concludes
	// anything from absence must name the side that is absent.
	Needs []Input

	// Claims says that it sees more where it is known what the SSO app sends: with
	// a template of its own, Okta's app users tell.
	Claims bool

	// Apart says that Run looks at the objects or names that one call of
	// [Pass.All] or [Pass.SharedNames] yields, each apart from the others: several
	// passes then do so side by side, each with a part of them.
	Apart bool

	// Run reports findings. It must not keep p, nor depend on anything else.
	Run func(p *Pass)
}

// An Example is a tiny tenant and what a rule says about it.
type Example struct {
	Name     string
	Settings Settings
	Tenant   []any // records, as for [Builder.Add]

	// Want has a line per finding: "severity remedy key: subject subject", in
	// the order of the report.
	Want []string
}

// A Pass carries one check's input, or a part of it, and collects its findings.
type Pass struct {
	*Index
	rule     *Rule
	check    Check
	part     int // of parts
	parts    int
	found    Findings
	ranks    []rank           // of each finding
	asks     map[int][]Change // of those findings that ask for any
	subjects []Ref            // of all findings
	places   []int32          // of the subjects of the finding under way

	named [16]struct { // the objects whose subjects were asked for last: those that a finding is about
		Subject
		Ref
	}
	asked int

	taken []Subject // by take, for Subjects
	take  func(Ref) bool
}

// All yields the objects of a kind, or the pass's part of them.
func (p *Pass) All(k Kind) iter.Seq[Ref] {
	from, to := p.share(p.Len(k))
	return p.between(k, from, to)
}

// SharedNames yields every name that two or more Okta users have, or the pass's
// part of them, in no order.
func (p *Pass) SharedNames() iter.Seq[SharedName] {
	return p.sharedNames(int32(p.part), int32(p.parts)) // emails have the last numbers: not one part all of them
}

// share returns from where to where the pass looks at so many.
func (p *Pass) share(n int) (from, to int) { return n * p.part / p.parts, n * (p.part + 1) / p.parts }

// Subject returns the name of r that outlives the index.
func (p *Pass) Subject(r Ref) Subject {
	s := p.Index.Subject(r)
	last := &p.named[p.asked%len(p.named)]
	last.Subject, last.Ref = s, r
	p.asked++
	return s
}

// Subjects returns the names of all objects of the sequences.
func (p *Pass) Subjects(seqs ...iter.Seq[Ref]) []Subject {
	if p.take == nil { // once: a loop's body would be made anew for each sequence
		p.take = func(r Ref) bool {
			p.taken = append(p.taken, p.Subject(r))
			return true
		}
	}
	p.taken = make([]Subject, 0, 4) // as most findings are about fewer
	for _, seq := range seqs {
		seq(p.take)
	}
	return p.taken
}

// place returns the object that s names, which is seldom one that p didn't name.
func (p *Pass) place(s Subject) (Ref, bool) {
	for i := range p.named {
		if p.named[i].Subject == s {
			return p.named[i].Ref, true
		}
	}
	return p.find(s)
}

// Report records a finding. The engine fills ID and Rule, Severity where it is
// not set, sorts the subjects, and says how far the subjects reach. Nothing of f
// is kept.
func (p *Pass) Report(f Finding, changes ...Change) {
	f.Rule = p.rule.Name
	if f.Severity == 0 {
		f.Severity = p.rule.Severity
	}
	slices.SortFunc(f.Subjects, Subject.Compare)
	f.Subjects = slices.Compact(f.Subjects)
	var farthest Reach
	p.places = p.places[:0]
	for _, s := range f.Subjects {
		r, ok := p.place(s)
		if !ok {
			p.places = append(p.places, none)
			continue
		}
		p.places = append(p.places, r.n)
		if p.rule.Collision {
			p.subjects = append(p.subjects, r)
		}
		if counterpart(r.Kind) != 0 {
			farthest = f.tellReach(p.Index, s, r, farthest)
		}
	}
	if len(changes) > 0 {
		if p.asks == nil {
			p.asks = map[int][]Change{}
		}
		p.asks[len(p.ranks)] = changes
	}
	p.ranks = append(p.ranks, rankOf(f.Severity, farthest))
	hash := findingHash(f.Rule, f.Key)
	p.found.add(&f, p.places, func(b []byte) []byte { return append(append(b, 1), hash[:]...) })
}

// A Change is an operation that a finding asks for.
type Change struct {
	Action Action
	Class  Class
	Target Subject
	Field  string
	From   string
	To     string
	Why    string // one sentence
}

var ruleName = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// Validate reports every way in which rules are misdeclared.
func Validate(rules []*Rule) error {
	var errs []error
	seen := map[string]bool{}
	for _, r := range rules {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("rule %s: %s", r.Name, fmt.Sprintf(format, args...)))
		}
		if !ruleName.MatchString(r.Name) {
			bad("the name must be lower-case words joined by hyphens")
		}
		if seen[r.Name] {
			bad("the name is used twice")
		}
		seen[r.Name] = true
		if title := r.Title(); title == "" || len(title) > 80 || strings.ContainsAny(title, "\n.") {
			bad("the title %q must be one line of 1 to 80 letters without a period", title)
		}
		for _, h := range []string{"\n## What\n", "\n## Why\n", "\n## How to fix\n"} {
			if !strings.Contains(r.Doc, h) {
				bad("the doc lacks the section %q", strings.TrimSpace(h))
			}
		}
		if !slices.Contains(Families(), r.Family) {
			bad("the family %q is none of %v", r.Family, Families())
		}
		if r.Severity < Info || r.Severity > Blocker {
			bad("the severity is not set")
		}
		if len(r.Checks) == 0 {
			bad("there is no check")
		}
		for _, c := range r.Checks {
			if c.Run == nil || len(c.Needs) == 0 {
				bad("check %q must have needs and a Run", c.About)
			}
			if (c.About == "") != (len(r.Checks) == 1) {
				bad("check %q: name what it is about exactly when there are several", c.About)
			}
		}
		fires := func(e Example) bool { return len(e.Want) > 0 }
		quiet := func(e Example) bool { return len(e.Want) == 0 }
		if !slices.ContainsFunc(r.Examples, fires) || !slices.ContainsFunc(r.Examples, quiet) {
			bad("an example that fires and one that stays quiet are needed")
		}
	}
	return errors.Join(errs...)
}

// Title returns the first paragraph of the rule's doc.
func (r *Rule) Title() string {
	title, _, _ := strings.Cut(r.Doc, "\n\n")
	return title
}
