package main

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/aimcheck/aimcheck/internal/config"
)

// An env is everything the program takes from the process it runs in.
type env struct {
	args     []string // without the program's name
	getenv   func(string) string
	readFile func(string) ([]byte, error)
	home     string
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	now      func() time.Time
	forget   func(prefix string) // unsets variables, which the SDKs read by themselves

	patience time.Duration // how long reads may lag behind a write; 0: as apply has it

	outWidth int  // columns of stdout; 0 where it is no terminal
	errWidth int  // columns of stderr; 0 too where it does not say: bars are not drawn there
	asks     bool // whether somebody is there to be asked

	readSecret func(context.Context) ([]byte, error) // a line of stdin that is not shown
}

func osEnv() *env {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // then there are no files of the vendors' tools
	}
	return &env{
		args:     os.Args[1:],
		getenv:   os.Getenv,
		readFile: os.ReadFile,
		home:     home,
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		now:      time.Now,
		forget:   unsetenv,
		outWidth: columns(os.Stdout, 80),
		errWidth: columns(os.Stderr, 0),
		asks:     term.IsTerminal(os.Stdin.Fd()) && term.IsTerminal(os.Stderr.Fd()),

		readSecret: readSecret,
	}
}

// readSecret reads a line without showing it. The terminal shows what is typed
// again when ctx is done, whether or not a line came.
func readSecret(ctx context.Context) ([]byte, error) {
	fd := os.Stdin.Fd()
	if state, err := term.GetState(fd); err == nil {
		defer context.AfterFunc(ctx, func() { _ = term.Restore(fd, state) })()
	}
	return term.ReadPassword(fd)
}

func unsetenv(prefix string) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, prefix) {
			_ = os.Unsetenv(name) // fails for names that can't be set either
		}
	}
}

// columns is how wide the terminal is, unsaid where it does not say, 0 where it is none.
func columns(f *os.File, unsaid int) int {
	if !term.IsTerminal(f.Fd()) {
		return 0
	}
	width, _, err := term.GetSize(f.Fd())
	if err != nil || width <= 0 {
		return unsaid
	}
	return width
}

// color reports whether stdout shows colours.
func (e *env) color() bool {
	return e.outWidth > 0 && e.getenv("NO_COLOR") == "" && e.getenv("TERM") != "dumb"
}

// redraws reports whether stderr can take back what it showed.
func (e *env) redraws() bool { return e.errWidth > 0 && e.getenv("TERM") != "dumb" }

// config is what settings are read from.
func (e *env) config() config.Env {
	return config.Env{Getenv: e.getenv, ReadFile: e.readFile, Home: e.home}
}
