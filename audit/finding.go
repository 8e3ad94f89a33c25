package audit

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Severity ranks findings. The zero Severity is invalid, so that a rule that
// forgets to set one is refused by [Validate].
type Severity uint8

// The severities, mildest first.
const (
	Info    Severity = iota + 1 // worth knowing
	Warning                     // surprising, not harmful
	Error                       // someone's access will change or is wrong today
	Blocker                     // enabling AIM now does damage
)

var severityTexts = []string{Info: "info", Warning: "warning", Error: "error", Blocker: "blocker"}

// Severities lists the severities, gravest first.
func Severities() []Severity { return []Severity{Blocker, Error, Warning, Info} }

func (s Severity) String() string {
	if s == 0 || int(s) >= len(severityTexts) {
		return fmt.Sprintf("Severity(%d)", uint8(s))
	}
	return severityTexts[s]
}

// ParseSeverity reads the text of a severity.
func ParseSeverity(text string) (Severity, error) {
	i := slices.Index(severityTexts, text)
	if i <= 0 {
		return 0, fmt.Errorf("unknown severity %q: expected blocker, error, warning or info", text)
	}
	return Severity(i), nil
}

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeverity(string(b))
	return err
}

// A Remedy says who mends a finding, and how.
type Remedy string

// The remedies.
const (
	RemedyAutomatic Remedy = "automatic" // an operation in the plan does it
	RemedyChoose    Remedy = "choose"    // a person must say which identity is meant
	RemedyOkta      Remedy = "okta"      // an Okta admin changes the Okta side
	RemedySupport   Remedy = "support"   // Databricks Support, since no API can
	RemedyReview    Remedy = "review"    // a person must look
)

// A Finding is one problem that a rule saw, about one cluster of identities.
type Finding struct {
	ID         string     `json:"id"` // the rule, a hyphen, 12 hex digits of SHA-256(rule, NUL, key)
	Rule       string     `json:"rule"`
	Severity   Severity   `json:"severity"`
	Subjects   []Subject  `json:"subjects"` // sorted, each once, never empty
	Key        string     `json:"key"`      // the value they collide on, or the one subject
	Message    string     `json:"message"`  // one plain sentence without a period
	Evidence   []Evidence `json:"evidence"` // the raw values that prove it
	Remedy     Remedy     `json:"remedy"`
	Operations []string   `json:"operations"` // ids of operations in the plan that this finding asks for
	Waived     bool       `json:"waived"`

	// Waiver says who took it on, and until when; nil unless it is waived.
	Waiver *WaivedBy `json:"waiver,omitempty"`

	// With a history: when a run first and last saw it, and what became of it.
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  time.Time `json:"last_seen,omitzero"`
	State     State     `json:"state,omitempty"`
}

// A State is where a finding is in its life.
type State string

// The states. A finding that was not looked for keeps the state it had.
const (
	New      State = "new"      // no run before saw it
	Open     State = "open"     // the run before saw it too
	Reopened State = "reopened" // it was resolved, and is there again
	Resolved State = "resolved" // it was looked for, and is gone
)

// Evidence is one raw value as the directory gave it, and the part it plays.
type Evidence struct {
	Subject Subject `json:"subject"`
	Role    string  `json:"role"`  // such as "email of"
	Field   string  `json:"field"` // such as "profile.email"
	Value   string  `json:"value"`
}

// FindingID returns the id of the finding of the rule about the key.
func FindingID(rule, key string) string {
	hash := findingHash(rule, key)
	var alone strings.Builder
	return appendedID(&alone, rule, string(hash[:]))
}

func findingHash(rule, key string) [idSize]byte {
	text := append(make([]byte, 0, 128), rule...)
	text = append(append(text, 0), key...)
	sum := sha256.Sum256(text)
	return [idSize]byte(sum[:])
}
