package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

func oktaOrg(text string) (string, error) {
	const example = "https://example.okta.com"
	u, err := address(text, example)
	if u == nil {
		return "", err
	}
	for _, domain := range []string{".okta.com", ".oktapreview.com", ".okta-emea.com"} {
		if org, ok := strings.CutSuffix(u.Hostname(), "-admin"+domain); ok {
			return "", fmt.Errorf("%q is the address of the admin console: expected the org's own, https://%s%s", text, org, domain)
		}
	}
	return u.String(), nil
}

func databricksHost(text string) (string, error) {
	if text != "" && !strings.Contains(text, "://") {
		text = "https://" + text // as the vendor's tools read it
	}
	u, err := address(text, "https://accounts.cloud.databricks.com")
	if u == nil {
		return "", err
	}
	return u.String(), nil
}

// address reads the URL of a server: no path, no secrets in it, and encrypted
// unless the server is this machine. A blank text is nil.
func address(text, example string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		return nil, fmt.Errorf("the URL holds a user name or password: expected one such as %s", example)
	case !strings.Contains(text, "://") && strings.Contains(text, "."):
		return nil, fmt.Errorf("%q has no https:// before it: expected https://%s", text, strings.Trim(text, "/"))
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https", !portFits(u):
		return nil, fmt.Errorf("%q is no URL of a server: expected one such as %s", text, example)
	case strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("%q has a path: expected the server alone, %s://%s", text, u.Scheme, u.Host)
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return nil, fmt.Errorf("%q is not encrypted: plain http is for this machine alone, use https://%s", text, u.Host)
	}
	// Written in another way it is the same server: a history or a plan knows it by its name.
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	case u.Scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return &url.URL{Scheme: u.Scheme, Host: host}, nil
}

// portFits reports whether there can be a port such as the URL has, if it has one.
func portFits(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	_, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil
}

// IsLoopback reports whether the host, without a port, is this machine alone.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func accountID(text string) (string, error) {
	if text != "" && !uuid.MatchString(text) {
		return "", fmt.Errorf("%q is no account id: expected a UUID such as 12345678-1234-1234-1234-123456789abc, as the account console shows it beside your user name", text)
	}
	return text, nil
}

func percent(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	if err != nil || n < 0 || n > 99 {
		return 0, fmt.Errorf("%q: expected per cent from 0 to 99", text)
	}
	return n, nil
}

func scimVersion(text string) (string, error) {
	if text != "2.1" && text != "2.0" {
		return "", fmt.Errorf("%q: expected 2.1 or 2.0", text)
	}
	return text, nil
}

func threeRates(text string) (rates [3]float64, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != len(rates) {
		err = errors.New("three numbers")
	}
	for i := 0; err == nil && i < len(rates); i++ {
		rates[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		if err == nil && !(rates[i] > 0 && rates[i] <= 1000) {
			err = errors.New("above 0, at most 1000")
		}
	}
	if err != nil {
		return rates, fmt.Errorf("%q: expected three rates above 0 and at most 1000 a second, read,list,write, such as 20,4,2", text)
	}
	return rates, nil
}

func onOff(text string) (audit.Switch, error) {
	switch text {
	case "", string(audit.Unknown):
		return audit.Unknown, nil
	case "true":
		return audit.On, nil
	case "false":
		return audit.Off, nil
	}
	return "", fmt.Errorf("%q: expected true or false", text)
}
