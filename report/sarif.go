package report

import (
	"io"
	"iter"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// sarifJSON writes SARIF 2.1.0 for pipelines and code scanning. The one artifact
// is findings.json; where a finding is, its logical locations say: subjects.
func sarifJSON(w io.Writer, r *audit.Report) error {
	index := map[string]int{}
	for i, rule := range r.Rules {
		index[rule.Name] = i
	}
	log := newObject(w)
	log.member("$schema", "https://json.schemastore.org/sarif-2.1.0-rtm.5.json")
	log.member("version", "2.1.0")
	log.open("runs")
	log.w.WriteString("[")
	run := &object{w: log.w, comma: "{\n"}
	run.member("tool", sarifTool{sarifDriver{
		Name: "aimcheck", Version: r.Version, InformationURI: "https://github.com/aimcheck/aimcheck", Rules: sarifRules(r),
	}})
	run.member("automationDetails", sarifAutomation{"aimcheck/" + visible(r.Head.Databricks.Tenant) + "/"})
	run.member("invocations", []sarifInvocation{sarifRun(r)})
	run.member("properties", map[string]any{"verdict": r.Verdict, "snapshot": r.Head.Digest, "okta_org": r.Head.Okta.Tenant, "databricks_account": r.Head.Databricks.Tenant})
	list(run, "results", sarifResults(r, index))
	run.w.WriteString("\n}]")
	if log.err == nil {
		log.err = run.err
	}
	return log.close()
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID         string         `json:"id"`
	Short      sarifMessage   `json:"shortDescription"`
	Full       *sarifMessage  `json:"fullDescription,omitempty"`
	Help       *sarifMessage  `json:"help,omitempty"`
	Default    sarifLevel     `json:"defaultConfiguration"`
	Properties map[string]any `json:"properties,omitempty"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Start         string              `json:"startTimeUtc,omitempty"`
	End           string              `json:"endTimeUtc,omitempty"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string       `json:"level"`
	Message sarifMessage `json:"message"`
	Rule    *sarifRef    `json:"associatedRule,omitempty"`
}

type sarifRef struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifMessage       `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Baseline     string             `json:"baselineState,omitempty"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   sarifProperties    `json:"properties"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifLogical struct {
	Name string `json:"name,omitempty"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification,omitempty"`
}

type sarifProperties struct {
	Severity   audit.Severity   `json:"severity"`
	Remedy     audit.Remedy     `json:"remedy"`
	Key        string           `json:"key"`
	Evidence   []audit.Evidence `json:"evidence"`
	Operations []string         `json:"operations"`
}

func sarifRules(r *audit.Report) []sarifRule {
	rules := []sarifRule{}
	for _, rule := range r.Rules {
		s := sarifRule{ID: rule.Name, Short: sarifMessage{Text: rule.Title()}, Default: sarifLevel{levelOf(rule.Severity)}}
		if what := docSection(rule.Doc, "What"); what != "" {
			s.Full = &sarifMessage{Text: what}
			s.Help = &sarifMessage{Text: strings.TrimSpace(rule.Doc), Markdown: strings.TrimSpace(rule.Doc)}
		}
		if rule.Family != "" {
			s.Properties = map[string]any{"tags": []string{string(rule.Family)}}
		}
		rules = append(rules, s)
	}
	return rules
}

// sarifRun says what was read and which rules were not run. A run that did not
// read everything was not successful: what it didn't find may be there.
func sarifRun(r *audit.Report) sarifInvocation {
	run := sarifInvocation{Successful: len(r.Head.Incomplete) == 0, Start: sarifTime(started(r.Head)), End: sarifTime(finished(r.Head))}
	for _, in := range r.Head.Incomplete {
		run.Notifications = append(run.Notifications, sarifNotification{Level: "error", Message: sarifMessage{Text: sarifText(howFar(in))}})
	}
	for _, c := range cautions(r) {
		run.Notifications = append(run.Notifications, sarifNotification{Level: "note", Message: sarifMessage{Text: sarifText(c)}})
	}
	for _, skip := range r.Skipped {
		text := skip.Rule + " was not run: " + skip.Reason
		run.Notifications = append(run.Notifications, sarifNotification{Level: "warning", Message: sarifMessage{Text: sarifText(text)}})
	}
	return run
}

func sarifResults(r *audit.Report, index map[string]int) iter.Seq[sarifResult] {
	return func(yield func(sarifResult) bool) {
		var known clues
		for _, f := range r.Findings.All() {
			known.begin(f)
			at, ok := index[f.Rule]
			if !ok {
				at = -1
			}
			s := sarifResult{
				RuleID: f.Rule, RuleIndex: at, Level: levelOf(f.Severity), Message: sarifMessage{Text: sarifText(f.Message)},
				Fingerprints: map[string]string{"aimcheckFindingId/v1": f.ID},
				Properties:   sarifProperties{f.Severity, f.Remedy, f.Key, f.Evidence, f.Operations},
			}
			switch f.State {
			case audit.New, audit.Reopened:
				s.Baseline = "new"
			case audit.Open:
				s.Baseline = "unchanged"
			}
			if f.Waived {
				s.Suppressions = []sarifSuppression{{"external", "accepted", waivedBy(f)}}
			}
			place := sarifLocation{Physical: sarifPhysical{sarifArtifact{"findings.json"}}}
			for _, subject := range f.Subjects {
				place.Logical = append(place.Logical, sarifLogical{visible(known.name(r, subject)), subject.String(), "resource"})
			}
			s.Locations = []sarifLocation{place}
			if !yield(s) {
				return
			}
		}
	}
}

func levelOf(s audit.Severity) string {
	switch s {
	case audit.Blocker, audit.Error:
		return "error"
	case audit.Warning:
		return "warning"
	}
	return "note"
}

// sarifText returns the text as a message in which nothing is a link or a place
// to be filled in (SARIF 2.1.0, sections 3.11.5 and 3.11.6).
func sarifText(s string) string {
	s = visible(s)
	if strings.ContainsAny(s, "[]{}") {
		s = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(s)
	}
	return s
}

// started returns when the earlier of the directories began to be read.
func started(h audit.Head) time.Time {
	if h.Okta.Started.IsZero() || !h.Databricks.Started.IsZero() && h.Databricks.Started.Before(h.Okta.Started) {
		return h.Databricks.Started
	}
	return h.Okta.Started
}

func sarifTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
