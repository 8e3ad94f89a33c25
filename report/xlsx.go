package report

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"regexp"
	"slices"

	"github.com/klauspost/compress/flate"
	"github.com/xuri/excelize/v2"

	"github.com/aimcheck/aimcheck/audit"
)

func workbookXLSX(w io.Writer, r *audit.Report) error {
	return writeWorkbook(w, r, r.Crosswalk(), excelize.TotalRows)
}

// A workbook is a file being written. The sheets of tables go straight into the
// archive; styles, the summary with its charts, and the parts that tie all
// together are excelize's.
type workbook struct {
	zip     *zip.Writer
	file    *excelize.File
	palette palette
	places  *places
	rows    int      // that a sheet holds, its header included
	paths   []string // of the parts in the archive
	sheets  []written
	lists   []string // choices that are offered in cells, on a sheet of their own
	lines   lineCell
}

// A written is a part of a sheet that is in the archive.
type written struct {
	sheet
	title  string
	part   int
	rows   int    // without the header
	filter string // what the header's filter is over
}

// The sheets that others lead to.
const (
	summarySheet   = "Summary"
	planSheet      = "Plan"
	findingsSheet  = "Findings"
	subjectsSheet  = "Subjects"
	crosswalkSheet = "Crosswalk"
	legendSheet    = "Legend"
	listsSheet     = "Lists"
)

// writeWorkbook writes the workbook. No sheet has more than the rows; what is
// more goes on in a further sheet.
func writeWorkbook(w io.Writer, r *audit.Report, crosswalk iter.Seq[audit.CrosswalkRow], rows int) (err error) {
	b, err := newWorkbook(w, r, rows)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, b.file.Close()) }()
	// The crosswalk first: others lead to its rows, which are known by then. The
	// lists come after the plan that chooses from them.
	tabs := b.tabs(r)
	for _, s := range slices.Concat([]sheet{b.crosswalk(crosswalk)}, tabs) {
		if err := b.add(s); err != nil {
			return fmt.Errorf("sheet %s: %w", s.name, err)
		}
	}
	if len(b.lists) > 0 {
		if err := b.add(b.choiceLists()); err != nil {
			return fmt.Errorf("sheet %s: %w", listsSheet, err)
		}
	}
	if err := b.tie(); err != nil {
		return err
	}
	if err := b.addSummary(r); err != nil {
		return fmt.Errorf("sheet %s: %w", summarySheet, err)
	}
	return b.close()
}

// tabs returns the sheets in the order of their tabs but for the summary, which
// is the first, and the crosswalk, which stands before the legend.
func (b *workbook) tabs(r *audit.Report) []sheet {
	return slices.Concat(
		[]sheet{b.planTab(r)},
		b.ownerTabs(r),
		b.familyTabs(r),
		[]sheet{b.findings(r), b.subjects(r), b.legend(r)})
}

func newWorkbook(w io.Writer, r *audit.Report, rows int) (*workbook, error) {
	b := &workbook{zip: zip.NewWriter(w), file: excelize.NewFile(), rows: rows}
	// The standard library's takes three quarters of the time that the whole file does.
	b.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.DefaultCompression) })
	// The time of writing is nobody's business: the same report gives the same bytes.
	err := cmp.Or(
		b.file.SetSheetName("Sheet1", summarySheet),
		b.file.SetDocProps(&excelize.DocProperties{Title: "aimcheck report", Creator: "aimcheck " + printable(r.Version),
			Created: "2000-01-01T00:00:00Z", Modified: "2000-01-01T00:00:00Z"}))
	if err == nil {
		b.palette, err = makePalette(b.file)
	}
	if err == nil {
		b.places = newPlaces(r, rows)
		// Programs that guess a file's type look at its first parts.
		err = b.writeParts(func(path string) bool { return path == "_rels/.rels" || path == "docProps/app.xml" })
	}
	return b, err
}

// tie makes the sheets that are in the archive known to the workbook.
func (b *workbook) tie() error {
	for i, s := range b.sheets {
		index, err := b.file.NewSheet(s.title) // its part is the next free number, as in begin
		if err != nil {
			return err
		}
		if index != i+1 {
			return fmt.Errorf("two sheets are named %s", s.title)
		}
	}
	for _, s := range b.sheets {
		if s.name == crosswalkSheet {
			if err := b.file.MoveSheet(s.title, legendSheet); err != nil {
				return err
			}
		}
	}
	for _, s := range b.sheets {
		if err := b.file.AutoFilter(s.title, s.filter, nil); err != nil {
			return err
		}
		if err := b.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: s.repeated(), Scope: s.title}); err != nil {
			return err
		}
		if s.hidden {
			if err := b.file.SetSheetVisible(s.title, false); err != nil {
				return err
			}
		}
	}
	b.file.SetActiveSheet(0)
	return nil
}

// close writes what excelize made and ends the archive.
func (b *workbook) close() error {
	if err := b.writeParts(func(string) bool { return true }); err != nil {
		return err
	}
	return b.zip.Close()
}

// writeParts writes the parts of excelize's that are wanted and not yet there.
func (b *workbook) writeParts(wanted func(path string) bool) error {
	made := partsMade{}
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return made })
	if _, err := b.file.WriteToBuffer(); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(made)) {
		if !wanted(path) || b.has(path) {
			continue
		}
		out, err := b.create(path)
		if err != nil {
			return err
		}
		if _, err := out.Write(sortDefaults(made[path].Bytes())); err != nil {
			return err
		}
	}
	return nil
}

var defaults = regexp.MustCompile(`(<Default [^>]*></Default>)+`)

// sortDefaults puts the elements in order that excelize takes from a map.
func sortDefaults(part []byte) []byte {
	return defaults.ReplaceAllFunc(part, func(all []byte) []byte {
		each := bytes.SplitAfter(all, []byte("</Default>"))
		slices.SortFunc(each, bytes.Compare)
		return bytes.Join(each, nil)
	})
}

// partsMade holds the parts that excelize makes, all of them small.
type partsMade map[string]*bytes.Buffer

func (p partsMade) Create(path string) (io.Writer, error) {
	p[path] = new(bytes.Buffer)
	return p[path], nil
}

func (partsMade) AddFS(fs.FS) error { return errors.ErrUnsupported }

func (partsMade) Close() error { return nil }
