package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every condition of the rules is broken in turn: a test must fail. Nothing of the tree is touched, "go test -overlay"
// puts the broken files in the place of the sound ones.

// mutatedFiles are the files that are broken: all of this package that have rules.
func mutatedFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	return those(files, func(name string) bool {
		return !strings.HasSuffix(name, "_test.go") && name != "examples.go" && name != "quiet.go"
	})
}

// What a mutant does there shows in a phrase alone, which findings are not compared by.
func phrases(decl string) bool {
	return strings.HasPrefix(decl, "quiet") || slices.Contains([]string{
		"plural", "has", "do", "holders", "how", "noun", "nameField", "named", "describe", "names", "suggested",
		"targets", "shouldBe", "like", "newLooks", "entraID", "unseen",
	}, decl)
}

// A mutated package is a test binary in which every mutant is ready.
type mutatedPackage struct{ binary, dir string }

// buildMutants builds the tests of both packages with all mutants in them.
func buildMutants(t *testing.T) (rules, core mutatedPackage, mutants []mutant) {
	t.Helper()
	tmp := t.TempDir()
	overlay := map[string]string{}
	put := func(name, text string) {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		if text != "" {
			overlay[path] = filepath.Join(tmp, fmt.Sprintf("%d.go", len(overlay)))
			if err := os.WriteFile(overlay[path], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			overlay[path] = ""
		}
	}
	lists, sources := map[string]int{}, map[string][]byte{}
	for _, name := range mutatedFiles(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources[name] = src
		inputLists(t, src, lists)
	}
	for _, name := range mutatedFiles(t) {
		put(name, mutate(t, name, sources[name], lists, phrases, &mutants))
	}
	put("mutant_switch.go", "package rules\n"+mutantSwitch)
	put("../mutant_switch.go", "package audit\n"+mutantSwitch)
	put("sql_test.go", "") // it says the same as the oracle, and takes long to link

	replace := filepath.Join(tmp, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(replace, data, 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(dir string) mutatedPackage {
		p := mutatedPackage{binary: filepath.Join(tmp, filepath.Base(dir)+"mutants"), dir: dir}
		cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", replace, "-o", p.binary, ".")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go test -c in %s: %v\n%s", dir, err, out)
		}
		return p
	}
	return build("."), build(".."), mutants
}

// kills reports whether one of the tests fails when the mutant acts, or does
// not end. Mutant 0 is none.
func (p mutatedPackage) kills(t *testing.T, id int, tests string, flags ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := append([]string{"-test.run", tests, "-test.failfast", "-test.timeout", "40s"}, flags...)
	// A mutant that never ends shall not eat the machine's memory.
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `ulimit -v 8000000 2>/dev/null; exec "$0" "$@"`, p.binary}, args...)...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("AIMCHECK_MUTANT=%d", id), "AIMCHECK_SOAK=")
	out, err := cmd.CombinedOutput()
	if id == 0 && err != nil {
		t.Fatalf("without a mutant: %v\n%s", err, out)
	}
	return err != nil
}

// TestMutants breaks everything, for minutes: only when AIMCHECK_SOAK is set.
func TestMutants(t *testing.T) {
	if os.Getenv("AIMCHECK_SOAK") == "" {
		t.Skip("AIMCHECK_SOAK is not set")
	}
	rules, core, mutants := buildMutants(t)
	rapid := func(checks, seed int) []string {
		return []string{fmt.Sprintf("-rapid.checks=%d", checks), fmt.Sprintf("-rapid.seed=%d", seed),
			"-rapid.shrinktime=0s", "-rapid.nofailfile"}
	}
	killed := func(id int) bool {
		const properties = "TestEngine|TestShuffled|TestRenamed|TestClean|TestPlan"
		return rules.kills(t, id, "TestExamples|TestRules|Evidence", rapid(1, 1)...) ||
			core.kills(t, id, ".", rapid(50, 1)...) ||
			rules.kills(t, id, "TestEngine", rapid(300, 1)...) ||
			rules.kills(t, id, properties, rapid(300, 2)...) ||
			rules.kills(t, id, "TestEngineAgainstOracle", rapid(1000, 3)...)
	}
	if killed(0) {
		t.Fatal("tests fail without a mutant")
	}
	equivalent := 0
	dead := map[string]bool{}
	only := os.Getenv("AIMCHECK_MUTANTS")
	for i, m := range mutants {
		if !strings.Contains(m.name, only) {
			continue
		}
		reason := equivalentMutants[m.name]
		switch dead[m.name] = killed(i + 1); {
		case dead[m.name] && reason != "":
			t.Errorf("%s is killed: it is not equivalent", m.name)
		case !dead[m.name] && reason == "":
			t.Errorf("survives: %s", m.name)
		case !dead[m.name]:
			equivalent++
		}
	}
	for name := range equivalentMutants {
		if _, there := dead[name]; !there && only == "" {
			t.Errorf("there is no such mutant: %s", name)
		}
	}
	t.Logf("%d mutants, %d equivalent", len(dead), equivalent)
}

// equivalentMutants are those that change nothing that may be seen, each with the reason.
var equivalentMutants = map[string]string{
	"ambiguous_group_name.go ambiguousGroupName: p.LiveCandidates for p.Candidates":   "every Okta group is live",
	"group_name_drift.go groupNameDrift: p.LiveCandidates for p.Candidates":           "every Okta group is live",
	"missing_external_id.go missingGroupID: p.LiveCandidates for p.Candidates":        "every Okta group is live",
	"missing_external_id.go missingPrincipalID: p.LiveCandidates for p.Candidates":    "every candidate app is live",
	"workspace_group_clash.go workspaceGroupClash: p.LiveCandidates for p.Candidates": "every Okta group is live",

	"login_email_collision.go LoginEmailCollision: audit.Error for audit.Warning": "every finding says its own severity",
	"missing_external_id.go MissingExternalID: audit.Error for audit.Blocker":     "every finding says its own severity",
	"shared_email.go SharedEmail: audit.Error for audit.Warning":                  "every finding says its own severity",
	"sso_claim_split.go SSOClaimSplit: audit.Error for audit.Warning":             "every finding says its own severity",

	"conflicting_external_id.go sharing: without parent[i] = parent[parent[i]]":                                                                                      "it makes the search shorter",
	"redundant_direct_grant.go redundantDirectGrant: without continue":                                                                                               "it saves looking for groups",
	"linked_to_deprovisioned.go whoLeft: state != audit.LinkedLive && p.Candidates(d).Len() > 0 && p.LiveCandidates(d).Len() == 0 without p.Candidates(d).Len() > 0": "nobody of nobody has left",
	"linked_to_deprovisioned.go whoLeft: ok && p.Suspended(o) without ok":                                                                                            "nobody is not suspended",
	"name_mismatch.go nameMismatch: !linked || p.SameNamed(d) || !p.Live(o) without p.SameNamed(d)":                                                                  "it saves comparing names",

	"missing_external_id.go reportMissingID: not (d.Kind == audit.DatabricksGroupKind)":                                                                           "another message",
	"username_drift.go usernameDrift: without case audit.DriftRenamed":                                                                                            "another message",
	"redundant_direct_grant.go redundantDirectGrant: without slices.Sort(twice)":                                                                                  "another order in the message",
	"redundant_direct_grant.go both: d.Value == g.Value && d.Type != \"indirect\" && !slices.Contains(grants, d.Value) without !slices.Contains(grants, d.Value)": "the same evidence twice",
}
