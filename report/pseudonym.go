package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"hash"
	"io"
	"regexp"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// pseudonyms gives texts names that only the key leads back from: HMAC-SHA-256.
// Equal texts have equal pseudonyms. Texts that are the same name under
// [audit.Fold] have pseudonyms that are, and that differ in their letter case.
// An address stays one, and addresses of one domain stay so.
type pseudonyms struct{ mac hash.Hash }

func newPseudonyms(key []byte) pseudonyms { return pseudonyms{hmac.New(sha256.New, key)} }

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// sum is the keyed hash of a text. What it is of keeps sums of different use apart.
func (p *pseudonyms) sum(of, text string) []byte {
	p.mac.Reset()
	io.WriteString(p.mac, of+"\x00"+text)
	return p.mac.Sum(nil)
}

func (p *pseudonyms) letters(of, text string, n int) string {
	return lowerBase32.EncodeToString(p.sum(of, text))[:n]
}

// oktaID is an id that says what kind of object it is of.
var oktaID = regexp.MustCompile(`^(00[a-z]|0oa)[0-9a-z]+$`)

// text returns the pseudonym of a name, an address or an id. What shows nothing
// stays as it is.
func (p *pseudonyms) text(s string) string {
	if strings.TrimSpace(s) == "" {
		return s
	}
	folded := audit.Fold(s)
	var name, rest string
	if at := strings.LastIndexByte(folded, '@'); at >= 0 {
		name = "u" + p.letters("local", folded[:at], 20)
		rest = "@d" + p.letters("domain", folded[at+1:], 12) + ".example"
	} else {
		kind := "x"
		if oktaID.MatchString(folded) {
			kind = folded[:3]
		}
		name = kind + p.letters("text", folded, 20)
	}
	if s != folded {
		name = p.recased(name, s)
	}
	return name + rest
}

// recased returns the name in letter case that depends on s, and is never lower
// case throughout.
func (p *pseudonyms) recased(name, s string) string {
	bits := p.sum("case", s)
	b := []byte(name)
	last := -1
	for i, c := range b {
		if c < 'a' || c > 'z' {
			continue
		}
		if last = i; bits[i/8%len(bits)]>>(i%8)&1 == 1 {
			b[i] = c - 'a' + 'A'
		}
	}
	if string(b) == name && last >= 0 {
		b[last] = b[last] - 'a' + 'A'
	}
	return string(b)
}

func (p *pseudonyms) subject(s audit.Subject) audit.Subject {
	if s.IsZero() {
		return s
	}
	return audit.Subject{Kind: s.Kind, ID: p.text(s.ID)}
}

func (p *pseudonyms) subjects(list []audit.Subject) []audit.Subject {
	out := make([]audit.Subject, len(list))
	for i, s := range list {
		out[i] = p.subject(s)
	}
	return out
}

// findingKey returns the key of a finding, which is a subject or any text.
func (p *pseudonyms) findingKey(key string) string {
	if s, err := audit.ParseSubject(key); err == nil {
		return p.subject(s).String()
	}
	return p.text(key)
}

// findingID keeps the rule and replaces the rest, which is a hash that anybody
// who guesses the key can make.
func (p *pseudonyms) findingID(id string) string {
	rule, _, ok := cutLast(id, "-")
	if !ok {
		return p.text(id)
	}
	return rule + "-" + hex.EncodeToString(p.sum("finding", id))[:12]
}

func (p *pseudonyms) findingIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = p.findingID(id)
	}
	return out
}

// digest returns what stands for the digest of a snapshot: whoever has the
// snapshot knows its digest.
func (p *pseudonyms) digest(d string) string {
	if d == "" {
		return ""
	}
	return "sha256:" + hex.EncodeToString(p.sum("digest", d))
}

// tenant returns what stands for an org's address or an account's id.
func (p *pseudonyms) tenant(s string) string {
	if scheme, host, ok := strings.Cut(s, "://"); ok && (scheme == "https" || scheme == "http") && host != "" {
		return scheme + "://" + p.text(host) + ".example"
	}
	return p.text(s)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
