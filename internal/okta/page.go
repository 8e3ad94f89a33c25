package okta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// A page is one answer to a list request, kept from the SDK.
type page struct {
	query  string // sent as it stands
	header http.Header
	body   []byte
	url    *url.URL // that gave it
	path   string   // its path
	err    error    // why there is no body
}

type pageKey struct{}

// keepPage keeps the answer in the page that the request's context holds, and
// hands the SDK an empty list without any header that it could act on. The
// page's query replaces the SDK's.
func (c *Client) keepPage(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		p, ok := r.Context().Value(pageKey{}).(*page)
		if !ok {
			return nil, errors.New("the SDK sent a request of its own")
		}
		r = r.Clone(r.Context())
		r.URL.RawQuery = p.query
		p.url, p.path = r.URL, r.URL.EscapedPath()
		if p.path == "/api/v1/users" {
			c.columns.header(r)
		}
		resp, err := next.RoundTrip(r)
		if err == nil {
			if resp.StatusCode == http.StatusOK {
				p.header = resp.Header
				p.body, err = io.ReadAll(resp.Body)
			} else {
				err = answerError(r, resp)
			}
		}
		if err != nil {
			p.err = err
			// The SDK must not find an EOF inside: it would repeat the request for ever.
			return nil, fmt.Errorf("%v", err)
		}
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header:        http.Header{"Content-Type": {"application/json"}},
			Body:          io.NopCloser(strings.NewReader("[]")),
			ContentLength: 2,
			Request:       r,
		}, nil
	})
}

// A call is one of the SDK's list calls.
type call func(context.Context) error

func (c *Client) users(ctx context.Context) error {
	_, _, err := c.sdk.UserAPI.ListUsers(ctx).Execute()
	return err
}

func (c *Client) groups(ctx context.Context) error {
	_, _, err := c.sdk.GroupAPI.ListGroups(ctx).Execute()
	return err
}

func (c *Client) members(group string) call {
	return func(ctx context.Context) error {
		_, _, err := c.sdk.GroupAPI.ListGroupUsers(ctx, group).Execute()
		return err
	}
}

func (c *Client) apps(ctx context.Context) error {
	_, _, err := c.sdk.ApplicationAPI.ListApplications(ctx).Execute()
	return err
}

func (c *Client) appUsers(app string) call {
	return func(ctx context.Context) error {
		_, _, err := c.sdk.ApplicationUsersAPI.ListApplicationUsers(ctx, app).Execute()
		return err
	}
}

// get makes one list call with the query and returns its page.
func (c *Client) get(ctx context.Context, list call, query string) (*page, error) {
	p := &page{query: query}
	err := list(context.WithValue(ctx, pageKey{}, p))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case p.err != nil:
		return nil, p.err
	case err != nil:
		return nil, err
	case p.body == nil:
		return nil, errors.New("the SDK sent no request")
	}
	return p, nil
}

// next returns the query of the page that follows, or nothing after the last.
func (p *page) next() (query string, more bool, err error) {
	link, err := nextLink(p.header.Values("Link"))
	if err != nil || link == "" {
		return "", false, err
	}
	u, err := p.url.Parse(link) // which may be relative
	if err != nil {
		return "", false, errors.New("the link to the next page can't be read")
	}
	if u.EscapedPath() != p.path {
		return "", false, fmt.Errorf("the link to the next page of %s leads to %s", p.path, u.EscapedPath())
	}
	return u.RawQuery, true, nil
}

// nextLink returns the target of rel="next" in Link headers (RFC 8288), of
// which any number may be folded into one, or nothing if there is none.
func nextLink(headers []string) (string, error) {
	next := ""
	for _, h := range headers {
		for rest := strings.TrimLeft(h, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			target, params, ok := strings.Cut(rest, ">")
			if !ok || !strings.HasPrefix(target, "<") {
				return "", errors.New("the Link header, which leads to the next page, can't be read")
			}
			var rels []string
			rels, rest = linkRels(params)
			for _, rel := range rels {
				if !strings.EqualFold(rel, "next") {
					continue
				}
				if next != "" && next != target[1:] {
					return "", errors.New("the Link header leads to two next pages")
				}
				if next = target[1:]; next == "" {
					return "", errors.New("the Link header leads to a next page without an address")
				}
			}
		}
	}
	return next, nil
}

// linkRels reads the parameters of one link up to the comma that ends it.
func linkRels(s string) (rels []string, rest string) {
	for {
		s = strings.TrimLeft(s, " \t;")
		if s == "" || s[0] == ',' {
			return rels, s
		}
		end := strings.IndexAny(s, "=;,")
		if end < 0 {
			return rels, ""
		}
		name := strings.TrimSpace(s[:end])
		if s[end] != '=' {
			s = s[end:]
			continue
		}
		var value string
		if s = strings.TrimLeft(s[end+1:], " \t"); strings.HasPrefix(s, `"`) {
			if value, s, _ = strings.Cut(s[1:], `"`); value == "" && s == "" {
				return rels, ""
			}
		} else if end = strings.IndexAny(s, ";,"); end < 0 {
			value, s = s, ""
		} else {
			value, s = s[:end], s[end:]
		}
		if strings.EqualFold(name, "rel") {
			rels = append(rels, strings.Fields(value)...)
		}
	}
}

// An apiError is an answer of Okta's that is no list.
type apiError struct {
	status  int
	request string // "GET /api/v1/users"
	reason  string // Okta's own words
}

// Error implements error. It ends with what to do about it.
func (e *apiError) Error() string {
	text := fmt.Sprintf("%s: Okta answered %s", e.request, join(fmt.Sprint(e.status), e.reason))
	scope := "okta.users.read"
	switch {
	case strings.Contains(e.request, "/groups"):
		scope = "okta.groups.read"
	case strings.Contains(e.request, "/apps"):
		scope = "okta.apps.read"
	}
	switch {
	case e.status/100 == 3:
		text += ": a redirect, which is not followed: check the org URL"
	case e.status == http.StatusUnauthorized:
		text += ": the API token is wrong, expired or revoked: make a new one"
	case e.status == http.StatusForbidden:
		text += fmt.Sprintf(": grant the app the scope %s and the role Read-Only Administrator (an API token has its owner's role)", scope)
	case e.status == http.StatusNotFound && strings.Contains(e.request, "/apps/"):
		text += ": there is no such app: give --okta-app the id that stands in the address of the app's page in the admin console (0oa…)"
	case e.status == http.StatusNotFound:
		text += ": not there: check the org URL, or read again if the object was deleted meanwhile"
	}
	return text
}

// answerError makes an error of an answer that is no list.
func answerError(r *http.Request, resp *http.Response) error {
	body, _ := io.ReadAll(resp.Body)
	return &apiError{resp.StatusCode, r.Method + " " + r.URL.Path, join(oktaReason(body))}
}

// oktaReason finds code and text in the body of an error, of either form that
// Okta has: that of its API, and that of OAuth.
func oktaReason(body []byte) (code, text string) {
	var e struct {
		Code        string `json:"errorCode"`
		Summary     string `json:"errorSummary"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(bytes.TrimSpace(body), &e, lenient) != nil {
		return "", ""
	}
	return e.Code + e.Error, clip(e.Summary + e.Description)
}

// join puts code and text together, either of which may be blank.
func join(code, text string) string {
	return strings.Trim(code+" "+text, " ")
}

// clip shortens what a server said to what fits a message.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
