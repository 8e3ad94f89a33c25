package main

import (
	"fmt"
	"io"
	"strings"
)

const pageHead = `# Benchmarks

Written by ` + "`make bench`" + `, which makes the companies, measures each figure beside its peer in the same run, and takes the median:
of %d pairs (fewer for the largest company). Ratios are the figures; times depend on the machine (here %s). Each
process is measured from its start to its end by the operating system, DuckDB alone from its first byte read, without the
start of Node. We read our snapshot, DuckDB and encoding/json read the same users as NDJSON. A goal that is not reached says so.
What takes the time and the memory, and what the next factor would take, is in [docs/performance.md](docs/performance.md).
`

var partTitles = map[string]string{
	"audit": "Audit from a snapshot, %s Okta + %s Databricks users", "growth": "Memory and growth",
	"reading": "Reading the directories", "reports": "Reports and apply",
}

// write writes the page.
func (b *bench) write(w io.Writer) error {
	var page strings.Builder
	fmt.Fprintf(&page, pageHead, b.extent.pairs, machine())
	for _, part := range parts {
		head := partTitles[part]
		if part == "audit" {
			head = fmt.Sprintf(head, short(b.extent.main), short(b.extent.main))
		}
		table := "\n## " + head + "\n\n| what | goal | stretch | here | reached | measured | command |\n|---|---|---|---|---|---|---|\n"
		for _, r := range b.rows {
			if r.part != part {
				continue
			}
			page.WriteString(table)
			table = ""
			fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s | %s |\n", r.what, r.goal, r.stretch, r.figure, r.reached,
				strings.NewReplacer("\n", " ", "|", "/").Replace(r.spread), r.command)
		}
	}
	_, err := io.WriteString(w, page.String())
	return err
}
