package rules

import "github.com/aimcheck/aimcheck/audit"

// The records of which the examples are made: everybody is ACTIVE and has a full
// name unless an example says otherwise.

func okta(id, login, email string) audit.OktaUser {
	return audit.OktaUser{ID: id, Status: "ACTIVE", Login: login, Email: email, FirstName: "Sam", LastName: "Reed"}
}

func gone(u audit.OktaUser) audit.OktaUser {
	u.Status = audit.StatusDeprovisioned
	return u
}

func user(id, userName, externalID string) audit.DatabricksUser {
	return audit.DatabricksUser{
		ID: id, UserName: userName, ExternalID: externalID, GivenName: "Sam", FamilyName: "Reed", Active: true,
	}
}

func oktaGroup(id, name string) audit.OktaGroup {
	return audit.OktaGroup{ID: id, Type: "OKTA_GROUP", Name: name}
}

func group(id, name, externalID string) audit.DatabricksGroup {
	return audit.DatabricksGroup{ID: id, DisplayName: name, ExternalID: externalID, ResourceType: "Group"}
}

func app(id, label, clientID string) audit.OktaApp {
	return audit.OktaApp{ID: id, Label: label, Status: "ACTIVE", ClientID: clientID}
}

func principal(id, name, applicationID, externalID string) audit.DatabricksServicePrincipal {
	return audit.DatabricksServicePrincipal{
		ID: id, DisplayName: name, ApplicationID: applicationID, ExternalID: externalID, Active: true,
	}
}
