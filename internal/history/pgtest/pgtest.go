// Package pgtest starts a PostgreSQL server for a test, from whatever this
// machine has installed.
package pgtest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A Server is a server of its own, in a temporary folder, that is reached through
// a socket there and nowhere else.
type Server struct {
	dir, bin string
	who      *syscall.Credential // the server refuses to run as root
	cmd      *exec.Cmd
	gone     chan struct{}
}

// ErrNotThere is the error of a machine that PostgreSQL can't be had on.
var ErrNotThere = errors.New("PostgreSQL can't be started here: install Debian's package postgresql, or what is tested here is not known to work with it")

// New starts a server, which whoever asked for it closes.
func New() (*Server, error) {
	s := &Server{bin: programs()}
	if s.bin == "" {
		return nil, ErrNotThere
	}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, ErrNotThere
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	dir, err := os.MkdirTemp("", "pg") // short, for the path of a socket must be
	if err != nil {
		return nil, err
	}
	s.dir = dir
	if s.who != nil {
		err = os.Chown(dir, int(s.who.Uid), int(s.who.Gid))
	}
	if err == nil {
		var out []byte
		out, err = s.command("initdb", "-D", s.data(), "-U", "aimcheck", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("initdb: %w\n%s", err, out)
		}
	}
	if err == nil {
		err = s.Run()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// Start starts a server that is closed when the test ends. Where there is none to
// be had, the test is skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New()
	switch {
	case errors.Is(err, ErrNotThere):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Close ends the server and removes what it has.
func (s *Server) Close() {
	s.Stop()
	os.RemoveAll(s.dir)
}

// Run starts the server again after [Server.Stop].
func (s *Server) Run() error {
	s.cmd = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off")
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.gone = make(chan struct{})
	ready := make(chan error, 2)
	go func() {
		defer close(s.gone)
		var said bytes.Buffer
		for lines := bufio.NewScanner(log); lines.Scan(); {
			said.Write(append(lines.Bytes(), '\n'))
			if strings.Contains(lines.Text(), "ready to accept connections") {
				ready <- nil
			}
		}
		s.cmd.Wait()
		ready <- fmt.Errorf("PostgreSQL ended:\n%s", said.Bytes())
	}()
	return <-ready
}

// Stop ends the server at once, whatever it is doing.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	<-s.gone
}

// URL returns the URL of a new database of the name.
func (s *Server) URL(t testing.TB, name string) string {
	t.Helper()
	create := s.command("psql", "-h", s.dir, "-U", "aimcheck", "-d", "postgres", "-qc", `CREATE DATABASE "`+name+`"`)
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "postgres://aimcheck@/" + name + "?host=" + s.dir
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.who}
	return cmd
}

// programs returns the folder of the server's programs; blank if there is none.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian's place
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}
