package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// iamPageCap is how many rows a page of IAM v2 has at most, and by default.
const iamPageCap = 1000

// An iamKind is how IAM v2 (Beta) shows a kind of SCIM resource.
type iamKind struct {
	path   string // the last part of its list's path
	rows   string // the list's key
	status string // the key of the status; blank for groups
	name   string // the key of the name that never changes
	scim   string // the collection that holds it
	show   func(object) map[string]any
}

// permitIAMv2 lists what of IAM v2 an audit may call: lists, reads, and PATCH
// of external_id. Whatever resolves an external id creates principals.
func (d *databricks) permitIAMv2() {
	const root = "/api/2.0/identity/accounts/{account}/"
	for _, k := range []iamKind{
		{"users", "users", "account_user_status", "username", "Users", showUser},
		{"groups", "groups", "", "group_name", "Groups", showGroup},
		{"service-principals", "service_principals", "account_sp_status", "application_id", "ServicePrincipals", showServicePrincipal},
	} {
		d.s.permit("GET "+root+k.path, d.ofAccount(listBucket, d.unless(NoIAMv2, d.iamList(k))))
		d.s.permit("GET "+root+k.path+"/{id}", d.ofAccount(readBucket, d.unless(NoIAMv2, d.iamGet(k))))
		d.s.permit("PATCH "+root+k.path+"/{id}", d.ofAccount(writeBucket, d.unless(NoIAMv2, d.iamPatch(k))))
	}
	d.s.permit("GET "+root+"groups/{id}/direct-members", d.ofAccount(listBucket, d.unless(NoIAMv2, d.iamMembers)))
}

func (d *databricks) iamList(k iamKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("filter") != "" {
			writeAPIError(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "the sandbox does not know IAM v2's filters")
			return
		}
		var rows []any
		for _, raw := range d.kinds[k.scim].listed() {
			rows = append(rows, k.show(parseObject(raw)))
		}
		writeIAMPage(w, r, k.rows, rows)
	}
}

func (d *databricks) iamGet(k iamKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, ok := d.kinds[k.scim].shown(r.PathValue("id"))
		if !ok {
			writeNoPrincipal(w, r)
			return
		}
		writeJSON(w, http.StatusOK, k.show(parseObject(raw)))
	}
}

// iamPatch writes external_id under the rules of SCIM. What the body says
// besides is not masked, so it is not written, but it must be true: an SDK
// that fills in empty values is told.
func (d *databricks) iamPatch(k iamKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		given := parseObject(body)
		mask := r.URL.Query().Get("update_mask")
		if mask != "external_id" || given == nil {
			writeAPIError(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE",
				"update_mask must be external_id: nothing else of an identity can be changed, got "+strconv.Quote(mask))
			return
		}
		c := d.kinds[k.scim]
		changed, fault := c.update(r, r.PathValue("id"), func(p *patcher) *scimError {
			now := k.show(p.object)
			for _, key := range []string{k.name, k.status} {
				if said := given.get(key); key != "" && said != nil && text(said) != now[key] {
					return invalidValue(key + " is not what the identity has: read it first")
				}
			}
			t, _ := c.kind.target("externalId")
			return p.assign("replace", t, given.get("external_id"))
		})
		switch {
		case fault == nil:
			writeJSON(w, http.StatusOK, k.show(parseObject(changed)))
		case fault.status == http.StatusNotFound:
			writeNoPrincipal(w, r)
		default:
			writeAPIError(w, fault.status, "INVALID_PARAMETER_VALUE", fault.detail)
		}
	}
}

// iamMembers lists a group's members and where each membership comes from: of
// a group that has an externalId, from the identity provider.
func (d *databricks) iamMembers(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	raw, ok := d.kinds[groupsKind.path].find(id)
	if !ok {
		writeNoPrincipal(w, r)
		return
	}
	group := parseObject(raw)
	source := "INTERNAL"
	if strings.TrimSpace(text(group.get("externalId"))) != "" {
		source = "IDENTITY_PROVIDER"
	}
	var rows []any
	for _, e := range elements(group.get("members")) {
		member := parseObject(e)
		principal := text(member.get("value"))
		row := map[string]any{
			"group_id":          wireID(id),
			"principal_id":      wireID(principal),
			"membership_source": source,
		}
		setText(row, "display_name", member.get("display"))
		for path, kind := range map[string]string{"Users": "USER", "Groups": "GROUP", "ServicePrincipals": "SERVICE_PRINCIPAL"} {
			if raw, ok := d.kinds[path].find(principal); ok {
				row["principal_type"] = kind
				setText(row, "external_id", parseObject(raw).get("externalId"))
			}
		}
		rows = append(rows, row)
	}
	writeIAMPage(w, r, "direct_group_members", rows)
}

func writeNoPrincipal(w http.ResponseWriter, r *http.Request) {
	writeAPIError(w, http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "principal "+r.PathValue("id")+" does not exist")
}

// writeIAMPage answers with one page of rows under key. A page's token is
// opaque to the caller; the last page has none.
func writeIAMPage(w http.ResponseWriter, r *http.Request, key string, rows []any) {
	query := r.URL.Query()
	size, ok := wholeNumber(query.Get("page_size"), iamPageCap)
	start, ok2 := pageStart(query.Get("page_token"))
	if !ok || !ok2 || size < 0 || start > len(rows) {
		writeAPIError(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "page_size or page_token is invalid")
		return
	}
	if size == 0 || size > iamPageCap {
		size = iamPageCap
	}
	end := min(start+size, len(rows))
	page := map[string]any{}
	if end > start {
		page[key] = rows[start:end]
	}
	if end < len(rows) {
		page["next_page_token"] = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	writeJSON(w, http.StatusOK, page)
}

// pageStart reads a page token.
func pageStart(token string) (start int, ok bool) {
	if token == "" {
		return 0, true
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, false
	}
	start, err = strconv.Atoi(string(b))
	return start, err == nil && start >= 0
}

func showUser(o object) map[string]any {
	name := map[string]any{}
	setText(name, "given_name", parseObject(o.get("name")).get("givenName"))
	setText(name, "family_name", parseObject(o.get("name")).get("familyName"))
	return showPrincipal(o, map[string]any{
		"user_id":             text(o.get("id")),
		"username":            text(o.get("userName")),
		"account_user_status": showStatus(o),
		"full_name":           name,
	})
}

func showGroup(o object) map[string]any {
	return showPrincipal(o, map[string]any{
		"group_id":   text(o.get("id")),
		"group_name": text(o.get("displayName")),
	})
}

func showServicePrincipal(o object) map[string]any {
	return showPrincipal(o, map[string]any{
		"service_principal_id": text(o.get("id")),
		"application_id":       text(o.get("applicationId")),
		"display_name":         text(o.get("displayName")),
		"account_sp_status":    showStatus(o),
	})
}

func showPrincipal(o object, shown map[string]any) map[string]any {
	shown["account_id"] = DatabricksAccountID
	setText(shown, "external_id", o.get("externalId"))
	return shown
}

func showStatus(o object) string {
	if text(o.get("active")) == "false" {
		return "INACTIVE"
	}
	return "ACTIVE"
}

// setText sets key unless the value is blank, as IAM v2 leaves blank texts out.
func setText(m map[string]any, key string, value json.RawMessage) {
	if s := text(value); s != "" {
		m[key] = s
	}
}

// wireID returns an id as IAM v2's memberships have it: a number, where it is one.
func wireID(id string) any {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		return n
	}
	return id
}
