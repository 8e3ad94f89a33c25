package report

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

// The order that ECMA-376, part 1, 18.3.1.99 prescribes for the parts of a sheet:
// Excel offers to repair a file that has another.
var sheetOrder = []string{"sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "autoFilter", "mergeCells",
	"conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "drawing"}

// Excel refuses, or repairs with a warning, what these tests look for.
func TestWorkbookParts(t *testing.T) {
	for about, r := range map[string]struct {
		report *audit.Report
		rows   int
	}{"sample": {sample(t), excelize.TotalRows}, "in small sheets": {sample(t), 3}, "nightly": {nightly(t), excelize.TotalRows},
		"incomplete": {incomplete(t), excelize.TotalRows}, "empty": {&audit.Report{}, excelize.TotalRows}} {
		t.Run(about, func(t *testing.T) {
			var b bytes.Buffer
			if err := writeWorkbook(&b, r.report, r.report.Crosswalk(), r.rows); err != nil {
				t.Fatal(err)
			}
			z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range z.File {
				if parts[f.Name] != "" {
					t.Errorf("%s is there twice", f.Name)
				}
				parts[f.Name] = xmlPart(t, b.Bytes(), f.Name)
				if err := wellFormed(parts[f.Name]); err != nil {
					t.Errorf("%s: %v", f.Name, err)
				}
			}
			checkTypes(t, parts)
			checkRelations(t, parts)
			sheets := map[string]bool{}
			for _, title := range open(t, b.Bytes()).GetSheetList() {
				if utf8.RuneCountInString(title) > 31 || sheets[strings.ToLower(title)] {
					t.Errorf("a sheet is named %q", title)
				}
				sheets[strings.ToLower(title)] = true
			}
			for name, text := range parts {
				if ok, _ := path.Match("xl/worksheets/sheet*.xml", name); ok {
					checkSheet(t, name, text)
				}
			}
		})
	}
}

// wellFormed reads the XML to its end.
func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// checkTypes wants every part to have a type, and every type a part.
func checkTypes(t *testing.T, parts map[string]string) {
	var types struct {
		Default []struct {
			Extension string `xml:",attr"`
		}
		Override []struct {
			PartName string `xml:",attr"`
		}
	}
	if err := xml.Unmarshal([]byte(parts["[Content_Types].xml"]), &types); err != nil {
		t.Fatal(err)
	}
	typed := map[string]bool{}
	for _, o := range types.Override {
		if name := strings.TrimPrefix(o.PartName, "/"); parts[name] == "" || typed[name] {
			t.Errorf("the type of %s is given twice, or there is no such part", name)
		} else {
			typed[name] = true
		}
	}
	for name := range parts {
		if path.Ext(name) != ".rels" && name != "[Content_Types].xml" && !typed[name] {
			t.Errorf("%s has no type of its own", name)
		}
	}
}

// checkRelations wants every relation to lead to a part.
func checkRelations(t *testing.T, parts map[string]string) {
	found := 0
	for name, text := range parts {
		if path.Ext(name) != ".rels" {
			continue
		}
		var relations struct {
			Relationship []struct {
				ID     string `xml:"Id,attr"`
				Target string `xml:",attr"`
			}
		}
		if err := xml.Unmarshal([]byte(text), &relations); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, r := range relations.Relationship {
			found++
			to := strings.TrimPrefix(r.Target, "/")
			if to == r.Target {
				to = path.Join(path.Dir(path.Dir(name)), r.Target)
			}
			if parts[to] == "" || ids[r.ID] {
				t.Errorf("%s leads to %s as %s: no such part, or twice", name, r.Target, r.ID)
			}
			ids[r.ID] = true
		}
	}
	if found < 10 {
		t.Errorf("there are only %d relations", found)
	}
}

// checkSheet wants the parts of a sheet in order, rows and cells too, and no more than Excel takes.
func checkSheet(t *testing.T, name, text string) {
	d := xml.NewDecoder(strings.NewReader(text))
	depth, last, row, links := 0, -1, 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			attr := func(name string) string {
				for _, a := range e.Attr {
					if a.Name.Local == name {
						return a.Value
					}
				}
				return ""
			}
			switch at := slices.Index(sheetOrder, e.Name.Local); {
			case depth == 2 && at < last, depth == 2 && at < 0:
				t.Errorf("%s: %s stands after %s", name, e.Name.Local, sheetOrder[max(last, 0)])
			case depth == 2:
				last = at
			}
			switch e.Name.Local {
			case "row":
				row++
			case "hyperlink":
				if links++; links > 65_530 || attr("location") == "" {
					t.Errorf("%s: %d links, the last to %q", name, links, attr("location"))
				}
			case "dataValidation":
				if len(attr("prompt")) > 255 || len(attr("promptTitle")) > 32 || len(attr("error")) > 225 || len(attr("errorTitle")) > 32 {
					t.Errorf("%s: what is asked for is too long: %q", name, attr("prompt"))
				}
			}
		case xml.EndElement:
			depth--
		}
	}
}
