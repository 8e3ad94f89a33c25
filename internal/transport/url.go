package transport

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// CheckURL parses the address of a directory, such as https://acme.okta.com.
// It must be https, or http to a loopback host, with no path, query or user;
// one trailing slash is dropped. The error says what to write instead.
func CheckURL(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, errors.New("the URL is blank: write one like https://host")
	}
	if !strings.Contains(raw, "://") {
		return nil, fmt.Errorf("%q has no scheme: write https:// before the host", raw)
	}
	u, err := url.Parse(raw)
	if err != nil {
		var reason *url.Error
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return nil, fmt.Errorf("the URL can't be read (%v): write one like https://host", err)
	}
	if u.User != nil {
		return nil, fmt.Errorf("the URL of %q holds a user or password: leave it out", u.Host)
	}
	switch {
	case u.Hostname() == "" || strings.ContainsAny(u.Host, "{}<> "):
		return nil, fmt.Errorf("%q names no host: write one like https://host", raw)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%q is plain http, which is accepted for a loopback host alone: write https://%s", raw, u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q has the scheme %s: write https://%s", raw, u.Scheme, u.Host)
	case u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("%q has a path: write %s://%s", raw, u.Scheme, u.Host)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("%q has a query or fragment: write %s://%s", raw, u.Scheme, u.Host)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
