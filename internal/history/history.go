// Package history keeps runs and the life of findings in SQL: a SQLite file, or a
// PostgreSQL database for a team. Both have the same schema.
//
// Whatever changes is changed in one transaction under one lock, so that two runs
// at once come one after the other, and a run that dies leaves nothing behind.
package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A Place is where a history is kept.
type Place struct {
	file     string          // of SQLite; blank: PostgreSQL
	postgres *pgx.ConnConfig // holds a password
	shown    string
}

// String returns the place as it may be shown: without a password.
func (p Place) String() string { return p.shown }

// ParsePlace reads the path of a file, or a postgres:// URL. An address that is
// not this machine's is only talked to with TLS.
func ParsePlace(text string) (Place, error) {
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		if text == "" || strings.ContainsRune(text, 0) {
			return Place{}, errors.New("expected the path of a file, or postgres://HOST/DATABASE")
		}
		return Place{file: text, shown: text}, nil
	}
	if scheme != "postgres" && scheme != "postgresql" {
		return Place{}, fmt.Errorf("%s:// is no database that is known: expected the path of a file, or postgres://HOST/DATABASE", scheme)
	}
	u, err := url.Parse(text)
	if err != nil {
		return Place{}, errors.New("not a URL: expected postgres://USER@HOST/DATABASE, with special letters written as %XX") // its own words would quote the password
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return Place{}, fmt.Errorf("not a URL of PostgreSQL: expected postgres://USER@HOST/DATABASE?sslmode=verify-full, with the options of libpq")
	}
	shown := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil && u.User.Username() != "" {
		shown.User = url.User(u.User.Username())
	}
	p := Place{postgres: config, shown: shown.String()}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	return p, p.encrypt()
}

// encrypt sees to it that nothing goes to another machine in the clear.
func (p *Place) encrypt() error {
	local := func(host string) bool {
		return strings.HasPrefix(host, "/") || host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
	}
	c := p.postgres
	if c.TLSConfig == nil && !local(c.Host) {
		return fmt.Errorf("%s would be talked to in the clear: remove sslmode, or say sslmode=verify-full", p)
	}
	kept := c.Fallbacks[:0]
	for _, f := range c.Fallbacks {
		if f.TLSConfig != nil || local(f.Host) {
			kept = append(kept, f)
		}
	}
	c.Fallbacks = kept
	return nil
}

// A Store is an open history.
type Store struct {
	db    *sql.DB
	place Place
}

// Create opens the history, and makes it where there is none.
func Create(ctx context.Context, p Place) (*Store, error) {
	if p.file != "" {
		if err := makeFile(p.file); err != nil {
			return nil, p.failed("open", err)
		}
	}
	s, err := open(p)
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		s.Close()
		return nil, p.failed("open", err)
	}
	return s, nil
}

// Open opens a history that is there.
func Open(ctx context.Context, p Place) (*Store, error) {
	if p.file != "" {
		if _, err := os.Stat(p.file); err != nil {
			return nil, p.failed("open", err)
		}
	}
	return Create(ctx, p)
}

// makeFile makes the file, with its folder, for its owner's eyes alone.
func makeFile(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// patience is how long a run waits for another that writes.
const patience = time.Minute

func open(p Place) (*Store, error) {
	s := &Store{place: p}
	if p.file == "" {
		s.db = stdlib.OpenDB(*p.postgres)
		return s, nil
	}
	path, err := filepath.Abs(p.file)
	if err != nil {
		return s, err
	}
	pragmas := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + strconv.Itoa(int(patience.Milliseconds())) + ")", "foreign_keys(1)", "synchronous(full)"}}
	s.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+pragmas.Encode())
	if err == nil {
		s.db.SetMaxOpenConns(1)
	}
	return s, err
}

// Close closes the history.
func (s *Store) Close() error {
	if s == nil || s.db == nil {
		return nil
	}
	return s.db.Close()
}

// String returns the place of the history.
func (s *Store) String() string { return s.place.String() }

// failed says what went wrong with the history, and what to do about it.
func (p Place) failed(doing string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	code := 0
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		code = e.Code() & 0xff // the rest says more of the same
	}
	advice := "check that the server is up and lets you in"
	switch {
	case errors.Is(err, context.Canceled):
		advice = ""
	case errors.Is(err, errSchema):
		advice = ""
	case p.file == "":
	case errors.Is(err, fs.ErrNotExist):
		advice = "check the path; aimcheck audit --history makes it"
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		advice = "it is no history, or damaged: restore it from a backup, or name another file"
	case code == sqlite3.SQLITE_FULL:
		advice = "make room"
	case code == sqlite3.SQLITE_BUSY:
		advice = "another run has been writing to it for a minute: try again"
	default:
		advice = "check that you may write to it and its folder"
	}
	if advice != "" {
		advice = ": " + advice
	}
	return fmt.Errorf("cannot %s the history %s: %w%s", doing, p, err, advice)
}

// write runs f in a transaction that no other writer of the history is beside.
func (s *Store) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil) // with SQLite this is the lock
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if s.place.file == "" {
		const lock = 0x61696d636865636b // "aimcheck"
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lock)); err != nil {
			return err
		}
	}
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
