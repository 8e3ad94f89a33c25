package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/report"
)

// A folder is where the reports of a run go: the same each time, or one of its
// own in it, named by the time.
type folder struct {
	dir   string
	dated bool
	keep  int // dated ones; 0: all
}

func (o *folder) register(f *pflag.FlagSet) {
	f.StringVar(&o.dir, "out", "aimcheck-report", "`DIR` for the reports, made if it is missing")
	f.BoolVar(&o.dated, "dated", false, "write into a new folder in --out, named by the time, such as 2026-11-26T020000Z")
	f.IntVar(&o.keep, "keep", 0, "with --dated: keep the last `N` such folders and remove older ones; 0: all")
}

func (o *folder) check() error {
	switch {
	case o.keep < 0:
		return usagef("--keep %d: expected a number of folders, or 0 for all", o.keep)
	case o.keep > 0 && !o.dated:
		return usagef("--keep %d: it removes folders that --dated made: give --dated too", o.keep)
	}
	return nil
}

// write writes the reports, and returns the folder that they are in.
func (o *folder) write(ctx context.Context, e *env, formats []string, r *audit.Report) (string, error) {
	if !o.dated {
		return o.dir, writeReports(ctx, o.dir, formats, r)
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return "", fileError("make the folder", o.dir, err)
	}
	// What is in a dated folder is whole: it gets its name when all is written.
	unnamed, err := os.MkdirTemp(o.dir, unnamedPrefix)
	if err != nil {
		return "", fileError("make a folder in", o.dir, err)
	}
	defer os.RemoveAll(unnamed)
	if err := writeReports(ctx, unnamed, formats, r); err != nil {
		return "", err
	}
	name, err := o.name(unnamed, e.now())
	if err != nil {
		return "", err
	}
	return name, o.rotate(e, filepath.Base(name))
}

// name gives the folder the name of the time, or the first that is free behind it.
func (o *folder) name(unnamed string, now time.Time) (string, error) {
	stamp := filepath.Join(o.dir, now.UTC().Format("2006-01-02T150405Z"))
	for name, n := stamp, 2; ; name, n = fmt.Sprintf("%s-%d", stamp, n), n+1 {
		err := os.Rename(unnamed, name)
		switch {
		case err == nil:
			return name, syncFolder(o.dir)
		case !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.ENOTDIR):
			return "", fileError("write", name, err)
		}
	}
}

// unnamedPrefix begins the name of a folder that is being written.
const unnamedPrefix = ".aimcheck-"

var unnamedName = regexp.MustCompile(`^` + regexp.QuoteMeta(unnamedPrefix) + `\d+$`)

// diedAfter is how long a folder is being written at the very most.
const diedAfter = 24 * time.Hour

var datedName = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{6}Z(-\d+)?$`)

// rotate removes all but the newest dated folders: the reports in them, and the
// folder if nothing else is left in it. The one just written stays in any case,
// whatever the clock says. What a run left that died while it wrote goes too.
func (o *folder) rotate(e *env, written string) error {
	if o.keep == 0 {
		return nil
	}
	unlock := lockFolder(o.dir)
	defer unlock()
	entries, err := os.ReadDir(o.dir) // in the order of their names
	if err != nil {
		return fileError("read", o.dir, err)
	}
	last, err := os.Stat(filepath.Join(o.dir, written)) // by the clock of the disk
	if err != nil {
		return fileError("read", filepath.Join(o.dir, written), err)
	}
	var dated []string
	for _, entry := range entries {
		if entry.IsDir() && unnamedName.MatchString(entry.Name()) {
			left := filepath.Join(o.dir, entry.Name())
			if info, err := entry.Info(); err == nil && last.ModTime().Sub(info.ModTime()) > diedAfter {
				if err := os.RemoveAll(left); err != nil {
					return fileError("remove", left, err)
				}
			}
		}
		if entry.IsDir() && datedName.MatchString(entry.Name()) && entry.Name() != written {
			dated = append(dated, entry.Name())
		}
	}
	files, err := report.Files(report.Formats())
	if err != nil {
		return err
	}
	for _, name := range dated[:max(0, len(dated)-(o.keep-1))] {
		old := filepath.Join(o.dir, name)
		for _, f := range files {
			if err := os.Remove(filepath.Join(old, f.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fileError("remove", filepath.Join(old, f.Name), err)
			}
		}
		if err := os.Remove(old); errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
			fmt.Fprintf(e.stderr, "aimcheck: %s is not removed: there is something in it that is no report\n", old)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError("remove", old, err)
		}
	}
	return nil
}
