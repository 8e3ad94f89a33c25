package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aimcheck/aimcheck/audit"
)

var knownRules = []string{"missing-external-id", "shared-email"}

const goodWaivers = `# what we live with
waivers:
  - rule: missing-external-id
    subjects:
      - okta:user:00u1
      - databricks:user:123
    owner: data-platform
    reason: a robot, "moved" by March
    expires: 2027-03-31
    accept_blocker: true
  -
    rule: shared-email
    pattern: "svc-*@example.com"
    owner: "42"
    reason: >
      two boxes,
      one address
    expires: "2026-12-31"
`

func TestWaivers(t *testing.T) {
	s, err := Load(world(map[string]string{"AIMCHECK_WAIVERS": "ops/waivers.yaml"}, nil), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Waivers(world(nil, map[string]string{"ops/waivers.yaml": goodWaivers}), knownRules)
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Waiver{
		{Rule: "missing-external-id", Subjects: []audit.Subject{{Kind: audit.DatabricksUserKind, ID: "123"}, {Kind: audit.OktaUserKind, ID: "00u1"}},
			Owner: "data-platform", Reason: `a robot, "moved" by March`, Expires: "2027-03-31", AcceptBlocker: true, Where: "ops/waivers.yaml:3"},
		{Rule: "shared-email", Pattern: "svc-*@example.com", Owner: "42", Reason: "two boxes, one address", Expires: "2026-12-31", Where: "ops/waivers.yaml:12"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A waivers file that is named and not there is an error; one named in a config
// file stands beside it.
func TestWaiversFile(t *testing.T) {
	files := map[string]string{"conf/aimcheck.yaml": "waivers: w.yaml\n"}
	s, err := Load(world(nil, files), Flags{File: "conf/aimcheck.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Waivers(world(nil, files), knownRules)
	if err == nil || !strings.Contains(err.Error(), "conf/aimcheck.yaml:1: waivers: cannot read conf/w.yaml") {
		t.Errorf("%v", err)
	}
	files["conf/w.yaml"] = "waivers:\n"
	if got, err := s.Waivers(world(nil, files), knownRules); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if s, err = Load(world(nil, nil), Flags{}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Waivers(world(nil, nil), knownRules); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRefusedWaivers(t *testing.T) {
	// good is the first waiver of goodWaivers on lines 2 to 6.
	const good = "waivers:\n- rule: shared-email\n  pattern: svc-*\n  owner: me\n  reason: so\n  expires: 2027-03-31\n"
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, test := range map[string]struct{ text, want string }{
		"blank":             {"", `w.yaml:1: expected a list of waivers under the key "waivers"`},
		"a list alone":      {"- rule: shared-email\n", "w.yaml:1: expected a list of waivers"},
		"unknown top key":   {change("waivers", "waiver"), `w.yaml:1: unknown key "waiver": did you mean "waivers"?`},
		"unknown key":       {change("owner", "ownr"), `w.yaml:4: unknown key "ownr": did you mean "owner"?`},
		"strange key":       {change("owner", "valid-from"), `w.yaml:4: unknown key "valid-from": expected one of`},
		"no owner":          {change("  owner: me\n", ""), "w.yaml:2: owner is missing"},
		"blank owner":       {change("me", `" "`), "w.yaml:2: owner is missing"},
		"no reason":         {change(" so\n", "\n"), "w.yaml:2: reason is missing"},
		"no rule":           {"waivers:\n- pattern: svc-*\n", "w.yaml:2: rule is missing"},
		"no expiry":         {change("  expires: 2027-03-31\n", ""), "w.yaml:2: expires is missing"},
		"a bad day":         {change("2027-03-31", "2027-02-30"), `w.yaml:6: expires: "2027-02-30": expected the last day`},
		"a day with a time": {change("2027-03-31", "2027-03-31T00:00:00Z"), "w.yaml:6: expires: "},
		"unknown rule":      {change("shared-email", "shared-mail"), `w.yaml:2: rule: unknown rule "shared-mail": did you mean "shared-email"?`},
		"neither":           {change("  pattern: svc-*\n", ""), "w.yaml:2: expected either subjects or pattern"},
		"both":              {change("pattern: svc-*", "pattern: svc-*\n  subjects: [okta:user:1]"), "w.yaml:2: expected either subjects or pattern"},
		"everything":        {change("svc-*", `"*"`), `w.yaml:3: pattern: "*" is too wide`},
		"a whole domain":    {change("svc-*", `"*@example.com"`), `w.yaml:3: pattern: "*@example.com" is too wide`},
		"scattered letters": {change("svc-*", `"a*b*c*@example.com"`), "is too wide"},
		"not a list":        {change("pattern: svc-*", "subjects: okta:user:1"), "w.yaml:3: subjects: expected a list"},
		"no subjects":       {change("pattern: svc-*", "subjects: []"), "w.yaml:3: subjects: expected a list"},
		"not a subject":     {change("pattern: svc-*", "subjects: [ana@example.com]"), `w.yaml:3: subjects: subject "ana@example.com": expected a directory`},
		"a subject twice":   {change("pattern: svc-*", "subjects: [okta:user:1, okta:user:1]"), "w.yaml:3: subjects: okta:user:1 is there twice"},
		"twice":             {good + strings.TrimPrefix(change("svc-*", "SVC-*"), "waivers:\n"), "w.yaml:7: the same rule and subjects as at w.yaml:2: remove one"},
		"a key twice":       {good + "  owner: you\n", "w.yaml:7: "},
		"maybe":             {good + "  accept_blocker: maybe\n", "w.yaml:7: accept_blocker: expected true or false"},
		"a list of owners":  {change("me", "[me, you]"), "w.yaml:4: owner: expected one text"},
		"an anchor":         {change("me", "&a me"), "w.yaml:4: expected a plain text"},
		"two documents":     {good + "---\nwaivers:\n", "expected one YAML document"},
		"no YAML":           {"waivers: [", "w.yaml"},
		"no UTF-8":          {"waivers:\n# \xff\n", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readWaivers("w.yaml", []byte(test.text), knownRules)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := readWaivers("w.yaml", []byte(good), knownRules); err != nil {
		t.Error(err)
	}
}

func FuzzWaivers(f *testing.F) {
	f.Add(goodWaivers)
	f.Add("waivers: []")
	f.Add("waivers:\n- {rule: shared-email, pattern: 'svc*', owner: a, reason: b, expires: 2027-01-01, accept_blocker: false}\n")
	f.Fuzz(func(t *testing.T, text string) {
		waivers, err := readWaivers("w.yaml", []byte(text), knownRules)
		if err != nil {
			return
		}
		// What is accepted has everything that a waiver must have.
		for i, w := range waivers {
			if w.Rule == "" || w.Owner == "" || w.Reason == "" || (w.Pattern == "") == (len(w.Subjects) == 0) || !strings.HasPrefix(w.Where, "w.yaml:") {
				t.Errorf("%+v", w)
			}
			if _, err := time.Parse(time.DateOnly, w.Expires); err != nil {
				t.Error(err)
			}
			if w.Pattern != "" && narrow(w.Pattern) != nil {
				t.Errorf("wide: %q", w.Pattern)
			}
			for _, other := range waivers[:i] {
				if sameTarget(w, other) {
					t.Errorf("twice: %+v", w)
				}
			}
		}
	})
}
