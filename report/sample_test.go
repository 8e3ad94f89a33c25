package report

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// readAt is when the sample's directories were read.
func readAt() time.Time { return time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC) }

// sample is a report made by hand, with something for every part of every
// format and names that are up to no good.
func sample(t testing.TB) *audit.Report {
	t.Helper()
	b := &audit.Builder{
		Okta:       audit.Source{Tenant: "https://acme.okta.example.com", Started: readAt().Add(-time.Minute), Finished: readAt(), Requests: 12},
		Databricks: audit.Source{Tenant: "7d3f1c2e-0000-4000-8000-00000000acme", Finished: readAt(), Notes: []string{"read with SCIM 2.1"}},
	}
	for _, record := range []any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "pat@example.com", Email: "Pat@example.com", FirstName: "Pat", LastName: "Reed"},
		audit.OktaUser{ID: "00u2", Status: "ACTIVE", Login: "pat.b@example.com", Email: "pat@example.com", FirstName: "Pat", LastName: "Bell"},
		audit.OktaUser{ID: "00u3", Status: "ACTIVE", Login: "eva.new@example.com", Email: "eva@example.org", FirstName: "Eva", LastName: "Grün"},
		audit.OktaUser{ID: "00u4", Status: "ACTIVE", Login: `=HYPERLINK("http://x.example.com","hi")@example.com`, Email: "lee@example.com"},
		audit.OktaUser{ID: "00u5", Status: "ACTIVE", Login: "not.there.yet@example.com", Email: "not.there.yet@example.com"},
		audit.OktaGroup{ID: "00g1", Type: "OKTA_GROUP", Name: "Engineering | <b>Core</b>"},
		audit.DatabricksUser{ID: "101", UserName: "pat@example.com", Active: true},
		audit.DatabricksUser{ID: "102", UserName: "eva.old@example.com", ExternalID: "00u3", Active: true},
		audit.DatabricksUser{ID: "103", UserName: "lee@example.com", Active: true},
		audit.DatabricksUser{ID: "104", UserName: "\u202emoc.elpmaxe@live`|\x1b[31m", Active: true},
		audit.DatabricksGroup{ID: "201", DisplayName: "Engineering | <b>Core</b>", ResourceType: "Group"},
		audit.DatabricksServicePrincipal{ID: "301", ApplicationID: "aaaaaaaa-0000-4000-8000-000000000301", DisplayName: "nightly", Active: true},
	} {
		if err := b.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range audit.Inputs()[:5] {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s.Digest = "sha256:" + strings.Repeat("0123456789abcdef", 4)
	r, err := audit.Run(s, nil, audit.Options{Version: "1.2.3-test", Now: readAt(), Expires: 168 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	r.Rules = sampleRules()
	r.Skipped = []audit.Skip{{Rule: "group-member-drift", Reason: "okta_members were not read: add --members"}}
	list := sampleFindings()
	r.Findings = audit.NewFindings(list...)
	r.Counts = map[audit.Severity]int{audit.Blocker: 3, audit.Warning: 2}
	r.Verdict = audit.NotReady
	r.Plan.Operations = []audit.Operation{
		{ID: "op-0001", Action: audit.SetExternalID, Target: databricksUser("103"), Name: "lee@example.com", Field: "externalId",
			To: "00u4", Because: []string{list[1].ID}, Evidence: "userName is the email of exactly one live Okta user",
			Risk: "low", Decision: audit.Approve},
		{ID: "op-0002", Action: audit.SetName, Target: databricksUser("102"), Name: "eva.old@example.com", Field: "name.givenName",
			From: "-Eva", To: "Eva", Because: []string{list[3].ID}, Evidence: "the Okta user has the name", Reversible: true, Risk: "low"},
	}
	r.Plan.Manual = audit.NewManuals([]audit.Manual{
		{Finding: list[0].ID, Remedy: audit.RemedyOkta, What: "give one of the two another email", Candidates: []audit.Subject{}},
		{Finding: list[2].ID, Remedy: audit.RemedyChoose, What: "say whose 101 is", Candidates: []audit.Subject{oktaUser("00u1"), oktaUser("00u2")}},
		{Finding: list[3].ID, Remedy: audit.RemedySupport, What: "ask for a rename", Candidates: []audit.Subject{}},
		{Finding: list[4].ID, Remedy: audit.RemedySupport, What: "ask for a rename", Candidates: []audit.Subject{}},
	}...)
	if err := r.Plan.Seal(readAt(), 168*time.Hour); err != nil {
		t.Fatal(err)
	}
	return r
}

// listed returns the report's findings.
func listed(r *audit.Report) []audit.Finding {
	var list []audit.Finding
	for i := range r.Findings.Len() {
		list = append(list, r.Findings.At(i))
	}
	return list
}

func oktaUser(id string) audit.Subject { return audit.Subject{Kind: audit.OktaUserKind, ID: id} }
func databricksUser(id string) audit.Subject {
	return audit.Subject{Kind: audit.DatabricksUserKind, ID: id}
}

func sampleFindings() []audit.Finding {
	ev := func(s audit.Subject, role, field, value string) audit.Evidence {
		return audit.Evidence{Subject: s, Role: role, Field: field, Value: value}
	}
	fs := []audit.Finding{
		{Rule: "shared-email", Severity: audit.Blocker, Key: "pat@example.com", Remedy: audit.RemedyOkta,
			Subjects: []audit.Subject{oktaUser("00u1"), oktaUser("00u2")},
			Message:  "2 live Okta users share the email pat@example.com",
			Evidence: []audit.Evidence{
				ev(oktaUser("00u1"), "login of", "profile.login", "pat@example.com"),
				ev(oktaUser("00u1"), "email of", "profile.email", "Pat@example.com"),
				ev(oktaUser("00u1"), "status of", "status", "ACTIVE"),
				ev(oktaUser("00u2"), "login of", "profile.login", "pat.b@example.com"),
				ev(oktaUser("00u2"), "email of", "profile.email", "pat@example.com")}},
		{Rule: "missing-external-id", Severity: audit.Blocker, Key: "databricks:user:103", Remedy: audit.RemedyAutomatic,
			Subjects: []audit.Subject{databricksUser("103"), oktaUser("00u4")}, Operations: []string{"op-0001"},
			Message: `Databricks user lee@example.com has no externalId and is =HYPERLINK("http://x.example.com","hi")@example.com`,
			Evidence: []audit.Evidence{
				ev(databricksUser("103"), "userName of", "userName", "lee@example.com"),
				ev(databricksUser("103"), "externalId of", "externalId", ""),
				ev(oktaUser("00u4"), "login of", "profile.login", `=HYPERLINK("http://x.example.com","hi")@example.com`)}},
		{Rule: "ambiguous-username", Severity: audit.Blocker, Key: "databricks:user:101", Remedy: audit.RemedyChoose,
			Subjects: []audit.Subject{databricksUser("101"), oktaUser("00u1"), oktaUser("00u2")},
			Message:  "2 live Okta users could be Databricks user pat@example.com"},
		{Rule: "username-drift", Severity: audit.Warning, Key: "databricks:user:102", Remedy: audit.RemedySupport,
			Subjects: []audit.Subject{databricksUser("102"), oktaUser("00u3")},
			Message:  "Databricks user eva.old@example.com is linked to an Okta user who has another name",
			Evidence: []audit.Evidence{
				ev(databricksUser("102"), "drift of", "userName", "renamed"),
				ev(databricksUser("102"), "target username of", "userName", "eva.new@example.com"),
				ev(databricksUser("102"), "target username of", "userName", "eva@example.org"),
				ev(databricksUser("102"), "userName of", "userName", "eva.old@example.com")}},
		{Rule: "malformed-username", Severity: audit.Warning, Key: "databricks:user:104", Remedy: audit.RemedySupport,
			Subjects: []audit.Subject{databricksUser("104")},
			Message:  "Databricks user \u202emoc.elpmaxe@live`|\x1b[31m has a name that is no email address"},
		{Rule: "missing-name", Severity: audit.Warning, Key: "okta:user:00u4", Remedy: audit.RemedyOkta, Waived: true,
			Subjects: []audit.Subject{oktaUser("00u4")}, Message: "Okta user 00u4 has no last name"},
	}
	for i := range fs {
		fs[i].ID = audit.FindingID(fs[i].Rule, fs[i].Key)
	}
	return fs
}

func sampleRules() (rules []*audit.Rule) {
	for _, name := range []string{"shared-email", "malformed-username", "missing-name", "missing-external-id", "ambiguous-username", "username-drift"} {
		family := map[string]audit.Family{"missing-name": audit.NamesFamily, "username-drift": audit.NamesFamily, "missing-external-id": audit.LinksFamily}[name]
		rules = append(rules, &audit.Rule{Name: name, Severity: audit.Warning, Family: cmp.Or(family, audit.UniquenessFamily),
			Doc: "What " + name + " says\n\n## What\nThe thing of " + name + ",\nin two lines.\n\n## Why\nIt matters.\n\n## How to fix\nMend it.\n"})
	}
	return rules
}

// incomplete is the sample with a listing that was cut.
func incomplete(t testing.TB) *audit.Report {
	b := &audit.Builder{Okta: audit.Source{Tenant: "https://acme.okta.example.com", Files: true}}
	for _, in := range audit.Inputs()[:5] {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: in != audit.DatabricksUsers, Expected: 20000, Received: 12000,
			Reason: "the account's listing ended early with 429 after \x1b[2J five tries: run the audit again when nothing else uses the account, or lower --databricks-rate"})
	}
	if err := b.Add(audit.Undecoded{Input: audit.OktaGroups, Raw: []byte(`{"id":7}`), Error: "id: expected a string"}); err != nil {
		t.Fatal(err)
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r := sample(t)
	r.Head, r.Verdict = s.Head(), audit.Incomplete
	r.Now, r.After = audit.Impact{}, audit.Impact{}
	r.Plan.Snapshot, r.Plan.Databricks = r.Head.Digest, r.Head.Databricks.Tenant
	if err := r.Plan.Seal(readAt(), 168*time.Hour); err != nil {
		t.Fatal(err)
	}
	return r
}

// many returns a report of n findings about n users.
func many(n int) *audit.Report {
	r := &audit.Report{Version: "1.2.3", Rules: sampleRules(), Settings: audit.Settings{SSOClaim: audit.ClaimUnknown, WorkspaceSSOClaim: audit.ClaimUnknown, UnifiedLogin: audit.Unknown}, Plan: &audit.Plan{Schema: audit.PlanSchema}}
	f := sampleFindings()[0]
	for i := range n {
		g := f
		g.Key = strings.Repeat("x", i%7) + "user" + thousands(i) + "@example.com"
		g.ID = audit.FindingID(f.Rule, g.Key)
		g.Message = "2 live Okta users share the email " + g.Key
		g.Subjects = slices.Clone(f.Subjects)
		r.Findings.Add(&g)
	}
	return r
}
