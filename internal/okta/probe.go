package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/transport"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// This file asks what a preflight wants to know, and reads no listing whole.

const wellKnownPath = "/.well-known/okta-organization"

// reachLimit is the longest that an org may take to say that it is there.
const reachLimit = 8 * time.Second

// An Org is what Okta tells everybody of an org.
type Org struct {
	Asked  string        // the address that was asked
	Home   string        // the org's own address
	Custom string        // the address of its custom domain, if it has one
	Ahead  time.Duration // how far its clock is ahead of ours
	Timed  bool          // whether it told the time
}

// ErrNotOkta says that something answered, and that it is no Okta org.
var ErrNotOkta = errors.New("no Okta org answers there")

// Reach asks whether an Okta org is at the address, without signing in. The
// error says why not: what wraps [ErrNotOkta] is an answer of somebody else.
func Reach(ctx context.Context, c Config) (Org, error) {
	org, err := checkOrg(c.OrgURL)
	if err != nil {
		return Org{}, err
	}
	wire := c.Transport
	if wire == nil {
		wire = transport.Base()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	watch := &clock{now: c.Now}
	wire = transport.Permit(watch.watch(transport.Whole(wire, reachLimit)), transport.Rules{{Method: http.MethodGet, Host: org.Host, Path: wellKnownPath}})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, org.String()+wellKnownPath, nil)
	if err != nil {
		return Org{}, err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := transport.Retry{Who: "Okta", Attempts: 2, Wait: time.Second}.Over(wire).RoundTrip(r)
	found := Org{Asked: org.String()}
	found.Ahead, found.Timed = watch.offset()
	var given *transport.GivenUp
	switch {
	case errors.As(err, &given) && given.Status >= 500:
		return found, fmt.Errorf("the server at %s is out of order: %w", org.Host, err)
	case err != nil && found.Timed:
		return found, fmt.Errorf("%w: %v", ErrNotOkta, err)
	case err != nil:
		return found, unreached(ctx, org.Host, err)
	case resp.StatusCode != http.StatusOK:
		return found, fmt.Errorf("%w: GET %s was answered %d", ErrNotOkta, wellKnownPath, resp.StatusCode)
	}
	var answer struct {
		ID    string `json:"id"`
		Links struct {
			Organization, Alternate struct {
				Href string `json:"href"`
			}
		} `json:"_links"`
	}
	if err := json.UnmarshalRead(resp.Body, &answer, lenient, json.MatchCaseInsensitiveNames(true)); err != nil || answer.ID == "" {
		return found, fmt.Errorf("%w: GET %s does not tell an org's id", ErrNotOkta, wellKnownPath)
	}
	found.Home, found.Custom = answer.Links.Organization.Href, answer.Links.Alternate.Href
	return found, nil
}

// unreached says why there was no answer.
func unreached(ctx context.Context, host string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return transport.Unreached(host, err)
}

// DescribeKey says what kind of private key the text holds, and its id: the
// given one, else the JWK's, else blank. The error never quotes the key.
func DescribeKey(text, id string) (kind, kid string, err error) {
	if _, err := newSigner(text, id, time.Now); err != nil {
		return "", "", err
	}
	key, kid, err := parseKey(text)
	if err != nil {
		return "", "", err
	}
	form := "PEM"
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		form = "JWK"
	}
	if id != "" {
		kid = id
	}
	return describe(key) + ", " + form, kid, nil
}

// DPoP reports whether Okta demanded DPoP when it gave the client a token.
func (c *Client) DPoP() bool { return c.dpop.Load() }

// Status returns the HTTP status of the answer that err reports, or 0.
func Status(err error) int {
	var answer *apiError
	if errors.As(err, &answer) {
		return answer.status
	}
	return 0
}

// Reason returns Okta's own words if err is an answer of its API, else "".
func Reason(err error) string {
	var answer *apiError
	if errors.As(err, &answer) {
		return join(fmt.Sprint(answer.status), answer.reason)
	}
	return ""
}

// A Budget is what an answer said of its rate limit, and how long it took.
type Budget struct {
	Limit int // requests a minute; 0: it did not say
	Left  int
	Reset time.Duration // until Left is Limit again
	Took  time.Duration
}

// A Counted is what was counted of a listing.
type Counted struct {
	Live    int  // objects; of users those that are not deprovisioned
	Gone    int  // deprovisioned users
	All     bool // whether the listing was counted to its end
	Budget  Budget
	Unnamed error // unless nil, why what Gone counts was not listed
}

// Count counts users, groups or apps over at most so many pages.
func (c *Client) Count(ctx context.Context, in audit.Input, pages int) (Counted, error) {
	var n Counted
	list, query, d := c.users, "limit=200", userDecoder
	switch in {
	case audit.OktaGroups:
		list, d = c.groups, groupDecoder
	case audit.OktaApps:
		list, d = c.apps, appDecoder
	}
	if err := c.count(ctx, list, query, d, &pages, &n.Live, &n.All, &n.Budget); err != nil || in != audit.OktaUsers || !n.All {
		return n, err
	}
	n.All = false
	n.Unnamed = c.count(ctx, list, filter(`status eq "DEPROVISIONED"`), d, &pages, &n.Gone, &n.All, nil)
	return n, ctx.Err()
}

// count adds the objects of a listing to n until pages are used up.
func (c *Client) count(ctx context.Context, list call, query string, d decoder, pages, n *int, all *bool, b *Budget) error {
	for ; *pages > 0; *pages-- {
		start := time.Now()
		p, err := c.get(ctx, list, query)
		if err != nil {
			return err
		}
		if b != nil {
			*b, b = budget(p.header, time.Since(start)), nil
		}
		objects, err := d.objects(p.body)
		if err != nil {
			return err
		}
		*n += len(objects)
		next, more, err := p.next()
		if err != nil {
			return err
		}
		if !more {
			*all = true
			return nil
		}
		if kept := budget(p.header, 0); kept.Limit > 0 && kept.Left < kept.Limit/2 {
			return nil // the rest is for others
		}
		query = next
	}
	return nil
}

// budget reads the rate limit's headers.
func budget(h http.Header, took time.Duration) Budget {
	b := Budget{Took: took}
	b.Limit, _ = strconv.Atoi(h.Get("X-Rate-Limit-Limit"))
	b.Left, _ = strconv.Atoi(h.Get("X-Rate-Limit-Remaining"))
	reset, _ := strconv.ParseInt(h.Get("X-Rate-Limit-Reset"), 10, 64)
	if at, err := http.ParseTime(h.Get("Date")); err == nil && reset > 0 {
		b.Reset = max(0, time.Unix(reset, 0).Sub(at))
	}
	return b
}

// Everyone returns the group that every user of the org is in, and how many
// users Okta says are in it; found is false if it is not among the groups shown.
func (c *Client) Everyone(ctx context.Context) (id string, users int, found bool, err error) {
	p, err := c.get(ctx, c.groups, "filter="+url.QueryEscape(`type eq "BUILT_IN"`)+"&expand=stats&limit=200")
	if err != nil {
		return "", 0, false, err
	}
	var groups []struct {
		ID      string `json:"id"`
		Profile struct {
			Name string `json:"name"`
		} `json:"profile"`
		Embedded struct {
			Stats struct {
				Users *int `json:"usersCount"`
			} `json:"stats"`
		} `json:"_embedded"`
	}
	if err := json.Unmarshal(p.body, &groups, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return "", 0, false, fmt.Errorf("the built-in groups can't be read: %w", err)
	}
	for _, g := range groups {
		if g.Profile.Name == "Everyone" && g.Embedded.Stats.Users != nil {
			return g.ID, *g.Embedded.Stats.Users, true, nil
		}
	}
	return "", 0, false, nil
}

// MembersBudget asks for one member of a group, to learn of the rate limit that
// members are read under.
func (c *Client) MembersBudget(ctx context.Context, group string) (Budget, error) {
	start := time.Now()
	p, err := c.get(ctx, c.members(group), "limit=1")
	if err != nil {
		return Budget{}, err
	}
	return budget(p.header, time.Since(start)), nil
}

// HasApp fails if the users of the app can't be listed. [Status] tells an app that
// is not there.
func (c *Client) HasApp(ctx context.Context, id string) error {
	_, err := c.get(ctx, c.appUsers(id), "limit=1")
	return err
}

// Called returns the users whose login or email is the name.
func (c *Client) Called(ctx context.Context, name string) ([]audit.OktaUser, error) {
	quoted := strconv.Quote(name)
	p, err := c.get(ctx, c.users, filter(fmt.Sprintf("profile.login eq %s or profile.email eq %s", quoted, quoted)))
	if err != nil {
		return nil, err
	}
	objects, err := userDecoder.objects(p.body)
	if err != nil {
		return nil, err
	}
	var users []audit.OktaUser
	for _, o := range objects {
		if u, ok := o.record.(audit.OktaUser); ok {
			users = append(users, u)
		}
	}
	return users, nil
}

// Pages returns how many requests a listing of so many objects takes.
func Pages(objects int) int { return max(1, (objects+199)/200) }
