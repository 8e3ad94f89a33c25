package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// permitWorkspaces lists what tells of workspaces. A workspace's own groups
// come from its own SCIM API, whose lists have members, unlike the account's.
func (d *databricks) permitWorkspaces() {
	const workspaces = "GET /api/2.0/accounts/{account}/workspaces"
	d.s.permit(workspaces, d.ofAccount(listBucket, d.listWorkspaces))
	d.s.permit(workspaces+"/{workspace}", d.ofAccount(readBucket, d.getWorkspace))
	d.s.permit(workspaces+"/{workspace}/permissionassignments", d.ofAccount(listBucket, d.listAssignments))
	d.s.permit("GET /api/2.0/preview/scim/v2/Groups",
		d.signedIn(listBucket, d.ofWorkspace(func(c *collection, w http.ResponseWriter, r *http.Request) {
			c.serveList(w, r, scim20PageCap)
		})))
	d.s.permit("GET /api/2.0/preview/scim/v2/Groups/{id}",
		d.signedIn(readBucket, d.ofWorkspace((*collection).serveGet)))
}

func (d *databricks) listWorkspaces(w http.ResponseWriter, r *http.Request) {
	writeArray(w, "", d.workspaces)
}

func (d *databricks) getWorkspace(w http.ResponseWriter, r *http.Request) {
	raw, ok := d.workspace(r.PathValue("workspace"))
	if !ok {
		writeNoWorkspace(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}

func (d *databricks) listAssignments(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("workspace")
	if _, ok := d.workspace(id); !ok {
		writeNoWorkspace(w, r)
		return
	}
	writeArray(w, "permission_assignments", d.assignments[id])
}

func writeNoWorkspace(w http.ResponseWriter, r *http.Request) {
	writeAPIError(w, http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "workspace "+r.PathValue("workspace")+" does not exist")
}

// workspace returns the workspace of that id.
func (d *databricks) workspace(id string) (json.RawMessage, bool) {
	for _, raw := range d.workspaces {
		if id != "" && text(parseObject(raw).get("workspace_id")) == id {
			return raw, true
		}
	}
	return nil, false
}

// ofWorkspace lets h serve the own groups of the workspace that r is meant for.
func (d *databricks) ofWorkspace(h func(*collection, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	none, _ := newCollection(workspaceGroupsKind, nil, "")
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Databricks-Workspace-Id")
		if id == "" {
			id = r.Header.Get("X-Databricks-Org-Id")
		}
		if id == "" {
			id = d.workspaceByHost(r.Host)
		}
		if _, ok := d.workspace(id); !ok {
			writeError(w, r, http.StatusNotFound, "ENDPOINT_NOT_FOUND", "No workspace: name one by X-Databricks-Workspace-Id or by its host")
			return
		}
		c := d.workspaceGroups[id]
		if c == nil {
			c = none
		}
		h(c, w, r)
	}
}

// workspaceByHost returns the id of the workspace whose own host that is.
func (d *databricks) workspaceByHost(host string) string {
	name, _, _ := strings.Cut(host, ".")
	for _, raw := range d.workspaces {
		w := parseObject(raw)
		if deployment := text(w.get("deployment_name")); deployment != "" && strings.EqualFold(deployment, name) {
			return text(w.get("workspace_id"))
		}
	}
	return ""
}

// writeArray answers with objects byte for byte, under key unless it is blank.
func writeArray(w http.ResponseWriter, key string, objects []json.RawMessage) {
	var b bytes.Buffer
	if key != "" {
		b.WriteString(`{"` + key + `":`)
	}
	appendArray(&b, objects)
	if key != "" {
		b.WriteByte('}')
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = b.WriteTo(w)
}

func appendArray(b *bytes.Buffer, objects []json.RawMessage) {
	b.WriteByte('[')
	for i, o := range objects {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(o)
	}
	b.WriteByte(']')
}
