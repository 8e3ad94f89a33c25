package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The fields that can be set, by their paths in SCIM.
const (
	externalID = "externalId"
	givenName  = "name.givenName"
	familyName = "name.familyName"
	active     = "active"
)

// A Refused error says that a change was sent, and refused by an answer that
// leaves no doubt who refused it. Even so, read back: the account API is known
// to store what it answers with an error.
type Refused struct {
	Status int    // HTTP status: 4xx
	Detail string // what the answer says, in a line; may be blank
}

// Error implements error.
func (e *Refused) Error() string {
	said := fmt.Sprintf("Databricks refused the change with status %d", e.Status)
	if e.Detail != "" {
		said += " (" + e.Detail + ")"
	}
	return said
}

// Refused reports true: the change was not made.
func (e *Refused) Refused() bool { return true }

// Again reports whether it may help to read back, and to set the value again if
// it is still the old one: too many changes at once, or a token that expired.
func (e *Refused) Again() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusUnauthorized
}

// A NotSent error says that a change never left this machine: it is not
// permitted, there was no sign-in, nobody listened, or the context ended first.
type NotSent struct{ Err error }

// Error implements error.
func (e *NotSent) Error() string { return "nothing was sent: " + e.Err.Error() }

// Unwrap returns what kept the change back.
func (e *NotSent) Unwrap() error { return e.Err }

// Refused reports true: the change was not made.
func (e *NotSent) Refused() bool { return true }

// Again reports whether it may help to read, and to set the value again if it is
// still the old one: Databricks wanted to be left alone for a while.
func (e *NotSent) Again() bool { return e.Err == errResting }

//lint:ignore ST1005 Databricks is a name
var errResting = errors.New("Databricks asked for a rest")

// Set changes one field of one object: externalId of a user, group or service
// principal; name.givenName, name.familyName and active ("true" or "false") of a
// user. A blank externalId, which groups alone can have again, is removed.
//
// It sends one PATCH at most, in its turn, and nothing sends it again. The error is a
// [*NotSent] or [*Refused] when the change was not made. After any other the
// change may have been made or not, or be made yet; and a nil error says only
// that the directory says so. The caller reads back. After a 401 the next call
// uses a new sign-in.
func (c *Client) Set(ctx context.Context, s audit.Subject, field, value string) error {
	_, path, err := c.locate(s)
	if err != nil {
		return &NotSent{err}
	}
	change, err := changeOf(s, field, value)
	if err != nil {
		return &NotSent{err}
	}
	sent := &sending{}
	sending := context.WithValue(ctx, sendingKey{}, sent)
	if c.useTurn() {
		if d := c.pace.Resting(writes); d > 0 {
			return &NotSent{errResting}
		}
		sending = transport.WithTurn(sending)
	}
	session := c.current()
	headers := map[string]string{"Accept": "application/json", "Content-Type": "application/scim+json"}
	var body bytes.Buffer
	err = session.api.Do(sending, http.MethodPatch, path, headers, nil, change, &body)
	switch {
	case err == nil:
		return confirm(s, body.Bytes())
	case !sent.sent:
		return &NotSent{c.unsent(ctx, session, err)}
	case sent.status == http.StatusUnauthorized:
		// The answer to this change stays what it is; the next may do better.
		if err := c.renew(ctx, session); err != nil {
			return sent.verdict(c, fmt.Errorf("the sign-in is no longer accepted, and a new one failed: %w", err))
		}
	}
	return sent.verdict(c, err)
}

// Turn waits until a change may be sent: not faster than the rate, and not while
// Databricks wants to be left alone. The [Client.Set] that follows is then sent
// at once, so that little time passes between reading a value and changing it.
// If Databricks asks for a rest in between, that Set sends nothing, and its error
// says that it may be tried [NotSent.Again].
func (c *Client) Turn(ctx context.Context) error {
	if err := c.pace.Wait(ctx, writes); err != nil {
		return err
	}
	c.turns.Add(1)
	return nil
}

// useTurn reports whether a turn was taken and not used.
func (c *Client) useTurn() bool {
	for {
		n := c.turns.Load()
		if n == 0 {
			return false
		}
		if c.turns.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// unsent says what kept a change back.
func (c *Client) unsent(ctx context.Context, s *session, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, new(signInError)):
		return c.explainSignIn(ctx, s.config.AuthType, s.last, err)
	}
	return c.hide(plain(err))
}

// settable reports an error unless the field of s is one that can be set.
func settable(s audit.Subject, field string) error {
	switch {
	case field == externalID:
		return nil
	case s.Kind == audit.DatabricksUserKind && (field == givenName || field == familyName || field == active):
		return nil
	}
	return fmt.Errorf("%s: the field %q can't be set: expected externalId or, of a user, name.givenName, name.familyName or active", s, field)
}

// A patch is the body of a PATCH (RFC 7644, section 3.5.2).
type patch struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"` // nil: none
}

// changeOf returns the PATCH that sets the field of s.
func changeOf(s audit.Subject, field, value string) (patch, error) {
	if err := settable(s, field); err != nil {
		return patch{}, err
	}
	op := operation{Op: "replace", Path: field, Value: value}
	switch {
	case field == externalID && strings.TrimSpace(value) == "":
		if s.Kind != audit.DatabricksGroupKind {
			return patch{}, fmt.Errorf("%s: externalId can be made blank on groups alone", s)
		}
		op.Op, op.Value = "remove", nil
	case field == active:
		if value != "true" && value != "false" {
			return patch{}, fmt.Errorf("%s: expected true or false for active, found %q", s, value)
		}
		op.Value = value == "true"
	}
	return patch{Schemas: []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, Operations: []operation{op}}, nil
}

// confirm reports whether body, the answer of a success, is about s. A blank
// one says nothing else.
func confirm(s audit.Subject, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if id := textOf(body, "id"); id != s.ID {
		return fmt.Errorf("%s: the change was answered as a success, but with %s", s, brief(string(bytes.TrimSpace(body))))
	}
	return nil
}

// A sending is what became of the one request of a Set.
type sending struct {
	sent   bool // it may have reached the directory
	status int  // 0 if there was no whole answer
	body   []byte
}

type sendingKey struct{}

// verdict makes an error of an answer that is no success, or none.
func (a *sending) verdict(c *Client, err error) error {
	switch a.status {
	case http.StatusTooManyRequests: // whoever says so, has passed nothing on
		detail, _ := ofDirectory(a.body)
		return &Refused{a.status, c.hide(detail).Error()}
	case 400, 401, 403, 404, 405, 409, 412, 413, 415, 422:
		if detail, ok := ofDirectory(a.body); ok {
			return &Refused{a.status, c.hide(detail).Error()}
		}
	}
	said := plain(err)
	if a.status != 0 {
		said = fmt.Sprintf("Databricks answered with status %d", a.status)
		if detail := complaint(a.body); detail != "" {
			said += " (" + detail + ")"
		}
	}
	return c.hide("whether the change was made is not known: " + said)
}

// ofDirectory reports whether body is an error of the account API itself, rather
// than of something between, and what it says.
func ofDirectory(body []byte) (detail string, ok bool) {
	var fields map[string]jsontext.Value
	if json.Unmarshal(body, &fields, lenient) != nil {
		return "", false
	}
	for _, name := range []string{"detail", "message", "error_code"} {
		if _, ok := fields[name]; ok {
			return complaint(body), true
		}
	}
	return "", false
}
