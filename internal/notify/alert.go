package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aimcheck/aimcheck/audit"
)

// AlertSchema is the version of the JSON form.
const AlertSchema = "aimcheck.alert/v1"

// An Alert is what somebody is told of a run. Without details it speaks of nobody:
// the ids of findings tell nothing to who has no report.
type Alert struct {
	Schema   string                 `json:"schema"` // [AlertSchema]
	Time     time.Time              `json:"time"`
	Org      string                 `json:"okta_org"`
	Account  string                 `json:"databricks_account"`
	Verdict  audit.Verdict          `json:"verdict"`
	Before   audit.Verdict          `json:"verdict_before,omitempty"`
	Counts   map[audit.Severity]int `json:"counts"`
	Expired  int                    `json:"waivers_expired"`
	Unread   []string               `json:"not_read,omitempty"` // inputs, where the verdict is incomplete
	Changes  []Change               `json:"changes"`            // gravest first; the first [MostChanges]
	Total    int                    `json:"changes_total"`
	ByChange map[string]int         `json:"changes_by_kind"` // new, reopened, worse, unwaived, resolved, or open without a history
}

// MostChanges is how many findings an alert names.
const MostChanges = 10

// A Change is a finding that somebody is told of.
type Change struct {
	Finding  string         `json:"finding"`
	Rule     string         `json:"rule"`
	Severity audit.Severity `json:"severity"`
	What     string         `json:"what"`
	Message  string         `json:"message,omitempty"` // personal data: with details alone
}

// Tell sets what changed.
func (a *Alert) Tell(changes []Change, details bool) {
	a.Total, a.ByChange, a.Changes = len(changes), map[string]int{}, []Change{}
	for _, c := range changes {
		a.ByChange[c.What]++
	}
	for _, c := range changes[:min(len(changes), MostChanges)] {
		if !details {
			c.Message = ""
		}
		a.Changes = append(a.Changes, c)
	}
}

// body returns the alert as the form has it.
func (w *Webhook) body(a *Alert) ([]byte, error) {
	switch w.Form {
	case Slack:
		escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "_", "＿", "`", "ˋ", "~", "∼").Replace
		return json.Marshal(map[string]string{"text": strings.Join(a.lines(escape), "\n")})
	case Teams:
		escape := strings.NewReplacer("*", "∗", "_", "＿", "[", "［", "]", "］", "<", "‹", ">", "›", "`", "ˋ", "#", "＃").Replace
		type block map[string]any
		var blocks []block
		for i, line := range a.lines(escape) {
			b := block{"type": "TextBlock", "text": line, "wrap": true, "spacing": "Small"}
			if i == 0 {
				b["weight"] = "Bolder"
			}
			blocks = append(blocks, b)
		}
		return json.Marshal(block{"type": "message", "attachments": []block{{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content":     block{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks},
		}}})
	}
	return json.Marshal(a)
}

// lines says the alert in a few lines for people.
func (a *Alert) lines(escape func(string) string) []string {
	verdict := map[audit.Verdict]string{audit.Ready: "READY", audit.NotReady: "NOT READY", audit.Incomplete: "INCOMPLETE"}
	head := "aimcheck: " + verdict[a.Verdict]
	if a.Before != "" && a.Before != a.Verdict {
		head += ", was " + verdict[a.Before]
	}
	lines := []string{head, escape(plain(strings.TrimPrefix(a.Org, "https://") + ", Databricks " + a.Account))}
	var kinds []string
	for _, k := range []string{"new", "reopened", "worse", "unwaived", "open", "resolved"} {
		if n := a.ByChange[k]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", n, k))
		}
	}
	if len(kinds) > 0 {
		lines = append(lines, strings.Join(kinds, ", "))
	}
	lines = append(lines, fmt.Sprintf("in all %d blockers, %d errors, %d warnings, %d for information",
		a.Counts[audit.Blocker], a.Counts[audit.Error], a.Counts[audit.Warning], a.Counts[audit.Info]))
	if len(a.Unread) > 0 {
		lines = append(lines, "not read to the end: "+escape(strings.Join(a.Unread, ", ")))
	}
	if a.Expired > 0 {
		lines = append(lines, fmt.Sprintf("waivers expired: %d", a.Expired))
	}
	for _, c := range a.Changes {
		line := fmt.Sprintf("%s %s: %s", c.What, c.Severity, c.Finding)
		if c.Message != "" {
			line += " – " + escape(plain(c.Message))
		}
		lines = append(lines, line)
	}
	if rest := a.Total - len(a.Changes); rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more: see the report", rest))
	}
	return lines
}

// plain takes out what is not seen, or moves what is seen.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// Worth reports whether somebody should be told: something changed that is as
// grave as least or graver, or the verdict is another one than before, as far as
// that is known. Nobody is told every night of what they know.
func (a *Alert) Worth(changes []Change, least audit.Severity) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Severity >= least }) || a.Before != a.Verdict && (a.Before != "" || a.Verdict == audit.Incomplete)
}
