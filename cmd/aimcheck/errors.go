package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// The exit statuses. Whoever wants 4 gets it before 3.
const (
	exitFailed      = 1 // nothing can be concluded
	exitUsage       = 2 // wrong usage or configuration
	exitFindings    = 3 // findings at or above --fail-on
	exitIncomplete  = 4 // part of a directory could not be read, or some operations were not carried out
	exitInterrupted = 130
)

// An exitError ends the program with its code after its text was shown.
type exitError struct {
	code int
	error
}

func (e *exitError) Unwrap() error { return e.error }

// usageError marks err as the user's to mend: wrong usage or configuration.
func usageError(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

func usagef(format string, args ...any) error { return usageError(fmt.Errorf(format, args...)) }

// exitStatus returns what the program ends with, and the text to show.
func exitStatus(ctx context.Context, err error) (int, string) {
	var e *exitError
	switch {
	case err == nil:
		return 0, ""
	case errors.As(err, &e) && e.code == exitInterrupted:
		return e.code, e.Error()
	case ctx.Err() != nil:
		return exitInterrupted, "interrupted: nothing was written"
	case errors.As(err, &e):
		return e.code, e.Error()
	}
	return exitFailed, err.Error()
}

// fileError says what went wrong with a file in the user's terms: the name they
// gave rather than a temporary one, and what to do about it.
func fileError(doing, name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	advice := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		advice = ": make room, or choose another place"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		advice = ": choose a place that you may write to, or ask for access"
		if doing == "read" {
			advice = ": ask for access"
		}
	case errors.Is(err, fs.ErrNotExist):
		advice = ": check the path"
	case errors.Is(err, syscall.ENAMETOOLONG):
		advice = ": choose a shorter one"
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ELOOP):
		advice = ": see where the link of that name leads, or choose another name"
	case errors.Is(err, syscall.EISDIR):
		advice = ": name a file"
	case errors.Is(err, syscall.ENOTDIR):
		advice = ": there is a file where a folder is wanted, choose another name"
	}
	return fmt.Errorf("cannot %s %s: %w%s", doing, name, err, advice)
}
