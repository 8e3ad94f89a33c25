package rules_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
)

// snapshot is the world as the engine takes it, its records in the order given.
func (w world) snapshot(t testing.TB) *audit.Snapshot {
	t.Helper()
	var b audit.Builder
	b.Databricks.Caller = w.caller
	read := map[audit.Input]bool{
		audit.OktaMembers: w.membersRead, audit.DatabricksMembers: w.membersRead,
		audit.OktaApps: w.appsRead, audit.OktaAppUsers: w.appsRead,
		audit.DatabricksWorkspaceDetails: w.detailsRead, audit.DatabricksWorkspaces: w.workspacesRead,
	}
	for _, in := range audit.Inputs() {
		if in.Required() || read[in] {
			b.Read(audit.Reading{Input: in, Asked: true, Complete: !w.lost[in]})
		}
	}
	add := func(record any) {
		if err := b.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	packed := func(ids []string) audit.Values {
		return audit.NewValues(collect(ids, func(id string) audit.Value { return audit.Value{Value: id} })...)
	}
	for _, r := range w.oktaUsers {
		add(r)
	}
	for _, r := range w.oktaGroups {
		add(r)
	}
	for group, members := range w.oktaMembers {
		add(audit.OktaGroupMembers{Group: group, Members: packed(members)})
	}
	for _, r := range w.apps {
		add(r)
	}
	for _, r := range w.appUsers {
		add(r)
	}
	for _, r := range w.users {
		add(r)
	}
	for _, r := range w.groups {
		add(r)
	}
	for group, members := range w.members {
		add(audit.DatabricksGroupMembers{Group: group, Members: packed(members)})
	}
	for _, r := range w.principals {
		add(r)
	}
	for _, r := range w.workspaces {
		add(r)
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runEngine is the engine's report on the world.
func runEngine(t testing.TB, w world, s audit.Settings) *audit.Report {
	t.Helper()
	report, err := audit.Run(w.snapshot(t), rules.All(), audit.Options{
		Settings: s, Version: "test", Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Expires: 168 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// engine is what the engine says, in the oracle's words.
func engine(t testing.TB, w world, s audit.Settings) oracleResult {
	t.Helper()
	report := runEngine(t, w, s)
	result := oracleResult{verdict: string(report.Verdict), outcomesNow: map[string]string{}, outcomesAfter: map[string]string{}}
	for _, f := range unpacked(report) {
		result.findings = append(result.findings, oracleFinding{f.Rule, f.Severity.String(), string(f.Remedy), f.Key,
			subjects(audit.Subject.String, f.Subjects)})
	}
	slices.SortFunc(result.findings, compareOracleFindings)
	for _, op := range report.Plan.Operations {
		// Whether what an exclusion takes out stands in the plan undecided, the contract leaves open.
		if len(s.Exclude) > 0 && op.Decision == audit.Undecided && excludedOp(op, report, s) {
			continue
		}
		result.operations = append(result.operations, oracleOp{string(op.Action), op.Target.String(), op.Field, op.From, op.To, string(op.Decision)})
	}
	slices.SortFunc(result.operations, compareOps)
	for row := range report.Crosswalk() {
		if row.Subject.Kind == audit.DatabricksServicePrincipalKind {
			if row.Now != "" || row.AfterPlan != "" {
				t.Errorf("%s has an outcome: %s, %s", row.Subject, row.Now, row.AfterPlan)
			}
			continue
		}
		if row.Now != "" {
			result.outcomesNow[row.Subject.String()] = string(row.Now)
		}
		if row.AfterPlan != "" {
			result.outcomesAfter[row.Subject.String()] = string(row.AfterPlan)
		}
	}
	return result
}

func excludedOp(op audit.Operation, report *audit.Report, s audit.Settings) bool {
	hits := append([]string{string(op.Class())}, op.Because...)
	for _, f := range unpacked(report) {
		if slices.Contains(op.Because, f.ID) {
			hits = append(hits, f.Rule)
		}
	}
	return slices.ContainsFunc(hits, func(h string) bool { return slices.Contains(s.Exclude, h) })
}

// missingRules are the rules of the catalogue that the engine does not have yet.
func missingRules() []string {
	catalogue := append([]string{
		"malformed-username", "lookalike-username", "missing-name", "missing-external-id", "unknown-external-id",
		"username-drift", "sso-claim-split", "linked-to-deprovisioned", "name-mismatch", "inactive-with-entitlements",
		"managed-token-owner", "redundant-direct-grant", "ambiguous-group-name", "duplicate-group-name",
		"group-name-drift", "reserved-group-name", "group-member-drift", "workspace-group-clash",
		"identity-federation-disabled",
	}, oracleCollisions...)
	have := collect(rules.All(), func(r *audit.Rule) string { return r.Name })
	return those(catalogue, func(name string) bool { return !slices.Contains(have, name) })
}

// diffEngine compares what oracle and engine say of the world.
func diffEngine(t testing.TB, w world, s audit.Settings) string {
	want, got := oracle(w, s, missingRules()...), engine(t, w, s)
	// Whom of those who have left a plan may deactivate, the contract leaves open: the engine may be more careful.
	want.operations = those(want.operations, func(op oracleOp) bool {
		return op.action != "deactivate_user" || slices.Contains(got.operations, op)
	})
	return diffResults(want, got)
}

// TestEngineAgainstOracle holds the engine to the oracle on random tenants.
func TestEngineAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, s := drawWorld(rt)
		if diff := diffEngine(t, w, s); diff != "" {
			rt.Fatalf("%s\n(-oracle +engine)\n%s", w.describe(s), diff)
		}
	})
}

func TestEngineOnExamples(t *testing.T) {
	for name, e := range oracleExamples(t) {
		t.Run(name, func(t *testing.T) {
			w, s := e.world()
			if diff := diffEngine(t, w, s); diff != "" {
				t.Errorf("(-oracle +engine)\n%s", diff)
			}
		})
	}
}

// An engineLike answers as the oracle does.
type engineLike func(testing.TB, world, audit.Settings) oracleResult

// answerers are what the invariants must hold of.
func answerers() map[string]engineLike {
	return map[string]engineLike{
		"engine": engine,
		"oracle": func(_ testing.TB, w world, s audit.Settings) oracleResult { return oracle(w, s) },
	}
}

// The order in which a directory lists its objects changes nothing.
func TestShuffledWorldIsTheSame(t *testing.T) {
	for name, run := range answerers() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w, s := drawWorld(rt)
				if diff := diffResults(run(t, w, s), run(t, w.shuffled(rt), s)); diff != "" {
					rt.Fatalf("%s\n(-as listed +shuffled)\n%s", w.describe(s), diff)
				}
			})
		})
	}
	t.Run("whole report", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			w, s := drawWorld(rt)
			a, b := runEngine(t, w, s), runEngine(t, w.shuffled(rt), s)
			if diff := diffReports(a, b); diff != "" {
				rt.Fatalf("%s\n(-as listed +shuffled)\n%s", w.describe(s), diff)
			}
		})
	})
}

// Ids are names without a meaning: other ids, other subjects, nothing else.
func TestRenamedIDsRenameFindingsAlone(t *testing.T) {
	for name, run := range answerers() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w, s := drawWorld(rt)
				s.Exclude = nil
				to := w.drawRenaming(rt)
				renamed := s
				renamed.OktaApp = to.id(s.OktaApp)
				if diff := diffResults(to.result(run(t, w, s)), run(t, to.world(w), renamed)); diff != "" {
					rt.Fatalf("%s\n%v\n(-renamed findings +findings of renamed)\n%s", w.describe(s), to, diff)
				}
			})
		})
	}
}

// A newcomer with whom nothing is wrong changes nothing for anybody else.
func TestCleanPersonChangesNothing(t *testing.T) {
	const okta, databricks = "00uclean", "99"
	for name, run := range answerers() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w, s := drawWorld(rt)
				before := run(t, w, s)
				w.oktaUsers = append(slices.Clone(w.oktaUsers), audit.OktaUser{ID: okta, Status: "ACTIVE",
					Login: "qqq@example.org", Email: "qqq@example.org", FirstName: "Q", LastName: "Q"})
				w.users = append(slices.Clone(w.users), audit.DatabricksUser{ID: databricks, UserName: "qqq@example.org",
					ExternalID: okta, GivenName: "Q", FamilyName: "Q", Active: true})
				after := run(t, w, s)
				for _, outcomes := range []map[string]string{after.outcomesNow, after.outcomesAfter} {
					if outcomes["databricks:user:"+databricks] != "linked" {
						rt.Fatalf("the clean person is %q", outcomes["databricks:user:"+databricks])
					}
					delete(outcomes, "databricks:user:"+databricks)
				}
				if diff := diffResults(before, after); diff != "" {
					rt.Fatalf("%s\n(-without +with the clean person)\n%s", w.describe(s), diff)
				}
			})
		})
	}
}

// What a plan would do is safe, and then it is done.
func TestPlanIsSafe(t *testing.T) {
	for name, run := range answerers() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w, s := drawWorld(rt)
				s.Exclude = nil
				now := run(t, w, s)
				applied := w.apply(now.operations, true)
				after := run(t, applied, s)
				fatal := func(format string, args ...any) {
					rt.Fatalf("%s\noperations %+v\n"+format, append([]any{w.describe(s), now.operations}, args...)...)
				}
				if !maps.Equal(now.outcomesAfter, after.outcomesNow) {
					fatal("after the plan: said %v, are %v", now.outcomesAfter, after.outcomesNow)
				}
				written := map[string]bool{}
				for _, op := range now.operations {
					if field := op.target + " " + op.field; written[field] {
						fatal("two operations write %s", field)
					} else {
						written[field] = true
					}
					if op.decision != "approve" || op.action != "set_external_id" {
						continue
					}
					if slices.Contains([]string{"duplicate", "ambiguous", "wrong-person"}, after.outcomesNow[op.target]) {
						fatal("%s is %s afterwards", op.target, after.outcomesNow[op.target])
					}
					if holders := (&oracleRun{world: applied}).holders(op.to); len(holders) != 1 {
						fatal("%s is held by %v", op.to, holders)
					}
				}
				for subject, outcome := range now.outcomesNow {
					if outcome == "linked" && after.outcomesNow[subject] != "linked" {
						fatal("%s was linked and is %s", subject, after.outcomesNow[subject])
					}
				}
				// An id that is overwritten or cleared is free for others, and a user who is linked
				// has a name to compare: only what is included by default leaves nothing behind.
				if len(s.Include) > 0 {
					return
				}
				for _, op := range after.operations {
					if op.decision == "approve" {
						fatal("left over: %+v", op)
					}
				}
			})
		})
	}
}
