package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Answer is what a person said about one operation, or about a finding to choose.
type Answer struct {
	ID       string // of the operation or finding
	Decision string // approve, reject, link:<okta id>, keep:<databricks subject>, or blank
	Target   string // of the operation, where the answer's row has it; else blank
	To       string // likewise
	Where    string // the answer stands, such as "decisions.csv:7" or "plan.xlsx, sheet Plan, row 7"
}

// An Unusable is an answer that was not used, and why.
type Unusable struct {
	Answer
	Why string
}

// Decide returns the plan with the answers in it, sealed anew, and the answers
// that it can't use. An operation that an unusable answer names is not approved,
// nor is one whose finding it says anything but approve of, nor one that a choice
// is against; and no answer is used in part. A blank decision takes back an
// approval, but of an operation that must be named: that one waits for a word, see
// [Named]. What choosing adds comes after the plan's own operations; whoever gives
// up an id comes before whoever takes it. No field is written twice, and no id is
// held twice by what the answers add, as now has the directories. The same plan and
// answers give the same bytes, while now says nothing else about those named.
func Decide(p *Plan, answers []Answer, now *Index) (*Plan, []Unusable, error) {
	d := &deciding{now: now, plan: *p, operation: map[string]int{}, slots: map[slot]int{}, manual: map[string]Manual{}, because: map[string][]string{}, lost: map[string]string{}}
	d.plan.Operations = slices.Clone(p.Operations)
	for i, op := range d.plan.Operations {
		d.operation[op.ID], d.slots[op.slot()] = i, i
		for _, f := range op.Because {
			d.because[f] = append(d.because[f], op.ID)
		}
	}
	for _, a := range answers {
		d.manual[a.ID] = Manual{}
	}
	for m := range p.Manual.All() {
		if _, asked := d.manual[m.Finding]; asked {
			d.manual[m.Finding] = *m
		}
	}
	d.hear(answers)
	d.agree()
	d.tell(answers)
	if err := d.finish(p); err != nil {
		return nil, nil, err
	}
	place := map[Answer]int{}
	for i, a := range answers {
		place[a] = i
	}
	slices.SortStableFunc(d.unusable, func(a, b Unusable) int { return place[a.Answer] - place[b.Answer] })
	return &d.plan, d.unusable, nil
}

// deciding is a plan while answers are worked into it.
type deciding struct {
	now       *Index
	plan      Plan
	operation map[string]int    // by id: its place in the plan
	slots     map[slot]int      // likewise, by what it writes
	manual    map[string]Manual // by finding, of those that are answered
	because   map[string][]string
	choices   []*choice
	heard     map[string]Answer // by operation: the answer that decided it
	lost      map[string]string // by operation: why it is approved no more
	unusable  []Unusable
}

// A choice is what one answer about a finding asks for.
type choice struct {
	answer  Answer
	finding string
	keep    Subject     // what it keeps; zero for link:
	add     []Operation // without ids
	manual  []Manual    // what is left for people
}

func (d *deciding) refuse(a Answer, format string, args ...any) {
	d.unusable = append(d.unusable, Unusable{a, fmt.Sprintf(format, args...)})
}

// hear takes the answers one by one.
func (d *deciding) hear(answers []Answer) {
	d.heard = map[string]Answer{}
	said := map[string][]Answer{}
	for _, a := range answers {
		said[a.ID] = append(said[a.ID], a)
	}
	for _, a := range answers {
		if a.ID == "" {
			d.hearOne(a)
			continue
		}
		same := said[a.ID]
		if same == nil {
			continue // heard with an earlier one
		}
		said[a.ID] = nil
		isLink := func(b Answer) bool { return strings.HasPrefix(plainWord(b.Decision), "link:") }
		if len(same) > 1 && !slices.ContainsFunc(same, func(b Answer) bool { return !isLink(b) }) {
			for _, b := range same { // of a finding about several records, each may be linked
				d.hearOne(b)
			}
			continue
		}
		if i := slices.IndexFunc(same, func(b Answer) bool { return plainWord(b.Decision) != plainWord(a.Decision) }); i > 0 {
			for _, b := range same {
				d.refuse(b, "%s and %s say different things", a.Where, same[i].Where)
			}
			continue
		}
		d.hearOne(a)
		if _, ok := d.operation[a.ID]; ok {
			for _, b := range same[1:] { // each may be about another plan's operation
				d.hearOne(b)
			}
		}
	}
	for _, u := range d.unusable {
		d.withdraw(u.ID, u.Answer)
		if plainWord(u.Decision) == string(Approve) {
			continue
		}
		for _, id := range d.because[u.ID] {
			d.withdraw(id, u.Answer)
		}
	}
}

// tell refuses the answers that come to nothing because of others: approvals of
// what is approved no more, and what was said before and could not be used.
func (d *deciding) tell(answers []Answer) {
	type saying struct{ id, word string }
	refused, why := map[Answer]bool{}, map[saying]string{}
	for _, u := range d.unusable {
		refused[u.Answer], why[saying{u.ID, plainWord(u.Decision)}] = true, u.Why
	}
	for _, a := range answers {
		word := plainWord(a.Decision)
		i, ok := d.operation[a.ID]
		switch {
		case refused[a]:
		case ok && word == string(Approve) && d.plan.Operations[i].Decision != Approve:
			d.refuse(a, "%s", d.lost[a.ID])
		case !ok && word != "" && why[saying{a.ID, word}] != "":
			d.refuse(a, "%s", why[saying{a.ID, word}])
		}
	}
}

// plainWord returns a decision as it is compared: a spreadsheet may have given
// its words a capital.
func plainWord(decision string) string {
	decision = strings.TrimSpace(decision)
	word, id, found := strings.Cut(decision, ":")
	if found {
		return strings.ToLower(strings.TrimSpace(word)) + ":" + strings.TrimSpace(id)
	}
	return strings.ToLower(decision)
}

// withdraw takes back the approval of the operation, if there is one, because of
// an answer that can't be used: nothing else approves it then.
func (d *deciding) withdraw(id string, a Answer) {
	i, ok := d.operation[id]
	if !ok {
		return
	}
	if op := &d.plan.Operations[i]; op.Decision == Approve {
		op.Decision = Undecided
		d.lost[id] = fmt.Sprintf("%s is about the same, and can't be used", a.Where)
	}
	d.heard[id] = a
}

func (d *deciding) hearOne(a Answer) {
	word := plainWord(a.Decision)
	if i, ok := d.operation[a.ID]; ok {
		d.hearOperation(&d.plan.Operations[i], a, Decision(word))
		return
	}
	m := d.manual[a.ID]
	switch {
	case word == "":
	case a.ID == "":
		d.refuse(a, "its id is blank: nobody knows what is decided")
	case m.Finding == "" && len(d.because[a.ID]) > 0:
		d.refuse(a, "this finding needs no choice: decide %s", strings.Join(d.because[a.ID], ", "))
	case m.Finding == "":
		d.refuse(a, "the plan has no operation or finding of this id: was the file made with another plan?")
	case m.Remedy != RemedyChoose:
		d.refuse(a, "nothing can be chosen here (remedy %s): %s", m.Remedy, whatToDo[m.Remedy])
	case word == string(Reject): // nothing is done, as without an answer
	default:
		c, err := d.choose(m, word)
		if err != nil {
			d.refuse(a, "%v", err)
			return
		}
		c.answer, c.finding = a, a.ID
		d.choices = append(d.choices, c)
	}
}

func (d *deciding) hearOperation(op *Operation, a Answer, word Decision) {
	switch {
	case a.Target != "" && a.Target != op.Target.String() || a.To != "" && a.To != op.To:
		d.refuse(a, "it is about %s and the value %q, in this plan %s is about %s and %q: the file was made with another plan", a.Target, a.To, op.ID, op.Target, op.To)
	case word == Undecided && op.Touches != "": // as the audit wrote it
	case word == Approve, word == Reject, word == Undecided:
		op.Decision = word
		d.heard[op.ID] = a
	default:
		d.refuse(a, "expected approve or reject for an operation")
	}
}

// choose returns what an answer about a finding asks for.
func (d *deciding) choose(m Manual, word string) (*choice, error) {
	what, id, _ := strings.Cut(word, ":")
	switch what {
	case "link":
		return d.link(m, id)
	case "keep":
		return d.keep(m, id)
	}
	var can []string
	for _, s := range m.Candidates {
		can = append(can, "link:"+s.ID)
	}
	if len(m.Records) > 1 {
		for _, r := range m.Records {
			can = append(can, "keep:"+r.Subject.String())
		}
	}
	return nil, fmt.Errorf("expected one of %s", strings.Join(can, ", "))
}

// link gives the finding's record the id of one of its Okta objects. Of several
// records it is the one that has the object's name.
func (d *deciding) link(m Manual, id string) (*choice, error) {
	i := slices.IndexFunc(m.Candidates, func(s Subject) bool { return s.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%q is the id of none of the finding's Okta objects", id)
	}
	o, ok := d.now.find(m.Candidates[i])
	if !ok || !d.now.Live(o) {
		return nil, fmt.Errorf("Okta has no live object with the id %s", id)
	}
	records := m.Records
	if len(records) > 1 {
		records = slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
			ref, ok := d.now.find(r.Subject)
			return !ok || !slices.Contains(slices.Collect(d.now.LiveCandidates(ref).All()), o)
		})
	}
	if len(records) != 1 {
		return nil, errors.New("it could be meant for several Databricks identities: say keep: and which one")
	}
	op, err := d.linking(m, records[0], o)
	if err != nil {
		return nil, err
	}
	return &choice{add: op}, nil
}

// keep links the kept record where its externalId is blank, and has the others
// deactivated where that was included, else left to people.
func (d *deciding) keep(m Manual, text string) (*choice, error) {
	kept := slices.IndexFunc(m.Records, func(r Record) bool { return r.Subject.String() == text })
	switch {
	case kept < 0:
		return nil, fmt.Errorf("%q is none of the finding's Databricks identities", text)
	case len(m.Records) == 1:
		return nil, errors.New("the finding is about one Databricks identity: say link: and to whom")
	}
	c := &choice{keep: m.Records[kept].Subject}
	if r := m.Records[kept]; r.ExternalID == "" {
		o, err := d.only(m, r)
		if err != nil {
			return nil, err
		}
		if o != (Ref{}) {
			if c.add, err = d.linking(m, r, o); err != nil {
				return nil, err
			}
		}
	}
	for i, r := range m.Records {
		if i == kept {
			continue
		}
		ref, there := d.now.find(r.Subject)
		if r.Subject.Kind == DatabricksUserKind && r.Active && there && slices.Contains(d.plan.Include, ClassDeactivate) && d.now.MayDeactivate(ref) {
			c.add = append(c.add, Operation{
				Action: DeactivateUser, Target: r.Subject, Name: r.Name, Field: "active", From: "true", To: "false",
				Because: []string{m.Finding}, Evidence: "a person decided to keep " + text, Reversible: true, Risk: "high", Decision: Approve,
			})
			continue
		}
		c.manual = append(c.manual, Manual{Finding: m.Finding, Remedy: RemedyReview, Candidates: []Subject{},
			What: fmt.Sprintf("%s (%s) is not kept: move what it owns and may do to %s, then deactivate or remove it", r.Name, r.Subject, text)})
	}
	return c, nil
}

// only returns the one live Okta object that the record could be: the finding's,
// else the one that has its name; zero if there is none.
func (d *deciding) only(m Manual, r Record) (Ref, error) {
	var live []Ref
	for _, s := range m.Candidates {
		if o, ok := d.now.find(s); ok && d.now.Live(o) && s.Kind == counterpart(r.Subject.Kind) {
			live = append(live, o)
		}
	}
	if ref, ok := d.now.find(r.Subject); ok && len(live) != 1 {
		live = slices.Collect(d.now.LiveCandidates(ref).All())
	}
	switch {
	case len(live) == 1:
		return live[0], nil
	case len(live) == 0 && len(m.Candidates) > 0:
		return Ref{}, errors.New("none of the finding's Okta objects is live any more: make a new plan")
	case len(live) == 0:
		return Ref{}, nil
	}
	return Ref{}, fmt.Errorf("it has no externalId, and could be any of %d Okta objects: first say link: for the finding that names them", len(live))
}

// linking is the operation that links the record to o; none if it is linked.
func (d *deciding) linking(m Manual, r Record, o Ref) ([]Operation, error) {
	okta := d.now.Subject(o)
	ref, ok := d.now.find(r.Subject)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s is no longer there", r.Subject)
	case okta.Kind != counterpart(r.Subject.Kind):
		return nil, fmt.Errorf("%s can't be linked to %s: they are of different kinds", r.Subject, okta)
	case r.Subject.Kind == DatabricksGroupKind && !d.now.Managed(ref):
		return nil, fmt.Errorf("%s is a group of the system or of a workspace, which is never linked", r.Subject)
	case r.ExternalID == okta.ID:
		return nil, nil
	}
	op := Operation{
		Action: SetExternalID, Target: r.Subject, Name: r.Name, Field: "externalId", From: r.ExternalID, To: okta.ID,
		Because: []string{m.Finding}, Evidence: "a person decided that it is " + d.now.Name(o),
		Reversible: r.ExternalID != "" || r.Subject.Kind == DatabricksGroupKind, Risk: "medium", Decision: Approve,
	}
	if r.ExternalID != "" {
		op.Risk = "high" // one person's access may go to another
	}
	d.now.protect(&op, ref)
	return []Operation{op}, nil
}

// Named tells for which operations of a decided plan the answers speak, as
// somebody must about one that [Operation.Touches] something: approve for the
// operation, or a choice that asks for it. An answer that was not used speaks for
// none.
func Named(answers []Answer, unusable []Unusable) func(Operation) bool {
	unused := map[Answer]bool{}
	for _, u := range unusable {
		unused[u.Answer] = true
	}
	approved, chosen := map[string]bool{}, map[string]bool{}
	for _, a := range answers {
		if unused[a] {
			continue
		}
		word := plainWord(a.Decision)
		what, _, _ := strings.Cut(word, ":")
		approved[a.ID] = approved[a.ID] || word == string(Approve)
		chosen[a.ID] = chosen[a.ID] || what == "link" || what == "keep"
	}
	return func(op Operation) bool {
		return approved[op.ID] || slices.ContainsFunc(op.Because, func(finding string) bool { return chosen[finding] })
	}
}
