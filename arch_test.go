package aimcheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/aimcheck/aimcheck"

// mayImport is the architecture: what each package may import of this module.
// Files are parsed here rather than by "go list", because the test cache sees
// the files that this process opens, not those that a child opens.
var mayImport = map[string]string{
	".":                       "",
	"audit":                   "internal/scan",
	"audit/rules":             "audit",
	"report":                  "audit internal/scan",
	"internal/snapfile":       "audit",
	"internal/transport":      "",
	"internal/rawjson":        "",
	"internal/scan":           "",
	"internal/okta":           "audit internal/transport internal/rawjson",
	"internal/databricks":     "audit internal/transport internal/rawjson",
	"internal/fetch":          "audit",
	"internal/apply":          "audit",
	"internal/decisions":      "audit",
	"internal/history":        "audit",
	"internal/history/pgtest": "",
	"internal/notify":         "audit",
	"internal/config":         "audit",
	"internal/doctor":         "audit internal/okta internal/databricks",
	"internal/sandbox":        "audit",
	"internal/sandbox/aim":    "",
	"internal/bench":          "audit audit/rules report internal/snapfile",
	"cmd/aimcheck":            "audit audit/rules report internal/snapfile internal/okta internal/databricks internal/transport internal/fetch internal/apply internal/decisions internal/history internal/notify internal/config internal/doctor internal/sandbox",
}

// standsIn says where a heavy dependency may be imported, and nowhere else.
var standsIn = map[string]string{
	"github.com/okta/okta-sdk-golang":         "internal/okta",
	"github.com/databricks/databricks-sdk-go": "internal/databricks",
	"github.com/xuri/excelize":                "report internal/decisions",
	"github.com/klauspost/compress":           "report internal/snapfile internal/bench",
	"github.com/spf13/cobra":                  "cmd/aimcheck",
	"github.com/goccy/go-yaml":                "internal/config",
	"modernc.org/sqlite":                      "internal/history",
	"github.com/jackc/pgx":                    "internal/history",
}

func TestImports(t *testing.T) {
	files := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		may, listed := mayImport[pkg]
		if !listed {
			t.Errorf("%s: add %s to mayImport and to ARCHITECTURE.md, and say what it may import", name, pkg)
		}
		for _, spec := range f.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(strings.Fields(may), ours) {
				t.Errorf("%s: %s must not import %s", name, pkg, ours)
			}
			for dependency, rooms := range standsIn {
				if strings.HasPrefix(imported, dependency) && !slices.Contains(strings.Fields(rooms), pkg) {
					t.Errorf("%s: %s stands in %s alone", name, imported, rooms)
				}
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files: %v", files, err)
	}
}

// No init functions: what happens at start is in main, where it can be read.
func TestNoInit(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.Contains(name, "node_modules") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
