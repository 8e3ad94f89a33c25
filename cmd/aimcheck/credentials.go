package main

import (
	"context"
	"errors"

	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/okta"
)

// This is the one file where secrets are revealed, each to the SDK that signs
// in with it.

func openOkta(ctx context.Context, e *env, s *config.Settings, apps bool, waiting func(string)) (*okta.Client, error) {
	o := oktaConfig(e, s)
	o.Waiting = waiting
	o.Scopes = []string{"okta.users.read", "okta.groups.read"}
	if apps {
		o.Scopes = append(o.Scopes, "okta.apps.read")
	}
	c, err := okta.Open(ctx, o)
	if errors.Is(err, okta.ErrKey) {
		return nil, usageError(err)
	}
	return c, err
}

func oktaConfig(e *env, s *config.Settings) okta.Config {
	return okta.Config{
		OrgURL:       s.Okta.OrgURL,
		ClientID:     s.Okta.ClientID,
		PrivateKey:   s.Okta.PrivateKey.Reveal(),
		PrivateKeyID: s.Okta.PrivateKeyID,
		Token:        s.Okta.Token.Reveal(),
		UserAgent:    userAgent(),
		Reserve:      s.Okta.Reserve,
		Now:          e.now,
	}
}

func openDatabricks(ctx context.Context, e *env, s *config.Settings, write bool, waiting func(string)) (*databricks.Client, error) {
	d := databricksConfig(e, s)
	d.Write, d.Waiting = write, waiting
	c, err := databricks.Open(ctx, d)
	var mistake *databricks.SettingsError
	if errors.As(err, &mistake) {
		return nil, usageError(err)
	}
	return c, err
}

func databricksConfig(e *env, s *config.Settings) databricks.Config {
	d := s.Databricks
	return databricks.Config{
		Host:         d.Host,
		AccountID:    d.AccountID,
		Profile:      d.Profile,
		ClientID:     d.ClientID,
		ClientSecret: d.ClientSecret.Reveal(),
		Token:        d.Token.Reveal(),
		SCIMVersion:  d.SCIM,
		ReadRate:     d.ReadRate,
		ListRate:     d.ListRate,
		WriteRate:    d.WriteRate,
		UserAgent:    userAgent(),
		Now:          e.now,
	}
}

func userAgent() string { return "aimcheck/" + version() }
