package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/databricks/databricks-sdk-go/apierr"
)

// scim returns the path of a SCIM resource type of the account.
func (c *Client) scim(k kind) string {
	return "/api/" + c.config.SCIMVersion + "/accounts/" + c.config.AccountID + "/scim/v2/" + k.resource
}

// workspaces returns the path of the account's workspaces.
func (c *Client) workspaces() string {
	return "/api/2.0/accounts/" + c.config.AccountID + "/workspaces"
}

// get returns the whole answer to a GET. A token that is refused is replaced,
// twice at most. The error says what to do.
func (c *Client) get(ctx context.Context, path string, query map[string]any, header map[string]string) ([]byte, error) {
	headers := map[string]string{"Accept": "application/json"}
	for name, value := range header {
		headers[name] = value
	}
	// The SDK makes the query of what it calls the request; given as a query
	// it would send the body "null" along.
	var request any
	if len(query) > 0 {
		request = query
	}
	for renewed := 0; ; renewed++ {
		s := c.current()
		var body bytes.Buffer
		err := s.api.Do(ctx, http.MethodGet, path, headers, nil, request, &body)
		switch {
		case err == nil:
			return body.Bytes(), nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case statusOf(err) == http.StatusUnauthorized && renewed < 2:
			if err := c.renew(ctx, s); err != nil {
				return nil, err
			}
		case errors.As(err, new(signInError)):
			return nil, c.explainSignIn(ctx, s.config.AuthType, s.last, err)
		default:
			return nil, c.explain(err)
		}
	}
}

// statusOf returns the HTTP status that err reports, or 0.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*apierr.APIError](err); ok {
		return answer.StatusCode
	}
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answer.status
	}
	return 0
}

// An answerError is an answer that is no success.
type answerError struct {
	status int
	said   string
	advice string
}

// Error implements error.
func (e *answerError) Error() string {
	said := fmt.Sprintf("Databricks answered with status %d", e.status)
	if e.said != "" {
		said += " (" + e.said + ")"
	}
	return said + ": " + e.advice
}

// explain makes a message of what the SDK's Do returned.
func (c *Client) explain(err error) error {
	answer, ok := errors.AsType[*apierr.APIError](err)
	if !ok {
		said := plain(err)
		switch {
		case strings.HasSuffix(said, notFollowed):
			said += ": check the host, and that no sign-in page stands before it"
		case !strings.HasSuffix(said, "run again later"):
			said += ": run again; if it stays so, check the network"
		}
		return c.hide(said)
	}
	advice := "run again later"
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		advice = "a new sign-in was refused too: check the token, or the client id and its secret"
	case http.StatusForbidden:
		advice = "give whoever signs in the account admin role; the console's SCIM token reads SCIM 2.1 alone; and check the token"
	case http.StatusNotFound:
		advice = "check the account id, and that the host is the account console, not a workspace; where they are right, try the other version with --databricks-scim 2.0 or 2.1"
	case http.StatusBadRequest:
		advice = "try the other version with --databricks-scim 2.0 or 2.1"
	}
	return &answerError{answer.StatusCode, c.hide(short(answer.Message)).Error(), advice}
}

// plain returns err without what the SDK and net/http put around it.
func plain(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	said, _, _ := strings.Cut(err.Error(), ". Config: ")
	return short(said)
}

// short makes one line of s that fits a message.
func short(s string) string {
	const longest = 300
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if strings.HasPrefix(s, "<") {
		return "" // HTML tells nobody anything
	}
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}
