package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"
)

// List reads one input and gives it to emit page by page, never two at a time.
// It takes [audit.DatabricksUsers], Groups, ServicePrincipals and Workspaces;
// Members of the groups in req.Of; and WorkspaceDetails of the workspaces in
// req.Of. What went wrong, an error of emit included, is the reading's Reason.
func (c *Client) List(ctx context.Context, req audit.Request, emit func(audit.Page) error) audit.Reading {
	var requests atomic.Int64
	ctx = withTally(ctx, &requests)
	var r audit.Reading
	switch req.Input {
	case audit.DatabricksUsers:
		r = c.listSCIM(ctx, users, emit)
	case audit.DatabricksGroups:
		r = c.listSCIM(ctx, groups, emit)
	case audit.DatabricksServicePrincipals:
		r = c.listSCIM(ctx, servicePrincipals, emit)
	case audit.DatabricksWorkspaces:
		r = c.listWorkspaces(ctx, emit)
	case audit.DatabricksMembers:
		r = c.listMembers(ctx, req.Of, emit)
	case audit.DatabricksWorkspaceDetails:
		r = c.listDetails(ctx, req.Of, emit)
	default:
		r.Reason = fmt.Sprintf("%s can't be read from Databricks", req.Input)
	}
	r.Input, r.Asked, r.Requests = req.Input, true, int(requests.Load())
	return r
}

func (c *Client) listSCIM(ctx context.Context, k kind, emit func(audit.Page) error) audit.Reading {
	path := c.scim(k)
	r := readListing(ctx, k, c.pages(path, k, nil), emit)
	r.API = "GET " + path
	return r
}

// pages returns what asks for pages of the SCIM list at path.
func (c *Client) pages(path string, k kind, header map[string]string) getPage {
	return func(ctx context.Context, start, count int) (page, error) {
		query := map[string]any{"startIndex": start, "count": count, "attributes": k.attributes}
		body, err := c.get(ctx, path, query, header)
		if err != nil {
			return page{}, err
		}
		return readPage(body)
	}
}

// listWorkspaces reads the one answer that holds all workspaces.
func (c *Client) listWorkspaces(ctx context.Context, emit func(audit.Page) error) audit.Reading {
	r := audit.Reading{API: "GET " + c.workspaces(), Expected: absent}
	body, err := c.get(ctx, c.workspaces(), nil, nil)
	if err != nil {
		r.Reason = err.Error()
		return r
	}
	var raws []jsontext.Value
	if err := json.Unmarshal(body, &raws, lenient); err != nil {
		r.Reason = fmt.Sprintf("expected an array of workspaces: %s", where(err))
		return r
	}
	if raws == nil {
		r.Reason = "expected an array of workspaces, found null"
		return r
	}
	seen := map[string]bool{}
	var p audit.Page
	for _, raw := range raws {
		o := workspaces.object(raw)
		if seen[o.key] {
			r.Reason = fmt.Sprintf("workspace %s is listed twice: run again", brief(o.key))
			return r
		}
		seen[o.key] = true
		p.Records = append(p.Records, o.records...)
		if u, ok := o.records[0].(audit.Undecoded); ok && r.Reason == "" {
			r.Reason = "an object could not be decoded: " + u.Error
		}
	}
	r.Received = len(raws)
	if err := emit(p); err != nil {
		r.Reason = err.Error()
	}
	if r.Reason == "" {
		r.Complete, r.Proof = true, &audit.Proof{Pages: 1, End: "one whole answer holds all of them, each once"}
	}
	return r
}

// atOnce is how many objects are asked for side by side. More gains nothing:
// answers take a fraction of a second and reads are paced.
const atOnce = 8

// each calls read for every one of ids, several at once, and emit, one at a
// time, with what it returns. An object that is missing, or that Databricks
// refuses to show, is noted and passed over; any other error ends it. singular
// names what ids are of, advice says what to do where one stays away, and may be
// blank, and end what is known where each was read.
func each(ctx context.Context, singular, advice, end string, ids []string, emit func(audit.Page) error,
	read func(ctx context.Context, id string) (audit.Page, error)) audit.Reading {
	r := audit.Reading{Expected: len(ids)}
	var mu sync.Mutex
	var gone, refused []string
	var first error // of those that are refused, the one with the smallest id
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, id := range ids {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p, err := read(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if statusOf(err) == http.StatusNotFound {
				gone = append(gone, id)
				return nil
			}
			if status := statusOf(err); status == http.StatusForbidden || status == http.StatusBadRequest {
				if refused = append(refused, id); id == slices.Min(refused) {
					first = err
				}
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s %s: %w", singular, id, err)
			}
			for _, record := range p.Records {
				if u, ok := record.(audit.Undecoded); ok && r.Reason == "" {
					r.Reason = "an object could not be decoded: " + u.Error
				}
			}
			r.Received++
			return emit(p)
		})
	}
	err := g.Wait()
	slices.Sort(gone)
	switch {
	case err != nil:
		r.Reason = fmt.Sprintf("read %d of %d: %v", r.Received, r.Expected, err)
	case len(refused) > 0:
		r.Reason = fmt.Sprintf("%d of %d could not be read, %s %s first: %v", len(refused)+len(gone), len(ids), singular, slices.Min(refused), advised(first, advice))
	case len(gone) > 0:
		r.Reason = fmt.Sprintf("%d of %d are gone since they were listed, %s %s first: run again", len(gone), len(ids), singular, gone[0])
		if advice != "" {
			r.Reason += "; if it stays so, " + advice
		}
	}
	if r.Reason == "" {
		r.Complete, r.Proof = true, &audit.Proof{Pages: r.Received, End: end}
	}
	return r
}

// advised gives the refusal the advice, unless that is blank.
func advised(refusal error, advice string) error {
	if answer, ok := errors.AsType[*answerError](refusal); ok && advice != "" {
		return &answerError{answer.status, answer.said, advice}
	}
	return refusal
}

// listMembers reads one group after another: lists of groups leave members out.
func (c *Client) listMembers(ctx context.Context, ids []string, emit func(audit.Page) error) audit.Reading {
	members := groups
	members.input, members.decode = audit.DatabricksMembers, decodeMembers
	const end = "each group that was listed gave one whole answer, about itself"
	r := each(ctx, groups.singular, "", end, ids, emit, func(ctx context.Context, id string) (audit.Page, error) {
		path, err := below(c.scim(groups), id)
		if err != nil {
			return audit.Page{}, err
		}
		body, err := c.get(ctx, path, nil, nil)
		if err != nil {
			return audit.Page{}, err
		}
		o := members.object(body)
		switch u, undecoded := o.records[0].(audit.Undecoded); {
		case o.key == id:
		case undecoded:
			u.Error = "asked for group " + id + ": " + u.Error
			o.records[0] = u
		default:
			return audit.Page{}, fmt.Errorf("the answer is about %s", brief(o.key))
		}
		return audit.Page{Records: o.records, Expected: len(ids)}, nil
	})
	r.API = "GET " + c.scim(groups) + "/{id}"
	return r
}

// below returns the path of the object id. Ids come from a listing: one that
// is no single part of a path must not lead anywhere else.
func below(path, id string) (string, error) {
	if id == "" || strings.Trim(id, ".") == "" || strings.ContainsAny(id, "/\\?#%") {
		return "", errors.New("the id can't be part of a URL")
	}
	return path + "/" + id, nil
}
