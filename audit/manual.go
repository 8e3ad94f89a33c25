package audit

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Manual is a finding that a person must see to, elsewhere or by a decision.
type Manual struct {
	Finding    string    `json:"finding"`
	Remedy     Remedy    `json:"remedy"`
	What       string    `json:"what"`
	Candidates []Subject `json:"candidates"`        // Okta objects to choose from
	Records    []Record  `json:"records,omitempty"` // of a finding to choose: the Databricks identities it is about
}

// A Record is a Databricks identity as it was when the plan was made: what a
// decision about it starts from.
type Record struct {
	Subject    Subject `json:"subject"`
	Name       string  `json:"name"`
	ExternalID string  `json:"external_id"`
	Active     bool    `json:"active"` // true for groups
}

// Manuals are the findings of a plan that people must see to. Those of a plan that
// was just made are told from its findings, each when it is asked for.
type Manuals struct {
	list []Manual

	findings *Findings // nil: the list is it
	index    *Index
	n        int
}

// NewManuals returns the list as it stands in a plan.
func NewManuals(list ...Manual) Manuals {
	if list == nil {
		list = []Manual{}
	}
	return Manuals{list: list}
}

// leftToPeople are those findings that are neither automatic nor waived.
func leftToPeople(ix *Index, findings *Findings) Manuals {
	m := Manuals{findings: findings, index: ix}
	for _, head := range findings.Heads() {
		if byPeople(head) {
			m.n++
		}
	}
	return m
}

func byPeople(head FindingHead) bool { return head.Remedy != RemedyAutomatic && !head.Waived }

func toChoose(head FindingHead) bool { return byPeople(head) && head.Remedy == RemedyChoose }

// null reports whether there is no list, not even an empty one.
func (m Manuals) null() bool { return m.list == nil && m.findings == nil }

// Len returns how many there are.
func (m Manuals) Len() int { return len(m.list) + m.n }

// Remedies counts them by who must see to them.
func (m Manuals) Remedies() map[Remedy]int {
	counts := map[Remedy]int{}
	if m.findings == nil {
		for i := range m.list {
			counts[m.list[i].Remedy]++
		}
		return counts
	}
	for _, head := range m.findings.Heads() {
		if byPeople(head) {
			counts[head.Remedy]++
		}
	}
	return counts
}

// All yields them in the order of the findings. They are not to be changed.
func (m Manuals) All() iter.Seq[*Manual] {
	return func(yield func(*Manual) bool) {
		for one := range m.List().All() {
			own := *one
			own.Candidates, own.Records = slices.Clone(one.Candidates), append([]Record(nil), one.Records...)
			if !yield(&own) {
				return
			}
		}
	}
}

// List lists what [Manuals.All] yields. Each stands in the place of the one before:
// it and its lists are good until the next.
func (m Manuals) List() List[*Manual] { return List[*Manual]{m.places(), m.within} }

// places counts where they may stand: in the list, or among the findings.
func (m Manuals) places() int {
	if m.findings == nil {
		return len(m.list)
	}
	return m.findings.Len()
}

// within yields those that stand at some of the places.
func (m Manuals) within(from, to int) iter.Seq[*Manual] {
	return func(yield func(*Manual) bool) {
		if m.findings == nil {
			for i := from; i < to && yield(&m.list[i]); i++ {
			}
			return
		}
		var f unpacked
		one := told{Manual: Manual{Candidates: []Subject{}}}
		for i := from; i < to; i++ {
			if (i-from)%fetched == 0 {
				m.fetch(i, min(i+fetched, to), &f)
			}
			if !byPeople(m.findings.Head(i)) {
				continue
			}
			m.findings.unpack(i, &f, false)
			if m.index.tell(&one, &f); !yield(&one.Manual) {
				return
			}
		}
	}
}

// fetch touches the findings at some of the places, and the records that Records is made of.
func (m Manuals) fetch(from, to int, f *unpacked) {
	m.findings.fetch(from, to)
	var users []int32
	for i := from; i < to; i++ {
		if !toChoose(m.findings.Head(i)) {
			continue
		}
		m.findings.unpack(i, f, false)
		for j, s := range f.Subjects {
			if s.Kind == DatabricksUserKind && f.places[j] != none {
				users = append(users, f.places[j])
			}
		}
	}
	m.index.fetchUsers(users)
}

// MarshalJSON implements [json.Marshaler].
func (m Manuals) MarshalJSON() ([]byte, error) {
	list := m.list
	if m.findings != nil {
		list = make([]Manual, 0, m.n)
		for one := range m.All() {
			list = append(list, *one)
		}
	}
	return json.Marshal(list)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (m *Manuals) UnmarshalJSON(text []byte) error {
	*m = Manuals{}
	return json.Unmarshal(text, &m.list)
}

// UnmarshalJSONFrom implements [jsonv2.UnmarshalerFrom].
func (m *Manuals) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*m = Manuals{}
	return jsonv2.UnmarshalDecode(dec, &m.list)
}

// told is a Manual in the place of the one before.
type told struct {
	Manual
	words strings.Builder // of What, with those before
}

// tell sets m to what people must do about a finding. It uses m's lists again.
func (ix *Index) tell(m *told, f *unpacked) {
	m.Finding, m.Remedy, m.What = f.ID, f.Remedy, appendedTexts(&m.words, f.Message, ": ", whatToDo[f.Remedy])
	m.Candidates, m.Records = m.Candidates[:0], m.Records[:0]
	if f.Remedy != RemedyChoose {
		return
	}
	for i, s := range f.Subjects {
		if s.Kind == OktaUserKind || s.Kind == OktaGroupKind || s.Kind == OktaAppKind {
			m.Candidates = append(m.Candidates, s)
		} else if d, ok := ix.at(s, f.places[i]); ok {
			m.Records = append(m.Records, Record{s, ix.Name(d), ix.ExternalID(d), ix.Active(d)})
		}
	}
}

var whatToDo = map[Remedy]string{
	RemedyChoose:  "say which identity is meant, with link: or keep: in the plan's Decision column",
	RemedyOkta:    "an Okta admin must change the Okta side",
	RemedySupport: "Databricks Support must change the username, see support-ticket.md",
	RemedyReview:  "look at it and decide what is right",
}
