package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// A company has a group for every usersPerGroup users, and usersInGroup users in
// each on average.
const (
	usersPerGroup = 20
	usersInGroup  = 500
)

// withGroups returns the tenant with linked groups. One member in a hundred is
// missing on either side. The members stand in Databricks users' own records too.
func withGroups(s *audit.Snapshot) (*audit.Snapshot, error) {
	var build audit.Builder
	var failed error
	add := func(record any) {
		if err := build.Add(record); err != nil {
			failed = err
		}
	}
	for _, in := range audit.Inputs() {
		asked := in.Required() || in == audit.OktaMembers || in == audit.DatabricksMembers
		build.Read(audit.Reading{Input: in, Asked: asked, Complete: asked, Expected: -1})
	}
	build.Okta, build.Databricks = s.Okta, s.Databricks
	for _, o := range s.OktaUsers.All() {
		add(o)
	}
	random := rand.New(rand.NewPCG(uint64(s.DatabricksUsers.Len()), 2))
	in := make([][]audit.Value, s.DatabricksUsers.Len()) // the groups of each Databricks user
	for g := range len(in) / usersPerGroup {
		okta, databricks := fmt.Sprintf("00g%012d5d7", g), strconv.Itoa(2_000_000_000_000_000+g*7919)
		var there, here []audit.Value
		seen := map[int]bool{}
		for range int(usersInGroup * random.ExpFloat64()) {
			n := random.IntN(len(in))
			d := s.DatabricksUsers.At(n)
			if d.ExternalID == "" || seen[n] {
				continue
			}
			seen[n] = true
			missing := random.IntN(100)
			if missing != 0 {
				there = append(there, audit.Value{Value: d.ExternalID})
			}
			if missing != 1 {
				here = append(here, audit.Value{Value: d.ID, Type: "Users/" + d.ID})
				in[n] = append(in[n], audit.Value{Value: databricks, Type: "direct"})
			}
		}
		name := fmt.Sprintf("team %d", g)
		add(audit.OktaGroup{ID: okta, Type: "OKTA_GROUP", Name: name})
		add(audit.OktaGroupMembers{Group: okta, Members: audit.NewValues(there...)})
		add(audit.DatabricksGroup{ID: databricks, DisplayName: name, ExternalID: okta, ResourceType: "Group"})
		add(audit.DatabricksGroupMembers{Group: databricks, Members: audit.NewValues(here...)})
	}
	for n, d := range s.DatabricksUsers.All() {
		d.Groups = audit.NewValues(in[n]...)
		add(d)
	}
	if failed != nil {
		return nil, failed
	}
	return build.Snapshot()
}

// writeGroups writes a tenant of n users with groups into the folder, and prints
// how many memberships it has, of both sides.
func writeGroups(dir string, n int) error {
	s, err := tenant(n)
	if err != nil {
		return err
	}
	if s, err = withGroups(s); err != nil {
		return err
	}
	memberships := 0
	for _, g := range s.OktaMembers.All() {
		memberships += g.Members.Len()
	}
	for _, g := range s.DatabricksMembers.All() {
		memberships += g.Members.Len()
	}
	fmt.Println(memberships)
	return writeFile(dir, snapshotFile, func(w io.Writer) error { _, err := snapfile.Write(w, s, "bench"); return err })
}

// members measures what memberships cost, in a company twice as large as the
// smallest of those that show growth.
func (b *bench) members() error {
	users := 2 * slices.Min(b.extent.sizes)
	dir := filepath.Join(b.dir, "groups")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	say("making a company of %d users in groups", users)
	made, err := b.job("groups", dir, strconv.Itoa(users))
	if err != nil {
		return err
	}
	memberships, err := strconv.ParseFloat(strings.TrimSpace(string(made.out)), 64)
	if err != nil {
		return err
	}
	var micros, memory series
	for range min(b.extent.pairs, 3) {
		c, err := b.audited(dir)
		if err != nil {
			return err
		}
		micros, memory = append(micros, c.cpu*1e6/memberships), append(memory, c.rss/memberships)
	}
	of := fmt.Sprintf("of `audit --format csv` for each membership, %s + %s users in groups, %.1fM memberships", short(users), short(users), memberships/1e6)
	const cmd = "`go run ./internal/bench growth`"
	b.add("growth", "CPU "+of+", microseconds", bound{}, micros, cmd)
	b.add("growth", "resident memory "+of+", bytes", bound{}, memory, cmd)
	return nil
}
