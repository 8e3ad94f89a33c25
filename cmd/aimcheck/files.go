package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// An output is a set of files in one folder that appear together or not at all:
// each is written to a temporary name beside its own, synced, and renamed once
// all of them are whole. Files have mode 0600 and the folder 0700, for they
// hold personal data.
type output struct {
	dir   string
	made  bool // by us
	files []outFile
}

// An outFile is a file that was written. Its bytes reach the disk while the next
// is written: synced holds what became of that, once.
type outFile struct {
	temporary, name string
	synced          chan error
}

// newOutput makes the folder if it is missing.
func newOutput(dir string) (*output, error) {
	o := &output{dir: dir}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		o.made = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileError("make the folder", dir, err)
	}
	return o, nil
}

// write adds a file. It stops early when ctx is done.
func (o *output) write(ctx context.Context, name string, content func(io.Writer) error) error {
	fill, err := o.add(name)
	if err != nil {
		return err
	}
	return fill(ctx, content)
}

// add adds a file, and returns what writes it: once, and beside that of others.
func (o *output) add(name string) (func(context.Context, func(io.Writer) error) error, error) {
	path := filepath.Join(o.dir, name)
	f, err := os.CreateTemp(o.dir, "."+name+".*") // mode 0600
	if err != nil {
		return nil, fileError("write", path, err)
	}
	file := outFile{f.Name(), path, make(chan error, 1)}
	o.files = append(o.files, file)
	return func(ctx context.Context, content func(io.Writer) error) error { return file.write(ctx, f, content) }, nil
}

func (file outFile) write(ctx context.Context, f *os.File, content func(io.Writer) error) error {
	if err := fill(ctx, f, content); err != nil {
		f.Close()
		file.synced <- err
		return fileError("write", file.name, err)
	}
	go func() {
		err := f.Sync()
		if e := f.Close(); err == nil {
			err = e
		}
		file.synced <- err
	}()
	return nil
}

// wait waits until every file is on the disk.
func (o *output) wait() (err error) {
	for i := range o.files {
		f := &o.files[i]
		if f.synced == nil {
			continue
		}
		if e := <-f.synced; e != nil && err == nil {
			err = fileError("write", f.name, e)
		}
		f.synced = nil
	}
	return err
}

// commit gives every file its name.
func (o *output) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.wait(); err != nil {
		return err
	}
	for _, f := range o.files { // while all can be left as it was
		if info, err := os.Lstat(f.name); err == nil && info.IsDir() {
			return fmt.Errorf("cannot write %s: a folder has this name: move it away, or choose another place", f.name)
		}
	}
	for n := 0; len(o.files) > 0; n++ {
		f := o.files[0]
		if err := os.Rename(f.temporary, f.name); err != nil {
			if err = fileError("write", f.name, err); n > 0 {
				err = fmt.Errorf("%w: %d files of this run are in place, beside those of the run before: run it again when this one can be written", err, n)
			}
			return err
		}
		o.files, o.made = o.files[1:], false
	}
	return syncFolder(o.dir)
}

// discard removes what was not committed, and the folder if we made it for nothing.
func (o *output) discard() {
	o.wait() // a file that is open can't be removed everywhere
	for _, f := range o.files {
		os.Remove(f.temporary)
	}
	if o.made {
		os.Remove(o.dir) // fails, rightly, if something is in it
	}
	o.files, o.made = nil, false
}

// writeFile writes one file whole or not at all. A name that is a device or a
// pipe is written to as it is.
func writeFile(ctx context.Context, name string, content func(io.Writer) error) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		info, err := os.Stat(real)
		if err != nil {
			return fileError("write", name, err)
		}
		if info.IsDir() {
			return usagef("cannot write %s: it is a folder, name a file", name)
		}
		if !info.Mode().IsRegular() {
			return writeDevice(ctx, name, content)
		}
		name = real
	}
	o, err := newOutput(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer o.discard()
	if err := o.write(ctx, filepath.Base(name), content); err != nil {
		return err
	}
	return o.commit(ctx)
}

func writeDevice(ctx context.Context, name string, content func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fileError("write", name, err)
	}
	err = fill(ctx, f, content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fileError("write", name, err)
	}
	return nil
}

func fill(ctx context.Context, f *os.File, content func(io.Writer) error) error {
	w := bufio.NewWriterSize(stoppable{ctx, f}, 1<<16)
	if err := content(w); err != nil {
		return err
	}
	return w.Flush()
}

// stoppable is a writer that fails once its context is done.
type stoppable struct {
	ctx context.Context
	w   io.Writer
}

func (s stoppable) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// openFile opens a file to read. A folder is refused here: reading one fails
// later, in words of the system.
func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError("read", name, err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fileError("read", name, syscall.EISDIR)
	}
	return f, nil
}

// checkFolder refuses a folder for what is written later that can't be one, or
// that nothing can be put into, before any work is done for nothing.
func checkFolder(dir string) error {
	in := dir // what of it is there
	info, err := os.Stat(in)
	for errors.Is(err, os.ErrNotExist) && in != filepath.Dir(in) {
		in = filepath.Dir(in)
		info, err = os.Stat(in)
	}
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil || in != dir {
		if err == nil {
			err = probe(in)
		}
		if err != nil {
			return fileError("make the folder", dir, err)
		}
		return nil
	}
	if err := probe(in); err != nil {
		return fileError("write to", dir, err)
	}
	return nil
}

// probe sees whether a file can be put into a folder.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".aimcheck-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// checkFile does the same for a file that is written later.
func checkFile(name string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return checkFolder(filepath.Dir(name))
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return fileError("write", name, err)
	case info.IsDir():
		return usagef("cannot write %s: it is a folder, name a file", name)
	case !info.Mode().IsRegular():
		return nil // a device, which is written to as it is
	}
	return checkFolder(filepath.Dir(real))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fileError("write", dir, err)
	}
	defer d.Close()
	// Some file systems cannot sync a folder; the files themselves are safe.
	_ = d.Sync()
	return nil
}
