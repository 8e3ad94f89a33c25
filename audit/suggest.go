package audit

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Suggestion is an Okta user that a Databricks user without a candidate might
// be. It is for people to review and never a ground for an operation.
type Suggestion struct {
	Okta  Ref
	Score float64 // 0 to 1: how much speaks for it
	Why   string
}

// The kinds of likeness, with the score of each. Where several hold, the best counts.
const (
	likePlusTag  = 0.9 // ana+x@ is ana@
	likeDots     = 0.8 // a.reed@ is areed@
	likeDomain   = 0.7 // ana@example.org is ana@example.com
	likeLooks    = 0.7 // the letters look the same
	likeOneEdit  = 0.6 // one letter was added, left out or replaced
	likeFullName = 0.5 // the same first and last name
)

// crowd is how many may share a value before it says nothing about anybody.
const crowd = 24

// Suggestions returns, for each Databricks user of the list, the live Okta users
// who are like it, best first, five at most. Users are compared only with those
// who share a blocking key with them: never all with all.
func (ix *Index) Suggestions(of []Ref) map[Ref][]Suggestion {
	asked := map[string][]Ref{} // by blocking key
	for _, d := range of {
		u := ix.DatabricksUser(d)
		for key := range blockingKeys(Fold(u.UserName), u.GivenName, u.FamilyName) {
			asked[key] = append(asked[key], d)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	like := map[string][]Ref{} // the Okta users of the keys that were asked for
	for o := range ix.All(OktaUserKind) {
		u := ix.OktaUser(o)
		if !u.Live() {
			continue
		}
		keys := blockingKeys(Fold(u.Login), u.FirstName, u.LastName)
		if ix.TwoNames(o) {
			for key := range blockingKeys(Fold(u.Email), "", "") {
				keys[key] = true
			}
		}
		for key := range keys {
			if _, ok := asked[key]; ok && len(like[key]) <= crowd {
				like[key] = append(like[key], o)
			}
		}
	}
	found := map[Ref][]Suggestion{}
	for key, ds := range asked {
		if len(ds) > crowd || len(like[key]) > crowd {
			continue
		}
		for _, d := range ds {
			for _, o := range like[key] {
				if s, ok := ix.likeness(d, o); ok {
					found[d] = append(found[d], s)
				}
			}
		}
	}
	for d, ss := range found {
		slices.SortFunc(ss, func(a, b Suggestion) int {
			return cmp.Or(-cmp.Compare(a.Score, b.Score), a.Okta.Compare(b.Okta))
		})
		ss = slices.Compact(ss)
		found[d] = ss[:min(len(ss), 5)]
	}
	return found
}

// blockingKeys are the values of which two users who are alike share at least one.
func blockingKeys(name, first, last string) map[string]bool {
	keys := map[string]bool{}
	if local, _, ok := strings.Cut(name, "@"); ok && utf8.ValidString(name) {
		bare := withoutTag(local)
		keys["local "+strings.ReplaceAll(bare, ".", "")] = true
		keys["looks "+Skeleton(bare)] = true
		// Of two names one edit apart one half is the same, whichever length it
		// is cut for.
		runes := []rune(local)
		for n := len(runes) - 1; n <= len(runes)+1; n++ {
			if half := n / 2; half > 1 && half <= len(runes) {
				keys["head "+string(runes[:half])] = true
				keys["tail "+string(runes[max(0, len(runes)-(n-half)):])] = true
			}
		}
	}
	if !blankName(first) && !blankName(last) {
		keys["name "+Fold(first)+" "+Fold(last)] = true
	}
	return keys
}

func blankName(name string) bool { return strings.TrimSpace(name) == "" }

func withoutTag(local string) string {
	bare, _, _ := strings.Cut(local, "+")
	return cmp.Or(bare, local)
}

// likeness says how a Databricks user and an Okta user are alike, if they are.
func (ix *Index) likeness(d, o Ref) (Suggestion, bool) {
	du, ou := ix.DatabricksUser(d), ix.OktaUser(o)
	best := Suggestion{Okta: o}
	offer := func(score float64, why string) {
		if score > best.Score {
			best.Score, best.Why = score, why
		}
	}
	local, domain, _ := strings.Cut(Fold(du.UserName), "@")
	for _, name := range []string{Fold(ou.Login), Fold(ou.Email)} {
		otherLocal, otherDomain, ok := strings.Cut(name, "@")
		if !ok || local == "" {
			continue
		}
		dotless := func(s string) string { return strings.ReplaceAll(withoutTag(s), ".", "") }
		switch {
		case local == otherLocal:
			offer(likeDomain, "the same name in another domain: "+otherDomain)
		case domain != otherDomain:
		case withoutTag(local) == withoutTag(otherLocal):
			offer(likePlusTag, "the same address but for a plus-tag")
		case dotless(local) == dotless(otherLocal):
			offer(likeDots, "the same address but for dots")
		case Skeleton(local) == Skeleton(otherLocal):
			offer(likeLooks, "the letters look the same")
		case oneEdit([]rune(local), []rune(otherLocal)):
			offer(likeOneEdit, "one letter apart")
		}
	}
	if !blankName(du.GivenName) && !blankName(du.FamilyName) && SameName(du.GivenName, ou.FirstName) && SameName(du.FamilyName, ou.LastName) {
		offer(likeFullName, "the same first and last name")
	}
	return best, best.Score > 0
}

// oneEdit reports whether a becomes b by adding, leaving out or replacing one rune.
func oneEdit(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i < len(a) && slices.Equal(a[i+1:], b[i+1:])
	}
	return slices.Equal(a[i:], b[i+1:])
}
