package audit

import (
	"errors"
	"iter"
	"slices"
	"sort"
	"strconv"
)

// A Crosswalk is rows of a crosswalk that nobody works out again, packed: a third of
// the memory of a list of them. The zero value has none.
type Crosswalk struct{ packed Packed }

// Add packs another row behind the others. It fails where they are more than 4 GiB.
func (c *Crosswalk) Add(row *CrosswalkRow) error {
	if len(c.packed.buf) >= blockSize {
		c.packed.close()
	}
	return c.packed.End(row.pack(c.packed.Begin()))
}

// Sort puts the rows in the order of their subjects.
func (c *Crosswalk) Sort() {
	c.packed.close()
	rows := c.packed.rows()
	slices.SortFunc(rows.at, func(x, y uint32) int { return keptSubject(rows.packed(x)).Compare(keptSubject(rows.packed(y))) })
}

// kept is what a report that was read from its file has instead of an index.
type kept struct {
	rows  rows // of the crosswalk
	names []SubjectName
}

// Keep gives a report without a snapshot its crosswalk, and the names of the
// subjects that have no row in it. Both must be in order, each subject once. The
// crosswalk is not to be changed any more.
func (r *Report) Keep(c *Crosswalk, names []SubjectName) error {
	c.packed.close()
	k := &kept{c.packed.rows(), names}
	for i := 1; i < k.rows.Len(); i++ {
		if s := k.subject(i); k.subject(i-1).Compare(s) >= 0 {
			return errors.New("the rows of the crosswalk are out of order at " + s.String())
		}
	}
	for i := 1; i < len(names); i++ {
		if names[i-1].Subject.Compare(names[i].Subject) >= 0 {
			return errors.New("the names are out of order at " + names[i].Subject.String())
		}
	}
	r.kept = k
	return nil
}

func (k *kept) subject(i int) Subject { return keptSubject(k.rows.packedAt(i)) }

// list lists the rows.
func (k *kept) list() List[*CrosswalkRow] {
	return List[*CrosswalkRow]{k.rows.Len(), func(from, to int) iter.Seq[*CrosswalkRow] {
		return func(yield func(*CrosswalkRow) bool) {
			var row CrosswalkRow
			for i := from; i < to; i++ {
				row.unpack(k.rows.packedAt(i))
				if !yield(&row) {
					return
				}
			}
		}
	}}
}

// name returns what people call the subject, if that is known.
func (k *kept) name(s Subject) string {
	i := sort.Search(k.rows.Len(), func(i int) bool { return k.subject(i).Compare(s) >= 0 })
	if i < k.rows.Len() && k.subject(i) == s {
		var row CrosswalkRow
		row.unpack(k.rows.packedAt(i))
		return row.Name
	}
	if i, ok := slices.BinarySearchFunc(k.names, s, func(n SubjectName, s Subject) int { return n.Subject.Compare(s) }); ok {
		return k.names[i].Name
	}
	return ""
}

func (row *CrosswalkRow) pack(b []byte) []byte {
	return appendTexts(b, row.Subject.ID, kindByte(row.Subject.Kind), row.Name, row.ExternalID, string(row.LinkState),
		row.GivenName, row.FamilyName, truth(row.Active), truth(row.Admin), strconv.Itoa(row.Groups),
		row.Okta.ID, kindByte(row.Okta.Kind), row.OktaLogin, row.OktaEmail, row.OktaStatus, row.OktaFirst, row.OktaLast,
		row.MatchedBy, string(row.Now), string(row.AfterPlan))
}

func (row *CrosswalkRow) unpack(s string) {
	var kind, active, admin, groups, oktaKind string
	cutTexts(s, &row.Subject.ID, &kind, &row.Name, &row.ExternalID, (*string)(&row.LinkState),
		&row.GivenName, &row.FamilyName, &active, &admin, &groups,
		&row.Okta.ID, &oktaKind, &row.OktaLogin, &row.OktaEmail, &row.OktaStatus, &row.OktaFirst, &row.OktaLast,
		&row.MatchedBy, (*string)(&row.Now), (*string)(&row.AfterPlan))
	row.Subject.Kind, row.Okta.Kind = Kind(kind[0]), Kind(oktaKind[0])
	row.Active, row.Admin = active != "", admin != ""
	row.Groups, _ = strconv.Atoi(groups) // it was a number
}

func kindByte(k Kind) string { return string([]byte{byte(k)}) }

// keptSubject is the subject of a packed row.
func keptSubject(s string) (subject Subject) {
	var kind string
	cutTexts(s, &subject.ID, &kind)
	subject.Kind = Kind(kind[0])
	return subject
}
