package report

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// hostileNames are that are up to no good.
func hostileNames() []string {
	return []string{
		`<script>document.title='owned'</script>@example.com`,
		`"><img src=x onerror=alert(1)>@example.com`,
		`</script><script>alert(1)</script>@example.com`,
		`<!--<script>@example.com`,
		`=HYPERLINK("http://x.example.com","hi")@example.com`,
		"\u202emoc.elpmaxe@ecila",
		"zero\u200bwidth@example.com",
		"nul\x00bell\x07@example.com",
		"bad\xff\xfeutf8@example.com",
		"line\u2028break\nfeed@example.com",
		"👩‍💻😀@example.com",
		"{{constructor}}${alert(1)}@example.com",
		"two  spaces@example.com",
		strings.Repeat("long", 2_500) + "@example.com",
	}
}

// pageCompany is a report of n people who are in both directories, with some of each
// kind of trouble and with the hostile names, made by the rules themselves.
func pageCompany(t testing.TB, n int) *audit.Report {
	t.Helper()
	b := &audit.Builder{
		Okta:       audit.Source{Tenant: "https://acme.okta.example.com", Finished: readAt()},
		Databricks: audit.Source{Tenant: "7d3f1c2e-0000-4000-8000-00000000acme", Finished: readAt()},
	}
	add := func(record any) {
		if err := b.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		id, name := fmt.Sprintf("00u%07dAbCdEfGh5d7", i), fmt.Sprintf("person.%d@example.com", i)
		o := audit.OktaUser{ID: id, Status: "ACTIVE", Login: name, Email: name, FirstName: "Sam", LastName: fmt.Sprint("Reed ", i)}
		d := audit.DatabricksUser{ID: fmt.Sprint(100_000 + i), UserName: name, ExternalID: id, GivenName: "Sam", FamilyName: o.LastName, Active: true}
		switch i % 10 {
		case 1: // blank, automatic
			d.ExternalID = ""
		case 2: // of nobody
			d.ExternalID = "00uGone" + fmt.Sprint(i)
		case 3: // renamed
			d.UserName = "former." + name
		case 4: // one email for two
			add(audit.OktaUser{ID: id + "x", Status: "ACTIVE", Login: "other." + name, Email: name, FirstName: "Eva", LastName: "Gray"})
			d.ExternalID = ""
		case 5: // two records
			add(audit.DatabricksUser{ID: fmt.Sprint(900_000_000 + i), UserName: strings.ToUpper(name), GivenName: "Sam", FamilyName: o.LastName, Active: true})
		case 6:
			d.FamilyName = "Other"
		}
		add(o)
		add(d)
	}
	for i := range 120 { // more than anybody chooses from
		add(audit.OktaUser{ID: fmt.Sprintf("00uCrowd%03d", i), Status: "ACTIVE", Login: fmt.Sprintf("crowd.%d@example.com", i), Email: "crowd@example.com", FirstName: "Sam", LastName: "Crowd"})
	}
	add(audit.DatabricksUser{ID: "800000000", UserName: "crowd@example.com", GivenName: "Sam", FamilyName: "Crowd", Active: true})
	add(audit.OktaGroup{ID: "00gAlone", Type: "OKTA_GROUP", Name: "only in Okta"}) // few beside many: the picture's thinnest flow is its last
	add(audit.OktaGroup{ID: "00gDrift", Type: "OKTA_GROUP", Name: "Research"})
	add(audit.DatabricksGroup{ID: "650000000", DisplayName: "Labs", ExternalID: "00gDrift", ResourceType: "Group"})
	add(audit.DatabricksUser{ID: "660000000", UserName: "local@example.com", GivenName: "Lo", FamilyName: "Cal", Active: true})
	add(audit.OktaUser{ID: "00uAdmin", Status: "ACTIVE", Login: "admin@example.com", Email: "admin@example.com", FirstName: "Ada", LastName: "Reed"})
	add(audit.DatabricksUser{ID: "700000000", UserName: "admin@example.com", GivenName: "Ada", FamilyName: "Reed", Active: true, Roles: audit.NewValues(audit.Value{Value: "account_admin"})})
	for i, name := range hostileNames() {
		add(audit.DatabricksUser{ID: fmt.Sprint(500_000_000 + i), UserName: name, Active: true})
		add(audit.OktaUser{ID: fmt.Sprint("00uH", i), Status: "ACTIVE", Login: name, Email: name, FirstName: name, LastName: "H"})
		add(audit.DatabricksGroup{ID: fmt.Sprint(600_000_000 + i), DisplayName: name, ResourceType: "Group"})
		add(audit.OktaGroup{ID: fmt.Sprint("00gH", i), Type: "OKTA_GROUP", Name: name})
	}
	for _, in := range audit.Inputs()[:5] {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s.Digest = "sha256:" + strings.Repeat("0123456789abcdef", 4)
	r, err := audit.Run(s, rules.All(), audit.Options{Version: "1.2.3-test", Now: readAt(), Expires: 168 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var blockElement = regexp.MustCompile(`<script type="application/gzip" data-block="([a-z]+)">([^<]*)</script>`)

// openedPage returns the page with its style and code left out and its blocks as
// the JSON that is in them, a member a line.
func openedPage(t tester, page []byte) string {
	t.Helper()
	without := func(open, end string) {
		i, j := bytes.Index(page, []byte(open)), bytes.LastIndex(page, []byte(end))
		if i < 0 || j < i {
			t.Fatalf("the page has no %s", open)
		}
		page = slices.Concat(page[:i], []byte(strings.Replace(open, ">", "/>", 1)), page[j+len(end):])
	}
	without("<style>", "</style>")
	without("<script>", "</script>")
	page = regexp.MustCompile(`sha256-[A-Za-z0-9+/=]+`).ReplaceAll(page, []byte("sha256-…"))
	return blockElement.ReplaceAllStringFunc(string(page), func(element string) string {
		m := blockElement.FindStringSubmatch(element)
		zipped, err := base64.StdEncoding.DecodeString(m[2])
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(zipped))
		if err != nil {
			t.Fatal(err)
		}
		block, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(block) {
			t.Fatalf("the block %s is no JSON: %.200s", m[1], block)
		}
		return "block " + m[1] + "\n" + strings.ReplaceAll(string(block), "],\"", "],\n\"")
	})
}

// Nothing but the page's own style and code can run, and both are what the policy says.
func TestPagePolicy(t *testing.T) {
	page := write(t, File{Write: pageHTML}, pageCompany(t, 20))
	_, policy, ok := strings.Cut(string(page[:2000]), `http-equiv="Content-Security-Policy" content="`)
	policy, _, ok2 := strings.Cut(policy, `"`)
	if !ok || !ok2 || !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Fatalf("the policy is %q", policy)
	}
	for _, element := range []struct{ open, end, directive string }{
		{"<style>", "</style>", "style-src"}, {"<script>", "</script>", "script-src"},
	} {
		parts := bytes.Split(page, []byte(element.open))
		if len(parts) != 2 {
			t.Fatalf("there are %d of %s: expected one", len(parts)-1, element.open)
		}
		text, _, _ := bytes.Cut(parts[1], []byte(element.end))
		sum := sha256.Sum256(text)
		if want := element.directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	html, _, _ := strings.Cut(openedPage(t, page), `<script type="application/json"`)
	if bad := regexp.MustCompile(`<[^>]* (style|src|on[a-z]+)=[^>]*>|javascript:|@import|url\(`).FindString(html); bad != "" {
		t.Errorf("the page has %q", bad)
	}
}

// What is in the page's plain HTML is text.
func TestPageEscapes(t *testing.T) {
	r := pageCompany(t, 1)
	for _, name := range hostileNames() {
		f := audit.Finding{Rule: "missing-name", Severity: audit.Blocker, ID: audit.FindingID("missing-name", name), Key: name, Message: name,
			Subjects: []audit.Subject{{Kind: audit.DatabricksUserKind, ID: name}}}
		r.Findings = audit.NewFindings(append([]audit.Finding{f}, listed(r)...)...)
		r.Skipped = append(r.Skipped, audit.Skip{Rule: "missing-name", Reason: name})
		r.Head.Okta.Notes = append(r.Head.Okta.Notes, name)
		r.Head.Okta.Tenant, r.Version = name, name
		page := write(t, File{Write: pageHTML}, r)
		head, _, _ := bytes.Cut(page, []byte(`<script type="application/json"`))
		for _, bad := range []string{"<script>", "<img", "<!--<", "\u202e", "\u200b", "\x00", "\u2028"} {
			if bytes.Contains(head, []byte(bad)) {
				t.Errorf("%.60q: the page has %q", name, bad)
			}
		}
		if n := bytes.Count(page, []byte("<script")); n != 2+len(blockElement.FindAll(page, -1)) {
			t.Errorf("%.60q: the page has %d script elements", name, n)
		}
	}
}

func TestPageIsTheSameEachTime(t *testing.T) {
	if !bytes.Equal(write(t, File{Write: pageHTML}, pageCompany(t, 50)), write(t, File{Write: pageHTML}, pageCompany(t, 50))) {
		t.Error("the same report gave different pages")
	}
}

// Above the limit the page leaves out who has no finding, and says so.
func TestPageOfTooMany(t *testing.T) {
	r := pageCompany(t, 10)
	rows := func(yield func(audit.CrosswalkRow) bool) {
		for row := range r.Crosswalk() {
			if !yield(row) {
				return
			}
		}
		for i := range crosswalkLimit {
			if !yield(audit.CrosswalkRow{Subject: databricksUser(fmt.Sprint("x", i)), Name: "nobody.has.a.finding", Now: audit.Linked, AfterPlan: audit.Linked}) {
				return
			}
		}
	}
	for _, test := range []struct {
		rows    func(func(audit.CrosswalkRow) bool)
		partial bool
	}{{r.Crosswalk(), false}, {rows, true}} {
		var b bytes.Buffer
		if err := writePage(&b, r, test.rows); err != nil {
			t.Fatal(err)
		}
		page := openedPage(t, b.Bytes())
		if got := strings.Contains(page, `"partial":true`); got != test.partial {
			t.Errorf("partial is %v", got)
		}
		if strings.Contains(page, "nobody.has.a.finding") {
			t.Error("an identity without any finding is listed")
		}
		if listed := strings.Contains(page, "person.1@example.com"); !listed {
			t.Error("an identity with a finding is not listed")
		}
	}
}

// The libraries are the files that were pinned.
func TestPageLibraries(t *testing.T) {
	sums, err := os.ReadFile("assets/lib/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d checksums: expected those of lib.min.js and LICENSES.txt", len(lines))
	}
	total := 0
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		text, err := assets.ReadFile("assets/lib/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got := sha256.Sum256(text)
		if hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s is not what SHA256SUMS says: run make report-assets", name)
		}
		total += len(text)
	}
	if total > 1<<20 {
		t.Errorf("the libraries are %d bytes: 1 MB at most", total)
	}
	if licenses, _ := assets.ReadFile("assets/lib/LICENSES.txt"); bytes.Contains(licenses, []byte("*/")) {
		t.Error("a licence would end the comment that it stands in")
	}
	for _, name := range scripts() {
		if text, err := assets.ReadFile("assets/js/" + name + ".js"); err != nil || bytes.Contains(text, []byte("</script")) {
			t.Errorf("%s.js: %v, or it would end the element that it stands in", name, err)
		}
	}
}

// What people are told to do is in the page as it stands beside it.
func TestPageCarriesTheFilesToSend(t *testing.T) {
	r := pageCompany(t, 30)
	page := openedPage(t, write(t, File{Write: pageHTML}, r))
	for _, f := range allFiles(t) {
		if !slices.Contains([]string{"support-ticket.md", "okta-changes.csv"}, f.Name) {
			continue
		}
		want := string(appendText([]byte(`{"name":"`+f.Name+`","text":`), string(write(t, f, r))))
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in the page", f.Name)
		}
	}
}
