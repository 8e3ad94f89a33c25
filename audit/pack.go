package audit

// How each record is packed: its fields in order, but for those that are looked up
// by another one than the first.

func (u *OktaUser) pack(b []byte) []byte {
	login := appendTexts(b, u.ID, u.Status)
	email := appendTexts(login, u.Login)
	b = AppendAgain(email, u.Email, len(login))
	return appendTexts(b, u.FirstName, u.LastName, u.Created, u.Updated)
}

func (u *OktaUser) unpack(s string) {
	cutTexts(s, &u.ID, &u.Status, &u.Login, &u.Email, &u.FirstName, &u.LastName, &u.Created, &u.Updated)
	u.Email = orLike(u.Email, u.Login)
}

func (g *OktaGroup) pack(b []byte) []byte {
	return appendTexts(b, g.ID, g.Type, g.Name, g.Created, g.Updated)
}

func (g *OktaGroup) unpack(s string) {
	cutTexts(s, &g.ID, &g.Type, &g.Name, &g.Created, &g.Updated)
}

func (m *OktaGroupMembers) pack(b []byte) []byte {
	return appendTexts(b, m.Group, string(m.Members))
}

func (m *OktaGroupMembers) unpack(s string) { cutTexts(s, &m.Group, (*string)(&m.Members)) }

func (m *DatabricksGroupMembers) pack(b []byte) []byte {
	return appendTexts(b, m.Group, string(m.Members))
}

func (m *DatabricksGroupMembers) unpack(s string) { cutTexts(s, &m.Group, (*string)(&m.Members)) }

func (a *OktaApp) pack(b []byte) []byte {
	return appendTexts(b, a.ID, a.Label, a.Status, a.ClientID)
}

func (a *OktaApp) unpack(s string) {
	cutTexts(s, &a.ID, &a.Label, &a.Status, &a.ClientID)
}

// The user comes first: app users are looked up by user.
func (u *OktaAppUser) pack(b []byte) []byte {
	return appendTexts(b, u.User, u.App, u.Status, u.UserName)
}

func (u *OktaAppUser) unpack(s string) {
	cutTexts(s, &u.User, &u.App, &u.Status, &u.UserName)
}

func (u *DatabricksUser) pack(b []byte) []byte {
	return appendTexts(b, u.ID, u.UserName, u.ExternalID, u.DisplayName, u.GivenName, u.FamilyName, truth(u.Active),
		string(u.Emails), string(u.Roles), string(u.Entitlements), string(u.Groups), u.Created)
}

func (u *DatabricksUser) unpack(s string) {
	var active string
	cutTexts(s, &u.ID, &u.UserName, &u.ExternalID, &u.DisplayName, &u.GivenName, &u.FamilyName, &active,
		(*string)(&u.Emails), (*string)(&u.Roles), (*string)(&u.Entitlements), (*string)(&u.Groups), &u.Created)
	u.Active = active != ""
}

func (g *DatabricksGroup) pack(b []byte) []byte {
	return appendTexts(b, g.ID, g.DisplayName, g.ExternalID, g.ResourceType, g.Workspace,
		string(g.Roles), string(g.Entitlements), string(g.Groups), g.Created)
}

func (g *DatabricksGroup) unpack(s string) {
	cutTexts(s, &g.ID, &g.DisplayName, &g.ExternalID, &g.ResourceType, &g.Workspace,
		(*string)(&g.Roles), (*string)(&g.Entitlements), (*string)(&g.Groups), &g.Created)
}

func (p *DatabricksServicePrincipal) pack(b []byte) []byte {
	return appendTexts(b, p.ID, p.ApplicationID, p.DisplayName, p.ExternalID, truth(p.Active),
		string(p.Roles), string(p.Entitlements), string(p.Groups), p.Created)
}

func (p *DatabricksServicePrincipal) unpack(s string) {
	var active string
	cutTexts(s, &p.ID, &p.ApplicationID, &p.DisplayName, &p.ExternalID, &active,
		(*string)(&p.Roles), (*string)(&p.Entitlements), (*string)(&p.Groups), &p.Created)
	p.Active = active != ""
}

func (w *DatabricksWorkspace) pack(b []byte) []byte {
	return appendTexts(b, w.ID, w.Name, w.Status, w.Federation)
}

func (w *DatabricksWorkspace) unpack(s string) {
	cutTexts(s, &w.ID, &w.Name, &w.Status, &w.Federation)
}

func (a *DatabricksAssignment) pack(b []byte) []byte {
	return appendTexts(b, a.Principal, a.Workspace, string(a.Permissions))
}

func (a *DatabricksAssignment) unpack(s string) {
	cutTexts(s, &a.Principal, &a.Workspace, (*string)(&a.Permissions))
}

func (u *Undecoded) pack(b []byte) []byte {
	return appendTexts(b, u.Input.String(), u.Error, string(u.Raw))
}

func (u *Undecoded) unpack(s string) {
	var input, raw string
	cutTexts(s, &input, &u.Error, &raw)
	u.Input.UnmarshalText([]byte(input)) // no error: it was one's name
	u.Raw = []byte(raw)
}
