package doctor

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/okta"
)

// A Read is what reading something takes, by what was counted and measured.
type Read struct {
	What     string  `json:"what"`     // "snapshot", or a flag that reads more
	Requests int     `json:"requests"` // by what is known now: pages of members are not
	Seconds  float64 `json:"seconds"`
	AtLeast  bool    `json:"at_least,omitempty"` // some of it was not counted to its end
}

// predict says what a full read takes, with and without what is optional. It is
// blank unless both directories could be counted.
func (x *exam) predict() []Read {
	o, d := &x.org, &x.acct
	if !o.usersKnown || !o.groupsKnown || d.version == "" {
		return nil
	}
	users := max(o.users.Live, o.everyone-o.users.Gone)
	live, gone := okta.Pages(users), okta.Pages(o.users.Gone)+1 // and a second look at what changed
	groups := okta.Pages(o.groups.Live)
	lists := 0
	for _, in := range []audit.Input{audit.DatabricksUsers, audit.DatabricksGroups, audit.DatabricksServicePrincipals} {
		lists += databricks.Pages(d.totals[in])
	}
	const signIns, workspaces = 3, 1
	reserve := x.OktaConfig.Reserve
	s := Read{What: "snapshot", Requests: live + gone + groups + lists + signIns + workspaces,
		AtLeast: !o.groups.All || !o.users.All && !o.everyoneFound}
	s.Seconds = seconds(max(paced(live+gone, sideBySide(o.users.Budget, live), reserve), paced(groups, o.groups.Budget, reserve),
		databricks.ListTime(lists+workspaces, x.DatabricksConfig.ListRate), time.Duration(lists/3+1)*d.took))
	reads := []Read{s}

	theirs := d.totals[audit.DatabricksGroups]
	m := Read{What: "--members", Requests: o.groups.Live + theirs, AtLeast: true}
	m.Seconds = seconds(max(paced(o.groups.Live, o.members, reserve), rated(theirs, x.DatabricksConfig.ReadRate, 20)))
	reads = append(reads, m)
	if o.appsKnown {
		a := Read{What: "--apps", Requests: okta.Pages(o.apps.Live), AtLeast: !o.apps.All}
		if x.Stated.OktaApp != "" { // 500 of its users a page, everybody at worst
			a.Requests += (users + 499) / 500
		}
		a.Seconds = seconds(paced(a.Requests, o.apps.Budget, reserve))
		reads = append(reads, a)
	}
	if d.listed {
		n := 2 * len(d.workspaces)
		w := Read{What: "--workspace-details", Requests: n, AtLeast: true}
		w.Seconds = seconds(max(databricks.ListTime(n/2, x.DatabricksConfig.ListRate), rated(n/2, x.DatabricksConfig.ReadRate, 20)))
		reads = append(reads, w)
	}
	return reads
}

// sideBySide is the budget of users: their windows are read up to twelve at
// once, where there are many.
func sideBySide(b okta.Budget, pages int) okta.Budget {
	b.Took /= time.Duration(min(12, 1+pages/16))
	return b
}

// paced returns how long so many requests take one after another, within the
// limit less what is reserved for others.
func paced(n int, b okta.Budget, reserve int) time.Duration {
	d := time.Duration(n) * b.Took
	if b.Limit <= 0 || n <= 0 {
		return d
	}
	share := max(1, b.Limit*(100-reserve)/100)
	now := max(0, min(share, b.Left-b.Limit*reserve/100))
	if n <= now {
		return d
	}
	windows := (n - now + share - 1) / share
	return max(d, b.Reset+time.Duration(windows-1)*time.Minute)
}

func rated(n int, perSecond, byDefault float64) time.Duration {
	if perSecond <= 0 {
		perSecond = byDefault
	}
	return time.Duration(float64(n) / perSecond * float64(time.Second))
}

// seconds rounds up, for nobody counts on tenths.
func seconds(d time.Duration) float64 { return math.Ceil(d.Seconds()) }

func readCheck(reads []Read) check {
	return check{"full-read", "read", "how many requests, and how long, before anybody waits for it", nil, func(context.Context, *exam) outcome {
		if len(reads) == 0 {
			return notChecked("both directories must be countable: see okta-users, okta-groups and databricks-account")
		}
		var texts []string
		for i, r := range reads {
			least, sign := "", ""
			if r.AtLeast {
				least = "at least "
			}
			if i > 0 {
				sign = "with " + r.What + " "
				least += "+"
			}
			texts = append(texts, fmt.Sprintf("%s%s%s requests, %v", sign, least, number(r.Requests), time.Duration(r.Seconds)*time.Second))
		}
		return good("%s", strings.Join(texts, "; "))
	}}
}
