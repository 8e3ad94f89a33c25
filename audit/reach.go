package audit

import (
	"cmp"
	"fmt"
	"strings"
)

// A Reach is how much hangs on a Databricks identity. It is evidence, and the
// order of the list, never severity.
type Reach struct {
	Caller     bool // it runs this tool
	Admin      bool // it has the role account_admin directly
	Groups     int  // groups it is in, where known
	Members    int  // members it has, where it is a group and they are known
	Workspaces int  // workspaces it is assigned to, where known
}

// Reach returns how far d reaches, as far as the snapshot tells.
func (ix *Index) Reach(d Ref) Reach {
	if counterpart(d.Kind) == 0 {
		return Reach{}
	}
	r := Reach{Caller: ix.IsCaller(d), Admin: ix.AccountAdmin(d), Groups: ix.groupsOf(d)}
	id := ix.Subject(d).ID
	if d.Kind == DatabricksGroupKind {
		if i, ok := ix.DatabricksMembers.Find(id); ok {
			r.Members = ix.DatabricksMembers.At(i).Members.Len()
		}
	}
	i, _ := ix.DatabricksAssignments.Find(id)
	for ; i < ix.DatabricksAssignments.Len() && ix.DatabricksAssignments.Key(i) == id; i++ {
		r.Workspaces++
	}
	return r
}

// groupsOf returns the number of Databricks groups that d is in directly, where known.
func (ix *Index) groupsOf(d Ref) (n int) {
	switch d.Kind {
	case DatabricksUserKind:
		if ix.is(d, grouped) {
			n = ix.DatabricksUser(d).Groups.Len()
		}
	case DatabricksServicePrincipalKind:
		n = ix.DatabricksServicePrincipal(d).Groups.Len()
	case DatabricksGroupKind:
		n = ix.DatabricksGroup(d).Groups.Len()
	}
	return max(n, ix.directGroups(d).Len())
}

// Compare orders the farther reach first: the caller, then admins, then members
// and groups and workspaces by number.
func (r Reach) Compare(s Reach) int {
	return cmp.Or(
		-cmp.Compare(truth(r.Caller), truth(s.Caller)),
		-cmp.Compare(truth(r.Admin), truth(s.Admin)),
		-cmp.Compare(r.Members+r.Groups+r.Workspaces, s.Members+s.Groups+s.Workspaces),
	)
}

// String says the reach in words, "" where there is nothing to say.
func (r Reach) String() string {
	var words []string
	if r.Caller {
		words = append(words, "runs this tool")
	}
	if r.Admin {
		words = append(words, "account admin")
	}
	for _, n := range []struct {
		n    int
		what string
	}{{r.Members, "members"}, {r.Groups, "groups"}, {r.Workspaces, "workspaces"}} {
		if n.n > 0 {
			words = append(words, fmt.Sprintf("%s: %d", n.what, n.n))
		}
	}
	return strings.Join(words, ", ")
}

// tellReach adds to a finding how far its Databricks subject d reaches, and
// returns the farther of that and what it is given.
func (f *Finding) tellReach(ix *Index, s Subject, d Ref, farthest Reach) Reach {
	reach := ix.Reach(d)
	if words := reach.String(); words != "" {
		f.Evidence = append(f.Evidence, Evidence{Subject: s, Role: "reach of", Field: "reach", Value: words})
	}
	if reach.Compare(farthest) < 0 {
		return reach
	}
	return farthest
}
