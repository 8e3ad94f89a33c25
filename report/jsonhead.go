package report

import (
	"iter"
	"slices"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// The types here are what stands before and after the lists of findings.json.

type toolHead struct {
	Version string `json:"version"`
}

type snapshotHead struct {
	Digest     string         `json:"digest"`
	Okta       oktaHead       `json:"okta"`
	Databricks databricksHead `json:"databricks"`
	Undecoded  int            `json:"undecoded"`
}

type oktaHead struct {
	Org      string   `json:"org"`
	Complete bool     `json:"complete"`
	Files    bool     `json:"files,omitzero"` // imported: completeness is the giver's word
	Users    int      `json:"users"`
	Groups   int      `json:"groups"`
	Notes    []string `json:"notes,omitempty"`
}

type databricksHead struct {
	Account           string   `json:"account"`
	Complete          bool     `json:"complete"`
	Files             bool     `json:"files,omitzero"`
	Users             int      `json:"users"`
	Groups            int      `json:"groups"`
	ServicePrincipals int      `json:"service_principals"`
	Notes             []string `json:"notes,omitempty"`
}

func headOf(h audit.Head) snapshotHead {
	return snapshotHead{
		Digest: h.Digest,
		Okta: oktaHead{Org: h.Okta.Tenant, Complete: h.Complete(true), Files: h.Okta.Files,
			Users: h.OktaUsers, Groups: h.OktaGroups, Notes: h.Okta.Notes},
		Databricks: databricksHead{Account: h.Databricks.Tenant, Complete: h.Complete(false), Files: h.Databricks.Files,
			Users: h.DatabricksUsers, Groups: h.DatabricksGroups,
			ServicePrincipals: h.DatabricksServicePrincipals, Notes: h.Databricks.Notes},
		Undecoded: h.Undecoded,
	}
}

// unread is an input that was not read to its end.
type unread struct {
	Input    audit.Input `json:"input"`
	Expected int         `json:"expected"`
	Received int         `json:"received"`
	Reason   string      `json:"reason"`
}

func unreadOf(inputs []audit.Reading) iter.Seq[unread] {
	return func(yield func(unread) bool) {
		for _, in := range inputs {
			if !yield(unread{in.Input, in.Expected, in.Received, in.Reason}) {
				return
			}
		}
	}
}

type severityCounts struct {
	Blocker int `json:"blocker"`
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
}

type impacts struct {
	After audit.Impact `json:"after_plan"`
	Now   audit.Impact `json:"now"`
}

// ruleHead is a rule that was asked: enough to show it where it is not known.
type ruleHead struct {
	Rule     string         `json:"rule"`
	Family   audit.Family   `json:"family,omitzero"`
	Severity audit.Severity `json:"severity"`
	Title    string         `json:"title"`
}

func headOfRule(r *audit.Rule) ruleHead { return ruleHead{r.Name, r.Family, r.Severity, r.Title()} }

func ruleHeads(rules []*audit.Rule) iter.Seq[ruleHead] {
	return func(yield func(ruleHead) bool) {
		for _, r := range rules {
			if !yield(headOfRule(r)) {
				return
			}
		}
	}
}

// times is how the snapshot was read: the one member that differs between two
// reads of the same content.
type times struct {
	Okta       sourceTimes     `json:"okta"`
	Databricks sourceTimes     `json:"databricks"`
	Inputs     []audit.Reading `json:"inputs"`
}

type sourceTimes struct {
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	Requests int       `json:"requests"`
	Caller   string    `json:"caller,omitempty"`
}

func timesOf(h audit.Head) times {
	of := func(s audit.Source) sourceTimes { return sourceTimes{s.Started, s.Finished, s.Requests, s.Caller} }
	return times{of(h.Okta), of(h.Databricks), h.Readings}
}

// known reports whether there is anything to tell: an older file has none of it.
func (t times) known() bool {
	return t.Okta != sourceTimes{} || t.Databricks != sourceTimes{} || len(t.Inputs) > 0
}

// head returns what the parts of the file say together.
func (s snapshotHead) head(incomplete []unread, t times) audit.Head {
	source := func(tenant string, files bool, notes []string, t sourceTimes) audit.Source {
		return audit.Source{Tenant: tenant, Files: files, Notes: notes,
			Started: t.Started, Finished: t.Finished, Requests: t.Requests, Caller: t.Caller}
	}
	h := audit.Head{
		Digest:     s.Digest,
		Okta:       source(s.Okta.Org, s.Okta.Files, s.Okta.Notes, t.Okta),
		Databricks: source(s.Databricks.Account, s.Databricks.Files, s.Databricks.Notes, t.Databricks),
		OktaUsers:  s.Okta.Users, OktaGroups: s.Okta.Groups,
		DatabricksUsers: s.Databricks.Users, DatabricksGroups: s.Databricks.Groups,
		DatabricksServicePrincipals: s.Databricks.ServicePrincipals,
		Undecoded:                   s.Undecoded, Readings: t.Inputs,
	}
	for _, u := range incomplete {
		in := audit.Reading{Input: u.Input, Asked: true, Expected: u.Expected, Received: u.Received, Reason: u.Reason}
		if i := slices.IndexFunc(t.Inputs, func(r audit.Reading) bool { return r.Input == u.Input }); i >= 0 {
			in = t.Inputs[i]
		}
		h.Incomplete = append(h.Incomplete, in)
	}
	return h
}
