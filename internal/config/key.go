package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
)

// bareKey matches a key without its first line, which must not be shown as if it
// were a path.
var bareKey = regexp.MustCompile(`^[A-Za-z0-9+/=_\s-]{60,}$|[\r\n]`)

var errNoKey = errors.New("neither PEM (-----BEGIN PRIVATE KEY-----) nor JWK ({\"kty\": …}) nor the path of a file with one: give the whole text of the key that Okta's admin console showed when it was made, or its path")

// key returns the text of the private key that v is, or whose path it is. What
// kind of key it is, and whether it is whole, is for the one who signs with it
// to see.
func (v value) key(env Env) (string, error) {
	text := strings.TrimSpace(v.text)
	if looksLikeKey(text) {
		return text, nil
	}
	if bareKey.MatchString(text) {
		return "", errNoKey
	}
	path := text
	if rest, ok := strings.CutPrefix(path, "~/"); ok && env.Home != "" {
		path = filepath.Join(env.Home, rest)
	} else if !filepath.IsAbs(path) {
		path = filepath.Join(v.dir, path)
	}
	data, err := env.ReadFile(path)
	if err != nil {
		return "", plain(path, err)
	}
	if text = strings.TrimSpace(string(data)); !looksLikeKey(text) {
		return "", errNoKey
	}
	return text, nil
}

func looksLikeKey(text string) bool {
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "-----BEGIN")
}
