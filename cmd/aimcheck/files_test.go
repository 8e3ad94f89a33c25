package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func says(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func names(t *testing.T, dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestOutputIsAllOrNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	o, err := newOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.write(t.Context(), "a", says("old")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); strings.Contains(" "+got+" ", " a ") {
		t.Errorf("%q stands before everything is whole", got)
	}
	if err := o.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.discard() // as deferred by callers
	if got := names(t, dir); got != "a" {
		t.Errorf("folder holds %q, want a", got)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "a"): 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}

	o, err = newOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.write(t.Context(), "a", says("new")); err != nil {
		t.Fatal(err)
	}
	full := &os.PathError{Op: "write", Path: "/tmp/.b.123", Err: syscall.ENOSPC}
	err = o.write(t.Context(), "b", func(w io.Writer) error { return fmt.Errorf("cell: %w", full) })
	want := "cannot write " + filepath.Join(dir, "b") + ": no space left on device: make room, or choose another place"
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	o.discard()
	if got := names(t, dir); got != "a" {
		t.Errorf("folder holds %q after a full disk, want a", got)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "a")); string(got) != "old" {
		t.Errorf("a = %q, want what it was", got)
	}
}

func TestNewFolderGoesWithItsFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	o, err := newOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.write(ctx, "a", says("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v, want canceled", err)
	}
	o.discard()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.WriteFile(real, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(t.Context(), link, says("new")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(real); string(got) != "new" {
		t.Errorf("the link's target is %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is one no more: %v", err)
	}
	if err := writeFile(t.Context(), "/dev/null", says("x")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Fatal("/dev/null was replaced")
	}
	for name, want := range map[string]string{
		dir:                         "it is a folder",
		filepath.Join(real, "file"): "not a directory",
		"/dev/full":                 "/dev/full: no space left on device: make room",
	} {
		if err := writeFile(t.Context(), name, says("x")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
