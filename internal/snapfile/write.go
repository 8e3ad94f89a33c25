package snapfile

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"

	"github.com/aimcheck/aimcheck/audit"
)

// Seal sets the digest of s to that of its content, the same as [Write] gives.
func Seal(s *audit.Snapshot) {
	c := newContent()
	pool := newBufferPool()
	for b := range c.blocks(s, pool) {
		pool.put(b)
	}
	s.Digest = c.trailer(s).Digest
}

// Write writes s to w as the given version of the tool, and returns the digest
// of its content. It does not close w, and whatever it wrote before an error
// is no snapshot.
func Write(w io.Writer, s *audit.Snapshot, version string) (digestText string, err error) {
	m := manifest{Schema: Schema, Tool: tool{version}, Okta: s.Okta, Databricks: s.Databricks}
	for _, in := range audit.Inputs() {
		m.Readings = append(m.Readings, s.Reading(in))
	}
	head, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("manifest of the snapshot: %w", err)
	}
	z, err := newCompressor()
	if err != nil {
		return "", err
	}
	defer z.Close()

	file := sha256.New()
	out := io.MultiWriter(w, file)
	if _, err := out.Write(z.EncodeAll(append(head, '\n'), nil)); err != nil {
		return "", err
	}
	c, pool := newContent(), newBufferPool()
	compress := func(text []byte) []byte {
		defer pool.put(text)
		return z.EncodeAll(text, nil)
	}
	for frame := range inParallel(c.blocks(s, pool), compress) {
		if _, err := out.Write(frame); err != nil {
			return "", err
		}
	}
	t := c.trailer(s)
	t.File = digest(file)
	if _, err := w.Write(t.frame()); err != nil {
		return "", err
	}
	return t.Digest, nil
}
