package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// targetRole is the role of the evidence that says what a user's name must
// become. Two values mean that either may be right.
const targetRole = "target username of"

// mostTargets is how many targets of one user are named: with more nothing is
// decided by naming them all, and the finding has them.
const mostTargets = 12

// A rename is a Databricks user whose username only Databricks Support can change.
type rename struct {
	user    audit.Subject
	current string
	targets []string // none: a person must say; several: any may be right, and with the most there can be others
	finding string   // the first that asks for it
	at      int      // its place in the report
}

// renames lists the users in the order of the findings, each once.
func renames(r *audit.Report) []rename {
	var list []rename
	at := map[audit.Subject]int{}
	var known clues
	asked := func(h audit.FindingHead) bool { return h.Remedy == audit.RemedySupport && !h.Waived }
	for i, f := range r.Findings.Where(asked) {
		known.begin(f)
		var shared []string // what is said of nobody in Databricks is for all
		for j := range f.Evidence {
			if e := &f.Evidence[j]; e.Subject.Kind != audit.DatabricksUserKind {
				shared = withTarget(shared, e)
			}
		}
		for _, s := range f.Subjects {
			if s.Kind != audit.DatabricksUserKind {
				continue
			}
			j, ok := at[s]
			if !ok {
				j = len(list)
				at[s] = j
				list = append(list, rename{user: s, current: known.name(r, s), finding: f.ID, at: i})
			}
			n := &list[j]
			for _, e := range known.about(s) {
				n.targets = withTarget(n.targets, e)
			}
			for _, to := range shared {
				n.targets = withName(n.targets, to)
			}
		}
	}
	return list
}

func withTarget(targets []string, e *audit.Evidence) []string {
	if e.Role != targetRole {
		return targets
	}
	return withName(targets, e.Value)
}

func withName(targets []string, name string) []string {
	if len(targets) == mostTargets || slices.Contains(targets, name) {
		return targets
	}
	return append(targets, name)
}

// supportTicket writes the request that an account admin sends to Databricks
// Support: whose username is to become what, why, and what must not happen.
func supportTicket(w io.Writer, r *audit.Report) error {
	b := bufio.NewWriter(w)
	list := renames(r)
	fmt.Fprint(b, "# Request to change usernames\n\n")
	fmt.Fprintf(b, "Databricks account: %s\n\n", code(r.Head.Databricks.Tenant))
	if len(list) == 0 {
		fmt.Fprint(b, "No username needs to be changed by Databricks Support: there is nothing to send.\n")
		return b.Flush()
	}
	fmt.Fprintf(b, supportText, counted(len(list), "user"))
	decided := func(n rename) bool { return len(n.targets) == 1 }
	if slices.ContainsFunc(list, decided) {
		supportTable(b, "Users", list, decided)
	}
	undecided := func(n rename) bool { return !decided(n) }
	if slices.ContainsFunc(list, undecided) {
		fmt.Fprint(b, supportUndecided)
		supportTable(b, "Users whose target username is to be decided", list, undecided)
	}
	return b.Flush()
}

func supportTable(w io.Writer, title string, list []rename, wanted func(rename) bool) {
	fmt.Fprintf(w, "\n## %s\n\n| user id | current username | target username | our reference |\n|---|---|---|---|\n", title)
	for _, n := range list {
		if wanted(n) {
			fmt.Fprintf(w, "| %s | %s | %s | %s |\n", code(n.user.ID), code(n.current), target(n.targets), n.finding)
		}
	}
}

func target(targets []string) string {
	if len(targets) == 0 {
		return "**to be decided**"
	}
	var texts []string
	for _, t := range targets {
		texts = append(texts, code(t))
	}
	s := strings.Join(texts, " or ")
	if len(texts) == mostTargets {
		s += " or another of the finding"
	}
	if len(texts) > 1 {
		s = "**to be decided:** " + s
	}
	return s
}

const supportText = `We prepare automatic identity management with Okta. The username of %s below is not what
single sign-on sends, and no API changes a username.

## What we ask

Please change the username of each user below from the current to the target username, and keep the
user's id, so that grants, ownership, group memberships and tokens stay with the user. Please do not
delete, re-create or merge users. Users are identified by their id; letter case matters.

## Steps, one user after another

1. Look the user up by id, and check that its username is still the current one below; if not, stop and tell us.
2. Check that no other user, active or not, has the target username in whatever letters.
3. Change the username. The user need not be signed out, but must sign in again with the target username.
4. Tell us the user's id. We read the user back, and let the person sign in once.

## Risks

- A user who signs in under the target username before the change may get a second, empty identity.
  Automatic identity management stays off until you have confirmed the change.
- If another user, active or not, has the target username already, please stop and tell us: that is
  one person twice, and which of the two is kept must be decided by us.
- Code, jobs, dashboards and home folders that name a user by username may need our attention
  afterwards: please tell us what you know to be affected.
`

const supportUndecided = `
## Before this is sent

The target usernames of the users below are still to be decided, by the account admin and not by
Databricks Support. Write each target in when it is known, and delete the rest. Where there are two,
which one is right depends on what the Okta app sends as username (run the audit again with
--sso-claim). Where there is none, the user must be asked.
`
