package report

import (
	"embed"
	"io/fs"
)

//go:embed schema/*.json
var schemas embed.FS

// Schemas returns the JSON schemas (draft 2020-12) of what the package writes:
// findings.v1.json and plan.v1.json.
func Schemas() fs.FS {
	sub, err := fs.Sub(schemas, "schema")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}
