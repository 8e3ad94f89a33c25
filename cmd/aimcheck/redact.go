package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/report"
)

// redactKey is the variable that holds the key of pseudonyms.
const redactKey = "AIMCHECK_REDACT_KEY"

// shortestKey is below what a key is refused: whoever guesses it can try names.
const shortestKey = 16

// A redacting says whether reports get pseudonyms, and with which key.
type redacting struct {
	on     bool
	file   string
	secret []byte
}

func (d *redacting) register(f *pflag.FlagSet) {
	f.BoolVar(&d.on, "redact", false, "replace names, addresses, ids and tenants by pseudonyms, and leave free text and plan.json out")
	f.StringVar(&d.file, "redact-key", "", "`FILE` with the key of the pseudonyms, or "+redactKey+"; without either one is made and kept in your home folder")
}

// prepare gets the key, before any work is done for nothing. Out is the folder of
// the reports, in which the key must not be.
func (d *redacting) prepare(e *env, out string) (err error) {
	if d.file != "" && !d.on {
		return usagef("--redact-key: there is nothing to redact: add --redact")
	}
	if d.on {
		d.secret, err = d.key(e, out)
	}
	return err
}

// redact returns what is reported: r itself, or r with pseudonyms.
func (d *redacting) redact(r *audit.Report) (*audit.Report, error) {
	if !d.on {
		return r, nil
	}
	return report.Redact(r, d.secret)
}

func (d *redacting) key(e *env, out string) ([]byte, error) {
	name := d.file
	switch {
	case name != "":
	case e.getenv(redactKey) != "":
		return checkKey([]byte(e.getenv(redactKey)), redactKey)
	case e.home == "":
		return nil, usagef("--redact: there is no home folder to keep the key of the pseudonyms in: name a file with --redact-key, or set %s", redactKey)
	default:
		name = filepath.Join(e.home, ".config", "aimcheck", "redact.key")
	}
	inside, err := within(out, name)
	if err != nil {
		return nil, err
	}
	if inside {
		return nil, usagef("--redact: the key %s lies in the folder of the reports, and would go with them: keep it elsewhere, and name it with --redact-key", name)
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && d.file == "" {
		if text, err = makeKey(name); err != nil {
			return nil, err
		}
		e.note("made the key of the pseudonyms, %s: keep it, for the same names next time and to match them again, and give it to nobody who gets the reports", name)
	}
	if err != nil {
		return nil, fileError("read", name, err)
	}
	return checkKey(text, name)
}

func checkKey(text []byte, from string) ([]byte, error) {
	key := bytes.TrimSpace(text)
	if len(key) < shortestKey {
		return nil, usagef("the key of the pseudonyms in %s has %d bytes, which can be guessed: expected at least %d, such as head -c 32 /dev/urandom | base64 makes", from, len(key), shortestKey)
	}
	return key, nil
}

// makeKey writes a new key, which nobody else may read. Of two runs that make it
// at once, one has its way.
func makeKey(name string) ([]byte, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	text := []byte(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fileError("make the folder", filepath.Dir(name), err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".redact.key.*") // mode 0600
	if err != nil {
		return nil, fileError("write", name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Link(f.Name(), name)
	}
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(name)
	}
	if err != nil {
		return nil, fileError("write", name, err)
	}
	return text, nil
}

// within reports whether the file lies in the folder, or below it.
func within(folder, file string) (bool, error) {
	folder, err := resolved(folder)
	if err != nil {
		return false, err
	}
	if file, err = resolved(file); err != nil {
		return false, err
	}
	rel, err := filepath.Rel(folder, file)
	if err != nil {
		return false, fmt.Errorf("cannot tell where %s is: %w", file, err)
	}
	return rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)), nil
}

// resolved returns the absolute path behind symbolic links, as far as it exists.
func resolved(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("cannot tell where %s is: %w", name, err)
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest), nil
		}
		if dir == filepath.Dir(dir) {
			return abs, nil
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}
