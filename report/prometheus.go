package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// prometheusText writes gauges for the node exporter's textfile collector. All of
// them have the account as a label, so that the files of several tenants may lie
// in one folder. The only time is that of the snapshot, for alerts on old reports.
func prometheusText(w io.Writer, r *audit.Report) error {
	m := metrics{w: bufio.NewWriter(w), account: r.Head.Databricks.Tenant}

	m.family("aimcheck_info", "What was audited, and with which version.")
	m.sample(1, "okta_org", r.Head.Okta.Tenant, "version", r.Version)

	m.family("aimcheck_verdict", "1 for the verdict that holds, 0 for the others.")
	for _, v := range []audit.Verdict{audit.Ready, audit.NotReady, audit.Incomplete} {
		m.sample(one(r.Verdict == v), "verdict", string(v))
	}

	m.family("aimcheck_directory_complete", "Whether all that is required or was asked for of a directory was read.")
	m.sample(one(r.Head.Complete(true)), "directory", "okta")
	m.sample(one(r.Head.Complete(false)), "directory", "databricks")

	m.family("aimcheck_snapshot_timestamp_seconds", "When the directories had been read, in seconds since 1970.")
	if t := finished(r.Head); !t.IsZero() {
		m.sample(float64(t.UnixMilli()) / 1000)
	}

	m.family("aimcheck_identities", "Identities that were read.")
	for _, n := range []struct {
		directory, kind string
		count           int
	}{
		{"okta", "user", r.Head.OktaUsers}, {"okta", "group", r.Head.OktaGroups},
		{"databricks", "user", r.Head.DatabricksUsers}, {"databricks", "group", r.Head.DatabricksGroups},
		{"databricks", "service_principal", r.Head.DatabricksServicePrincipals},
	} {
		m.sample(float64(n.count), "directory", n.directory, "kind", n.kind)
	}

	m.family("aimcheck_outcomes", "Identities by what happens to them if AIM is enabled, now and after the plan. Absent where that is not known.")
	for _, n := range []struct {
		kind, when string
		counts     map[audit.Outcome]int
	}{
		{"user", "now", r.Now.Users}, {"user", "after_plan", r.After.Users},
		{"group", "now", r.Now.Groups}, {"group", "after_plan", r.After.Groups},
	} {
		for _, o := range audit.Outcomes() {
			if len(n.counts) > 0 {
				m.sample(float64(n.counts[o]), "kind", n.kind, "when", n.when, "outcome", string(o))
			}
		}
	}
	m.findings(r)
	m.plan(r)
	return m.w.Flush() // an error stays with m.w
}

// A metrics writes families of gauges one after another.
type metrics struct {
	w       *bufio.Writer
	account string
	name    string
}

func (m *metrics) family(name, help string) {
	m.name = name
	fmt.Fprintf(m.w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// sample writes one value, with labels as names and values in turn.
func (m *metrics) sample(value float64, labels ...string) {
	fmt.Fprintf(m.w, "%s{account=%s", m.name, label(m.account))
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(m.w, ",%s=%s", labels[i], label(labels[i+1]))
	}
	m.w.WriteString("} " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

// label returns the value of a label, quoted.
func label(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(valid(s)) + `"`
}

func one(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

// findings counts them by rule and severity: a rule that ran and found nothing
// has a 0, so that a series does not vanish when the last finding does.
func (m *metrics) findings(r *audit.Report) {
	type key struct {
		rule     string
		severity audit.Severity
	}
	open, waived := map[key]int{}, map[key]int{}
	for _, head := range r.Findings.Heads() {
		if head.Waived {
			waived[key{head.Rule, head.Severity}]++
		} else {
			open[key{head.Rule, head.Severity}]++
		}
	}
	skipped := map[string]bool{}
	for _, s := range r.Skipped {
		skipped[s.Rule] = true
	}
	m.family("aimcheck_findings", "Findings that are not waived. Absent for a rule that was not run.")
	for _, rule := range r.Rules {
		for _, s := range audit.Severities() {
			if n := open[key{rule.Name, s}]; n > 0 || !skipped[rule.Name] {
				m.sample(float64(n), "rule", rule.Name, "severity", s.String())
			}
		}
	}
	m.family("aimcheck_findings_waived", "Findings that somebody took on.")
	for _, rule := range r.Rules {
		for _, s := range audit.Severities() {
			if n := waived[key{rule.Name, s}]; n > 0 {
				m.sample(float64(n), "rule", rule.Name, "severity", s.String())
			}
		}
	}
	m.family("aimcheck_rule_skipped", "1 for a rule that was not run, or not over everything.")
	for _, rule := range r.Rules {
		m.sample(one(skipped[rule.Name]), "rule", rule.Name)
	}
}

// plan counts the plan's operations by decision.
func (m *metrics) plan(r *audit.Report) {
	if r.Plan == nil {
		return
	}
	counts := map[audit.Decision]int{}
	for _, op := range r.Plan.Operations {
		counts[op.Decision]++
	}
	m.family("aimcheck_plan_operations", "Operations of the plan by what was decided.")
	for _, d := range []struct {
		decision audit.Decision
		text     string
	}{{audit.Approve, "approve"}, {audit.Reject, "reject"}, {audit.Undecided, "undecided"}} {
		m.sample(float64(counts[d.decision]), "decision", d.text)
	}
	m.family("aimcheck_manual_findings", "Findings that people must see to, by who.")
	manual := r.Plan.Manual.Remedies()
	for _, remedy := range []audit.Remedy{audit.RemedyChoose, audit.RemedyOkta, audit.RemedySupport, audit.RemedyReview} {
		m.sample(float64(manual[remedy]), "remedy", string(remedy))
	}
}
