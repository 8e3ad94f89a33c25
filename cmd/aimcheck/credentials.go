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
	scopes := []string{"okta.users.read", "okta.groups.read"}
	if apps {
		scopes = append(scopes, "okta.apps.read")
	}
	c, err := okta.Open(ctx, okta.Config{
		OrgURL:       s.Okta.OrgURL,
		ClientID:     s.Okta.ClientID,
		PrivateKey:   s.Okta.PrivateKey.Reveal(),
		PrivateKeyID: s.Okta.PrivateKeyID,
		Token:        s.Okta.Token.Reveal(),
		UserAgent:    userAgent(),
		Scopes:       scopes,
		Reserve:      s.Okta.Reserve,
		Waiting:      waiting,
		Now:          e.now,
	})
	if errors.Is(err, okta.ErrKey) {
		return nil, usageError(err)
	}
	return c, err
}

func openDatabricks(ctx context.Context, e *env, s *config.Settings, write bool, waiting func(string)) (*databricks.Client, error) {
	d := s.Databricks
	c, err := databricks.Open(ctx, databricks.Config{
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
		Write:        write,
		UserAgent:    userAgent(),
		Waiting:      waiting,
		Now:          e.now,
	})
	var mistake *databricks.SettingsError
	if errors.As(err, &mistake) {
		return nil, usageError(err)
	}
	return c, err
}

func userAgent() string { return "aimcheck/" + version() }
