package sandbox_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// oktaPaths are the calls of Okta's description that the sandbox imitates.
var oktaPaths = []string{
	"/api/v1/users", "/api/v1/users/{userId}", "/api/v1/groups", "/api/v1/groups/{groupId}/users",
	"/api/v1/apps", "/api/v1/apps/{appId}/users",
}

// nextLink finds the next page among the links, which Prism folds into one header.
var nextLink = regexp.MustCompile(`<([^>]+)>; rel="next"`)

// Okta's own OpenAPI description, which comes with its SDK, finds nothing wrong
// with what the sandbox answers, nor with what is asked of it: Prism stands
// between as a proxy and answers with its complaints where there are any.
func TestOktaDescriptionHolds(t *testing.T) {
	peers := peers(t)
	box := sandbox.Start(t, sandbox.Generate(7, 450), sandbox.Options{})
	proxy := startPrism(t, peers, cutDescription(t), box.URL)

	get := func(target string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "SSWS "+sandbox.OktaAPIToken)
		req.Header.Set("Accept", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || len(body) < 3 {
			t.Errorf("GET %s: %s\n%.3000s %v", strings.TrimPrefix(target, proxy), res.Status, body, err)
		}
		return res
	}
	user, group, app := firstID(box.Tenant().Okta.Users), firstID(box.Tenant().Okta.Groups), firstID(box.Tenant().Okta.Apps)
	for _, path := range []string{
		"/api/v1/users?limit=200",
		"/api/v1/users?limit=200&filter=" + escape(`status eq "DEPROVISIONED"`),
		"/api/v1/users?limit=200&filter=" + escape(`lastUpdated ge "2020-01-01T00:00:00.000Z"`),
		"/api/v1/users?limit=200&search=" + escape(`created ge "2020-01-01T00:00:00.000Z"`) + "&sortBy=created&sortOrder=asc",
		"/api/v1/users/" + user,
		"/api/v1/groups?limit=200",
		"/api/v1/groups?limit=200&expand=stats",
		"/api/v1/groups/" + group + "/users?limit=200",
		"/api/v1/apps?limit=100",
		"/api/v1/apps/" + app + "/users?limit=500",
	} {
		next, pages := proxy+path, 0
		for ; next != ""; pages++ {
			res := get(next)
			next = ""
			if link := nextLink.FindStringSubmatch(res.Header.Get("Link")); link != nil {
				next = proxy + strings.TrimPrefix(link[1], box.URL)
			}
			if pages > 20 {
				t.Fatalf("%s: more pages than objects", path)
			}
		}
	}
}

// peers returns the folder of the independent programs, which `make test` installs.
func peers(t *testing.T) string {
	dir := os.Getenv("AIMCHECK_PEERS")
	if dir == "" {
		t.Skip("needs the programs that `make test` installs")
	}
	return dir
}

func startPrism(t *testing.T, peers, description, upstream string) string {
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(peers, "node_modules/@stoplight/prism-cli/dist/index.js"),
		"proxy", "--errors", "--port", "0", "--host", "127.0.0.1", description, upstream)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() }) // a hung start ends the scan below
	defer timer.Stop()
	listening := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "listening") {
			go io.Copy(io.Discard, out)
			return listening.FindString(lines.Text())
		}
	}
	t.Fatalf("prism did not start:\n%s", said)
	return ""
}

// cutDescription writes the part of Okta's description that the paths need, since
// all of it takes Prism minutes to load.
func cutDescription(t *testing.T) string {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/okta/okta-sdk-golang/v5").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), ".generator", "*-enum-*.yaml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("Okta's description: %v %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var full map[string]any
	if err := yaml.Unmarshal(data, &full); err != nil {
		t.Fatal(err)
	}
	paths := map[string]any{}
	for _, p := range oktaPaths {
		path, ok := full["paths"].(map[string]any)[p].(map[string]any)
		if !ok {
			t.Fatalf("Okta's description has no path %s", p)
		}
		for method := range path {
			if method == "post" || method == "put" || method == "delete" {
				delete(path, method)
			}
		}
		paths[p] = path
	}
	relax(full)
	components := map[string]any{"securitySchemes": full["components"].(map[string]any)["securitySchemes"]}
	keepReferences(full, paths, components)
	cut, err := yaml.MarshalWithOptions(map[string]any{
		"openapi": full["openapi"], "info": full["info"], "paths": paths, "components": components,
	}, yaml.JSON())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "okta.json")
	if err := os.WriteFile(file, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// relax takes from the description what Okta itself does not keep to: emails are
// of any script, a group's description may be null, and an app fits several of
// the kinds that its discriminator tells apart, which Prism does not look at.
func relax(node any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			relax(v)
		}
	case map[string]any:
		if n["format"] == "email" {
			delete(n, "format")
		}
		if kinds, ok := n["oneOf"]; ok && n["discriminator"] != nil {
			n["anyOf"] = kinds
			delete(n, "oneOf")
		}
		if description, ok := n["description"].(map[string]any); ok && description["type"] == "string" {
			description["nullable"] = true
		}
		for _, v := range n {
			relax(v)
		}
	}
}

// keepReferences copies what node refers to from full's components, and what
// those refer to.
func keepReferences(full map[string]any, node any, components map[string]any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			keepReferences(full, v, components)
		}
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok {
			keepReference(full, ref, components)
		}
		if d, ok := n["discriminator"].(map[string]any); ok {
			mapping, _ := d["mapping"].(map[string]any)
			for _, ref := range mapping {
				keepReference(full, fmt.Sprint(ref), components)
			}
		}
		for _, v := range n {
			keepReferences(full, v, components)
		}
	}
}

func keepReference(full map[string]any, ref string, components map[string]any) {
	parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	if len(parts) != 2 {
		return
	}
	kind, _ := components[parts[0]].(map[string]any)
	if kind == nil {
		kind = map[string]any{}
		components[parts[0]] = kind
	}
	if _, kept := kind[parts[1]]; kept {
		return
	}
	all, _ := full["components"].(map[string]any)[parts[0]].(map[string]any)
	kind[parts[1]] = all[parts[1]]
	keepReferences(full, all[parts[1]], components)
}

func escape(query string) string { return url.QueryEscape(query) }

// firstID returns the id of the first object.
func firstID(objects []json.RawMessage) string {
	var o struct{ ID string }
	if len(objects) > 0 && json.Unmarshal(objects[0], &o) == nil {
		return o.ID
	}
	return "none"
}
