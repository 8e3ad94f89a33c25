package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"iter"

	"github.com/aimcheck/aimcheck/audit"
)

// crosswalkLimit is how many identities the page lists before it leaves out
// those without any finding.
const crosswalkLimit = 100_000

// assets are the page's parts. lib.min.js is made by "make report-assets".
//
//go:embed assets/page.html assets/page.css assets/js assets/lib/lib.min.js assets/lib/LICENSES.txt
var assets embed.FS

// scripts lists the page's own scripts in the order in which they stand in it.
func scripts() []string {
	return []string{"text", "data", "table", "findings", "identities", "plan", "work", "flow", "main"}
}

func pageHTML(w io.Writer, r *audit.Report) error { return writePage(w, r, r.Crosswalk()) }

// writePage writes one page that needs nothing else: neither the network nor
// another file. Its policy lets nothing run but the page's own scripts, by their
// hashes. What matters most is plain HTML and stands first, so that it is seen
// before the rest is read, and without scripts too.
func writePage(w io.Writer, r *audit.Report, crosswalk iter.Seq[audit.CrosswalkRow]) error {
	style, code, err := styleAndCode()
	if err != nil {
		return err
	}
	t, err := template.New("page.html").Funcs(templateFuncs()).ParseFS(assets, "assets/page.html")
	if err != nil {
		return err
	}
	p := newPage(r, crosswalk)
	head, err := json.Marshal(p.head())
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 64<<10)
	b.WriteString("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	fmt.Fprintf(b, "<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n", policy(style, code))
	fmt.Fprintf(b, "<title>aimcheck: %s</title>\n", template.HTMLEscapeString(headline(r.Verdict)))
	b.WriteString("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n" +
		"<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<style>")
	b.Write(style)
	b.WriteString("</style>\n</head>\n")
	if err := t.Execute(b, p); err != nil {
		return err
	}
	// json.Marshal writes <, > and & as escapes: nothing ends the element early.
	fmt.Fprintf(b, "<script type=\"application/json\" id=\"head\">%s</script>\n", head)
	data := &pageBlocks{w: b}
	p.findings(data)
	p.plan(data)
	p.named = len(p.cast.number)
	p.identities(data)
	p.filesToSend(data)
	if data.err != nil {
		return data.err
	}
	b.WriteString("<script>")
	b.Write(code)
	b.WriteString("</script>\n</body>\n</html>\n")
	return b.Flush()
}

// policy returns the content security policy of a page with that style and code.
func policy(style, code []byte) string {
	hash := func(text []byte) string {
		sum := sha256.Sum256(text)
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; script-src " + hash(code) + "; style-src " + hash(style) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
}

// styleAndCode returns what stands in the page's style and script elements.
func styleAndCode() (style, code []byte, err error) {
	if style, err = assets.ReadFile("assets/page.css"); err != nil {
		return nil, nil, err
	}
	licenses, err := assets.ReadFile("assets/lib/LICENSES.txt")
	if err != nil {
		return nil, nil, err
	}
	lib, err := assets.ReadFile("assets/lib/lib.min.js")
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "/*\n%s*/\n%s(() => {\n'use strict';\n", licenses, lib)
	for _, name := range scripts() {
		text, err := assets.ReadFile("assets/js/" + name + ".js")
		if err != nil {
			return nil, nil, err
		}
		b.Write(text)
	}
	b.WriteString("})();\n")
	return style, b.Bytes(), nil
}
