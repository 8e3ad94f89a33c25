package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
)

// path matches what may be shown as the path of a file that can't be read. All
// else could be a secret: part of a key, or a token in the wrong place.
var path = regexp.MustCompile(`(?i)^[^"'{}\\\r\n]{1,250}\.(pem|key|jwk|json|txt|p8|der)$`)

var errNoKey = errors.New("neither PEM (-----BEGIN PRIVATE KEY-----) nor JWK ({\"kty\": …}) nor the path of a file with one: give the whole text of the key that Okta's admin console showed when it was made, or its path")

// key returns the text of the private key that v is, or whose path it is. What
// kind of key it is, and whether it is whole, is for the one who signs with it
// to see.
func (v value) key(env Env) (string, error) {
	text := unquoted(v.text)
	if looksLikeKey(text) {
		return text, nil
	}
	file := v.path(env, text)
	data, err := env.ReadFile(file)
	switch {
	case err != nil && path.MatchString(text):
		return "", plain(file, err)
	case err != nil:
		return "", errNoKey
	}
	if text = strings.TrimSpace(string(data)); !looksLikeKey(text) {
		return "", errNoKey
	}
	return text, nil
}

// path returns the file that a text names: relative to where it was said.
func (v value) path(env Env, text string) string {
	if rest, ok := strings.CutPrefix(text, "~/"); ok && env.Home != "" {
		return filepath.Join(env.Home, rest)
	}
	if filepath.IsAbs(text) {
		return text
	}
	return filepath.Join(v.dir, text)
}

// unquoted takes away the quotes that some loaders of environment files leave on.
func unquoted(text string) string {
	text = strings.TrimSpace(text)
	for _, q := range []string{`"`, "'"} {
		if inner, ok := strings.CutPrefix(text, q); ok {
			if inner, ok := strings.CutSuffix(inner, q); ok {
				text = strings.TrimSpace(inner)
			}
		}
	}
	return text
}

func looksLikeKey(text string) bool {
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "-----BEGIN")
}
