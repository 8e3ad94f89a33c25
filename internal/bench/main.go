// Bench measures the figures of BENCHMARKS.md beside their peers, on this machine,
// and writes that page: see "make bench". Words choose parts of it, to be shown alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		if job, ok := jobs()[os.Args[1]]; ok {
			if err := job(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				os.Exit(1)
			}
			return
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// An extent says how much is measured.
type extent struct {
	main  int   // users on each side, where peers are measured
	sizes []int // users on each side, where growth and memory are
	pairs int
	short bool // Go benchmarks in their short form
}

func (e extent) largest() int { return slices.Max(append(e.sizes, e.main)) }

// full measures companies of a tenth, once and five times so many users.
func full(users int) extent {
	return extent{main: users, sizes: []int{users / 10, users, 5 * users}, pairs: 5}
}

var quick = extent{main: 20_000, sizes: []int{2_000, 20_000}, pairs: 1, short: true}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	isQuick := f.Bool("quick", false, "measure a small company once, to see that everything runs; the page is shown, not written")
	users := f.Int("users", 1_000_000, "measure peers on a company of `N` users on each side, growth from a tenth to five times that")
	out := f.String("o", "BENCHMARKS.md", "write the page to `FILE`")
	dir := f.String("dir", os.TempDir(), "`DIR` for the tenants and reports, which are removed at the end")
	if err := f.Parse(args); err != nil {
		return err
	}
	for _, word := range f.Args() {
		if !slices.Contains(parts, word) {
			return fmt.Errorf("there is no part %q: expected some of %s", word, strings.Join(parts, ", "))
		}
	}
	if *users < 10_000 {
		return fmt.Errorf("-users %d says nothing of large companies: give 10000 or more", *users)
	}
	b := &bench{ctx: ctx, extent: full(*users), parts: f.Args()}
	if *isQuick {
		b.extent = quick
	}
	if err := b.prepare(*dir); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.measure(); err != nil {
		return err
	}
	if *isQuick || len(b.parts) > 0 {
		return b.write(os.Stdout)
	}
	var page strings.Builder
	if err := b.write(&page); err != nil {
		return err
	}
	return os.WriteFile(*out, []byte(page.String()), 0o666)
}

// A bench is one run of the benchmarks.
type bench struct {
	ctx    context.Context
	extent extent
	parts  []string // that are wanted; none: all

	dir      string // of everything that is made on the way
	self     string // this program
	aimcheck string // the program that is measured
	rows     []row
}

// prepare makes the folder and builds the program, once it is sure that there is
// room.
func (b *bench) prepare(parent string) (err error) {
	const perUser = 2200 // bytes of snapshot, NDJSON and reports for a user on each side
	if need, free := int64(b.extent.largest())*perUser, room(parent); free < need {
		return fmt.Errorf("%s has %d MB left, and %d MB are needed for a while: name another folder with -dir", parent, free>>20, need>>20)
	}
	if b.dir, err = os.MkdirTemp(parent, "aimcheck-bench-"); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.aimcheck = filepath.Join(b.dir, "aimcheck")
	_, err = b.command("go", "build", "-o", b.aimcheck, "github.com/aimcheck/aimcheck/cmd/aimcheck")
	return err
}

func room(dir string) int64 {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return 1 << 62 // unknown: the disk will say
	}
	return int64(fs.Bavail) * fs.Bsize
}

func (b *bench) wants(part string) bool { return len(b.parts) == 0 || slices.Contains(b.parts, part) }

// The parts of the page.
var parts = []string{"audit", "growth", "reading", "reports"}

func (b *bench) measure() error {
	for _, part := range []struct {
		name string
		run  func() error
	}{{"audit", b.audit}, {"growth", b.growth}, {"audit", func() error { return b.goBenchmarks("audit") }},
		{"reading", func() error { return b.goBenchmarks("reading") }}, {"reports", func() error { return b.goBenchmarks("reports") }}} {
		if !b.wants(part.name) {
			continue
		}
		if err := errors.Join(part.run(), b.ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func machine() string {
	return fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), runtime.GOARCH, runtime.Version())
}
