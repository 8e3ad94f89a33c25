package main

import (
	"context"
	"io"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/okta"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// An imported is a listing that can be taken from a file of the vendor's JSON.
type imported struct {
	flag string
	what string
	read func(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error)
}

func imports() []imported {
	return []imported{
		{"okta-users", "Okta users", okta.ReadUsers},
		{"okta-groups", "Okta groups", okta.ReadGroups},
		{"okta-apps", "Okta apps", okta.ReadApps},
		{"databricks-users", "Databricks users", databricks.ReadUsers},
		{"databricks-groups", "Databricks groups", databricks.ReadGroups},
		{"databricks-service-principals", "Databricks service principals", databricks.ReadServicePrincipals},
		{"databricks-workspaces", "Databricks workspaces", databricks.ReadWorkspaces},
	}
}

// importSnapshot makes a snapshot from files, by flag.
func importSnapshot(ctx context.Context, e *env, settings *config.Settings, files map[string]*string) (*audit.Snapshot, error) {
	b := &audit.Builder{}
	now := e.now().UTC()
	b.Okta = audit.Source{Tenant: settings.Okta.OrgURL, Started: now, Finished: now}
	b.Databricks = audit.Source{Tenant: settings.Databricks.AccountID, Started: now, Finished: now}
	for _, i := range imports() {
		name := *files[i.flag]
		if name == "" {
			continue
		}
		if err := importFile(ctx, b, i, name); err != nil {
			return nil, err
		}
	}
	snap, err := b.Snapshot()
	if err != nil {
		return nil, err
	}
	snapfile.Seal(snap)
	return snap, nil
}

func importFile(ctx context.Context, b *audit.Builder, i imported, name string) error {
	f, err := openFile(name)
	if err != nil {
		return err
	}
	defer f.Close()
	members := 0
	reading, err := i.read(f, name, func(p audit.Page) error {
		for _, record := range p.Records {
			if _, ok := record.(audit.DatabricksGroupMembers); ok {
				members++
			}
			if err := b.Add(record); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	b.Read(reading)
	if members > 0 { // a file that lists members lists them all: the giver's word
		b.Read(audit.Reading{Input: audit.DatabricksMembers, Asked: true, Complete: reading.Complete, API: reading.API, Expected: -1, Received: members})
	}
	if reading.Input.Okta() {
		b.Okta.Files = true
	} else {
		b.Databricks.Files = true
	}
	return nil
}
