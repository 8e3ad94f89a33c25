package rules

import "github.com/aimcheck/aimcheck/audit"

// leftOut reports whether r is a group of the system or of a workspace, which
// most rules leave out, and leftOutWhy says so.
func leftOut(ix *audit.Index, r audit.Ref) bool {
	return r.Kind == audit.DatabricksGroupKind && !ix.Managed(r)
}

const leftOutWhy = "groups of the system and of workspaces are left out"
