package history

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// steps returns the SQL that leads from each version of the schema to the next,
// from none on. A step that was released is never changed.
func steps() ([]string, error) {
	names, err := fs.Glob(schemaFiles, "schema/*.sql") // sorted
	var texts []string
	for _, name := range names {
		text, e := schemaFiles.ReadFile(name)
		err = errors.Join(err, e)
		texts = append(texts, string(text))
	}
	return texts, err
}

var errSchema = errors.New("schema")

// migrate brings the schema up to date. All of it is one transaction under the
// lock, which is why no tool does it: those that are known don't lock SQLite.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := steps()
	if err != nil {
		return err
	}
	// In most runs there is nothing to do, and readers should not wait for writers.
	if v, err := s.version(ctx, s.db); err == nil && v == len(steps) {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS aimcheck_schema (version BIGINT NOT NULL)"); err != nil {
			return err
		}
		have, err := s.version(ctx, tx)
		if err != nil {
			return err
		}
		if have > len(steps) {
			return fmt.Errorf("%w version %d is newer than this program knows (%d): update aimcheck", errSchema, have, len(steps))
		}
		for i := have; i < len(steps); i++ {
			if _, err := tx.ExecContext(ctx, steps[i]); err != nil {
				return fmt.Errorf("schema version %d: %w", i+1, err)
			}
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO aimcheck_schema (version) VALUES (%d)", i+1)); err != nil {
				return err
			}
		}
		return nil
	})
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func (s *Store) version(ctx context.Context, q querier) (version int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM aimcheck_schema").Scan(&version)
	return version, err
}
