package okta

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/rawjson"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient reads what is JSON by its shape, to part a list into objects. Each
// object is then decoded strictly: names once, exactly spelt; texts are kept byte for byte.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// A decoder makes records of one kind of object.
type decoder struct {
	input audit.Input
	kind  string // "user"
	one   func(raw []byte) (record any, id string, err error)

	// expect, unless nil, says what is wrong with a record that the query did
	// not ask for.
	expect func(record any) error
}

// An object is one element of a list: a record or an [audit.Undecoded].
type object struct {
	id     string // blank if even that could not be read
	record any
}

// object decodes one element. It never fails: what can't be decoded becomes an
// [audit.Undecoded] whose error begins with where, if that is not blank.
func (d decoder) object(raw []byte, where string) object {
	record, id, err := d.one(raw)
	if err == nil && id == "" {
		err = errors.New("id is missing")
	}
	if err == nil {
		return object{id, record}
	}
	id = idOf(raw)
	name := d.kind + " " + id
	if id == "" {
		name = d.kind + " without an id"
	}
	text := fmt.Sprintf("%s%s: %s", where, name, explain(err))
	return object{id, audit.Undecoded{Input: d.input, Raw: withoutSecrets(raw), Error: text}}
}

// objects parts the body of a list answer and decodes each element.
func (d decoder) objects(body []byte) ([]object, error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(body), lenient)
	if kind := in.PeekKind(); kind != '[' {
		return nil, fmt.Errorf("expected a list of %ss, found %s", d.kind, kindName(kind))
	}
	if _, err := in.ReadToken(); err != nil {
		return nil, err
	}
	var all []object
	for in.PeekKind() != ']' {
		raw, err := in.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("the list of %ss is damaged: %w", d.kind, err)
		}
		all = append(all, d.object(raw, ""))
	}
	return all, nil
}

var userDecoder = decoder{input: audit.OktaUsers, kind: "user", one: func(raw []byte) (any, string, error) {
	var u struct {
		ID      rawjson.Text `json:"id"`
		Status  rawjson.Text `json:"status"`
		Created rawjson.Text `json:"created"`
		Updated rawjson.Text `json:"lastUpdated"`
		Profile struct {
			Login     rawjson.Text `json:"login"`
			Email     rawjson.Text `json:"email"`
			FirstName rawjson.Text `json:"firstName"`
			LastName  rawjson.Text `json:"lastName"`
		} `json:"profile"`
	}
	err := json.Unmarshal(raw, &u, rawjson.Strict())
	switch {
	case err != nil:
	case u.Status == "":
		err = errors.New("status is missing")
	case u.Profile.Login == "":
		err = errors.New("profile.login is missing")
	}
	return audit.OktaUser{
		ID: string(u.ID), Status: string(u.Status), Login: string(u.Profile.Login), Email: string(u.Profile.Email),
		FirstName: string(u.Profile.FirstName), LastName: string(u.Profile.LastName), Created: string(u.Created), Updated: string(u.Updated),
	}, string(u.ID), err
}}

// deprovisionedDecoder reads users of the one status that was asked for: an org
// that passes over the filter would hide those it is asked about.
var deprovisionedDecoder = decoder{input: userDecoder.input, kind: userDecoder.kind, one: userDecoder.one, expect: func(record any) error {
	if u, ok := record.(audit.OktaUser); ok && u.Live() {
		return errMoved{fmt.Sprintf("user %s is %s, though only DEPROVISIONED users were asked for: Okta passed over the filter", u.ID, u.Status)}
	}
	return nil
}}

var groupDecoder = decoder{input: audit.OktaGroups, kind: "group", one: func(raw []byte) (any, string, error) {
	var g struct {
		ID      rawjson.Text `json:"id"`
		Type    rawjson.Text `json:"type"`
		Created rawjson.Text `json:"created"`
		Updated rawjson.Text `json:"lastUpdated"`
		Profile struct {
			Name rawjson.Text `json:"name"`
		} `json:"profile"`
	}
	err := json.Unmarshal(raw, &g, rawjson.Strict())
	return audit.OktaGroup{ID: string(g.ID), Type: string(g.Type), Name: string(g.Profile.Name), Created: string(g.Created), Updated: string(g.Updated)}, string(g.ID), err
}}

// memberDecoder reads nothing of a member but its id, which is the record.
var memberDecoder = decoder{input: audit.OktaMembers, kind: "member", one: func(raw []byte) (any, string, error) {
	var m struct {
		ID rawjson.Text `json:"id"`
	}
	err := json.Unmarshal(raw, &m, rawjson.Strict())
	return string(m.ID), string(m.ID), err
}}

var appDecoder = decoder{input: audit.OktaApps, kind: "app", one: func(raw []byte) (any, string, error) {
	var a struct {
		ID          rawjson.Text `json:"id"`
		Label       rawjson.Text `json:"label"`
		Status      rawjson.Text `json:"status"`
		Credentials struct {
			OAuthClient struct {
				ClientID rawjson.Text `json:"client_id"`
			} `json:"oauthClient"`
		} `json:"credentials"`
	}
	err := json.Unmarshal(raw, &a, rawjson.Strict())
	return audit.OktaApp{ID: string(a.ID), Label: string(a.Label), Status: string(a.Status), ClientID: string(a.Credentials.OAuthClient.ClientID)}, string(a.ID), err
}}

// appUserDecoder makes records of the users of one app.
func appUserDecoder(app string) decoder {
	return decoder{input: audit.OktaAppUsers, kind: "app user", one: func(raw []byte) (any, string, error) {
		var u struct {
			ID          rawjson.Text `json:"id"`
			Status      rawjson.Text `json:"status"`
			Credentials struct {
				UserName rawjson.Text `json:"userName"`
			} `json:"credentials"`
		}
		err := json.Unmarshal(raw, &u, rawjson.Strict())
		return audit.OktaAppUser{App: app, User: string(u.ID), Status: string(u.Status), UserName: string(u.Credentials.UserName)}, string(u.ID), err
	}}
}

// idOf reads the id of an object that is wrong elsewhere.
func idOf(raw []byte) string {
	var o struct {
		ID jsontext.Value `json:"id"`
	}
	var id string
	if json.Unmarshal(raw, &o, lenient) != nil || o.ID == nil || json.Unmarshal(o.ID, &id) != nil {
		return ""
	}
	return id
}

// explain says what is wrong with an object, naming the field as Okta does.
func explain(err error) string {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s: %v", field(syntax.JSONPointer), syntax.Err)
	case errors.As(err, &semantic) && semantic.Err != nil:
		return fmt.Sprintf("%s: %v", field(semantic.JSONPointer), semantic.Err)
	case errors.As(err, &semantic) && semantic.JSONKind != 0:
		want := "a string"
		if semantic.GoType != nil && semantic.GoType.Kind().String() == "struct" {
			want = "an object"
		}
		return fmt.Sprintf("%s: expected %s, found %s", field(semantic.JSONPointer), want, kindName(semantic.JSONKind))
	}
	return err.Error()
}

func field(p jsontext.Pointer) string {
	if p == "" {
		return "the whole"
	}
	var names []string
	for name := range p.Tokens() {
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a truth value"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	return "nothing"
}

// withoutSecrets copies an object and blanks what may be a secret in it, such
// as an app's client_secret: snapshots hold none.
func withoutSecrets(raw []byte) []byte {
	var out []byte
	kept := 0 // raw up to here is in out
	in := jsontext.NewDecoder(bytes.NewReader(raw), lenient)
	for {
		switch in.PeekKind() {
		case '"':
			text, err := in.ReadValue()
			container, n := in.StackIndex(in.StackDepth())
			isName := container == '{' && n%2 == 1
			if err == nil && !isName && secret(in.StackPointer()) {
				end := int(in.InputOffset())
				out = append(append(out, raw[kept:end-len(text)]...), `""`...)
				kept = end
			}
		default:
			if _, err := in.ReadToken(); err != nil {
				return append(out, raw[kept:]...)
			}
		}
	}
}

// secret reports whether a value's name, or that of what it is in, tells of a secret.
func secret(at jsontext.Pointer) bool {
	path := strings.ToLower(string(at))
	for _, word := range []string{"secret", "password", "private", "token", "assertion"} {
		if strings.Contains(path, word) {
			return true
		}
	}
	return false
}
