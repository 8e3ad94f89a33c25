package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/aimcheck/aimcheck/audit"
)

// ErrNotFound says that the account has no such object, or no longer.
var ErrNotFound = errors.New("the account has no such object")

// Get reads one user, group or service principal and returns its record: an
// [audit.DatabricksUser], [audit.DatabricksGroup] or
// [audit.DatabricksServicePrincipal]. The error wraps [ErrNotFound] if there is
// none. What it returns may be what was there before a recent change.
func (c *Client) Get(ctx context.Context, s audit.Subject) (any, error) {
	k, path, err := c.locate(s)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, path, nil, nil)
	if statusOf(err) == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", s, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	o := k.object(body)
	if u, undecoded := o.records[0].(audit.Undecoded); undecoded {
		return nil, fmt.Errorf("%s: the answer can't be decoded: %s", s, u.Error)
	}
	if o.key != s.ID {
		return nil, fmt.Errorf("%s: the answer is about %s", s, brief(o.key))
	}
	return o.records[0], nil
}

// A Value is a field of an object, and whose it is.
type Value struct {
	Value      string // as text
	Name       string // userName or displayName
	ExternalID string
}

// Value reads one field that [Client.Set] writes. It returns found false and no
// error if the object is not there.
func (c *Client) Value(ctx context.Context, s audit.Subject, field string) (v Value, found bool, err error) {
	if err := settable(s, field); err != nil {
		return v, false, err
	}
	record, err := c.Get(ctx, s)
	if errors.Is(err, ErrNotFound) {
		return v, false, nil
	}
	if err != nil {
		return v, false, err
	}
	switch r := record.(type) {
	case audit.DatabricksUser:
		v = Value{r.ExternalID, r.UserName, r.ExternalID}
		switch field {
		case givenName:
			v.Value = r.GivenName
		case familyName:
			v.Value = r.FamilyName
		case active:
			v.Value = strconv.FormatBool(r.Active)
		}
	case audit.DatabricksGroup:
		v = Value{r.ExternalID, r.DisplayName, r.ExternalID}
	case audit.DatabricksServicePrincipal:
		v = Value{r.ExternalID, r.DisplayName, r.ExternalID}
	default:
		return v, false, fmt.Errorf("%s: no record of a kind that can be changed: %T", s, record)
	}
	return v, true, nil
}

// locate returns the kind of s, and its path.
func (c *Client) locate(s audit.Subject) (kind, string, error) {
	var k kind
	switch s.Kind {
	case audit.DatabricksUserKind:
		k = users
	case audit.DatabricksGroupKind:
		k = groups
	case audit.DatabricksServicePrincipalKind:
		k = servicePrincipals
	default:
		return k, "", fmt.Errorf("%s: expected a user, group or service principal of Databricks", s)
	}
	path, err := below(c.scim(k), s.ID)
	if err != nil {
		return k, "", fmt.Errorf("%s: %w", s, err)
	}
	return k, path, nil
}
