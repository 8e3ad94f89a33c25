package snapfile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"iter"

	"github.com/aimcheck/aimcheck/audit"
)

// Schema is the version of the format, as the manifest names it.
const Schema = "aimcheck.snapshot/v1"

type manifest struct {
	Schema     string          `json:"schema"`
	Tool       tool            `json:"tool"`
	Okta       audit.Source    `json:"okta"`
	Databricks audit.Source    `json:"databricks"`
	Readings   []audit.Reading `json:"readings"`
}

type tool struct {
	Version string `json:"version"`
}

type trailer struct {
	Lines      map[string]int `json:"lines"`      // by kind, where there are any
	Okta       string         `json:"okta"`       // digest of its content
	Databricks string         `json:"databricks"` // digest of its content
	Digest     string         `json:"digest"`     // of both
	File       string         `json:"file"`       // digest of the bytes before the trailer's frame
}

// content is what the lines of a snapshot add up to.
type content struct {
	lines            map[string]int
	okta, databricks hash.Hash
}

func newContent() *content {
	return &content{map[string]int{}, sha256.New(), sha256.New()}
}

func (c *content) of(k *kind) hash.Hash {
	if k.okta {
		return c.okta
	}
	return c.databricks
}

// blocks yields the lines of s in blocks of about [frameText], and counts them.
// The blocks are from pool, and whoever gets one puts it back.
func (c *content) blocks(s *audit.Snapshot, pool bufferPool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		e := &encoder{pool.get()}
		for _, k := range kinds() {
			counted, n, more := len(e.b), 0, true
			k.write(s, e, func() bool {
				n++
				if len(e.b) >= frameText {
					c.of(&k).Write(e.b[counted:])
					more = yield(e.b)
					e.b, counted = pool.get(), 0
				}
				return more
			})
			if !more {
				return
			}
			c.of(&k).Write(e.b[counted:])
			if n > 0 {
				c.lines[k.tag] = n
			}
		}
		if len(e.b) > 0 {
			yield(e.b)
		}
	}
}

// trailer closes the content of s, all lines of which were counted.
func (c *content) trailer(s *audit.Snapshot) trailer {
	t := trailer{Lines: c.lines}
	t.Okta = closeSource(c.okta, s.Okta, true, s)
	t.Databricks = closeSource(c.databricks, s.Databricks, false, s)
	t.Digest = digestOf(t.Okta, t.Databricks)
	return t
}

// frame is the trailer's frame.
func (t trailer) frame() []byte { return plainFrame(jsonLine(map[string]trailer{"trailer": t})) }

// digestOf is the digest of the content of both sources, from those of each.
func digestOf(okta, databricks string) string {
	h := sha256.New()
	h.Write([]byte(Schema + "\n" + okta + "\n" + databricks + "\n"))
	return digest(h)
}

// closeSource adds to h what counts of a source besides its records.
func closeSource(h hash.Hash, source audit.Source, okta bool, s *audit.Snapshot) string {
	type input struct {
		Asked    bool `json:"asked"`
		Complete bool `json:"complete"`
	}
	inputs := map[string]input{}
	for _, in := range audit.Inputs() {
		if r := s.Reading(in); in.Okta() == okta && (r.Asked || r.Complete) {
			inputs[in.String()] = input{r.Asked, r.Complete}
		}
	}
	h.Write(jsonLine(struct {
		Tenant string           `json:"tenant"`
		Files  bool             `json:"files"`
		Inputs map[string]input `json:"inputs"`
	}{source.Tenant, source.Files, inputs}))
	return digest(h)
}

func digest(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

// jsonLine is v as a line of JSON. Maps are sorted by key.
func jsonLine(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types here can always be marshaled
	}
	return append(b, '\n')
}
