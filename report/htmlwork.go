package report

import (
	"bytes"
	"io"

	"github.com/aimcheck/aimcheck/audit"
)

// A pageOwner is somebody who is sent work.
type pageOwner struct {
	Key, Name, Does string
	Items           []pageWork
	File            string // what is sent to them
}

// A pageWork is one kind of work.
type pageWork struct {
	Count int
	What  string
	Link  string // to where it is done, in the page
}

// Owners lists who has work, with what each must do.
func (p *webPage) Owners() (owners []pageOwner) {
	approved, undecided := 0, 0
	for _, op := range planOf(p.r).Operations {
		switch toDecide(op) {
		case string(audit.Approve):
			approved++
		case string(audit.Undecided):
			undecided++
		}
	}
	families := map[string]audit.Family{}
	for _, rule := range p.r.Rules {
		families[rule.Name] = rule.Family
	}
	left, ofGroups := map[audit.Remedy]int{}, map[string]int{} // by rule
	for _, head := range p.r.Findings.Heads() {
		switch {
		case head.Waived:
		case owner(head, families[head.Rule]) == groupOwners:
			ofGroups[head.Rule]++
		default:
			left[head.Remedy]++
		}
	}
	var groups []pageWork
	for _, rule := range p.r.Rules {
		groups = append(groups, pageWork{ofGroups[rule.Name], "of " + rule.Name, "#/findings?rule=" + rule.Name + "&for=groups"})
	}
	for _, o := range []pageOwner{
		{"databricks", databricksAdmin, "reviews the plan, decides, and applies it", []pageWork{
			{approved, "approved, to look over and apply", "#/plan?decision=approve"},
			{undecided, "to approve or reject", "#/plan?decision=undecided"},
			{left[audit.RemedyChoose], "to say which identity is meant", "#/choose"},
			{left[audit.RemedyReview], "to look at and judge", "#/findings?remedy=review&for=databricks"},
		}, ""},
		{"okta", oktaAdmin, "changes what only Okta can", []pageWork{
			{left[audit.RemedyOkta], "to mend in Okta", "#/findings?remedy=okta&waived=no"}}, "okta-changes.csv"},
		{"support", "Databricks Support", "renames users, which no API can", []pageWork{
			{len(renames(p.r)), "to rename", "#/findings?remedy=support&waived=no"}}, "support-ticket.md"},
		{"groups", groupOwners, "say who belongs in their groups, and what these are called", groups, "group-members.csv"},
	} {
		all := o.Items
		o.Items = nil
		for _, it := range all {
			if it.Count > 0 {
				o.Items = append(o.Items, it)
			}
		}
		if len(o.Items) > 0 {
			owners = append(owners, o)
		}
	}
	return owners
}

// filesToSend writes the files of the owners into the page, so that it can be
// worked from alone.
func (p *webPage) filesToSend(b *pageBlocks) {
	write := map[string]func(io.Writer, *audit.Report) error{
		"okta-changes.csv": csvOf(oktaChanges), "support-ticket.md": supportTicket, "group-members.csv": csvOf(groupMembers),
	}
	for _, o := range p.Owners() {
		if o.File == "" {
			continue
		}
		var text bytes.Buffer
		if err := write[o.File](&text, p.r); err != nil {
			b.err = err
			return
		}
		all := appendText([]byte(`"name":`), o.File)
		b.write("file", appendText(append(all, `,"text":`...), text.String()))
	}
}
