// Package rules is the catalogue: one file per rule, each with its doc, severity,
// remedy and examples. Adding a rule is one file and one line in [All].
package rules

import "github.com/aimcheck/aimcheck/audit"

// All lists every rule in the order of the catalogue.
func All() []*audit.Rule {
	return []*audit.Rule{
		SharedEmail,
		LoginEmailCollision,
		MalformedUsername,
		LookalikeUsername,
		MissingName,
		MissingExternalID,
		UnknownExternalID,
		AmbiguousUsername,
		ConflictingExternalID,
		UsernameDrift,
		DuplicateExternalID,
		SplitIdentity,
		CaseVariantUsername,
		SSOClaimSplit,
		LinkedToDeprovisioned,
		NameMismatch,
		InactiveWithEntitlements,
		ManagedTokenOwner,
		RedundantDirectGrant,
		AmbiguousGroupName,
		DuplicateGroupName,
		GroupNameDrift,
		ReservedGroupName,
		GroupMemberDrift,
		WorkspaceGroupClash,
		IdentityFederationDisabled,
	}
}

// The inputs that most rules about users need.
var (
	oktaUsers = []audit.Input{audit.OktaUsers}
	bothUsers = []audit.Input{audit.OktaUsers, audit.DatabricksUsers}
)
