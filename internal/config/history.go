package config

import (
	"fmt"
	"net/url"
	"strings"
)

// history reads where the history is kept: a path is relative to where it was said.
func (l *loading) history() {
	v := get(l.layers, History)
	switch {
	case v.text == "":
	case !strings.Contains(v.text, "://"):
		l.settings.History = NewSecret(v.path(l.env, v.text))
	case v.from == "--"+History && hasPassword(v.text):
		l.wrong(History, fmt.Errorf("%s: a password on a command line can be seen by others: set %s instead, or keep the password in ~/.pgpass", v.from, byName[History].Env))
	default:
		l.settings.History = NewSecret(v.text)
	}
}

// notify reads who is told what is new.
func (l *loading) notify() {
	l.settings.Notify = NewSecret(l.text(Notify))
	l.settings.NotifySecret = NewSecret(l.text(NotifySecret))
}

// hasPassword reports whether a URL holds a password, as far as it is one.
func hasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return strings.Contains(text, "@")
	}
	_, has := u.User.Password()
	return has || u.Query().Has("password")
}
