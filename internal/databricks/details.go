package databricks

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// workspaceGroupsPath is where a workspace lists its groups. The host must be
// one that serves account and workspaces alike; the header says which is meant.
const workspaceGroupsPath = "/api/2.0/preview/scim/v2/Groups"

const workspaceHeader = "X-Databricks-Workspace-Id"

const workspaceAdvice = "see that the workspace runs and has identity federation, or leave out --workspace-details"

// listDetails reads who may enter each workspace and which groups it has of its
// own. These replace what the account's listing says of the same groups.
func (c *Client) listDetails(ctx context.Context, ids []string, emit func(audit.Page) error) audit.Reading {
	const end = "each workspace that was listed gave all its assignments in one whole answer, and its groups in a list that proved itself whole"
	r := each(ctx, workspaces.singular, workspaceAdvice, end, ids, emit, func(ctx context.Context, id string) (audit.Page, error) {
		records, err := c.assignments(ctx, id)
		if err != nil {
			return audit.Page{}, err
		}
		local, err := c.workspaceGroups(ctx, id)
		if err != nil {
			return audit.Page{}, err
		}
		return audit.Page{Records: append(records, local...), Expected: len(ids), Update: true}, nil
	})
	r.API = "GET " + c.workspaces() + "/{id}/permissionassignments, GET " + workspaceGroupsPath
	return r
}

func (c *Client) assignments(ctx context.Context, workspace string) ([]any, error) {
	path, err := below(c.workspaces(), workspace)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, path+"/permissionassignments", nil, nil)
	if err != nil {
		return nil, err
	}
	raws, err := readAssignments(body)
	if err != nil {
		return nil, err
	}
	var records []any
	for _, raw := range raws {
		record, err := decodeAssignment(workspace, raw)
		if err != nil {
			record = audit.Undecoded{Input: audit.DatabricksWorkspaceDetails, Raw: raw,
				Error: fmt.Sprintf("assignment of workspace %s: %s", workspace, where(err))}
		}
		records = append(records, record)
	}
	return records, nil
}

// readAssignments takes the answer apart. An object without fields is how
// Databricks says that there are none; one with others is about something else.
func readAssignments(body []byte) ([]jsontext.Value, error) {
	const name = "permission_assignments"
	var answer map[string]jsontext.Value
	if err := json.Unmarshal(body, &answer, lenient); err != nil {
		return nil, fmt.Errorf("expected %s: %s", name, where(err))
	}
	raw, ok := answer[name]
	switch {
	case answer == nil:
		return nil, fmt.Errorf("expected %s, found null", name)
	case !ok && len(answer) > 0:
		return nil, fmt.Errorf("expected %s, found an object without them", name)
	case !ok:
		return nil, nil
	}
	var raws []jsontext.Value
	if err := json.Unmarshal(raw, &raws, lenient); err != nil {
		return nil, fmt.Errorf("expected %s to be an array: %s", name, where(err))
	}
	return raws, nil
}

func decodeAssignment(workspace string, raw jsontext.Value) (any, error) {
	var a struct {
		Permissions list `json:"permissions"`
		Principal   struct {
			ID text `json:"principal_id"`
		} `json:"principal"`
	}
	if err := decode(raw, &a); err != nil {
		return nil, err
	}
	if a.Principal.ID == "" {
		return nil, errors.New("field principal/principal_id: expected text, found nothing")
	}
	return audit.DatabricksAssignment{
		Workspace:   workspace,
		Principal:   string(a.Principal.ID),
		Permissions: a.Permissions.values(),
	}, nil
}

// workspaceGroups reads a workspace's own groups. Its list has the account's
// groups too that may enter it; these are the account's to tell.
func (c *Client) workspaceGroups(ctx context.Context, workspace string) ([]any, error) {
	if strings.HasPrefix(c.host.Host, "accounts.") || strings.HasPrefix(c.host.Host, "accounts-dod.") {
		return nil, fmt.Errorf("%s does not serve workspaces, so that their own groups can't be read through it: "+
			"set the host to the account's unified URL, or leave out --workspace-details", c.host.Host)
	}
	local := groups
	local.input, local.plural = audit.DatabricksWorkspaceDetails, "groups of workspace "+workspace
	var records []any
	pages := c.pages(workspaceGroupsPath, local, map[string]string{workspaceHeader: workspace})
	var failed error // of the last page: it has the status
	get := func(ctx context.Context, start, count int) (page, error) {
		p, err := pages(ctx, start, count)
		failed = err
		return p, err
	}
	r := readListing(ctx, local, get, func(p audit.Page) error {
		if p.Restart {
			records = nil
		}
		for _, record := range p.Records {
			if g, ok := record.(audit.DatabricksGroup); ok {
				if g.ResourceType == "Group" {
					continue
				}
				g.Workspace = workspace
				record = g
			}
			records = append(records, record)
		}
		return nil
	})
	if !r.Complete && !strings.HasPrefix(r.Reason, "an object could not be decoded") {
		if statusOf(failed) != 0 {
			return nil, failed
		}
		return nil, errors.New(r.Reason)
	}
	return records, nil
}
