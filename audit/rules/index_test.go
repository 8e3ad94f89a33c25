package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// What the index must tell apart, and tenants drawn at random hardly hold.

// linesOf are the findings of one rule, a line each.
func linesOf(t *testing.T, s *audit.Snapshot, set audit.Settings, rule string) []string {
	t.Helper()
	r, err := audit.Run(s, rules.All(), audit.Options{Settings: set, Now: time.Unix(0, 0), Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return collect(those(unpacked(r), func(f audit.Finding) bool { return f.Rule == rule }), line)
}

// Nearly every name takes a short way through Fold.
func TestFoldIsTheOraclesForEveryLetter(t *testing.T) {
	for r := rune(0); r <= 0x1FFFF; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		for _, name := range []string{string(r), "a" + string(r) + "z"} {
			if got, want := audit.Fold(name), oracleFold(name); got != want {
				t.Fatalf("Fold(%+q) is %+q, want %+q", name, got, want)
			}
		}
	}
}

func TestWhoIsOnePerson(t *testing.T) {
	const kim, cyrillic = "kim@example.com", "k\u0456m@example.com"
	okta := func(login, email string) audit.OktaUser {
		return audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: login, Email: email}
	}
	for name, tt := range map[string]struct {
		tenant []any
		one    bool
	}{
		"nothing ties them": {[]any{okta(cyrillic, cyrillic), audit.DatabricksUser{ID: "1", UserName: kim}}, false},
		"the id of one who has a login alone": {
			[]any{okta(cyrillic, ""), audit.DatabricksUser{ID: "1", UserName: kim, ExternalID: "00u1"}}, true},
		"the id of one who has an email alone": {
			[]any{okta("", cyrillic), audit.DatabricksUser{ID: "1", UserName: kim, ExternalID: "00u1"}}, true},
		"an id that Okta doesn't know, which one without a name holds too": {[]any{
			audit.DatabricksUser{ID: "1", ExternalID: "dead"}, audit.DatabricksUser{ID: "2", UserName: kim, ExternalID: "dead"},
			audit.DatabricksUser{ID: "3", UserName: cyrillic, ExternalID: "dead"}}, true},
	} {
		if found := linesOf(t, complete(t, tt.tenant), audit.Settings{}, "lookalike-username"); tt.one != (found == nil) {
			t.Errorf("%s: %q", name, found)
		}
	}
}

func TestOneNameIsNotTwo(t *testing.T) {
	for _, o := range []audit.OktaUser{{Login: "ana@example.com"}, {Email: "ana@example.com"}, {}} {
		o.ID, o.Status = "00u1", "ACTIVE"
		s := complete(t, []any{o, audit.DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "00u1"}})
		if found := linesOf(t, s, audit.Settings{}, "sso-claim-split"); found != nil {
			t.Errorf("login %q, email %q: %q", o.Login, o.Email, found)
		}
	}
}

// The name that a custom claim sends is known of the one app that counts, when its users were read.
func TestWhatTheSSOAppSends(t *testing.T) {
	const drift = "blocker review databricks:user:1: databricks:user:1 okta:user:00u1"
	person := []any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com", Email: "a.reed@example.com"},
		audit.DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "00u1", Active: true},
	}
	sends := func(app, userName string) any { return audit.OktaAppUser{App: app, User: "00u1", UserName: userName} }
	for name, tt := range map[string]struct {
		app    string
		sent   []any
		unread bool
		want   []string
	}{
		"the login":                  {sent: []any{sends("0oa1", "ana@example.com")}},
		"the email":                  {sent: []any{sends("0oa1", "a.reed@example.com")}, want: []string{drift}},
		"nothing":                    {sent: []any{sends("0oa1", "")}},
		"the email, says a part":     {sent: []any{sends("0oa1", "a.reed@example.com")}, unread: true},
		"by two apps":                {sent: []any{sends("0oa1", "a.reed@example.com"), sends("0oa2", "a.reed@example.com")}},
		"by two apps, one named":     {app: "0oa2", sent: []any{sends("0oa1", "ana@example.com"), sends("0oa2", "a.reed@example.com")}, want: []string{drift}},
		"by two apps, the other one": {app: "0oa1", sent: []any{sends("0oa1", "ana@example.com"), sends("0oa2", "a.reed@example.com")}},
		"by another app":             {app: "0oa3", sent: []any{sends("0oa1", "a.reed@example.com")}},
	} {
		s := complete(t, slices.Concat(person, tt.sent))
		if tt.unread {
			s = without(t, audit.OktaAppUsers, slices.Concat(person, tt.sent))
		}
		set := audit.Settings{SSOClaim: audit.ClaimOther, OktaApp: tt.app}
		if got := linesOf(t, s, set, "username-drift"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// Where it is not known what the SSO app sends, a drift that is not found says
// nothing: the history must not take it for mended.
func TestWhatTheSSOAppSendsWasNotRead(t *testing.T) {
	drift := audit.Finding{Rule: "username-drift", Key: "databricks:user:1"}
	skips := func(s *audit.Snapshot, claim audit.Claim) (all []string) {
		r, err := audit.Run(s, rules.All(), audit.Options{Settings: audit.Settings{SSOClaim: claim}, Now: time.Unix(0, 0), Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Skipped {
			if s.Covers(&drift) {
				all = append(all, s.Reason)
			}
		}
		return all
	}
	want := []string{"usernames that the SSO app sends: okta_app_users were not read completely"}
	if got := skips(without(t, audit.OktaAppUsers, nil), audit.ClaimOther); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for name, got := range map[string][]string{
		"another claim": skips(without(t, audit.OktaAppUsers, nil), audit.ClaimLogin), "all was read": skips(complete(t, nil), audit.ClaimOther),
	} {
		if len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The userName is the name that is not sent, in letters of its own besides.
func TestClaimComesBeforeCase(t *testing.T) {
	s := complete(t, []any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com", Email: "a.reed@example.com"},
		audit.DatabricksUser{ID: "1", UserName: "A.Reed@example.com", ExternalID: "00u1", Active: true},
	})
	for claim, want := range map[audit.Claim]string{
		audit.ClaimUnknown: "warning support", audit.ClaimEmail: "warning support", audit.ClaimLogin: "blocker review",
	} {
		got := linesOf(t, s, audit.Settings{SSOClaim: claim}, "username-drift")
		if !slices.Equal(got, []string{want + " databricks:user:1: databricks:user:1 okta:user:00u1"}) {
			t.Errorf("claim %s: %q", claim, got)
		}
	}
}

// A userName that is in lower case is not what Okta sends where that has capitals,
// and one that is blank is nobody's, not even that of who has no email.
func TestCapitalsInOkta(t *testing.T) {
	const about = " databricks:user:1: databricks:user:1 okta:user:00u1"
	for _, tt := range []struct {
		userName, login, email string
		unknown, byLogin       string
	}{
		{"ana@example.com", "Ana@example.com", "", "warning support", "warning support"},
		{"ana@example.com", "Ana@example.com", "ANA@example.com", "warning support", "warning support"},
		{"ana@example.com", "Ana@example.com", "ana@example.com", "", "warning support"},
		{"ana@example.com", "bo@example.com", "Ana@example.com", "warning support", "blocker review"},
		{"", "ana@example.com", "", "blocker support", "blocker support"},
		{"", "", "ana@example.com", "blocker support", "blocker support"},
	} {
		s := complete(t, []any{audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: tt.login, Email: tt.email},
			audit.DatabricksUser{ID: "1", UserName: tt.userName, ExternalID: "00u1", Active: true}})
		for claim, want := range map[audit.Claim]string{audit.ClaimUnknown: tt.unknown, audit.ClaimLogin: tt.byLogin} {
			var lines []string
			if want != "" {
				lines = []string{want + about}
			}
			if got := linesOf(t, s, audit.Settings{SSOClaim: claim}, "username-drift"); !slices.Equal(got, lines) {
				t.Errorf("%q of %q, %q, with the claim %q: %q, want %q", tt.userName, tt.login, tt.email, claim, got, lines)
			}
		}
	}
}

// A collision of the Databricks user alone keeps it from being linked, too.
func TestNothingAutomaticOfWhatCollides(t *testing.T) {
	tenant := []any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com"}, audit.DatabricksUser{ID: "1", UserName: "ana@example.com", ExternalID: "dead"},
		audit.DatabricksUser{ID: "2", UserName: "nobody@example.com", ExternalID: "dead"},
	}
	const about = " databricks:user:1: databricks:user:1 okta:user:00u1"
	for _, tt := range []struct {
		tenant []any
		want   string
	}{{tenant[:2], "blocker automatic" + about}, {tenant, "blocker choose" + about}} {
		if got := linesOf(t, complete(t, tt.tenant), audit.Settings{}, "unknown-external-id"); got[0] != tt.want {
			t.Errorf("of %d: %q, want %q", len(tt.tenant), got, tt.want)
		}
	}
}

// Nobody is linked without asking while it is not known who holds which id.
func TestNothingAutomaticOfWhatWasNotRead(t *testing.T) {
	tenant := []any{
		audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "ana@example.com"}, audit.DatabricksUser{ID: "1", UserName: "ana@example.com"},
		audit.OktaGroup{ID: "00g1", Name: "One"}, audit.DatabricksGroup{ID: "2", DisplayName: "One"},
	}
	automatic := func(s *audit.Snapshot) int {
		r := report(t, s)
		return len(those(unpacked(r), func(f audit.Finding) bool {
			return f.Rule == "missing-external-id" && f.Remedy == audit.RemedyAutomatic
		}))
	}
	if n := automatic(complete(t, tenant)); n != 2 {
		t.Fatalf("%d are automatic when all was read", n)
	}
	for _, in := range []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals} {
		if n := automatic(without(t, in, tenant)); n != 0 {
			t.Errorf("without %s %d are automatic", in, n)
		}
	}
}

// without builds a snapshot in which one input was not read to its end.
func without(t *testing.T, missing audit.Input, tenant []any) *audit.Snapshot {
	t.Helper()
	var b audit.Builder
	for _, in := range audit.Inputs() {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: in != missing})
	}
	for _, r := range tenant {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A member that is in no listing is nobody, once.
func TestStrangerIsCountedOnce(t *testing.T) {
	for _, f := range unpacked(report(t, complete(t, crowd()))) {
		for _, e := range f.Evidence {
			if e.Subject.IsZero() {
				t.Errorf("%s has evidence about nothing: %+v", f.ID, e)
			}
		}
		if f.Rule == "group-member-drift" && !strings.HasSuffix(f.Message, ": 1 AIM can't know") {
			t.Errorf("message %q", f.Message)
		}
	}
}
