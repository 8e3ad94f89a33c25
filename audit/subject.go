package audit

import (
	"cmp"
	"fmt"
	"strings"
)

// A Kind is a type of directory object. Kinds are ordered by their text, so
// that subjects sort as their text does.
type Kind uint8

// The kinds of objects that findings, plans and reports speak of.
const (
	DatabricksGroupKind Kind = iota + 1
	DatabricksServicePrincipalKind
	DatabricksUserKind
	DatabricksWorkspaceKind
	OktaAppKind
	OktaGroupKind
	OktaUserKind
	kindEnd
)

var kindTexts = [kindEnd]string{
	DatabricksGroupKind:            "databricks:group",
	DatabricksServicePrincipalKind: "databricks:service_principal",
	DatabricksUserKind:             "databricks:user",
	DatabricksWorkspaceKind:        "databricks:workspace",
	OktaAppKind:                    "okta:app",
	OktaGroupKind:                  "okta:group",
	OktaUserKind:                   "okta:user",
}

// Kinds lists every kind in order.
func Kinds() []Kind {
	ks := make([]Kind, 0, kindEnd-1)
	for k := Kind(1); k < kindEnd; k++ {
		ks = append(ks, k)
	}
	return ks
}

// String returns the kind as it begins a subject, such as "okta:user".
func (k Kind) String() string {
	if k == 0 || k >= kindEnd {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindTexts[k]
}

// A Subject names one object in one directory. Subjects are comparable; their
// text, such as "databricks:user:123", is what reports, plans and journals hold.
type Subject struct {
	Kind Kind
	ID   string // given by the directory and immutable
}

// IsZero reports whether s names nothing.
func (s Subject) IsZero() bool { return s == Subject{} }

// String returns the text of s, "" for the zero Subject.
func (s Subject) String() string {
	if s.IsZero() {
		return ""
	}
	return s.Kind.String() + ":" + s.ID
}

// Compare orders subjects as their texts are ordered, bytewise.
func (s Subject) Compare(t Subject) int {
	return cmp.Or(cmp.Compare(s.Kind, t.Kind), cmp.Compare(s.ID, t.ID))
}

// ParseSubject reads the text of a subject.
func ParseSubject(text string) (Subject, error) {
	for _, k := range Kinds() {
		if id, ok := strings.CutPrefix(text, k.String()+":"); ok && id != "" {
			return Subject{k, id}, nil
		}
	}
	return Subject{}, fmt.Errorf("subject %q: expected a directory, a kind and an id, such as %q", text, "databricks:user:123")
}

// MarshalText implements [encoding.TextMarshaler].
func (s Subject) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return []byte{}, nil
	}
	kind := s.Kind.String()
	b := make([]byte, 0, len(kind)+1+len(s.ID))
	return append(append(append(b, kind...), ':'), s.ID...), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Subject) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSubject(string(b))
	return err
}
