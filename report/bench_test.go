package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// goalSize is how many findings the figures are of.
func goalSize() int {
	if testing.Short() {
		return 20_000
	}
	return 1_000_000
}

// cpu returns the CPU time that f takes, garbage collection included.
func cpu(f func()) time.Duration {
	debug.FreeOSMemory()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

// peak returns by how much f raises the memory that the system counts as this
// process's own, at its highest; ok is false where the system doesn't tell.
func peak(f func()) (bytes int, ok bool) {
	debug.FreeOSMemory()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil { // begin anew
		f()
		return 0, false
	}
	before := procStatus("VmRSS:")
	f()
	return procStatus("VmHWM:") - before, true
}

// procStatus returns a figure of /proc/self/status in bytes.
func procStatus(name string) (bytes int) {
	text, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(text), name)
	fmt.Sscan(after, &bytes)
	return bytes << 10
}

// cellsOfTable returns the cells, made already: what a library alone is given.
func cellsOfTable(t table) (cells [][]string) {
	var line row
	for range t.each(&line) {
		cells = append(cells, line.cells(nil))
	}
	return cells
}

// exponent returns how the time grows when there is n times as much.
func exponent(small, large, n float64) float64 { return math.Log(large/small) / math.Log(n) }

// asTheProgram collects garbage as often as the program does.
func asTheProgram(b *testing.B) {
	before := debug.SetGCPercent(25)
	b.Cleanup(func() { debug.SetGCPercent(before) })
}

// The sheet of findings, made of the report, with its links, styles and filter,
// beside excelize's StreamWriter with the same cells and nothing else; and the
// memory that the whole workbook, with all its sheets, takes besides the report itself.
func BenchmarkGoalXLSX(b *testing.B) {
	asTheProgram(b)
	r := many(goalSize())
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	for range b.N {
		most, ok := peak(func() { fail(workbookXLSX(io.Discard, r)) })
		ours := cpu(func() {
			book, err := newWorkbook(io.Discard, r, excelize.TotalRows)
			fail(err)
			fail(book.add(book.findings(r)))
			fail(book.tie())
			fail(book.close())
			fail(book.file.Close())
		})
		cells := cellsOfTable(findingsTable(r))
		alone := cpu(func() {
			f := excelize.NewFile()
			w, err := f.NewStreamWriter("Sheet1")
			fail(err)
			row := make([]any, len(cells[0]))
			for n := range cells {
				for i, c := range cells[n] {
					row[i] = c
				}
				fail(w.SetRow("A"+strconv.Itoa(n+1), row))
			}
			fail(w.Flush())
			_, err = f.WriteTo(io.Discard)
			fail(err)
			fail(f.Close())
		})
		b.ReportMetric(float64(ours)/float64(alone), "CPU/StreamWriter")
		if ok {
			b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
		}
	}
}

// findings.csv beside encoding/csv with the same cells and nothing else.
func BenchmarkGoalCSV(b *testing.B) { besideCSV(b, findingsTable(many(goalSize()))) }

// subjects.csv is several times as long.
func BenchmarkGoalSubjectsCSV(b *testing.B) { besideCSV(b, subjectsTable(many(goalSize()))) }

func besideCSV(b *testing.B, t table) {
	asTheProgram(b)
	for range b.N {
		var ratios []float64
		for range 3 { // one beside the other: a shared machine is slow now and then
			ours := cpu(func() { // before there are cells, which the garbage collector would look at meanwhile
				if err := writeCSV(io.Discard, t); err != nil {
					b.Fatal(err)
				}
			})
			cells := cellsOfTable(t)
			alone := cpu(func() {
				w := csv.NewWriter(io.Discard)
				for _, row := range cells {
					if err := w.Write(row); err != nil {
						b.Fatal(err)
					}
				}
				w.Flush()
			})
			ratios = append(ratios, float64(ours)/float64(alone))
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[1], "time/encoding-csv")
	}
}
